"""`onboard explain`: one client's story in plain words, from the journal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio
import click

from runner.commands.options import state as state_option
from runner.commands.status import run_number, unknown_run
from runner.drawing import clean, draw
from runner.execute import unfinished
from runner.journal.base import Entry, RunState
from runner.journal.cipher import cipher_of
from runner.journal.reading import read_journal
from runner.model.command import NO_ITEM
from runner.model.outcome import ClientResult, Outcome
from runner.model.problem import Problem, ProblemError
from runner.times import rfc3339
from runner.unfinished import result_of


@click.command("explain")
@click.argument("run")
@click.argument("client")
@state_option
def command(run: str, client: str, state: Path) -> int:
    """Tell the story of CLIENT in RUN: every intent, every outcome, and what comes next."""
    found, result, entries, is_over = anyio.run(_read, run, client, state)
    click.echo("\n".join(story(found, result, entries, is_over=is_over)))
    return 0


async def _read(run: str, client: str, state: Path) -> tuple[RunState, ClientResult, Sequence[Entry], bool]:
    """The run, how the client stands and what was written down; and whether that is its end."""
    if not (state / "journal.db").exists():
        raise unknown_run(run, state)
    journal = read_journal(state, cipher=cipher_of(os.environ))
    try:
        number = run_number(run)
        found = await journal.run(number) if number else None
        if found is None:
            raise unknown_run(run, state)
        rest = await unfinished(journal, found, state)
        if known := (await journal.standings(client)).get(found.id):
            result = result_of(known, found.id, rest.entries.get(client, ()), is_held=rest.is_held)
            stored = known.result is not None and result.outcome.value == known.state
            return found, result, await journal.load(found.id, client), stored or client not in rest.entries
    finally:
        await journal.close()
    hint = f'"onboard status {run} -v" lists them'
    raise ProblemError([Problem("client.unknown", f'run {run} has no client "{client}"', hint=hint)])


def story(run: RunState, client: ClientResult, entries: Sequence[Entry], *, is_over: bool) -> Iterator[str]:
    """Line by line, in the order of time."""
    yield f'client "{clean(client.key)}" (line {client.line}) in run {run.id} of {run.header["playbook"]}'
    for entry in sorted(entries, key=lambda entry: (entry.at, entry.kind != "intent")):
        yield f"{rfc3339(entry.at)}  {_told(entry)}"
    yield f"{'ended' if is_over else 'not ended'}: {client.outcome.value.replace('_', ' ')}"
    if client.problem:
        yield draw(client.problem)


def _told(entry: Entry) -> str:
    key = entry.key
    name = key.step if key.item == NO_ITEM else f"{key.step}[{key.item}]"
    if entry.kind == "retry":
        return f"{name}: somebody asked for another attempt"
    if entry.kind == "wait":
        return f"{name}: asked for the first time, and waits for the answer that it needs"
    if entry.kind == "intent":
        reference = f" as {entry.body['reference']}" if entry.body.get("reference") else ""
        moves = entry.body.get("moves")
        money = f", to move {moves['amount']} {moves['asset']}" if moves else ""
        return (
            f"{name}: attempt {key.attempt} of {entry.body['operation']}{reference}{money} was written down, then sent"
        )
    outcome = Outcome.from_json(entry.body)
    words = "found at the provider and adopted" if outcome.adopted else outcome.status.value
    moved = f", moved {outcome.moved.money}" if outcome.moved else ""
    why = f" - {clean(outcome.problem.message)}" if outcome.problem else ""
    return f"{name}: {words}{moved} ({outcome.requests} requests, {outcome.duration_ms} ms){why}"
