"""Take single rows out of a clients file: every other row stays on its line, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from runner.load.clients import kind_of_file
from runner.load.row import Lines, Row
from runner.load.rows import read_rows
from runner.load.source import LINE_BREAK

_SPACE = " \t\r\n"


def without_rows(path: str, data: bytes, is_out: Callable[[Row], bool]) -> bytes | None:
    """The file without the rows that are out; None when it can't be taken apart."""
    kind = kind_of_file(path, data)
    if kind not in ("csv", "json", "jsonl"):
        return None
    file = read_rows(path, data, kind)
    if file.file_problems:
        return None
    out = {row.line for row in file.rows if is_out(row)}
    text = data.decode("utf-8")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    if kind == "json":
        pieces = list(_elements(path, text, [is_out(row) for row in file.rows]))
    else:
        starts = [row.line for row in file.rows]
        pieces = list(_lines(text, starts, out, is_single=kind == "jsonl"))
    return (mark + "".join(pieces)).encode()


def _lines(text: str, starts: list[int], out: set[int], *, is_single: bool) -> Iterator[str]:
    """A row goes up to the next one; of a row that is out its line breaks are left."""
    begins = set(starts)
    is_out = False
    ends = "\n" if is_single else None
    for number, line in enumerate(_split(text, ends), 1):
        if number in begins:
            is_out = number in out
        yield "".join(LINE_BREAK.findall(line)) if is_out else line


def _split(text: str, end: str | None) -> list[str]:
    if end is not None:
        return [f"{line}{end}" for line in text.split(end)[:-1]] + text.split(end)[-1:]
    starts = Lines("", text).starts
    return [text[start:stop] for start, stop in zip(starts, [*starts[1:], len(text)], strict=True)]


def _elements(path: str, text: str, outs: list[bool]) -> Iterator[str]:
    """A list in JSON: the entries that stay, each with the blanks and line breaks before it, and commas between."""
    decoder = json.JSONDecoder()
    offset = _skip(text, 0) + 1
    yield text[:offset]
    is_first = True
    for is_out in outs:
        start = _skip(text, offset)
        end = decoder.raw_decode(text, start)[1]
        if is_out:
            yield "".join(LINE_BREAK.findall(text[offset:end]))
        else:
            yield ("" if is_first else ",") + text[offset:end]
            is_first = False
        after = _skip(text, end)
        yield text[end:after]
        offset = after + 1 if text[after] == "," else after
    yield text[offset:]


def _skip(text: str, offset: int) -> int:
    while text[offset : offset + 1] and text[offset] in _SPACE:
        offset += 1
    return offset
