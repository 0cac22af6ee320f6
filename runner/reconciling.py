"""Both sides of a reconciliation: ours from the journal, theirs from the provider's list, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from runner.answers import is_absent
from runner.checks import lookup
from runner.conductor import filled
from runner.effects import Reply
from runner.journal.base import Entry, Journal
from runner.model.outcome import Moved, Outcome, StepStatus
from runner.model.playbook import Step
from runner.model.problem import Problem, RunnerError
from runner.model.provider import ReconcileRule
from runner.performer import Performer, Tally
from runner.reconcile import Ours, Theirs, read_theirs


class ListUnreachableError(RunnerError):
    """The provider's list can't be read, so nothing can be said (exit 6)."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(frozen=True, slots=True)
class Range:
    """What is compared: a time (RFC 3339, UTC, whole seconds), one client or everybody.

    `everyone`: also orders of clients who are not in the run.
    """

    start: str
    end: str
    everyone: bool = True
    client: str = ""


async def our_side(journal: Journal, run: int) -> AsyncIterator[Ours]:
    """Every money call that was ever begun in this run, under each reference it went out with."""
    async for client in journal.clients(run):
        entries = await journal.load(run, client.key)
        for entry in our_calls(client.key, entries):
            yield entry


async def known_references(journal: Journal, run: int, base_url: str, client: str) -> set[str]:
    """References of this client's money calls in other runs against the same address."""
    found: set[str] = set()
    for other in await journal.runs():
        if other.id != run and other.header.get("base_url") == base_url:
            found |= {entry.reference for entry in our_calls(client, await journal.load(other.id, client))}
    return found


def our_calls(client: str, entries: Sequence[Entry]) -> list[Ours]:
    """One client's money calls. A reference that was given up for a new one is expected not to have moved."""
    calls: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        calls.setdefault((entry.key.step, entry.key.item), []).append(entry)
    found: list[Ours] = []
    for (step, item), group in calls.items():
        intents = [entry for entry in group if entry.kind == "intent" and entry.body.get("moves")]
        outcomes = [Outcome.from_json(entry.body) for entry in group if entry.kind == "outcome"]
        # Money that moved has moved, also when a check of its step failed afterwards.
        passed = any(outcome.status is StepStatus.PASSED or outcome.moved is not None for outcome in outcomes)
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


async def their_side(
    performer: Performer, rule: ReconcileRule, ours: Sequence[Ours], span: Range, step: Step, tally: Tally
) -> list[Theirs]:
    """The list of the range, and by its reference whatever of ours lies outside it (an adopted order of last month)."""
    scope = {"from": span.start, "to": span.end} | ({"client": span.client} if span.client else {})
    values = filled(rule.values, scope)
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
        raise ListUnreachableError(reading.problem)
    return reading.answer.body
