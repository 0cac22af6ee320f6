"""Filters on numbers: exact, never a float."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from runner.templates import arithmetic
from runner.templates.bounds import Run
from runner.templates.filters.common import entries, misfit, numeric, read_each
from runner.templates.filters.onboarding import decimal
from runner.templates.values import MAX_DIGITS, TemplateError, kind, size, too_large


def absolute(_: Run, value: object) -> object:
    found = numeric("abs", value)
    return found.copy_abs() if isinstance(found, Decimal) else abs(found)


def _instead(value: object, instead: object) -> object:
    if instead is None:
        raise TemplateError(
            "template.value", f"this {kind(value)} is not a number", hint="give int(0) to get 0 instead"
        )
    return instead


def int_(run: Run, value: object, default: object = None, base: int = 10) -> object:
    """The whole part. Unlike Jinja's, text that is no number is a mistake, unless a default is given."""
    if isinstance(value, bool):
        return int(value)
    found = arithmetic.number(value)
    try:
        if found is None and isinstance(value, str) and base != 10:
            if len(value) > MAX_DIGITS:
                raise too_large("a number")
            return int(value, base)
        exact = found if found is not None else decimal(run, value)
    except (TemplateError, ValueError):
        return _instead(value, default)
    size(exact)
    return int(exact) if isinstance(exact, int | Decimal) else _instead(value, default)


def float_(run: Run, value: object, default: object = None) -> object:
    """A number with a fraction: an exact decimal here, whatever Jinja calls it."""
    if isinstance(value, bool):
        return Decimal(int(value))
    try:
        return decimal(run, Decimal(repr(value)) if isinstance(value, float) else value)
    except TemplateError:
        return _instead(value, default)


_ROUNDING: Final = {"common": ROUND_HALF_EVEN, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}


def round_(_: Run, value: object, precision: int = 0, method: str = "common") -> object:
    """A decimal rounded to `precision` places; `common` rounds a half to the even neighbour, as Jinja."""
    found = numeric("round", value)
    if method not in _ROUNDING:
        raise misfit('the method of round is "common", "ceil" or "floor"')
    if not isinstance(precision, int) or abs(precision) > MAX_DIGITS:
        raise misfit("the precision of round is a small whole number")
    context = Context(prec=3 * MAX_DIGITS, rounding=_ROUNDING[method])
    rounded = Decimal(found).quantize(Decimal(1).scaleb(-precision, context), context=context)
    return rounded if precision >= 0 else Decimal(f"{rounded:f}")


def sum_(run: Run, value: object, attribute: object = None, start: object = 0) -> object:
    # Of lists, one after the other: `sum(start=[])`.
    total: object = start if isinstance(start, list) else numeric("sum", start)
    for item in read_each(entries(value), attribute):
        run.tick()
        more = item if isinstance(start, list) and isinstance(item, list) else numeric("sum", item)
        total = arithmetic.binary("+", total, more)
    return total
