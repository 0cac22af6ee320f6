"""Who goes when: order, patience, waves, and what stops everyone. A virtual clock, so nobody waits for real."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import anyio
import pytest
from stand_ins import (
    CONFIRM,
    DEPOSIT,
    DROPPED,
    REFUSED,
    VIRTUAL,
    VirtualClock,
    answer,
    error,
    pack_with,
    performer_of,
    person,
    setting_of,
)

from runner.advance import ClientRun
from runner.checks import parse
from runner.drivers.local import Halt, Pace, drive
from runner.journal.memory import MemoryJournal
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import ClientResult, Ending, Fault
from runner.model.playbook import Cap, RetryPolicy, Waiting
from runner.model.problem import JournalError, Problem
from runner.redact import Redactor

pytestmark = pytest.mark.anyio
ONCE = replace(CONFIRM, retry=RetryPolicy(attempts=1))
GOOD = answer(200, {"result": {"status": "verified"}})


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return VIRTUAL


Script = Callable[[int, Request], Response | NoAnswer | Exception]


@dataclass
class Office:
    """Answers every request after `takes` virtual seconds, as the script says for the number of the client."""

    script: Script = lambda number, request: GOOD
    takes: float = 1.0
    now: int = 0
    most: int = 0
    asked: list[tuple[float, int]] = field(default_factory=list)

    async def send(self, request: Request, headers: Mapping[str, str], *, leave: Any = None) -> Response | NoAnswer:
        found = re.search(r"user[-_]([0-9]+)", request.path + request.body.decode())
        assert found is not None
        number = int(found.group(1))
        self.asked.append((asyncio.get_running_loop().time(), number))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await anyio.sleep(self.takes)
        finally:
            self.now -= 1
        got = self.script(number, request)
        if isinstance(got, Exception):
            raise got
        return got


class Driven:
    """One drive of many clients, and what it told."""

    def __init__(self, count: int, office: Office, *steps: Any, provider: Any = None, **more: Any) -> None:
        self.setting = setting_of(*(steps or (ONCE,)), **({"provider": provider} if provider else {}), **more)
        self.office = office
        self.count = count
        self.halt = Halt()
        self.journal = MemoryJournal()
        self.told: list[tuple[float, str, Ending, float | None]] = []
        self.results: dict[str, ClientResult] = {}

    async def go(self, pace: Pace = Pace()) -> Driven:  # noqa: B008 - frozen
        clock = VirtualClock()
        performer = performer_of(self.setting.provider, self.office, clock)
        runs = [
            ClientRun(
                1,
                self.setting,
                person(number),
                self.journal,
                performer,
                clock,
                Redactor([]),
                is_fresh=True,
                stopping=lambda: self.halt.problem if self.halt.is_interrupt else None,
            )
            for number in range(1, self.count + 1)
        ]

        async def settled(run: ClientRun, result: ClientResult, due: float | None) -> None:
            await anyio.lowlevel.checkpoint()
            self.told.append((clock.monotonic(), result.key, result.outcome, due))
            self.results[result.key] = result

        await drive(runs, pace, clock, self.halt, settled)
        assert Counter(run.client.key for run in runs) == Counter(key for _, key, _, _ in self.told)
        return self

    @property
    def endings(self) -> list[Ending]:
        """In the order of the file."""
        return [self.results[f"user_{number}"].outcome for number in range(1, self.count + 1)]


async def test_as_many_at_once_as_there_are_jobs_and_in_the_order_of_the_file() -> None:
    drive = await Driven(10, office := Office()).go(Pace(jobs=3))
    assert [Ending.DONE] * 10 == drive.endings
    assert 3 == office.most
    assert list(range(1, 11)) == [number for _, number in office.asked]
    assert 4.0 == drive.told[-1][0]


async def test_nobody_at_all_is_no_trouble() -> None:
    drive = await Driven(0, Office()).go(Pace(waves=(1, 10)))
    assert [] == drive.told


async def test_more_jobs_than_clients_is_no_trouble() -> None:
    assert [Ending.DONE] * 2 == (await Driven(2, Office()).go(Pace(jobs=64))).endings


async def test_a_slow_client_holds_up_nobody() -> None:
    office = Office()

    async def slow(request: Request, headers: Any, *, leave: Any = None) -> Response:
        if "user_1/" in request.path:
            await anyio.sleep(3600)
        await anyio.sleep(1)
        return GOOD

    office.send = slow  # type: ignore[method-assign, assignment]
    drive = await Driven(9, office).go(Pace(jobs=2))
    assert "user_1" == drive.told[-1][1]
    assert [3601.0, 8.0] == [drive.told[-1][0], drive.told[-2][0]]


async def test_a_client_that_is_refused_touches_nobody_else() -> None:
    office = Office(lambda number, request: error(2010) if number % 2 else GOOD)
    drive = await Driven(9, office).go(Pace(jobs=2))
    assert [Ending.REJECTED, Ending.DONE] * 4 + [Ending.REJECTED] == drive.endings
    assert drive.halt.problem is None


# -- waiting ----------------------------------------------------------------------------------------------------

LATER = pack_with("deposits.create", repeat="unknown")


def lost_once() -> Script:
    """Each client's first deposit is lost; look-ups find nothing until it is sent again."""
    lost: set[int] = set()

    def script(number: int, request: Request) -> Response | NoAnswer:
        if request.method == "GET":
            return error(404, 404)
        if number in lost:
            return answer(200, {"result": {"id": number, "status": "completed"}})
        lost.add(number)
        return DROPPED

    return script


async def test_who_waits_goes_on_when_its_time_has_come() -> None:
    drive = await Driven(3, Office(lost_once()), DEPOSIT, provider=LATER).go(Pace(jobs=2, wait=600))
    assert [Ending.DONE] * 3 == drive.endings
    assert 120 < drive.told[-1][0] < 140
    sent = [number for _, number in drive.office.asked]
    # look up, send, look up; at the horizon: look up, send again
    assert {1: 5, 2: 5, 3: 5} == Counter(sent)


async def test_waiting_clients_let_new_ones_pass_and_go_first_once_due() -> None:
    script = lost_once()

    def only_first(number: int, request: Request) -> Response | NoAnswer | Exception:
        if number == 1:
            return script(number, request)
        if request.method == "GET":
            return error(404, 404)
        return answer(200, {"result": {"id": number, "status": "completed"}})

    drive = await Driven(100, Office(only_first), DEPOSIT, provider=LATER).go(Pace(jobs=1, wait=0))
    assert [Ending.DONE] * 100 == drive.endings
    place = [key for _, key, _, _ in drive.told].index("user_1")
    assert 50 < place < 70


async def test_who_would_wait_too_long_is_parked_with_its_time() -> None:
    drive = await Driven(3, Office(lost_once()), DEPOSIT, provider=LATER).go(Pace(jobs=3, wait=60))
    assert [Ending.WAITING] * 3 == drive.endings
    assert 3.0 == drive.told[-1][0]
    assert all(due is not None and due > 1_700_000_100 for _, _, _, due in drive.told)


async def test_asking_again_does_not_renew_the_patience() -> None:
    """A client that waits again and again is parked once `wait` is over."""

    def never(number: int, request: Request) -> Response | NoAnswer:
        return error(404, 404) if request.method == "GET" else DROPPED

    drive = await Driven(1, Office(never), DEPOSIT, provider=LATER).go(Pace(jobs=1, wait=600))
    assert [Ending.WAITING] == drive.endings
    assert 480 < drive.told[-1][0] <= 600


async def test_who_becomes_due_while_another_is_in_flight_goes_on() -> None:
    """The second would be due only after patience is over, but the first, asked again, takes its time."""
    script = lost_once()
    office = Office(script)
    send = office.send

    async def slow(request: Request, headers: Mapping[str, str], *, leave: Any = None) -> Response | NoAnswer:
        is_second = "user-2" in request.path + request.body.decode()
        await anyio.sleep(40 if is_second else 0)
        if not is_second and asyncio.get_running_loop().time() > 100:
            await anyio.sleep(30)
        return await send(request, headers, leave=leave)

    office.send = slow  # type: ignore[method-assign]
    drive = await Driven(2, office, DEPOSIT, provider=LATER).go(Pace(jobs=2, wait=30))
    assert [Ending.DONE, Ending.DONE] == drive.endings


async def test_patience_ends_though_somebody_is_always_due() -> None:
    """Asking everybody takes longer than their pauses: whoever was asked last, another is due already."""
    waiting = Waiting((parse("status == active"),), 86_400.0, every=1.0, at_most=2.0)
    pending = replace(ONCE, waiting=waiting)
    drive = await Driven(20, Office(), pending).go(Pace(jobs=2, wait=30))

    assert [Ending.WAITING] * 20 == drive.endings
    began = 20 * 1.0  # two at a time, in turns with those who wait
    assert began + 29 <= drive.told[-1][0] <= began + 33
    # Nobody is parked as long as others have not begun, and in turns means as often as the next.
    asked = Counter(number for _, number in drive.office.asked)
    assert 20 == len(asked)
    assert max(asked.values()) <= min(asked.values()) + 12


async def test_without_patience_everybody_is_asked_once() -> None:
    waiting = Waiting((parse("status == active"),), 86_400.0, every=0.001, at_most=0.001)
    drive = await Driven(5, Office(), replace(ONCE, waiting=waiting)).go(Pace(jobs=5, wait=0))

    assert [Ending.WAITING] * 5 == drive.endings
    assert {1: 1, 2: 1, 3: 1, 4: 1, 5: 1} == Counter(number for _, number in drive.office.asked)


async def test_a_halt_wakes_who_waits() -> None:
    drive = Driven(1, Office(lost_once()), DEPOSIT, provider=LATER)

    async def interrupt() -> None:
        await anyio.sleep(10)
        drive.halt.stop(Problem("run.interrupted", "stop"), is_interrupt=True)

    async with anyio.create_task_group() as group:
        group.start_soon(interrupt)
        await drive.go(Pace(jobs=1, wait=3600))
    assert [Ending.WAITING] == drive.endings
    assert 10.0 == drive.told[0][0]


async def test_an_interrupt_lets_clients_in_flight_stop_at_their_next_step() -> None:
    drive = Driven(4, Office(), ONCE, replace(ONCE, id="again"))

    async def interrupt() -> None:
        await anyio.sleep(0.5)
        drive.halt.stop(Problem("run.interrupted", "stop"), is_interrupt=True)

    async with anyio.create_task_group() as group:
        group.start_soon(interrupt)
        await drive.go(Pace(jobs=2))
    assert [Ending.WAITING, Ending.WAITING, Ending.NOT_STARTED, Ending.NOT_STARTED] == drive.endings
    assert 2 == len(drive.office.asked)
    assert {"run.interrupted"} == {result.problem.code for result in drive.results.values() if result.problem}


async def test_the_first_reason_to_stop_stands() -> None:
    halt = Halt()
    halt.stop(Problem("run.wave", "one"))
    halt.stop(Problem("run.interrupted", "two"), is_interrupt=True)
    assert ("run.wave", False) == (halt.problem.code if halt.problem else "", halt.is_interrupt)


# -- what stops everyone -------------------------------------------------------------------------------------------


async def test_three_in_a_row_that_reach_nobody_stop_the_run() -> None:
    drive = await Driven(20, Office(lambda number, request: REFUSED)).go(Pace(jobs=1))
    assert 3 == len(drive.office.asked)
    assert [Ending.NOT_STARTED] * 20 == drive.endings
    assert "http.not-connected" == (drive.halt.problem.code if drive.halt.problem else "")
    assert Fault.UNREACHABLE is drive.results["user_1"].fault
    assert drive.results["user_20"].fault is None


async def test_refused_credentials_stop_the_run() -> None:
    drive = await Driven(9, Office(lambda number, request: answer(401, {}))).go(Pace(jobs=1))
    assert 3 == len(drive.office.asked)


async def test_a_success_in_between_keeps_the_run_going() -> None:
    office = Office(lambda number, request: GOOD if number % 3 == 0 else REFUSED)
    drive = await Driven(9, office).go(Pace(jobs=1))
    assert 9 == len(office.asked)
    assert drive.halt.problem is None


async def test_a_guard_stops_the_run() -> None:
    def script(number: int, request: Request) -> Response:
        return answer(200, {"result": {"id": number, "status": "completed"}})

    caps = {"USD": Cap(None, Decimal("250.00"))}
    drive = await Driven(9, Office(script), DEPOSIT, caps=caps).go(Pace(jobs=1))
    assert 2 == len(drive.office.asked)
    assert [Ending.DONE] * 2 + [Ending.NOT_STARTED] * 7 == drive.endings
    assert Fault.GUARD is drive.results["user_3"].fault


@pytest.mark.parametrize(("most", "asked"), [(0, 1), (1, 2), (5, 6), (None, 12)])
async def test_so_many_may_fail(most: int | None, asked: int) -> None:
    drive = await Driven(12, Office(lambda number, request: error(2010))).go(Pace(jobs=1, max_fail=most))
    assert asked == len(drive.office.asked)
    assert [Ending.REJECTED] * asked + [Ending.NOT_STARTED] * (12 - asked) == drive.endings


async def test_failures_of_all_waves_count_together() -> None:
    office = Office(lambda number, request: error(2010) if number in (1, 3, 5) else GOOD)
    drive = await Driven(10, office).go(Pace(jobs=1, max_fail=2, waves=(2, 4, 10)))
    assert 5 == len(office.asked)
    assert [Ending.NOT_STARTED] * 5 == drive.endings[5:]
    assert "run.max-fail" == (drive.halt.problem.code if drive.halt.problem else "")


async def test_the_next_wave_begins_when_the_one_before_is_done() -> None:
    drive = await Driven(7, Office()).go(Pace(jobs=8, waves=(1, 4, 7)))
    assert [Ending.DONE] * 7 == drive.endings
    assert [0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0] == [at for at, _ in drive.office.asked]


async def test_waves_that_overlap_or_reach_too_far_count_everybody_once() -> None:
    drive = await Driven(5, Office()).go(Pace(jobs=8, waves=(3, 1, 99)))
    assert [Ending.DONE] * 5 == drive.endings


async def test_waves_that_do_not_reach_everybody_leave_the_rest() -> None:
    drive = await Driven(5, Office()).go(Pace(jobs=8, waves=(1, 2)))
    assert [Ending.DONE] * 2 + [Ending.NOT_STARTED] * 3 == drive.endings


@pytest.mark.parametrize("got", [error(2010), REFUSED])
async def test_a_wave_that_did_not_end_well_is_the_last(got: Response | NoAnswer) -> None:
    drive = await Driven(9, Office(lambda number, request: got if number == 2 else GOOD)).go(Pace(waves=(3, 9)))
    assert 3 == len(drive.office.asked)
    assert [Ending.NOT_STARTED] * 6 == drive.endings[3:]
    assert {"run.wave"} == {drive.results[f"user_{n}"].problem.code for n in range(4, 10)}  # type: ignore[union-attr]


async def test_a_wave_that_still_waits_has_not_ended_well() -> None:
    drive = await Driven(4, Office(lost_once()), DEPOSIT, provider=LATER).go(Pace(jobs=1, wait=1, waves=(1, 4)))
    assert [Ending.WAITING] + [Ending.NOT_STARTED] * 3 == drive.endings


# -- our own mistakes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [RuntimeError("a bug"), JournalError(Problem("journal.unwritable", "full"))])
async def test_an_error_of_ours_starts_nobody_else_and_tears_nothing_off(wrong: Exception) -> None:
    office = Office(lambda number, request: wrong if number == 2 else GOOD)
    drive = Driven(9, office)
    with pytest.raises(type(wrong)) as caught:
        await drive.go(Pace(jobs=3))
    assert wrong is caught.value
    assert [1, 2, 3] == [number for _, number in office.asked]
    assert ["user_1", "user_3"] == [key for _, key, _, _ in drive.told]


async def test_the_first_of_several_errors_comes_out() -> None:
    office = Office(lambda number, request: RuntimeError(str(number)))
    with pytest.raises(RuntimeError, match=r"^1$"):
        await Driven(3, office).go(Pace(jobs=3))


async def test_an_error_wakes_who_waits() -> None:
    script = lost_once()

    def second_breaks(number: int, request: Request) -> Response | NoAnswer | Exception:
        return RuntimeError("a bug") if number == 2 else script(number, request)

    office = Office(second_breaks)
    with pytest.raises(RuntimeError):
        await Driven(2, office, DEPOSIT, provider=LATER).go(Pace(jobs=2, wait=3600))
    assert 10 > office.asked[-1][0]
