"""Read the rows of a clients file, each with its line. What they hold is people's data, never echoed."""

from __future__ import annotations

from collections.abc import Callable

from runner.load.row import UTF8_HINT, Kind, Lines, Row, RowsFile
from runner.load.rows_csv import escape_cell, read_csv
from runner.load.rows_json import read_json, read_jsonl
from runner.load.rows_yaml import read_yaml
from runner.load.source import LINE_BREAK
from runner.model.problem import Location, Problem

__all__ = ["READERS", "Kind", "Row", "RowsFile", "escape_cell", "read_rows"]


def read_rows(path: str, data: bytes, kind: Kind) -> RowsFile:
    """Read a clients file. Never raises for what the file says: everything wrong is in `problems`."""
    if kind == "yaml":
        return read_yaml(path, data)
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return RowsFile((), (_not_utf8(path, error),))
    if "\0" in text:
        place = Lines(path, text).place(text.index("\0"))
        return RowsFile((), (Problem("clients.encoding", "found a NUL character, expected text", place, UTF8_HINT),))
    return READERS[kind](path, text)


def _not_utf8(path: str, error: UnicodeDecodeError) -> Problem:
    data = bytes(error.object)
    before = LINE_BREAK.split(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
    message = f"found byte 0x{data[error.start]:02x} at offset {error.start}, expected UTF-8"
    return Problem("clients.encoding", message, Location(path, len(before), len(before[-1]) + 1), UTF8_HINT)


READERS: dict[str, Callable[[str, str], RowsFile]] = {
    "csv": read_csv,
    "json": read_json,
    "jsonl": read_jsonl,
}
