"""Every refusal that CoinMENA documents, provoked: told with code, meaning and hint, and nobody else is touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
import yaml
from stage import BOTH, FUND, ONBOARD, ROOT, Onboard, Ran, Sandbox, person

PACK = yaml.safe_load((ROOT / "runner" / "providers" / "coinmena" / "provider.yaml").read_text("utf-8"))
RULES: dict[int, dict[str, Any]] = {rule["code"]: rule for rule in PACK["errors"]["rules"] if "code" in rule}
STATUS_RULES: dict[int, dict[str, Any]] = {
    rule["status"]: rule for rule in PACK["errors"]["rules"] if "code" not in rule
}

HEAD = """\
playbook: 1
name: one-step
provider: coinmena
inputs:
  asset: {type: string, default: USD}
clients: {schema: coinmena/client, key: partner_client_id}
steps:
"""
DEPOSIT = """\
  - id: deposit
    call: deposits.create
    with:
      partner_client_id: "{{ client.partner_client_id }}"
      asset_id: "{{ inputs.asset }}"
      amount: "{{ client.deposit }}"
    outputs: {reference: partner_order_ref}
"""
WITHDRAW = """\
  - id: withdraw
    call: withdrawals.create
    with:
      partner_client_id: "{{ client.partner_client_id }}"
      asset_id: "{{ inputs.asset }}"
      amount: "{{ client.deposit }}"
"""
UPLOAD = """\
  - id: upload
    call: documents.upload
    with:
      partner_client_id: "{{ client.partner_client_id }}"
      type: government_id
      front_file: "{{ client.id_front }}"
"""
READ = """\
  - id: read
    call: clients.get
    with: {partner_client_id: "{{ client.partner_client_id }}"}
"""
FIND = """\
  - id: find
    call: orders.by_reference
    with: {partner_order_ref: "{{ client.nickname }}"}
"""
ACTIVATE = """\
  - id: switch
    call: clients.activate
    with: {partner_client_id: "{{ client.partner_client_id }}", active: true}
"""
QUOTE = """\
  - id: quote
    call: quotes.create
    with:
      partner_client_id: "{{ client.partner_client_id }}"
      base_asset_id: BTC
      quote_asset_id: USD
      side: buy
      amount: "0.0001"
    outputs: {token: token}
  - id: trade
    call: quotes.execute
    with: {token: "{{ steps.quote.token }}"}
    outputs: {order: id, reference: partner_order_ref}
"""
TRADE_AGAIN = """\
  - id: again
    call: quotes.execute
    with: {token: "{{ client.nickname | default(steps.quote.token, true) }}"}
"""


def told(ran: Ran, key: str, rule: Mapping[str, Any], code: int | None, step: str) -> None:
    """The refusal stands in the report and on the screen: code, meaning, hint, and the step in the playbook."""
    problem = ran.problem(key)
    assert "rejected" == ran.client(key)["outcome"]
    assert f"coinmena.{rule['name']}" == problem["code"]
    assert rule["text"] in problem["message"]
    assert rule["hint"] == problem["hint"]
    assert problem["location"]["path"].endswith(".playbook.yaml")
    assert problem["location"]["line"] > 0
    if code is not None:
        assert f"code {code}" in problem["message"]
    assert problem == ran.step(key, step)["problem"]
    assert "failed" == ran.step(key, step)["status"]
    for words in (f"{key} (line", "rejected", rule["text"], rule["hint"], f"[coinmena.{rule['name']}]"):
        assert words in ran.out


@dataclass(frozen=True)
class Refusal:
    """One way to provoke `code`: what is wrong with the client, and what the provider already knows."""

    code: int
    wrong: Mapping[str, str] = field(default_factory=dict)
    steps: str = ""
    seed: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    step: str = "create"
    words: tuple[str, ...] = ()
    neighbour: bool = True


KNOWN: dict[str, Any] = {"partner_client_id": "user_8"}
VISA = {"residency_visa_number": "V-1", "residency_visa_doe": "2031-01-01"}

REFUSALS = {
    "2008 upload": Refusal(2008, steps=UPLOAD, step="upload"),
    "2008 read": Refusal(2008, steps=READ, step="read"),
    "2008 deposit": Refusal(2008, steps=DEPOSIT, step="deposit"),
    "2008 withdrawal": Refusal(2008, steps=WITHDRAW, step="withdraw"),
    "2008 activation": Refusal(2008, steps=ACTIVATE, step="switch"),
    "2009": Refusal(
        2009, steps=DEPOSIT, step="deposit", seed={"clients": [{"partner_client_id": "user_8", "status": "pending"}]}
    ),
    "2010": Refusal(
        2010, steps=DEPOSIT, step="deposit", seed={"clients": [{"partner_client_id": "user_8", "active": False}]}
    ),
    "2012 unpublished": Refusal(
        2012, steps=DEPOSIT, step="deposit", seed={"clients": [KNOWN]}, words=("--input", "asset=EUR"), neighbour=False
    ),
    "2012 no deposits": Refusal(
        2012, steps=DEPOSIT, step="deposit", seed={"clients": [KNOWN]}, words=("--input", "asset=QAR"), neighbour=False
    ),
    "2012 crypto": Refusal(
        2012, steps=DEPOSIT, step="deposit", seed={"clients": [KNOWN]}, words=("--input", "asset=BTC"), neighbour=False
    ),
    "2012 no withdrawals": Refusal(
        2012,
        steps=WITHDRAW,
        step="withdraw",
        seed={"clients": [KNOWN]},
        words=("--input", "asset=KWD"),
        neighbour=False,
    ),
    "2016": Refusal(
        2016,
        {"government_id_number": "TAKEN-1"},
        seed={"clients": [{"partner_client_id": "somebody", "government_id_number": "TAKEN-1"}]},
    ),
    "2021": Refusal(2021, {"birth_date": "2020-01-01"}),
    "2022": Refusal(2022, {"residency_id": "us", **VISA}),
    "2022 unknown country": Refusal(2022, {"residency_id": "zz", **VISA}),
    "2023": Refusal(2023, {"citizenship_id": "kp", **VISA}),
    "2024": Refusal(2024, {"place_of_birth_id": "kp"}),
    "2025": Refusal(2025, {"citizenship_id": "es"}),
    "2025 half a pair": Refusal(2025, {"citizenship_id": "es", "residency_visa_number": "V-1"}),
    "2027": Refusal(
        2027,
        {"email": "Taken@Example.com"},
        seed={"clients": [{"partner_client_id": "somebody", "email": "taken@example.com"}]},
    ),
    "2028": Refusal(
        2028,
        {"phone": "+97311112222"},
        seed={"clients": [{"partner_client_id": "somebody", "phone": "+97311112222"}]},
    ),
    "3005": Refusal(
        3005,
        steps=WITHDRAW,
        step="withdraw",
        seed={
            "clients": [KNOWN],
            "balances": [{"partner_client_id": "user_8", "asset_id": "USD", "balance": "99.99"}],
        },
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_told_and_touches_nobody_else(onboard: Onboard, sandbox: Sandbox, refusal: Refusal) -> None:
    sandbox.load(**refusal.seed)
    people = [person(8, **refusal.wrong), person(9)]
    if refusal.steps:
        sandbox.load(
            clients=[{"partner_client_id": "user_9"}],
            balances=[{"partner_client_id": "user_9", "asset_id": "USD", "balance": "500.00"}],
        )
    playbook = onboard.write("one.playbook.yaml", HEAD + refusal.steps) if refusal.steps else ONBOARD

    ran = onboard.run(playbook, "--clients", onboard.clients(*people), *refusal.words)

    assert 1 == ran.code, ran.story
    told(ran, "user_8", RULES[refusal.code], refusal.code, refusal.step)
    if refusal.neighbour:
        assert "done" == ran.outcomes["user_9"]
    if not refusal.steps:
        assert "user_8" not in sandbox.clients
        assert {"skipped"} == {step["status"] for step in ran.client("user_8")["steps"][1:]}
    assert [] == sandbox.orders("user_8")


def test_a_field_the_provider_refuses_is_named(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(8, email="eight@nowhere"), person(9)))

    assert 1 == ran.code, ran.story
    told(ran, "user_8", STATUS_RULES[422], None, "create")
    assert "email" in ran.problem("user_8")["message"].partition("provider said")[2]
    assert "eight@nowhere" not in ran.out + json.dumps(ran.report)
    assert "done" == ran.outcomes["user_9"]


def test_an_order_nobody_made_is_not_found(onboard: Onboard, sandbox: Sandbox) -> None:
    playbook = onboard.write("find.playbook.yaml", HEAD + FIND)

    ran = onboard.run(playbook, "--clients", onboard.clients(person(8, nickname="no-such-order")))

    assert 1 == ran.code, ran.story
    told(ran, "user_8", STATUS_RULES[404], None, "find")


# -- somebody is there already -------------------------------------------------------------------------------------


def test_the_same_person_is_adopted(onboard: Onboard, sandbox: Sandbox) -> None:
    known = {"partner_client_id": "user_8", "name": "Specimen Person 8", "email": "PERSON8@example.com"}
    sandbox.load(clients=[known])

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(8), person(9)))

    assert 0 == ran.code, ran.story
    assert {"user_8": "done", "user_9": "done"} == ran.outcomes
    assert (True, None) == (ran.client("user_8").get("adopted"), ran.client("user_9").get("adopted"))
    assert 1 == ran.report["totals"]["adopted"]
    assert sandbox.clients["user_8"]["id"] == ran.step("user_8", "create")["outputs"]["coinmena_id"]
    assert "(1 adopted)" in ran.out


@pytest.mark.parametrize("other", [{"name": "Somebody Else"}, {"email": "somebody@example.com"}])
def test_another_person_under_the_same_name_is_a_conflict(
    onboard: Onboard, sandbox: Sandbox, other: Mapping[str, str]
) -> None:
    known = {"partner_client_id": "user_8", "name": "Specimen Person 8", "email": "person8@example.com"}
    sandbox.load(clients=[{**known, **other}])

    ran = onboard.run(BOTH, "--clients", onboard.clients(person(8), person(9)))

    assert 1 == ran.code, ran.story
    assert {"user_8": "rejected", "user_9": "done"} == ran.outcomes
    problem = ran.problem("user_8")
    assert "effect.conflict" == problem["code"]
    assert f'"{next(iter(other))}"' in problem["message"]
    assert problem["hint"]
    assert next(iter(other.values())) not in ran.out
    assert [] == sandbox.orders("user_8")
    assert "user_8" not in {document["partner_client_id"] for document in sandbox.documents}


def test_a_client_that_is_switched_off_is_not_funded(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.load(clients=[{"partner_client_id": "user_8", "active": False}, {"partner_client_id": "user_9"}])

    ran = onboard.run(FUND, "--clients", onboard.clients(person(8), person(9)))

    assert 1 == ran.code, ran.story
    problem = ran.problem("user_8")
    assert "check.failed" == problem["code"]
    assert "active == true" in problem["message"]
    assert "done" == ran.outcomes["user_9"]
    failed = [check for check in ran.step("user_8", "confirm")["checks"] if not check["passed"]]
    assert [{"check": "active == true", "passed": False, "actual": False}] == failed


# -- a reference that was used -------------------------------------------------------------------------------------


def planned_reference(onboard: Onboard, playbook: Any, clients: Any) -> str:
    """What the runner will call its deposit: it says so before it sends anything."""
    planned = json.loads(onboard("plan", playbook, "--clients", clients, "--format", "json").out)
    calls = [call for client in planned["clients"] for call in client["calls"] if call["effect"] == "money"]
    reference: str = calls[0]["reference"]
    return reference


def order(reference: str, **changes: str) -> dict[str, str]:
    return {
        "partner_client_id": "user_8",
        "type": "deposit",
        "asset_id": "USD",
        "amount": "100.00",
        "partner_order_ref": reference,
        **changes,
    }


def test_an_equal_order_under_our_reference_is_adopted(onboard: Onboard, sandbox: Sandbox) -> None:
    playbook, clients = onboard.write("one.playbook.yaml", HEAD + DEPOSIT), onboard.clients(person(8))
    reference = planned_reference(onboard, playbook, clients)
    sandbox.load(clients=[KNOWN], orders=[order(reference, amount="100")])

    ran = onboard.run(playbook, "--clients", clients)

    assert 0 == ran.code, ran.story
    step = ran.step("user_8", "deposit")
    assert (True, [reference]) == (step["adopted"], step["references"])
    assert {"reference": reference} == step["outputs"]
    assert "moved" not in step
    assert Decimal(100) == sandbox.ledger["user_8", "USD"]["balance"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"amount": "100.01"}, "debit"),
        ({"asset_id": "AED"}, "debit_asset_id"),
        ({"partner_client_id": "user_9"}, "partner_client_id"),
        ({"type": "withdrawal", "amount": "1.00"}, "type"),
    ],
)
def test_another_order_under_our_reference_is_a_conflict(
    onboard: Onboard, sandbox: Sandbox, changes: dict[str, str], name: str
) -> None:
    playbook, clients = onboard.write("one.playbook.yaml", HEAD + DEPOSIT), onboard.clients(person(8))
    reference = planned_reference(onboard, playbook, clients)
    sandbox.load(
        clients=[KNOWN, {"partner_client_id": "user_9"}],
        orders=[order("first", amount="500.00"), order(reference, **changes)],
    )
    before = sandbox.ledger

    ran = onboard.run(playbook, "--clients", clients)

    assert 1 == ran.code, ran.story
    problem = ran.problem("user_8")
    assert "effect.conflict" == problem["code"]
    assert f'"{name}"' in problem["message"]
    assert "--batch" in problem["hint"]
    assert before == sandbox.ledger


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_an_order_that_failed_is_tried_again_under_a_new_reference(
    onboard: Onboard, sandbox: Sandbox, status: str
) -> None:
    playbook, clients = onboard.write("one.playbook.yaml", HEAD + DEPOSIT), onboard.clients(person(8))
    reference = planned_reference(onboard, playbook, clients)
    sandbox.load(clients=[KNOWN], orders=[order(reference, status=status)])

    ran = onboard.run(playbook, "--clients", clients)

    assert 0 == ran.code, ran.story
    assert [f"{reference}-2"] == ran.step("user_8", "deposit")["references"]
    assert Decimal("100.00") == sandbox.ledger["user_8", "USD"]["balance"]


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_an_order_that_ends_dead_at_once_moves_nothing(onboard: Onboard, sandbox: Sandbox, status: str) -> None:
    sandbox.load(clients=[KNOWN, {"partner_client_id": "user_9"}])
    sandbox.fault(f"deposits.create={status}:client=user_8")
    playbook = onboard.write("one.playbook.yaml", HEAD + DEPOSIT)

    ran = onboard.run(playbook, "--clients", onboard.clients(person(8), person(9)))

    assert 1 == ran.code, ran.story
    assert {"user_8": "rejected", "user_9": "done"} == ran.outcomes
    problem = ran.problem("user_8")
    assert f"coinmena.order-{status}" == problem["code"]
    assert problem["hint"]
    assert {("user_9", "USD")} == set(sandbox.ledger)
    assert "100.00" == ran.report["totals"]["money"]["USD"]["deposits"]


def test_two_clients_with_one_reference_of_the_playbook_do_not_share_a_payment(
    onboard: Onboard, sandbox: Sandbox
) -> None:
    sandbox.load(clients=[KNOWN, {"partner_client_id": "user_9"}])
    own = DEPOSIT.replace("      amount:", "      partner_order_ref: one-and-the-same\n      amount:")
    playbook = onboard.write("own.playbook.yaml", HEAD + own)

    ran = onboard.run(playbook, "--clients", onboard.clients(person(8), person(9)), "--jobs", 1)

    assert 1 == ran.code, ran.story
    assert {"user_8": "done", "user_9": "rejected"} == ran.outcomes
    assert "effect.conflict" == ran.problem("user_9")["code"]
    assert {("user_8", "USD")} == set(sandbox.ledger)


# -- trades --------------------------------------------------------------------------------------------------------


def test_a_quote_is_executed_once(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.load(clients=[KNOWN], balances=[{"partner_client_id": "user_8", "asset_id": "USD", "balance": "900.00"}])
    playbook = onboard.write("trade.playbook.yaml", HEAD + QUOTE)

    ran = onboard.run(playbook, "--clients", onboard.clients(person(8)))

    assert 0 == ran.code, ran.story
    assert ["buy"] == [order["type"] for order in sandbox.orders("user_8") if order["source"] == "quote"]
    assert ran.step("user_8", "trade")["references"] == [ran.step("user_8", "trade")["outputs"]["reference"]]


@pytest.mark.parametrize("token", ["", "not-a-token"])
def test_a_used_or_unknown_token_is_refused(onboard: Onboard, sandbox: Sandbox, token: str) -> None:
    sandbox.load(clients=[KNOWN], balances=[{"partner_client_id": "user_8", "asset_id": "USD", "balance": "900.00"}])
    playbook = onboard.write("trade.playbook.yaml", HEAD + QUOTE + TRADE_AGAIN)

    ran = onboard.run(playbook, "--clients", onboard.clients(person(8, nickname=token)))

    assert 1 == ran.code, ran.story
    told(ran, "user_8", RULES[4008], 4008, "again")


# -- who we are ----------------------------------------------------------------------------------------------------


def test_refused_credentials_are_no_fault_of_the_clients(onboard: Onboard, sandbox: Sandbox) -> None:
    people = [person(number) for number in range(1, 21)]

    ran = onboard.run(
        ONBOARD, "--clients", onboard.clients(*people), "--jobs", 2, env={"COINMENA_PARTNER_ID": "somebody-else"}
    )

    assert 6 == ran.code, ran.story
    assert {"not_started": 20} == ran.totals
    assert {} == sandbox.clients
    assert "coinmena.unauthorized" == ran.problem("user_1")["code"]
    assert "onboard doctor" in ran.problem("user_1")["hint"]
    assert sandbox.requests < 20
