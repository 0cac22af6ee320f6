"""Rows of a CSV file: dotted headers nest, an empty cell is absent, a ragged row is told with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from runner.load.row import ADD_ROWS, NUMBER, Lines, Row, RowsFile
from runner.model.problem import Location, Problem

MAX_CELL = 128 * 1024  # what the csv module takes

# A spreadsheet runs a cell that begins like this. The quote keeps it text, and comes off when it comes back.
RUNNABLE = re.compile(rf"[=@\t\r]|(?!{NUMBER}\Z)[+-]|'+[=@\t\r+-]")
ESCAPED = re.compile(r"'+[=@\t\r+-]")
CELL = re.compile(r'"[^"]*(?:""[^"]*)*(?P<closed>"?)(?P<after>[^,\r\n]*)|[^,\r\n]*')


def escape_cell(text: str) -> str:
    """A cell that no spreadsheet will run; reading it gives the text back."""
    return f"'{text}" if RUNNABLE.match(text) else text


@dataclass(frozen=True)
class Table(Lines):
    """A CSV text and its header."""

    columns: tuple[str, ...] = ()

    def column(self, line: int, name: str) -> int:
        """The column of a cell, when it begins on the line on which its record begins."""
        if name not in self.columns:
            return 1
        index = self.columns.index(name)
        for count, match in enumerate(self.cells(line)):
            if count == index:
                place = self.place(match.start())
                return place.column if place.line == line else 1
        return 1

    def cells(self, line: int) -> Iterator[re.Match[str]]:
        """The cells of the record that begins on `line`, as they stand in the text."""
        offset = self.starts[line - 1]
        while match := CELL.match(self.text, offset):
            yield match
            offset = match.end() + 1
            if self.text[match.end() : offset] != ",":
                return


def read_csv(path: str, text: str) -> RowsFile:
    table = Table(path, text)
    rows: list[Row] = []
    problems: list[Problem] = []
    paths: tuple[tuple[str, ...], ...] = ()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error:
            problems.append(_broken_record(table, line))
            return RowsFile(tuple(rows), tuple(problems), table.columns)
        if record is None:
            break
        if not record:
            continue
        if not table.columns:
            table = replace(table, columns=tuple(name.strip() for name in record))
            problems += _header(table, line)
            if problems:
                return RowsFile((), tuple(problems), table.columns)
            paths = tuple(tuple(name.split(".")) for name in table.columns)
            continue
        row = _record(table, paths, line, record)
        rows.append(row)
        problems += row.problems
    if not rows:
        found, expected = ("no rows", "one per client") if table.columns else ("an empty file", "a header row")
        problems.append(Problem("clients.empty", f"found {found}, expected {expected}", Location(path), ADD_ROWS))
    return RowsFile(tuple(rows), tuple(problems), table.columns)


def _record(table: Table, paths: tuple[tuple[str, ...], ...], line: int, record: list[str]) -> Row:
    raw = tuple(cell[1:] if cell[:1] == "'" and ESCAPED.match(cell) else cell for cell in record)
    cells: dict[str, Any] = {}
    for names, cell in zip(paths, raw, strict=False):
        if not cell:
            continue
        inner = cells
        for name in names[:-1]:
            inner = inner.setdefault(name, {})
        inner[names[-1]] = cell
    problems: tuple[Problem, ...] = ()
    if len(raw) != len(paths):
        message = f"found {_cells(len(raw))}, expected {len(paths)}"
        hint = (
            "put double quotes around a cell that holds a comma" if len(raw) > len(paths) else "add the missing cells"
        )
        problems = (Problem("clients.ragged", message, Location(table.path, line, 1), hint),)
    return Row(table.path, line, cells, raw, problems, partial(table.column, line))


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _header(table: Table, line: int) -> Iterator[Problem]:
    if len(table.columns) == 1 and (other := re.search(r"[;\t]", table.columns[0])):
        sign = "semicolons" if other[0] == ";" else "tabs"
        message = f"found a header with {sign}, expected commas"
        yield Problem(
            "clients.header",
            message,
            Location(table.path, line, 1),
            "save the file as comma separated values",
        )
        return
    first: dict[str, int] = {}
    for number, (name, match) in enumerate(zip(table.columns, table.cells(line), strict=False), 1):
        place = table.place(match.start())
        if not name or "" in name.split("."):
            message = f'column "{name}" has an empty part in its name' if name else f"column {number} has no name"
            yield Problem("clients.header", message, place, "give every column a name")
        elif name in first:
            message = f'duplicate column "{name}", first given as column {first[name]}'
            yield Problem("clients.header", message, place, "remove one of the two")
        first.setdefault(name, number)
    for name in first:
        parts = name.split(".")
        for outer in (".".join(parts[:count]) for count in range(1, len(parts))):
            if outer in first and outer:
                message = f'column "{name}" stands beside "{outer}", expected one of them'
                yield Problem("clients.header", message, _cell_place(table, line, first[name]), f'rename "{outer}"')


def _cell_place(table: Table, line: int, number: int) -> Location:
    return table.place(list(table.cells(line))[number - 1].start())


def _broken_record(table: Table, line: int) -> Problem:
    for match in table.cells(line):
        if match["closed"] == "":
            message = "found no closing quote for the quote that opens here"
            return Problem("clients.quote", message, table.place(match.start()), "close the quote")
        if match["after"]:
            message = "found text after the closing quote of the cell that begins here, expected a comma"
            hint = 'write "" for a quote inside a quoted cell'
            return Problem("clients.quote", message, table.place(match.start()), hint)
    message = f"found a cell of more than {MAX_CELL:,} characters"
    return Problem("clients.too-large", message, Location(table.path, line, 1), "put long content in a document")
