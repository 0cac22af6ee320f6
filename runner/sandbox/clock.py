"""What time the server believes it is, and how it writes it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Protocol


class Clock(Protocol):
    """Everything that asks for the time asks here, so a test can hand in its own."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, moved by `offset` seconds: negative is behind the client, positive ahead."""

    offset: float = 0.0

    def now(self) -> float:
        return time.time() + self.offset


def iso(seconds: float) -> str:
    """`2024-06-01T10:00:00Z`: whole seconds, cut and not rounded."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(seconds: float) -> str:
    """The value of a `Date` header."""
    return formatdate(int(seconds), usegmt=True)
