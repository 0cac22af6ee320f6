"""Texts that look like templates and are none: braces that nobody fills in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runner.load.reviewed import Review, Where, placed, texts
from runner.model.problem import Problem

_SINGLE = re.compile(
    r"(?<![{\w])\{\s*(?:batch|client|documents|funding|inputs|item|steps)(?:\.\w+|\[\d+\])+\s*\}(?!\})"
)


def text_problems(review: Review) -> Iterator[Problem]:
    for part in ("documents", "funding", "steps"):
        for where, text in texts(review.body.get(part), (part,)):
            for match in _SINGLE.finditer(text):
                place = placed(review, where, text, *match.span())
                hint = f'write "{{{match[0]}}}"' if " " in match[0] else f'write "{{{{ {match[0][1:-1]} }}}}"'
                yield Problem(
                    "template.single-brace", f'"{match[0]}" is plain text, sent as it is', place, hint, "warning"
                )
        for where, name in _keys(review.body.get(part), (part,)):
            if "{{" in name:
                yield _not_rendered(review, where, "a key is never filled in", True)
    clients = review.mapping("clients")
    for where, text in texts(clients.get("items"), ("clients", "items")):
        if "{{" in text:
            yield _not_rendered(review, where, "a client's own data is sent as it is, never filled in", False)
    for name, rule in review.mapping("inputs").items():
        for where, text in texts(
            rule.get("default") if isinstance(rule, Mapping) else None, ("inputs", name, "default")
        ):
            if "{{" in text:
                yield _not_rendered(review, where, "a default is taken as it is, never filled in", False)


def _not_rendered(review: Review, where: Where, message: str, key: bool) -> Problem:
    place = review.source.locate(where, key=key)
    return Problem("template.not-rendered", message, place, "move the template to where the value is used", "warning")


def _keys(value: Any, where: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield (*where, name), str(name)
            yield from _keys(entry, (*where, name))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _keys(entry, (*where, number))
