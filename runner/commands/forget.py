"""`onboard forget`: remove what the journal says of a person; references and money stay provable."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import click

from runner.commands.options import state as state_option
from runner.execute import locked
from runner.journal.cipher import cipher_of
from runner.journal.sqlite import open_journal
from runner.model.problem import Problem, ProblemError


@click.command("forget")
@click.argument("client")
@state_option
def command(client: str, state: Path) -> int:
    """Remove outputs, checks and problems of CLIENT from every run of the state folder.

    Kept: the client's key, each step's status, references, times and the money that moved.
    """
    if not (state / "journal.db").exists():
        raise _nobody(client, state)
    with locked(state):
        runs = anyio.run(_forget, client, state)
    if not runs:
        raise _nobody(client, state)
    click.echo(f'forgot client "{client}" in {runs} run{"" if runs == 1 else "s"}', err=True)
    return 0


async def _forget(client: str, state: Path) -> int:
    journal = open_journal(state, cipher=cipher_of(os.environ))
    try:
        return await journal.forget(client)
    finally:
        await journal.close()


def _nobody(client: str, state: Path) -> ProblemError:
    problem = Problem(
        "client.unknown", f'no run in "{state}" knows client "{client}"', hint='"onboard status -v" lists them'
    )
    return ProblemError([problem])
