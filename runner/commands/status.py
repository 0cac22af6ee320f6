"""`onboard status`: where everyone of a run is."""

from __future__ import annotations

import os
import sys
from contextlib import aclosing
from pathlib import Path

import anyio
import click

from runner.commands.options import state as state_option
from runner.execute import results, stored_result, unfinished
from runner.journal.cipher import cipher_of
from runner.journal.reading import read_journal
from runner.model.problem import Problem, ProblemError
from runner.reporters import json as json_report
from runner.reporters import text as text_report


@click.command("status")
@click.argument("run", required=False)
@state_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Tell every client, not only those who are not done.")
def command(run: str | None, state: Path, form: str, verbose: bool) -> int:
    """Where everyone of RUN is; without RUN, of the newest one."""
    anyio.run(_tell, run, state, form, verbose)
    return 0


async def _tell(run: str | None, state: Path, form: str, verbose: bool) -> None:
    if not (state / "journal.db").exists():
        raise unknown_run(run, state)
    journal = read_journal(state, cipher=cipher_of(os.environ))
    try:
        found = await journal.run(run_number(run)) if run is None or run_number(run) else None
        if found is None:
            raise unknown_run(run, state)
        rest = await unfinished(journal, found, state)
        result = await stored_result(journal, found, rest)
        async with aclosing(results(journal, found.id, rest)) as clients:
            if form == "json":
                await json_report.write(result, clients, sys.stdout)
            else:
                await text_report.write(result, clients, sys.stdout, everybody=verbose)
    finally:
        await journal.close()


def run_number(run: str | None) -> int | None:
    """The number of a run as typed; 0 for what can't be one."""
    if run is None:
        return None
    return int(run) if run.isascii() and run.isdecimal() else 0


def unknown_run(run: str | None, state: Path) -> ProblemError:
    message = f'there is no run "{run}" in "{state}"' if run else f'there is no run in "{state}"'
    return ProblemError(
        [Problem("run.unknown", message, hint='"onboard runs" lists them; --state names another folder')]
    )
