"""What JSON Schema can't say of a request: fields that depend on each other, dates that depend on today. Pure.

A schema says it in keywords of ours, beside its own:

    x-same-as: {address.country: basic_info.country_of_residence}    an object: one field repeats another
    x-later-than: {expiry_date: issue_date}                           an object: one date comes after another
    x-distinct: {places: ["papers[].uri"], unless: {type: SELFIE}}    an object: no value twice at these places
    x-unique-by: document_id                                          a list: no two entries with the same one
    x-date: true                                                      a date that the calendar has
    x-age: {min: 18, max: 120}                                        a date of birth, which is an x-date as well
    x-future: true                                                    an x-date that has not come yet
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Path = tuple[str | int, ...]
# Stands in a message for the name of the field that it is about.
_ITSELF = "\0"
# By form first: Python reads weeks as well, such as 2026-W09-6.
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
IsOpen = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Broken:
    """One rule that does not hold: where in the value, what was found (without anybody's data), and what helps."""

    path: Path
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Look:
    today: date | None
    is_open: IsOpen


def broken(schema: Any, value: Any, today: date | None, is_open: IsOpen) -> Iterator[Broken]:
    """Every rule of ours that `value` breaks, each slip once.

    What is open is not judged yet. Without `today` a date only has to be one.
    """
    yield from _walk(schema, value, (), _Look(today, is_open))


def _walk(schema: Any, value: Any, path: Path, look: _Look) -> Iterator[Broken]:
    if not isinstance(schema, Mapping) or look.is_open(value):
        return
    told = (found for keyword in RULES if keyword in schema for found in RULES[keyword](value, schema[keyword], look))
    for found in dict.fromkeys(told):
        whole = (*path, *found.path)
        yield Broken(whole, found.message.replace(_ITSELF, _name(whole)), found.hint)
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        for name, entry in value.items():
            yield from _walk(known.get(name), entry, (*path, str(name)), look)
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            yield from _walk(schema.get("items"), entry, (*path, number), look)


def _at(value: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _equal(one: Any, two: Any) -> bool:
    try:
        return bool(one == two)
    except ArithmeticError:  # a signaling NaN, alone or inside a list: it equals nothing, but says so by raising
        return False


def _pairs(value: Any, rule: Mapping[str, str], look: _Look) -> Iterator[tuple[str, str, Any, Any]]:
    for name, other in rule.items():
        one, two = _at(value, name), _at(value, other)
        if one is not None and two is not None and not look.is_open(one) and not look.is_open(two):
            yield name, other, one, two


def _same_as(value: Any, rule: Mapping[str, str], look: _Look) -> Iterator[Broken]:
    for name, other, one, two in _pairs(value, rule, look):
        if not _equal(one, two):
            message = f'"{name}" and "{other}" differ, expected the same'
            yield Broken(tuple(name.split(".")), message, f"write in {name} what stands in {other}")


def _later_than(value: Any, rule: Mapping[str, str], look: _Look) -> Iterator[Broken]:
    for name, other, one, two in _pairs(value, rule, look):
        after, before = _date(one), _date(two)
        if after and before and after <= before:
            message = f'"{name}" is not after "{other}"'
            yield Broken(tuple(name.split(".")), message, "compare both with the document")


def _distinct(value: Any, rule: Mapping[str, Any], look: _Look) -> Iterator[Broken]:
    first: dict[str, Path] = {}
    without = rule.get("unless", {})
    everywhere = (found for place in rule["places"] for found in _places(value, place.split("."), (), without))
    for path, found in everywhere:
        if not isinstance(found, str) or look.is_open(found):
            continue
        if found in first:
            message = f'"{path[-1]}" is the same as at {_told(first[found])}, expected each only once'
            yield Broken(path, message, "give each place a file of its own")
        first.setdefault(found, path)


def _places(value: Any, names: list[str], path: Path, without: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every value at a dotted place, `name[]` for each of a list, but not inside what has a field as in `without`."""
    if isinstance(value, Mapping) and any(_equal(value.get(name), field) for name, field in without.items()):
        return
    if not names:
        yield path, value
        return
    name, is_list = names[0].removesuffix("[]"), names[0].endswith("[]")
    inner = value.get(name) if isinstance(value, Mapping) else None
    if inner is None:
        return
    if not is_list:
        yield from _places(inner, names[1:], (*path, name), without)
    elif isinstance(inner, list | tuple):
        for number, entry in enumerate(inner):
            yield from _places(entry, names[1:], (*path, name, number), without)


def _unique_by(value: Any, rule: str, look: _Look) -> Iterator[Broken]:
    first: dict[Any, int] = {}
    for number, entry in enumerate(value if isinstance(value, list | tuple) else ()):
        found = _at(entry, rule)
        if not isinstance(found, str | int) or look.is_open(found):
            continue
        if found in first:
            message = f'"{rule}" is the same as in entry {first[found] + 1}, expected another in each entry'
            yield Broken((number, rule), message, "correct it, or remove the entry")
        first.setdefault(found, number)


def _calendar(value: Any, rule: bool, look: _Look) -> Iterator[Broken]:
    if rule and isinstance(value, str) and _date(value) is None:
        hint = "write year, month and day such as 1990-01-31, and compare them with the document"
        yield Broken((), f"{_ITSELF} is not a date of the calendar", hint)


def _age(value: Any, rule: Mapping[str, int], look: _Look) -> Iterator[Broken]:
    yield from _calendar(value, True, look)
    born = _date(value)
    if born is None or look.today is None:
        return
    today = look.today
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if not rule["min"] <= years <= rule["max"]:
        message = f"{_ITSELF} makes an age that is not {rule['min']} to {rule['max']} years"
        yield Broken((), message, "compare it with the identity document")


def _future(value: Any, rule: bool, look: _Look) -> Iterator[Broken]:
    yield from _calendar(value, rule, look)
    ends = _date(value)
    if rule and ends and look.today and ends <= look.today:
        yield Broken(
            (), f"{_ITSELF} has passed, expected a date in the future", "ask for a document that is still valid"
        )


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _FORM.fullmatch(value) else None
    except ValueError:
        return None


def _name(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    return f'"{names[-1]}"' if names else "the value"


def _told(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f'"{text.removeprefix(".")}"'


RULES: Mapping[str, Callable[[Any, Any, _Look], Iterator[Broken]]] = {
    "x-age": _age,
    "x-date": _calendar,
    "x-distinct": _distinct,
    "x-future": _future,
    "x-later-than": _later_than,
    "x-same-as": _same_as,
    "x-unique-by": _unique_by,
}
