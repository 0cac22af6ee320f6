"""A list that shows neither our reference nor the transfer's id: amount and time tell, and else a person."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import anyio
import pytest
from bank import CAPS, FIN, HORIZON, Stage, moved
from stand_ins import (
    DROPPED,
    Apply,
    answer,
    instead,
    lost_after,
    lost_before,
    performer_of,
    person,
)

from runner.advance import ClientRun, advance
from runner.journal.memory import MemoryJournal
from runner.model.outcome import Ending
from runner.redact import Redactor

pytestmark = pytest.mark.anyio


async def test_what_was_carried_out_is_found_by_its_amount_and_time() -> None:
    on = Stage(caps=CAPS)
    on.bank.shows_references, on.bank.renames = False, True
    on.bank.on("settle", lost_after)
    result = await on.to_the_end()

    assert (Ending.DONE, {"promise": [], "pay": ["100.00"]}) == (result.outcome, moved(result))
    assert (["x1"], Decimal("100.00")) == (on.bank.paid, on.held())


async def test_already_settled_where_nothing_shows_is_never_a_no() -> None:
    """The first settle was carried out, its answer lost; the second is refused as used."""
    on = Stage(caps=CAPS)
    on.bank.on("settle", lost_after)
    on.bank.hidden = True
    result = await on.to_the_end()

    assert (Ending.UNKNOWN, ["t1"], 2) == (result.outcome, on.bank.paid, on.bank.sent("settle"))
    assert Decimal("100.00") == on.held()
    on.bank.hidden = False
    assert {"promise": [], "pay": ["100.00"]} == moved(await on.done())


async def test_a_transfer_that_shows_as_not_carried_out_may_be_refused() -> None:
    on = Stage()
    on.bank.on("settle", lost_before, instead(answer(422, {"message": "Insufficient balance"})))
    result = await on.to_the_end()
    assert (Ending.REJECTED, []) == (result.outcome, on.bank.paid)


async def test_a_transfer_that_the_provider_settled_by_itself_is_adopted() -> None:
    on = Stage()
    on.bank.shows_references, on.bank.renames = False, True

    def by_itself(apply: Apply) -> Any:
        apply()
        return answer(422, {"message": "Transfer is already settled"})

    on.bank.on("settle", by_itself)
    result = await on.done()
    assert (Ending.DONE, ["x1"]) == (result.outcome, on.bank.paid)


async def test_with_a_lost_journal_a_payment_without_a_name_is_for_a_person_to_judge() -> None:
    on = Stage()
    on.bank.shows_references = False
    await on.done()
    on.journal = MemoryJournal()
    on.clock.advance(HORIZON)

    result = await on.done()
    assert result.problem is not None
    assert (Ending.UNKNOWN, "effect.undecided", ["t1"]) == (result.outcome, result.problem.code, on.bank.paid)
    assert "t1" in result.problem.message
    assert "onboard recover --ours t1" in result.problem.hint
    assert Ending.UNKNOWN is (await on.done(ours="t2", not_ours="t3")).outcome

    done = await on.done(ours="t1")
    assert (Ending.DONE, ["t1"], {"promise": [], "pay": []}) == (done.outcome, on.bank.paid, moved(done))


async def test_a_payment_that_a_person_calls_another_stands_in_nobodys_way() -> None:
    on = Stage()
    on.bank.shows_references = False
    await on.done()
    on.journal = MemoryJournal()
    assert Ending.UNKNOWN is (await on.done()).outcome

    assert Ending.DONE is (await on.done(not_ours="t1")).outcome
    assert ["t1", "t2"] == on.bank.paid
    assert Ending.DONE is (await on.done()).outcome
    assert ["t1", "t2"] == on.bank.paid


@pytest.mark.parametrize("status", ["CREATED", "FAILED", "REFUNDED", "CANCELLED"])
async def test_what_moved_nothing_is_in_nobodys_way(status: str) -> None:
    on = Stage()
    on.bank.shows_references = False
    await on.done()
    on.bank.rows[0]["status"] = status
    on.journal = MemoryJournal()
    assert Ending.DONE is (await on.done()).outcome
    assert ["t1", "t2"] == on.bank.paid


async def test_what_this_journal_paid_under_another_batch_is_known_to_be_another() -> None:
    on = Stage()
    on.bank.shows_references = False
    await on.done()
    on.setting = replace(on.setting, batch="second")
    assert Ending.DONE is (await on.done(run=2)).outcome
    assert ["t1", "t2"] == on.bank.paid


async def test_one_transfer_is_not_taken_for_two_clients() -> None:
    """Two rows for the same account and amount; the request of the second never arrived."""
    on = Stage()
    on.bank.shows_references = False
    assert Ending.DONE is (await on.done(client=person(1))).outcome
    on.bank.on("create", lost_before)
    assert Ending.DONE is (await on.to_the_end(client=person(2))).outcome
    assert ["t1", "t2"] == on.bank.paid


async def test_two_that_guess_at_once_do_not_take_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither has written down yet what it has found."""
    on = Stage()
    on.bank.shows_references = False
    on.bank.on("create", lost_after, lost_before)

    async def nothing_yet(operation: str, mark: str) -> frozenset[str]:
        return frozenset()

    monkeypatch.setattr(on.journal, "claims", nothing_yet)
    performer = performer_of(FIN, on.bank, on.clock)
    runs = [ClientRun(1, on.setting, person(at), on.journal, performer, on.clock, Redactor([])) for at in (1, 2)]
    async with anyio.create_task_group() as group:
        for run in runs:
            group.start_soon(advance, run)
    monkeypatch.undo()
    on.clock.advance(HORIZON)
    assert [Ending.DONE] * 2 == [(await on.to_the_end(client=person(at))).outcome for at in (1, 2)]
    assert ["t1", "t2"] == sorted(on.bank.paid)


@pytest.mark.parametrize("name", ["create", "settle"])
async def test_what_has_our_reference_goes_before_what_only_fits(name: str) -> None:
    """Somebody pays the same amount at the dashboard while one of ours is in doubt."""
    on = Stage()

    def beside(apply: Apply) -> Any:
        apply()
        row = {"id": "d1", "transfer": "d1", "transaction_ref_id": None, "status": "PENDING"}
        on.bank.rows.append({**on.bank.rows[0], **row})
        return DROPPED

    on.bank.on(name, beside)
    result = await on.to_the_end()
    pay = next(one for one in result.steps if one.id == "pay")
    assert (Ending.DONE, ["t1"], {"transaction": "t1"}) == (result.outcome, on.bank.paid, pay.outputs)
