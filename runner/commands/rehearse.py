"""`onboard rehearse`: the same as run, against the embedded sandbox, in a state folder of its own."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from runner.commands.options import Duration, planning, running, wish_of
from runner.commands.running import carry_out
from runner.model.problem import Problem, ProblemError
from runner.prepare import prepare, require_approval
from runner.times import today


@click.command("rehearse")
@click.argument("playbook", type=click.Path(path_type=Path))
@planning
@running
@click.option(
    "--fault", "faults", multiple=True, metavar="FAULT", help="Let the sandbox misbehave; see onboard sandbox --help."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the sandbox.")
@click.option("--data", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Seed data of the sandbox.")
@click.option("--kyc-delay", type=Duration(), default="500ms", show_default=True, help="How long a review takes.")
def command(
    playbook: Path, faults: tuple[str, ...], seed: int, data: Path | None, kyc_delay: float, **options: Any
) -> int:
    """Carry out PLAYBOOK against a local sandbox that lives as long as this command; nothing else is needed.

    Each rehearsal begins with an empty sandbox and an empty state folder, unless --state names one.
    """
    with tempfile.TemporaryDirectory(prefix="onboard-") as folder:
        if click.get_current_context().get_parameter_source("state") == click.core.ParameterSource.DEFAULT:
            options["state"] = Path(folder)
        return rehearse(playbook, faults, {"seed": seed, "data": data, "kyc_delay": kyc_delay}, options)


def rehearse(playbook: Path, faults: tuple[str, ...], settings: dict[str, Any], options: dict[str, Any]) -> int:
    """Run it against a sandbox with these `settings` (runner/sandbox/options.py)."""
    from runner.sandbox import SANDBOXES
    from runner.sandbox.faults import parse as parse_fault
    from runner.sandbox.launch import applications
    from runner.sandbox.options import Options
    from runner.sandbox.server import background

    wish = replace(wish_of(playbook, options), base_url="http://127.0.0.1", environment="sandbox")
    prepared = prepare(wish, {}, today())
    name = prepared.provider.name
    if name not in SANDBOXES:
        hint = "rehearse against a sandbox of your own: onboard run --base-url URL"
        raise ProblemError([Problem("provider.no-sandbox", f'there is no local sandbox for "{name}"', hint=hint)])
    try:
        apps = applications(
            Options(providers=(name,), faults=tuple(parse_fault(fault) for fault in faults), **settings), {}
        )
    except (OSError, ValueError) as error:
        raise ProblemError([Problem("sandbox.option", str(error), hint='see "onboard sandbox --help"')]) from None
    require_approval(prepared, is_approved=True)
    with background(apps, "127.0.0.1", 0) as urls:
        url = urls[name]
        environ = {**os.environ, **apps[0].provider.environment(url)}
        setting = replace(prepared.setting, base_url=url)
        plan = replace(prepared.planned.plan, setting=setting)
        planned = replace(prepared.planned, plan=plan)
        told = apps[0].provider.send_events_to
        return carry_out(replace(prepared, setting=setting, planned=planned), options, environ, announce=told)
