"""The command line of the sandbox: its words, its help, and how they become Options."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import time

from runner.sandbox import faults
from runner.sandbox.coinmena import signing
from runner.sandbox.cryptomate import scenarios
from runner.sandbox.fin import scenarios as fin_scenarios
from runner.sandbox.options import Options

HELP = f"""\
Serves local providers on real sockets until SIGTERM, Ctrl-C, or (with --exit-with-stdin) the end of stdin.
When all of them listen, one thing is printed: the addresses and the environment variables a client needs,
as one line of JSON, or as `export NAME='...'` lines when stdout is a terminal or --format env is given.

{faults.HELP}
{signing.HELP}
{scenarios.HELP}
{fin_scenarios.HELP}
control, from this machine only, unsigned:
  GET  /_sandbox/state     clients, documents, orders, balances, request counts, refusals, faults, deliveries, config
  GET  /_sandbox/ledger    per client and asset: the sums of what moved, and the balance
  POST /_sandbox/faults    {{"faults": ["..."], "replace": false}}; GET lists them with what they did
  POST /_sandbox/data      the provider's part of a --data file
  POST /_sandbox/act/NAME  what only this provider's sandbox can do, such as act/verdict of cryptomate
  POST /_sandbox/reset     back to the start: seed data and faults of the command line
"""


def parser(program: str = "python -m runner.sandbox") -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog=program,
        description="Serve local providers over real HTTP.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("providers", nargs="*", metavar="PROVIDER", help="which to serve (default: all)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_whole, default=0, help="first port of consecutive ones; 0 takes free ones (default)")
    add("--seed", type=int, default=1, help="seed of ids, keys and chance (default: %(default)s)")
    add("--data", type=Path, metavar="FILE", help='JSON seed data: {"PROVIDER": {"clients": [...], ...}}')
    add("--fault", action="append", default=[], type=_fault, help="plan a failure, see below")
    add("--rate", type=_positive, metavar="N", help="most calls in one second, more get 429 (default: the provider's)")
    add("--clock-offset", type=float, default=0.0, metavar="SEC", help="seconds ahead of the machine")
    add("--now", type=_moment, metavar="TIME", help="start the server's clock at this ISO 8601 time instead")
    add("--allow-ip", action="append", default=[], metavar="IP", help="only these addresses or CIDR ranges")
    add("--refuse-used-references", type=_yes, default=True, metavar="yes|no", help="default: yes")
    add("--visible-after", type=_seconds, default=0.0, metavar="SEC", help="how long reads lag behind")
    add("--kyc-delay", type=_seconds, default=0.5, metavar="SEC", help="how long a review takes (default: %(default)s)")
    add("--webhook-retry-first", type=_seconds, default=1.0, metavar="SEC", help="wait before a second delivery (1.0)")
    add("--hang-seconds", type=_seconds, default=300.0, metavar="SEC", help="how long a hang lasts (300)")
    add("--signing", action="append", default=[], type=_signing, metavar="K=V", help="the recipe, see below")
    add("--public-key", metavar="KEY", help="accepted key, PEM or 32 raw bytes in Base64")
    add("--exit-with-stdin", action="store_true", help="end when stdin closes, with its parent")
    add("--format", choices=("auto", "env", "json"), default="auto", help="what to print when listening")
    return found


def options(argv: Sequence[str], program: str = "python -m runner.sandbox") -> Options:
    """Read the command line; argparse exits with 2 on a wrong one."""
    found = parser(program).parse_args(argv)
    return Options(
        providers=tuple(found.providers),
        host=found.host,
        port=found.port,
        seed=found.seed,
        data=found.data,
        faults=tuple(found.fault),
        rate=found.rate,
        clock_offset=found.clock_offset if found.now is None else found.now - time(),
        allow_ip=tuple(found.allow_ip),
        refuse_used_references=found.refuse_used_references,
        visible_after=found.visible_after,
        kyc_delay=found.kyc_delay,
        webhook_retry_first=found.webhook_retry_first,
        hang_seconds=found.hang_seconds,
        signing={key: value for given in found.signing for key, value in given.items()},
        public_key=found.public_key,
        exit_with_stdin=found.exit_with_stdin,
        format=found.format,
    )


def _fault(text: str) -> faults.Fault:
    try:
        return faults.parse(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _signing(text: str) -> dict[str, str]:
    if text.startswith("{"):
        given = json.loads(text)
        return {str(key): str(value) for key, value in given.items()}
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f'"{text}": expected KEY=VALUE, e.g. separator=dot')
    return {key: value}


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f'"{text}": expected yes or no')
    return text == "yes"


def _moment(text: str) -> float:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise argparse.ArgumentTypeError(f'"{text}": expected a zone, e.g. 2024-06-01T10:00:00Z')
    return when.timestamp()


def _seconds(text: str) -> float:
    if (seconds := float(text)) < 0:
        raise argparse.ArgumentTypeError(f'"{text}": expected zero or more')
    return seconds


def _whole(text: str) -> int:
    if (number := int(text)) < 0:
        raise argparse.ArgumentTypeError(f'"{text}": expected zero or more')
    return number


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f'"{text}": expected one or more')
    return number
