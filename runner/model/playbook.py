"""A playbook as nouns: who, which documents, which money, which steps, and what must be true after each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runner.model.check import Check, Path
from runner.model.problem import Location


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a read is repeated: `attempts` in all, pauses from `first` growing to `at_most` seconds, on which faults."""

    attempts: int = 4
    first: float = 0.5
    at_most: float = 30.0
    on: frozenset[str] = frozenset({"timeout", "connection", "throttled", "http 5xx"})


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may move of one asset; None means no bound of that kind."""

    per_client: Decimal | None = None
    per_run: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A read that is repeated until all of `until` hold, or any of `stop`.

    Seconds: pauses grow from `every` to `at_most`; after `deadline` the client is blocked. `wake_on` is the provider's
    event that ends a pause early, "" for any.
    """

    until: tuple[Check, ...]
    deadline: float
    stop: tuple[Check, ...] = ()
    every: float = 30.0
    at_most: float = 300.0
    wake_on: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """How far a requirement loop goes, where it is further than in the pack: the state to reach, and the seconds of its
    pauses and of its patience until then; None leaves the pack's."""

    state: str
    every: float | None = None
    at_most: float | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Picking:
    """The entry of a list in the answer that a step is about: where the list stands, and templates of its fields."""

    where: Mapping[str, Any]
    items: Path = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step as written. `values` is `with` (or the raw `request`), still holding templates.

    `rounds` above 0 makes it a requirement loop (`satisfy`), which goes as far as its `goal`.
    """

    id: str
    location: Location
    call: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] | None = None
    reconcile: Mapping[str, Any] | None = None
    effect: str = "read"
    when: tuple[Check, ...] = ()
    for_each: str = ""
    expect: tuple[Check, ...] = ()
    warn: tuple[Check, ...] = ()
    pick: Picking | None = None
    outputs: Mapping[str, Path] = field(default_factory=dict)
    retry: RetryPolicy | None = None
    waiting: Waiting | None = None
    rounds: int = 0
    goal: Goal | None = None
    always: bool = False
    caps: Mapping[str, Cap] = field(default_factory=dict)
    output_places: Mapping[str, Location] = field(default_factory=dict)
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientsRule:
    """Who: the schema that gives cells their type, the field that names a client, or the clients inline."""

    schema: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    items: Sequence[Mapping[str, Any]] | None = None
    location: Location | None = None
    locate: Callable[[int, str], Location] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Playbook:
    """A whole playbook. `digest` is over the file's bytes: a saved plan refuses when it differs."""

    path: str
    digest: str
    name: str
    provider: str
    steps: tuple[Step, ...]
    description: str = ""
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clients: ClientsRule = ClientsRule()
    documents: Sequence[Mapping[str, Any]] = ()
    funding: Sequence[Mapping[str, Any]] = ()
    caps: Mapping[str, Cap] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
