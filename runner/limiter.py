"""How fast a provider may be asked: evenly spaced slots, a bound on what really leaves, and a pause after a 429."""

from __future__ import annotations

from collections import deque

import anyio

from runner.clock import Clock

# What leaves evenly may arrive in bunches: the bound is kept over a little more than the provider's own second.
_MARGIN = 1.05


class Limiter:
    """`rate` requests per second, 0 for no bound. All clients of a run share one.

    A slot is taken before an intent is written, so that waiting for one does not make the intent old; writing takes its
    own time, so what was spaced may bunch up again. `leave` is asked last, and bounds what leaves in any second.
    """

    def __init__(self, clock: Clock, rate: float = 0.0) -> None:
        self._clock = clock
        self._interval = 1 / rate if rate > 0 else 0.0
        self._most = max(1, int(rate))
        self._span = self._most * self._interval * _MARGIN
        self._left: deque[float] = deque(maxlen=self._most)
        self._door = anyio.Lock()
        self._next = 0.0
        self._resume_at = 0.0

    def pause(self, seconds: float) -> None:
        """Nobody asks before `seconds` have passed: the provider said so."""
        self._resume_at = max(self._resume_at, self._clock.monotonic() + seconds)

    async def slot(self) -> None:
        """Returns when this caller may begin to send."""
        while True:
            now = self._clock.monotonic()
            start = max(now, self._resume_at)
            if self._interval:
                start = max(start, self._next)
                self._next = start + self._interval
            if start > now:
                await self._clock.sleep(start - now)
            # A pause may have been called while this caller slept; its slot is then gone.
            if self._clock.monotonic() >= self._resume_at:
                return

    async def leave(self) -> None:
        """Returns when the request may leave now; it then counts. Who came first leaves first."""
        if not self._interval:
            return
        async with self._door:
            while True:
                now = self._clock.monotonic()
                free = self._left[0] + self._span if len(self._left) == self._most else now
                wait = max(free, self._resume_at) - now
                if wait <= 0:
                    self._left.append(now)
                    return
                await self._clock.sleep(wait)
