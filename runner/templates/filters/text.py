"""Filters on text. Each refuses what would outgrow a template, before it grows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from runner.templates.bounds import Run
from runner.templates.filters.common import Filter, bounded, misfit
from runner.templates.filters.lists import join
from runner.templates.percent import percent_format
from runner.templates.values import MAX_SIZE, to_text, too_large


def text_filter(change: Callable[[str], object]) -> Filter:
    return lambda run, value: change(to_text(value))


def center(_: Run, value: object, width: int = 80) -> object:
    return to_text(value).center(bounded(width))


def escape(_: Run, value: object) -> object:
    from html import escape as escaped

    return escaped(to_text(value)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def format_(_: Run, value: object, *args: object, **kwargs: object) -> object:
    if args and kwargs:
        raise misfit("format takes values either by place or by name")
    return percent_format(to_text(value), kwargs or list(args))


def indent(_: Run, value: object, width: object = 4, first: object = False, blank: object = False) -> object:
    text = to_text(value)
    step = width if isinstance(width, str) else " " * bounded(width)
    if len(text) + len(step) * (text.count("\n") + 1) > MAX_SIZE:
        raise too_large("a text")
    lines = (text + "\n").splitlines()
    body = ("\n" + step).join(lines) if blank else "\n".join(
        [lines[0], *(step + line if line else line for line in lines[1:])]
    )  # fmt: skip
    return step + body if first else body


def replace(run: Run, value: object, old: object, new: object, count: int | None = None) -> object:
    return replaced(to_text(value), to_text(old), to_text(new), -1 if count is None else count)


def replaced(text: str, old: str, new: str, count: int = -1) -> str:
    """`text` with `old` replaced by `new`, refused when that would grow beyond a template's size."""
    times = len(text) + 1 if not old else text.count(old)
    if count >= 0:
        times = min(times, count)
    if len(text) + times * (len(new) - len(old)) > MAX_SIZE:
        raise too_large("a text")
    return text.replace(old, new, count)


_WORD_START: Final = re.compile(r"([-\s({\[<]+)")


def title(text: str) -> str:
    return "".join(piece[0].upper() + piece[1:].lower() for piece in _WORD_START.split(text) if piece)


def trim(_: Run, value: object, chars: str | None = None) -> object:
    return to_text(value).strip(chars)


def truncate(
    _: Run,
    value: object,
    length: int = 255,
    killwords: object = False,
    end: str = "...",
    leeway: int | None = None,
) -> object:
    text = to_text(value)
    leeway = 5 if leeway is None else leeway
    if length < len(end) or leeway < 0:
        raise misfit("truncate needs a length at least as long as its ending, and a leeway of 0 or more")
    if len(text) <= length + leeway:
        return text
    kept = text[: length - len(end)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + end


def urlencode(_: Run, value: object) -> object:
    from urllib.parse import quote

    def quoted(entry: object, safe: str) -> str:
        return quote(to_text(entry), safe=safe)

    if isinstance(value, Mapping):
        pairs: Iterable[tuple[object, object]] = value.items()
    elif isinstance(value, list | tuple):
        pairs = ((key, entry) for key, entry in value)
    else:
        return quoted(value, "/")
    return "&".join(
        f"{quoted(key, '').replace('%20', '+')}={quoted(entry, '').replace('%20', '+')}" for key, entry in pairs
    )


def wordcount(text: str) -> int:
    return len(re.findall(r"\w+", text))


def wordwrap(
    run: Run, value: object, width: int = 79, break_long_words: object = True,
    wrapstring: str = "\n", break_on_hyphens: object = True,
) -> object:  # fmt: skip
    import textwrap

    text = to_text(value)
    if len(text) > 65_536:
        raise too_large("a text to wrap")  # textwrap needs 1 s for 1 MiB
    lines: list[object] = []
    for line in text.splitlines():
        run.tick()
        lines.append(wrapstring.join(textwrap.wrap(
            line, width=bounded(width), expand_tabs=False, replace_whitespace=False,
            break_long_words=bool(break_long_words), break_on_hyphens=bool(break_on_hyphens),
        )))  # fmt: skip
    return join(run, lines, wrapstring)
