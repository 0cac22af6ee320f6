"""`onboard forget`: remove what the journal says of a person; references and money stay provable."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import click

from runner.commands.kept_stdin import take_out
from runner.commands.options import state as state_option
from runner.execute import locked, unfinished
from runner.journal.base import Journal, RunState, without_person
from runner.journal.cipher import cipher_of
from runner.journal.sqlite import open_journal
from runner.model.outcome import ClientResult, Ending
from runner.model.problem import GuardError, Problem, ProblemError
from runner.unfinished import FORGOTTEN, is_forgotten, result_of


@click.command("forget")
@click.argument("client")
@click.option("--yes", is_flag=True, help="Also from runs in which it has no end yet; they can't go on with it.")
@state_option
def command(client: str, yes: bool, state: Path) -> int:
    """Remove outputs, checks and problems of CLIENT from every run of the state folder, and its row from clients that
    came from standard input.

    Kept: the client's key, each step's status, references, times and the money that moved.
    """
    if not (state / "journal.db").exists():
        raise _nobody(client, state)
    with locked(state):
        runs = anyio.run(_forget, client, state, yes)
    if not runs:
        raise _nobody(client, state)
    click.echo(f'forgot client "{client}" in {runs} run{"" if runs == 1 else "s"}', err=True)
    return 0


async def _forget(client: str, state: Path, is_sure: bool) -> int:
    cipher = cipher_of(os.environ)
    journal = open_journal(state, cipher=cipher)
    try:
        runs = await journal.runs()
        before = await _stands(journal, client, runs, state)
        still = [_open(run, result) for run, result in before.items() if not _is_over(result)]
        if still and not is_sure:
            raise GuardError(still)
        count = await journal.forget(client)
        for run, result in before.items():
            if result.outcome is not Ending.DONE:
                left = _forgotten(result)
                await journal.settle_client(run, client, left["outcome"], None, left)
        if before:
            await journal.flush()
            needed = {run.id for run in runs if await _is_needed(journal, run.id, client)}
            take_out(client, runs, needed, state, cipher)
        return count
    finally:
        await journal.close()


async def _stands(journal: Journal, client: str, runs: Sequence[RunState], state: Path) -> Mapping[int, ClientResult]:
    """How the client stands in each run that knows it."""
    known = await journal.standings(client)
    found = {}
    for run in runs:
        if run.id in known:
            rest = await unfinished(journal, run, state)
            found[run.id] = result_of(known[run.id], run.id, rest.entries.get(client, ()))
    return found


def _is_over(result: ClientResult) -> bool:
    is_known = result.problem is not None and result.problem.code == FORGOTTEN
    return is_known or result.outcome in (Ending.DONE, Ending.REJECTED)


def _open(run: int, result: ClientResult) -> Problem:
    word = result.outcome.value.replace("_", " ")
    verb = "recover" if result.outcome is Ending.UNKNOWN else "resume"
    hint = f'finish it with "onboard {verb} {run}" first, or give --yes: then the run can\'t go on with it'
    return Problem("client.open", f'client "{result.key}" has no end yet in run {run}: {word}', hint=hint)


def _forgotten(result: ClientResult) -> dict[str, Any]:
    """Nothing goes on with who was forgotten: what was asked and answered before is no longer there."""
    ending = Ending.UNKNOWN if result.outcome is Ending.UNKNOWN else Ending.REJECTED
    problem = Problem(FORGOTTEN, "the client was forgotten", hint="a new run would begin anew")
    bare = ClientResult.from_json(without_person(result.to_json()))
    return replace(bare, outcome=ending, problem=problem, fault=None, retry_at=None).to_json()


async def _is_needed(journal: Journal, run: int, client: str) -> bool:
    """Is there anybody else with whom this run may go on?"""
    async with aclosing(journal.clients(run)) as states:
        async for one in states:
            if one.key != client and one.state != Ending.DONE.value and not is_forgotten(one):
                return True
    return False


def _nobody(client: str, state: Path) -> ProblemError:
    problem = Problem(
        "client.unknown", f'no run in "{state}" knows client "{client}"', hint='"onboard status -v" lists them'
    )
    return ProblemError([problem])
