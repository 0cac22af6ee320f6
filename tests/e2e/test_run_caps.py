"""Caps and the kill switch while many clients run at once: exact to the cent, in one run and across its resumes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from stage import BOTH, FUND, ONBOARD, Onboard, Sandbox, person

PEOPLE = 64

# What moves is known only after the balance was read, so no plan can refuse it beforehand.
SWEEP = """playbook: 1
name: sweep
provider: coinmena
clients: {schema: coinmena/client, key: partner_client_id}
limits:
  money: {USD: {per_run: "105.00"}}
steps:
  - id: available
    call: balances.get
    with: {asset_id: USD, partner_client_id: "{{ client.partner_client_id }}"}
    outputs: {amount: available_balance}
  - id: out
    call: withdrawals.create
    with: {partner_client_id: "{{ client.partner_client_id }}", asset_id: USD, amount: "{{ steps.available.amount }}"}
    expect: [status == completed]
"""


@pytest.fixture
def sweep(onboard: Onboard, sandbox: Sandbox) -> Path:
    """Sixty-four clients with ten dollars each."""
    keys = [f"user_{number}" for number in range(1, PEOPLE + 1)]
    sandbox.load(
        clients=[{"partner_client_id": key, "email": f"{key}@example.com"} for key in keys],
        balances=[{"partner_client_id": key, "asset_id": "USD", "balance": "10.00"} for key in keys],
    )
    onboard.clients(*(person(number, deposit="") for number in range(1, PEOPLE + 1)))
    return onboard.write("sweep.playbook.yaml", SWEEP)


def moved(sandbox: Sandbox) -> Decimal:
    return sum((-sums.get("withdrawal", Decimal(0)) for sums in sandbox.ledger.values()), Decimal(0))


def test_many_at_once_never_move_more_than_the_cap(onboard: Onboard, sandbox: Sandbox, sweep: Path) -> None:
    ran = onboard.run(sweep, "--clients", "clients.csv", "--jobs", 64)

    assert 3 == ran.code, ran.story
    assert Decimal("100.00") == moved(sandbox)
    assert {"done": 10, "waiting": 54} == ran.totals
    assert "100.00" == ran.report["totals"]["money"]["USD"]["withdrawals"]


def test_the_cap_of_a_run_holds_across_its_resumes(onboard: Onboard, sandbox: Sandbox, sweep: Path) -> None:
    onboard.run(sweep, "--clients", "clients.csv", "--jobs", 64)

    assert 3 == onboard("resume", "--jobs", 64).code
    assert Decimal("100.00") == moved(sandbox)

    raised = onboard("resume", "--jobs", 64, "--cap", "USD=205", "--report-json", "report.json")
    assert 3 == raised.code, raised.story
    assert Decimal("200.00") == moved(sandbox)
    assert {"done": 20, "waiting": 44} == raised.totals


def test_what_was_lost_on_the_way_keeps_its_part_of_the_cap(onboard: Onboard, sandbox: Sandbox, sweep: Path) -> None:
    """Four payments nobody knows of: they may have moved, so the others may not have their share."""
    sandbox.fault("withdrawals.create=drop-after:x4", "orders.by_reference=503-before")

    ran = onboard.run(sweep, "--clients", "clients.csv", "--jobs", 64)
    assert Decimal("100.00") == moved(sandbox)
    assert 4 == ran.report["totals"]["unknown"], ran.story

    sandbox.clear_faults()
    recovered = onboard("recover", "--report-json", "report.json")
    assert (3, 10) == (recovered.code, recovered.report["totals"]["done"]), recovered.story
    again = onboard("resume", "--jobs", 64, "--report-json", "report.json")
    assert 3 == again.code, again.story
    assert Decimal("100.00") == moved(sandbox)
    assert 10 == again.report["totals"]["done"]


def test_a_halt_stops_the_money_of_a_run_that_is_under_way(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("documents.upload=slow:0.3")
    clients = onboard.clients(*(person(number) for number in range(1, 13)))
    started = onboard.start("run", BOTH, "--clients", clients, "--jobs", 2, "--report-json", "report.json")
    while not sandbox.orders("user_1"):
        assert started.poll() is None

    assert 0 == onboard("halt").code
    sent = sandbox.asked("deposits.create")
    ran = onboard.finish(started)

    assert 3 == ran.code, ran.story
    assert sent <= sandbox.asked("deposits.create") <= sent + 2
    assert sandbox.asked("deposits.create") < 12


@pytest.mark.parametrize("stop", ["halt", "interrupt"])
def test_who_waits_for_a_turn_when_all_is_stopped_sends_nothing(onboard: Onboard, sandbox: Sandbox, stop: str) -> None:
    """All of them are past everything but the rate limit."""
    clients = onboard.clients(*(person(number) for number in range(1, 13)))
    assert 0 == onboard.run(ONBOARD, "--clients", clients).code
    words = ("run", FUND, "--clients", clients, "--jobs", 12, "--rate", "2/s", "--report-json", "report.json")
    started = onboard.start(*words)
    while not sandbox.asked("deposits.create"):
        assert started.poll() is None

    if stop == "halt":
        assert 0 == onboard("halt").code
        sent = sandbox.asked("deposits.create")
        ran = onboard.finish(started)
    else:
        sent = sandbox.asked("deposits.create")
        ran = onboard.interrupt(started)

    assert {"halt": 3, "interrupt": 130}[stop] == ran.code, ran.story
    assert sandbox.asked("deposits.create") <= sent + 1
