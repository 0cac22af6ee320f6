"""A row of a clients file, and what a whole file comes to. What rows hold is people's data, never echoed."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from runner.load.source import LINE_BREAK
from runner.load.yaml_values import kind_of
from runner.model.problem import Location, Problem

Kind = Literal["csv", "json", "jsonl", "yaml"]

ADD_ROWS = "add a row for each client"
LIST_THEM = 'begin each client with "- " (YAML), or put them all between [ and ] (JSON)'
UTF8_HINT = 'save the file as UTF-8 (in Excel: "CSV UTF-8")'
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"


def _first_column(_name: str) -> int:
    return 1


@dataclass(frozen=True, slots=True)
class Row:
    """One client as written. `line` is where the record starts; `problems` are those of this row alone.

    `raw` holds a CSV record's cells in the order of the file; to write them again, `escape_cell` each. Of other kinds
    it is None, or the text of a row that is no mapping.
    """

    path: str
    line: int
    cells: Mapping[str, object] = field(repr=False)
    raw: tuple[str, ...] | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()
    places: Callable[[str], int] = field(default=_first_column, repr=False, compare=False)

    def location(self, column: str = "") -> Location:
        """Where the row stands, or the cell of a (dotted) column; never with the line's text."""
        return Location(self.path, self.line, self.places(column))


@dataclass(frozen=True, slots=True)
class RowsFile:
    """What a clients file holds. `problems` are all there are, those of single rows included."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def file_problems(self) -> tuple[Problem, ...]:
        """The problems that no row can be blamed for: they make the whole file unreadable."""
        of_rows = {id(problem) for row in self.rows for problem in row.problems}
        return tuple(problem for problem in self.problems if id(problem) not in of_rows)


@dataclass(frozen=True)
class Lines:
    """Turns offsets of a text into lines and columns, without keeping a line for a message."""

    path: str
    text: str

    @cached_property
    def starts(self) -> list[int]:
        return [0, *(match.end() for match in LINE_BREAK.finditer(self.text))]

    def place(self, offset: int) -> Location:
        line = bisect_right(self.starts, offset)
        return Location(self.path, line, offset - self.starts[line - 1] + 1)


def as_row(path: str, line: int, value: object, places: Callable[[str], int] = _first_column) -> Row:
    if isinstance(value, dict):
        return Row(path, line, value, places=places)
    message = f"row is {kind_of(value)}, expected a mapping"
    problem = Problem("clients.not-a-mapping", message, Location(path, line, 1), 'write a client as {"field": "value"}')
    return Row(path, line, {}, (json.dumps(value, ensure_ascii=False, default=str),), (problem,), places)


def as_file(path: str, rows: list[Row], problems: list[Problem]) -> RowsFile:
    if not rows:
        problems.append(Problem("clients.empty", "found no rows, expected one per client", Location(path), ADD_ROWS))
    return RowsFile(tuple(rows), tuple(problems), names(rows))


def names(rows: list[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row.cells))
