"""Old-style `%` formatting, piece by piece: exact for decimals, bounded in width, in YAML's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from runner.templates.values import MAX_SIZE, TemplateError, a_kind, settled, size, to_text, too_large

_MAX_WIDTH: Final = 10_000
_SPEC: Final = re.compile(
    r"%(?:\((?P<name>[^()]*)\))?(?P<flags>[-#0 +]*)"
    r"(?P<width>[0-9]*)(?:\.(?P<precision>[0-9]*))?(?P<letter>.)",
    re.S,
)


def percent_format(text: str, values: object) -> str:
    """`text` with each `%s`, `%.2f`, `%(name)s` … filled from `values` (one value, a list, or a mapping)."""
    waiting = list(reversed(values)) if isinstance(values, list | tuple) else [values]
    pieces: list[str] = []
    total = end = 0
    for found in _SPEC.finditer(text):
        pieces += [text[end : found.start()], _fill(found, values, waiting)]
        end = found.end()
        total += len(pieces[-1])
        if total > MAX_SIZE:
            raise too_large("a text")
    if "%" in text[end:]:
        raise _misfit("the text to fill ends in the middle of a %", hint='write "%%" for a percent sign')
    if waiting and not isinstance(values, Mapping):
        raise _misfit("there are more values than places to fill in the text")
    return "".join(pieces) + text[end:]


def _fill(found: re.Match[str], values: object, waiting: list[object]) -> str:
    letter, flags, width, precision = found.group("letter", "flags", "width", "precision")
    if letter == "%":
        return "%"
    if any(len(digits) > 5 or int(digits) > _MAX_WIDTH for digits in (width, precision) if digits):
        raise too_large("a text")
    value = settled(_value(found["name"], values, waiting))
    if letter == "s":
        text = to_text(value) if precision is None else to_text(value)[: int(precision or 0)]
        return format(text, f"{'<' if '-' in flags else '>'}{width}")
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(exact, bool) or not isinstance(exact, int | Decimal):
        raise _misfit(f'"%{letter}" can\'t be filled with {a_kind(value)}', hint='"%s" takes any value')
    size(exact)
    side = "<" if "-" in flags else ">"
    sign = "+" if "+" in flags else " " if " " in flags else ""
    zeros = "0" if "0" in flags and side == ">" else ""
    layout = f"{sign}{zeros}{width}" if zeros else f"{side}{sign}{width}"
    if letter in "diu":
        return format(int(exact), f"{layout}d")
    if letter in "fFeEgG":
        return format(Decimal(exact), f"{layout}.{6 if precision is None else int(precision or 0)}{letter}")
    if letter in "xXo" and isinstance(exact, int):
        return format(exact, f"{layout}{letter}")
    raise _misfit(f'"%{letter}" is not a way to write a number', hint="%s, %d, %f, %e, %g, %x and %o are")


def _value(name: str | None, values: object, waiting: list[object]) -> object:
    if name is None:
        if not waiting:
            raise _misfit("there are fewer values than places to fill in the text")
        return waiting.pop()
    if not isinstance(values, Mapping):
        raise _misfit(f"a text with %(names) is filled from a mapping, found {a_kind(values)}")
    if name not in values:
        raise TemplateError("template.undefined", "the mapping to fill the text from lacks a name in the text")
    return values[name]


def _misfit(message: str, hint: str = "") -> TemplateError:
    return TemplateError("template.value", message, hint=hint)
