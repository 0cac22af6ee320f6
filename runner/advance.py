"""One client as far as it can go: hand recorded outcomes to the conductor, perform what comes next, write it down.

Re-entrant and safe to repeat; knows a journal and a clock, no engine, no task group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner import effect_words
from runner.awaiting import Awaited, ask
from runner.clock import Clock
from runner.conductor import Turns, conduct
from runner.effect import Effect
from runner.journal.base import Entry, EntryKey, Journal
from runner.model.command import Perform
from runner.model.outcome import ClientResult, Ending, Later, Moved, Outcome, StepStatus
from runner.model.plan import Client, Setting
from runner.model.playbook import Step
from runner.model.problem import Problem
from runner.model.provider import Provider
from runner.movements import Pledge, holds_of, moved_of
from runner.performer import Performer, Tally
from runner.reconcile_step import reconcile_client
from runner.redact import Redactor
from runner.references import body_fingerprint
from runner.settle import settle
from runner.standing import was_promised_otherwise


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do now; `result` says how it ended."""

    result: ClientResult


@dataclass(frozen=True, slots=True)
class Wait:
    """Advance again at `until` (seconds since the epoch), or when a webhook tells of one of `wakes`.

    `result` is how the client stands if nobody does.
    """

    until: float
    result: ClientResult
    wakes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClientRun:
    """One client of one run, with everything that `advance` needs. `is_fresh` skips reading an empty journal.

    `stopping` is asked before each step: a problem means "checkpoint here, resume goes on". `is_halted` is asked before
    each money send. `tallies` keeps what a step has cost while it waits, `turns` what a requirement loop has counted,
    `costs` the requests of its calls by their names.
    """

    run: int
    setting: Setting
    client: Client
    journal: Journal
    performer: Performer
    clock: Clock
    redactor: Redactor
    is_fresh: bool = False
    stopping: Callable[[], Problem | None] = field(default=lambda: None)
    is_halted: Callable[[], bool] = field(default=lambda: False)
    tallies: dict[tuple[str, int], Tally] = field(default_factory=dict)
    turns: Turns = field(default_factory=dict)
    costs: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)


async def advance(run: ClientRun) -> Done | Wait:
    """Go on until the client ends or has to wait. Raises JournalError when nothing can be written down."""
    entries = () if run.is_fresh else await run.journal.load(run.run, run.client.key)
    recorded = _by_command(entries)
    taken: set[str] = set()
    later: Later | None = None
    owner = run.client.key
    pledges: dict[str, Pledge] = {}
    sent = _sent(entries)
    flow = conduct(run.setting, run.client, lambda stamp: sent.get(stamp, ()), run.turns)
    try:
        command = next(flow)
        while True:
            known = recorded.get((command.journal_key, command.item), ())
            owner = _owner(run, command) or owner
            got = (
                _final(known, stands=not is_asked_again(command.step, run.setting.provider))
                or _interrupted(run)
                or await _perform(run, command, known, frozenset(taken), owner, _pledge(run, command, pledges))
            )
            if isinstance(got, Later):
                later = got
                got = _waiting(run, command, got)
            got = _costed(run, command, got)
            for stamp in got.files:
                _note_sent(sent, stamp, command.journal_key)
            if got.claim:
                taken.add(got.claim)
                pledges |= _pledged(run, command, got, known)
            command = flow.send(got)
    except StopIteration as stop:
        result: ClientResult = stop.value
    return Done(result) if later is None else Wait(later.until, result, later.wakes)


_ASKING, _WAITING = "\0asking", "\0waiting"


def _costed(run: ClientRun, command: Perform, got: Outcome) -> Outcome:
    """A requirement loop begins anew each time it is looked at: what its calls have cost is kept here meanwhile."""
    costs = run.costs.setdefault((command.step.id, command.item), {})
    if command.conclusion is not None:
        return replace(got, requests=sum(costs.values())) if not got.replayed else got
    if command.key:
        costs[command.key] = got.requests
    elif command.is_transient:
        # While it waits, the tally of the question goes on counting.
        waits = got.status is StepStatus.WAITING
        costs[_WAITING] = got.requests if waits else 0
        costs[_ASKING] = costs.get(_ASKING, 0) + (0 if waits or got.replayed else got.requests)
    return got


def _sent(entries: Sequence[Entry]) -> dict[str, set[str]]:
    """The names of the commands that sent each content, by its stamp: what the provider has on file; under "", all."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        for stamp in entry.body.get("files", ()) if entry.kind == "outcome" else ():
            _note_sent(found, stamp, entry.key.step)
    return found


def _note_sent(sent: dict[str, set[str]], stamp: str, name: str) -> None:
    for key in (stamp, ""):
        sent.setdefault(key, set()).add(name)


def _waiting(run: ClientRun, command: Perform, later: Later) -> Outcome:
    outcome = Outcome(StepStatus.WAITING, Ending.WAITING, problem=later.why, retry_at=later.until, fault=later.fault)
    return run.performer.timed(outcome, _tally(run, command))


def _tally(run: ClientRun, command: Perform) -> Tally:
    """What this step costs, over all the times that it is looked at."""
    return run.tallies.setdefault((command.journal_key, command.item), run.performer.tally())


def _interrupted(run: ClientRun) -> Outcome | None:
    why = run.stopping()
    return Outcome(StepStatus.WAITING, Ending.WAITING, problem=why, attempts=0) if why else None


async def _perform(
    run: ClientRun,
    command: Perform,
    known: Sequence[Entry],
    taken: frozenset[str],
    owner: str,
    pledge: Pledge | None,
) -> Outcome | Later:
    if command.conclusion is not None:
        return await _record(run, command, known, _without_person(run, command.conclusion))
    if command.step.reconcile is not None:
        outcome = await reconcile_client(
            run.run, run.setting, run.client, owner, run.journal, run.performer, run.clock, run.redactor, command
        )
        return await _record(run, command, known, outcome)
    operation = run.performer.operation(command)
    if operation.is_effect:
        effect = Effect(
            run.run,
            run.setting,
            run.client,
            command,
            operation,
            known,
            taken,
            run.journal,
            run.performer,
            run.clock,
            run.redactor,
            _tally(run, command),
            run.is_halted,
            run.stopping,
            pledge,
        )
        return _counted(run, command, await settle(effect))
    if command.step.waiting is not None:
        awaited = Awaited(
            run.run,
            run.client.key,
            command,
            command.step.waiting,
            known,
            run.journal,
            run.performer,
            run.setting.provider,
            run.clock,
            run.redactor,
            _tally(run, command),
        )
        asked = await ask(awaited)
        _counted(run, command, asked)
        return asked if isinstance(asked, Later) else await _record(run, command, known, asked)
    return await _record(run, command, known, await run.performer.perform(command, run.redactor))


def _without_person(run: ClientRun, got: Outcome) -> Outcome:
    """A requirement loop says what the provider said, which may name people."""
    problem = got.problem
    return replace(got, problem=replace(problem, message=run.redactor.text(problem.message))) if problem else got


def _counted(run: ClientRun, command: Perform, got: Outcome | Later) -> Outcome | Later:
    """What a step has cost stands in its outcome; asked again, it begins anew."""
    if isinstance(got, Outcome):
        run.tallies.pop((command.journal_key, command.item), None)
    return got


async def _record(run: ClientRun, command: Perform, known: Sequence[Entry], outcome: Outcome) -> Outcome:
    if outcome.is_final and not command.is_transient:
        key = EntryKey(command.journal_key, command.item, 1 + max((entry.key.attempt for entry in known), default=0))
        await run.journal.finish(run.run, run.client.key, key, run.clock.now(), outcome.to_json())
    return outcome


def _pledge(run: ClientRun, command: Perform, pledges: Mapping[str, Pledge]) -> Pledge | None:
    """What the money that this call moves was promised with, when an earlier step of this client did so."""
    if command.conclusion is not None or command.step.reconcile is not None:
        return None
    rule = run.performer.operation(command).money
    return pledges.get(str(command.values.get(rule.pledge))) if rule and rule.pledge else None


def _pledged(run: ClientRun, command: Perform, got: Outcome, known: Sequence[Entry]) -> dict[str, Pledge]:
    """What this call has promised, by the name that the provider gave it."""
    if command.conclusion is not None or command.step.reconcile is not None or got.status is not StepStatus.PASSED:
        return {}
    operation = run.performer.operation(command)
    moves = moved_of(operation, command.values)
    if not operation.is_promise or not isinstance(moves, Moved):
        return {}
    reference = {operation.reference.field: got.reference} if operation.reference else {}
    asked = {**command.values, **reference}
    if got.replayed and was_promised_otherwise(known, body_fingerprint(operation, command.values)):
        return {got.claim: Pledge(asked, effect_words.changed(command))}
    owes = () if got.reserved else holds_of(run.run, run.setting, run.client, command.step, moves)
    return {got.claim: Pledge(asked, moves, owes)}


def _owner(run: ClientRun, command: Perform) -> str:
    """What this call names the client at the provider, "" when it does not."""
    rule = run.setting.provider.reconcile
    return str(command.values.get(rule.owner) or "") if rule and rule.owner else ""


def _by_command(entries: Sequence[Entry]) -> Mapping[tuple[str, int], Sequence[Entry]]:
    grouped: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        grouped.setdefault((entry.key.step, entry.key.item), []).append(entry)
    return grouped


def is_asked_again(step: Step, provider: Provider) -> bool:
    """Is it a question at the end of what a client did, so that its answer is old once more was done?"""
    if step.reconcile is not None:
        return True
    effect = step.effect if step.request is not None else provider.operations[step.call].effect if step.call else ""
    return step.always and step.waiting is None and effect == "read"


def _final(known: Sequence[Entry], *, stands: bool) -> Outcome | None:
    """The outcome that stands: a passed one for ever where it `stands`, another until a person wants it tried again."""
    again = max((entry.key.attempt for entry in known if entry.kind == "retry"), default=0)
    found: Outcome | None = None
    for entry in sorted(known, key=lambda entry: entry.key.attempt):
        if entry.kind != "outcome":
            continue
        outcome = Outcome.from_json(entry.body)
        if outcome.is_final and outcome.status is StepStatus.PASSED and stands:
            return replace(outcome, replayed=True)
        if outcome.is_final and entry.key.attempt > again:
            found = replace(outcome, replayed=True)
    return found
