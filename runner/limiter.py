"""How fast a provider may be asked: evenly spaced slots (GCRA), and a pause that holds for everyone after a 429."""

from __future__ import annotations

from runner.clock import Clock


class Limiter:
    """`rate` requests per second, 0 for no bound. All clients of a run share one."""

    def __init__(self, clock: Clock, rate: float = 0.0) -> None:
        self._clock = clock
        self._interval = 1 / rate if rate > 0 else 0.0
        self._next = 0.0
        self._resume_at = 0.0

    def pause(self, seconds: float) -> None:
        """Nobody asks before `seconds` have passed: the provider said so."""
        self._resume_at = max(self._resume_at, self._clock.monotonic() + seconds)

    async def slot(self) -> None:
        """Returns when this caller may send."""
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
