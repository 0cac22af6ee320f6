"""Apply a filter or a test by its name, inside the bounds. What is not in these tables does not exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from runner.templates import predicates
from runner.templates.bounds import Run
from runner.templates.filters import lists, numbers, onboarding, text
from runner.templates.filters.common import Filter, entries, misfit, reader
from runner.templates.values import (
    OMIT,
    Later,
    Missing,
    TemplateError,
    a_kind,
    did_you_mean,
    settled,
    unknown_in,
)

NO_ARGUMENTS: Final[Mapping[str, object]] = {}


def apply_filter(
    run: Run,
    name: str,
    value: object,
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] = NO_ARGUMENTS,
) -> object:
    """`value | name(args)`. A missing value stays missing; what goes wrong is told without the value."""
    act = FILTERS.get(name)
    if act is None:
        raise unknown_filter(name)
    run.tick()
    if name not in TOLERANT:
        if type(value) is Missing or value is OMIT:
            return value
        for given in (value, *args, *kwargs.values()):
            settled(given)
    if run.unknowns and name not in STRUCTURAL:
        known(value, *args, *kwargs.values())
    try:
        result = act(run, value, *args, **kwargs)
    except PYTHON_ERRORS:
        raise misfit(f'filter "{name}" does not fit {a_kind(value)}, or not with these arguments') from None
    return result if result is value or result is OMIT else run.made(result)


def apply_test(
    run: Run,
    name: str,
    value: object,
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] = NO_ARGUMENTS,
) -> bool:
    """`value is name(args)`. Only `defined` and `undefined` may be asked about a missing value."""
    ask = predicates.PREDICATES.get(name)
    if ask is None:
        raise unknown_test(name)
    run.tick()
    if name not in ABOUT_ABSENCE:
        for given in (value, *args, *kwargs.values()):
            settled(given)
        if run.unknowns:
            known(value, *args, *kwargs.values())
    try:
        return ask(value, *args, **kwargs)
    except PYTHON_ERRORS:
        raise misfit(f'test "{name}" does not fit {a_kind(value)}, or not with these arguments') from None


def check_filter(name: str, args: Sequence[object] = ()) -> None:
    """Complain before the run about a filter that does not exist, or a `map` or `select` by such a name.

    `args` are the arguments that the author wrote out, None for the computed ones.
    """
    if name not in FILTERS:
        raise unknown_filter(name)
    at = {"map": 0, "select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}.get(name)
    inner = args[at] if at is not None and len(args) > at else None
    if isinstance(inner, str):
        if name != "map":
            check_test(inner)
        elif inner not in FILTERS:
            raise unknown_filter(inner)


def check_test(name: str) -> None:
    if name not in predicates.PREDICATES:
        raise unknown_test(name)


def unknown_filter(name: str) -> TemplateError:
    if name in UNAVAILABLE:
        return TemplateError("template.forbidden", f'filter "{name}" is not available here', hint=UNAVAILABLE[name])
    return TemplateError("template.unknown-filter", f'unknown filter "{name}"', hint=did_you_mean(name, FILTERS))


def unknown_test(name: str) -> TemplateError:
    if name in predicates.UNAVAILABLE:
        return TemplateError("template.forbidden", f'test "{name}" is not available here')
    return TemplateError(
        "template.unknown-filter", f'unknown test "{name}"', hint=did_you_mean(name, predicates.PREDICATES)
    )


# OverflowError and decimal's own errors are ArithmeticErrors.
PYTHON_ERRORS: Final = (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError)


def known(*values: object) -> None:
    if unknown := unknown_in(values):
        raise Later(unknown)


# ---- filters that apply others, and the two that are about absence


def _default(_: Run, value: object, default_value: object = "", boolean: object = False) -> object:
    """`value`, or the other when it is undefined (with `true` as second argument: also when it is empty)."""
    if type(value) is Missing or value is OMIT:
        return default_value
    return default_value if boolean and not value else value


def _map(run: Run, value: object, *args: object, **kwargs: object) -> object:
    """Each item through a filter, or the field `attribute` of each."""
    if not args:
        given = {"default": kwargs.pop("default")} if "default" in kwargs else {}
        if set(kwargs) != {"attribute"}:
            raise misfit("map takes the name of a filter, or attribute and default")
        run.holes = True
        return run.collect(map(reader(kwargs["attribute"], **given), entries(value)))
    name, rest = args[0], args[1:]
    if not isinstance(name, str) or name not in FILTERS:
        raise TemplateError("template.unknown-filter", "map is given a name that no filter has")
    return run.collect(apply_filter(run, name, item, rest, kwargs) for item in entries(value))


def _optional(_: Run, value: object) -> object:
    return OMIT if type(value) is Missing else value


def _sieve(wanted: bool, by_attribute: bool) -> Filter:
    """select, reject, and their two by the field of each item."""

    def sieve(run: Run, value: object, *args: object, **kwargs: object) -> object:
        read = reader(args[0] if by_attribute else None)
        name, *rest = (args[1:] if by_attribute else args) or (None,)
        if name is not None and (not isinstance(name, str) or name not in predicates.PREDICATES):
            raise TemplateError("template.unknown-filter", "select and reject are given a name that no test has")

        def passes(item: object) -> bool:
            run.tick()
            found = read(item)
            return apply_test(run, name, found, rest, kwargs) if name else bool(settled(found))

        return run.collect(item for item in entries(value) if passes(item) is wanted)

    return sieve


FILTERS: Final[Mapping[str, Filter]] = {
    "abs": numbers.absolute,
    "batch": lists.batch,
    "capitalize": text.text_filter(str.capitalize),
    "center": text.center,
    "count": lists.length,
    "d": _default,
    "decimal": onboarding.decimal,
    "default": _default,
    "dictsort": lists.dictsort,
    "e": text.escape,
    "e164": onboarding.e164,
    "escape": text.escape,
    "first": lists.first,
    "float": numbers.float_,
    "forceescape": text.escape,
    "format": text.format_,
    "groupby": lists.groupby,
    "indent": text.indent,
    "int": numbers.int_,
    "items": lists.items,
    "join": lists.join,
    "last": lists.last,
    "length": lists.length,
    "list": lists.list_,
    "lower": text.text_filter(str.lower),
    "map": _map,
    "max": lists.extreme(max, "largest"),
    "min": lists.extreme(min, "smallest"),
    "only": onboarding.only,
    "optional": _optional,
    "query": onboarding.query,
    "reject": _sieve(wanted=False, by_attribute=False),
    "rejectattr": _sieve(wanted=False, by_attribute=True),
    "replace": text.replace,
    "reverse": lists.reverse,
    "round": numbers.round_,
    "select": _sieve(wanted=True, by_attribute=False),
    "selectattr": _sieve(wanted=True, by_attribute=True),
    "slice": lists.slice_,
    "sort": lists.sort,
    "string": text.text_filter(str),
    "sum": numbers.sum_,
    "title": text.text_filter(text.title),
    "tojson": lists.tojson,
    "trim": text.trim,
    "truncate": text.truncate,
    "unique": lists.unique,
    "upper": text.text_filter(str.upper),
    "urlencode": text.urlencode,
    "without": onboarding.without,
    "wordcount": text.text_filter(text.wordcount),
    "wordwrap": text.wordwrap,
}

TOLERANT: Final = frozenset({"d", "default", "optional"})
"""Filters that are asked about a missing value; every other one passes it on."""

ABOUT_ABSENCE: Final = frozenset({"defined", "undefined"})
"""Tests that may be asked about a missing value."""

STRUCTURAL: Final = TOLERANT | {
    "batch", "count", "first", "items", "last", "length", "list", "map", "only", "reject", "rejectattr",
    "reverse", "select", "selectattr", "slice", "without",
}  # fmt: skip
"""Filters that only move items about, so an item may still be unknown."""

UNAVAILABLE: Final[Mapping[str, str]] = {
    "attr": 'write x["name"] to read a field',
    "filesizeformat": "",
    "pprint": "use tojson",
    "random": "a run must be repeatable",
    "safe": "nothing is escaped here, so nothing needs it",
    "striptags": "",
    "urlize": "",
    "xmlattr": "",
}
"""Filters of Jinja that can't be bounded or repeated, or speak HTML or Python; and what to do instead."""
