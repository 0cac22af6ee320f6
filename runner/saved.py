"""A saved plan: what was reviewed is what runs, or nothing does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.model.problem import GuardError, Problem, ProblemError
from runner.prepare import Prepared, Wish

SCHEMA = "onboard/plan/1"
_WHAT = {
    "clients": "the clients file",
    "documents": "a document",
    "playbook": "the playbook",
    "provider": "the provider pack",
}


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """The wish that was planned and the digests of everything it was planned from."""

    wish: Wish
    digests: Mapping[str, str]


def is_saved_plan(path: Path) -> bool:
    """By the name alone: a playbook is YAML, a plan is JSON."""
    return path.suffix == ".json"


def read_saved_plan(path: Path) -> SavedPlan:
    """Raises ProblemError when the file is not a plan that was saved with `onboard plan --out`."""
    hint = 'make one with "onboard plan PLAYBOOK --out plan.json"'
    try:
        body: Any = json.loads(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise ProblemError([Problem("plan.unreadable", f'plan "{path}" can\'t be read: {reason}', hint=hint)]) from None
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("schema") != SCHEMA or "wish" not in body:
        raise ProblemError([Problem("plan.unreadable", f'"{path}" is not a saved plan', hint=hint)])
    return SavedPlan(Wish.from_json(body["wish"] | {"approved": True}), body["digests"])


def require_unchanged(saved: SavedPlan, prepared: Prepared) -> None:
    """Raises GuardError (exit 3) that names everything that is not as it was when the plan was made."""
    changed = [name for name, digest in saved.digests.items() if prepared.digests.get(name) != digest]
    hint = 'plan again, and have the new plan reviewed: "onboard plan"'
    if changed:
        raise GuardError(
            [
                Problem("run.stale", f"{_WHAT.get(name, name)} changed since the plan was made", hint=hint)
                for name in changed
            ]
        )
