"""`onboard halt`: the kill switch; honoured before every money send of every process on the state folder."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runner.commands.options import state as state_option
from runner.commands.running import HALT


@click.command("halt")
@state_option
@click.option("--off", is_flag=True, help="Let money move again.")
def command(state: Path, off: bool) -> int:
    """Stop money at once: no deposit, withdrawal or payout is sent while halted. Works while a run is going on."""
    path = state / HALT
    if off:
        path.unlink(missing_ok=True)
        click.echo(f'money may move again in "{state}"', err=True)
        return 0
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    click.echo(f'money is halted in "{state}"; "onboard halt --off" ends it', err=True)
    return 0
