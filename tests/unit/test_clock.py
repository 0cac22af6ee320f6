"""How old something is, whatever somebody does to the wall clock."""

from __future__ import annotations

import time

import anyio
import pytest
from stand_ins import EPOCH, FakeClock

from runner.clock import Moment, SystemClock, age, boot_id, moment


def test_age_is_measured_by_the_boot_clock() -> None:
    clock = FakeClock()
    then = moment(clock)
    clock.advance(10)
    clock.wall += 5000
    assert 10 == age(clock, then)


@pytest.mark.parametrize("boot", ["", "another boot"])
def test_after_a_restart_the_wall_counts(boot: str) -> None:
    clock = FakeClock()
    clock.boot = 300.0
    assert 10 == age(clock, Moment(EPOCH - 10, 9999.0, boot))


@pytest.mark.parametrize("boot", ["", "another boot"])
def test_a_wall_clock_that_leapt_can_not_make_it_older_than_the_restart(boot: str) -> None:
    clock = FakeClock()
    clock.boot = 3.0
    clock.wall += 3600
    assert 3 == age(clock, Moment(EPOCH - 10, 9999.0, boot))


def test_the_systems_clock_runs() -> None:
    clock = SystemClock()
    before = clock.now(), clock.monotonic(), clock.elapsed()
    anyio.run(clock.sleep, 0.002)
    after = clock.now(), clock.monotonic(), clock.elapsed()
    assert all(late > early for early, late in zip(before, after, strict=True))
    assert abs(clock.now() - time.time()) < 5
    assert boot_id() == boot_id()
