"""Cut an author's text into plain text and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from runner.templates.bounds import Run
from runner.templates.values import MAX_SIZE, TemplateError

MAX_BRACKETS: Final = 24
"""How deep brackets may nest; Jinja's parser needs 14 frames of Python's thousand for each."""

_WORD: Final = re.compile(r"""[^'"()\[\]{}]+|'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|[()\[\]{}'"]""", re.S)
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}

Piece = str | tuple[int, int]
"""Text as it is, or where an expression starts and ends."""


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of `text` in order; complains about statements, and about braces that are not closed."""
    if len(text) > MAX_SIZE:
        raise TemplateError("template.too-large", "the text is longer than a template may be (1 MiB)")
    run = Run({})
    at = 0
    strip = False
    while True:
        run.tick()
        opened = text.find("{{", at)
        plain = text[at:] if opened < 0 else text[at:opened]
        statement = plain.find("{%")
        if statement >= 0:
            raise TemplateError(
                "template.statement", "only {{ }} expressions are supported here", at + statement,
                'write {{ "{%" }} where the text itself has {%',
            )  # fmt: skip
        if strip:
            plain = plain.lstrip()
        if opened < 0:
            if plain:
                yield plain
            return
        start = opened + 2
        # As in Jinja: a dash inside the braces eats the white space outside them.
        if text.startswith("-", start):
            plain = plain.rstrip()
        if text.startswith(("-", "+"), start):
            start += 1
        if plain:
            yield plain
        end = closing(text, start, opened)
        at = end + 2
        strip = text.startswith("-", end - 1) and end > start
        yield start, end - strip


def closing(text: str, start: int, opened: int | None = None) -> int:
    """Where the expression that starts at `start` ends: at its `}}`, or at the end when `opened` is None."""
    waiting: list[str] = []
    at = start
    while found := _WORD.match(text, at):
        word = found[0]
        if word in _CLOSING:
            waiting.append(_CLOSING[word])
            if len(waiting) > MAX_BRACKETS:
                raise TemplateError("template.too-large", "the expression is nested too deeply", at)
        elif word in ("'", '"'):
            raise _syntax("the quote is not closed", at)
        elif word in (")", "]", "}"):
            if not waiting and opened is not None and text.startswith("}}", at):
                return at
            if not waiting or waiting.pop() != word:
                raise _syntax(f'unexpected "{word}"', at)
        at = found.end()
    if opened is not None:
        raise _syntax('"{{" is not closed', opened, 'close it with "}}"; for the braces themselves write {{ "{{" }}')
    if waiting:
        raise _syntax(f'"{waiting[-1]}" is missing at the end', at)
    return at


def _syntax(message: str, offset: int, hint: str = "") -> TemplateError:
    return TemplateError("template.syntax", message, offset, hint)
