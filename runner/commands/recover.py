"""`onboard recover`: settle unknowns of a run by look-up."""

from __future__ import annotations

from typing import Any

import click

from runner.commands.resuming import RECOVER, go_on, going_on


@click.command("recover")
@click.argument("run", required=False)
@going_on
def command(run: str | None, yes: bool, **options: Any) -> int:
    """Look up what may or may not have happened in RUN (default: the newest) and go on from there."""
    return go_on(run, RECOVER, options, yes)
