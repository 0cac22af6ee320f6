"""The kill matrix for a provider that asks for things and takes its time: nothing is made or submitted twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from matrix import Cell, Life, Matrix, Victims, steady
from stage import JPEG, ROOT, Sandbox

pytestmark = pytest.mark.xdist_group("kill matrix")

PLAYBOOK = ROOT / "playbooks" / "cryptomate" / "enable-cards.playbook.yaml"
ROWS = list(csv.DictReader((ROOT / "examples" / "cryptomate" / "clients.csv").read_text("utf-8").splitlines()))
PACK = """extends: cryptomate
timeout: 2s
send_window: 3s
limits: {requests_per_second: 0}
operations:
  clients.create: {settle: 2s}
  products.request: {settle: 2s}
  products.document: {settle: 2s}
  products.submit: {settle: 2s}
"""

HOME = "/management/clients/individuals"
EFFECTS = {
    "clients.create": f"reply POST {HOME}#1",
    "products.request": f"reply POST {HOME}/products#1",
    "products.document": f"reply POST {HOME}/products/documentation#1",
    "products.submit": f"reply POST {HOME}/products/submit#1",
}


class CardMatrix(Matrix):
    """Cells of the shipped playbook, asking as often as a test wants to wait. `again` are the operations that the
    reviewer's second thoughts need once more."""

    again: tuple[str, ...] = ()

    def prepare(self, folder: Path, number: int) -> str:
        email = f"person{number}@example.com"
        row = ROWS[0] | {"id": f"client_{number}", "email": email, "passport_front": "documents/passport.jpg"}
        out = io.StringIO()
        writer = csv.DictWriter(out, row, lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)
        (folder / "clients.csv").write_text(out.getvalue(), "utf-8")
        (folder / "documents" / "passport.jpg").write_bytes(JPEG)
        playbook = PLAYBOOK.read_text("utf-8").replace("every: 5s", "every: 200ms")
        (folder / "kill.playbook.yaml").write_text(playbook, "utf-8")
        (folder / "pack.yaml").write_text(PACK, "utf-8")
        return email

    def pairs(self, life: Life, report: Mapping[str, Any], state: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
        clients = [client for client in state["clients"] if client["email"] == life.key]
        yield "clients", 1, len(clients)
        products = [one for one in state["products"] if one["client_id"] == clients[0]["id"]]
        yield "product requests", ["enabled"], [one["status"] for one in products]
        yield "phone", int(ROWS[0]["phone_number"]), clients[0]["phone_number"]
        if not life.cell.fault:
            sent = [name.partition("#")[0] for log in life.instants for name in log]
            for operation, reply in EFFECTS.items():
                yield f"requests of {operation}", 1 + (operation in self.again), sent.count(reply.partition("#")[0])


@pytest.fixture(scope="module")
def matrix(victims: Victims, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardMatrix]:
    home = tmp_path_factory.mktemp("cards")
    sandbox = Sandbox(home, "--kyc-delay", "0.3", "--rate", "10000", provider="cryptomate", measured=False)
    yield CardMatrix(home, victims, sandbox, "refused")
    sandbox.stop()


def test_killed_at_every_instant_of_a_run(matrix: CardMatrix) -> None:
    (healthy,) = matrix.play([Cell("not killed", ())])
    assert "" == healthy.wrong
    instants = steady(healthy.instants[0])

    assert len(instants) > 40
    assert [] == matrix.wrong(Cell(name, (name,)) for name in instants)


def test_killed_when_the_reviewer_has_asked_again(matrix: CardMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """Back from in_kyc: the second document and the second submit are sent once, as the first were."""
    monkeypatch.setattr(matrix, "again", ("products.document", "products.submit"))
    matrix.sandbox.load(reviews={"default": {"verdict": "enabled", "after_requested_more": "passport-only"}})
    try:
        (healthy,) = matrix.play([Cell("not killed", ())])
        assert "" == healthy.wrong
        later = healthy.instants[0].index(EFFECTS["products.submit"])
        instants = [name for name in steady(healthy.instants[0][later:]) if not name.startswith("waiting")]
        assert len(instants) > 15
        assert [] == matrix.wrong(Cell(name, (name,)) for name in instants)
    finally:
        matrix.sandbox.load(reviews={"default": "enabled"})


def test_killed_while_it_waits_for_the_verdict(matrix: CardMatrix) -> None:
    assert [] == matrix.wrong([Cell("waiting", ("waiting#1",)), Cell("waiting twice", ("waiting#1", "waiting#1"))])


@pytest.mark.parametrize("fault", ["late:0.5:x1", "late:3:x1", "drop-before:x1"])
def test_killed_mid_send(matrix: CardMatrix, fault: str) -> None:
    cells = [Cell(f"{name} {fault}", (reply,), f"{name}={fault}") for name, reply in EFFECTS.items()]
    assert [] == matrix.wrong(cells)
