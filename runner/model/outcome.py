"""What happened: one attempt, one step, one client, one run. Everything here survives JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from runner.model.check import CheckResult
from runner.model.money import Money
from runner.model.problem import Problem


class StepStatus(StrEnum):
    PASSED = "passed"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"
    UNKNOWN = "unknown"


class Ending(StrEnum):
    """The six words: how a client ends."""

    DONE = "done"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"


class Fault(StrEnum):
    """Why the world, not the client's data, stopped a step. Such an outcome is not final: resume tries again."""

    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    CREDENTIALS = "credentials"
    GUARD = "guard"


STEP_ORDER = (
    StepStatus.SKIPPED,
    StepStatus.PASSED,
    StepStatus.WAITING,
    StepStatus.FAILED,
    StepStatus.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that a step moved: `kind` is the plural in the report (deposits, withdrawals, payouts)."""

    kind: str
    money: Money

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "amount": f"{self.money.amount:f}", "asset": self.money.asset}

    @classmethod
    def from_json(cls, body: Mapping[str, str]) -> Moved:
        return cls(body["kind"], Money(Decimal(body["amount"]), body["asset"]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended.

    `ending` is what the client ends as when the step did not pass. `claim` is the provider's own id of what the step
    made or adopted, so that a second step with the same identity can't adopt it too. `retry_at` (seconds since the
    epoch, UTC) is set while waiting. `replayed`: read from the journal, nothing was done for it now; not written down.
    `files` are the stamps of what was uploaded. `reserved` is what a promise holds of the caps until it is carried out.
    """

    status: StepStatus
    ending: Ending | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[CheckResult, ...] = ()
    problem: Problem | None = None
    attempts: int = 1
    requests: int = 0
    duration_ms: int = 0
    reference: str = ""
    adopted: bool = False
    moved: Moved | None = None
    claim: str = ""
    retry_at: float | None = None
    fault: Fault | None = None
    replayed: bool = False
    files: tuple[str, ...] = ()
    reserved: Moved | None = None

    @property
    def is_final(self) -> bool:
        """Known for good: replayed on resume, never performed again. Blocked is not: a person may have helped since."""
        is_open = self.status in (StepStatus.WAITING, StepStatus.UNKNOWN) or self.ending is Ending.BLOCKED
        return self.fault is None and not is_open

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "status": self.status.value,
            "attempts": self.attempts,
            "requests": self.requests,
        }
        body |= {"duration_ms": self.duration_ms, "outputs": dict(self.outputs)}
        body |= {"checks": [check.to_json() for check in self.checks]}
        if self.ending:
            body["ending"] = self.ending.value
        if self.problem:
            body["problem"] = self.problem.to_json()
        if self.moved:
            body["moved"] = self.moved.to_json()
        if self.reserved:
            body["reserved"] = self.reserved.to_json()
        if self.files:
            body["files"] = list(self.files)
        if self.fault:
            body["fault"] = self.fault.value
        if self.retry_at is not None:
            body["retry_at"] = self.retry_at
        return body | {name: value for name in ("reference", "adopted", "claim") if (value := getattr(self, name))}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Outcome:
        return cls(
            status=StepStatus(body["status"]),
            ending=Ending(body["ending"]) if body.get("ending") else None,
            outputs=body["outputs"],
            checks=tuple(CheckResult.from_json(entry) for entry in body["checks"]),
            problem=Problem.from_json(body["problem"]) if body.get("problem") else None,
            attempts=body["attempts"],
            requests=body["requests"],
            duration_ms=body["duration_ms"],
            reference=body.get("reference", ""),
            adopted=body.get("adopted", False),
            moved=Moved.from_json(body["moved"]) if body.get("moved") else None,
            claim=body.get("claim", ""),
            retry_at=body.get("retry_at"),
            fault=Fault(body["fault"]) if body.get("fault") else None,
            files=tuple(body.get("files", ())),
            reserved=Moved.from_json(body["reserved"]) if body.get("reserved") else None,
        )


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing can be decided before `until` (seconds since the epoch): look again then.

    A webhook about one of `wakes`, ids as the provider writes them, is a reason to look at once. `fault`: nobody was
    there to be asked.
    """

    until: float
    why: Problem
    wakes: frozenset[str] = frozenset()
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of one client: the worst of its items, their checks in order; `outputs` is a list after `for_each`."""

    id: str
    status: StepStatus
    attempts: int = 0
    duration_ms: int = 0
    outputs: Mapping[str, Any] | Sequence[Mapping[str, Any]] = field(default_factory=dict)
    checks: tuple[CheckResult, ...] = ()
    problem: Problem | None = None
    references: tuple[str, ...] = ()
    adopted: bool = False
    requests: int = 0
    moved: tuple[Moved, ...] = ()

    def to_json(self) -> dict[str, Any]:
        outputs = self.outputs if isinstance(self.outputs, Mapping) else [dict(entry) for entry in self.outputs]
        body: dict[str, Any] = {
            "id": self.id,
            "status": self.status.value,
            "attempts": self.attempts,
            "duration_ms": self.duration_ms,
            "outputs": outputs,
            "checks": [check.to_json() for check in self.checks],
            "problem": self.problem.to_json() if self.problem else None,
            "requests": self.requests,
        }
        if self.references:
            body["references"] = list(self.references)
        if self.adopted:
            body["adopted"] = True
        if self.moved:
            body["moved"] = [moved.to_json() for moved in self.moved]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> StepResult:
        return cls(
            id=body["id"],
            status=StepStatus(body["status"]),
            attempts=body["attempts"],
            duration_ms=body["duration_ms"],
            outputs=body["outputs"],
            checks=tuple(CheckResult.from_json(entry) for entry in body["checks"]),
            problem=Problem.from_json(body["problem"]) if body["problem"] else None,
            references=tuple(body.get("references", ())),
            adopted=body.get("adopted", False),
            requests=body["requests"],
            moved=tuple(Moved.from_json(entry) for entry in body.get("moved", ())),
        )


@dataclass(frozen=True, slots=True)
class ClientResult:
    """One client's end: the word, the problem that decided it, and every step in playbook order."""

    key: str
    line: int
    outcome: Ending
    problem: Problem | None = None
    steps: tuple[StepResult, ...] = ()
    fault: Fault | None = None
    retry_at: float | None = None

    @property
    def adopted(self) -> bool:
        return any(step.adopted for step in self.steps)

    @property
    def requests(self) -> int:
        return sum(step.requests for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        body = {
            "key": self.key,
            "line": self.line,
            "outcome": self.outcome.value,
            "problem": self.problem.to_json() if self.problem else None,
            "steps": [step.to_json() for step in self.steps],
        }
        if self.adopted:
            body["adopted"] = True
        if self.fault:
            body["fault"] = self.fault.value
        if self.retry_at is not None:
            body["retry_at"] = self.retry_at
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> ClientResult:
        return cls(
            key=body["key"],
            line=body["line"],
            outcome=Ending(body["outcome"]),
            problem=Problem.from_json(body["problem"]) if body["problem"] else None,
            steps=tuple(StepResult.from_json(entry) for entry in body["steps"]),
            fault=Fault(body["fault"]) if body.get("fault") else None,
            retry_at=body.get("retry_at"),
        )


def merged(step_id: str, items: Sequence[Outcome], is_loop: bool) -> StepResult:
    """One step's result out of its items' outcomes. An empty loop passed: there was nothing to do."""
    worst = max((item.status for item in items), key=STEP_ORDER.index, default=StepStatus.PASSED)
    return StepResult(
        id=step_id,
        status=worst,
        attempts=sum(item.attempts for item in items),
        duration_ms=sum(item.duration_ms for item in items),
        outputs=[item.outputs for item in items] if is_loop else (items[0].outputs if items else {}),
        checks=tuple(check for item in items for check in item.checks),
        problem=next((item.problem for item in items if item.problem), None),
        references=tuple(item.reference for item in items if item.reference),
        adopted=any(item.adopted for item in items),
        requests=sum(item.requests for item in items),
        moved=tuple(item.moved for item in items if item.moved),
    )


def skipped(step_id: str, problem: Problem | None = None) -> StepResult:
    return replace(StepResult(step_id, StepStatus.SKIPPED), problem=problem)
