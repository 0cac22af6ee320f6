"""A provider that answers a repeated reference with its first answer: sending again is how to ask, for a while."""

from __future__ import annotations

import pytest
from stand_ins import DEPOSIT, Stage, instead, lost_after, lost_before, pack_with, stage, text_answer

from runner.advance import Done, advance
from runner.model.outcome import ClientResult, Ending

pytestmark = pytest.mark.anyio

# Ten minutes, of which send window and timeout (30 s each) are left for the answer to come.
REPLAYED = pack_with("deposits.create", repeat="replayed", replays=600.0, look_up=None)


def on_a_stage() -> Stage:
    found = stage(DEPOSIT, provider=REPLAYED)
    found.desk.replays = True
    return found


async def go(on: Stage) -> ClientResult:
    got = await advance(on.run())
    assert isinstance(got, Done), got
    return got.result


@pytest.mark.parametrize("lost", [lost_before, lost_after, instead(text_answer(502))])
async def test_a_lost_answer_is_asked_for_again_with_the_same_reference(lost: object) -> None:
    on = on_a_stage()
    on.desk.on("POST", lost)  # type: ignore[arg-type]

    result = await go(on)

    assert Ending.DONE is result.outcome
    assert 1 == len(on.desk.orders)
    assert 2 == len(on.desk.sent())
    assert ["100.00"] == [f"{moved.money.amount:f}" for moved in result.steps[0].moved]


async def test_nothing_is_looked_up_before_the_first_send() -> None:
    on = on_a_stage()
    await go(on)
    assert [] == on.desk.sent("GET")


async def test_who_resumes_in_time_asks_again() -> None:
    on = on_a_stage()
    on.desk.on("POST", lost_after, lost_before, lost_before)
    assert Ending.UNKNOWN is (await go(on)).outcome
    on.clock.advance(400)

    assert Ending.DONE is (await go(on)).outcome
    assert 1 == len(on.desk.orders)


@pytest.mark.parametrize("later", [545.0, 100_000.0])
async def test_who_comes_too_late_does_not_send(later: float) -> None:
    """By now the provider may have forgotten the reference, and would pay again."""
    on = on_a_stage()
    on.desk.on("POST", lost_after, lost_before, lost_before)
    await go(on)
    sent = len(on.desk.sent())
    on.clock.advance(later)

    assert Ending.UNKNOWN is (await go(on)).outcome
    assert sent == len(on.desk.sent())


async def test_a_wall_clock_that_was_set_back_does_not_make_it_young() -> None:
    on = on_a_stage()
    on.desk.on("POST", lost_after, lost_before, lost_before)
    await go(on)
    on.clock.advance(3000)
    on.clock.wall -= 3600

    assert Ending.UNKNOWN is (await go(on)).outcome
    assert 1 == len(on.desk.orders)


async def test_another_provider_that_says_nothing_is_not_asked_by_sending() -> None:
    on = stage(DEPOSIT, provider=pack_with("deposits.create", repeat="ignored"))
    on.desk.refuses_used = False
    on.desk.on("POST", lost_after)

    assert Ending.DONE is (await go(on)).outcome
    assert 1 == len(on.desk.sent())
