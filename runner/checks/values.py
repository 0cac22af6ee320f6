"""Read the value of a check: a YAML 1.2 scalar or flow list, or a template that becomes one.

As everywhere in a playbook `NO`, `012` and `1_000` are text and fractions are Decimal. `0x1F` is text too,
because in our trade it begins a wallet address or a hash far more often than a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from runner.checks.errors import CheckError

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# No leading zeros, so that "012" stays text. Python itself refuses numbers of more than 4300 digits.
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,999})", re.ASCII)
_FRACTION = re.compile(r"[-+]?(\.[0-9]{1,999}|(0|[1-9][0-9]{0,999})(\.[0-9]{0,999})?)([eE][-+]?[0-9]{1,6})?", re.ASCII)
_ESCAPES = dict(zip('0abtnvfre"/\\N_LP ', '\0\a\b\t\n\v\f\r\x1b"/\\\x85\xa0\u2028\u2029 ', strict=True))
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}
MAX_DEPTH = 20

Leaf = Callable[[str, bool], Any]
"""Turns the text of one scalar, and whether it was quoted, into its value."""


def parse_value(text: str) -> Any:
    """The value that `text` writes; raises CheckError when a quote or a list is left open."""
    return read(text, plain)


def is_template(text: str) -> bool:
    return "{{" in text


def read(text: str, leaf: Leaf) -> Any:
    start = len(text) - len(text.lstrip())
    value, at = _node(text, start, leaf, depth=0)
    rest = text[at:].strip()
    if rest:
        at = text.index(rest, at)
        message = f'found "{rest}" after the value, expected its end'
        raise CheckError("check.syntax", message, at, end=at + len(rest))
    return value


def _node(text: str, at: int, leaf: Leaf, depth: int) -> tuple[Any, int]:
    head = text[at : at + 1]
    if head == "[":
        return _flow_list(text, at, leaf, depth)
    if head in ('"', "'"):
        inner, end = quoted(text, at)
        return leaf(inner, True), end
    if head == "{" and not text.startswith("{{", at):
        hint = "check its fields one by one"
        raise CheckError("check.syntax", "found a mapping, expected a scalar or a list", at, hint, len(text))
    end = _bare_end(text, at, in_list=depth > 0)
    return leaf(text[at:end].strip(), False), end


def _flow_list(text: str, at: int, leaf: Leaf, depth: int) -> tuple[list[Any], int]:
    opened = at
    if depth >= MAX_DEPTH:
        raise CheckError("check.syntax", f"lists are nested more than {MAX_DEPTH} levels deep", at)
    items: list[Any] = []
    at = _space(text, at + 1)
    while text[at : at + 1] != "]":
        if text[at : at + 1] == ",":
            raise CheckError("check.syntax", 'found ",", expected an item of the list', at)
        if at >= len(text):
            break
        item, at = _node(text, at, leaf, depth + 1)
        items.append(item)
        at = _space(text, at)
        if text[at : at + 1] == ",":
            at = _space(text, at + 1)
        elif at < len(text) and text[at] != "]":
            raise CheckError("check.syntax", f'found "{text[at]}" in a list, expected "," or "]"', at)
    if at >= len(text):
        raise CheckError("check.syntax", 'the list has no end, expected "]"', opened, 'add the "]"', len(text))
    return items, at + 1


def _space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _bare_end(text: str, at: int, in_list: bool) -> int:
    if not in_list:
        return len(text)
    while at < len(text) and text[at] not in ",]":
        if text.startswith("{{", at):
            at = template_end(text, at)
        elif text[at] in "[{}":
            raise CheckError("check.syntax", f'found "{text[at]}" in a list, expected "," or "]"', at, "quote the item")
        else:
            at += 1
    return at


def template_end(text: str, at: int) -> int:
    """Where the `{{` at `at` ends, past its `}}`; the end of the text when it never does."""
    depth, quote = 0, ""
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(text)


def quoted(text: str, at: int) -> tuple[str, int]:
    """The quoted scalar that starts at `at`, and where it ends. Templates inside are copied as they are."""
    opened, quote = at, text[at]
    parts: list[str] = []
    at += 1
    while at < len(text):
        if text.startswith("{{", at):
            end = template_end(text, at)
            parts.append(text[at:end])
            at = end
        elif quote == "'" and text.startswith("''", at):
            parts.append("'")
            at += 2
        elif text[at] == quote:
            return _join_surrogates("".join(parts)), at + 1
        elif quote == '"' and text[at] == "\\":
            char, at = _escape(text, at)
            parts.append(char)
        else:
            parts.append(text[at])
            at += 1
    raise CheckError("check.syntax", "the quoted text has no end", opened, f"add the closing {quote}", len(text))


def _escape(text: str, at: int) -> tuple[str, int]:
    kind = text[at + 1 : at + 2]
    if size := _HEX_ESCAPES.get(kind):
        digits = text[at + 2 : at + 2 + size]
        if re.fullmatch(f"[0-9A-Fa-f]{{{size}}}", digits) and int(digits, 16) < 0x110000:
            return chr(int(digits, 16)), at + 2 + size
    elif kind in _ESCAPES:
        return _ESCAPES[kind], at + 2
    hint = "write \\\\ for a backslash, or use single quotes"
    raise CheckError("check.syntax", f'"\\{kind}" is not an escape', at, hint, at + 2)


def _join_surrogates(text: str) -> str:
    # JSON writes 😀 as \ud83d\ude00, and people paste JSON.
    if not re.search("[\ud800-\udbff][\udc00-\udfff]", text):
        return text
    return re.sub(
        "[\ud800-\udbff][\udc00-\udfff]",
        lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"),
        text,
    )


def plain(text: str, is_quoted: bool) -> Any:
    if is_quoted:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return _decimal(text)
    return text


def _decimal(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what any number here can mean
        return text
