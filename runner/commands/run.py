"""`onboard run`: validate, plan, carry out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from runner.commands.options import planning, running, wish_of
from runner.commands.running import carry_out
from runner.prepare import prepare, require_address, require_approval


@click.command("run")
@click.argument("playbook", type=click.Path(path_type=Path))
@planning
@running
@click.option("--yes", is_flag=True, help="Approve a live environment without a saved plan.")
def command(playbook: Path, yes: bool, **options: Any) -> int:
    """Validate, plan and carry out PLAYBOOK for every client."""
    prepared = prepare(replace(wish_of(playbook, options), approved=yes), os.environ)
    require_address(prepared)
    require_approval(prepared, is_approved=yes)
    return carry_out(prepared, options, os.environ)
