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
from runner.saved import is_saved_plan, read_saved_plan, require_unchanged
from runner.times import today


@click.command("run")
@click.argument("playbook", type=click.Path(path_type=Path), metavar="PLAYBOOK|PLAN")
@planning
@running
@click.option("--yes", is_flag=True, help="Approve a live environment without a saved plan.")
def command(playbook: Path, yes: bool, **options: Any) -> int:
    """Validate, plan and carry out PLAYBOOK for every client; or a saved PLAN, exactly as it was reviewed."""
    if is_saved_plan(playbook):
        saved = read_saved_plan(playbook)
        prepared = prepare(saved.wish, os.environ, today())
        require_unchanged(saved, prepared)
    else:
        prepared = prepare(replace(wish_of(playbook, options), approved=yes), os.environ, today())
    require_address(prepared)
    require_approval(prepared, is_approved=prepared.wish.approved)
    return carry_out(prepared, options, os.environ)
