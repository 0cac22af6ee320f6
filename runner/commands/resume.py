"""`onboard resume`: go on with a run that was interrupted, parked or cut off."""

from __future__ import annotations

from typing import Any

import click

from runner.commands.resuming import RESUME, go_on, going_on


@click.command("resume")
@click.argument("run", required=False)
@going_on
def command(run: str | None, yes: bool, **options: Any) -> int:
    """Go on with RUN (default: the newest): everyone who is not done, rejected or unknown."""
    return go_on(run, RESUME, options, yes)
