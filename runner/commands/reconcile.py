"""`onboard reconcile`: compare a run with the provider's own list, both ways; exit 7 on differences."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import anyio
import click

from runner import exit_codes
from runner.clock import Clock, SystemClock
from runner.commands.options import Rate
from runner.commands.options import state as state_option
from runner.commands.progress import Silent
from runner.commands.resuming import read_run
from runner.commands.say import say_problems
from runner.commands.whereabouts import its_folder
from runner.drawing import clean
from runner.execute import Tools
from runner.journal.base import RunState
from runner.journal.cipher import cipher_of
from runner.journal.reading import read_journal
from runner.load.credentials import read_credentials
from runner.load.pack import find_pack
from runner.model.problem import ProblemError
from runner.prepare import Wish
from runner.reconcile_run import Reconciled, reconcile
from runner.reconciling import SLACK, ListUnreachableError, Range
from runner.times import from_rfc3339, whole_seconds


class Instant(click.ParamType[float]):
    """`2026-01-31T00:00:00Z`: seconds since the epoch."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        at = value if isinstance(value, float) else from_rfc3339(str(value))
        if at is None:
            self.fail(f'"{clean(str(value))}" is not a time with its zone such as 2026-01-31T00:00:00Z', param, ctx)
        return at


@click.command("reconcile")
@click.argument("run", required=False)
@state_option
@click.option(
    "--from",
    "start",
    type=Instant(),
    default=None,
    metavar="TIME",
    help="Start of the range, e.g. 2026-01-31T00:00:00Z; default: the run's start.",
)
@click.option("--to", "end", type=Instant(), default=None, metavar="TIME", help="End of the range; default: now.")
@click.option(
    "--run-clients", is_flag=True, help="Only orders of this run's clients; default: everything in the range."
)
@click.option("--base-url", default="", metavar="URL", help="Overrides the address of the run.")
@click.option("--provider-file", default="", metavar="FILE", help="A provider pack of your own, if it has moved.")
@click.option("--rate", type=Rate(), default=None, help="Requests per second at most.")
@click.option("--format", "form", type=click.Choice(["csv", "json", "text"]), default="text", show_default=True)
def command(
    run: str | None,
    state: Path,
    start: float | None,
    end: float | None,
    run_clients: bool,
    form: str,
    **options: Any,
) -> int:
    """Compare RUN (default: the newest) with the provider's own list: reference, status, amount, theirs not ours, ours
    not theirs."""
    found, _ = anyio.run(read_run, run, state)
    clock = SystemClock()
    span = _span(found, clock, start, end, everyone=not run_clients)
    given = [name for name in ("provider_file",) if options[name]]
    wish = Wish.from_json(found.header["wish"] | {name: options[name] for name in given})
    with its_folder(found, wish, given) as there:
        provider = find_pack(found.header["provider"], Path(there.provider_file) if there.provider_file else None)
    base_url = options["base_url"] or os.environ.get(provider.base_url_env, "") or found.header["base_url"]
    credentials, problems = read_credentials(provider, os.environ)
    if problems:
        raise ProblemError(problems)

    async def ask() -> Reconciled:
        journal = read_journal(state, cipher=cipher_of(os.environ))
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


def _span(found: RunState, clock: Clock, start: float | None, end: float | None, *, everyone: bool) -> Range:
    """The range that was asked for; without one, from the run's start to now."""
    start = found.started_at - SLACK if start is None else start
    end = clock.now() + SLACK if end is None else end
    span = Range(whole_seconds(start), whole_seconds(math.ceil(end)), everyone)
    if start > end:
        raise click.UsageError(f"the range is empty: --from {span.start} is later than --to {span.end}")
    return span


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
