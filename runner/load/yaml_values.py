"""What a scalar means in YAML 1.2: plain text becomes null, true, a number, or stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

MAX_DIGITS = 4300  # more than Python turns back into text (sys.get_int_max_str_digits)

CONSTANTS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")
TAGGED_INTEGER = re.compile(r"[-+]?[0-9]+")
TAGGED_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")


def resolve(text: str) -> object:
    """The meaning of plain text in YAML 1.2; leading zeros, underscores, dates, .inf and .nan stay text."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return text
    if INTEGER.fullmatch(text):
        return int(text)
    if NUMBER.fullmatch(text):
        return Decimal(text)
    if OTHER_BASE.fullmatch(text):
        return _other_base(text)
    return text


def kind_of(value: object) -> str:
    """What YAML calls a value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return "a number"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return "text"


def _other_base(text: str) -> object:
    value = int(text, 0)
    return value if value.bit_length() < MAX_DIGITS * 3 else text


def _as_bool(text: str) -> bool:
    value = CONSTANTS.get(text)
    if not isinstance(value, bool):
        raise ValueError(text)
    return value


def _as_integer(text: str) -> object:
    if OTHER_BASE.fullmatch(text):
        return _other_base(text)
    if not TAGGED_INTEGER.fullmatch(text) or len(text) > MAX_DIGITS:
        raise ValueError(text)
    return int(text)


def _as_null(text: str) -> None:
    if CONSTANTS.get(text, text) is not None:
        raise ValueError(text)


def _as_number(text: str) -> Decimal:
    if not TAGGED_NUMBER.fullmatch(text) or len(text) > MAX_DIGITS:
        raise ValueError(text)
    return Decimal(text)


TAGS: dict[str, Callable[[str], object]] = {
    "bool": _as_bool,
    "float": _as_number,
    "int": _as_integer,
    "null": _as_null,
    "str": str,
}
