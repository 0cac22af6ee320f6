"""Clients: rows of a file or inline, each cell with its type, each with its own name, documents and funding."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Literal

from runner.load.added_columns import ADDED, added_columns, without_added
from runner.load.convert import convert
from runner.load.names import own_names
from runner.load.row import names
from runner.load.rows import Row, RowsFile, read_rows
from runner.load.schema import Schema
from runner.load.selecting import selected
from runner.model.plan import Client
from runner.model.playbook import Playbook
from runner.model.problem import Location, Problem
from runner.nearest import did_you_mean
from runner.references import canonical
from runner.templates import TemplateError, render

Kind = Literal["csv", "jsonl", "json", "yaml"]
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".yaml": "yaml",
    ".yml": "yaml",
}


_LACKING = re.compile(r'"client(?:\.([^"]+))?" has no field "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Cell(Location):
    """Where a client's (dotted) field stands; in a file of one line, only the field tells one place from another."""

    field: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out by --skip-invalid: why, where, and what stood there."""

    row: Row
    key: str
    problem: Problem
    field: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows are wanted: `--key`, `--select`, `--limit`."""

    key: str = ""
    select: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Clients:
    """What the rows came to. `problems` stop everything unless rows may be skipped.

    `columns` are a person's own, `added` what a rejects file calls those that it puts beside them.
    """

    clients: tuple[Client, ...]
    problems: tuple[Problem, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    columns: tuple[str, ...] = ()
    kind: Kind = "yaml"
    fatal: tuple[Problem, ...] = ()
    rows: tuple[Row, ...] = ()
    added: tuple[str, ...] = ADDED
    row_of: Mapping[str, Row] = field(default_factory=dict)


def kind_of_file(path: str, data: bytes) -> Kind | None:
    """By the name's ending; standard input by its first character."""
    if path != "-":
        return KINDS.get(Path(path).suffix.lower())
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return {b"{": "jsonl", b"[": "json"}.get(start, "csv")  # type: ignore[return-value]


def read_clients(
    playbook: Playbook,
    inputs: Mapping[str, Any],
    batch: str,
    choice: Choice,
    path: str = "",
    data: bytes | None = None,
    today: date | None = None,
) -> Clients:
    """The playbook's clients, from `data` (the content of `path`) or inline. Never raises for what they say."""
    if data is None:
        return _inline(playbook, inputs, batch, choice, today)
    kind = kind_of_file(path, data)
    if kind is None:
        problem = Problem(
            "clients.unknown-kind",
            f'"{path}" is no kind of clients file that is known',
            hint=f"use one of: {', '.join(sorted(KINDS))}",
        )
        return Clients((), (problem,), fatal=(problem,))
    file = read_rows(path if path != "-" else "<stdin>", data, kind)
    file = without_added(file, {*own_names(playbook), choice.key})
    return _finish(playbook, inputs, batch, choice, file, kind, today)


def _inline(playbook: Playbook, inputs: Mapping[str, Any], batch: str, choice: Choice, today: date | None) -> Clients:
    rule = playbook.clients
    line = rule.location.line if rule.location else 0
    if rule.items is None:
        if rule.schema or rule.key:
            problem = Problem(
                "clients.missing",
                "the playbook needs clients",
                rule.location,
                "give a file with --clients FILE",
            )
            return Clients((), (problem,), fatal=(problem,))
        # A playbook without clients runs once: reading a catalogue, say.
        return Clients((Client(playbook.name, line, {}, location=rule.location, digest=_digest({})),))
    rows = tuple(_inline_row(playbook, number, item) for number, item in enumerate(rule.items))
    return _finish(playbook, inputs, batch, choice, RowsFile(rows, columns=names(list(rows))), "yaml", today)


def _inline_row(playbook: Playbook, number: int, item: Mapping[str, Any]) -> Row:
    locate = playbook.clients.locate
    if locate is None:
        return Row(playbook.path, 0, dict(item))
    own = locate(number, "")

    def column(name: str) -> int:
        place = locate(number, name)
        return place.column if place.line == own.line else own.column

    return Row(playbook.path, own.line, dict(item), places=column)


def _finish(
    playbook: Playbook,
    inputs: Mapping[str, Any],
    batch: str,
    choice: Choice,
    file: RowsFile,
    kind: Kind,
    today: date | None,
) -> Clients:
    if file.file_problems:
        return Clients((), file.problems, columns=file.columns, kind=kind, fatal=file.file_problems)
    key = choice.key or playbook.clients.key
    wrong = _header_problem(playbook, file, key, kind)
    if wrong:
        return Clients((), (wrong,), columns=file.columns, kind=kind, fatal=(wrong,))
    schema = Schema(playbook.clients.schema, stage="clients", personal=True, today=today)
    typed = [_typed(row, schema, key, kind) for row in file.rows]
    kept: list[Client] = []
    rejected: list[Rejected] = []
    row_of: dict[str, Row] = {}
    problems: list[Problem] = []
    for row, values, name, found in _without_doubles(typed):
        found = found or _fill(playbook, inputs, batch, row, values, name, kept)
        problems += found
        if found:
            rejected.append(Rejected(row, name or f"line {row.line}", found[0], field_of(found[0])))
        else:
            row_of[name] = row
    chosen, wrong = _chosen(playbook, kept, choice, file)
    if wrong:
        return Clients((), (wrong,), columns=file.columns, kind=kind, fatal=(wrong,))
    if not chosen and not problems:
        empty = Problem(
            "clients.empty",
            "no client is left to run",
            Location(file.rows[0].path) if file.rows else None,
            "widen --select or --limit",
        )
        return Clients((), (empty,), columns=file.columns, kind=kind, fatal=(empty,))
    added = added_columns({*file.columns, *own_names(playbook), key})
    return Clients(
        tuple(chosen),
        tuple(problems),
        tuple(rejected),
        file.columns,
        kind,
        rows=file.rows,
        added=added,
        row_of=row_of,
    )


def _header_problem(playbook: Playbook, file: RowsFile, key: str, kind: Kind) -> Problem | None:
    """A wrong column is one mistake, not one in each row."""
    if not file.rows:
        return Problem("clients.empty", "there are no clients", playbook.clients.location, "add at least one")
    path = file.rows[0].path
    if not key:
        return Problem(
            "clients.no-key",
            "nothing names a client",
            playbook.clients.location,
            'set "key" under "clients", or give --key FIELD',
        )
    if kind == "csv" and key not in file.columns:
        return Problem(
            "clients.missing-column",
            f'column "{key}" is missing, and it names the clients',
            Location(path, 1, 1),
            did_you_mean(key, file.columns) or "add the column, or name another one with --key",
        )
    return None


_Typed = tuple[Row, Mapping[str, Any], str, list[Problem]]


def _typed(row: Row, schema: Schema, key: str, kind: Kind) -> _Typed:
    if row.problems:
        return row, {}, "", list(row.problems)
    values: Mapping[str, Any] = row.cells
    found: list[Problem] = []
    if kind == "csv":
        values, misfits = convert(row.cells, schema.body)
        found = [
            Problem("clients.wrong-type", message, _cell(row, name), "correct the cell") for name, message in misfits
        ]
    told = {problem.location for problem in found}
    for problem in schema.problems(
        values,
        lambda path, is_key: _cell(row, ".".join(str(step) for step in path if isinstance(step, str))),
    ):
        if problem.location not in told:
            found.append(problem)
    name = values.get(key)
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        found = [each for each in found if each.message != f'missing key "{key}"']
        found.append(
            Problem(
                "clients.no-key",
                f'the row has no "{key}", and that names the client',
                _cell(row, key),
                "give each client its own",
            )
        )
        return row, values, "", found
    return row, values, str(name), found


def _without_doubles(typed: Sequence[_Typed]) -> Iterator[_Typed]:
    """The second row of one name is a mistake, and both lines are told."""
    first: dict[str, Row] = {}
    for row, values, name, found in typed:
        if name and name in first:
            message = f'client "{name}" is already there, on line {first[name].line}'
            found = [
                *found,
                Problem(
                    "clients.duplicate-client",
                    message,
                    row.location(),
                    f"keep one of lines {first[name].line} and {row.line}",
                ),
            ]
        elif name:
            first[name] = row
        yield row, values, name, found


def _fill(
    playbook: Playbook,
    inputs: Mapping[str, Any],
    batch: str,
    row: Row,
    values: Mapping[str, Any],
    name: str,
    kept: list[Client],
) -> list[Problem]:
    """Render documents and funding for this client; keep it when that works."""
    scope = {"client": values, "inputs": inputs, "batch": batch}
    try:
        documents = [entry for entry in _entries(playbook.documents, scope) if "front" in entry]
        funding = list(_entries(playbook.funding, scope))
    except TemplateError as error:
        hint = error.hint or "give the row what the playbook reads, or mark it | optional there"
        place = _cell(row, lacking_field(error.message))
        return [Problem(error.code, f"{error.message} (for client {name!r})".replace("'", '"'), place, hint)]
    digest = _digest({"client": values, "documents": documents, "funding": funding})
    kept.append(Client(name, row.line, values, documents, funding, row.location(), digest, partial(_cell, row)))
    return []


def _entries(entries: Sequence[Mapping[str, Any]], scope: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entry in entries:
        filled = render(entry, scope)
        if isinstance(filled, Mapping):
            yield filled


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]


def _chosen(
    playbook: Playbook, clients: Sequence[Client], choice: Choice, file: RowsFile
) -> tuple[list[Client], Problem | None]:
    chosen = list(clients)
    if choice.select:
        rows = (row.cells for row in file.rows)
        try:
            chosen = selected(choice.select, clients, rows, file.columns, playbook.clients.schema)
        except TemplateError as error:
            hint = error.hint or "write an expression over the client, e.g. --select \"client.residency_id == 'bh'\""
            return [], Problem("clients.select", f"--select: {error.message}", hint=hint)
    return chosen[: choice.limit] if choice.limit is not None else chosen, None


def _cell(row: Row, name: str) -> Cell:
    place = row.location(name)
    return Cell(place.path, place.line, place.column, field=name)


def field_of(problem: Problem) -> str:
    """The (dotted) field of the client that a problem is about; empty when it is about none, or about several."""
    field = problem.location.field if isinstance(problem.location, Cell) else ""
    words, _, rest = problem.message.partition('"')
    if words.strip() == "missing key":
        # It is placed where the key would have to stand.
        return ".".join(filter(None, (field, rest.partition('"')[0])))
    return field


def lacking_field(message: str) -> str:
    """The field that a template read and the client does not have; empty when that is not what is wrong."""
    found = _LACKING.match(message)
    return ".".join(filter(None, found.groups())) if found else ""
