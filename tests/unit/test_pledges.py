"""Money in two calls: the first promises and reserves, the second moves; neither twice, and never more than a cap."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import anyio
import pytest
from stand_ins import (
    DROPPED,
    REFUSED,
    Apply,
    FakeClock,
    Fault,
    answer,
    instead,
    lost_after,
    lost_before,
    performer_of,
    person,
    setting_of,
    step,
)

from runner.advance import ClientRun, Done, Wait, advance
from runner.client import Leave
from runner.journal.base import EntryKey
from runner.journal.memory import MemoryJournal
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import ClientResult, Ending, Moved, Outcome, StepStatus
from runner.model.plan import Client
from runner.model.playbook import Cap, Step
from runner.model.provider import MoneyRule
from runner.movements import Pledge, holds_of, moved_of
from runner.redact import Redactor
from runner.times import rfc3339

pytestmark = pytest.mark.anyio
FIN = find_pack("fin")
CREATE, SETTLE = FIN.operations["transfers.create"], FIN.operations["transfers.settle"]
HORIZON = FIN.send_window + FIN.timeout + CREATE.settle

PROMISE = step(
    "promise",
    "transfers.create",
    {"beneficiary_id": "{{ client.to | default('b1') }}", "amount": "{{ client.amount }}", "remarks": "rent"},
    outputs={"transfer": ("transfer_id",)},
)
PAY = step(
    "pay",
    "transfers.settle",
    {"transfer_id": "{{ steps.promise.transfer }}"},
    outputs={"transaction": ("transaction_id",)},
)
LOOSE = step("pay", "transfers.settle", {"transfer_id": "t1"})


@dataclass
class Bank:
    """Promises payouts and carries them out, in a few lines. `on` scripts what happens to the next call of a kind."""

    clock: FakeClock
    shows_references: bool = True
    hidden: bool = False
    renames: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)

    def on(self, name: str, *faults: Fault) -> None:
        self.faults.setdefault(name, deque()).extend(faults)

    def sent(self, name: str) -> int:
        return sum(self.kind(request) == name for request in self.asked)

    def kind(self, request: Request) -> str:
        if request.method == "GET":
            return "list"
        return "settle" if request.path.endswith("/settle") else "create"

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Leave | None = None
    ) -> Response | NoAnswer:
        await anyio.lowlevel.checkpoint()
        if leave and (refusal := leave()):
            return refusal
        self.asked.append(request)
        faults = self.faults.get(self.kind(request))
        return faults.popleft()(lambda: self.apply(request)) if faults else self.apply(request)

    def apply(self, request: Request) -> Response:
        kind = self.kind(request)
        body = json.loads(request.body) if request.body else {}
        if kind == "list":
            beneficiary = request.path.split("/")[-2]
            rows = [] if self.hidden else [row for row in reversed(self.rows) if row["beneficiary"] == beneficiary]
            hidden = ("beneficiary", "transfer")
            shown = [{name: value for name, value in row.items() if name not in hidden} for row in rows]
            return answer(200, {"data": {"transactions": shown}})
        if kind == "create":
            identifier = f"t{len(self.rows) + 1}"
            self.rows.append(
                {
                    "id": f"x{len(self.rows) + 1}" if self.renames else identifier,
                    "transfer": identifier,
                    "beneficiary": body["beneficiary_id"],
                    "transaction_ref_id": body["reference_id"] if self.shows_references else None,
                    "from_amount": Decimal(body["amount"]) / 100,
                    "status": "CREATED",
                    "created_at": rfc3339(self.clock.now()),
                }
            )
            return answer(200, {"data": {"transfer_id": identifier, "reference_id": body["reference_id"]}})
        row = next((row for row in self.rows if row["transfer"] == body["transfer_id"]), None)
        if row is None or row["status"] != "CREATED":
            return answer(422, {"message": "the transfer can not be settled"})
        row["status"] = "PENDING"
        self.paid.append(row["id"])
        return answer(200, {"data": {"transaction_id": row["id"]}})


class Stage:
    """One playbook against a Bank. Every `go` is another process: all it has is the journal."""

    def __init__(self, *steps: Step, **more: Any) -> None:
        self.clock, self.journal = FakeClock(), MemoryJournal()
        self.bank = Bank(self.clock)
        self.setting = setting_of(*(steps or (PROMISE, PAY)), provider=FIN, **more)

    async def go(
        self,
        run: int = 1,
        client: Client | None = None,
        journal: Any = None,
        ours: str = "",
        not_ours: str = "",
        **more: Any,
    ) -> Done | Wait:
        performer = performer_of(FIN, self.bank, self.clock)
        performer.ours, performer.not_ours = frozenset(ours.split()), frozenset(not_ours.split())
        journal = journal or self.journal
        client = client or person()
        return await advance(ClientRun(run, self.setting, client, journal, performer, self.clock, Redactor([]), **more))

    async def done(self, run: int = 1, client: Client | None = None, **more: Any) -> ClientResult:
        got = await self.go(run, client, **more)
        assert isinstance(got, Done), got
        return got.result

    async def to_the_end(self, run: int = 1, client: Client | None = None) -> ClientResult:
        """However often it has to wait."""
        for _ in range(20):
            got = await self.go(run, client)
            if isinstance(got, Done):
                return got.result
            self.clock.advance(max(0.0, got.until - self.clock.now()) + 1)
        raise AssertionError("it waits for ever")

    async def retry(self, run: int = 1) -> None:
        for entry in await self.journal.load(run, "user_1"):
            if entry.kind == "outcome" and Outcome.from_json(entry.body).ending is Ending.REJECTED:
                key = EntryKey(entry.key.step, entry.key.item, entry.key.attempt)
                await self.journal.retry(run, "user_1", key, self.clock.now())

    def held(self, scope: str = "run:1") -> Decimal:
        return self.journal._held.get((scope, "USD"), Decimal(0))


def moved(result: ClientResult) -> dict[str, list[str]]:
    return {one.id: [str(each.money.amount) for each in one.moved] for one in result.steps}


CAPS = {"USD": Cap(Decimal("150.00"), Decimal("150.00"))}


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


# -- a list that shows neither our reference nor the transfer's id -----------------------------------------------------


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
