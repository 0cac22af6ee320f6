"""One client as far as it can go: replay, checkpoints, waiting, and what is written down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stand_ins import (
    CONFIRM,
    CREATE,
    DEPOSIT,
    REFUSED,
    answer,
    error,
    instead,
    lost_before,
    pack_with,
    person,
    stage,
    step,
)

from runner.advance import Done, Wait, advance
from runner.journal.base import EntryKey
from runner.model.outcome import Ending, StepStatus
from runner.model.problem import JournalError, Problem

pytestmark = pytest.mark.anyio


async def test_a_client_goes_through_all_steps() -> None:
    on = stage(CREATE, DEPOSIT, CONFIRM)
    got = await advance(on.run(is_fresh=True))
    assert isinstance(got, Done)
    assert [StepStatus.PASSED] * 3 == [result.status for result in got.result.steps]
    assert got == await advance(on.run())
    assert 3 == len(on.desk.requests)


async def test_a_fresh_client_is_not_read_from_the_journal() -> None:
    on = stage(CREATE)

    async def load(*words: object) -> list[object]:
        raise AssertionError("read an empty journal")

    on.journal.load = load  # type: ignore[assignment, method-assign]
    assert isinstance(await advance(on.run(is_fresh=True)), Done)


async def test_an_interrupt_stops_between_two_steps_and_resume_goes_on() -> None:
    on = stage(CREATE, DEPOSIT)
    stop = Problem("run.interrupted", "the run was interrupted")
    got = await advance(on.run(stopping=lambda: stop if on.desk.requests else None))
    assert isinstance(got, Done)
    assert Ending.WAITING is got.result.outcome
    assert stop == got.result.problem
    assert 1 == len(on.desk.requests)
    got = await advance(on.run())
    assert Ending.DONE is got.result.outcome
    assert 2 == len(on.desk.requests)


async def test_an_interrupt_does_not_undo_what_is_written() -> None:
    on = stage(CREATE)
    await advance(on.run())
    got = await advance(on.run(stopping=lambda: Problem("run.interrupted", "stop")))
    assert Ending.DONE is got.result.outcome


async def test_waiting_says_when_and_how_it_stands() -> None:
    on = stage(CREATE, DEPOSIT, provider=pack_with("deposits.create", repeat="unknown"))
    on.desk.on("POST", lambda apply: apply(), lost_before)
    got = await advance(on.run())
    assert isinstance(got, Wait)
    assert got.until == got.result.retry_at
    assert [StepStatus.PASSED, StepStatus.WAITING] == [result.status for result in got.result.steps]


async def test_a_read_that_the_network_stopped_is_asked_again_on_resume() -> None:
    on = stage(CREATE, CONFIRM)
    on.desk.on("GET", *[instead(REFUSED)] * 4)
    got = await advance(on.run())
    assert Ending.WAITING is got.result.outcome
    got = await advance(on.run())
    assert Ending.DONE is got.result.outcome
    assert 1 == len(on.desk.sent())


async def test_a_read_that_was_refused_is_not_asked_again() -> None:
    on = stage(CONFIRM)
    assert Ending.REJECTED is (await advance(on.run())).result.outcome
    assert Ending.REJECTED is (await advance(on.run())).result.outcome
    assert 1 == len(on.desk.requests)


async def test_a_retry_asks_again_and_the_newer_outcome_stands() -> None:
    on = stage(CONFIRM)
    await advance(on.run())
    await on.journal.retry(1, "user_1", EntryKey("confirm", -1, 1), 0.0)
    on.desk.on("GET", instead(error(2010)))
    got = await advance(on.run())
    assert got.result.problem is not None
    assert "coinmena.client-deactivated" == got.result.problem.code
    assert got.result.problem == (await advance(on.run())).result.problem
    assert 2 == len(on.desk.requests)


async def test_a_retry_does_not_touch_what_passed() -> None:
    on = stage(CREATE)
    await advance(on.run())
    await on.journal.retry(1, "user_1", EntryKey("create", -1, 1), 0.0)
    await advance(on.run())
    assert 1 == len(on.desk.requests)


async def test_outputs_are_the_same_on_replay() -> None:
    """Fractions come back from the journal as they went in, so a later body is the same body."""
    balance = step("balance", "balances.get", {"asset_id": "USD"}, outputs={"left": ("balance",)})
    pay = replace(DEPOSIT, values={**DEPOSIT.values, "amount": "{{ steps.balance.left }}"})
    on = stage(balance, pay)
    on.desk.on("GET", instead(answer(200, {"result": {"balance": "10.50"}})))
    on.desk.on("POST", instead(REFUSED), instead(REFUSED), instead(REFUSED))
    await advance(on.run())
    got = await advance(on.run())
    assert Ending.DONE is got.result.outcome
    assert 1 == len({request.body for request in on.desk.sent()})


async def test_nothing_is_sent_when_the_journal_can_not_be_written() -> None:
    on = stage(DEPOSIT)

    async def full(*words: object) -> bool:
        raise JournalError(Problem("journal.unwritable", "disk full"))

    on.journal.begin = full  # type: ignore[method-assign]
    with pytest.raises(JournalError):
        await advance(on.run())
    assert [] == on.desk.requests


async def test_two_clients_do_not_share_anything() -> None:
    on = stage(CREATE, DEPOSIT)
    one = await advance(on.run(person(1)))
    two = await advance(on.run(person(2)))
    assert Ending.DONE is one.result.outcome is two.result.outcome
    assert 2 == len(set(on.desk.references()))
