"""Money in two calls: the first promises and reserves, the second moves; neither twice, and never more than a cap."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from bank import CAPS, CREATE, FIN, HORIZON, LOOSE, PAY, PROMISE, SETTLE, Stage, moved
from stand_ins import (
    DROPPED,
    REFUSED,
    Apply,
    Fault,
    answer,
    instead,
    lost_after,
    lost_before,
    person,
    setting_of,
    step,
)

from runner.advance import Wait
from runner.journal.memory import MemoryJournal
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import Ending, Moved, Outcome, StepStatus
from runner.model.playbook import Cap
from runner.model.provider import MoneyRule
from runner.movements import Pledge, holds_of, moved_of

pytestmark = pytest.mark.anyio


# -- what is counted, and when -----------------------------------------------------------------------------------------


async def test_a_promise_reserves_and_only_carrying_it_out_moves() -> None:
    on = Stage(caps=CAPS)
    result = await on.done()

    assert Ending.DONE is result.outcome
    assert {"promise": [], "pay": ["100.00"]} == moved(result)
    assert (["t1"], Decimal("100.00")) == (on.bank.paid, on.held())


async def test_cents_leave_and_dollars_are_counted() -> None:
    on = Stage()
    await on.done(client=person(amount="12.5"))
    create = next(request for request in on.bank.asked if on.bank.kind(request) == "create")
    assert 1250 == json.loads(create.body)["amount"]


async def test_a_promise_that_is_never_carried_out_keeps_its_cap() -> None:
    on = Stage(PROMISE, caps=CAPS)
    assert {"promise": []} == moved(await on.done())
    assert Decimal("100.00") == on.held() == on.held("run:1:client:user_1")


async def test_a_promise_that_is_refused_gives_its_cap_back() -> None:
    on = Stage(PROMISE, caps=CAPS)
    on.bank.on("create", instead(answer(422, {"message": "no"})))
    assert Ending.REJECTED is (await on.done()).outcome
    assert Decimal(0) == on.held()


async def test_a_promise_beyond_the_cap_is_not_even_asked_for() -> None:
    on = Stage(caps=CAPS)
    result = await on.done(client=person(amount="150.01"))
    assert ("money.cap", 0) == (result.problem and result.problem.code, on.bank.sent("create"))


async def test_promises_count_against_the_cap_before_they_are_carried_out() -> None:
    """Nobody may promise to many what he may only pay to few."""
    on = Stage(PROMISE, caps=CAPS)
    await on.done(client=person(1))
    second = await on.done(client=person(2))
    assert ("money.cap", 1) == (second.problem and second.problem.code, len(on.bank.rows))


async def test_a_settlement_that_is_refused_leaves_the_cap_with_the_promise() -> None:
    on = Stage(caps=CAPS)
    on.bank.on("settle", instead(answer(403, {"message": "no"})))
    result = await on.done()
    assert (Ending.REJECTED, {"promise": [], "pay": []}) == (result.outcome, moved(result))
    assert Decimal("100.00") == on.held()


async def test_halted_money_is_neither_promised_nor_carried_out() -> None:
    on = Stage()
    result = await on.done(is_halted=lambda: True)
    assert ("run.halted", 0) == (result.problem and result.problem.code, on.bank.sent("create"))

    await on.done(run=2, is_halted=lambda: on.bank.sent("create") > 0)
    assert ([], 0) == (on.bank.paid, on.bank.sent("settle"))


async def test_the_step_that_carries_out_may_have_a_cap_of_its_own() -> None:
    capped = replace(PAY, caps={"USD": Cap(None, Decimal("150.00"))})
    on = Stage(PROMISE, capped)
    assert Ending.DONE is (await on.done(client=person(1))).outcome
    second = await on.done(client=person(2))
    assert ("money.cap", ["t1"]) == (second.problem and second.problem.code, on.bank.paid)
    assert Decimal("100.00") == on.held("run:1:step:pay")


# -- a promise that somebody else made ---------------------------------------------------------------------------------


async def test_a_promise_of_an_earlier_run_is_adopted_and_counts_against_this_runs_cap() -> None:
    on = Stage(caps=CAPS)
    on.bank.on("settle", instead(answer(403, {"message": "not today"})))
    await on.done(run=1)
    on.clock.advance(HORIZON)
    result = await on.done(run=2)

    assert (Ending.DONE, {"promise": [], "pay": ["100.00"]}) == (result.outcome, moved(result))
    assert (["t1"], 1, Decimal("100.00")) == (on.bank.paid, on.bank.sent("create"), on.held("run:2"))


async def test_an_adopted_promise_beyond_the_cap_is_not_carried_out() -> None:
    on = Stage()
    on.bank.on("settle", instead(answer(403, {"message": "not today"})))
    await on.done(run=1)
    on.clock.advance(HORIZON)
    on.setting = replace(on.setting, caps={"USD": Cap(None, Decimal("99.00"))})
    result = await on.done(run=2)

    assert ("money.cap", [], 1) == (result.problem and result.problem.code, on.bank.paid, on.bank.sent("settle"))


async def test_after_a_lost_journal_the_promise_is_found_and_paid_once() -> None:
    on = Stage(caps=CAPS)
    on.bank.on("settle", lost_before)
    await on.go()
    on.clock.advance(HORIZON)
    result = await on.done(journal=MemoryJournal())
    assert (Ending.DONE, ["t1"], 1) == (result.outcome, on.bank.paid, on.bank.sent("create"))
    assert {"promise": [], "pay": ["100.00"]} == moved(result)


async def test_what_an_earlier_run_has_paid_is_adopted_whole_and_moves_nothing() -> None:
    on = Stage(caps=CAPS)
    await on.done(run=1)
    on.clock.advance(HORIZON)
    result = await on.done(run=2)

    assert (Ending.DONE, {"promise": [], "pay": []}) == (result.outcome, moved(result))
    assert (["t1"], Decimal(0)) == (on.bank.paid, on.held("run:2"))


async def test_a_check_that_fails_gives_the_cap_back_and_a_retry_takes_it_again() -> None:
    strict = replace(PROMISE, outputs={"transfer": ("transfer_id",), "gone": ("nowhere",)})
    on = Stage(strict, PAY, caps=CAPS)
    assert Ending.REJECTED is (await on.done()).outcome
    assert Decimal(0) == on.held()

    await on.retry()
    on.clock.advance(HORIZON)
    result = await on.done()
    assert (Ending.DONE, ["t1"], Decimal("100.00")) == (result.outcome, on.bank.paid, on.held())


@pytest.mark.parametrize("is_resumed", [False, True])
async def test_the_cap_of_a_carried_out_adoption_is_taken_once_and_given_back_once(is_resumed: bool) -> None:
    on = Stage(caps=CAPS)
    on.bank.on("settle", instead(answer(403, {"message": "not today"})))
    await on.done(run=1)
    on.clock.advance(HORIZON)
    on.bank.on("settle", instead(REFUSED), *([instead(REFUSED)] * 2 if is_resumed else []))
    on.bank.on("settle", instead(answer(403, {"message": "never"})))
    result = await on.done(run=2)
    if is_resumed:
        assert Decimal("100.00") == on.held("run:2")
        result = await on.done(run=2)
    assert (Ending.REJECTED, Decimal(0)) == (result.outcome, on.held("run:2"))


# -- in doubt ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shows_references", [True, False])
@pytest.mark.parametrize("name", ["create", "settle"])
@pytest.mark.parametrize("fault", [lost_before, lost_after])
async def test_a_lost_call_is_made_up_for_once(name: str, fault: Fault, shows_references: bool) -> None:
    on = Stage(caps=CAPS)
    on.bank.shows_references = shows_references
    on.bank.on(name, fault)
    result = await on.to_the_end()

    assert (Ending.DONE, {"promise": [], "pay": ["100.00"]}) == (result.outcome, moved(result))
    assert (1, 1) == (len(on.bank.rows), len(on.bank.paid))
    assert Decimal("100.00") == on.held()


@pytest.mark.parametrize("name", ["create", "settle"])
async def test_a_call_that_lands_late_is_waited_for(name: str) -> None:
    on = Stage()
    late: list[Apply] = []
    on.bank.on(name, lambda apply: late.append(apply) or DROPPED)
    got = await on.go()
    assert isinstance(got, Wait)
    on.clock.advance(HORIZON - 1)
    late.pop()()
    result = await on.to_the_end()
    assert (Ending.DONE, 1, 1) == (result.outcome, len(on.bank.rows), len(on.bank.paid))


async def test_already_settled_is_an_adoption_that_counts_when_it_may_have_been_us() -> None:
    on = Stage()
    on.bank.on("settle", lost_after)
    on.bank.on("list", *[lambda apply: apply()] * 2)
    result = await on.to_the_end()
    assert ({"promise": [], "pay": ["100.00"]}, 1) == (moved(result), on.bank.sent("settle"))


async def test_what_somebody_else_settled_is_adopted_and_not_counted() -> None:
    on = Stage()

    def first(apply: Apply) -> Response | NoAnswer:
        on.bank.rows[0]["status"] = "PENDING"
        on.bank.paid.append("t1")
        return apply()

    on.bank.on("settle", first)
    result = await on.to_the_end()
    assert (Ending.DONE, {"promise": [], "pay": []}) == (result.outcome, moved(result))
    assert ["t1"] == on.bank.paid


async def test_of_two_promises_under_one_name_the_one_that_was_carried_out_counts() -> None:
    """The newest is shown first, and it is not the one that was settled."""
    on = Stage(PROMISE)
    await on.done()
    on.bank.apply(Request("POST", "/x/settle", body=b'{"transfer_id": "t1"}'))
    on.bank.rows.append({**on.bank.rows[0], "id": "t2", "status": "CREATED"})
    on.setting = Stage().setting
    result = await on.to_the_end()
    assert (Ending.DONE, ["t1"], 0) == (result.outcome, on.bank.paid, on.bank.sent("settle"))


async def test_of_another_amount_nothing_is_adopted() -> None:
    on = Stage(PROMISE)
    await on.done(run=1)
    on.clock.advance(HORIZON)
    on.setting = Stage().setting
    result = await on.done(run=2, client=person(amount="200.00"))
    assert ("effect.conflict", []) == (result.problem and result.problem.code, on.bank.paid)


@pytest.mark.parametrize(
    ("row", "is_ours"),
    [
        ({}, True),
        ({"from_amount": 99}, False),
        ({"created_at": "2020-01-01T00:00:00Z"}, False),
        ({"transaction_ref_id": "of somebody else"}, False),
        ({"transaction_ref_id": None}, True),
        ({"transaction_ref_id": ""}, True),
    ],
    ids=["as asked", "amount", "time", "reference", "no reference", "empty"],
)
async def test_a_row_without_a_reference_is_ours_by_amount_and_time_while_we_doubt(
    row: dict[str, Any], is_ours: bool
) -> None:
    on = Stage()
    on.bank.shows_references = False
    on.bank.on("create", lost_after)
    on.bank.on("list", lambda apply: apply())  # before the first send
    on.bank.on("list", lambda apply: (on.bank.rows[0].update(row), apply())[1])
    result = await on.to_the_end()
    assert Ending.DONE is result.outcome
    assert (1 if is_ours else 2, 1) == (len(on.bank.rows), len(on.bank.paid))


async def test_a_row_without_a_reference_is_nobodys_while_we_do_not_doubt() -> None:
    """Another payout of the same amount, to the same account, a moment ago."""
    on = Stage()
    on.bank.shows_references = False
    on.bank.apply(
        Request("POST", "/transfer-payout", body=b'{"beneficiary_id": "b1", "amount": 10000, "reference_id": "x"}')
    )
    result = await on.done()
    assert (Ending.DONE, ["t2"]) == (result.outcome, on.bank.paid)


async def test_a_failed_payout_is_promised_anew_under_another_reference() -> None:
    on = Stage()
    await on.done(run=1)
    on.bank.rows[0]["status"] = "FAILED"
    on.clock.advance(HORIZON)
    result = await on.to_the_end(run=2)
    assert (Ending.DONE, ["t1", "t2"]) == (result.outcome, on.bank.paid)
    first, second = (row["transaction_ref_id"] for row in on.bank.rows)
    assert f"{first}-2" == second


# -- what was never promised, or otherwise -----------------------------------------------------------------------------


async def test_what_nobody_promised_is_not_carried_out_and_nothing_is_asked() -> None:
    on = Stage(LOOSE)
    result = await on.done()
    assert result.problem is not None
    assert ("money.no-pledge", Ending.REJECTED, []) == (result.problem.code, result.outcome, on.bank.asked)
    assert 'no step of this client before transfers.settle promised "t1"' in result.problem.message


async def test_without_its_promise_money_that_may_have_moved_is_unknown() -> None:
    on = Stage()
    on.bank.hidden = True
    on.bank.on("settle", lost_after)
    assert isinstance(await on.go(), Wait)
    on.setting = setting_of(LOOSE, provider=FIN)
    result = await on.done()
    assert (Ending.UNKNOWN, 1) == (result.outcome, on.bank.sent("settle"))


@pytest.mark.parametrize("changes", [{"amount": "140.00"}, {"to": "b2"}], ids=["amount", "beneficiary"])
async def test_a_row_that_was_corrected_after_the_promise_is_not_paid_by_it(changes: dict[str, str]) -> None:
    on = Stage(caps=CAPS)
    on.bank.on("settle", instead(answer(403, {"message": "not today"})))
    await on.done()
    await on.retry()
    result = await on.done(client=person(**changes))

    assert ("effect.changed", []) == (result.problem and result.problem.code, on.bank.paid)
    assert {"promise": [], "pay": []} == moved(result)


async def test_a_promise_that_a_check_found_wrong_is_not_carried_out_by_what_always_runs() -> None:
    strict = replace(PROMISE, expect=step("x", "transfers.create", {}, "transfer_id == t7").expect)
    on = Stage(strict, replace(LOOSE, always=True))
    result = await on.done()
    assert (Ending.REJECTED, [], Decimal(0)) == (result.outcome, on.bank.paid, on.held())


async def test_a_promise_by_another_client_is_none() -> None:
    on = Stage(PROMISE)
    await on.done(client=person(1))
    on.setting = setting_of(LOOSE, provider=FIN)
    assert "money.no-pledge" == getattr((await on.done(client=person(2))).problem, "code", None)


async def test_one_promise_is_carried_out_once_by_two_steps() -> None:
    again = replace(PAY, id="again")
    on = Stage(PROMISE, PAY, again)
    result = await on.to_the_end()
    assert (Ending.DONE, ["t1"]) == (result.outcome, on.bank.paid)
    assert {"promise": [], "pay": ["100.00"], "again": []} == moved(result)


# -- the words of it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "amount"),
    [("25.00", "25.00"), ("25", "25"), (2500, "25.00"), (1, "0.01"), (Decimal("25.5"), "25.5")],
)
def test_a_text_is_in_dollars_and_a_whole_number_in_cents(given: Any, amount: str) -> None:
    found = moved_of(CREATE, {"amount": given})
    assert isinstance(found, Moved)
    assert ("payouts", amount, "USD") == (found.kind, str(found.money.amount), found.money.asset)


@pytest.mark.parametrize("given", [0, -500, True, None, 25.0, "25.001", "-25.00", "1e3", "", Decimal("2.505")])
def test_what_is_no_amount_is_told_before_anything_is_sent(given: Any) -> None:
    assert "money.amount" == getattr(moved_of(CREATE, {"amount": given}), "code", None)


@pytest.mark.parametrize("amount", ["25.001", -500, 0])
async def test_an_amount_that_shows_only_in_the_run_is_refused_as_well(amount: Any) -> None:
    on = Stage()
    result = await on.done(client=person(amount=amount))
    assert ("money.amount", []) == (result.problem and result.problem.code, on.bank.asked)


def test_what_carries_out_moves_what_was_promised() -> None:
    moves = Moved("payouts", moved_of(CREATE, {"amount": "7.00"}).money)  # type: ignore[union-attr]
    assert moves == moved_of(SETTLE, {"transfer_id": "t1"}, Pledge({}, moves))
    assert None is moved_of(FIN.operations["balances.list"], {})
    plain = replace(CREATE, money=MoneyRule("payouts", "amount", fixed_asset="USD"))
    assert isinstance(moved_of(plain, {"amount": "7.001"}), Moved)


def test_what_is_reserved_is_of_the_client_of_the_run_and_of_the_step() -> None:
    capped = replace(PROMISE, caps={"USD": Cap(Decimal(1), Decimal(2))})
    setting = setting_of(capped, provider=FIN, caps={"USD": Cap(Decimal(3), Decimal(4))})
    moves = moved_of(CREATE, {"amount": "1.00"})
    assert isinstance(moves, Moved)
    assert [
        ("run:1:client:user_1", 3),
        ("run:1", 4),
        ("run:1:client:user_1:step:promise", 1),
        ("run:1:step:promise", 2),
    ] == [(hold.scope, hold.limit) for hold in holds_of(1, setting, person(), capped, moves)]
    assert () == holds_of(1, setting, person(), capped, None)


def test_what_a_promise_holds_survives_the_journal() -> None:
    moves = moved_of(CREATE, {"amount": "1.00"})
    assert isinstance(moves, Moved)
    outcome = Outcome(StepStatus.PASSED, reserved=moves)
    assert outcome == Outcome.from_json(json.loads(json.dumps(outcome.to_json())))
