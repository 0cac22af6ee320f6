"""One create or money call of one client: what it asks for, by which name, how much it moves, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runner import effect_words
from runner.clock import Clock
from runner.effects import Move, Sight
from runner.journal.base import Entry, Hold, Journal
from runner.judging import collect
from runner.model.command import Perform
from runner.model.outcome import Ending, Fault, Moved, Outcome, StepStatus
from runner.model.plan import Client, Setting
from runner.model.problem import Problem
from runner.model.provider import Operation
from runner.movements import Pledge, holds_of, moved_of, step_holds_of
from runner.performer import Performer, Tally
from runner.redact import Redactor
from runner.references import body_fingerprint, numbered, operation_reference
from runner.standing import Standing, held, mark_of


@dataclass(slots=True)
class Effect:
    """One create or money call of one client, and what the journal knows of it."""

    run: int
    setting: Setting
    client: Client
    command: Perform
    operation: Operation
    entries: Sequence[Entry]
    taken: frozenset[str]
    journal: Journal
    performer: Performer
    clock: Clock
    redactor: Redactor
    tally: Tally
    is_halted: Callable[[], bool] = lambda: False
    stopping: Callable[[], Problem | None] = lambda: None
    pledge: Pledge | None = None

    @property
    def own_reference(self) -> str:
        """The reference the playbook gave itself, "" when it left that to us."""
        rule = self.operation.reference
        given = self.command.values.get(rule.field) if rule else None
        return "" if given is None else str(given)

    @property
    def mark(self) -> str:
        return mark_of(self.setting, self.client, self.command, self.operation)


def conclude(effect: Effect, state: Standing, move: Move) -> Outcome:
    """The finished outcome of a settled effect."""
    sent, seen = state.sent, state.seen
    base = replace(
        _blank(),
        attempts=state.attempt,
        reference=reference_of(effect, state) if effect.operation.reference else "",
    )
    moved = _moving(effect)
    match move:
        case Move.PASS:
            assert sent is not None
            # Another run that counted it was answered the same: this answer is a repetition of that one.
            moves = None if state.is_counted else moved
            return replace(
                sent.outcome,
                attempts=state.attempt,
                reference=base.reference,
                moved=moves,
                reserved=reserved_of(effect, state),
                adopted=sent.outcome.adopted or state.is_counted,
            )
        case Move.ADOPT:
            assert seen is not None
            outcome = collect(effect.command, effect.operation, seen.answer, effect.redactor, is_adopted=True)
            return replace(
                outcome,
                attempts=state.attempt,
                reference=base.reference,
                adopted=True,
                claim=seen.claim,
                # Found without any doubt of ours: an earlier run moved it, this one moved nothing.
                moved=moved if state.is_ours and not state.is_counted else None,
                reserved=reserved_of(effect, state),
            )
        case Move.CONFLICT:
            assert seen is not None
            return replace(base, problem=_told(seen.problem, effect))
        case Move.GIVE_UP:
            return _given_up(effect, state, base)
        case Move.UNKNOWN:
            return replace(base, status=StepStatus.UNKNOWN, ending=Ending.UNKNOWN, problem=_unknown(effect, state))
        case _:
            if seen is not None and seen.sight is Sight.DEAD:
                return replace(base, problem=_told(seen.problem, effect))
            assert sent is not None
            return replace(sent.outcome, attempts=state.attempt, reference=base.reference)


def moves_of(effect: Effect) -> Moved | None:
    """What this call moves or promises; None where nobody knows, which `immovable` refuses."""
    moved = moved_of(effect.operation, effect.command.values, effect.pledge)
    return moved if isinstance(moved, Moved) else None


def _moving(effect: Effect) -> Moved | None:
    """What moves once this call has happened; a promise moves nothing yet."""
    return None if effect.operation.is_promise else moves_of(effect)


def immovable(effect: Effect) -> Outcome | None:
    """Nobody knows how much it would move: refused before the network."""
    moved = moved_of(effect.operation, effect.command.values, effect.pledge)
    problem = moved.at(effect.command.step.location) if isinstance(moved, Problem) else None
    return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, attempts=0) if problem else None


def _blank() -> Outcome:
    return Outcome(StepStatus.FAILED, Ending.REJECTED)


def _given_up(effect: Effect, state: Standing, base: Outcome) -> Outcome:
    """Nothing happened, for certain, and we may not try any longer in this process."""
    if state.sent is not None and state.sent.outcome.fault is not None:
        return replace(state.sent.outcome, attempts=state.attempt, reference=base.reference)
    if state.seen and state.seen.problem:
        return replace(base, problem=state.seen.problem, fault=state.seen.fault)
    problem = effect_words.gave_up(effect.command, state.attempt)
    return replace(base, problem=problem, fault=Fault.UNREACHABLE)


def _unknown(effect: Effect, state: Standing) -> Problem:
    if state.seen and state.seen.sight is Sight.UNSURE and state.seen.problem:
        return state.seen.problem
    reference = reference_of(effect, state) if effect.operation.reference else ""
    return effect_words.unknown(effect.command, reference, state.seen.problem if state.seen else None)


def _told(problem: Problem | None, effect: Effect) -> Problem:
    assert problem is not None
    return problem.at(effect.command.step.location)


def held_before(effect: Effect, state: Standing, moved: Moved | None) -> Moved | None:
    """What of the caps is reserved for it already; all that `moved` asks for, once this settling has tried."""
    return moved if state.tried else held(effect.entries)


def reserved_of(effect: Effect, state: Standing) -> Moved | None:
    """What a promise keeps reserved; nothing for any other call."""
    return held_before(effect, state, moves_of(effect)) if effect.operation.is_promise else None


def holds_for(effect: Effect, moved: Moved | None) -> Sequence[Hold]:
    """The parts of caps that this movement needs."""
    if moved and effect.pledge:
        # Reserved when it was promised, for as long as the promise stands; or by nobody in this run.
        return (*effect.pledge.owes, *step_holds_of(effect.run, effect.client, effect.command.step, moved))
    return holds_of(effect.run, effect.setting, effect.client, effect.command.step, moved)


def reference_of(effect: Effect, state: Standing) -> str:
    """The reference it goes by: the playbook's own, or ours under the newest number."""
    first = operation_reference(effect.setting, effect.client, effect.command, effect.operation)
    return effect.own_reference or numbered(first, state.number)


def values_of(effect: Effect, state: Standing) -> Mapping[str, Any]:
    """What is sent, with the reference in it."""
    rule = effect.operation.reference
    if rule is None:
        return effect.command.values
    return {**effect.command.values, rule.field: reference_of(effect, state)}


def asked_of(effect: Effect) -> dict[str, Any]:
    """What the journal keeps beside an intent or an outcome, for a reconciliation: which money, and whose."""
    moved, rule = moves_of(effect), effect.setting.provider.reconcile
    owner = effect.command.values.get(rule.owner) if moved and rule and rule.owner else None
    return {"moves": moved.to_json() if moved else None} | ({} if owner is None else {"owner": str(owner)})


def fingerprint_of(effect: Effect) -> str:
    """The body without the reference, so that another body under the same reference is noticed."""
    return body_fingerprint(effect.operation, effect.command.values)
