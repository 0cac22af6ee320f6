"""The columns that a rejects file has beside a person's own: what they are called, and how they come off again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from runner.load.row import Row, RowsFile

ADDED = ("line", "field", "reason", "hint")
SUFFIX = "_rejected"


def added_columns(taken: Collection[str]) -> tuple[str, ...]:
    """What ours are called beside the names that are `taken`: a person's own column keeps its name."""
    outer = {name.partition(".")[0] for name in taken}
    return tuple(next(name for name in _names(base) if name not in outer) for base in ADDED)


def without_added(file: RowsFile, own: Collection[str]) -> RowsFile:
    """A rejects file that comes back, as the person wrote it; any other file as it is.

    It is one when it has all four columns, none of them among the names that are the playbook's `own`, and the line is
    a number wherever it is told.
    """
    added = [max((name for name in file.columns if _is(name, base)), key=len, default="") for base in ADDED]
    if "" in added or not set(added).isdisjoint(own):
        return file
    if not all(str(row.cells.get(added[0], "0")).isdecimal() for row in file.rows):
        return file
    at = frozenset(number for number, name in enumerate(file.columns) if name in added)
    columns = tuple(name for name in file.columns if name not in added)
    return replace(file, rows=tuple(_without(row, added, at) for row in file.rows), columns=columns)


def _names(base: str) -> Iterator[str]:
    while True:
        yield base
        base += SUFFIX


def _is(name: str, base: str) -> bool:
    return name.startswith(base) and not name[len(base) :].replace(SUFFIX, "")


def _without(row: Row, added: Collection[str], at: Collection[int]) -> Row:
    cells = {name: cell for name, cell in row.cells.items() if name not in added}
    raw = row.raw and tuple(cell for number, cell in enumerate(row.raw) if number not in at)
    return replace(row, cells=cells, raw=raw)
