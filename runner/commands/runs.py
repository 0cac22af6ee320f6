"""`onboard runs`: the list of runs in the state folder."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import anyio
import click

from runner.commands.options import state as state_option
from runner.execute import RUNNING, stored_result, unfinished
from runner.journal.base import Journal, RunState
from runner.journal.cipher import cipher_of
from runner.journal.reading import read_journal
from runner.times import rfc3339


@click.command("runs")
@state_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(state: Path, form: str) -> int:
    """List the runs of the state folder, oldest first."""
    found = anyio.run(_read, state)
    if form == "json":
        click.echo(json.dumps([_json(run) for run in found], indent=2))
        return 0
    if not found:
        click.echo(f'no runs in "{state}"', err=True)
    for run in found:
        header = run.header
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(run.counts.items()))
        names = f"{header['playbook']}  {header['environment']}  {header['batch']}"
        click.echo(f"{run.id:>4}  {rfc3339(run.started_at)}  {run.status:<12} {names}  {counts}")
    return 0


async def _read(state: Path) -> list[RunState]:
    if not (state / "journal.db").exists():
        return []
    journal = read_journal(state, cipher=cipher_of(os.environ))
    try:
        return [await _stands(journal, run, state) for run in await journal.runs()]
    finally:
        await journal.close()


async def _stands(journal: Journal, run: RunState, state: Path) -> RunState:
    """Of a run that has no end the clients' own rows don't tell all."""
    if run.status != RUNNING:
        return run
    told = await stored_result(journal, run, await unfinished(journal, run, state))
    counts = {ending.value: count for ending, count in told.totals.endings.items() if count}
    return replace(run, status=told.status, counts=counts, finished_at=None, exit_code=None)


def _json(run: RunState) -> dict[str, object]:
    return {
        "id": str(run.id),
        "status": run.status,
        "started_at": rfc3339(run.started_at),
        "finished_at": rfc3339(run.finished_at) if run.finished_at is not None else None,
        "exit_code": run.exit_code,
        "playbook": run.header["playbook"],
        "provider": run.header["provider"],
        "environment": run.header["environment"],
        "batch": run.header["batch"],
        "clients": dict(run.counts),
    }
