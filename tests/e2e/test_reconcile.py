"""Reconciling, as the verb and as a step: whose money, under which references, since when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stage import BOTH, FUND, Onboard, Ran, Sandbox, person

STEP = """
  - id: reconcile
    reconcile: {}
    outputs: {matched: ours, listed: theirs}
"""
ORDER = {"partner_client_id": "user_1", "type": "deposit", "asset_id": "USD", "amount": "100.00"}


def strict(onboard: Onboard, *, always: bool = False) -> Path:
    """Onboard and fund, then compare: any difference fails the step."""
    return onboard.write(
        "strict.playbook.yaml", BOTH.read_text("utf-8") + STEP + ("    always: true\n" if always else "")
    )


def booked_instead(sandbox: Sandbox, *orders: Mapping[str, str]) -> None:
    """A provider that has these orders and no others; each is a deposit of user_1 where it says nothing else."""
    sandbox.reset()
    sandbox.load(clients=[{"partner_client_id": f"user_{number}"} for number in (1, 2, 3)])
    sandbox.load(orders=[{**ORDER, **order} for order in orders])


def reconciled(onboard: Onboard, *words: object) -> dict[str, Any]:
    ran = onboard("reconcile", "--format", "json", *words)
    assert ran.out, ran.story
    body: dict[str, Any] = json.loads(ran.out)
    assert ran.code == (7 if body["differences"] else 0)
    return body


def told(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["what"], entry["client"]) for entry in body["differences"]]


def passed(ran: Ran, key: str = "user_1") -> tuple[str, int]:
    assert 0 == ran.code, ran.story
    step = ran.step(key, "reconcile")
    return step["status"], step["outputs"]["matched"]


def test_the_run_s_key_need_not_be_the_provider_s_name_of_a_client(onboard: Onboard, sandbox: Sandbox) -> None:
    """Given clients that go by their e-mail here, then their orders are theirs all the same, in verb and step."""
    ran = onboard.run(strict(onboard), "--clients", onboard.clients(person(1), person(2)), "--key", "email")

    assert ("passed", 1) == passed(ran, "person1@example.com")
    for words in ((), ("--run-clients",)):
        body = reconciled(onboard, *words)
        assert (2, 2, []) == (body["ours"], body["theirs"], told(body))


def test_what_went_to_somebody_else_is_told_under_any_key(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(BOTH, "--clients", onboard.clients(person(1), person(2)), "--key", "email")
    assert 0 == ran.code, ran.story
    mine, other = (sandbox.orders(key)[0]["partner_order_ref"] for key in ("user_1", "user_2"))
    booked_instead(sandbox, {"partner_client_id": "user_3", "partner_order_ref": mine}, {"partner_order_ref": other})

    for words in ((), ("--run-clients",)):
        found = [("client", f"person{number}@example.com") for number in (1, 2)]
        assert found == told(reconciled(onboard, *words))


@pytest.mark.parametrize("state", [".onboard", "another-laptop"])
def test_a_payment_under_the_next_reference_is_no_difference(onboard: Onboard, sandbox: Sandbox, state: str) -> None:
    """Given an order that was rejected and then paid as -2, then neither retry nor another state minds it."""
    sandbox.fault("deposits.create=rejected:x1")
    playbook, clients = strict(onboard), onboard.clients(person(1))
    assert 1 == onboard.run(playbook, "--clients", clients).code
    ran = onboard("retry", "--report-json", "report.json")
    assert ("passed", 2) == passed(ran)
    assert ["rejected", "completed"] == [order["status"] for order in sandbox.orders("user_1")]

    ran = onboard.run(playbook, "--clients", clients, "--state", state)

    assert ("passed", 2) == passed(ran)
    assert [] == told(reconciled(onboard, "--state", state))


@pytest.mark.parametrize("state", [".onboard", "another-laptop"])
def test_a_reference_that_was_given_up_and_moved_after_all_is_told(
    onboard: Onboard, sandbox: Sandbox, state: str
) -> None:
    clients = onboard.clients(person(1))
    sandbox.fault("deposits.create=rejected:x1")
    onboard.run(BOTH, "--clients", clients)
    onboard("retry")
    assert 0 == onboard.run(BOTH, "--clients", clients, "--state", state).code
    first = sandbox.orders("user_1")[0]["partner_order_ref"]
    booked_instead(sandbox, {"partner_order_ref": first}, {"partner_order_ref": f"{first}-2"})

    body = reconciled(onboard, "--state", state)

    assert [("unexpected", "user_1")] == told(body)
    assert first == body["differences"][0]["reference"]


@pytest.mark.parametrize("state", [".onboard", "another-laptop"])
def test_what_a_run_only_adopted_is_compared_too(onboard: Onboard, sandbox: Sandbox, state: str) -> None:
    clients = onboard.clients(person(1, withdrawal="25.00"))
    assert 0 == onboard.run(BOTH, "--clients", clients).code
    again = onboard.run(BOTH, "--clients", clients, "--state", state)
    assert {} == again.report["totals"]["money"]
    body = reconciled(onboard, "--state", state)
    assert (2, 2, []) == (body["ours"], body["theirs"], told(body))

    sandbox.reset()

    body = reconciled(onboard, "--state", state)
    assert [("not-theirs", "user_1")] * 2 == told(body)
    assert {"moved 100.00 USD", "moved 25.00 USD"} == {entry["ours"] for entry in body["differences"]}


def test_a_step_looks_at_what_was_booked_since_the_run_began(onboard: Onboard, sandbox: Sandbox) -> None:
    """Given an order of last year from another state folder, then the step minds it only when its range says so."""
    clients = onboard.clients(person(1))
    assert 0 == onboard.run(BOTH, "--clients", clients).code
    sandbox.load(orders=[ORDER | {"partner_order_ref": "elsewhere", "created_at": "2024-06-01T10:00:00Z"}])
    playbook = strict(onboard)

    ran = onboard.run(playbook, "--clients", clients, "--state", "another-laptop")
    assert ("passed", 1) == passed(ran)

    playbook.write_text(playbook.read_text("utf-8").replace("{}", '{from: "2024-01-01T00:00:00Z"}'))
    ran = onboard.run(playbook, "--clients", clients, "--state", "a-third")
    assert 1 == ran.code, ran.story
    assert "not-ours elsewhere" in ran.problem("user_1")["message"]


@pytest.mark.parametrize("state", [".onboard", "another-laptop"])
def test_a_step_finds_its_own_of_long_ago(onboard: Onboard, sandbox: Sandbox, state: str) -> None:
    """Given a payment that another laptop made before this run's range, then it is looked up by its reference."""
    clients = onboard.clients(person(1))
    assert 0 == onboard.run(BOTH, "--clients", clients).code
    reference = sandbox.orders("user_1")[0]["partner_order_ref"]
    booked_instead(sandbox, {"partner_order_ref": reference, "created_at": "2024-06-01T10:00:00Z"})
    playbook = onboard.write("strict.playbook.yaml", FUND.read_text("utf-8").split("  - id: reconcile")[0] + STEP)
    text = playbook.read_text("utf-8").replace("name: coinmena-fund-and-reconcile", "name: coinmena-onboard-and-fund")
    playbook.write_text(text)

    ran = onboard.run(playbook, "--clients", clients, "--state", state)

    assert ("passed", 1) == passed(ran)
    assert {"matched": 1, "listed": 1} == ran.step("user_1", "reconcile")["outputs"]


@pytest.mark.parametrize("playbook", [BOTH, FUND])
@pytest.mark.parametrize("state", [".onboard", "another-laptop"])
def test_a_second_run_is_no_failure_when_most_was_withdrawn(
    onboard: Onboard, sandbox: Sandbox, playbook: Path, state: str
) -> None:
    clients = onboard.clients(person(1, withdrawal="90.00"))
    assert 0 == onboard.run(BOTH, "--clients", clients).code
    assert 0 == onboard.run(FUND, "--clients", clients).code
    before = sandbox.ledger

    ran = onboard.run(playbook, "--clients", clients, "--state", state)

    assert 0 == ran.code, ran.story
    assert before == sandbox.ledger
    assert Decimal("20.00") == sandbox.ledger["user_1", "USD"]["balance"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "yesterday"), '"yesterday" is not a time with its zone such as 2026-01-31T00:00:00Z'),
        (("--to", "2026-01-31T00:00:00"), '"2026-01-31T00:00:00" is not a time'),
        (
            ("--from", "2026-02-01T00:00:00Z", "--to", "2026-01-31T00:00:00Z"),
            "the range is empty: --from 2026-02-01T00:00:00Z is later than --to 2026-01-31T00:00:00Z",
        ),
        (("--from", "2999-01-01T00:00:00Z"), "the range is empty: --from 2999-01-01T00:00:00Z is later than --to"),
    ],
)
def test_a_range_that_is_none_is_told_before_anything_is_asked(
    onboard: Onboard, sandbox: Sandbox, words: tuple[str, ...], message: str
) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))
    before = sandbox.requests

    ran = onboard("reconcile", *words)

    assert 2 == ran.code, ran.story
    assert message in ran.err
    assert before == sandbox.requests


def test_a_range_may_be_told_in_any_zone(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))

    body = reconciled(onboard, "--from", "2026-01-31T03:00:00+03:00", "--to", "2099-12-31T23:59:59.999Z")

    assert ("2026-01-31T00:00:00Z", "2100-01-01T00:00:00Z") == (body["from"], body["to"])
    assert 1 == body["theirs"]


def test_a_step_that_always_compares_does_so_again_after_a_retry(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("deposits.create=rejected:x1")
    first = onboard.run(strict(onboard, always=True), "--clients", onboard.clients(person(1)))
    assert 1 == first.code, first.story
    assert {"matched": 1, "listed": 1} == first.step("user_1", "reconcile")["outputs"]

    ran = onboard("retry", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert {"matched": 2, "listed": 2} == ran.step("user_1", "reconcile")["outputs"]
