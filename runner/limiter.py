"""How fast a provider may be asked: evenly spaced slots, a bound on what really leaves, and a pause after a 429."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from runner.clock import Clock

# What leaves evenly may arrive in bunches: the bound is kept over a little more than the provider's own second.
_MARGIN = 1.05
# Who waits for a turn asks as often, in seconds, whether it still wants one.
_LOOKS_UP = 1.0


class Limiter:
    """`rate` requests per second, 0 for no bound. All clients of a run share one.

    A slot is taken before an intent is written, so that waiting for one does not make the intent old; writing takes its
    own time, and so does opening a connection: what was spaced may bunch up again. `leaving` bounds what really leaves
    in any second.
    """

    def __init__(self, clock: Clock, rate: float = 0.0) -> None:
        self._clock = clock
        self._interval = 1 / rate if rate > 0 else 0.0
        self._most = max(1, int(rate))
        self._span = self._most * self._interval * _MARGIN
        # When each of the newest requests left; endless for one that may still leave in any second.
        self._left: dict[object, float] = {}
        self._moved = anyio.Event()
        self._door = anyio.Lock()
        self._next = 0.0
        self._resume_at = 0.0

    def pause(self, seconds: float) -> None:
        """Nobody asks before `seconds` have passed: the provider said so."""
        self._resume_at = max(self._resume_at, self._clock.monotonic() + seconds)

    async def slot(self, gives_up: Callable[[], bool] | None = None) -> None:
        """Returns when this caller may begin to send, or soon after it does not want to any more."""
        while not (gives_up and gives_up()):
            now = self._clock.monotonic()
            start = max(now, self._resume_at)
            if self._interval:
                start = max(start, self._next)
                self._next = start + self._interval
            while start > (now := self._clock.monotonic()) and not (gives_up and gives_up()):
                await self._clock.sleep(min(start - now, _LOOKS_UP) if gives_up else start - now)
            # A pause may have been called while this caller slept; its slot is then gone.
            if self._clock.monotonic() >= self._resume_at:
                return

    @asynccontextmanager
    async def leaving(self) -> AsyncIterator[Callable[[], None]]:
        """Begins when the request may leave; call what it gives when it does. Who came first leaves first."""
        if not self._interval:
            yield _nothing
            return
        async with self._door:
            await self._free()
            place = object()
            self._left[place] = math.inf
        began = self._clock.monotonic()

        def gone() -> None:
            self._left[place] = self._clock.monotonic()
            self._moved.set()

        try:
            yield gone
        finally:
            if self._left.get(place) == math.inf:
                # Nobody said when: at once, or never.
                self._left[place] = began
                self._moved.set()

    async def _free(self) -> None:
        while True:
            now = self._clock.monotonic()
            self._left = {place: at for place, at in self._left.items() if at + self._span > now}
            free = min(self._left.values()) + self._span if len(self._left) >= self._most else now
            wait = max(free, self._resume_at) - now
            if wait <= 0:
                return
            if wait < math.inf:
                await self._clock.sleep(wait)
            else:
                self._moved = anyio.Event()
                await self._moved.wait()


def _nothing() -> None:
    return None
