"""Regular expressions that cannot hang us: a provider's answer may be hostile, and `re` has no timeout.

Exponential patterns (a repeat inside a repeat) are refused when read. What is left is polynomial, and the
degree decides how long a text may be: 10,000 characters for ordinary patterns, fewer when several repeats
compete for the same characters. A longer text is not cut; it simply can't be judged.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from runner.checks.errors import CheckError

# The parser behind `re.compile`: private, but a second reading of the syntax would miss something.
_parser = import_module("re._parser")
_op = import_module("re._constants")

MAX_PATTERN = 1000
MAX_SUBJECT = 10_000
_MAX_STEPS = 10**8
_FEW = 10
"""A repeat whose length varies by less than this can't make a text expensive by itself."""

_SAMPLE = [chr(code) for code in range(256)] + ["é", "Я", "ع", "中", "\u2028", "٣"]
_EVERYTHING = frozenset(_SAMPLE)
_NESTED = 'a repeat inside a repeat, such as "(a+)+", can take forever'
_ALIKE = 'repeated alternatives that begin alike, such as "(a|ab)+", can take forever'

Node = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Pattern:
    regex: re.Pattern[str]
    longest: int

    def found_in(self, subject: str) -> bool | None:
        """None: the text is too long for this pattern."""
        return None if len(subject) > self.longest else self.regex.search(subject) is not None


@lru_cache(maxsize=512)
def pattern(text: str) -> Pattern:
    """The compiled expression; raises CheckError `check.regex` when it is wrong or too expensive."""
    if not text:
        hint = 'to ask for any text, write "is not empty"'
        raise CheckError("check.regex", "an empty regular expression matches everything", 0, hint)
    if len(text) > MAX_PATTERN:
        raise CheckError("check.regex", f"the regular expression is longer than {MAX_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            regex, tree = re.compile(text), _parser.parse(text)
    except re.error as error:
        at = min(error.pos or 0, len(text) - 1)
        raise CheckError("check.regex", f"not a regular expression: {error.msg}", at) from None
    except (OverflowError, RecursionError):
        raise CheckError("check.regex", "the regular expression is too large", 0, "", len(text)) from None
    _refuse_nested(tree, text, repeated=False)
    degree = max(1, _contest(list(tree)) + (not _anchored(list(tree))))
    return Pattern(regex, min(MAX_SUBJECT, int(_MAX_STEPS ** (1 / degree))))


def _is_repeat(op: Any) -> bool:
    return op in (_op.MAX_REPEAT, _op.MIN_REPEAT)


def _bodies(node: Node) -> Iterator[Any]:
    """The sequences inside a node."""
    op, value = node
    if _is_repeat(op) or op is _op.POSSESSIVE_REPEAT:
        yield value[2]
    elif op is _op.SUBPATTERN:
        yield value[3]
    elif op is _op.ATOMIC_GROUP:
        yield value
    elif op is _op.BRANCH:
        yield from value[1]
    elif op in (_op.ASSERT, _op.ASSERT_NOT):
        yield value[1]
    elif op is _op.GROUPREF_EXISTS:
        yield from (body for body in value[1:] if body is not None)


def _refuse_nested(tree: Any, text: str, repeated: bool) -> None:
    for node in tree:
        op, value = node
        if repeated and _is_repeat(op) and value[0] != value[1]:
            hint = 'say it without the outer repeat, or check with "contains"'
            raise CheckError("check.regex", _NESTED, 0, hint, len(text))
        if repeated and op is _op.BRANCH and _overlap(value[1]):
            hint = "let each alternative begin with another character"
            raise CheckError("check.regex", _ALIKE, 0, hint, len(text))
        again = _is_repeat(op) and value[1] > 1
        for body in _bodies(node):
            _refuse_nested(body, text, repeated or bool(again))


def _overlap(branches: list[Any]) -> bool:
    seen: set[str] = set()
    for branch in branches:
        first = _characters(branch[0]) if len(branch) else _EVERYTHING
        if seen & first:
            return True
        seen |= first
    return False


def _contest(nodes: list[Node]) -> int:
    """How many repeats, at worst, compete for the same characters: each adds one to the degree."""
    longest, run = 0, 0
    held: frozenset[str] = frozenset()
    for node in nodes:
        op, value = node
        open_ended = _is_repeat(op) and value[1] - value[0] >= _FEW
        inner = 0 if open_ended else max((_contest(list(body)) for body in _bodies(node)), default=0)
        characters = _characters(node)
        if not (held & characters) and not _optional(node):
            run, held = 0, frozenset()
        if open_ended or inner:
            run, held = run + max(1, inner), held | characters
        longest = max(longest, run)
    return longest


def _optional(node: Node) -> bool:
    op, value = node
    if _is_repeat(op) or op is _op.POSSESSIVE_REPEAT:
        return bool(value[0] == 0) or all(_optional(inner) for inner in value[2])
    if op in (_op.AT, _op.ASSERT, _op.ASSERT_NOT, _op.GROUPREF):
        return True
    bodies = list(_bodies(node))
    return bool(bodies) and any(all(_optional(inner) for inner in body) for body in bodies)


def _anchored(nodes: list[Node]) -> bool:
    if not nodes:
        return False
    op, value = nodes[0]
    return bool(op is _op.AT and value in (_op.AT_BEGINNING, _op.AT_BEGINNING_STRING))


def _characters(node: Node) -> frozenset[str]:
    """Which of the sample characters the node could take; everything, when in doubt."""
    op, value = node
    if op is _op.LITERAL:
        return frozenset({chr(value), chr(value).lower(), chr(value).upper()})
    if op is _op.IN:
        return _class_characters(value)
    if op in (_op.AT, _op.ASSERT, _op.ASSERT_NOT):
        return frozenset()
    if op in (_op.NOT_LITERAL, _op.ANY, _op.GROUPREF, _op.GROUPREF_EXISTS):
        return _EVERYTHING - {chr(value)} if op is _op.NOT_LITERAL else _EVERYTHING
    found: frozenset[str] = frozenset()
    for body in _bodies(node):
        found = found.union(*(_characters(inner) for inner in body))
    return found


def _class_characters(members: list[Node]) -> frozenset[str]:
    taken: set[str] = set()
    for op, value in members:
        if op is _op.LITERAL:
            taken |= {chr(value), chr(value).lower(), chr(value).upper()}
        elif op is _op.RANGE:
            low, high = value
            inside = {char for char in _SAMPLE if low <= ord(char) <= high} | {chr(low), chr(high)}
            taken |= inside | {char.lower() for char in inside} | {char.upper() for char in inside}
        elif op is _op.CATEGORY:
            taken |= {char for char in _SAMPLE if _CATEGORIES[value].match(char)}
    negated = bool(members) and members[0][0] is _op.NEGATE
    return _EVERYTHING - taken if negated else frozenset(taken)


_CATEGORIES: dict[Any, re.Pattern[str]] = {
    _op.CATEGORY_DIGIT: re.compile(r"\d"),
    _op.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    _op.CATEGORY_SPACE: re.compile(r"\s"),
    _op.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    _op.CATEGORY_WORD: re.compile(r"\w"),
    _op.CATEGORY_NOT_WORD: re.compile(r"\W"),
}
