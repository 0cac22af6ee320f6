"""`onboard reconcile`: compare a run with the provider's own list, both ways; exit 7 on differences."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import anyio
import click

from runner import exit_codes
from runner.clock import SystemClock
from runner.commands.options import Rate
from runner.commands.options import state as state_option
from runner.commands.progress import Silent
from runner.commands.resuming import read_run
from runner.commands.say import say_problems
from runner.drawing import clean
from runner.execute import Tools
from runner.journal.base import RunState
from runner.journal.cipher import cipher_of
from runner.journal.sqlite import open_journal
from runner.load.credentials import read_credentials
from runner.load.pack import find_pack
from runner.model.problem import ProblemError
from runner.reconcile_run import Reconciled, reconcile
from runner.reconciling import ListUnreachableError, Range
from runner.times import whole_seconds

# Clocks differ, and an order may be booked a little before we began to count.
SLACK = 300.0


@click.command("reconcile")
@click.argument("run", required=False)
@state_option
@click.option(
    "--from",
    "start",
    default="",
    metavar="TIME",
    help="Start of the range, e.g. 2026-01-31T00:00:00Z; default: the run's start.",
)
@click.option("--to", "end", default="", metavar="TIME", help="End of the range; default: now.")
@click.option(
    "--run-clients", is_flag=True, help="Only orders of this run's clients; default: everything in the range."
)
@click.option("--base-url", default="", metavar="URL", help="Overrides the address of the run.")
@click.option("--provider-file", default="", metavar="FILE", help="A provider pack of your own, if it has moved.")
@click.option("--rate", type=Rate(), default=None, help="Requests per second at most.")
@click.option("--format", "form", type=click.Choice(["csv", "json", "text"]), default="text", show_default=True)
def command(run: str | None, state: Path, start: str, end: str, run_clients: bool, form: str, **options: Any) -> int:
    """Compare RUN (default: the newest) with the provider's own list: reference, status, amount, theirs not ours, ours
    not theirs."""
    found, _ = anyio.run(read_run, run, state)
    file = options["provider_file"] or found.header["wish"]["provider_file"]
    provider = find_pack(found.header["provider"], Path(file) if file else None)
    base_url = options["base_url"] or os.environ.get(provider.base_url_env, "") or found.header["base_url"]
    credentials, problems = read_credentials(provider, os.environ)
    if problems:
        raise ProblemError(problems)
    clock = SystemClock()
    span = Range(
        start or whole_seconds(found.started_at - SLACK), end or whole_seconds(clock.now() + SLACK), not run_clients
    )

    async def ask() -> Reconciled:
        journal = open_journal(state, cipher=cipher_of(os.environ))
        try:
            tools = Tools(journal, clock, credentials, Silent(), rate=options["rate"] or 0.0)
            return await reconcile(provider, base_url, tools, found, span)
        finally:
            await journal.close()

    try:
        done = anyio.run(ask)
    except ListUnreachableError as error:
        say_problems([error.problem])
        return exit_codes.UNREACHABLE
    FORMATS[form](found, done, sys.stdout)
    return exit_codes.DIFFERENT if done.differences else exit_codes.OK


def as_text(run: RunState, done: Reconciled, out: TextIO) -> None:
    for entry in done.differences:
        out.write(clean(f"{entry.what}: {entry.reference or '(no reference)'} of {entry.client or '(nobody)'}") + "\n")
        out.write(clean(f"  ours: {entry.ours}; theirs: {entry.theirs}") + f"\n   = {entry.hint}\n\n")
    span = f"between {done.range.start} and {done.range.end}"
    out.write(f"run {run.id}: {done.ours:,} of ours, {done.theirs:,} of theirs {span}, ")
    count = len(done.differences)
    out.write("no differences\n" if not count else f"{count:,} difference{'' if count == 1 else 's'}\n")


def as_json(run: RunState, done: Reconciled, out: TextIO) -> None:
    body = {
        "schema": "onboard/reconcile/1",
        "run": str(run.id),
        "provider": run.header["provider"],
        "from": done.range.start,
        "to": done.range.end,
        "ours": done.ours,
        "theirs": done.theirs,
        "differences": [entry.to_json() for entry in done.differences],
    }
    out.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")


def as_csv(run: RunState, done: Reconciled, out: TextIO) -> None:
    writer = csv.DictWriter(out, ("what", "reference", "client", "ours", "theirs", "hint"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(entry.to_json() for entry in done.differences)


FORMATS: dict[str, Callable[[RunState, Reconciled, TextIO], None]] = {
    "csv": as_csv,
    "json": as_json,
    "text": as_text,
}
