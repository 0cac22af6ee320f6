"""What a local provider is: the nouns every provider and the shared server agree on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from urllib.parse import unquote

from runner.sandbox.clock import Clock
from runner.sandbox.options import Options

Json: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request, whole, exactly as it arrived."""

    operation: str
    method: str
    path: str
    """As sent: still percent-encoded, without the query."""
    query: str
    params: Mapping[str, str]
    """The decoded `{names}` of the route."""
    headers: Mapping[str, str]
    """Names in lower case; a header sent twice is joined with ", "."""
    body: bytes
    peer: str
    outcome: str = "completed"
    """What becomes of an order; a fault may say "failed" or "rejected"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, whole."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


NO_EVENTS: frozenset[str] = frozenset()
NO_ACTS: Mapping[str, Callable[[dict[str, Any]], Any]] = {}


def stay(provider: object, backstage: object) -> None:
    """`enter` of a provider that does nothing by itself."""


def answer(status: int, payload: Json, *headers: tuple[str, str]) -> Answer:
    """An answer in compact UTF-8 JSON."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Answer(status, text.encode(), headers)


@dataclass(frozen=True, slots=True)
class Letter:
    """One HTTP POST from a provider to its partner."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back for a letter: a status, or the reason why there is none."""

    status: int | None = None
    body: bytes = b""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something a provider tells its partner by itself. Faults name its operation, as they name a call's."""

    operation: str
    client: str
    letter: Callable[[], Letter]
    """Written anew for each attempt: a new key or address counts at once."""
    is_taken: Callable[[Heard], bool]
    """Whether an answer is an acknowledgement; anything else is tried again."""
    attempts: int
    timeout: float


class Backstage(Protocol):
    """What the server lends a provider for everything that is not an answer."""

    def schedule(self, seconds: float, action: Callable[[], object]) -> None:
        """Run an action so many seconds later; a reset or the end of the server forgets it."""

    def announce(self, event: Event) -> None:
        """Deliver an event, with its retries; never waits."""


Act: TypeAlias = Callable[[dict[str, Json]], Json]
"""Carries out `POST /_sandbox/act/NAME`: the object sent to what is answered; ValueError says what is wrong."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls in one second, and for how long each violation in turn blocks the caller."""

    rate: int | None = None
    blocks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """An operation's name, its method and its path, such as `/v1/orders/{id}`."""

    operation: str
    method: str
    template: str


class Routes:
    """Find the operation a request means. A `GET` is served with and without a trailing slash."""

    def __init__(self, *routes: Route) -> None:
        self.operations = tuple(route.operation for route in routes)
        self._by_length: dict[int, list[tuple[Route, tuple[str, ...]]]] = {}
        for route in routes:
            parts = tuple(route.template.rstrip("/").split("/"))
            self._by_length.setdefault(len(parts), []).append((route, parts))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its decoded parameters; None when no route has this method and path."""
        for route, params in self._at(path):
            if route.method == method and (method == "GET" or _slashed(path) == _slashed(route.template)):
                return route, params
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """Which methods this path knows, so that 405 can be told from 404."""
        return tuple(sorted({route.method for route, _ in self._at(path)}))

    def _at(self, path: str) -> list[tuple[Route, dict[str, str]]]:
        parts = path.removesuffix("/").split("/")
        found: list[tuple[Route, dict[str, str]]] = []
        for route, wanted in self._by_length.get(len(parts), ()):
            params: dict[str, str] = {}
            for part, want in zip(parts, wanted, strict=True):
                if want.startswith("{") and part:
                    params[want[1:-1]] = unquote(part)
                elif want != part:
                    break
            else:
                found.append((route, params))
        return sorted(found, key=lambda item: len(item[1]))  # a literal segment wins over a parameter


def _slashed(path: str) -> bool:
    return path.endswith("/")


class Provider(Protocol):
    """One provider's memory and rules. It never waits: the server calls it from one event loop, in order."""

    name: str
    routes: Routes
    outcomes: frozenset[str]
    """The operations that make orders, and so understand the faults "failed" and "rejected"."""
    events: frozenset[str]
    """The events it announces, so that faults can name them."""
    acts: Mapping[str, Act]
    """What only its sandbox can do, by hand: `POST /_sandbox/act/NAME`."""
    pace: Pace
    """Its documented limit; `--rate` says otherwise."""

    def enter(self, backstage: Backstage) -> None:
        """Called once, before anything else."""

    def refuse(self, call: Call) -> str | None:
        """Why this caller gets 401; None when the call is welcome. The reason never leaves the server."""

    def perform(self, call: Call) -> Answer:
        """Apply the call and answer it."""

    def error(self, status: int, retry_after: int = 1) -> Answer:
        """The provider's own way to say this HTTP status; the seconds are for 429."""

    def client_of(self, call: Call) -> str | None:
        """The client a call is about, for faults that single one out."""

    def state(self) -> dict[str, Json]: ...

    def ledger(self) -> list[dict[str, Json]]: ...

    def load(self, data: Json) -> None:
        """Add seed data; raises ValueError with a place and a reason, and then nothing was added."""

    def send_events_to(self, url: str) -> None:
        """From now on, webhooks go to this address; nothing for a provider that has none."""

    def reset(self) -> None:
        """Forget everything, seed data too."""

    def environment(self, url: str) -> dict[str, str]:
        """The environment variables a client of this server needs."""


Build: TypeAlias = Callable[[Options, Clock, Mapping[str, str]], Provider]
"""Makes a provider from the options, the clock and the process environment."""


class Sandbox(Protocol):
    """What a provider's folder offers."""

    @property
    def build(self) -> Build: ...
