"""What the filters share: the checks of their arguments, and the way they read fields of items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from runner.templates.arithmetic import number
from runner.templates.bounds import MAX_RANGE
from runner.templates.lookup import member
from runner.templates.values import Missing, TemplateError, a_kind, settled, too_large

Filter = Callable[..., object]
NO_DEFAULT: Final = object()


def misfit(message: str, hint: str = "") -> TemplateError:
    return TemplateError("template.value", message, hint=hint)


def bounded(count: object, least: int = 0) -> int:
    """`count` as a width or a number of items, refused when it is none or enormous."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise misfit(f"a whole number is needed here, found {a_kind(count)}")
    if count < least:
        raise misfit(f"a whole number of at least {least} is needed here")
    if count > MAX_RANGE:
        raise too_large()
    return count


def numeric(name: str, value: object) -> int | Decimal:
    found = number(settled(value))
    if found is None:
        raise misfit(f'filter "{name}" needs a number, found {a_kind(value)}', "turn text into a number with | decimal")
    return found


def entries(value: object) -> Iterable[Any]:
    """What a list holds, the keys of a mapping, or the characters of a text."""
    if isinstance(value, str | list | tuple | Mapping):
        return value
    settled(value)
    raise misfit(f"this filter needs a list, found {a_kind(value)}")


def reader(attribute: object, default: object = NO_DEFAULT) -> Callable[[object], object]:
    """A function that reads the field `attribute` ("a", "a.b.0", None for the item itself) of an item."""
    path = _path(attribute)

    def read(item: object) -> object:
        for key in path:
            item = item if type(item) is Missing else member(item, key)
            if type(item) is Missing and default is not NO_DEFAULT:
                item = default
        return item

    return read


def _path(attribute: object) -> list[object]:
    if isinstance(attribute, str):
        return [
            int(part) if part.isascii() and part.isdigit() and len(part) < 10 else part for part in attribute.split(".")
        ]
    return [] if attribute is None else [attribute]


def read_each(items: Iterable[object], attribute: object) -> Iterator[object]:
    return map(reader(attribute), items)


def folded(case_sensitive: object) -> Callable[[object], Any]:
    """How two values are compared: text without regard to case, unless told otherwise."""
    return settled if case_sensitive else _folded


def _folded(value: object) -> object:
    settled(value)
    return value.lower() if isinstance(value, str) else value


def sort_key(attribute: object, case_sensitive: object) -> Callable[[object], Any]:
    """What to sort an item by: its fields `attribute` ("age,name" for two), or itself."""
    fold = folded(case_sensitive)
    readers = [reader(part) for part in (attribute.split(",") if isinstance(attribute, str) else [attribute])]
    if len(readers) == 1:
        return lambda item: fold(readers[0](item))
    return lambda item: [fold(read(item)) for read in readers]


def in_order(found: Iterable[Any], key: Callable[[Any], Any], reverse: object = False) -> list[Any]:
    try:
        return sorted(found, key=key, reverse=bool(reverse))
    except TypeError:
        raise misfit("these items can't be put in order", "sort texts, or numbers") from None
