"""The JSON Schema of a client: a shipped one, a file beside the playbook, or inline; held against its own rules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner import resources
from runner.load import yaml
from runner.load.schema import schema_complaints
from runner.load.source import Source
from runner.load.yaml_values import kind_of
from runner.model.problem import Problem
from runner.nearest import did_you_mean

WHERE = ("clients", "schema")
SUFFIX = ".schema.json"


def clients_schema(body: Mapping[str, Any], path: Path, source: Source) -> tuple[Mapping[str, Any], list[Problem]]:
    """The schema that the playbook at `path` names, empty when there is none or it is wrong; and what is wrong."""
    clients = body.get("clients")
    given = clients.get("schema") if isinstance(clients, Mapping) else None
    if isinstance(given, Mapping):
        return _held(given, source, WHERE)
    if not isinstance(given, str) or not given:
        return {}, []  # none, or the playbook's own schema tells it
    shipped = resources.schemas() / f"{given}{SUFFIX}"
    if shipped.is_file():
        # Our own are held against their meta-schema by our tests; doing it again would cost 10 ms at each start.
        found = yaml.read(os.fspath(shipped), shipped.read_bytes()).value
        assert isinstance(found, Mapping)
        return found, []
    return _from_file(path.parent / given, given, source)


def _from_file(file: Path, given: str, source: Source) -> tuple[Mapping[str, Any], list[Problem]]:
    try:
        data = file.read_bytes()
    except (OSError, ValueError):
        known = sorted(
            entry.relative_to(resources.schemas()).as_posix().removesuffix(SUFFIX)
            for entry in resources.schemas().glob(f"*/*{SUFFIX}")
        )
        hint = did_you_mean(given, known) or f"name a file beside the playbook, or a shipped one: {', '.join(known)}"
        problem = Problem("clients.unknown-schema", f'there is no clients schema "{given}"', source.locate(WHERE), hint)
        return {}, [problem]
    document = yaml.read(os.fspath(file), data)
    if document.problems:
        return {}, list(document.problems)
    if not isinstance(document.value, Mapping):
        message = f'clients schema "{given}" is {kind_of(document.value)}, expected a mapping'
        return {}, [Problem("clients.wrong-schema", message, source.locate(WHERE), "write a JSON Schema")]
    return _held(document.value, document.source, ())


def _held(
    found: Mapping[str, Any], source: Source, where: tuple[str | int, ...]
) -> tuple[Mapping[str, Any], list[Problem]]:
    complaints = schema_complaints(found, lambda path, key: source.locate((*where, *path), key=key))
    return ({} if complaints else found), [replace(each, code="clients.wrong-schema") for each in complaints]
