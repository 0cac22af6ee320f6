"""Slots are evenly spaced, and a pause holds for everyone."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins import VIRTUAL, FakeClock, VirtualClock

from runner.limiter import Limiter

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return VIRTUAL


async def starts(limiter: Limiter, clock: VirtualClock, count: int) -> list[float]:
    """When each of `count` callers that come at once may send."""
    times: list[float] = []

    async def one() -> None:
        await limiter.slot()
        times.append(clock.monotonic())

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
    return sorted(times)


async def test_without_a_rate_nobody_waits() -> None:
    clock = VirtualClock()
    assert [0.0] * 50 == await starts(Limiter(clock), clock, 50)


async def test_slots_are_evenly_spaced() -> None:
    clock = VirtualClock()
    assert [0.0, 0.5, 1.0, 1.5] == await starts(Limiter(clock, 2.0), clock, 4)


async def test_time_that_nobody_used_is_not_saved_up() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock, 10.0)
    await limiter.slot()
    await anyio.sleep(100)
    times = await starts(limiter, clock, 3)
    assert [100.0, pytest.approx(100.1), pytest.approx(100.2)] == times


async def test_who_gives_up_does_not_wait_for_its_turn() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock, 0.01)
    await limiter.slot()
    await limiter.slot(lambda: clock.monotonic() >= 3.0)
    assert 3.0 == clock.monotonic()


async def test_a_pause_holds_for_everyone_even_who_has_a_slot() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock, 2.0)

    async def throttled() -> None:
        await anyio.sleep(0.75)
        limiter.pause(10)

    async with anyio.create_task_group() as group:
        group.start_soon(throttled)
        times = await starts(limiter, clock, 4)
    assert [0.0, 0.5] == times[:2]
    assert times[2] >= 10.75
    assert times[3] - times[2] >= 0.5


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    clock = FakeClock()
    limiter = Limiter(clock)
    limiter.pause(30)
    limiter.pause(1)
    await limiter.slot()
    assert [30.0] == clock.slept


@given(
    rate=st.floats(0.1, 200.0),
    arrivals=st.lists(st.floats(0, 3), min_size=1, max_size=30),
    pauses=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2)), max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_the_rate_is_never_exceeded(rate: float, arrivals: list[float], pauses: list[tuple[float, float]]) -> None:
    times: list[float] = []

    async def main() -> None:
        clock = VirtualClock()
        limiter = Limiter(clock, rate)

        async def one(after: float) -> None:
            await anyio.sleep(after)
            await limiter.slot()
            times.append(clock.monotonic())

        async def pause(after: float, length: float) -> None:
            await anyio.sleep(after)
            limiter.pause(length)

        async with anyio.create_task_group() as group:
            for after in arrivals:
                group.start_soon(one, after)
            for after, length in pauses:
                group.start_soon(pause, after, length)

    anyio.run(main, backend=VIRTUAL[0], backend_options=VIRTUAL[1])
    assert len(arrivals) == len(times)
    times.sort()
    gaps = [late - early for early, late in pairwise(times)]
    assert all(gap >= 1 / rate - 1e-6 for gap in gaps)


async def leave(limiter: Limiter) -> None:
    async with limiter.leaving() as gone:
        gone()


def most_in_a_second(left: list[float]) -> int:
    return max(sum(start <= other < start + 1 for other in left) for start in left)


async def test_what_leaves_is_bounded_however_it_bunched_up() -> None:
    """Slots in good order; then all of them are held up together, as by a slow disk."""
    clock = VirtualClock()
    limiter = Limiter(clock, 15.0)
    left: list[float] = []

    async def one() -> None:
        await limiter.slot()
        await anyio.sleep(max(0.0, 2.0 - clock.monotonic()))
        await leave(limiter)
        left.append(clock.monotonic())

    async with anyio.create_task_group() as group:
        for _ in range(60):
            group.start_soon(one)

    assert (60, 15) == (len(left), most_in_a_second(left))


@given(
    rate=st.floats(1.0, 40.0),
    opening=st.lists(st.one_of(st.just(0.0), st.floats(0, 3)), min_size=1, max_size=60),
    pause=st.floats(0, 2),
)
@settings(max_examples=60, deadline=None)
def test_what_leaves_is_bounded_however_long_connections_take(rate: float, opening: list[float], pause: float) -> None:
    left: list[float] = []

    async def main() -> None:
        clock = VirtualClock()
        limiter = Limiter(clock, rate)

        async def one(takes: float) -> None:
            await limiter.slot()
            async with limiter.leaving() as gone:
                await anyio.sleep(takes)
                gone()
                left.append(clock.monotonic())
                await anyio.sleep(takes)

        async with anyio.create_task_group() as group:
            for takes in opening:
                group.start_soon(one, takes)
            await anyio.sleep(pause)
            limiter.pause(pause)

    anyio.run(main, backend=VIRTUAL[0], backend_options=VIRTUAL[1])
    assert len(opening) == len(left)
    within = int(rate) / rate
    assert int(rate) >= max(sum(start <= other < start + within for other in left) for start in left)


async def test_requests_that_never_leave_give_their_places_back() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock, 2.0)

    async def refused() -> None:
        async with limiter.leaving():
            await anyio.sleep(30)

    async with anyio.create_task_group() as group:
        group.start_soon(refused)
        group.start_soon(refused)
        await anyio.sleep(1)
        await leave(limiter)

    assert 30.0 == clock.monotonic()


async def test_a_pause_holds_for_who_is_about_to_leave() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock, 2.0)
    limiter.pause(3)

    await leave(limiter)

    assert 3.0 == clock.monotonic()


@pytest.mark.parametrize("rate", [0.5, 1.0, 1.5])
async def test_a_slow_rate_lets_one_leave_at_a_time(rate: float) -> None:
    clock = VirtualClock()
    limiter = Limiter(clock, rate)
    for _ in range(3):
        await leave(limiter)

    assert pytest.approx(2 * 1.05 / rate) == clock.monotonic()


async def test_without_a_rate_nothing_is_counted() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    for _ in range(50):
        await leave(limiter)

    assert 0.0 == clock.monotonic()
