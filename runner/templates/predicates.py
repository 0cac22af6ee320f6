"""The words after `is`: functions that say yes or no about a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from runner.templates.arithmetic import binary, compare, number
from runner.templates.values import OMIT, Missing, TemplateError, a_kind

Predicate = Callable[..., bool]


def _defined(value: object) -> bool:
    return type(value) is not Missing and value is not OMIT


def _divisibleby(value: object, by: object) -> bool:
    return binary("%", _number(value), _number(by)) == 0


def _number(value: object) -> int | Decimal:
    found = number(value)
    if found is None:
        raise TemplateError("template.value", f"this test needs a number, found {a_kind(value)}")
    return found


def _compared(symbol: str) -> Predicate:
    return lambda value, other: compare(symbol, value, other)


PREDICATES: Final[Mapping[str, Predicate]] = {
    "!=": _compared("!="),
    "<": _compared("<"),
    "<=": _compared("<="),
    "==": _compared("=="),
    ">": _compared(">"),
    ">=": _compared(">="),
    "boolean": lambda value: isinstance(value, bool),
    "defined": _defined,
    "divisibleby": _divisibleby,
    "eq": _compared("=="),
    "equalto": _compared("=="),
    "even": lambda value: _divisibleby(value, 2),
    "false": lambda value: value is False,
    "float": lambda value: isinstance(value, Decimal | float),
    "ge": _compared(">="),
    "greaterthan": _compared(">"),
    "gt": _compared(">"),
    "in": _compared("in"),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda value: isinstance(value, str | list | tuple | Mapping),
    "le": _compared("<="),
    "lessthan": _compared("<"),
    "lower": lambda value: isinstance(value, str) and value.islower(),
    "lt": _compared("<"),
    "mapping": lambda value: isinstance(value, Mapping),
    "ne": _compared("!="),
    "none": lambda value: value is None,
    "number": lambda value: number(value) is not None,
    "odd": lambda value: not _divisibleby(value, 2),
    "sequence": lambda value: isinstance(value, str | list | tuple | Mapping),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: not _defined(value),
    "upper": lambda value: isinstance(value, str) and value.isupper(),
}

UNAVAILABLE: Final = frozenset({"callable", "escaped", "filter", "sameas", "test"})
"""Tests of Jinja that ask about Python or HTML."""
