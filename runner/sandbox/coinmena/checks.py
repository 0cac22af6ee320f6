"""Is a value of the right shape? Each check answers with the reason it is not, or None."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from runner.sandbox.base import Call
from runner.sandbox.coinmena.errors import ApiError, invalid

Check = Callable[[Any], str | None]
REQUIRED = "This field is required."
_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,8})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text(value: Any, longest: int = 255) -> str | None:
    if not isinstance(value, str):
        return "Must be a string."
    if not value.strip():
        return "May not be blank."
    if len(value) > longest:
        return f"May not be longer than {longest} characters."
    return None


def identifier(value: Any) -> str | None:
    """Printable, without blanks at its ends, at most 128 characters."""
    return text(value, 128) or (
        None if value.isprintable() and value == value.strip() else "Contains characters that are not allowed."
    )


def matching(pattern: re.Pattern[str], reason: str) -> Check:
    return lambda value: text(value) or (None if pattern.fullmatch(value) else reason)


email = matching(_EMAIL, "Must be an email address.")
phone = matching(_PHONE, "Must be an international phone number such as +97312345678.")


def day(value: Any) -> str | None:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            date.fromisoformat(value)
        except ValueError:
            pass
        else:
            return None
    return "Must be a date, YYYY-MM-DD."


def one_of(*allowed: str) -> Check:
    return lambda value: None if value in allowed else f"Must be one of: {', '.join(allowed)}."


def texts(value: Any) -> str | None:
    if not isinstance(value, list) or not value or any(text(item) for item in value):
        return "Must be a list of at least one string."
    return None


def amount(value: Any) -> str | None:
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        return "Must be a decimal string with at most 8 decimal places."
    return None if Decimal(value) > 0 else "Must be greater than zero."


def boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Must be true or false."


def problems(data: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check]) -> dict[str, Any]:
    """Field → reasons, in the order of the checks; null counts as absent; fields nobody knows are ignored."""
    found: dict[str, Any] = {}
    for field, check in required.items():
        value = data.get(field)
        if reason := REQUIRED if value is None else check(value):
            found[field] = [reason]
    for field, check in optional.items():
        if (value := data.get(field)) is not None and (reason := check(value)):
            found[field] = [reason]
    return found


def json_object(call: Call) -> dict[str, Any]:
    """The body of a call; raises the error a caller gets for anything but a JSON object."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415)
    try:
        data = json.loads(call.body)
        json.dumps(data, ensure_ascii=False).encode()  # half of a surrogate pair is JSON, but no text
    except ValueError:
        raise invalid("body", "Must be JSON in UTF-8.") from None
    except RecursionError:
        raise invalid("body", "Is nested too deeply.") from None
    if not isinstance(data, dict):
        raise invalid("body", "Must be a JSON object.")
    return data


def whole(field: str, given: str, lowest: int, highest: int | None) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", given) or int(given) < lowest:
        raise invalid(field, f"Must be a whole number from {lowest}.")
    if highest is not None and int(given) > highest:
        raise invalid(field, f"May not be greater than {highest}.")
    return int(given)


def moment(field: str, given: str) -> float:
    """Seconds of an ISO 8601 time with a zone."""
    try:
        when = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(field, "Must be an ISO 8601 time such as 2024-06-01T00:00:00Z.") from None
    if when.tzinfo is None or "T" not in given.upper():
        raise invalid(field, "Must be an ISO 8601 time with a zone, such as 2024-06-01T00:00:00Z.")
    return when.astimezone(UTC).timestamp()
