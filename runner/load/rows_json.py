"""Rows of a JSON list or of JSON lines: exact numbers, no duplicate keys, bounded depth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from runner.load.row import LIST_THEM, NUMBER, Lines, Row, RowsFile, as_file, as_row, names
from runner.load.yaml_values import MAX_DIGITS
from runner.model.problem import Location, Problem

MAX_DEPTH = 64
FIX_JSON = "correct the JSON; one value per line in .jsonl, one list in .json"
OPENINGS = {"{": "a mapping", '"': "text"}
SPACE = re.compile(r"[ \t\r\n]*")
BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
HALF_OF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
WORDS = {
    "Expecting ',' delimiter": 'expected "," or the end of the value',
    "Expecting ':' delimiter": 'expected ":" after the key',
    "Expecting property name enclosed in double quotes": "expected a key in double quotes",
    "Expecting value": "expected a value",
    "Extra data": "expected nothing more",
    "Illegal trailing comma before end of array": 'found a "," before the end, expected a value',
    "Illegal trailing comma before end of object": 'found a "," before the end, expected a key',
    "Invalid \\escape": "found a backslash that escapes nothing",
    "Invalid \\uXXXX escape": "found an escape that names no character",
    "Invalid control character at": "found a control character inside quotes",
    "Unterminated string starting at": "found no closing quote",
}


class _UnfitError(ValueError):
    """JSON that is well formed and still can't be taken; says why."""


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value: dict[str, object] = {}
    for name, item in pairs:
        if name in value:
            raise _UnfitError(f'duplicate key "{name[:60]}"')
        value[name] = item
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _UnfitError("found a number of too many digits")
    return int(text)


def _number(text: str) -> Decimal:
    if len(text) > MAX_DIGITS or not re.fullmatch(NUMBER, text):
        raise _UnfitError("found a number of too many digits")
    return Decimal(text)


def _constant(text: str) -> object:
    raise _UnfitError(f"found {text}, expected a number")


DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_number, parse_constant=_constant)


def _decode(text: str, start: int) -> tuple[object, int]:
    """One JSON value and where it ends."""
    try:
        value, end = DECODER.raw_decode(text, start)
    except RecursionError:
        raise _UnfitError(f"found more than {MAX_DEPTH} levels") from None
    if _depth(text[start:end]) > MAX_DEPTH:
        raise _UnfitError(f"found more than {MAX_DEPTH} levels")
    if HALF_OF_PAIR.search(text, start, end) and not _is_encodable(value):
        raise _UnfitError("found half of a character (a lone surrogate)")
    return value, end


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in BRACKET.finditer(text):
        depth += (match[0] in "[{") - (match[0] in "]}")
        deepest = max(deepest, depth)
    return deepest


def _is_encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _not_json(error: ValueError, place: Callable[[int], Location], start: int) -> Problem:
    if isinstance(error, json.JSONDecodeError):
        words = WORDS.get(error.msg.removesuffix(": "), error.msg[:1].lower() + error.msg[1:])
        return Problem("clients.syntax", f"found text that is not JSON: {words}", place(error.pos), FIX_JSON)
    code = "clients.duplicate-key" if str(error).startswith("duplicate") else "clients.syntax"
    return Problem(code, str(error), place(start), FIX_JSON)


def read_jsonl(path: str, text: str) -> RowsFile:
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r"):
            continue
        place = partial(_column_of, path, number)
        start = _skip(line, 0)
        try:
            value, end = _decode(line, start)
            if _skip(line, end) < len(line):
                raise json.JSONDecodeError("Extra data", line, end)
        except ValueError as error:
            problem = _not_json(error, place, start)
            rows.append(Row(path, number, {}, (line.strip(),), (problem,)))
            problems.append(problem)
            continue
        rows.append(as_row(path, number, value))
        problems += rows[-1].problems
    return as_file(path, rows, problems)


def _column_of(path: str, line: int, offset: int) -> Location:
    return Location(path, line, offset + 1)


def read_json(path: str, text: str) -> RowsFile:
    lines = Lines(path, text)
    rows: list[Row] = []
    offset = _skip(text, 0)
    if text[offset : offset + 1] != "[":
        found = "an empty file" if offset == len(text) else OPENINGS.get(text[offset], "something else")
        message = f"found {found}, expected a list of mappings"
        code = "clients.empty" if offset == len(text) else "clients.syntax"
        return RowsFile((), (Problem(code, message, Location(path), LIST_THEM),))
    offset = _skip(text, offset + 1)
    is_over = text[offset : offset + 1] == "]"
    start = offset
    try:
        while not is_over:
            start = offset
            value, offset = _decode(text, start)
            rows.append(as_row(path, lines.place(start).line, value))
            offset = _skip(text, offset)
            if text[offset : offset + 1] not in (",", "]"):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, offset)
            is_over = text[offset] == "]"
            offset = _skip(text, offset + 1)
        offset = offset + 1 if not rows else offset
        if _skip(text, offset) < len(text):
            raise json.JSONDecodeError("Extra data", text, _skip(text, offset))
    except ValueError as error:
        problem = _not_json(error, lines.place, start)
        return RowsFile(tuple(rows), (*(each for row in rows for each in row.problems), problem), names(rows))
    return as_file(path, rows, [problem for row in rows for problem in row.problems])


def _skip(text: str, offset: int) -> int:
    match = SPACE.match(text, offset)
    return match.end() if match else offset
