"""`onboard retry`: new attempts for rejected clients of a run."""

from __future__ import annotations

from typing import Any

import click

from runner.commands.resuming import RETRY, go_on, going_on


@click.command("retry")
@click.argument("run", required=False)
@going_on
def command(run: str | None, yes: bool, **options: Any) -> int:
    """Try rejected clients of RUN (default: the newest) again; their rows may have been corrected."""
    return go_on(run, RETRY, options, yes)
