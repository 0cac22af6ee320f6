"""What each operator means: True, False, or None for "this can't be judged", which fails either way.

So the negated operators are no back door: a missing field, or a number where a list should be, passes neither
`contains` nor `not contains`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le, lt
from typing import Any

from runner.checks.paths import is_list
from runner.checks.patterns import pattern

Verdict = bool | None
Test = Callable[[Any, Any], Verdict]

# JSON's numbers, and a leading plus. Leading zeros, spaces and underscores make it text: "007" is not "7".
_NUMERIC = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[-+]\d\d:?\d\d)?)?", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)


def number(value: object) -> Decimal | None:
    """The number that `value` is or writes, exactly."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, Decimal)):
        found = Decimal(value)
    elif isinstance(value, float):
        found = Decimal(repr(value))
    elif isinstance(value, str) and _NUMERIC.fullmatch(value):
        try:
            found = Decimal(value)
        except InvalidOperation:
            return None
    else:
        return None
    return found if found.is_finite() else None


def numbers(left: object, right: object) -> tuple[Decimal, Decimal] | None:
    """Both as numbers, when both are. Two texts with a plus are phone numbers rather than numbers."""
    if isinstance(left, str) and isinstance(right, str) and (left[:1] == "+" or right[:1] == "+"):
        return None
    one, other = number(left), number(right)
    return None if one is None or other is None else (one, other)


def equal(left: object, right: object) -> bool:
    """Numbers by value, everything else by type and value: the text "true" is not true."""
    if pair := numbers(left, right):
        return pair[0] == pair[1]
    if isinstance(left, (bool, type(None))) or isinstance(right, (bool, type(None))):
        return left is right
    if isinstance(left, str) or isinstance(right, str):
        return type(left) is type(right) and left == right
    if is_list(left) and is_list(right):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return False


def moment(value: object) -> date | time | None:
    """The date, date and time, or time of day that a text writes."""
    if not isinstance(value, str):
        return None
    try:
        if _TIME.fullmatch(value):
            return time.fromisoformat(value)
        if _MOMENT.fullmatch(value):
            return (date if len(value) == len("2026-01-31") else datetime).fromisoformat(value)
    except ValueError:
        pass
    return None


def is_orderable(value: object) -> bool:
    return number(value) is not None or moment(value) is not None


def _ordered(order: Callable[[Any, Any], bool]) -> Test:
    def test(actual: Any, operand: Any) -> Verdict:
        if pair := numbers(actual, operand):
            return order(*pair)
        one, other = moment(actual), moment(operand)
        if one is None or other is None:
            return None
        try:
            return order(_same_kind(one, other), _same_kind(other, one))
        except TypeError:  # a time of day beside a date, or only one of the two says its time zone
            return None

    return test


def _same_kind(one: date | time, other: date | time) -> date | time:
    """A date beside a date and time is its midnight, in the other's time zone."""
    if isinstance(other, datetime) and isinstance(one, date) and not isinstance(one, datetime):
        return datetime.combine(one, time(), other.tzinfo)
    return one


def _within(actual: Any, operand: Any) -> Verdict:
    if isinstance(operand, Mapping):
        operand = list(operand)
    return any(equal(actual, item) for item in operand) if is_list(operand) else None


def _contains(actual: Any, operand: Any) -> Verdict:
    if is_list(operand) or isinstance(operand, Mapping) or operand == "":
        return None
    if isinstance(actual, str):
        return word(operand) in actual
    if isinstance(actual, Mapping):
        return word(operand) in actual
    return any(equal(item, operand) for item in actual) if is_list(actual) else None


def word(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _matches(actual: Any, operand: Any) -> Verdict:
    if isinstance(actual, bool) or not isinstance(actual, (str, int, Decimal)):
        return None
    return pattern(str(operand)).found_in(str(actual))


def _is_empty(actual: Any, _operand: Any) -> Verdict:
    return actual is None or ((isinstance(actual, (str, Mapping)) or is_list(actual)) and len(actual) == 0)


def _is_null(actual: Any, _operand: Any) -> Verdict:
    return actual is None


def _exists(_actual: Any, _operand: Any) -> Verdict:
    return True


def _not(test: Test) -> Test:
    def negated(actual: Any, operand: Any) -> Verdict:
        verdict = test(actual, operand)
        return None if verdict is None else not verdict

    return negated


OPERATORS: dict[str, Test] = {
    "!=": _not(equal),
    "<": _ordered(lt),
    "<=": _ordered(le),
    "==": equal,
    ">": _ordered(gt),
    ">=": _ordered(ge),
    "contains": _contains,
    "exists": _exists,
    "in": _within,
    "is empty": _is_empty,
    "is not empty": _not(_is_empty),
    "is not null": _not(_is_null),
    "is null": _is_null,
    "matches": _matches,
    "not contains": _not(_contains),
    "not exists": _not(_exists),
    "not in": _not(_within),
    "not matches": _not(_matches),
}
WITHOUT_VALUE = frozenset({"exists", "not exists", "is empty", "is not empty", "is null", "is not null"})
PASS_WHEN_ABSENT = frozenset({"not exists", "is empty"})
"""`errors is empty` is true of an answer without errors. Nothing else passes for a missing field."""
FOR_COUNT = frozenset({"!=", "<", "<=", "==", ">", ">=", "in", "not in"})
ORDERINGS = frozenset({"<", "<=", ">", ">="})
