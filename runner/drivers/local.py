"""Who advances whom and when, in this process: up to `jobs` clients at once, the rest in the order of the file.

One client's failure never touches another's. What does stop everyone is told apart: a guard, a provider that is not
there or refuses our credentials, `--fail-fast`, `--max-fail`, a wave that went wrong, Ctrl-C.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import anyio

from runner.advance import ClientRun, Done, Wait, advance
from runner.clock import Clock
from runner.model.outcome import ClientResult, Ending, Fault
from runner.model.problem import Problem
from runner.tasks import plainly

# So many clients in a row that could not reach the provider, none that could: the rest would only repeat it.
BREAKER = 3

Settled = Callable[[ClientRun, ClientResult, float | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how far: `wait` seconds are spent on waiting clients before they are parked.

    `waves` are cumulative counts; the next begins when the one before ended well. `max_fail` is a count of clients.
    """

    jobs: int = 8
    wait: float = 60.0
    waves: tuple[int, ...] = ()
    max_fail: int | None = None


@dataclass(slots=True)
class Halt:
    """Why nobody is started any more, None while all is well. Shared with the signal handler."""

    problem: Problem | None = None
    is_interrupt: bool = False

    def stop(self, problem: Problem, *, is_interrupt: bool = False) -> None:
        if self.problem is None:
            self.problem, self.is_interrupt = problem, is_interrupt


@dataclass(slots=True)
class _Course:
    """The state of one drive: who is next, who waits until when, what went wrong so far."""

    next: deque[ClientRun] = field(default_factory=deque)
    waiting: list[tuple[float, int, ClientRun, ClientResult]] = field(default_factory=list)
    active: int = 0
    failed: int = 0
    faults: int = 0
    order: int = 0


async def drive(runs: Sequence[ClientRun], pace: Pace, clock: Clock, halt: Halt, settled: Settled) -> None:
    """Advance every client to its end, or park it. `settled` is told each result once."""
    done = 0
    for wave in pace.waves or (len(runs),):
        group = runs[done : min(wave, len(runs))]
        failed = await _Drive(pace, clock, halt, settled).all(group)
        done += len(group)
        if failed and pace.waves and done < len(runs) and pace.max_fail is None:
            halt.stop(_stopped("run.wave", f"{failed} of {len(group)} clients of this wave did not end well"))
    for run in runs[done:]:
        await settled(run, not_started(run, halt.problem), None)


class _Drive:
    def __init__(self, pace: Pace, clock: Clock, halt: Halt, settled: Settled) -> None:
        self._pace = pace
        self._clock = clock
        self._halt = halt
        self._settled = settled
        self._course = _Course()
        self._changed = anyio.Event()
        self._idle_since: float | None = None

    async def all(self, runs: Sequence[ClientRun]) -> int:
        """Returns how many did not end well."""
        self._course.next.extend(runs)
        with plainly():
            async with anyio.create_task_group() as group:
                for _ in range(min(self._pace.jobs, len(runs))):
                    group.start_soon(self._work)
        await self._park_rest()
        return self._course.failed

    async def _work(self) -> None:
        while (run := await self._take()) is not None:
            self._course.active += 1
            try:
                got = await advance(run)
            finally:
                self._course.active -= 1
            await self._judge(run, got)
            self._wake()

    async def _take(self) -> ClientRun | None:
        """The next client to advance: one that is due, else a new one; None when nothing will come any more."""
        course = self._course
        while True:
            if self._halt.problem is not None:
                return None
            now = self._clock.now()
            if course.waiting and course.waiting[0][0] <= now:
                self._idle_since = None
                return heapq.heappop(course.waiting)[2]
            if course.next:
                return course.next.popleft()
            if not course.waiting and not course.active:
                return None
            if not await self._rest(now):
                return None

    async def _rest(self, now: float) -> bool:
        """Wait for the next due client or a change; False when only waiting clients are left and patience is over."""
        course = self._course
        changed = self._changed
        pause: float | None = None
        if course.waiting:
            pause = max(0.0, course.waiting[0][0] - now)
            if not course.active:
                self._idle_since = self._idle_since if self._idle_since is not None else self._clock.monotonic()
                left = self._pace.wait - (self._clock.monotonic() - self._idle_since)
                if pause > left:
                    return False
        async with anyio.create_task_group() as group:

            async def until_changed() -> None:
                await changed.wait()
                group.cancel_scope.cancel()

            group.start_soon(until_changed)
            if pause is not None:
                await self._clock.sleep(pause)
                group.cancel_scope.cancel()
        return True

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _judge(self, run: ClientRun, got: Done | Wait) -> None:
        course = self._course
        if isinstance(got, Wait):
            course.order += 1
            heapq.heappush(course.waiting, (got.until, course.order, run, got.result))
            return
        result = got.result
        await self._settled(run, result, result.retry_at)
        self._break(result)
        if result.outcome in (Ending.REJECTED, Ending.BLOCKED, Ending.UNKNOWN):
            course.failed += 1
            if self._pace.max_fail is not None and course.failed > self._pace.max_fail:
                self._halt.stop(
                    _stopped(
                        "run.max-fail",
                        f"{course.failed} clients failed, more than the {self._pace.max_fail} that may",
                    )
                )

    def _break(self, result: ClientResult) -> None:
        """One refusal may be about one client; several in a row without a success are about the provider."""
        if result.fault is Fault.GUARD and result.problem:
            self._halt.stop(result.problem)
        elif result.fault in (Fault.CREDENTIALS, Fault.UNREACHABLE) and result.problem:
            self._course.faults += 1
            if self._course.faults >= BREAKER:
                self._halt.stop(result.problem)
        else:
            self._course.faults = 0

    async def _park_rest(self) -> None:
        for until, _, run, result in sorted(self._course.waiting, key=lambda entry: entry[:2]):
            await self._settled(run, result, until)
        for run in self._course.next:
            await self._settled(run, not_started(run, self._halt.problem), None)


def not_started(run: ClientRun, why: Problem | None) -> ClientResult:
    return ClientResult(run.client.key, run.client.line, Ending.NOT_STARTED, why)


def _stopped(code: str, message: str) -> Problem:
    return Problem(code, message, hint='find out why; then "onboard resume" goes on with the others')
