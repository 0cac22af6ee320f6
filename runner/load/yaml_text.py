"""A file's bytes as text that YAML may hold: not too large, UTF-8, no control characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.load.source import LINE_BREAK, Source
from runner.model.problem import Location, Problem

MAX_BYTES = 1024 * 1024
FORBIDDEN_ASCII = re.compile("[^\t\n\r\x20-\x7e]")
FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"


def too_large(path: str, size: int) -> Problem | None:
    if size <= MAX_BYTES:
        return None
    message = f"found a file of {size:,} bytes, expected at most {MAX_BYTES:,}"
    return Problem("yaml.too-large", message, Location(path), "split the file")


def not_utf8(path: str, error: UnicodeDecodeError) -> Problem:
    data = bytes(error.object)
    start = max(data.rfind(b"\n", 0, error.start), data.rfind(b"\r", 0, error.start)) + 1
    before = LINE_BREAK.split(data[: error.start].decode("utf-8"))
    line = LINE_BREAK.split(data[start:].decode("utf-8", "replace"), maxsplit=1)[0]
    column = len(before[-1]) + 1
    found = f"found byte 0x{data[error.start]:02x} at offset {error.start}, expected UTF-8"
    return Problem(
        "yaml.encoding",
        found,
        Location(path, len(before), column, column + 1, line),
        "save the file as UTF-8",
    )


def forbidden(source: Source) -> Iterator[Problem]:
    # Compiling the wide pattern takes 3 ms, and most files are ASCII.
    pattern = FORBIDDEN_ASCII if source.text.isascii() else re.compile(FORBIDDEN)
    for count, match in enumerate(pattern.finditer(source.text)):
        if count == 10:  # a binary file; ten say it as well as ten thousand
            return
        code = ord(match[0])
        kind = "half of a pair" if 0xD800 <= code <= 0xDFFF else "control character"
        yield Problem(
            "yaml.control-character",
            f"found the {kind} U+{code:04X}, expected text",
            source.at(*match.span()),
            f'remove it, or write "\\x{code:02x}" inside double quotes' if 0 < code <= 0xFF else "remove it",
        )
