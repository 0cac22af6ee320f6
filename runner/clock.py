"""Time, handed in: what the wall says, how long things took, and how to wait."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import anyio


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant to measure from later: by the wall, and by the time since boot while the boot is the same."""

    at: float
    elapsed: float
    boot: str

    def to_json(self) -> dict[str, float | str]:
        return {"at": self.at, "elapsed": self.elapsed, "boot": self.boot}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Moment:
        return cls(body["at"], body["elapsed"], body["boot"])


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


def moment(clock: Clock) -> Moment:
    return Moment(clock.now(), clock.elapsed(), boot_id())


def age(clock: Clock, since: Moment) -> float:
    """Seconds since then, at least. A wall clock that somebody set does not matter while the machine runs on; after a
    restart it can't make this more than the time since that restart."""
    if since.boot and since.boot == boot_id():
        return clock.elapsed() - since.elapsed
    old = min(clock.now() - since.at, clock.elapsed())
    # Where no system tells the boots apart, it may be the same one still.
    since_then = clock.elapsed() - since.elapsed
    return old if since.boot or since_then < 0 else min(old, since_then)


def at_most(clock: Clock, since: Moment) -> float:
    """Seconds since then, at most; without end where only a wall clock tells, which somebody may have set back."""
    is_same_boot = since.boot and since.boot == boot_id()
    return clock.elapsed() - since.elapsed if is_same_boot else math.inf


def passed(clock: Clock, since: Moment) -> float:
    """Seconds since then, as near as can be told: for deadlines, where `age` would start anew with each restart."""
    if since.boot and since.boot == boot_id():
        return clock.elapsed() - since.elapsed
    return clock.now() - since.at


@cache
def boot_id() -> str:
    """Which run of this machine we are in; "" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


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
