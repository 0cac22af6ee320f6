"""A whole run's result: the head that reports begin with; its clients are read from the journal one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runner.model.outcome import ClientResult, Ending, Fault

KINDS = ("deposits", "withdrawals", "payouts")


@dataclass(frozen=True, slots=True)
class RunHead:
    """Who ran what, where and when. Times are seconds since the epoch, UTC."""

    id: str
    playbook: str
    provider: str
    environment: str
    batch: str
    started_at: float
    finished_at: float | None = None


@dataclass(slots=True)
class Totals:
    """Counts in = counts out: every client is counted once, under one of the six words."""

    clients: int = 0
    endings: dict[Ending, int] = field(default_factory=lambda: dict.fromkeys(Ending, 0))
    adopted: int = 0
    requests: int = 0
    money: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    faults: set[Fault] = field(default_factory=set)

    def add(self, result: ClientResult) -> None:
        self.clients += 1
        self.endings[result.outcome] += 1
        self.adopted += result.adopted
        self.requests += result.requests
        if result.fault:
            self.faults.add(result.fault)
        for step in result.steps:
            for moved in step.moved:
                kinds = self.money.setdefault(moved.money.asset, dict.fromkeys(KINDS, Decimal("0.00")))
                kinds[moved.kind] += moved.money.amount

    def to_json(self) -> Mapping[str, Any]:
        money = {
            asset: {kind: f"{amount:f}" for kind, amount in kinds.items()}
            for asset, kinds in sorted(self.money.items())
        }
        endings = {ending.value: count for ending, count in self.endings.items()}
        return {"clients": self.clients, **endings, "adopted": self.adopted, "requests": self.requests, "money": money}


@dataclass(frozen=True, slots=True)
class RunResult:
    head: RunHead
    totals: Totals
    exit_code: int
    status: str
