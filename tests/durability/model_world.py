"""The world around one journal, moved by hand: every await of the runner's code is an instant at which it can be
killed, overtaken or kept waiting. No event loop, no thread, no sleeping.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import coroutine
from typing import Any, ClassVar

from model_provider import TIMEOUT, TIMES_OUT, Fate, Provider, Way
from stand_ins import EPOCH, TIMED_OUT, Reply

from runner.advance import Done, Wait
from runner.journal.base import Entry, EntryKey, Hold
from runner.journal.cipher import Plain
from runner.journal.memory import MemoryJournal
from runner.journal.sqlite import SqliteJournal
from runner.journal.tables import prepare
from runner.model.http import NoAnswer, Request
from runner.model.plan import Client

Store = MemoryJournal | SqliteJournal
# More instants than any client needs: who takes more goes round in circles.
ENOUGH = 2000
# A control turns it off: an intent of any age is then sent.
ASKS_LEAVE = True


@coroutine
def instant(name: str) -> Generator[str, None, None]:
    """Here anything may happen before the next line: the process may die, another may go first, time may pass."""
    yield name


class Clock:
    """`true` is time itself; the other three are what a machine believes of it."""

    def __init__(self) -> None:
        self.true = 0.0
        self.wall = EPOCH
        self.ticks = 1000.0
        self.since_boot = 5000.0
        self.boot = "boot 1"
        self.boots = 1
        # When the sleeper who runs next wants to be woken; read and cleared by who moves him.
        self.wake: float | None = None

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def elapsed(self) -> float:
        return self.since_boot

    def pass_by(self, seconds: float) -> None:
        self.ticks += seconds
        self.suspend(seconds)

    def suspend(self, seconds: float) -> None:
        """The lid is closed: the monotonic clock stands still."""
        self.true += seconds
        self.wall += seconds
        self.since_boot += seconds

    def reboot(self, seconds: float) -> None:
        self.pass_by(seconds)
        self.ticks = self.since_boot = seconds
        self.boots += 1
        if self.boot:
            self.boot = f"boot {self.boots}"

    async def sleep(self, seconds: float) -> None:
        until = self.ticks + seconds
        while True:
            self.wake = until
            await instant("sleep")
            if self.ticks >= until:
                return


class SqliteStore(SqliteJournal):
    """The real statements on a database in memory, each committed before the call returns."""

    def __init__(self) -> None:
        self._path = Path(":memory:")
        self._cipher = Plain()
        self._broken = None
        self._reader = sqlite3.connect(":memory:", isolation_level=None)
        prepare(self._reader, self._cipher)

    async def _write(self, write: Callable[[sqlite3.Connection], Any]) -> Any:
        ((_, answer),) = self._commit(self._reader, [(write, None)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _write_later(self, write: Callable[[sqlite3.Connection], Any]) -> None:
        at_once(self._write(write))

    def discard(self) -> None:
        self._reader.close()


@dataclass
class Desk:
    """One process's way to its journal: `finish` is queued, and what is queued when the process dies may be lost."""

    store: Store
    queue: deque[Coroutine[Any, Any, Any]] = field(default_factory=deque)
    # A control turns it on: an intent is then queued like an outcome.
    is_hasty: ClassVar[bool] = False

    def write(self, count: int | None = None) -> None:
        """The writer's thread gets to the first `count` rows of the queue, or to all of them."""
        for _ in range(len(self.queue) if count is None else min(count, len(self.queue))):
            at_once(self.queue.popleft())

    def die(self, written: int) -> None:
        self.write(written)
        for lost in self.queue:
            lost.close()
        self.queue.clear()

    async def load(self, run: int, client: str) -> Sequence[Entry]:
        await instant("load")
        self.write()
        return await self.store.load(run, client)

    async def begin(
        self,
        run: int,
        client: str,
        key: EntryKey,
        at: float,
        intent: Mapping[str, Any],
        holds: Sequence[Hold] = (),
        mark: str = "",
    ) -> bool:
        await instant("before intent")
        self.write()
        begun = self.store.begin(run, client, key, at, intent, holds, mark)
        if self.is_hasty:
            self.queue.append(begun)
            return True
        is_ours = await begun
        await instant("after intent")
        return is_ours

    async def elsewhere(self, run: int, mark: str) -> Mapping[int, Sequence[Entry]]:
        # Reads what is committed, and waits for nobody.
        return await self.store.elsewhere(run, mark)

    async def finish(
        self,
        run: int,
        client: str,
        key: EntryKey,
        at: float,
        outcome: Mapping[str, Any],
        release: Sequence[Hold] = (),
    ) -> None:
        self.queue.append(self.store.finish(run, client, key, at, outcome, release))
        await instant("outcome queued")


def at_once(call: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


@dataclass
class Wire:
    """Between the runner and the provider. `ahead` are the fates of the next requests of each kind."""

    provider: Provider
    clock: Clock
    ahead: dict[str, deque[Fate]] = field(default_factory=dict)

    def fate(self, request: Request) -> Fate:
        kind = "read" if request.method == "GET" else "money" if b"partner_order_ref" in request.body else "make"
        waiting = self.ahead.get(kind)
        return waiting.popleft() if waiting else Fate()

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Callable[[], NoAnswer | None] | None = None
    ) -> Reply:
        await instant("before send")
        if leave and (refusal := leave()) and ASKS_LEAVE:
            return refusal
        fate = self.fate(request)
        left = self.clock.ticks
        got = self.provider.receive(request, fate)
        await instant("on the wire")
        if fate.way in TIMES_OUT:
            await self.clock.sleep(TIMEOUT)
        elif fate.way is Way.SLOW:
            await self.clock.sleep(TIMEOUT / 2)
        if self.clock.ticks - left >= TIMEOUT:
            got = TIMED_OUT
        await instant("answered")
        return got


@dataclass(eq=False)
class Worker:
    """One `advance` of one client, moved from instant to instant."""

    run: int
    client: Client
    flow: Coroutine[Any, Any, Done | Wait]
    clock: Clock
    at: str = "start"
    wake: float | None = None
    got: Done | Wait | None = None

    def step(self) -> None:
        """To the next instant, or to the end. A sleeper is woken when it is time, at the earliest."""
        if self.wake is not None and self.wake > self.clock.ticks:
            self.clock.pass_by(self.wake - self.clock.ticks)
        self.clock.wake = None
        try:
            self.at = self.flow.send(None)
        except StopIteration as stop:
            self.got, self.at = stop.value, "end"
        self.wake = self.clock.wake

    def go(self, until: str, times: int = 1, at_most: int = ENOUGH) -> None:
        """On to the `times`-th instant of this name, to the end, or by so many instants."""
        for _ in range(at_most):
            if self.got is None and times > 0:
                self.step()
                times -= self.at == until
        assert self.got is not None or at_most < ENOUGH or times <= 0, "a client that never ends"

    def die(self) -> None:
        self.flow.close()
