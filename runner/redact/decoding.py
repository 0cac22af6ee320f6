"""Undo the escapes of JSON, URLs and HTML, and remember what stood where."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from dataclasses import dataclass

_HEX = "[0-9a-fA-F]"
_ESCAPE = re.compile(
    rf"""\\u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}} | \\u{_HEX}{{4}} | \\["\\/bfnrt]
    | %[0-7]{_HEX} | %[c-fC-F]{_HEX}(?:%[89abAB]{_HEX}){{1,3}}
    | &(?:\#[0-9]{{1,7}}|\#[xX]{_HEX}{{1,6}}|amp|lt|gt|quot|apos|nbsp);""",
    re.VERBOSE,
)
_BACKSLASHED = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded text, and for each escape in it: from where to where there, from where to where before."""

    text: str
    begins: list[int]
    escapes: list[tuple[int, int, int, int]]

    def origin(self, start: int, end: int) -> Span:
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, at: int) -> Span:
        index = bisect_right(self.begins, at) - 1
        if index < 0:
            return at, at + 1
        begin, end, origin_begin, origin_end = self.escapes[index]
        if begin <= at < end:
            return origin_begin, origin_end
        return at - end + origin_end, at - end + origin_end + 1


def decode(text: str) -> Decoded | None:
    """None when there is nothing to decode."""
    if not ("\\" in text or "%" in text or "&" in text):
        return None
    pieces: list[str] = []
    escapes: list[tuple[int, int, int, int]] = []
    size = copied = 0
    for match in _ESCAPE.finditer(text):
        char = _decoded_escape(match[0])
        pieces += text[copied : match.start()], char
        size += match.start() - copied
        escapes.append((size, size + len(char), match.start(), match.end()))
        size += len(char)
        copied = match.end()
    if not escapes:
        return None
    return Decoded("".join((*pieces, text[copied:])), [escape[0] for escape in escapes], escapes)


def _decoded_escape(escape: str) -> str:
    if escape[0] == "%":
        return bytes.fromhex(escape.replace("%", "")).decode("utf-8", "replace")
    if escape.startswith("&#"):  # not html.unescape, which drops control characters
        code = int(escape[3:-1], 16) if escape[2] in "xX" else int(escape[2:-1])
        return chr(code) if code < 0x110000 else "\ufffd"
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[1] != "u":
        return _BACKSLASHED[escape[1]]
    units = bytes.fromhex(escape.replace("\\u", ""))
    return units.decode("utf-16-be", "surrogatepass")
