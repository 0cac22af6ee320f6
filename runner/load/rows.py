"""Read the rows of a clients file, each with its line. What they hold is people's data, never echoed."""

from __future__ import annotations

import csv
import io
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, Literal

from runner.load import yaml
from runner.load.source import LINE_BREAK, Source
from runner.model.problem import Location, Problem

Kind = Literal["csv", "json", "jsonl", "yaml"]

MAX_DEPTH = 64
MAX_CELL = 128 * 1024  # what the csv module takes
UTF8_HINT = 'save the file as UTF-8 (in Excel: "CSV UTF-8")'

# A spreadsheet runs a cell that begins like this. The quote keeps it text, and comes off when it comes back.
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
RUNNABLE = re.compile(rf"[=@\t\r]|(?!{NUMBER}\Z)[+-]|'+[=@\t\r+-]")
ESCAPED = re.compile(r"'+[=@\t\r+-]")


def _first_column(_name: str) -> int:
    return 1


@dataclass(frozen=True, slots=True)
class Row:
    """One client as written. `line` is where the record starts; `problems` are those of this row alone.

    `raw` holds a CSV record's cells in the order of the file, None for other kinds. To write them again,
    `escape_cell` each.
    """

    path: str
    line: int
    cells: Mapping[str, object] = field(repr=False)
    raw: tuple[str, ...] | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()
    places: Callable[[str], int] = field(default=_first_column, repr=False, compare=False)

    def location(self, column: str = "") -> Location:
        """Where the row stands, or the cell of a (dotted) column; never with the line's text."""
        return Location(self.path, self.line, self.places(column) if column else 1)


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


def read_rows(path: str, data: bytes, kind: Kind) -> RowsFile:
    """Read a clients file. Never raises for what the file says: everything wrong is in `problems`."""
    if kind == "yaml":
        return _read_yaml(path, data)
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return RowsFile((), (_not_utf8(path, error),))
    if "\0" in text:
        place = _Lines(path, text).place(text.index("\0"))
        return RowsFile((), (Problem("clients.encoding", "found a NUL character, expected text", place, UTF8_HINT),))
    return READERS[kind](path, text)


def escape_cell(text: str) -> str:
    """A cell that no spreadsheet will run; reading it gives the text back."""
    return f"'{text}" if RUNNABLE.match(text) else text


# --- csv ---------------------------------------------------------------------------------------

CELL = re.compile(r'"[^"]*(?:""[^"]*)*(?P<closed>"?)(?P<after>[^,\r\n]*)|[^,\r\n]*')


@dataclass(frozen=True)
class _Lines:
    """Turns offsets of a text into lines and columns, without keeping a line for a message."""

    path: str
    text: str

    @cached_property
    def starts(self) -> list[int]:
        return [0, *(match.end() for match in LINE_BREAK.finditer(self.text))]

    def place(self, offset: int) -> Location:
        line = bisect_right(self.starts, offset)
        return Location(self.path, line, offset - self.starts[line - 1] + 1)


@dataclass(frozen=True)
class _Table(_Lines):
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


def _read_csv(path: str, text: str) -> RowsFile:
    table = _Table(path, text)
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
        problems.append(Problem("clients.empty", f"found {found}, expected {expected}", Location(path)))
    return RowsFile(tuple(rows), tuple(problems), table.columns)


def _record(table: _Table, paths: tuple[tuple[str, ...], ...], line: int, record: list[str]) -> Row:
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


def _header(table: _Table, line: int) -> Iterator[Problem]:
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


def _cell_place(table: _Table, line: int, number: int) -> Location:
    return table.place(list(table.cells(line))[number - 1].start())


def _broken_record(table: _Table, line: int) -> Problem:
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


def _not_utf8(path: str, error: UnicodeDecodeError) -> Problem:
    data = bytes(error.object)
    before = LINE_BREAK.split(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
    message = f"found byte 0x{data[error.start]:02x} at offset {error.start}, expected UTF-8"
    return Problem("clients.encoding", message, Location(path, len(before), len(before[-1]) + 1), UTF8_HINT)


# --- json ---------------------------------------------------------------------------------------

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
    if len(text) > yaml.MAX_DIGITS:
        raise _UnfitError("found a number of too many digits")
    return int(text)


def _number(text: str) -> Decimal:
    if len(text) > yaml.MAX_DIGITS or not re.fullmatch(NUMBER, text):
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
        return Problem("clients.syntax", f"found text that is not JSON: {words}", place(error.pos))
    code = "clients.duplicate-key" if str(error).startswith("duplicate") else "clients.syntax"
    return Problem(code, str(error), place(start))


def _read_jsonl(path: str, text: str) -> RowsFile:
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
            rows.append(Row(path, number, {}, None, (problem,)))
            problems.append(problem)
            continue
        rows.append(_item(path, number, value))
        problems += rows[-1].problems
    return _file(path, rows, problems)


def _column_of(path: str, line: int, offset: int) -> Location:
    return Location(path, line, offset + 1)


def _read_json(path: str, text: str) -> RowsFile:
    lines = _Lines(path, text)
    rows: list[Row] = []
    offset = _skip(text, 0)
    if text[offset : offset + 1] != "[":
        found = "an empty file" if offset == len(text) else "something else"
        message = f"found {found}, expected a list of mappings"
        return RowsFile(
            (),
            (Problem("clients.empty" if offset == len(text) else "clients.syntax", message, Location(path)),),
        )
    offset = _skip(text, offset + 1)
    is_over = text[offset : offset + 1] == "]"
    start = offset
    try:
        while not is_over:
            start = offset
            value, offset = _decode(text, start)
            rows.append(_item(path, lines.place(start).line, value))
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
        return RowsFile(tuple(rows), (*(each for row in rows for each in row.problems), problem), _names(rows))
    return _file(path, rows, [problem for row in rows for problem in row.problems])


def _skip(text: str, offset: int) -> int:
    match = SPACE.match(text, offset)
    return match.end() if match else offset


def _item(path: str, line: int, value: object, places: Callable[[str], int] = _first_column) -> Row:
    if isinstance(value, dict):
        return Row(path, line, value, places=places)
    message = f"row is {yaml.kind_of(value)}, expected a mapping"
    return Row(path, line, {}, None, (Problem("clients.not-a-mapping", message, Location(path, line, 1)),), places)


def _file(path: str, rows: list[Row], problems: list[Problem]) -> RowsFile:
    if not rows:
        problems.append(Problem("clients.empty", "found no rows, expected one per client", Location(path)))
    return RowsFile(tuple(rows), tuple(problems), _names(rows))


def _names(rows: list[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row.cells))


READERS: dict[str, Callable[[str, str], RowsFile]] = {
    "csv": _read_csv,
    "json": _read_json,
    "jsonl": _read_jsonl,
}


# --- yaml ---------------------------------------------------------------------------------------


QUOTED = re.compile(r'".*"', re.DOTALL)


def _read_yaml(path: str, data: bytes) -> RowsFile:
    document = yaml.read(path, data)
    problems = [_without_data(problem) for problem in document.problems]
    if document.value is None:
        if not problems:
            problems.append(Problem("clients.empty", "found null, expected a list of mappings", Location(path)))
        return RowsFile((), tuple(problems))
    if not isinstance(document.value, list):
        message = f"found {yaml.kind_of(document.value)}, expected a list of mappings"
        return RowsFile((), (*problems, Problem("clients.syntax", message, Location(path, 1, 1))))
    rows = []
    for index, value in enumerate(document.value):
        places = partial(_yaml_column, document.source, index)
        rows.append(_item(path, document.source.line_of((index,)), value, places))
        problems += rows[-1].problems
    return _file(path, rows, problems)


def _yaml_column(source: Source, index: int, name: str) -> int:
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


# --- types ---------------------------------------------------------------------------------------


def convert(cells: Mapping[str, object], schema: Mapping[str, Any]) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """Give the text cells of a CSV row the types of a JSON Schema; and (dotted column, complaint) of misfits.

    What the schema calls text, or does not know, stays as it is: leading zeros and "+973" survive.
    """
    value, complaints = _convert_mapping(cells, schema, ())
    return value, [(name, f'column "{name}" {message}') for name, message in complaints]


def _convert_mapping(
    cells: Mapping[str, object], schema: Mapping[str, Any], outer: tuple[str, ...]
) -> tuple[dict[str, object], list[tuple[str, str]]]:
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    value: dict[str, object] = {}
    complaints: list[tuple[str, str]] = []
    for name, cell in cells.items():
        inner = known.get(name)
        schema_of_cell: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
        if isinstance(cell, Mapping):
            value[name], more = _convert_mapping(cell, schema_of_cell, (*outer, name))
            complaints += more
        elif isinstance(cell, str):
            value[name], messages = _convert_cell(cell, schema_of_cell)
            complaints += [(".".join((*outer, name)), message) for message in messages]
        else:
            value[name] = cell
    return value, complaints


def _convert_cell(cell: str, schema: Mapping[str, Any]) -> tuple[object, list[str]]:
    declared = schema.get("type")
    types = [declared] if isinstance(declared, str) else list(declared or ())
    if not types or "string" in types:
        return cell, []
    for name in types:
        if name == "array":
            return _convert_list(cell, schema)
        fits, value = CONVERTERS.get(name, _not_convertible)(cell.strip())
        if fits:
            return value, []
    expected = " or ".join(EXPECTED.get(name, str(name)) for name in types if name != "null" or len(types) == 1)
    return cell, [f"holds text, expected {expected}"]


def _convert_list(cell: str, schema: Mapping[str, Any]) -> tuple[object, list[str]]:
    items = schema.get("items")
    schema_of_item: Mapping[str, Any] = items if isinstance(items, Mapping) else {}
    values, messages = [], []
    for number, part in enumerate(filter(None, (part.strip() for part in cell.split(";"))), 1):
        value, wrong = _convert_cell(part, schema_of_item)
        values.append(value)
        messages += [f"{message} (entry {number})" for message in wrong]
    return values, messages


def _to_boolean(text: str) -> tuple[bool, object]:
    word = text.lower()  # Excel writes TRUE
    return word in ("true", "false"), word == "true"


def _to_integer(text: str) -> tuple[bool, object]:
    fits = re.fullmatch(r"[+-]?[0-9]+", text) is not None and len(text) <= yaml.MAX_DIGITS
    return fits, int(text) if fits else None


def _to_null(text: str) -> tuple[bool, object]:
    return text == "null", None


def _to_number(text: str) -> tuple[bool, object]:
    fits = re.fullmatch(NUMBER, text) is not None and len(text) <= yaml.MAX_DIGITS
    return fits, Decimal(text) if fits else None


def _not_convertible(_text: str) -> tuple[bool, object]:
    return False, None


CONVERTERS: dict[str, Callable[[str], tuple[bool, object]]] = {
    "boolean": _to_boolean,
    "integer": _to_integer,
    "null": _to_null,
    "number": _to_number,
}
EXPECTED = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number such as 12.50",
    "object": 'a mapping (columns such as "address.city")',
}
