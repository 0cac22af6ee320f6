"""`onboard plan`: the exact calls per client, totals of calls and money, expected duration; offline."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from runner import exit_codes
from runner.commands.options import planning, wish_of
from runner.commands.running import open_report, write_rejects
from runner.commands.say import say_problems
from runner.prepare import prepare
from runner.reporters import plan as reports
from runner.times import today


@click.command("plan")
@click.argument("playbook", type=click.Path(path_type=Path))
@planning
@click.option(
    "--jobs",
    type=click.IntRange(1, 1000),
    default=8,
    show_default=True,
    metavar="N",
    help="Clients at once, for the expected duration.",
)
@click.option("--format", "form", type=click.Choice(sorted(reports.FORMATS)), default="text", show_default=True)
@click.option("--out", default="", metavar="FILE", help="Save the plan; onboard run FILE carries out exactly this.")
@click.option("-v", "--verbose", is_flag=True, help="Every call of every client, not only the first clients'.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same.")
def command(playbook: Path, jobs: int, form: str, verbose: bool, no_color: bool, out: str, **options: Any) -> int:
    """Show what PLAYBOOK would do: needs no network and no credentials."""
    prepared = prepare(wish_of(playbook, options), os.environ, today())
    say_problems(prepared.warnings)
    write_rejects(prepared, options)
    view = reports.View(prepared.planned.plan, prepared.rejected, prepared.digests, jobs, verbose)
    reports.FORMATS[form](view, sys.stdout)
    if out:
        with open_report(out) as file:
            reports.as_json(view, file, wish=prepared.wish.to_json())
    if prepared.planned.guards:
        say_problems(prepared.planned.guards)
        return exit_codes.GUARDED
    return exit_codes.REJECTED if prepared.rejected else exit_codes.OK
