"""The rows that were left out, ready to be corrected: their own columns plus line, field, reason and hint."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import TextIO

from runner.load.clients import Rejected
from runner.load.rows import escape_cell

ADDED = ("line", "field", "reason", "hint")


def write(rejected: Sequence[Rejected], columns: Sequence[str], *, as_lines: bool, out: TextIO) -> None:
    """CSV like the file it came from, or JSONL when the input was JSON. A corrected file can be given back as it is."""
    if as_lines:
        for entry in rejected:
            row = {**entry.row.cells, **dict(zip(ADDED, _why(entry), strict=True))}
            out.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        return
    names = [name for name in columns if name not in ADDED]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*names, *ADDED])
    for entry in rejected:
        cells = dict(zip(columns, entry.row.raw or (), strict=False))
        writer.writerow([*(escape_cell(cells.get(name, "")) for name in names), *map(escape_cell, _why(entry))])


def _why(entry: Rejected) -> tuple[str, str, str, str]:
    return str(entry.row.line), entry.field, entry.problem.message, entry.problem.hint
