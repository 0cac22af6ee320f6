"""Count what arrives, remember what was refused, and say when it is too much."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

KEPT_REFUSALS = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that got 401, with the cause the caller is never told."""

    at: float
    operation: str
    cause: str


class Traffic:
    """The counters of one provider. `rate` is the most calls taken in any one second."""

    def __init__(self, rate: int | None = None) -> None:
        self.rate = rate
        self.requests: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.refusals: deque[Refusal] = deque(maxlen=KEPT_REFUSALS)
        self.worst_second = 0
        self._arrived: deque[float] = deque()
        self._taken: deque[float] = deque()

    def arrived(self, operation: str, now: float) -> None:
        self.requests[operation] += 1
        _forget(self._arrived, now)
        self._arrived.append(now)
        self.worst_second = max(self.worst_second, len(self._arrived))

    def too_fast(self, now: float) -> bool:
        """True when this call would be one too many; a call that is turned away uses nothing up."""
        if self.rate is None:
            return False
        _forget(self._taken, now)
        if len(self._taken) >= self.rate:
            return True
        self._taken.append(now)
        return False

    def refused(self, operation: str, cause: str, now: float) -> None:
        self.refusals.append(Refusal(now, operation, cause))

    def reset(self) -> None:
        self.requests.clear()
        self.answers.clear()
        self.refusals.clear()
        self._arrived.clear()
        self._taken.clear()
        self.worst_second = 0


def _forget(times: deque[float], now: float) -> None:
    while times and not 0 <= now - times[0] < 1:
        times.popleft()
