"""Operators between values: exact decimals, no floats, and nothing that grows beyond a template's size."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Final

from runner.templates.percent import percent_format
from runner.templates.values import MAX_SIZE, TemplateError, a_kind, settled, size, too_large

_DIGITS: Final = 60
_LARGEST: Final = 10**_DIGITS
_TRAPS: Final = [DivisionByZero, InvalidOperation, Overflow]
# 18 places of a token and 40 before the point fit; what does not fit is told, never rounded.
_EXACT: Final = Context(prec=_DIGITS, traps=[*_TRAPS, Inexact])
_ROUNDED: Final = Context(prec=28, traps=_TRAPS)


def number(value: object) -> int | Decimal | None:
    """`value` as an exact number, or None when it isn't one. True and false are not numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    return None


def binary(symbol: str, left: object, right: object) -> object:
    """`left symbol right`, for + - * / // % and **."""
    settled(left)
    settled(right)
    if symbol == "%" and isinstance(left, str):
        return percent_format(left, right)
    a, b = number(left), number(right)
    if a is not None and b is not None:
        return _numbers(symbol, a, b)
    if symbol == "+" and isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_SIZE:
            raise too_large("a text")
        return left + right
    if symbol == "+" and isinstance(left, list | tuple) and isinstance(right, list | tuple):
        joined = [*left, *right]
        size(joined)
        return joined
    if symbol == "*" and isinstance(left, str | list | tuple) and isinstance(right, int) and b is not None:
        return _repeat(left, right)
    if symbol == "*" and isinstance(right, str | list | tuple) and isinstance(left, int) and a is not None:
        return _repeat(right, left)
    raise TemplateError(
        "template.value",
        f'"{symbol}" does not work between {a_kind(left)} and {a_kind(right)}',
        hint=_mixed_hint(symbol, left, right),
    )


def negative(value: object) -> object:
    return _signed("-", value)


def positive(value: object) -> object:
    return _signed("+", value)


COMPARE: Final[Mapping[str, Callable[[object, object], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
    "in": lambda left, right: left in right,  # type: ignore[operator]
    "not in": lambda left, right: left not in right,  # type: ignore[operator]
}


def compare(symbol: str, left: object, right: object) -> bool:
    """`left symbol right`, for the comparisons, `in` and `not in`."""
    settled(left)
    settled(right)
    try:
        return bool(COMPARE[symbol](left, right))
    except (ArithmeticError, TypeError):
        raise TemplateError(
            "template.value",
            f'"{symbol}" does not work between {a_kind(left)} and {a_kind(right)}',
            hint=_mixed_hint(symbol, left, right),
        ) from None


def _signed(symbol: str, value: object) -> object:
    found = number(settled(value))
    if found is None:
        raise TemplateError("template.value", f'"{symbol}" needs a number, found {a_kind(value)}')
    size(found)
    if symbol == "+":
        return found
    return -found if isinstance(found, int) else found.copy_negate()  # not "-": that rounds


def _repeat(what: str | list[object] | tuple[object, ...], times: int) -> object:
    one = len(what) if isinstance(what, str) else size(what)
    if one * times > MAX_SIZE:
        raise too_large()
    return what * times if isinstance(what, str) else [*what] * times


def _numbers(symbol: str, a: int | Decimal, b: int | Decimal) -> int | Decimal:
    size(a)
    size(b)
    try:
        if symbol == "**":
            result = _power(a, b)
        elif symbol != "/" and isinstance(a, int) and isinstance(b, int):
            result = _INTEGERS[symbol](a, b)
        else:
            result = _DECIMALS[symbol](Decimal(a), Decimal(b))
    except (DivisionByZero, InvalidOperation, ZeroDivisionError):
        if not b and symbol in ("/", "//", "%"):
            raise TemplateError("template.value", "a number can't be divided by zero") from None
        raise TemplateError("template.value", f'"{symbol}" has no result for these numbers') from None
    except Inexact:
        raise TemplateError("template.too-large", f"the exact result has more than {_DIGITS} digits") from None
    except ArithmeticError:
        raise TemplateError("template.too-large", "a number is out of range") from None
    if isinstance(result, int) and abs(result) >= _LARGEST:
        raise TemplateError("template.too-large", f"the result has more than {_DIGITS} digits")
    size(result)
    return result


def _power(a: int | Decimal, b: int | Decimal) -> int | Decimal:
    if isinstance(a, int) and isinstance(b, int) and b >= 0:
        if abs(a) > 1 and a.bit_length() * b > 8 * _DIGITS:
            raise TemplateError("template.too-large", f"the result has more than {_DIGITS} digits")
        return int(a**b) if abs(a) > 1 else int(a ** min(b, 2 + b % 2))  # 0, 1 and -1: only the parity matters
    return _ROUNDED.power(Decimal(a), Decimal(b))


def _floor_divide(a: Decimal, b: Decimal) -> Decimal:
    return _floor(a, b)[0]


def _modulo(a: Decimal, b: Decimal) -> Decimal:
    return _floor(a, b)[1]


def _floor(a: Decimal, b: Decimal) -> tuple[Decimal, Decimal]:
    # Decimal's own // and % round towards zero, an integer's round down: here both round down.
    quotient, rest = _EXACT.divmod(a, b)
    if rest and (rest < 0) != (b < 0):
        return _EXACT.subtract(quotient, Decimal(1)), _EXACT.add(rest, b)
    return quotient, rest


_INTEGERS: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
_DECIMALS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": _EXACT.add, "-": _EXACT.subtract, "*": _EXACT.multiply, "/": _ROUNDED.divide,
    "//": _floor_divide, "%": _modulo,
}  # fmt: skip


def _mixed_hint(symbol: str, left: object, right: object) -> str:
    if symbol in ("in", "not in"):
        return "the right side is a list, a mapping or a text"
    if isinstance(left, str) != isinstance(right, str):
        return "turn text into a number with | decimal, or join texts with ~"
    return ""
