"""Rows of a YAML list of mappings."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from runner.load import yaml
from runner.load.row import ADD_ROWS, LIST_THEM, RowsFile, as_file, as_row
from runner.load.source import Source
from runner.load.yaml_values import kind_of
from runner.model.problem import Location, Problem

QUOTED = re.compile(r'".*"', re.DOTALL)


def read_yaml(path: str, data: bytes) -> RowsFile:
    document = yaml.read(path, data)
    if [problem.code for problem in document.problems] == ["yaml.empty"]:
        message = "found an empty file, expected a list of mappings"
        return RowsFile((), (Problem("clients.empty", message, Location(path), ADD_ROWS),))
    problems = [_without_data(problem) for problem in document.problems]
    if document.value is None:
        if not problems:
            problems.append(
                Problem("clients.empty", "found null, expected a list of mappings", Location(path), LIST_THEM)
            )
        return RowsFile((), tuple(problems))
    if not isinstance(document.value, list):
        message = f"found {kind_of(document.value)}, expected a list of mappings"
        return RowsFile((), (*problems, Problem("clients.syntax", message, Location(path, 1, 1), LIST_THEM)))
    rows = []
    for index, value in enumerate(document.value):
        places = partial(_yaml_column, document.source, index)
        rows.append(as_row(path, document.source.line_of((index,)), value, places))
        problems += rows[-1].problems
    return as_file(path, rows, problems)


def _yaml_column(source: Source, index: int, name: str) -> int:
    if not name:
        return 1
    cell = source.locate((index, *name.split(".")))
    return cell.column if cell.line == source.line_of((index,)) else 1


def _without_data(problem: Problem) -> Problem:
    """The same complaint without the line, and without the words of the file that it shows."""
    message, hint = problem.message, "" if "{{" in problem.hint else problem.hint
    if problem.code == "yaml.syntax":
        _, comma, expected = message.rpartition(", expected ")
        message = "found text that is not YAML" + (comma + expected if comma else "")
    elif problem.code not in ("yaml.duplicate-key", "yaml.key"):
        message, hint = QUOTED.sub('"…"', message), QUOTED.sub('"…"', hint)
    place = replace(problem.location, line_text="") if problem.location else None
    return replace(problem, message=message, hint=hint, location=place)
