"""What proves who we are: the headers of one attempt, made afresh each time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from runner.clock import Clock
from runner.model.http import NoAnswer, Request, Response
from runner.times import from_http

Ask = Callable[[Request], Awaitable[Response | NoAnswer]]


class Auth(Protocol):
    """Headers for one attempt of one request; `learn` is told the `Date` of every answer.

    `corrections` counts how often our idea of what the server takes has moved, be it its clock or a token: a request
    that was proved before the last correction may have been refused for its proof alone.
    """

    @property
    def corrections(self) -> int: ...

    async def ready(self, ask: Ask) -> Response | NoAnswer | None:
        """Fetch what `headers` needs, if anything. None when it is there, else what came back instead of it."""
        ...

    def headers(self, request: Request) -> Mapping[str, str]: ...

    def learn(self, date: str) -> None: ...

    def refused(self, headers: Mapping[str, str]) -> None:
        """A request with these headers of ours was answered with 401."""
        ...

    def secrets(self) -> Collection[str]:
        """What was fetched on the way and must not be seen by anybody."""
        ...


class NoAuth:
    """A provider that asks for nothing; and what most schemes have in common."""

    corrections = 0

    async def ready(self, ask: Ask) -> Response | NoAnswer | None:
        return None

    def headers(self, request: Request) -> Mapping[str, str]:
        return {}

    def learn(self, date: str) -> None:
        return None

    def refused(self, headers: Mapping[str, str]) -> None:
        return None

    def secrets(self) -> Collection[str]:
        return ()


class ServerClock:
    """The latest time that the server has certainly reached, in seconds since the epoch."""

    def __init__(self, clock: Clock, behind: float) -> None:
        self._clock = clock
        self._behind = behind
        self._ahead_of_monotonic: float | None = None
        self.corrections = 0

    def now(self) -> float:
        if self._ahead_of_monotonic is None:
            return self._clock.now() - self._behind
        return self._clock.elapsed() + self._ahead_of_monotonic

    def learn(self, date: str) -> None:
        told = from_http(date)
        if told is None:
            return
        before = self.now()
        bound = told - self._clock.elapsed()
        # A Date is cut to whole seconds and already old when it arrives: the largest bound is the tightest. A server
        # clock that was set back shows as a bound far below ours, and then only the new one holds.
        if self._ahead_of_monotonic is None or bound > self._ahead_of_monotonic or bound < self._ahead_of_monotonic - 5:
            self._ahead_of_monotonic = bound
        self.corrections += abs(self.now() - before) > 0.5
