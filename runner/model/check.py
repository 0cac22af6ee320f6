"""A check: `path operator value`, as parsed and as answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.model.problem import Location

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One parsed line of `expect`, `warn` or `when`.

    `path` walks the answer (`("items", 0, "asset_id")`), or a scope for `when`; `count` wraps it in `count(…)`.
    `operand` is the parsed YAML value, or the raw text when `is_template` (rendered before evaluation); None for unary
    operators. `location` is the check's place in the playbook.
    """

    text: str
    path: Path
    operator: str
    operand: Any = None
    count: bool = False
    is_template: bool = False
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found: `actual` is the answer's value at the path, None when there is none."""

    check: str
    passed: bool
    actual: Any = None
    warning: bool = False

    def to_json(self) -> dict[str, Any]:
        body = {"check": self.check, "passed": self.passed, "actual": self.actual}
        return body | {"warning": True} if self.warning else body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> CheckResult:
        return cls(body["check"], body["passed"], body.get("actual"), body.get("warning", False))
