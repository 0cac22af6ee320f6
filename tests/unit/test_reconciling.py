"""Our side of a reconciliation, read from the journal; and the differences."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from stand_ins import CONFIRM, DEPOSIT, PACK, PLACE, person, stage, step

from runner.advance import advance, is_asked_again
from runner.journal.base import Entry, EntryKey
from runner.model.command import NO_ITEM
from runner.model.money import Money
from runner.model.outcome import Ending, Moved, Outcome, StepStatus
from runner.model.playbook import Step, Waiting
from runner.reconcile import Ours, Theirs, compare
from runner.reconciling import our_calls
from runner.references import given_up, reference
from runner.times import from_rfc3339

BASE = reference("pay", "b", "user_1", "deposit", NO_ITEM)
NEXT = f"{BASE}-2"
MOVES = Moved("deposits", Money(Decimal("100.00"), "USD"))
OTHER = Moved("deposits", Money(Decimal("40.00"), "USD"))
PASSED = Outcome(StepStatus.PASSED, moved=MOVES)
FAILED = Outcome(StepStatus.FAILED, Ending.REJECTED)
ADOPTED = Outcome(StepStatus.PASSED, adopted=True)


def intent(attempt: int, name: str = BASE, moves: Moved = MOVES, **more: Any) -> Entry:
    body = {"reference": name, "moves": moves.to_json(), **more}
    return Entry(EntryKey("deposit", NO_ITEM, attempt), "intent", 0.0, body)


def outcome(attempt: int, found: Outcome, name: str = BASE, **more: Any) -> Entry:
    body = {**found.to_json(), "reference": name, **more}
    return Entry(EntryKey("deposit", NO_ITEM, attempt), "outcome", 0.0, body)


def asked(moves: Moved = MOVES, owner: str = "user_1") -> Mapping[str, Any]:
    return {"moves": moves.to_json(), "owner": owner}


def states(*entries: Entry) -> dict[str, str]:
    return {found.reference: found.state for found in our_calls("user_1", entries)}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([intent(1)], {BASE: "unknown"}),
        ([intent(1), outcome(1, PASSED)], {BASE: "moved"}),
        ([intent(1), outcome(1, FAILED)], {BASE: "not-moved"}),
        (
            [intent(1), intent(2, NEXT), outcome(2, PASSED, NEXT)],
            {BASE: "not-moved", NEXT: "moved"},
        ),
        ([intent(1), outcome(1, FAILED), intent(2), outcome(2, PASSED)], {BASE: "moved"}),
        # The provider said that the reference was used, and could not be asked what for.
        ([intent(1), outcome(1, FAILED, reply="duplicate")], {BASE: "unknown"}),
        ([intent(1), outcome(1, FAILED, reply="duplicate"), outcome(2, FAILED)], {BASE: "not-moved"}),
        ([intent(1), outcome(1, FAILED, reply="duplicate"), outcome(2, ADOPTED, **asked())], {BASE: "moved"}),
        # Found without any attempt of this run.
        ([outcome(1, ADOPTED, **asked())], {BASE: "moved"}),
        ([outcome(1, ADOPTED, NEXT, **asked())], {BASE: "not-moved", NEXT: "moved"}),
        ([intent(1), outcome(1, ADOPTED, NEXT, **asked())], {BASE: "not-moved", NEXT: "moved"}),
        # Another run's order under our reference, for something else: a conflict, and not ours to compare.
        ([outcome(1, FAILED, **asked())], {}),
        # A journal of before outcomes said what they were for.
        ([outcome(1, ADOPTED)], {}),
        # A create call: no money, nothing to compare.
        ([outcome(1, ADOPTED, moves=None)], {}),
    ],
)
def test_where_each_reference_stands(entries: list[Entry], expected: dict[str, str]) -> None:
    assert expected == states(*entries)


def test_money_that_moved_has_moved_though_a_check_failed() -> None:
    failed = Outcome(StepStatus.FAILED, Ending.REJECTED, moved=MOVES)
    found = Outcome(StepStatus.FAILED, Ending.REJECTED, adopted=True)
    assert {BASE: "moved"} == states(intent(1), outcome(1, failed))
    assert {BASE: "moved"} == states(outcome(1, found, **asked()))


def test_the_newest_request_is_what_moved() -> None:
    entries = [intent(1), outcome(1, FAILED, **asked()), intent(2, moves=OTHER), outcome(2, PASSED, **asked(OTHER))]
    assert [OTHER] == [found.moves for found in our_calls("user_1", entries)]


@pytest.mark.parametrize(
    ("entries", "owner", "expected"),
    [
        ([intent(1, owner="u-1")], "", "u-1"),
        ([outcome(1, ADOPTED, **asked(owner="u-1"))], "x", "u-1"),
        ([intent(1)], "x", "x"),
        ([intent(1)], "", "user_1"),
    ],
)
def test_who_it_was_for_is_what_the_call_said(entries: list[Entry], owner: str, expected: str) -> None:
    assert [(expected, "user_1")] == [(found.owner, found.client) for found in our_calls("user_1", entries, owner)]


def test_somebody_else_is_who_the_provider_names_otherwise() -> None:
    rule = PACK.reconcile
    assert rule is not None
    ours = Ours(BASE, "p1@example.com", "u-1", "deposit", "moved", MOVES)

    def found(client: str) -> list[str]:
        order = Theirs(BASE, client, "completed", "deposits", Decimal("100.00"), "USD", "7")
        return [difference.what for difference in compare(rule, [ours], [order])]

    assert [] == found("u-1")
    assert [] == found("")
    assert ["client"] == found("p1@example.com")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (BASE, []),
        (NEXT, [BASE]),
        (f"{BASE}-3", [BASE, NEXT]),
        (f"{BASE}-1", []),
        (f"{BASE}-0", []),
        (f"{BASE}-x", []),
        ("order-2025-2", []),
        ("", []),
    ],
)
def test_references_that_were_given_up(name: str, expected: list[str]) -> None:
    assert expected == given_up(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-01-31T03:00:00+03:00", 1769817600.0),
        ("2026-01-31T00:00:00.5Z", 1769817600.5),
        ("9999-12-31T23:59:59Z", 253402300799.0),
        ("9999-12-31T23:59:59.5Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("1969-12-31T23:59:59Z", None),
        ("2026-01-31T00:00:00", None),
        ("2026-01-31", None),
        ("2026-02-30T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_instants(text: str, expected: float | None) -> None:
    assert expected == from_rfc3339(text)


RECONCILE = Step("reconcile", PLACE, reconcile={})


@pytest.mark.anyio
@pytest.mark.parametrize(("steps", "named"), [((DEPOSIT,), "u-1"), ((CONFIRM,), "u-1"), ((), "user_1")])
async def test_a_step_asks_for_the_provider_s_name_of_the_client(steps: tuple[Step, ...], named: str) -> None:
    on = stage(*steps, RECONCILE)
    await on.journal.open_run({"base_url": on.setting.base_url}, [], on.clock.now())
    on.desk.clients["u-1"] = {"status": "verified"}

    await advance(on.run(person(1, id="u-1")))

    listed = [request for request in on.desk.requests if request.path.endswith("/orders")]
    assert [named] == [dict(request.query)["partner_client_id"] for request in listed]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (RECONCILE, True),
        (step("read", "clients.get", {}), False),
        (step("read", "clients.get", {}, always=True), True),
        (step("wait", "clients.get", {}, always=True, waiting=Waiting((), 60.0)), False),
        (step("pay", "deposits.create", {}, always=True), False),
        (step("write", "clients.activate", {}, always=True), False),
        (Step("raw", PLACE, request={}, always=True), True),
        (Step("raw", PLACE, request={}, effect="write", always=True), False),
        (Step("satisfy", PLACE, rounds=3, always=True), False),
    ],
)
def test_what_a_retry_asks_again_whatever_it_was_answered(one: Step, expected: bool) -> None:
    assert expected is is_asked_again(one, PACK)


@pytest.mark.anyio
async def test_an_answer_stands_until_a_person_tries_again() -> None:
    on = stage(step("read", "clients.get", {"partner_client_id": "{{ client.id }}"}, always=True))
    on.desk.clients["user_1"] = {"status": "verified"}
    for _ in range(2):
        await advance(on.run())
    assert 1 == len(on.desk.requests)

    await on.journal.retry(1, "user_1", EntryKey("read", NO_ITEM, 1), 0.0)
    for _ in range(2):
        await advance(on.run())
    assert 2 == len(on.desk.requests)
