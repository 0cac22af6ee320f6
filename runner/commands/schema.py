"""`onboard schema`: the JSON Schemas, for editors and scripts."""

from __future__ import annotations

import click

from runner import resources
from runner.model.problem import Problem, ProblemError
from runner.nearest import did_you_mean


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> int:
    """Print the JSON Schema NAME (playbook, provider, report, plan, …); without NAME, list them."""
    folder = resources.schemas()
    known = sorted(str(path.relative_to(folder)).removesuffix(".schema.json") for path in folder.rglob("*.schema.json"))
    if name is None:
        click.echo("\n".join(known))
        return 0
    if name not in known:
        raise ProblemError(
            [
                Problem(
                    "schema.unknown",
                    f'there is no schema "{name}"',
                    hint=did_you_mean(name, known) or f"schemas: {', '.join(known)}",
                )
            ]
        )
    click.echo((folder / f"{name}.schema.json").read_text("utf-8"), nl=False)
    return 0
