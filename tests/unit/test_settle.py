"""Stories of money calls: whatever is lost on the way, the desk's book shows one deposit for each that was meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from stand_ins import (
    CREATE,
    DEPOSIT,
    DROPPED,
    PACK,
    REFUSED,
    UPLOAD,
    Apply,
    Stage,
    answer,
    error,
    instead,
    lost_after,
    lost_before,
    pack_with,
    person,
    stage,
    text_answer,
)

from runner.advance import Done, Wait, advance
from runner.journal.base import EntryKey
from runner.model.http import NoAnswer, Response
from runner.model.outcome import ClientResult, Ending, Fault, StepResult, StepStatus
from runner.model.plan import Client
from runner.model.playbook import Cap
from runner.model.problem import Problem, ProblemError
from runner.model.provider import Provider

pytestmark = pytest.mark.anyio

UNKNOWN_REPEAT = pack_with("deposits.create", repeat="unknown")
# send window 30 s + request timeout 30 s + the pack's settle 60 s
HORIZON = 120.0


async def go(on: Stage, client: Client | None = None, **more: Any) -> ClientResult:
    """One process from start to end: reads the journal, as a resume does."""
    got = await advance(on.run(client, **more))
    assert isinstance(got, Done), got
    return got.result


async def wait(on: Stage, client: Client | None = None) -> Wait:
    got = await advance(on.run(client))
    assert isinstance(got, Wait), got
    assert Ending.WAITING is got.result.outcome
    return got


def only(result: ClientResult) -> StepResult:
    assert 1 == len(result.steps)
    return result.steps[0]


def code(result: ClientResult) -> str:
    assert result.problem is not None
    return result.problem.code


def moved(result: ClientResult) -> list[str]:
    return [str(moved.money) for step in result.steps for moved in step.moved]


async def held(on: Stage, scope: str = "run:1") -> Decimal:
    return on.journal._held.get((scope, "USD"), Decimal(0))


# -- the straight way ------------------------------------------------------------------------------------------------


async def test_a_deposit_is_sent_once_with_our_reference() -> None:
    on = stage(DEPOSIT)
    step = only(await go(on))
    assert StepStatus.PASSED is step.status
    assert list(step.references) == on.desk.references()
    assert {"order": 1} == step.outputs
    assert 1 == step.attempts == step.requests


async def test_where_repeats_are_not_refused_it_is_looked_up_before_the_first_send() -> None:
    on = stage(DEPOSIT, provider=UNKNOWN_REPEAT)
    assert Ending.DONE is (await go(on)).outcome
    assert ["GET", "POST"] == [request.method for request in on.desk.requests]


async def test_what_an_earlier_run_paid_is_adopted_and_moves_nothing() -> None:
    on = stage(DEPOSIT, provider=UNKNOWN_REPEAT)
    await go(on)
    on.journal = type(on.journal)()  # a lost journal
    result = await go(on)
    assert Ending.DONE is result.outcome
    assert only(result).adopted
    assert [] == moved(result)
    assert 1 == len(on.desk.orders)
    assert Decimal(0) == await held(on)


async def test_a_duplicate_that_is_equal_is_adopted_and_moves_nothing() -> None:
    on = stage(DEPOSIT)
    await go(on)
    on.journal = type(on.journal)()
    result = await go(on)
    assert (Ending.DONE, True, []) == (result.outcome, result.adopted, moved(result))
    assert 1 == len(on.desk.orders)
    assert Decimal(0) == await held(on)


# -- lost replies ----------------------------------------------------------------------------------------------------


async def test_a_lost_reply_is_looked_up_and_adopted() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", lost_after)
    result = await go(on)
    assert Ending.DONE is result.outcome
    assert (1, 1) == (len(on.desk.sent()), len(on.desk.orders))
    assert only(result).adopted
    assert ["100.00 USD"] == moved(result)
    assert Decimal(100) == await held(on)


@pytest.mark.parametrize(
    "broken",
    [instead(DROPPED), instead(text_answer(502)), instead(text_answer(200)), instead(answer(500)), lost_before],
)
async def test_a_lost_request_is_sent_again_with_the_same_reference(broken: Callable[[Apply], Any]) -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", broken)
    result = await go(on)
    assert Ending.DONE is result.outcome
    first, second = on.desk.sent()
    assert first.body == second.body
    assert 1 == len(on.desk.orders)
    assert ["100.00 USD"] == moved(result)


async def test_where_repeats_are_not_refused_nothing_is_sent_again_before_the_horizon() -> None:
    on = stage(DEPOSIT, provider=UNKNOWN_REPEAT)
    on.desk.on("POST", lost_before)
    begun = on.clock.now()
    got = await wait(on)
    assert begun + HORIZON == got.until
    assert "effect.in-flight" == code(got.result)
    assert got.until == got.result.retry_at
    on.clock.advance(HORIZON - 1 - (on.clock.now() - begun))
    assert begun + HORIZON == (await wait(on)).until
    assert 1 == len(on.desk.sent())
    on.clock.advance(1)
    result = await go(on)
    assert Ending.DONE is result.outcome
    first, second = on.desk.sent()
    assert first.body == second.body
    assert 1 == len(on.desk.orders)


async def test_a_request_that_lands_late_is_adopted_at_the_horizon() -> None:
    on = stage(DEPOSIT, provider=UNKNOWN_REPEAT)
    on.desk.hidden = True
    on.desk.on("POST", lost_after)
    got = await wait(on)
    on.desk.hidden = False
    on.clock.advance(got.until - on.clock.now())
    result = await go(on)
    assert (Ending.DONE, True, ["100.00 USD"]) == (result.outcome, result.adopted, moved(result))
    assert (1, 1) == (len(on.desk.sent()), len(on.desk.orders))


async def test_a_look_up_that_began_before_the_horizon_proves_nothing_after_it() -> None:
    """What it did not see may have become visible while its answer was on the way."""
    on = stage(DEPOSIT, provider=UNKNOWN_REPEAT)

    def slow(apply: Apply) -> Response | NoAnswer:
        got = apply()
        on.clock.advance(10)
        return got

    on.desk.on("POST", lost_before)
    got = await wait(on)
    on.clock.advance(got.until - on.clock.now() - 5)
    on.desk.on("GET", slow)
    assert isinstance(await advance(on.run()), Wait)
    assert 1 == len(on.desk.sent())


async def test_a_look_up_that_fails_leaves_it_unknown_and_sends_nothing() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", lost_before)
    on.desk.on("GET", *[instead(DROPPED)] * 4)
    result = await go(on)
    assert (Ending.UNKNOWN, "effect.unknown") == (result.outcome, code(result))
    assert 1 == len(on.desk.sent())
    assert Decimal(100) == await held(on)
    assert Ending.DONE is (await go(on)).outcome
    assert 1 == len(on.desk.orders)


async def test_a_page_that_is_no_answer_of_the_provider_does_not_say_that_it_is_not_there() -> None:
    """A 404 from a proxy on the way is not the provider's word."""
    on = stage(DEPOSIT)
    on.desk.on("POST", lost_after)
    on.desk.on("GET", instead(text_answer(404, "<html>no such page</html>")))
    result = await go(on)
    assert Ending.UNKNOWN is result.outcome
    assert 1 == len(on.desk.sent())


@pytest.mark.parametrize("body", [{}, {"result": None}, {"result": []}, {"msg": "ok"}, {"result": "yes"}])
async def test_an_answer_without_the_order_is_not_adopted(body: Any) -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", lost_before)
    on.desk.on("GET", instead(answer(200, body)))
    result = await go(on)
    assert Ending.UNKNOWN is result.outcome
    assert 1 == len(on.desk.sent())


async def test_a_kill_between_intent_and_outcome_is_looked_up_on_resume() -> None:
    on = stage(DEPOSIT)

    def killed(apply: Apply) -> Response | NoAnswer:
        apply()
        raise KeyboardInterrupt

    on.desk.on("POST", killed)
    with pytest.raises(KeyboardInterrupt):
        await go(on)
    result = await go(on)
    assert (Ending.DONE, True, ["100.00 USD"]) == (result.outcome, result.adopted, moved(result))
    assert (1, 1) == (len(on.desk.sent()), len(on.desk.orders))


# -- refusals --------------------------------------------------------------------------------------------------------


async def test_another_amount_under_our_reference_is_a_conflict() -> None:
    on = stage(DEPOSIT)
    await go(on)
    on.desk.orders[0]["debit"] = "99.00"
    on.journal = type(on.journal)()
    result = await go(on)
    assert (Ending.REJECTED, "effect.conflict", []) == (result.outcome, code(result), moved(result))
    assert Decimal(0) == await held(on)


async def test_another_amount_in_the_row_is_refused_before_the_network() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", lost_after)
    on.desk.on("GET", *[instead(DROPPED)] * 4)
    await go(on)
    count = len(on.desk.requests)
    result = await go(on, person(amount="5.00"))
    assert (Ending.REJECTED, "effect.changed") == (result.outcome, code(result))
    assert count == len(on.desk.requests)


async def test_a_failed_order_gets_a_new_reference() -> None:
    on = stage(DEPOSIT)

    def lost_and_failed(apply: Apply) -> Response | NoAnswer:
        on.desk.order_status = "failed"
        apply()
        on.desk.order_status = "completed"
        return DROPPED

    on.desk.on("POST", lost_and_failed)
    result = await go(on)
    first, second = on.desk.references()
    assert f"{first}-2" == second
    assert (Ending.DONE, [second], ["100.00 USD"]) == (
        result.outcome,
        list(only(result).references),
        moved(result),
    )
    assert Decimal(100) == await held(on)


async def test_a_new_reference_leaves_the_old_doubt_behind() -> None:
    """The dead order is what came of the lost request: a refusal of the next one is final at once."""
    on = stage(DEPOSIT)

    def lost_and_failed(apply: Apply) -> Response | NoAnswer:
        on.desk.order_status = "failed"
        apply()
        return DROPPED

    on.desk.on("POST", lost_and_failed, instead(error(3005)))
    result = await go(on)
    assert (Ending.REJECTED, "coinmena.insufficient-funds") == (result.outcome, code(result))
    assert Decimal(0) == await held(on)


async def test_a_reply_of_a_failed_order_is_final_and_moves_nothing() -> None:
    on = stage(DEPOSIT)
    on.desk.order_status = "failed"
    result = await go(on)
    assert (Ending.REJECTED, "coinmena.order-failed", []) == (result.outcome, code(result), moved(result))
    assert Decimal(0) == await held(on)
    assert 1 == len(on.desk.sent())


async def test_an_authors_own_reference_is_never_numbered() -> None:
    values = {**DEPOSIT.values, "partner_order_ref": "mine-1"}
    on = stage(replace(DEPOSIT, values=values))
    on.desk.order_status = "failed"
    on.desk.on("POST", lost_after)
    result = await go(on)
    assert (Ending.REJECTED, ["mine-1"]) == (result.outcome, on.desk.references())


async def test_a_duplicate_of_another_field_is_that_problem() -> None:
    on = stage(CREATE)
    on.desk.clients["stranger"] = {"email": "p1@example.com"}
    result = await go(on)
    assert (Ending.REJECTED, "coinmena.duplicate-email") == (result.outcome, code(result))
    assert 1 == len(on.desk.sent())


async def test_a_client_that_is_there_already_is_adopted() -> None:
    on = stage(CREATE)
    await go(on)
    on.journal = type(on.journal)()
    result = await go(on, person(email="P1@EXAMPLE.com"))
    assert (Ending.DONE, True) == (result.outcome, result.adopted)
    assert {"made": 1} == only(result).outputs


async def test_another_person_under_our_id_is_a_conflict() -> None:
    on = stage(CREATE)
    await go(on)
    on.journal = type(on.journal)()
    result = await go(on, person(name="Somebody Else"))
    assert (Ending.REJECTED, "effect.conflict") == (result.outcome, code(result))


async def test_a_refusal_is_final_and_kept() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", instead(error(3005)))
    result = await go(on)
    assert (Ending.REJECTED, "coinmena.insufficient-funds") == (result.outcome, code(result))
    assert Decimal(0) == await held(on)
    assert "coinmena.insufficient-funds" == code(await go(on))
    assert 1 == len(on.desk.sent())


async def test_a_refusal_after_a_lost_attempt_is_looked_up_first() -> None:
    on = stage(DEPOSIT)

    def lands_late(apply: Apply) -> Response | NoAnswer:
        apply()
        on.desk.hidden = True
        return DROPPED

    def no_funds(apply: Apply) -> Response | NoAnswer:
        on.desk.hidden = False
        return error(3005)

    on.desk.on("POST", lands_late, no_funds)
    result = await go(on)
    assert (Ending.DONE, True, 1) == (result.outcome, result.adopted, len(on.desk.orders))


async def test_a_refusal_after_a_lost_attempt_stands_at_the_horizon() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", lost_before, *[instead(error(3005))] * 3)
    got = await wait(on)
    on.clock.advance(got.until - on.clock.now())
    result = await go(on)
    assert (Ending.REJECTED, "coinmena.insufficient-funds", 0) == (result.outcome, code(result), len(on.desk.orders))
    assert Decimal(0) == await held(on)


async def test_a_reference_that_is_used_but_never_seen_ends_unknown() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", *[instead(error(2020, 409))] * 9)
    on.desk.hidden = True
    got: Done | Wait = await advance(on.run())
    for _ in range(3):
        if isinstance(got, Wait):
            on.clock.advance(got.until - on.clock.now())
            got = await advance(on.run())
    assert isinstance(got, Done)
    assert Ending.UNKNOWN is got.result.outcome


# -- the world stops us ----------------------------------------------------------------------------------------------


async def test_no_connection_is_tried_again_and_then_given_up() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", *[instead(REFUSED)] * 3)
    result = await go(on)
    assert (Ending.NOT_STARTED, Fault.UNREACHABLE, "http.not-connected") == (
        result.outcome,
        result.fault,
        code(result),
    )
    assert [0.5, 2.0] == on.clock.slept
    assert 3 == only(result).attempts
    # Nothing happened, for certain: resume simply sends.
    assert Ending.DONE is (await go(on)).outcome
    assert ["POST"] * 4 == [request.method for request in on.desk.requests]
    assert Decimal(100) == await held(on)


async def test_no_connection_once_is_no_trouble() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", instead(REFUSED))
    assert Ending.DONE is (await go(on)).outcome


async def test_refused_credentials_are_not_tried_again() -> None:
    on = stage(CREATE, DEPOSIT)
    on.desk.on("POST", lambda apply: apply(), instead(answer(401, {"msg": "bad signature"})))
    result = await go(on)
    assert (Ending.WAITING, Fault.CREDENTIALS, "coinmena.unauthorized") == (result.outcome, result.fault, code(result))
    assert 2 == len(on.desk.sent())
    assert Ending.DONE is (await go(on)).outcome


async def test_throttling_waits_as_told() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", instead(answer(429, {}, retry_after="7")))
    assert Ending.DONE is (await go(on)).outcome
    assert 7.0 == sum(on.clock.slept)


async def test_who_is_put_off_for_long_is_not_asked_again_by_this_process() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", instead(answer(429, {}, retry_after="301")))
    result = await go(on)
    assert (Fault.THROTTLED, 1) == (result.fault, len(on.desk.sent()))
    assert [] == on.clock.slept
    assert Ending.DONE is (await go(on)).outcome


async def test_throttled_out_is_not_final() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", *[instead(answer(429))] * 3)
    result = await go(on)
    assert (Ending.NOT_STARTED, Fault.THROTTLED) == (result.outcome, result.fault)
    assert Ending.DONE is (await go(on)).outcome


async def test_a_look_up_before_the_first_send_that_is_refused_is_no_fault_of_the_network() -> None:
    on = stage(UPLOAD)
    on.desk.on("GET", instead(error(2010)))
    client = person(documents=({"type": "government_id", "front": "a.jpg"},))
    result = await go(on, client)
    assert (Ending.REJECTED, None, "coinmena.client-deactivated") == (result.outcome, result.fault, code(result))
    assert [] == on.desk.sent()


async def test_a_look_up_before_the_first_send_that_is_denied_is_about_credentials() -> None:
    on = stage(UPLOAD)
    on.desk.on("GET", instead(answer(401, {})))
    client = person(documents=({"type": "government_id", "front": "a.jpg"},))
    result = await go(on, client)
    assert (Ending.NOT_STARTED, Fault.CREDENTIALS) == (result.outcome, result.fault)


async def test_an_old_intent_is_not_sent() -> None:
    """A laptop that slept between the intent and the request begins anew."""
    on = stage(DEPOSIT)
    begin = on.journal.begin

    async def sleepy(*words: Any) -> bool:
        first = await begin(*words)
        on.clock.advance(3600 if words[2].attempt == 1 else 0)
        return first

    on.journal.begin = sleepy  # type: ignore[method-assign]
    result = await go(on)
    assert (Ending.DONE, 2, 1) == (result.outcome, only(result).attempts, len(on.desk.sent()))


async def test_a_clock_that_was_set_back_does_not_hide_an_old_intent() -> None:
    on = stage(DEPOSIT)
    begin = on.journal.begin

    async def sleepy(*words: Any) -> bool:
        first = await begin(*words)
        on.clock.advance(3600)
        on.clock.wall -= 3600
        return first

    on.journal.begin = sleepy  # type: ignore[method-assign]
    result = await go(on)
    assert (Fault.UNREACHABLE, "http.expired", []) == (result.fault, code(result), on.desk.sent())


async def test_a_wall_clock_set_forward_does_not_bring_the_horizon_nearer() -> None:
    on = stage(DEPOSIT, provider=UNKNOWN_REPEAT)
    on.desk.on("POST", lost_before)
    await wait(on)
    on.clock.wall += 3600
    await wait(on)
    assert 1 == len(on.desk.sent())


# -- who may send ----------------------------------------------------------------------------------------------------


async def test_who_did_not_begin_does_not_send() -> None:
    on = stage(DEPOSIT)

    async def lost_race(*words: Any) -> bool:
        return False

    on.journal.begin = lost_race  # type: ignore[method-assign]
    got = await wait(on)
    assert [] == on.desk.requests
    assert on.clock.now() + HORIZON == got.until


async def test_a_halt_stops_money_and_nothing_else() -> None:
    on = stage(CREATE, DEPOSIT)
    result = await go(on, is_halted=lambda: True)
    assert (Fault.GUARD, "run.halted") == (result.fault, code(result))
    assert 1 == len(on.desk.sent())
    assert Ending.DONE is (await go(on)).outcome


@pytest.mark.parametrize("asked", [1, 2, 3])
async def test_a_halt_counts_until_the_very_last_moment(asked: int) -> None:
    """Before the turn, after it, and when the connection is there."""
    on = stage(DEPOSIT)
    answers = iter([False] * asked)
    result = await go(on, is_halted=lambda: next(answers, True))
    assert (Fault.GUARD, "run.halted") == (result.fault, code(result))
    assert [] == on.desk.sent()
    assert Ending.DONE is (await go(on)).outcome


async def test_who_is_stopped_while_waiting_for_a_turn_sends_nothing() -> None:
    on = stage(DEPOSIT)
    told = iter([None] * 2)
    got = await advance(on.run(stopping=lambda: next(told, Problem("run.interrupted", "stop"))))
    assert isinstance(got, Done)
    assert Ending.WAITING is got.result.outcome
    assert [] == on.desk.sent()


async def test_a_cap_is_reserved_before_the_send() -> None:
    on = stage(DEPOSIT, caps={"USD": Cap(Decimal("150.00"), Decimal("150.00"))})
    assert Ending.DONE is (await go(on)).outcome
    result = await go(on, person(2))
    assert (Fault.GUARD, "money.cap", 1) == (result.fault, code(result), len(on.desk.sent()))
    assert result.problem is not None
    assert (
        '"deposit" would move 100.00 USD on top of 100.00: more than the cap of 150.00 for the run'
        == result.problem.message
    )


async def test_a_steps_own_cap_counts_too() -> None:
    caps = {"USD": Cap(Decimal("50.00"), None)}
    on = stage(replace(DEPOSIT, caps=caps))
    result = await go(on)
    assert "money.cap" == code(result)
    assert result.problem is not None
    assert "for this client" in result.problem.message
    assert [] == on.desk.sent()


async def test_a_cap_that_was_given_back_can_be_used_by_another() -> None:
    on = stage(DEPOSIT, caps={"USD": Cap(None, Decimal("100.00"))})
    on.desk.on("POST", instead(error(3005)))
    assert Ending.REJECTED is (await go(on)).outcome
    assert Ending.DONE is (await go(on, person(2))).outcome
    assert Decimal(100) == await held(on)


async def test_many_attempts_hold_one_part_of_the_cap() -> None:
    on = stage(DEPOSIT, caps={"USD": Cap(None, Decimal("100.00"))})
    on.desk.on("POST", instead(REFUSED), lost_before, instead(answer(429)))
    assert Ending.WAITING is (await wait(on)).result.outcome
    assert Decimal(100) == await held(on)
    assert Ending.DONE is (await go(on)).outcome
    assert Decimal(100) == await held(on)


@pytest.mark.parametrize(
    ("amount", "word"), [("120.00", Ending.DONE), ("120.01", Ending.NOT_STARTED), ("80", Ending.DONE)]
)
async def test_an_amount_that_was_changed_is_held_as_changed(amount: str, word: Ending) -> None:
    """A throttled attempt keeps its part of the cap; a larger amount needs the difference."""
    on = stage(DEPOSIT, caps={"USD": Cap(None, Decimal("120.00"))})
    on.desk.on("POST", *[instead(answer(429))] * 3)
    await go(on)
    result = await go(on, person(amount=amount))
    assert word is result.outcome
    assert Decimal(amount if word is Ending.DONE else 100) == await held(on)


async def test_what_an_earlier_run_paid_under_a_second_reference_is_not_ours() -> None:
    on = stage(DEPOSIT)
    on.desk.order_status = "failed"
    await go(on)
    on.desk.order_status = "completed"
    await on.journal.retry(1, "user_1", EntryKey("deposit", -1, 1), on.clock.now())
    await go(on)
    on.journal = type(on.journal)()
    on.desk.on("POST", lost_before)
    result = await go(on)
    assert (Ending.DONE, True, [], 2) == (result.outcome, result.adopted, moved(result), len(on.desk.orders))


async def test_an_amount_that_is_none_is_refused_before_the_network() -> None:
    on = stage(DEPOSIT)
    result = await go(on, person(amount="a lot"))
    assert (Ending.REJECTED, "money.amount", []) == (result.outcome, code(result), on.desk.requests)


# -- trying again ----------------------------------------------------------------------------------------------------


async def test_recorded_outcomes_are_replayed_and_nothing_is_sent() -> None:
    on = stage(CREATE, DEPOSIT)
    first = await go(on)
    count = len(on.desk.requests)
    assert first == await go(on)
    assert count == len(on.desk.requests)


async def test_what_was_adopted_after_a_closed_attempt_is_written_down() -> None:
    """The attempt that provably was not sent has its outcome; the adoption needs a number of its own."""
    on = stage(DEPOSIT)

    def lands_late(apply: Apply) -> Response | NoAnswer:
        apply()
        on.desk.hidden = True
        return DROPPED

    def denied(apply: Apply) -> Response | NoAnswer:
        on.desk.hidden = False
        return answer(401, {})

    on.desk.on("POST", lands_late, denied)
    assert Ending.DONE is (await go(on)).outcome
    count = len(on.desk.requests)
    result = await go(on)
    assert (Ending.DONE, count) == (result.outcome, len(on.desk.requests))


async def retry(on: Stage, attempt: int) -> None:
    await on.journal.retry(1, "user_1", EntryKey("deposit", -1, attempt), on.clock.now())


async def test_a_retry_sends_a_refused_deposit_again() -> None:
    on = stage(DEPOSIT)
    on.desk.on("POST", instead(error(3005)))
    assert Ending.REJECTED is (await go(on)).outcome
    await retry(on, 1)
    result = await go(on)
    assert (Ending.DONE, ["100.00 USD"], Decimal(100)) == (result.outcome, moved(result), await held(on))


async def test_a_retry_of_a_failed_order_takes_a_new_reference() -> None:
    on = stage(DEPOSIT)
    on.desk.order_status = "failed"
    assert Ending.REJECTED is (await go(on)).outcome
    on.desk.order_status = "completed"
    await retry(on, 1)
    assert Ending.DONE is (await go(on)).outcome
    first, second = on.desk.references()
    assert f"{first}-2" == second
    assert Decimal(100) == await held(on)


async def test_a_retry_of_a_deposit_whose_check_failed_counts_its_money_once() -> None:
    """The money moved in the first attempt; adopting it does not give the cap back, nor count it twice."""
    on = stage(DEPOSIT)
    on.desk.order_status = "reviewing"
    result = await go(on)
    assert (Ending.REJECTED, ["100.00 USD"], Decimal(100)) == (result.outcome, moved(result), await held(on))
    on.desk.orders[0]["status"] = "completed"
    await retry(on, 1)
    result = await go(on)
    assert (Ending.DONE, ["100.00 USD"], Decimal(100)) == (result.outcome, moved(result), await held(on))
    assert 1 == len(on.desk.orders)


@pytest.mark.parametrize("provider", [PACK, UNKNOWN_REPEAT], ids=["refused", "unknown"])
async def test_a_row_changed_after_its_money_moved_is_refused_and_the_money_stays_counted(provider: Provider) -> None:
    on = stage(DEPOSIT, provider=provider)
    on.desk.order_status = "reviewing"
    await go(on)
    await retry(on, 1)
    count = len(on.desk.requests)
    result = await go(on, person(amount="7.00"))
    assert (Ending.REJECTED, "effect.changed") == (result.outcome, code(result))
    assert (["100.00 USD"], Decimal(100), count) == (moved(result), await held(on), len(on.desk.requests))


async def test_a_duplicate_that_could_not_be_looked_up_at_once_is_still_not_ours() -> None:
    """An earlier run paid; that we could not see it for a while does not make it this run's money."""
    on = stage(DEPOSIT)
    await go(on)
    on.journal = type(on.journal)()
    on.desk.on("GET", *[instead(DROPPED)] * 4)
    assert Ending.UNKNOWN is (await go(on)).outcome
    result = await go(on)
    assert (Ending.DONE, True, [], Decimal(0)) == (result.outcome, result.adopted, moved(result), await held(on))


# -- documents -------------------------------------------------------------------------------------------------------


async def test_documents_on_file_are_adopted_and_each_only_once() -> None:
    on = stage(UPLOAD)
    on.desk.documents.append({"id": 77, "type": "government_id"})
    one = {"type": "government_id", "front": "a.jpg"}
    other = {"type": "government_id", "front": "b.jpg"}
    result = await go(on, person(documents=(one, other)))
    assert [{"document": 77}, {"document": 2}] == only(result).outputs
    assert 1 == len(on.desk.sent())


async def test_a_lost_upload_is_adopted_and_not_the_other_items() -> None:
    on = stage(UPLOAD)
    on.desk.on("POST", lambda apply: apply(), lost_after)
    one = {"type": "government_id", "front": "a.jpg"}
    other = {"type": "government_id", "front": "b.jpg"}
    result = await go(on, person(documents=(one, other)))
    assert [{"document": 1}, {"document": 2}] == only(result).outputs
    assert 2 == len(on.desk.documents)


async def test_a_list_without_items_does_not_say_that_nothing_is_there() -> None:
    on = stage(UPLOAD)
    on.desk.on("GET", instead(answer(200, {"documents": []})))
    result = await go(on, person(documents=({"type": "government_id", "front": "a.jpg"},)))
    assert [] == on.desk.sent()
    assert Ending.DONE is not result.outcome


async def test_an_operation_without_a_look_up_ends_unknown_when_its_reply_is_lost() -> None:
    on = stage(DEPOSIT, provider=pack_with("deposits.create", look_up=None))
    on.desk.on("POST", lost_after)
    result = await go(on)
    assert Ending.UNKNOWN is result.outcome
    assert "deposits.create can't be looked up" in (result.problem.message if result.problem else "")


async def test_nobody_reads_a_document_that_is_gone() -> None:
    """It was there while planning. The client is refused, the run goes on, and nothing is in doubt."""
    on = stage(UPLOAD)

    def gone(name: str) -> Any:
        raise ProblemError([Problem("documents.missing", f'document "{name}" is not there')])

    on.performer._read_file = gone
    client = person(documents=({"type": "government_id", "front": "a.jpg"},))
    result = await go(on, client)
    assert (Ending.REJECTED, "documents.missing", []) == (result.outcome, code(result), on.desk.sent())
