"""Clients that stand in the playbook itself: what is wrong with them is told while validating."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from runner.load.source import Source
from runner.model.playbook import ClientsRule, Playbook
from runner.model.problem import Location, Problem


def clients_rule(clients: Mapping[str, Any], source: Source, schema: Mapping[str, Any]) -> ClientsRule:
    """What `clients` says, and where each inline client stands."""
    return ClientsRule(
        schema,
        clients.get("key", ""),
        clients.get("items"),
        source.locate(("clients",), key=True),
        partial(_place, source),
    )


def inline_problems(
    path: str, body: Mapping[str, Any], source: Source, schema: Mapping[str, Any]
) -> tuple[Problem, ...]:
    """The problems of the rows under `clients.items`, as a run would tell them; none when the rows can't be read."""
    clients = body.get("clients")
    if not isinstance(clients, Mapping) or not isinstance(clients.get("key", ""), str):
        return ()
    items = clients.get("items")
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        return ()
    from runner.load.clients import Choice, read_clients  # brings the readers of every kind of clients file

    # Without documents and funding: these need inputs, which only a run has.
    shell = Playbook(path, "", "", "", (), clients=clients_rule(clients, source, schema))
    return read_clients(shell, {}, "", Choice()).problems


def _place(source: Source, number: int, name: str) -> Location:
    """Where an inline client or its (dotted) field stands; without the line's text, which is somebody's data."""
    place = source.locate(("clients", "items", number, *(name.split(".") if name else ())))
    return Location(place.path, place.line, place.column, place.end_column)
