"""Orders of events in which somebody was once paid twice, or told a wrong sum: found by playing, kept as stories."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from stand_ins import DEPOSIT, DROPPED, UPLOAD, Apply, Stage, instead, lost_after, pack_with, person, stage

import runner.clock
from runner.advance import Done, Wait, advance
from runner.journal.base import EntryKey
from runner.journal.memory import MemoryJournal
from runner.model.outcome import ClientResult, Ending
from runner.model.plan import Client

pytestmark = pytest.mark.anyio

IGNORED = pack_with("deposits.create", repeat="ignored")
# As a card's balance: a repeated key gets the first answer for ten minutes, and there is no look-up.
REPLAYED = pack_with("deposits.create", repeat="replayed", replays=600.0, look_up=None)
HORIZON = 120.0


async def go(on: Stage, run: int = 1, client: Client | None = None) -> Done | Wait:
    return await advance(replace(on.run(client), run=run))


async def done(on: Stage, run: int = 1, client: Client | None = None) -> ClientResult:
    got = await go(on, run, client)
    assert isinstance(got, Done), got
    return got.result


def moved(result: ClientResult) -> list[str]:
    return [str(one.money) for step in result.steps for one in step.moved]


def careless(provider: Any = IGNORED) -> Stage:
    """A provider that does again whatever it is asked again."""
    on = stage(DEPOSIT, provider=provider)
    on.desk.refuses_used = False
    return on


def forgetful() -> Stage:
    """A provider that knows a key for ten minutes after the order that it was first used for."""
    on = careless(REPLAYED)
    first_used: dict[str, float] = {}
    order = on.desk._order

    def ordered(kind: str, body: dict[str, Any]) -> Any:
        first = first_used.setdefault(body["partner_order_ref"], on.clock.boot)
        on.desk.replays = on.clock.boot < first + 600.0
        return order(kind, body)

    on.desk._order = ordered  # type: ignore[method-assign]
    return on


async def test_what_was_accepted_but_does_not_show_yet_is_not_sent_by_the_next_run() -> None:
    on = careless()
    await done(on, 1)
    on.desk.hidden = True
    on.clock.advance(59)

    assert isinstance(await go(on, 2), Wait)
    assert 1 == len(on.desk.orders)


async def test_nor_is_an_upload_with_the_pack_as_it_is() -> None:
    on = stage(UPLOAD)
    papers = ({"type": "government_id", "front": "id.jpg"},)
    await done(on, 1, person(documents=papers))
    on.desk.hidden = True

    assert isinstance(await go(on, 2, person(documents=papers)), Wait)
    assert 1 == len(on.desk.documents)


async def test_nor_is_what_only_failed_a_check_sent_by_a_retry() -> None:
    on = careless()
    on.desk.order_status = "reviewing"
    await done(on)
    await on.journal.retry(1, "user_1", EntryKey("deposit", -1, 1), on.clock.now())
    on.desk.hidden = True

    assert isinstance(await go(on), Wait)
    assert 1 == len(on.desk.orders)


async def test_a_lost_refusal_does_not_claim_what_another_run_paid() -> None:
    on = stage(DEPOSIT)
    await done(on, 1)
    on.desk.on("POST", lost_after)

    assert [] == moved(await done(on, 2))
    assert 1 == len(on.desk.orders)
    assert Decimal(0) == on.journal._held.get(("run:2", "USD"), Decimal(0))


async def test_a_dead_order_and_its_paid_successor_on_a_lost_journal() -> None:
    on = careless()
    on.desk.order_status = "failed"
    await done(on)
    on.desk.order_status = "completed"
    await on.journal.retry(1, "user_1", EntryKey("deposit", -1, 1), on.clock.now())
    await done(on)
    on.journal = MemoryJournal()
    on.clock.advance(100_000)

    assert Ending.DONE is (await done(on)).outcome
    assert ["failed", "completed"] == [order["status"] for order in on.desk.orders]


async def test_where_no_boot_is_told_a_clock_set_forward_brings_no_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner.clock, "boot_id", lambda: "")
    on = careless()
    on.desk.on("POST", instead(DROPPED))
    assert isinstance(await go(on), Wait)
    on.clock.wall += 3600

    assert isinstance(await go(on), Wait)
    assert [] == on.desk.orders


async def test_a_clock_set_back_between_two_runs_does_not_make_the_older_doubt_the_newest() -> None:
    on = careless()
    late: list[Apply] = []

    def lands_late(apply: Apply) -> Any:
        late.append(apply)
        return DROPPED

    on.desk.on("POST", instead(DROPPED))
    assert isinstance(await go(on, 1), Wait)
    on.clock.advance(HORIZON)
    on.clock.wall -= 3600
    on.desk.on("POST", lands_late)
    assert isinstance(await go(on, 2), Wait)

    assert isinstance(await go(on, 1), Wait)
    late.pop()()
    assert 1 == len(on.desk.orders)


async def test_an_outcome_that_was_written_late_does_not_hide_the_payment_that_followed() -> None:
    on = stage(DEPOSIT)
    on.desk.order_status = "failed"
    finish, queued = on.journal.finish, []

    async def later(*words: Any) -> None:
        queued.append(words)

    on.journal.finish = later  # type: ignore[method-assign]
    await done(on)
    on.desk.order_status = "completed"
    await done(on)
    on.journal.finish = finish  # type: ignore[method-assign]
    for words in queued:
        await finish(*words)

    result = await done(on)

    assert (Ending.DONE, ["100.00 USD"]) == (result.outcome, moved(result))
    assert ["failed", "completed"] == [order["status"] for order in on.desk.orders]


async def test_what_this_journal_knows_as_paid_is_not_sent_when_the_provider_has_forgotten_the_key() -> None:
    on = forgetful()
    await done(on, 1)
    on.clock.advance(3600)

    result = await done(on, 2)

    assert (Ending.DONE, []) == (result.outcome, moved(result))
    assert result.steps[0].adopted
    assert 1 == len(on.desk.orders)


async def test_a_replayed_answer_claims_no_money_of_another_run() -> None:
    on = forgetful()
    await done(on, 1)

    assert [] == moved(await done(on, 2))
    assert 1 == len(on.desk.orders)


async def test_nor_where_it_could_be_looked_up_too() -> None:
    on = careless(pack_with("deposits.create", repeat="replayed", replays=600.0))
    on.desk.replays = True
    await done(on, 1)

    result = await done(on, 2)

    assert (Ending.DONE, []) == (result.outcome, moved(result))
    assert result.steps[0].adopted
    assert 1 == len(on.desk.orders)


async def test_nothing_is_sent_that_could_land_when_the_key_is_forgotten() -> None:
    on = forgetful()
    on.desk.on("POST", *[lost_after] * 3)
    assert Ending.UNKNOWN is (await done(on)).outcome
    sent = len(on.desk.sent())
    # 535 + 30 + 30 is less than 600; with the 60 s that a request may take to show, it is not.
    on.clock.advance(535 - (on.clock.boot - 5000))

    assert Ending.UNKNOWN is (await done(on)).outcome
    assert sent == len(on.desk.sent())


async def test_another_amount_is_not_asked_for_with_a_replayed_key() -> None:
    on = forgetful()
    await done(on, 1)

    result = await done(on, 2, person(amount="150.00"))

    assert (Ending.REJECTED, []) == (result.outcome, moved(result))
    assert ["100.00"] == [order["debit"] for order in on.desk.orders]


async def test_a_replayed_answer_about_another_amount_is_a_conflict() -> None:
    """The journal is lost, the row was changed, and the provider still knows the key."""
    on = careless(pack_with("deposits.create", repeat="replayed", replays=600.0))
    on.desk.replays = True
    await done(on)
    on.journal = MemoryJournal()
    on.desk.hidden = True
    on.clock.advance(1)

    got = await go(on, 1, person(amount="150.00"))
    on.desk.hidden = False
    result = got.result

    assert Ending.DONE is not result.outcome
    assert ["100.00"] == [order["debit"] for order in on.desk.orders]
    assert Ending.REJECTED is (await done(on, 1, person(amount="150.00"))).outcome
