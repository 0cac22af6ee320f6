"""What an expression can meet: data, the missing, the not yet known, the left out; and data as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, NoReturn

from runner.model.problem import RunnerError

MAX_SIZE: Final = 1_048_576
"""How many characters a text may have, and how many characters and entries a computed value may hold."""

MAX_DIGITS: Final = 1_000
"""How many digits a number may have, before or after its point."""

_MAX_BITS: Final = 3_322  # 10 ** 1_000


class Omit(Enum):
    """The type of `OMIT`; an enum, so that identity survives copying and pickling."""

    OMIT = "omit"


OMIT: Final = Omit.OMIT
"""What `x | optional` gives when x is undefined: the key that holds it is dropped."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that exists only once the step `after` has run; it prints as `(known after <step>)`."""

    after: str

    def __str__(self) -> str:
        return f"(known after {self.after})"


class TemplateError(RunnerError):
    """An expression that can't be read or has no value. It never holds a value from the scope.

    `offset` is where in the author's text the failing name stands, None when that is not known;
    `path` is where in the author's value that text stands (filled by `render`).
    """

    def __init__(
        self,
        code: str,
        message: str,
        offset: int | None = None,
        hint: str = "",
        path: tuple[str | int, ...] = (),
    ) -> None:
        self.code = code
        self.message = message
        self.offset = offset
        self.hint = hint
        self.path = path
        super().__init__(message)


class Later(Exception):  # noqa: N818
    """Not an error: an expression touched an `Unknown`, so its own value is that `Unknown`."""

    def __init__(self, unknown: Unknown) -> None:
        self.unknown = unknown
        super().__init__(str(unknown))


Reason = Callable[[], tuple[str, str]]
"""Gives message and hint; asked only when the complaint is made, because most missing values are optional."""


class Missing:
    """What reading an absent name gives. It may be passed on and asked about; any other use complains."""

    __slots__ = ("offset", "reason")

    def __init__(self, reason: Reason, offset: int | None = None) -> None:
        self.reason = reason
        self.offset = offset

    def error(self) -> TemplateError:
        message, hint = self.reason()
        return TemplateError("template.undefined", message, self.offset, hint)

    def _complain(self, *_: object) -> NoReturn:
        raise self.error()

    __bool__ = __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __hash__ = _complain
    __str__ = __iter__ = __len__ = __contains__ = _complain


def nothing(message: str, hint: str = "") -> Missing:
    """A missing value with a reason that is already in words."""
    return Missing(lambda: (message, hint))


def kind(value: object) -> str:
    """The author's word for what `value` is: "text", "number", "mapping", …"""
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | Decimal | float):
        return "number"
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, list | tuple):
        return "list"
    return "value of another kind"


def a_kind(value: object) -> str:
    """`kind` with its article, for the middle of a sentence."""
    word = kind(value)
    return word if word in ("null", "text", "true or false") else f"a {word}"


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """A hint that names the known word nearest to `word`, or nothing."""
    from difflib import get_close_matches  # 3 ms, needed only for complaints

    words = [name for name in known if isinstance(name, str)][:1_000]
    near = get_close_matches(str(word)[:100], words, n=1)
    return f'did you mean "{near[0]}"?' if near else ""


def settled(value: object) -> object:
    """`value` itself; complains when it is missing, left out, or not known yet."""
    if type(value) is Missing:
        raise value.error()
    if type(value) is Unknown:
        raise Later(value)
    if value is OMIT:
        raise TemplateError(
            "template.undefined",
            "a value left out by optional can't be used any further",
            hint="make optional the last filter of the expression",
        )
    return value


def unknown_in(value: object) -> Unknown | None:
    """The first `Unknown` in `value`, however deep."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if type(found) is Unknown:
            return found
        if isinstance(found, Mapping):
            waiting.extend(found.values())
        elif isinstance(found, list | tuple):
            waiting.extend(found)
    return None


def too_large(what: str = "the value") -> TemplateError:
    return TemplateError(
        "template.too-large",
        f"{what} is larger than a template may make it",
        hint=f"the bounds are {MAX_SIZE:,} characters, 100,000 items and a second",
    )


def size(value: object, limit: int = MAX_SIZE) -> int:
    """About how many characters `value` would take; complains above `limit`, before counting to the end."""
    if type(value) is str:
        total = len(value) + 2
        if total > limit + 2:
            raise too_large()
        return total
    total = 0
    waiting: list[object] = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            total += len(found) + 2
        elif isinstance(found, int):
            total += 1 + _bits(found) // 3
        elif isinstance(found, Decimal):
            total += 1 + _digits(found)
        elif isinstance(found, Mapping):
            total += 2 * len(found) + 2
            if total > limit:
                raise too_large()
            waiting.extend(found.keys())
            waiting.extend(found.values())
        elif isinstance(found, list | tuple):
            total += len(found) + 2
            if total > limit:
                raise too_large()
            waiting.extend(found)
        else:
            total += 4
        if total > limit:
            raise too_large()
    return total


def _bits(number: int) -> int:
    bits = number.bit_length()
    if bits > _MAX_BITS:
        raise TemplateError("template.too-large", f"a number has more than {MAX_DIGITS} digits")
    return bits


def _digits(number: Decimal) -> int:
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise TemplateError("template.value", "a number is not finite")
    if len(digits) > MAX_DIGITS or abs(exponent) > MAX_DIGITS:
        raise TemplateError("template.too-large", f"a number has more than {MAX_DIGITS} digits")
    return len(digits)


def number_text(number: int | Decimal | float) -> str:
    """`number` in plain digits, never with an exponent."""
    if isinstance(number, int):
        _bits(number)
        return str(number)
    exact = number if isinstance(number, Decimal) else Decimal(repr(number))
    _digits(exact)
    text = str(exact)
    return f"{exact:f}" if "E" in text else text


def to_text(value: object) -> str:
    """`value` as it stands in a longer text: YAML's words, plain numbers, compact JSON for the rest."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal | float):
        return number_text(value)
    return to_json(value)


def to_json(value: object, indent: int = 0) -> str:
    """`value` as JSON in the author's order; a `Decimal` becomes a number with the same digits."""
    size(value)
    return "".join(_json(value, indent, "\n" if indent else ""))


def _json(value: object, indent: int, newline: str) -> Iterator[str]:
    if isinstance(value, str):
        yield json.dumps(value, ensure_ascii=False)
        return
    inner = newline + " " * indent
    comma, colon = ("," + inner, ": ") if indent else (",", ":")
    if isinstance(value, Mapping):
        yield "{"
        for count, (key, entry) in enumerate(value.items()):
            yield (comma if count else inner) + json.dumps(to_text(key), ensure_ascii=False) + colon
            yield from _json(entry, indent, inner)
        yield newline + "}" if value else "}"
    elif isinstance(value, list | tuple):
        yield "["
        for count, entry in enumerate(value):
            yield comma if count else inner
            yield from _json(entry, indent, inner)
        yield newline + "]" if value else "]"
    elif value is None or isinstance(value, int | Decimal | float):
        yield to_text(value)
    else:
        settled(value)
        raise TemplateError("template.value", f"{a_kind(value)} can't be written as text")
