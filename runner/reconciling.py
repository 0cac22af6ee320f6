"""Both sides of a reconciliation: ours from the journal, theirs from the provider's list, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from runner.references import given_up
from runner.standing import in_order

# Clocks differ: an order may be booked a little before we began to count, or a little later than we think it is now.
SLACK = 300.0


class ListUnreachableError(RunnerError):
    """The provider's list can't be read, so nothing can be said (exit 6)."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(frozen=True, slots=True)
class Range:
    """What is compared: a time (RFC 3339, UTC, whole seconds), and whose orders: of these clients, or everybody's.

    `clients` are the provider's names of them. `everyone`: also orders of clients who are not in the run.
    """

    start: str
    end: str
    everyone: bool = True
    clients: tuple[str, ...] = ()


@dataclass(slots=True)
class Side:
    """What the journal has: `ours` are the money calls of a run, `known` every other reference that it holds.

    `started` is when the run began, None for a run that is not there.
    """

    ours: list[Ours] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    started: float | None = None


async def our_side(journal: Journal, run: int, base_url: str, client: str = "", owner: str = "") -> Side:
    """Every money call that was ever begun or found in this run, under each reference it went out with.

    Only of `client`, where one is named; `owner` names it at the provider where a call does not say so. References of
    other runs count where these went to the same address.
    """
    side = Side()
    for other in await journal.runs():
        if other.id == run:
            side.started = other.started_at
        elif other.header.get("base_url") != base_url:
            continue
        keys = [client] if client else [state.key async for state in journal.clients(other.id)]
        for key in keys:
            entries = await journal.load(other.id, key)
            side.known |= _references(entries)
            side.ours += our_calls(key, entries, owner) if other.id == run else ()
    return side


def our_calls(client: str, entries: Sequence[Entry], owner: str = "") -> list[Ours]:
    """One client's money calls. A reference that was given up for a new one is expected not to have moved."""
    calls: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        calls.setdefault((entry.key.step, entry.key.item), []).append(entry)
    whose = (client, owner or client)
    return [found for (step, item), group in calls.items() for found in _our_call(*whose, _name(step, item), group)]


def _our_call(client: str, owner: str, name: str, group: Sequence[Entry]) -> Iterator[Ours]:
    asked: dict[str, Mapping[str, Any]] = {}
    moved: set[str] = set()
    begun, over, last = 0, 0, ""
    for entry in in_order(group):
        if entry.kind not in ("intent", "outcome"):
            continue
        if entry.kind == "outcome":
            # What a provider said of an attempt in doubt settles nothing.
            over = over if "reply" in entry.body else entry.key.attempt
            outcome = Outcome.from_json(entry.body)
            # Money that moved has moved, also when a check of its step failed afterwards.
            if outcome.status is StepStatus.PASSED or outcome.moved is not None or outcome.adopted:
                moved.add(outcome.reference)
            elif outcome.reference not in asked:
                continue
        else:
            begun = entry.key.attempt
        if entry.body.get("moves"):
            last = entry.body["reference"] if entry.kind == "intent" else Outcome.from_json(entry.body).reference
            asked[last] = entry.body
    for earlier in given_up(last):
        # Declared dead where our journal does not reach: by a run that was lost, or from another machine.
        asked.setdefault(earlier, asked[last])
    for reference, body in asked.items():
        state = "moved" if reference in moved else "unknown" if reference == last and begun > over else "not-moved"
        yield Ours(reference, client, body.get("owner", owner), name, state, Moved.from_json(body["moves"]))


def _name(step: str, item: int) -> str:
    return step if item < 0 else f"{step}[{item}]"


def _references(entries: Sequence[Entry]) -> set[str]:
    """Every reference that this client's calls went out with or were found under, and those given up before."""
    found = {str(entry.body.get("reference") or "") for entry in entries} - {""}
    return found.union(*map(given_up, found))


async def their_side(
    performer: Performer, rule: ReconcileRule, ours: Sequence[Ours], span: Range, step: Step, tally: Tally
) -> list[Theirs]:
    """The list of the range, and by its reference whatever of ours lies outside it (an adopted order of last month)."""
    theirs: list[Theirs] = []
    for client in span.clients or ("",):
        scope = {"from": span.start, "to": span.end} | ({"client": client} if client else {})
        items = await _ask(performer, rule.call, filled(rule.values, scope), step, tally)
        listed = lookup(rule.items, items)[1]
        theirs += [read_theirs(rule, item) for item in (listed if isinstance(listed, list) else [])]
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
