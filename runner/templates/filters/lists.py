"""Filters on lists and mappings. What they give is a list again, collected inside the bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.templates.bounds import Run
from runner.templates.filters.common import (
    NO_DEFAULT,
    Filter,
    bounded,
    entries,
    folded,
    in_order,
    misfit,
    read_each,
    reader,
    sort_key,
)
from runner.templates.values import MAX_SIZE, a_kind, nothing, to_json, to_text, too_large


def batch(run: Run, value: object, linecount: int, fill_with: object = None) -> object:
    count = bounded(linecount, least=1)
    items = list(entries(value))
    rows: list[list[object]] = [items[at : at + count] for at in range(0, len(items), count)]
    if rows and fill_with is not None:
        rows[-1] += [fill_with] * (count - len(rows[-1]))
    return run.collect(rows)


def dictsort(_: Run, value: object, case_sensitive: object = False, by: str = "key", reverse: object = False) -> object:
    if not isinstance(value, Mapping) or by not in ("key", "value"):
        raise misfit('dictsort needs a mapping and sorts by "key" or "value"')
    fold = folded(case_sensitive)
    at = 0 if by == "key" else 1
    pairs: list[Any] = [[key, entry] for key, entry in value.items()]
    return in_order(pairs, lambda pair: fold(pair[at]), reverse)


def first(_: Run, value: object) -> object:
    for item in entries(value):
        return item
    return nothing("there is no first item, the list is empty")


def groupby(
    run: Run, value: object, attribute: object, default: object = NO_DEFAULT, case_sensitive: object = False
) -> object:
    """Mappings with `grouper` and `list`, ordered by the grouper."""
    read = reader(attribute, default)
    fold = folded(case_sensitive)
    groups: list[dict[str, object]] = []
    last: object = NO_DEFAULT
    for item in in_order(entries(value), lambda entry: fold(read(entry)), False):
        key = fold(read(item))
        if last is NO_DEFAULT or key != last:
            groups.append({"grouper": read(item), "list": []})
            last = key
        members = groups[-1]["list"]
        assert isinstance(members, list)
        members.append(item)
    return run.collect(groups)


def items(run: Run, value: object) -> object:
    if not isinstance(value, Mapping):
        raise misfit(f"items needs a mapping, found {a_kind(value)}")
    return run.collect([key, entry] for key, entry in value.items())


def join(run: Run, value: object, d: object = "", attribute: object = None) -> object:
    between = to_text(d)
    pieces: list[str] = []
    total = -len(between)
    for item in read_each(entries(value), attribute):
        run.tick()
        pieces.append(to_text(item))
        total += len(pieces[-1]) + len(between)
        if total > MAX_SIZE:
            raise too_large("a text")
    return between.join(pieces)


def last(_: Run, value: object) -> object:
    found = list(entries(value))
    return found[-1] if found else nothing("there is no last item, the list is empty")


def length(_: Run, value: object) -> object:
    return sum(1 for _ in entries(value)) if not isinstance(value, str) else len(value)


def list_(run: Run, value: object) -> object:
    return run.collect(entries(value))


def extreme(pick: Callable[..., object], word: str) -> Filter:
    def find(run: Run, value: object, case_sensitive: object = False, attribute: object = None) -> object:
        found = list(entries(value))
        if not found:
            return nothing(f"there is no {word} item, the list is empty")
        return pick(found, key=sort_key(attribute, case_sensitive))

    return find


def reverse(_: Run, value: object) -> object:
    return value[::-1] if isinstance(value, str) else list(entries(value))[::-1]


def slice_(run: Run, value: object, slices: int, fill_with: object = None) -> object:
    """The list cut into `slices` lists of nearly equal length."""
    found = list(entries(value))
    count = bounded(slices, least=1)
    each, longer = divmod(len(found), count)

    def cut() -> Iterator[list[object]]:
        start = 0
        for number in range(count):
            end = start + each + (number < longer)
            filler = [fill_with] if fill_with is not None and number >= longer else []
            yield [*found[start:end], *filler]
            start = end

    return run.collect(cut())


def sort(
    _: Run, value: object, reverse: object = False, case_sensitive: object = False, attribute: object = None
) -> object:
    return in_order(entries(value), sort_key(attribute, case_sensitive), reverse)


def unique(run: Run, value: object, case_sensitive: object = False, attribute: object = None) -> object:
    key = sort_key(attribute, case_sensitive)
    seen: set[object] = set()

    def fresh(item: object) -> bool:
        found = key(item)
        mark = to_json(found) if isinstance(found, Mapping | list) else found
        if mark in seen:
            return False
        seen.add(mark)
        return True

    return run.collect(item for item in entries(value) if fresh(item))


def tojson(_: Run, value: object, indent: int | None = None) -> object:
    return to_json(value, 0 if indent is None else min(bounded(indent), 16))
