"""Hold a check against an answer: does it hold, and what stood there instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runner.checks.operators import OPERATORS, PASS_WHEN_ABSENT
from runner.checks.paths import is_list, lookup
from runner.model.check import Check, CheckResult, Path

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check looks at: the unwrapped body, or the names in scope for `when` (then `http` is None)."""

    body: object
    http: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def evaluate(check: Check, answer: Answer, operand: object = None) -> CheckResult:
    """`operand` is the check's own, or its rendered template. `actual` is the raw value; see `jsonable`.

    An operand that turns out not to be a usable regular expression raises CheckError.
    """
    found, actual = find(check.path, answer)
    if not found:
        return CheckResult(check.text, check.operator in PASS_WHEN_ABSENT, None)
    if check.count:
        if not (is_list(actual) or isinstance(actual, Mapping)):
            return CheckResult(check.text, False, actual)
        actual = len(actual)
    verdict = OPERATORS[check.operator](actual, operand)
    return CheckResult(check.text, verdict is True, actual)


def find(path: Path, answer: Answer) -> tuple[bool, Any]:
    """Like `lookup`, and knows `http` and `header.X`."""
    if answer.http is not None and path == ("http",):
        return True, answer.http
    if answer.http is not None and path[:1] == ("header",):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return lookup(tuple(step.lower() if isinstance(step, str) else step for step in path[1:]), headers)
    return lookup(path, answer.body)


def jsonable(value: object) -> Any:
    """What a report can hold: decimals as text, anything long as its first 200 characters."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return _cut(value)
    if not isinstance(value, (Mapping, float)) and not is_list(value):
        return _cut(_text(value))
    pieces, size = [], 0
    for piece in _ENCODER.iterencode(value):
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST:
            return _cut("".join(pieces))
    return json.loads("".join(pieces), parse_constant=str)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _text(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= LONGEST:
        return f"{value:f}"
    return str(value)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    return list(value) if is_list(value) else _text(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, skipkeys=True, default=_plain)
