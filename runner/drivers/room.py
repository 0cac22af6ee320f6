"""The waiting room: clients whose time has not come, in the order of their times, and what may call them earlier."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from runner.advance import ClientRun, Wait
from runner.model.outcome import ClientResult


@dataclass(frozen=True, slots=True)
class Seat:
    """One waiting client: when it is due, and how it stands if nobody looks again."""

    until: float
    run: ClientRun
    result: ClientResult
    wakes: frozenset[str]


class Room:
    """Who waits. `number` counts the calls so far: who is advanced meanwhile must not miss one."""

    def __init__(self) -> None:
        self._seats: dict[int, Seat] = {}
        self._due: list[tuple[float, int]] = []
        self._by_name: dict[str, set[int]] = {}
        self._called: deque[int] = deque()
        self._last_call: dict[str, int] = {}
        self._next = 0
        self.number = 0

    def __len__(self) -> int:
        return len(self._seats)

    def enter(self, run: ClientRun, wait: Wait, since: int) -> None:
        """`since` is the number of the last call before this client was looked at."""
        self._next += 1
        order = self._next
        self._seats[order] = Seat(wait.until, run, wait.result, wait.wakes)
        heapq.heappush(self._due, (wait.until, order))
        for name in wait.wakes:
            self._by_name.setdefault(name, set()).add(order)
        if any(self._last_call.get(name, 0) > since for name in wait.wakes):
            self._called.append(order)

    def call(self, name: str) -> bool:
        """Something is new about `name`: whoever waits for it is due now. False when nobody does."""
        self.number += 1
        self._last_call[name] = self.number
        orders = self._by_name.get(name, set())
        self._called.extend(sorted(orders))
        return bool(orders)

    def due(self) -> float | None:
        """When the next one has to be looked at; None when nobody waits."""
        self._forget_gone()
        if self._called:
            return 0.0
        return self._due[0][0] if self._due else None

    def take(self, now: float) -> ClientRun | None:
        """The next one that is due, those who were called first."""
        self._forget_gone()
        if self._called:
            return self._leave(self._called.popleft()).run
        if self._due and self._due[0][0] <= now:
            return self._leave(self._due[0][1]).run
        return None

    def empty(self) -> Iterator[Seat]:
        """Everybody out, in the order of their times."""
        while self._due:
            _, order = heapq.heappop(self._due)
            if order in self._seats:
                yield self._leave(order)

    def _leave(self, order: int) -> Seat:
        seat = self._seats.pop(order)
        for name in seat.wakes:
            orders = self._by_name[name]
            orders.discard(order)
            if not orders:
                del self._by_name[name]
        return seat

    def _forget_gone(self) -> None:
        """Seats are left in two ways; what still points at an empty one is dropped when it comes up."""
        while self._called and self._called[0] not in self._seats:
            self._called.popleft()
        while self._due and self._due[0][1] not in self._seats:
            heapq.heappop(self._due)
