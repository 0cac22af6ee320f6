"""Reconcile a run: our side from the journal, theirs from the provider's list, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from runner.answers import is_absent
from runner.auth import make_auth
from runner.checks import lookup
from runner.client import HttpClient
from runner.conductor import filled
from runner.effects import Reply
from runner.execute import Tools
from runner.journal.base import Entry, Journal, RunState
from runner.limiter import Limiter
from runner.load.files import Documents
from runner.model.outcome import Moved, Outcome, StepStatus
from runner.model.playbook import Step
from runner.model.problem import Location, Problem, ProblemError, RunnerError
from runner.model.provider import Provider, ReconcileRule
from runner.performer import Performer, Tally
from runner.reconcile import Difference, Ours, Theirs, compare, read_theirs
from runner.version import VERSION


class Unreachable(RunnerError):
    """The provider's list can't be read, so nothing can be said (exit 6)."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(frozen=True, slots=True)
class Range:
    """Which time is compared, RFC 3339, UTC, whole seconds; `everyone`: also orders of clients who are not in the run."""

    start: str
    end: str
    everyone: bool = True


@dataclass(frozen=True, slots=True)
class Reconciled:
    ours: int
    theirs: int
    differences: tuple[Difference, ...]
    range: Range


async def reconcile(provider: Provider, base_url: str, tools: Tools, run: RunState, span: Range) -> Reconciled:
    """Both ways. Raises ProblemError when the pack can't, Unreachable when the provider can't be asked."""
    rule = provider.reconcile
    if rule is None:
        hint = 'add "reconcile" to the pack; docs/how-to/add-a-provider.md shows it'
        raise ProblemError(
            [Problem("reconcile.no-rule", f"the pack of {provider.title} has no reconcile rule", hint=hint)]
        )
    ours = [entry async for entry in our_side(tools.journal, run.id)]
    clients = {entry.client for entry in ours}
    auth = make_auth(provider, tools.credentials, tools.clock)
    documents = Documents(Path(), provider.limits.files, provider.title)
    limiter = Limiter(tools.clock, tools.rate or provider.limits.requests_per_second)
    agent = f"onboarding-runner/{VERSION}"
    async with HttpClient(base_url, timeout=provider.timeout, user_agent=agent) as http:
        performer = Performer(provider, http, auth, tools.clock, limiter, documents.read, Random())
        theirs = await _their_side(performer, rule, ours, span)
    if not span.everyone:
        theirs = [order for order in theirs if order.client in clients]
    known = [entry.reference async for entry in _others(tools.journal, run)]
    return Reconciled(len(ours), len(theirs), tuple(compare(rule, ours, theirs, known)), span)


async def our_side(journal: Journal, run: int) -> AsyncIterator[Ours]:
    """Every money call that was ever begun in this run, under each reference it went out with."""
    async for client in journal.clients(run):
        entries = await journal.load(run, client.key)
        for entry in our_calls(client.key, entries):
            yield entry


def our_calls(client: str, entries: Sequence[Entry]) -> list[Ours]:
    """One client's money calls. A reference that was given up for a new one is expected not to have moved."""
    calls: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        calls.setdefault((entry.key.step, entry.key.item), []).append(entry)
    found: list[Ours] = []
    for (step, item), group in calls.items():
        intents = [entry for entry in group if entry.kind == "intent" and entry.body.get("moves")]
        outcomes = [Outcome.from_json(entry.body) for entry in group if entry.kind == "outcome"]
        passed = any(outcome.status is StepStatus.PASSED for outcome in outcomes)
        settled = {entry.key.attempt for entry in group if entry.kind == "outcome"}
        last = {entry.body["reference"]: entry for entry in sorted(intents, key=lambda entry: entry.key.attempt)}
        final = max((entry.key.attempt for entry in intents), default=0)
        for reference, entry in last.items():
            is_last = entry.key.attempt == final
            state = "moved" if passed and is_last else "not-moved"
            if is_last and not passed and entry.key.attempt not in settled:
                state = "unknown"
            name = step if item < 0 else f"{step}[{item}]"
            found.append(Ours(reference, client, name, state, Moved.from_json(entry.body["moves"])))
    return found


async def _others(journal: Journal, run: RunState) -> AsyncIterator[Ours]:
    for other in await journal.runs():
        if other.id != run.id and other.header["base_url"] == run.header["base_url"]:
            async for entry in our_side(journal, other.id):
                yield entry


async def _their_side(performer: Performer, rule: ReconcileRule, ours: Sequence[Ours], span: Range) -> list[Theirs]:
    """The list of the range, and by its reference whatever of ours lies outside it (an adopted order of last month)."""
    step = Step("reconcile", Location("reconcile"))
    tally = performer.tally()
    values = filled(rule.values, {"from": span.start, "to": span.end})
    items = await _ask(performer, rule.call, values, step, tally)
    listed = lookup(rule.items, items)[1]
    theirs = [read_theirs(rule, item) for item in (listed if isinstance(listed, list) else [])]
    seen = {order.reference for order in theirs}
    if rule.one:
        for entry in ours:
            if entry.reference not in seen:
                one = await _ask(
                    performer, rule.one, filled(rule.one_values, {"reference": entry.reference}), step, tally
                )
                theirs += [read_theirs(rule, one)] if one is not None else []
    return theirs


async def _ask(performer: Performer, name: str, values: Any, step: Step, tally: Tally) -> Any:
    reading = await performer.ask(name, values, step, tally)
    if is_absent(reading):
        return None
    if reading.reply not in (Reply.ACCEPTED, Reply.DEAD):
        assert reading.problem is not None
        raise Unreachable(reading.problem)
    return reading.answer.body
