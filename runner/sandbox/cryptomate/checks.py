"""Is a value of the right shape? The first one that is not is named in a 400."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from runner.sandbox.base import Call
from runner.sandbox.cryptomate.errors import ApiError, bad, rule

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LARGEST = Decimal(10**9)  # the documented size of a transfer's amount (docs: transfer-token); cards take no more


def json_object(call: Call, may_be_empty: bool = False) -> dict[str, Any]:
    """The body of a call; decimal numbers stay exact."""
    if may_be_empty and not call.body.strip():
        return {}
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415, "BAD_REQUEST", "Content-Type must be application/json")
    try:
        data = json.loads(call.body, parse_float=Decimal, parse_constant=_refuse)
        json.dumps(data, ensure_ascii=False, default=str).encode()  # half of a surrogate pair is JSON, but no text
    except (RecursionError, ValueError):
        raise bad("Malformed JSON request") from None
    if not isinstance(data, dict):
        raise bad("The request body must be a JSON object")
    return data


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def text(data: Mapping[str, Any], field: str, within: str = "") -> str:
    """A required text."""
    value = data.get(field)
    if value is None:
        raise bad(f"{within}{field} must not be null")
    if not isinstance(value, str):
        raise bad(f"{within}{field} must be a string")
    if not value.strip():
        raise bad(f"{within}{field} must not be blank")
    if len(value) > 255:
        raise bad(f"{within}{field} must have at most 255 characters")
    return value


def optional_text(data: Mapping[str, Any], field: str, within: str = "") -> str | None:
    return None if data.get(field) is None else text(data, field, within)


def email(data: Mapping[str, Any], field: str = "email") -> str:
    if not EMAIL.fullmatch(value := text(data, field)):
        raise bad(f"{field} must be a valid email")
    return value


def day(data: Mapping[str, Any], field: str) -> str:
    value = text(data, field)
    try:
        if not _DATE.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        raise bad(f"{field} must be a date such as 1990-01-31") from None
    return value


def optional_whole(data: Mapping[str, Any], field: str, largest: int) -> int | None:
    """A number, not a text of digits: the documents say integer and long."""
    value = data.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= largest:
        raise bad(f"{field} must be a whole number from 1 to {largest}")
    return value


def inner(data: Mapping[str, Any], field: str) -> dict[str, Any]:
    """A required object."""
    value = data.get(field)
    if value is None:
        raise bad(f"{field} must not be null")
    if not isinstance(value, dict):
        raise bad(f"{field} must be an object")
    return value


def flag(data: Mapping[str, Any], field: str) -> bool | None:
    value = data.get(field)
    if value is not None and not isinstance(value, bool):
        raise bad(f"{field} must be true or false")
    return value


def number(data: Mapping[str, Any], field: str) -> Decimal:
    """A required JSON number, exact."""
    value = data.get(field)
    if value is None:
        raise bad(f"{field} must not be null")
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise bad(f"{field} must be a number")
    return Decimal(value)


def money(data: Mapping[str, Any], field: str) -> Decimal:
    """Above zero, at most two places. (docs: CARD/add-individual-card-virtual-balance)"""
    value = number(data, field)
    if value <= 0:
        raise rule(412, f"{field} must be greater than 0")
    return cents(value, field)


def cents(value: Decimal, field: str) -> Decimal:
    """The amount in hundredths, never rounded."""
    if value >= LARGEST:
        raise rule(412, f"{field} must be less than {LARGEST}")
    if value != (exact := value.quantize(Decimal("0.01"))):
        raise rule(412, f"{field} must have at most 2 decimal places")
    return exact
