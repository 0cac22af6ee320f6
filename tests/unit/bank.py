"""A bank that promises payouts and carries them out, and one playbook against it; in a few lines, so that a test can
see what left."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import anyio
from stand_ins import (
    FakeClock,
    Fault,
    answer,
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
from runner.model.outcome import ClientResult, Ending, Outcome
from runner.model.plan import Client
from runner.model.playbook import Cap, Step
from runner.redact import Redactor
from runner.times import rfc3339

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
