"""Is every field of the right shape? Whatever is not is noted under its dotted path, all of it at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from runner.sandbox.base import Call
from runner.sandbox.fin import geography
from runner.sandbox.fin.errors import GENERAL, ApiError, invalid, malformed

Problems: TypeAlias = dict[str, list[str]]
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LARGEST = 10**12  # nothing is published, but a number has to end somewhere
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def json_object(call: Call) -> dict[str, Any]:
    """The body of a call; 400 when it is no JSON object."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415, GENERAL[415])
    try:
        data = json.loads(call.body, parse_constant=_refuse)
        json.dumps(data, ensure_ascii=False).encode()  # half of a surrogate pair is JSON, but no text
    except (RecursionError, ValueError):
        raise malformed() from None
    if not isinstance(data, dict):
        raise malformed()
    return data


def query(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.query, keep_blank_values=True))


def uuid(field: str, text: str) -> str:
    """An id in a path or a query; 422 when it cannot be one."""
    if not UUID.fullmatch(text):
        raise invalid({field: [f"{field} must be a UUID"]})
    return text


def today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _refuse(constant: str) -> None:
    raise ValueError(constant)


class Fields:
    """One object of a body. What is missing or wrong reads as empty, so that the rest can still be looked at."""

    def __init__(self, given: Mapping[str, Any], at: str = "", problems: Problems | None = None) -> None:
        self.given, self.at = given, at
        self.problems: Problems = {} if problems is None else problems

    def path(self, field: str) -> str:
        return f"{self.at}.{field}" if self.at else field

    def wrong(self, field: str, reason: str) -> None:
        texts = self.problems.setdefault(self.path(field), [])
        if reason not in texts:
            texts.append(reason)

    def has(self, field: str) -> bool:
        return self.given.get(field) is not None

    def refuse(self, error: Callable[[Problems], ApiError] = invalid) -> None:
        """Raise when anything was wrong."""
        if self.problems:
            raise error(self.problems)

    def text(self, field: str, required: bool = True, longest: int | None = None) -> str:
        value = self.given.get(field)
        if value is None or value == "":
            if required:
                self.wrong(field, f"{field} is required")
        elif not isinstance(value, str) or not value.strip():
            self.wrong(field, f"{field} must be a non-empty string")
        elif longest is not None and len(value) > longest:
            self.wrong(field, f"{field} must have at most {longest} characters")
        else:
            return value
        return ""

    def ascii(self, field: str, required: bool = True) -> str:
        value = self.text(field, required)
        if not value.isascii():
            self.wrong(field, f"{field} must contain only English (Latin) characters")
        return value

    def twin(self, field: str, required: bool = True) -> str:
        """A text that may have any letters when `FIELD_en` spells it in ASCII."""
        value, spelled = self.text(field, required), f"{field}_en"
        needed = not value.isascii()
        if needed and not self.has(spelled):
            self.wrong(spelled, f"{spelled} is required when {field} contains non-ASCII characters")
        elif self.has(spelled):
            self.ascii(spelled)
        return value

    def one_of(self, field: str, known: Collection[str], required: bool = True) -> str:
        value = self.text(field, required)
        if value and value not in known:
            self.wrong(field, f"{field} must be one of: {', '.join(sorted(known))}")
            return ""
        return value

    def email(self, field: str) -> str:
        value = self.text(field)
        if value and not EMAIL.fullmatch(value):
            self.wrong(field, "Must be a valid email")
        return value

    def phone(self, field: str) -> str:
        value = self.text(field)
        if value and not PHONE.fullmatch(value):
            self.wrong(field, "Must be in E.164 format")
        return value

    def uuid(self, field: str) -> str:
        value = self.text(field)
        if value and not UUID.fullmatch(value):
            self.wrong(field, f"{field} must be a UUID")
        return value

    def country(self, field: str, required: bool = True) -> str:
        value = self.text(field, required)
        if value and value not in geography.COUNTRIES:
            self.wrong(field, "Must be an ISO 3166-1 alpha-3 country code")
            return ""
        return value

    def subdivision(self, field: str, country: str) -> None:
        value = self.text(field)
        if value and country and not geography.COUNTRIES[country].has(value):
            self.wrong(field, f"Must be an ISO 3166-2 subdivision code of {country}")

    def postal_code(self, field: str, country: str) -> None:
        found = geography.COUNTRIES.get(country)
        value = self.text(field)
        if value and found and found.postal and not re.match(found.postal, value):
            self.wrong(field, f"Must be a valid postal code of {country}")

    def day(self, field: str, required: bool = True) -> date | None:
        value = self.text(field, required)
        if not value:
            return None
        try:
            if not _DATE.fullmatch(value):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            self.wrong(field, "Must be a date in YYYY-MM-DD format")
            return None

    def whole(self, field: str, least: int = 0, most: int = LARGEST) -> int | None:
        """A JSON number without a fraction; a text of digits is none."""
        value = self.given.get(field)
        if value is None:
            self.wrong(field, f"{field} is required")
        elif isinstance(value, bool) or not isinstance(value, int):
            self.wrong(field, f"{field} must be an integer")
        elif value < least:
            self.wrong(field, f"{field} must be at least {least}")
        elif value > most:
            self.wrong(field, f"{field} must be at most {most}")
        else:
            return value
        return None

    def number(self, field: str) -> float:
        value = self.given.get(field)
        if value is None:
            self.wrong(field, f"{field} is required")
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LARGEST:
            self.wrong(field, f"{field} must be a number, zero or more")
        else:
            return value
        return 0

    def choice(self, field: str, known: Collection[int]) -> None:
        """An id of the catalogue."""
        value = self.whole(field, 1)
        if value is not None and value not in known:
            self.wrong(field, f"{field} is not in the catalogue")

    def flag(self, field: str) -> bool:
        value = self.given.get(field)
        if value is not None and not isinstance(value, bool):
            self.wrong(field, f"{field} must be true or false")
        return value is True

    def inner(self, field: str, required: bool = True) -> Fields:
        value = self.given.get(field)
        if isinstance(value, dict):
            return Fields(value, self.path(field), self.problems)
        if value is not None:
            self.wrong(field, f"{field} must be an object")
        elif required:
            self.wrong(field, f"{field} is required")
        return Fields({}, self.path(field))  # its own fields are not missed one by one

    def many(self, field: str, required: bool = True) -> list[Fields]:
        value = self.given.get(field)
        if value is None or value == []:
            if required:
                self.wrong(field, f"{field} is required")
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(field, f"{field} must be an array of objects")
            return []
        return [Fields(item, f"{self.path(field)}.{index}", self.problems) for index, item in enumerate(value)]
