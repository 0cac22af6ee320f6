"""`onboard doctor`: is everything there that a run needs? Credentials, address, clock, signature."""

from __future__ import annotations

import os
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import anyio
import click

from runner import exit_codes, resources
from runner.answers import Reading, read
from runner.auth import Auth, make_auth
from runner.client import HttpClient
from runner.clock import SystemClock
from runner.effects import Reply
from runner.load.credentials import read_credentials
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response
from runner.model.problem import ProblemError
from runner.model.provider import Operation, Provider
from runner.model.secret import Secret
from runner.redact import Redactor
from runner.version import VERSION

# A timestamp is too old after this long at the strictest provider we know.
MOST_SKEW = 30.0


@click.command("doctor")
@click.argument("provider", required=False)
@click.option(
    "--env",
    "environment",
    default="sandbox",
    show_default=True,
    metavar="NAME",
    help="Environment of the provider pack.",
)
@click.option("--base-url", default="", metavar="URL", help="Overrides the environment's address.")
@click.option("--provider-file", type=click.Path(path_type=Path), default=None, metavar="FILE")
def command(provider: str | None, environment: str, base_url: str, provider_file: Path | None) -> int:
    """Check what a run against PROVIDER (default: all) needs; sends reads only."""
    names = [provider] if provider else list(resources.provider_names())
    codes = [anyio.run(_examine, find_pack(name, provider_file), environment, base_url) for name in names]
    return exit_codes.WRONG if exit_codes.WRONG in codes else exit_codes.worst(*codes)


async def _examine(pack: Provider, environment: str, base_url: str) -> int:
    click.echo(f"{pack.title}, {environment}")
    credentials, problems = read_credentials(pack, os.environ)
    for problem in problems:
        _bad("credentials", problem.message, problem.hint)
    auth: Auth | None = None
    if not problems:
        try:
            auth = make_auth(pack, credentials, SystemClock())
            _good("credentials", ", ".join(ref.env for ref in pack.credentials.values()))
        except ProblemError as error:
            _bad("credentials", error.problems[0].message, error.problems[0].hint)
    chosen = pack.environments.get(environment)
    url = base_url or os.environ.get(pack.base_url_env, "") or (chosen.base_url if chosen else "")
    if not url:
        _bad(
            "address",
            f'environment "{environment}" has no address',
            chosen.hint if chosen else f"environments: {', '.join(pack.environments)}",
        )
        return exit_codes.WRONG
    secrets = [value.reveal() if isinstance(value, Secret) else value for value in credentials.values()]
    code = await _ask(pack, url, auth, Redactor(secrets, later=auth.secrets if auth else tuple))
    return exit_codes.WRONG if auth is None else code


async def _ask(pack: Provider, url: str, auth: Auth | None, redactor: Redactor) -> int:
    clock = SystemClock()
    async with HttpClient(url, timeout=10, user_agent=f"onboarding-runner/{VERSION}") as http:
        probe = _probe(pack, signed=False) or _probe(pack, signed=True)
        if probe is None:
            return exit_codes.OK
        got = await http.send(Request(probe.method, probe.path, headers={"accept": "application/json"}), {})
        if isinstance(got, NoAnswer):
            _bad("address", f"{url}: {got.message}", got.hint)
            return exit_codes.UNREACHABLE
        _good("address", f"{url} answers (HTTP {got.status})")
        _clock(got, clock)
        signed = _probe(pack, signed=True)
        if auth is None or signed is None:
            return exit_codes.OK
        auth.learn(got.headers.get("date", ""))
        return _signature(pack, signed, await _signed(http, auth, signed), redactor)


async def _signed(http: HttpClient, auth: Auth, operation: Operation) -> Response | NoAnswer:
    # A name nobody has: whatever the provider says of it, it first had to accept the signature.
    path = operation.path.replace("{", "").replace("}", "")
    request = Request(operation.method, path, headers={"accept": "application/json"})
    missing = await auth.ready(lambda asked: http.send(asked, {}))
    return missing if missing is not None else await http.send(request, auth.headers(request))


def _signature(pack: Provider, operation: Operation, got: Response | NoAnswer, redactor: Redactor) -> int:
    reading: Reading = read(pack, operation, got)
    if reading.reply in (Reply.DENIED, Reply.NOT_SENT) or isinstance(got, NoAnswer):
        assert reading.problem is not None
        # A provider may repeat what it was handed in.
        _bad("signature", redactor.text(reading.problem.message), reading.problem.hint)
        return exit_codes.UNREACHABLE
    _good("signature", f"accepted ({operation.name} answered HTTP {got.status})")
    return exit_codes.OK


def _probe(pack: Provider, *, signed: bool) -> Operation | None:
    """A read that moves nothing; for the signature one that is scoped to a client who does not exist."""
    reads = [
        operation for operation in pack.operations.values() if operation.effect == "read" and operation.signed is signed
    ]
    return next((operation for operation in reads if ("{" in operation.path) is signed), None)


def _clock(got: Response, clock: SystemClock) -> None:
    headers: Mapping[str, str] = got.headers
    try:
        server = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        click.echo("  clock        the provider sends no Date")
        return
    skew = clock.now() - server
    if abs(skew) > MOST_SKEW:
        _bad(
            "clock",
            f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the provider",
            "set this machine's clock by NTP; requests are stamped by the provider's meanwhile",
        )
    else:
        _good("clock", "agrees with the provider")


def _good(name: str, words: str) -> None:
    click.echo(f"  {name:<12} ok: {words}")


def _bad(name: str, words: str, hint: str) -> None:
    click.echo(f"  {name:<12} wrong: {words}\n  {'':<12} = {hint}")
