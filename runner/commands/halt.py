"""`onboard halt`: the kill switch; honoured before every money send of every process on the state folder."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runner.commands.options import state as state_option
from runner.commands.running import HALT
from runner.commands.say import say
from runner.model.problem import Problem, ProblemError


@click.command("halt")
@state_option
@click.option("--off", is_flag=True, help="Let money move again.")
def command(state: Path, off: bool) -> int:
    """Stop money at once: no deposit, withdrawal or payout is sent while halted. Works while a run is going on."""
    path = state / HALT
    try:
        if off:
            path.unlink(missing_ok=True)
        else:
            state.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        why = (error.strerror or "no reason given").lower()
        still = "still halted" if off else "NOT halted"
        message = f'money is {still}: "{path}" can\'t be {"removed" if off else "written"}: {why}'
        instead = "stop the process itself, with Ctrl-C or kill; then make the folder writable"
        hint = "make the folder writable" if off else instead
        raise ProblemError([Problem("state.unusable", message, hint=hint)]) from None
    if off:
        say(f'money may move again in "{state}"')
        return 0
    say(f'money is halted in "{state}"; "onboard halt --off" ends it')
    if not (state / "journal.db").exists():
        say("nothing ever ran on this folder: is it the one that the run uses? --state names it")
    return 0
