"""The few things that can be called: `range`, and harmless methods of texts and mappings. No others exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from runner.templates.apply import NO_ARGUMENTS, PYTHON_ERRORS, known
from runner.templates.bounds import MAX_RANGE, Run
from runner.templates.filters import lists, text
from runner.templates.filters.common import misfit
from runner.templates.values import OMIT, Missing, TemplateError, a_kind, settled, size, to_text, too_large


def call_method(
    run: Run,
    name: str,
    value: object,
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] = NO_ARGUMENTS,
) -> object:
    """`value.name(args)`, for the few methods of texts and mappings; a missing value stays missing."""
    if type(value) is Missing or value is OMIT:
        return value
    settled(value)
    run.tick()
    if isinstance(value, Mapping) and name in value:
        raise TemplateError("template.forbidden", f'"{name}" is a field here and can\'t be called')
    act = (TEXT_METHODS if isinstance(value, str) else MAPPING_METHODS if isinstance(value, Mapping) else {}).get(name)
    if act is None:
        raise TemplateError("template.forbidden", f'{a_kind(value)} has no "{name}" to call', hint="use a filter")
    for given in (*args, *kwargs.values()):
        settled(given)
    if run.unknowns and name != "get":
        known(value, *args)
    try:
        result = act(run, value, *args, **kwargs)
    except PYTHON_ERRORS:
        raise misfit(f'"{name}" can\'t be called with these arguments') from None
    return run.made(result)


def call_range(run: Run, args: Sequence[object]) -> object:
    """`range(…)` as a list of at most 100,000 numbers."""
    if not 1 <= len(args) <= 3:
        raise misfit('"range" takes one to three whole numbers')
    numbers_ = [settled(given) for given in args]
    for given in numbers_:
        if isinstance(given, bool) or not isinstance(given, int):
            raise misfit(f'"range" takes whole numbers, found {a_kind(given)}')
        size(given)
    if len(numbers_) == 3 and not numbers_[2]:
        raise misfit('"range" can\'t step by zero')
    steps = range(*numbers_)  # type: ignore[call-overload]
    if steps and abs(steps[-1] - steps[0]) // abs(steps.step) >= MAX_RANGE:
        raise too_large("a range")
    return run.made(list(steps))


Method = Callable[..., object]


def _get(_: Run, value: Mapping[object, object], key: object, default: object = None) -> object:
    return value.get(key, default)


def _split(run: Run, value: str, separator: str | None = None, maxsplit: int = -1) -> object:
    return run.collect(value.split(separator, maxsplit))


def _texts(given: object) -> str | tuple[str, ...]:
    return tuple(map(to_text, given)) if isinstance(given, list | tuple) else to_text(given)


def _items(run: Run, value: Mapping[object, object]) -> object:
    return lists.items(run, value)


MAPPING_METHODS: Final[Mapping[str, Method]] = {
    "get": _get,
    "items": _items,
    "keys": lambda run, value: run.collect(value.keys()),
    "values": lambda run, value: run.collect(value.values()),
}

TEXT_METHODS: Final[Mapping[str, Method]] = {
    "capitalize": lambda _, value: value.capitalize(),
    "endswith": lambda _, value, end: value.endswith(_texts(end)),
    "lower": lambda _, value: value.lower(),
    "lstrip": lambda _, value, chars=None: value.lstrip(chars),
    "replace": lambda _, value, old, new, count=-1: text.replaced(value, old, new, count),
    "rstrip": lambda _, value, chars=None: value.rstrip(chars),
    "split": _split,
    "startswith": lambda _, value, start: value.startswith(_texts(start)),
    "strip": lambda _, value, chars=None: value.strip(chars),
    "title": lambda _, value: value.title(),
    "upper": lambda _, value: value.upper(),
}

METHODS: Final = frozenset(MAPPING_METHODS) | frozenset(TEXT_METHODS)
