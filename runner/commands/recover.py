"""`onboard recover`: settle unknowns of a run by look-up."""

from __future__ import annotations

from typing import Any

import click

from runner.commands.resuming import RECOVER, go_on, going_on


@click.command("recover")
@click.argument("run", required=False)
@click.option("--ours", multiple=True, metavar="ID", help="What the provider shows under this id is the one in doubt.")
@click.option("--not-ours", multiple=True, metavar="ID", help="What it shows under this id is something else.")
@going_on
def command(run: str | None, yes: bool, **options: Any) -> int:
    """Look up what may or may not have happened in RUN (default: the newest) and go on from there.

    Where the look-up can't tell, you can: --ours and --not-ours take the ids that the message names.
    """
    return go_on(run, RECOVER, options, yes)
