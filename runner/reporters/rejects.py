"""The rows that were left out, ready to be corrected: all that stood there, and why. They can be given back."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TextIO

from runner.load.clients import Rejected
from runner.load.rows import escape_cell


def as_csv(rejected: Sequence[Rejected], columns: Sequence[str], added: Sequence[str], out: TextIO) -> None:
    """Like the file it came from.

    What stands beyond the last column follows at the end, under no name: until somebody puts it right, the row has
    more cells than columns and is left out again.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, *added])
    for entry in rejected:
        raw = entry.row.raw or ()
        missing = [""] * (len(columns) - len(raw))
        row = [*raw[: len(columns)], *missing, *_why(entry), *raw[len(columns) :]]
        writer.writerow(map(escape_cell, row))


def as_lines(rejected: Sequence[Rejected], columns: Sequence[str], added: Sequence[str], out: TextIO) -> None:
    """One JSON object a line, when the input was JSON or YAML. The text of a row that is none stands under `row`."""
    for entry in rejected:
        cells = {"row": entry.row.raw[0]} if entry.row.raw else entry.row.cells
        row = {**cells, **dict(zip(added, _why(entry), strict=True))}
        out.write(_json(row) + "\n")


def _json(value: object) -> str:
    """With every digit of a number, which the json module would make a float or a text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_json(name)}: {_json(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _why(entry: Rejected) -> tuple[str, str, str, str]:
    return str(entry.row.line), entry.field, entry.problem.message, entry.problem.hint
