"""The kill matrix for a payout in two calls, of which the second moves the money and neither has an idempotency key.

Beneficiary, promise, settle: each is made once, and the money leaves once, wherever the process dies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from matrix import LAGS, Cell, Life, Matrix, Victims, steady
from stage import ROOT, Sandbox

pytestmark = pytest.mark.xdist_group("kill matrix")

PLAYBOOK = ROOT / "playbooks" / "fin" / "first-payout.playbook.yaml"
PACK = """extends: fin
timeout: 2s
send_window: 3s
operations:
  beneficiaries.create: {settle: 2s}
  transfers.create: {settle: 2s}
  transfers.settle: {settle: 2s}
"""
SHOWN, HIDDEN = "the list shows our references", "it does not"

EFFECTS = {
    "beneficiaries.create": "reply POST /beneficiaries#1",
    "transfers.create": "reply POST /transactions/transfer-payout#1",
    "transfers.settle": "reply POST /transactions/transfer-payout/settle#1",
}
PAID = Decimal("25.50")
PLACE = {"street_line_1": "1 Specimen Street", "city": "New York", "postcode": "10005", "country": "USA"}


def person(number: int) -> dict[str, Any]:
    home = {name: PLACE[name] for name in ("street_line_1", "city", "country")}
    return {
        "id": f"client_{number}",
        "first_name": "Ana",
        "last_name": "Specimen",
        "email": f"person{number}@example.com",
        "phone": f"+1415555{number:04}",
        "nationality": "USA",
        "address": home | {"subdivision_code": "US-NY", "postal_code": "10005"},
        "bank_name": "Specimen Bank",
        "account_number": f"9000{number:05}",
        "account_type": "CHECKING",
        "routing_scheme": "ACH",
        "routing_number": "021000021",
        "bank_address": PLACE | {"state": "US-NY"},
        "refund_wallet": "0x" + "12" * 20,
        "payout": str(PAID),
        "payout_purpose": "Paying Self",
    }


class PayoutMatrix(Matrix):
    """Cells of the shipped playbook, asking as often as a test wants to wait."""

    def prepare(self, folder: Path, number: int) -> str:
        row = person(number)
        self.sandbox.load(customers=[{"email": row["email"], "status": "APPROVED"}])
        (folder / "clients.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
        playbook = PLAYBOOK.read_text("utf-8").replace("every: 2s", "every: 200ms").replace("every: 5s", "every: 200ms")
        (folder / "kill.playbook.yaml").write_text(playbook, "utf-8")
        (folder / "pack.yaml").write_text(PACK, "utf-8")
        return str(row["email"])

    def pairs(self, life: Life, report: Mapping[str, Any], state: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
        people = [one["customer_id"] for one in state["customers"] if one["email"] == life.key]
        accounts = [one for one in self.sandbox.lines if one["customer_id"] in people]
        yield "beneficiaries", 1, len(accounts)
        yield "payouts", 1, accounts[0]["settled"]
        yield "paid", str(int(PAID * 100)), str(accounts[0]["moved"]["payout"])
        told = report["totals"]["money"].get("USD", {})
        for _ in () if life.cell.again else (PAID,):
            yield "reported payouts", PAID, Decimal(told.get("payouts", "0"))


@pytest.fixture(scope="module", params=[SHOWN, HIDDEN])
def matrix(
    request: pytest.FixtureRequest, victims: Victims, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PayoutMatrix]:
    home = tmp_path_factory.mktemp("payouts")
    sandbox = Sandbox(home, "--kyc-delay", "0.3", provider="fin", measured=False)
    sandbox.load(settings={"references_shown": request.param == SHOWN})
    yield PayoutMatrix(home, victims, sandbox, request.param)
    sandbox.stop()


@pytest.mark.parametrize("matrix", [SHOWN], indirect=True)
def test_killed_at_every_instant_of_a_run(matrix: PayoutMatrix) -> None:
    (healthy,) = matrix.play([Cell("not killed", ())])
    assert "" == healthy.wrong
    instants = steady(healthy.instants[0])

    assert len(instants) > 40
    assert [] == matrix.wrong(Cell(name, (name,)) for name in instants)


@pytest.mark.parametrize("again", [False, True], ids=["resumed", "run again"])
def test_killed_mid_send(matrix: PayoutMatrix, again: bool) -> None:
    cells = [
        Cell(f"{name} late {lag} s", (reply,), f"{name}=late:{lag}:x1", again=again)
        for name, reply in EFFECTS.items()
        for lag in LAGS
    ]
    cells += [
        Cell(f"{name} dropped", (reply,), f"{name}=drop-before:x1", again=again) for name, reply in EFFECTS.items()
    ]
    assert [] == matrix.wrong(cells)


def test_who_does_not_look_pays_twice(matrix: PayoutMatrix) -> None:
    reply = EFFECTS["transfers.settle"]
    (wrong,) = matrix.wrong([Cell("blind", (reply,), "transfers.settle=late:0.5:x1", strategy="blind", again=True)])
    assert "payouts: 2, not 1" in wrong


@pytest.mark.parametrize("matrix", [HIDDEN], indirect=True)
@pytest.mark.parametrize("fault", ["drop-after:x1", "500-after:x1", "500-before:x1", "late:1:x1"])
def test_a_fault_without_a_kill(matrix: PayoutMatrix, fault: str) -> None:
    assert [] == matrix.wrong([Cell(f"{name} {fault}", (), f"{name}={fault}") for name in EFFECTS])
