"""A plan for people, for pull requests and for machines (schemas/plan.schema.json). Personal data is `***` in all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from runner.drawing import clean
from runner.duration import in_words
from runner.load.clients import Rejected
from runner.model.plan import ClientPlan, Plan, PlannedCall

SCHEMA = "onboard/plan/1"
# What a signed call to a provider across a continent takes, about; only for the expected duration.
SECONDS_A_REQUEST = 0.25
# So many clients are shown call by call; the rest do the same with other values.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class View:
    """A plan and how it is to be seen."""

    plan: Plan
    rejected: Sequence[Rejected]
    digests: Mapping[str, str]
    jobs: int = 8
    everybody: bool = False

    @property
    def seconds(self) -> float:
        """About how long: by the rate where there is one, else by jobs and a usual answer time."""
        requests = self.plan.requests
        rate = self.plan.setting.provider.limits.requests_per_second
        jobs = max(1, min(self.jobs, len(self.plan.clients)))
        return max(requests * SECONDS_A_REQUEST / jobs, requests / rate if rate else 0.0)


Write = Callable[[View, TextIO], None]


def as_text(view: View, out: TextIO) -> None:
    plan, setting = view.plan, view.plan.setting
    address = setting.base_url or "no address yet"
    where = f"{setting.provider.title}, {setting.environment.name} ({address})"
    out.write(f"{setting.playbook.name} on {where}, batch {setting.batch}\n")
    shown = plan.clients if view.everybody else plan.clients[:SHOWN]
    for entry in shown:
        out.write(f"\n{clean(entry.client.key)} (line {entry.client.line})\n")
        for call in entry.calls:
            out.write(f"  {_line(call)}\n")
    if len(plan.clients) > len(shown):
        out.write(f"\n… and {_counted(len(plan.clients) - len(shown), 'more client')}; -v shows everyone\n")
    out.write("\n")
    for step, count in _steps(plan).items():
        out.write(f"{count:>8,} x {step}\n")
    out.write("\n" + "\n".join(_totals(view)) + "\n")


def _line(call: PlannedCall) -> str:
    moves = f"  {call.moves.kind} {call.moves.money}" if call.moves else ""
    reference = f"  as {call.reference}" if call.reference else ""
    conditional = f"  (known after {call.conditional})" if call.conditional else ""
    return clean(f"{call.step:<20} {call.effect:<6} {call.method} {call.path}{moves}{reference}{conditional}")


def _steps(plan: Plan) -> Counter[str]:
    return Counter(
        f"{call.step.partition('[')[0]} ({call.operation})" for entry in plan.clients for call in entry.calls
    )


def _totals(view: View) -> list[str]:
    plan = view.plan
    clients, requests = _counted(len(plan.clients), "client"), _counted(plan.requests, "request")
    lines = [f"{clients}, about {requests}, about {in_words(view.seconds)} with --jobs {view.jobs}"]
    if view.rejected:
        lines.append(f"{_counted(len(view.rejected), 'row')} left out")
    for asset, kinds in sorted(plan.money().items()):
        cap = plan.setting.caps.get(asset)
        limit = f" of at most {cap.per_run:f}" if cap and cap.per_run is not None else ""
        lines.append(
            f"moves {asset}: {', '.join(f'{kind} {amount:f}' for kind, amount in sorted(kinds.items()))}{limit}"
        )
    return lines


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def as_markdown(view: View, out: TextIO) -> None:
    """For a pull request: totals first, then one table of steps; no client is named."""
    setting = view.plan.setting
    out.write(f"### Plan: {setting.playbook.name}\n\n")
    out.write(f"{setting.provider.title}, environment `{setting.environment.name}`, batch `{setting.batch}`\n\n")
    out.writelines(f"- {line}\n" for line in _totals(view))
    out.write("\n| Step | Operation | Calls |\n|---|---|---:|\n")
    for step, count in _steps(view.plan).items():
        name, _, operation = step.partition(" (")
        out.write(f"| {name} | {operation.rstrip(')')} | {count:,} |\n")


def as_json(view: View, out: TextIO, *, wish: Mapping[str, Any] | None = None) -> None:
    """`wish` makes it a saved plan: what was asked for, so that it can be carried out as it stands."""
    plan, setting = view.plan, view.plan.setting
    head: dict[str, Any] = {
        "schema": SCHEMA,
        "playbook": setting.playbook.name,
        "provider": setting.provider.name,
        "environment": setting.environment.name,
        "batch": setting.batch,
        "inputs": dict(setting.inputs),
        "digests": dict(view.digests),
        "totals": {
            "clients": len(plan.clients),
            "rejected": len(view.rejected),
            "requests": plan.requests,
            "calls": dict(Counter(call.operation for entry in plan.clients for call in entry.calls)),
            "money": {
                asset: {kind: f"{amount:f}" for kind, amount in kinds.items()} for asset, kinds in plan.money().items()
            },
            "expected_seconds": round(view.seconds, 1),
        },
    }
    if wish is not None:
        head["wish"] = wish
    out.write(json.dumps(head, ensure_ascii=False, default=str)[:-1] + ', "clients": [')
    separator = "\n"
    for entry in plan.clients:
        out.write(separator + json.dumps(client_json(entry), ensure_ascii=False, default=str))
        separator = ",\n"
    out.write("\n]}\n")


def client_json(entry: ClientPlan) -> dict[str, Any]:
    return {
        "key": entry.client.key,
        "line": entry.client.line,
        "digest": entry.client.digest,
        "calls": [_call_json(call) for call in entry.calls],
    }


def _call_json(call: PlannedCall) -> dict[str, Any]:
    body: dict[str, Any] = {
        "step": call.step,
        "operation": call.operation,
        "effect": call.effect,
        "method": call.method,
        "path": call.path,
    }
    if call.body is not None:
        body["body"] = call.body
    if call.reference:
        body["reference"] = call.reference
    if call.moves:
        body["moves"] = call.moves.to_json()
    if call.conditional:
        body["conditional"] = f"(known after {call.conditional})"
    return body


FORMATS: dict[str, Write] = {"json": as_json, "markdown": as_markdown, "text": as_text}
