"""`onboard validate`: everything that can be known wrong without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner import exit_codes
from runner.commands.say import wants_color
from runner.load.playbook import find_playbooks, load
from runner.model.problem import Problem
from runner.reporters import problems as reports


@click.command("validate")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(reports.FORMATS)),
    default="text",
    show_default=True,
    help="How problems are told.",
)
@click.option(
    "--provider-file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="A provider pack of your own, or changes to a shipped one.",
)
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same.")
@click.option("-q", "--quiet", is_flag=True, help="Nothing when all is well.")
def command(paths: tuple[Path, ...], form: str, provider_file: Path | None, no_color: bool, quiet: bool) -> int:
    """Check playbooks, or folders of them: schema, names, templates, enum words, money rules; offline.

    Problems go to standard output. Warnings alone are no reason to fail.
    """
    files: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        found = find_playbooks(path)
        if not found:
            problems.append(
                Problem(
                    "playbook.none", f'there is no *.playbook.yaml below "{path}"', hint="name a file or another folder"
                )
            )
        files += found
    for file in files:
        loaded = load(file, provider_file)
        problems += [*loaded.problems, *loaded.row_problems]
    color = wants_color(sys.stdout) and not no_color
    reports.FORMATS[form](problems, [str(file) for file in files], sys.stdout, color)
    is_wrong = any(problem.is_error for problem in problems)
    if form == "text" and not is_wrong and not quiet:
        click.echo(f"{len(files)} playbook{'' if len(files) == 1 else 's'} checked, nothing wrong", err=True)
    return exit_codes.WRONG if is_wrong else exit_codes.OK
