"""Time, handed in: what the wall says, how long things took, and how to wait."""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch, UTC; may be set back."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; stands still while the machine is suspended."""
        ...

    def elapsed(self) -> float:
        """Seconds since boot, suspended time included."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def elapsed(self) -> float:
        # macOS has no CLOCK_BOOTTIME; its monotonic clock is the nearest there is.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
