"""Read, add and write amounts exactly: what can't be exact is refused, never rounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow

from runner.model.money import Money
from runner.model.problem import RunnerError

MAX_DIGITS = 30
_PLAIN = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+", re.ASCII)
# Sums of 30-digit amounts need 60 digits and one more for every factor of ten in their number.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])


class MoneyError(RunnerError, ValueError):
    """An amount we will not guess at."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def parse_amount(value: object, max_places: int | None = None) -> Decimal:
    """The positive amount that a text such as "250.00" writes, with its places; or MoneyError."""
    if isinstance(value, Decimal):
        written = _decimal_text(value)
    elif isinstance(value, str):
        written = value
    else:
        hint = 'put it in quotes, e.g. "250.00"'
        raise MoneyError("money.wrong-type", f"an amount is quoted text, found {_kind(value)}", hint)
    if len(written) > MAX_DIGITS * 2 or sum(map(str.isdigit, written)) > MAX_DIGITS:
        raise MoneyError("money.too-long", f"an amount has at most {MAX_DIGITS} digits")
    if not _PLAIN.fullmatch(written):
        raise _not_plain(written)
    amount = Decimal(written)
    if not amount:
        raise MoneyError("money.not-positive", f'an amount is more than zero, found "{written}"')
    places = _places(amount)
    if max_places is not None and places > max_places:
        message = f'"{written}" has {places} decimal places, at most {max_places} are allowed'
        raise MoneyError("money.places", message, "amounts are never rounded: write the one you mean")
    return amount


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        return str(value)
    if int(value.as_tuple().exponent) > 0:
        raise MoneyError("money.syntax", f'an amount has no exponent, found "{value}"', "write it out")
    if abs(value.adjusted()) > MAX_DIGITS:
        raise MoneyError("money.too-long", f"an amount has at most {MAX_DIGITS} digits")
    return f"{value:f}"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return "a list" if isinstance(value, (list, tuple)) else "a mapping" if isinstance(value, dict) else "no text"


def _not_plain(written: str) -> MoneyError:
    found = f'found "{written}"'
    if not written:
        return MoneyError("money.syntax", "the amount is empty")
    if written[0] == "-":
        return MoneyError("money.not-positive", f"an amount is more than zero, {found}")
    if _EXPONENT.fullmatch(written):
        return MoneyError("money.syntax", f"an amount has no exponent, {found}", "write it out")
    if re.fullmatch(r"[0-9][0-9,._' \u00a0\u202f]*", written, re.ASCII) and not re.fullmatch(r"[0-9.]*", written):
        hint = 'write digits and at most one point, e.g. "1250.00"'
        return MoneyError("money.syntax", f"an amount has no separators, {found}", hint)
    if written[0] == "0" and written[1:2].isdigit():
        return MoneyError("money.syntax", f"an amount has no leading zeros, {found}")
    return MoneyError("money.syntax", f"an amount is digits and at most one point, {found}", 'e.g. "250.00"')


def _places(amount: Decimal) -> int:
    return max(0, -int(amount.as_tuple().exponent))


def to_minor_units(money: Money, places: int) -> int:
    """How many of the asset's smallest units (cents, when `places` is 2) make the amount, exactly."""
    units = _exactly(_EXACT.scaleb, money.amount, Decimal(places))
    if units != units.to_integral_value():
        raise MoneyError("money.places", f"{text(money.amount)} {money.asset} has more than {places} decimal places")
    return int(units)


def from_minor_units(units: int, places: int, asset: str) -> Money:
    """The other way: 12345 cents are 123.45."""
    if isinstance(units, bool) or not isinstance(units, int):
        raise MoneyError("money.wrong-type", f"smallest units are a whole number, found {_kind(units)}")
    return Money(_exactly(_EXACT.scaleb, Decimal(units), Decimal(-places)), asset)


def total(moneys: Iterable[Money]) -> dict[str, Decimal]:
    """The exact sum for each asset, in the order in which the assets first appear."""
    sums: dict[str, Decimal] = {}
    for money in moneys:
        so_far = sums.get(money.asset)
        sums[money.asset] = money.amount if so_far is None else _exactly(_EXACT.add, so_far, money.amount)
    return sums


def _exactly(operation: Callable[[Decimal, Decimal], Decimal], one: Decimal, other: Decimal) -> Decimal:
    try:
        return operation(one, other)
    except (Inexact, InvalidOperation, Overflow):
        raise MoneyError("money.too-long", "the amount has too many digits to be exact") from None


def text(amount: Decimal) -> str:
    """The amount in plain digits, with its places: "1000", "0.00"; never an exponent."""
    if not amount.is_finite() or abs(amount.adjusted()) > _EXACT.prec:
        raise MoneyError("money.too-long", f'"{amount}" can\'t be written in plain digits')
    return f"{abs(amount) if amount.is_zero() else amount:f}"
