"""The same file run again on the same journal: what the earlier run may have on the wire is in doubt for this one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from stand_ins import DEPOSIT, DROPPED, UPLOAD, Stage, instead, pack_with, person, stage, step

from runner.advance import Done, Wait, advance
from runner.model.outcome import ClientResult, Ending

pytestmark = pytest.mark.anyio

IGNORED = pack_with("deposits.create", repeat="ignored")
HORIZON = 120.0


async def go(on: Stage, run: int, amount: str = "100.00", **more: Any) -> Done | Wait:
    return await advance(replace(on.run(person(amount=amount, **more)), run=run))


async def done(on: Stage, run: int, amount: str = "100.00", **more: Any) -> ClientResult:
    got = await go(on, run, amount, **more)
    assert isinstance(got, Done), got
    return got.result


async def waiting(on: Stage, run: int) -> Wait:
    got = await go(on, run)
    assert isinstance(got, Wait), got
    return got


async def test_what_an_earlier_run_has_on_the_wire_is_waited_for() -> None:
    on = stage(DEPOSIT, provider=IGNORED)
    late: list[Any] = []
    on.desk.on("POST", lambda apply: late.append(apply) or DROPPED)
    await waiting(on, 1)

    until = (await waiting(on, 2)).until
    late.pop()()
    on.clock.advance(until - on.clock.now())
    result = await done(on, 2)

    assert Ending.DONE is result.outcome
    assert result.steps[0].adopted
    assert 1 == len(on.desk.orders)


async def test_what_never_arrived_is_sent_by_whoever_reaches_the_horizon_first() -> None:
    on = stage(DEPOSIT, provider=IGNORED)
    on.desk.on("POST", instead(DROPPED))
    await waiting(on, 1)
    on.clock.advance(HORIZON)

    second, first = await done(on, 2), await done(on, 1)

    assert [Ending.DONE, Ending.DONE] == [first.outcome, second.outcome]
    assert 1 == len(on.desk.orders)
    # One of them moved it; the other found it.
    assert (1, 0) == (len(second.steps[0].moved), len(first.steps[0].moved))


async def test_a_new_reference_of_an_earlier_run_is_in_doubt_too() -> None:
    on = stage(DEPOSIT, provider=IGNORED)
    on.desk.order_status = "failed"
    await done(on, 1)
    on.desk.order_status = "completed"
    on.desk.on("POST", instead(DROPPED))
    await waiting(on, 2)

    until = (await waiting(on, 3)).until

    assert until > on.clock.now()
    assert ["failed"] == [order["status"] for order in on.desk.orders]


async def test_another_amount_is_refused_while_an_earlier_run_does_not_know() -> None:
    on = stage(DEPOSIT, provider=IGNORED)
    on.desk.on("POST", instead(DROPPED))
    await waiting(on, 1)
    asked = len(on.desk.requests)

    result = await done(on, 2, "150.00")

    assert Ending.REJECTED is result.outcome
    assert result.problem is not None
    assert ("effect.changed", True) == (result.problem.code, "onboard resume 1" in result.problem.hint)
    assert asked == len(on.desk.requests)


async def test_an_upload_on_the_wire_is_waited_for() -> None:
    on = stage(UPLOAD)
    papers = ({"type": "government_id", "front": "id.jpg"},)
    on.desk.on("POST", instead(DROPPED))
    assert isinstance(await go(on, 1, documents=papers), Wait)

    assert isinstance(await go(on, 2, documents=papers), Wait)
    assert [] == on.desk.documents


async def test_one_reference_of_the_author_for_two_payments_is_a_conflict() -> None:
    """The second must not be taken for the first: it was never made."""
    own = {"partner_client_id": "{{ client.id }}", "asset_id": "USD", "amount": "5.00", "partner_order_ref": "mine"}
    on = stage(step("first", "deposits.create", own), step("second", "deposits.create", own))

    result = await done(on, 1)

    assert Ending.REJECTED is result.outcome
    assert result.problem is not None
    assert "effect.conflict" == result.problem.code
    assert 1 == len(on.desk.orders)
