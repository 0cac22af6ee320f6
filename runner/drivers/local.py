"""Who advances whom and when, in this process: up to `jobs` clients at once, the rest in the order of the file.

One client's failure never touches another's. What does stop everyone is told apart: a guard, a provider that is not
there or refuses our credentials, `--fail-fast`, `--max-fail`, a wave that went wrong, Ctrl-C.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio

from runner.advance import ClientRun, Done, Wait, advance
from runner.clock import Clock
from runner.drivers.room import Room
from runner.model.outcome import ClientResult, Ending, Fault
from runner.model.problem import Problem
from runner.tasks import plainly

# So many clients in a row that could not reach the provider, none that could: the rest would only repeat it.
BREAKER = 3

Settled = Callable[[ClientRun, ClientResult, float | None], Awaitable[None]]
Calls = AsyncIterator[str]


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
    """Why nobody is started any more, None while all is well. Shared with the signal handler.

    `woken` is called when that changes: who waits for a client's time must not sleep through it.
    """

    problem: Problem | None = None
    is_interrupt: bool = False
    woken: Callable[[], None] = lambda: None

    def stop(self, problem: Problem, *, is_interrupt: bool = False) -> None:
        if self.problem is None:
            self.problem, self.is_interrupt = problem, is_interrupt
            self.woken()


@dataclass(slots=True)
class _Course:
    """The state of one drive: who is next, who waits until when, what went wrong so far.

    `fresh` counts active clients that have not had to wait yet, `timely` those that were taken while there was patience
    for who waits. `unwell` are this wave's clients that did not end done,
    `failed` all waves' that ended badly.
    """

    next: deque[ClientRun] = field(default_factory=deque)
    waiting: Room = field(default_factory=Room)
    active: int = 0
    fresh: int = 0
    timely: int = 0
    unwell: int = 0
    failed: int = 0
    faults: int = 0


async def drive(
    runs: Sequence[ClientRun], pace: Pace, clock: Clock, halt: Halt, settled: Settled, calls: Calls | None = None
) -> None:
    """Advance every client to its end, or park it. `settled` is told each result once.

    `calls` are names about which something is new, from webhooks: whoever waits for one is looked at without delay.
    When our own code fails for one client, nobody is started any more, the clients in flight are brought to their ends,
    and the error comes out.
    """
    driver = _Drive(pace, clock, halt, settled)
    with plainly():
        async with anyio.create_task_group() as group:
            if calls is not None:
                group.start_soon(driver.hear, calls)
            await _drive(driver, runs, pace, halt, settled)
            group.cancel_scope.cancel()


async def _drive(driver: _Drive, runs: Sequence[ClientRun], pace: Pace, halt: Halt, settled: Settled) -> None:
    done = 0
    for wave in pace.waves or (len(runs),):
        group = runs[done : max(done, min(wave, len(runs)))]
        unwell = await driver.all(group)
        done += len(group)
        if unwell and done < len(runs) and pace.max_fail is None:
            halt.stop(_stopped("run.wave", f"{unwell} of {len(group)} clients of this wave did not end well"))
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
        self._only_waiting_since: float | None = None
        self._error: Exception | None = None
        self._hears = False
        self._is_new_first = True
        halt.woken = self._wake

    async def all(self, runs: Sequence[ClientRun]) -> int:
        """Returns how many of them did not end done."""
        self._course.next.extend(runs)
        self._course.unwell = 0
        self._only_waiting_since = None
        with plainly():
            async with anyio.create_task_group() as group:
                for _ in range(min(self._pace.jobs, len(runs))):
                    group.start_soon(self._work)
        if self._error is not None:
            raise self._error
        await self._park_rest()
        return self._course.unwell

    async def hear(self, calls: Calls) -> None:
        """Pass on what the webhooks call for, for as long as anybody is driven."""
        self._hears = True
        async for name in calls:
            if self._course.waiting.call(name):
                self._wake()

    async def _work(self) -> None:
        course = self._course
        while (taken := await self._take()) is not None:
            run, is_fresh = taken
            since = course.waiting.number
            course.active += 1
            course.fresh += is_fresh
            is_timely = not self._has_run_out()
            course.timely += is_timely
            try:
                got = await advance(run)
                await self._judge(run, got, since)
            except Exception as error:
                # The others' requests in flight must not be torn off for it: their answers are worth knowing.
                self._error = self._error or error
            finally:
                course.active -= 1
                course.fresh -= is_fresh
                course.timely -= is_timely
                self._wake()

    async def _take(self) -> tuple[ClientRun, bool] | None:
        """The next client to advance, and whether it is new. None at the end."""
        course = self._course
        while True:
            if self._halt.problem is not None or self._error is not None:
                return None
            now = self._clock.now()
            # In turns where both are there: who waits must not keep others from beginning, nor the other way round.
            if course.next and self._is_new_first:
                self._is_new_first = False
                return course.next.popleft(), True
            if course.waiting and not course.timely and self._has_run_out():
                return None
            if (due := course.waiting.take(now)) is not None:
                self._is_new_first = True
                return due, False
            if course.next:
                return course.next.popleft(), True
            if not course.waiting and not course.active:
                return None
            if not await self._rest(now):
                return None

    async def _rest(self, now: float) -> bool:
        """Wait for the next due client or a change; False when only waiting clients are left and patience is over."""
        course = self._course
        changed = self._changed
        pause: float | None = None
        due = course.waiting.due()
        if due is not None:
            pause = max(0.0, due - now)
            left = self._patience() if not course.fresh else pause
            if pause > left and not course.timely:
                if course.active:
                    pause = None
                elif not self._hears or left <= 0:
                    return False
                else:
                    # A webhook may call somebody before that.
                    pause = left
        async with anyio.create_task_group() as group:

            async def until_changed() -> None:
                await changed.wait()
                group.cancel_scope.cancel()

            group.start_soon(until_changed)
            if pause is not None:
                await self._clock.sleep(pause)
                group.cancel_scope.cancel()
        return True

    def _has_run_out(self) -> bool:
        """Only waiting clients are left, and patience for them is over: who is due by now is parked as well.

        Where asking everybody takes longer than their pauses, somebody is always due, and it would never end.
        """
        return not self._course.next and not self._course.fresh and self._patience() < 0

    def _patience(self) -> float:
        """Seconds left for clients that wait, counted from when nobody else was left; asking them does not renew it."""
        now = self._clock.monotonic()
        if self._only_waiting_since is None:
            self._only_waiting_since = now
        return self._pace.wait - (now - self._only_waiting_since)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _judge(self, run: ClientRun, got: Done | Wait, since: int) -> None:
        course = self._course
        if isinstance(got, Wait):
            # By now the journal knows this client.
            course.waiting.enter(replace(run, is_fresh=False), got, since)
            return
        result = got.result
        course.unwell += result.outcome is not Ending.DONE
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
        course = self._course
        course.unwell += len(course.waiting) + len(course.next)
        for seat in course.waiting.empty():
            await self._settled(seat.run, seat.result, seat.until)
        while course.next:
            run = course.next.popleft()
            await self._settled(run, not_started(run, self._halt.problem), None)


def not_started(run: ClientRun, why: Problem | None) -> ClientResult:
    return ClientResult(run.client.key, run.client.line, Ending.NOT_STARTED, why)


def _stopped(code: str, message: str) -> Problem:
    return Problem(code, message, hint='find out why; then "onboard resume" goes on with the others')
