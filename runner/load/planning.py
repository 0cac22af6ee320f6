"""A plan: every call of every client as far as it can be known, and what would go wrong, before anything is sent.

It drives the same conductor as a run does, answering with outputs that are known only later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from runner.actions import raw_operation
from runner.actions.base import outside_path, path_fields, query_of
from runner.conductor import conduct
from runner.file_fields import file_fields
from runner.load.clients import lacking_field
from runner.load.files import Documents
from runner.load.schema import Schema
from runner.model.command import Perform
from runner.model.http import wire_text
from runner.model.money import Money
from runner.model.outcome import Moved, Outcome, StepStatus
from runner.model.plan import Client, ClientPlan, Plan, PlannedCall, Setting
from runner.model.playbook import Cap
from runner.model.problem import Location, Problem
from runner.model.provider import RECONCILE, Operation
from runner.money import MoneyError, parse_amount
from runner.raw_calls import disguised, effect_behind
from runner.redact import mask
from runner.references import operation_reference
from runner.templates import Unknown, compile_text, has_template


@dataclass(slots=True)
class Planned:
    """A plan and what speaks against it: `problems` by client key (the user's text), `guards` (caps)."""

    plan: Plan
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    guards: list[Problem] = field(default_factory=list)
    files: tuple[str, ...] = ()

    def all_problems(self) -> list[Problem]:
        return [problem for found in self.problems.values() for problem in found]


def make_plan(setting: Setting, clients: tuple[Client, ...], documents: Documents) -> Planned:
    """Plan every client. Reads documents' first bytes; needs no network and no credentials."""
    planner = _Planner(setting, documents)
    entries: list[ClientPlan] = []
    problems: dict[str, list[Problem]] = {}
    for client in clients:
        entry, found = planner.plan(client)
        entries.append(entry)
        if found:
            problems[client.key] = found
    plan = Plan(setting, tuple(entries))
    return Planned(plan, problems, list(cap_problems(plan)), planner.files)


def cap_problems(plan: Plan) -> Iterator[Problem]:
    """What the plan would move beyond a cap. A guard: exit 3."""
    caps = plan.setting.caps
    totals: dict[str, Decimal] = {}
    for entry in plan.clients:
        own: dict[str, Decimal] = {}
        for call in entry.calls:
            if call.moves and not call.conditional:
                asset, amount = call.moves.money.asset, call.moves.money.amount
                own[asset] = own.get(asset, Decimal(0)) + amount
                totals[asset] = totals.get(asset, Decimal(0)) + amount
        for asset, amount in own.items():
            limit = caps.get(asset, Cap()).per_client
            if limit is not None and amount > limit:
                moves = f'client "{entry.client.key}" would move {amount:f} {asset}'
                message = f"{moves}, more than the cap of {limit:f} for a client"
                yield Problem(
                    "money.cap",
                    message,
                    entry.client.location,
                    "lower the amounts, or raise limits.money after a second look",
                )
    for asset, amount in totals.items():
        limit = caps.get(asset, Cap()).per_run
        if limit is not None and amount > limit:
            message = f"the run would move {amount:f} {asset}, more than the cap of {limit:f} for a run"
            yield Problem(
                "money.cap",
                message,
                None,
                "run fewer clients, or raise limits.money or --cap after a second look",
            )


class _Planner:
    def __init__(self, setting: Setting, documents: Documents) -> None:
        self._setting = setting
        self._documents = documents
        self._schemas: dict[str, Schema] = {}
        self._files: dict[str, Problem | None] = {}

    @property
    def files(self) -> tuple[str, ...]:
        """Every document that the plan would send."""
        return tuple(sorted(self._files))

    def plan(self, client: Client) -> tuple[ClientPlan, list[Problem]]:
        calls: list[PlannedCall] = []
        problems: list[Problem] = []
        flow = conduct(self._setting, client)
        try:
            command = next(flow)
            while True:
                if command.conclusion is not None:
                    problems += self._problems(client, command, self._operation(command))
                    command = flow.send(command.conclusion)
                    continue
                call, found = self._call(client, command)
                calls.append(call)
                problems += found
                later = {name: Unknown(command.step.id) for name in command.outputs}
                command = flow.send(Outcome(StepStatus.PASSED, outputs=later))
        except StopIteration as stop:
            if stop.value.problem:
                step = next(result.id for result in stop.value.steps if result.problem)
                problems.append(_unfilled(client, step, stop.value.problem))
        return ClientPlan(client, tuple(calls)), problems

    def _call(self, client: Client, command: Perform) -> tuple[PlannedCall, list[Problem]]:
        operation = self._operation(command)
        problems = list(self._problems(client, command, operation)) if command.step.request is None else []
        if command.step.request is not None:
            problems += self._disguised(command, operation)
        problems += self._file_problems(client, command, operation)
        moves = self._moves(client, command, operation, problems)
        looks_first = operation.is_effect and operation.repeat != "refused"
        call = PlannedCall(
            step=command.name,
            operation=operation.name,
            method=operation.method,
            path=_shown_path(operation, command.values) if command.step.request is None else operation.path,
            effect=command.step.effect if command.step.request is not None else operation.effect,
            body=_shown_body(operation, command),
            reference=operation_reference(self._setting, client, command, operation),
            moves=moves,
            conditional=command.conditional,
            requests=2 if looks_first else 1,
        )
        return call, problems

    def _disguised(self, command: Perform, operation: Operation) -> Iterator[Problem]:
        """A path from the row may lead to a money call. What is only warned of was told while validating."""
        behind = effect_behind(self._setting.provider.operations.values(), operation.method, operation.path)
        if behind and (problem := disguised(behind, command.step.location)).is_error:
            yield problem

    def _origin(self, client: Client, command: Perform, path: tuple[str | int, ...]) -> Location | None:
        """Where a wrong value comes from: the cell that its template reads, directly or as an item; else the step."""
        request = command.step.request
        values = command.values if request is None else command.values.get("files", {})
        written = _at(command.step.values if request is None else request.get("files", {}), path)
        if field := _client_field(written):
            return client.place(field)
        if not isinstance(written, str) or not has_template(written):
            return command.step.location
        roots = [reference.names for reference in compile_text(written).references]
        if roots and roots[0][0] == "item" and len(roots[0]) == 2:
            playbook = self._setting.playbook
            for entry in (*playbook.documents, *playbook.funding):
                field = _client_field(entry.get(str(roots[0][1])))
                if field and _at(client.values, field.split(".")) == _at(values, path):
                    return client.place(field)
        is_of_client = any(names[0] in ("documents", "funding", "item") for names in roots)
        return client.location if is_of_client else command.step.location

    def _operation(self, command: Perform) -> Operation:
        if command.step.reconcile is not None and self._setting.provider.reconcile is not None:
            listing = self._setting.provider.operations[self._setting.provider.reconcile.call]
            return replace(RECONCILE, method=listing.method, path=listing.path)
        if command.step.request is not None:
            return raw_operation(command.values, command.step.effect)
        if command.step.rounds and self._setting.provider.requirements is not None:
            return self._setting.provider.requirements.operation
        return self._setting.provider.operations[command.step.call]

    def _problems(self, client: Client, command: Perform, operation: Operation) -> Iterator[Problem]:
        if not operation.request:
            return
        if operation.name not in self._schemas:
            self._schemas[operation.name] = Schema(
                operation.request, stage="with", personal=True, today=self._setting.today
            )

        def locate(path: tuple[str | int, ...], key: bool) -> Location | None:
            return self._origin(client, command, path)

        for problem in self._schemas[operation.name].problems(
            command.values, locate, lambda value: isinstance(value, Unknown)
        ):
            yield replace(problem, message=f'{problem.message} (step "{command.name}" of client "{client.key}")')

    def _file_problems(self, client: Client, command: Perform, operation: Operation) -> Iterator[Problem]:
        values = command.values if command.step.request is None else command.values.get("files", {})
        for path, value in file_fields(operation.request, values):
            if not isinstance(value, str):
                continue
            if value not in self._files:
                self._files[value] = self._documents.check(value)
            if problem := self._files[value]:
                place = self._origin(client, command, path)
                yield replace(
                    problem,
                    message=f'{problem.message} (step "{command.name}" of client "{client.key}")',
                    location=place,
                )

    def _moves(self, client: Client, command: Perform, operation: Operation, problems: list[Problem]) -> Moved | None:
        rule = operation.money
        if rule is None or rule.pledge:
            return None
        amount = command.values.get(rule.amount)
        asset = rule.fixed_asset or command.values.get(rule.asset)
        if isinstance(amount, Unknown) or isinstance(asset, Unknown) or amount is None or asset is None:
            return None
        try:
            if rule.places and isinstance(amount, int):
                parsed = Decimal(amount).scaleb(-rule.places)
            else:
                parsed = parse_amount(amount)
        except MoneyError as error:
            if not any(problem.code.startswith("with.") for problem in problems):
                problems.append(
                    Problem(
                        error.code,
                        f'{error.message} (step "{command.name}" of client "{client.key}")',
                        self._origin(client, command, (rule.amount,)),
                        error.hint,
                    )
                )
            return None
        if self._setting.caps and str(asset) not in self._setting.caps:
            named = ", ".join(self._setting.caps)
            whose = f'(step "{command.name}" of client "{client.key}")'
            message = f'"{asset}" would move but has no cap, while limits.money names {named} {whose}'
            problems.append(
                Problem(
                    "money.no-cap",
                    message,
                    self._origin(client, command, (rule.asset,)),
                    f"add limits.money.{asset}, or --cap {asset}=AMOUNT",
                )
            )
        return Moved(rule.kind, Money(parsed, str(asset)))


def _unfilled(client: Client, step: str, told: Problem) -> Problem:
    """The conductor could not fill a template in: the row lacks, or spells wrongly, what the playbook reads."""
    lacking = lacking_field(told.message)
    return replace(
        told,
        message=f'{told.message} (step "{step}" of client "{client.key}")',
        location=client.place(lacking) if lacking else client.location or told.location,
        hint=told.hint or "give the row what the playbook reads, or mark it | optional there",
    )


def _client_field(text: Any) -> str:
    """The (dotted) field of the client that a template reads, the first one; empty when it reads none."""
    if not isinstance(text, str) or not has_template(text):
        return ""
    for reference in compile_text(text).references:
        if reference.names[0] == "client" and len(reference.names) > 1:
            return ".".join(str(name) for name in reference.names[1:])
    return ""


def _at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands at `path`, None when nothing does."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _shown_path(operation: Operation, values: Mapping[str, Any]) -> str:
    path = operation.path
    for name in path_fields(operation):
        value = values.get(name)
        shown = str(value) if isinstance(value, Unknown) else quote(wire_text(value), safe="~")
        path = path.replace("{" + name + "}", shown)
    rest = outside_path(operation, values)
    if operation.body == "none" and rest:
        query = "&".join(f"{name}={value}" for name, value in query_of(rest))
        path = f"{path}?{query}"
    return path


def _shown_body(operation: Operation, command: Perform) -> Any:
    if command.step.request is not None:
        return None
    if operation.body == "none":
        return None
    return _without_unknowns(mask(outside_path(operation, command.values), operation.request))


def _without_unknowns(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_unknowns(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_unknowns(entry) for entry in value]
    return str(value) if isinstance(value, Unknown | Decimal) else value
