"""Count what arrives, remember what was refused, and say when it is too much."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

KEPT_REFUSALS = 100
CLEAN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that got 401, with the cause the caller is never told."""

    at: float
    operation: str
    cause: str


class Traffic:
    """The counters of one provider.

    `rate` is the most calls taken in any one second; `blocks` are the seconds that each violation in turn shuts the
    door for. Without them a call too many is only turned away.
    """

    def __init__(self, rate: int | None = None, blocks: Sequence[float] = ()) -> None:
        self.rate, self.blocks = rate, blocks
        self.requests: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.refusals: deque[Refusal] = deque(maxlen=KEPT_REFUSALS)
        self.worst_second = 0
        self._arrived: deque[float] = deque()
        self._taken: deque[float] = deque()
        self._violations, self._blocked_until = 0, -math.inf

    def arrived(self, operation: str, now: float) -> None:
        self.requests[operation] += 1
        _forget(self._arrived, now)
        self._arrived.append(now)
        self.worst_second = max(self.worst_second, len(self._arrived))

    def too_fast(self, now: float) -> float:
        """Seconds to wait when this call is one too many, else 0; a call that is turned away uses nothing up."""
        if self.rate is None:
            return 0
        if now < self._blocked_until:
            return self._blocked_until - now
        _forget(self._taken, now)
        if len(self._taken) < self.rate:
            self._taken.append(now)
            return 0
        return self._block(now) if self.blocks else 1

    def _block(self, now: float) -> float:
        if now - self._blocked_until >= CLEAN_SECONDS:
            self._violations = 0
        seconds = self.blocks[min(self._violations, len(self.blocks) - 1)]
        self._violations += 1
        self._blocked_until = now + seconds
        return seconds

    def refused(self, operation: str, cause: str, now: float) -> None:
        self.refusals.append(Refusal(now, operation, cause))

    def reset(self) -> None:
        self.requests.clear()
        self.answers.clear()
        self.refusals.clear()
        self._arrived.clear()
        self._taken.clear()
        self._violations, self._blocked_until = 0, -math.inf
        self.worst_second = 0


def _forget(times: deque[float], now: float) -> None:
    while times and not 0 <= now - times[0] < 1:
        times.popleft()
