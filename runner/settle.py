"""Carry one create or money call to a known end, whatever happens in between: intent, send, look up, adopt, wait.

The decisions are `effects.decide`; this file asks it, does what it says, and writes down each step before the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from runner import effect_words
from runner.clock import Clock, age, at_most, moment
from runner.effects import Known, Move, Reply, Sight, decide
from runner.journal.base import CapExceeded, Entry, EntryKey, Hold, Journal
from runner.judging import collect
from runner.model.command import Perform
from runner.model.http import NoAnswer, Trouble
from runner.model.outcome import Ending, Fault, Later, Moved, Outcome, StepStatus
from runner.model.plan import Client, Setting
from runner.model.problem import Problem
from runner.model.provider import Operation
from runner.movements import Pledge, holds_of, moved_of, step_holds_of, still_missing
from runner.performer import Performer, Tally
from runner.redact import Redactor
from runner.references import body_fingerprint, numbered, operation_reference
from runner.standing import Standing, held, mark_of, moved_before, passed_elsewhere, standing, was_asked_otherwise
from runner.times import whole_seconds

Elsewhere = Mapping[int, Sequence[Entry]]

# How far the provider's clock may be behind ours where a look-up goes by time.
_APART = 60.0
# Between two tries of something that provably did not happen (no connection, throttled).
_PAUSES = (0.5, 2.0, 5.0)


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


async def settle(effect: Effect) -> Outcome | Later:
    """The effect's outcome, recorded; or Later when the horizon has not passed yet."""
    elsewhere = await effect.journal.elsewhere(effect.run, effect.mark)
    state = standing(effect.entries, elsewhere)
    tally = effect.tally
    if refused := _changed(effect, elsewhere) or (None if state.doubts else _immovable(effect)):
        return effect.performer.timed(refused, tally)
    if effect.operation.look_up is None and (passed := passed_elsewhere(elsewhere)):
        # Nobody but the journal can tell that it has happened.
        known_outcome = replace(passed, adopted=True, moved=None, attempts=0, requests=0)
        await _record(effect, state, known_outcome)
        return effect.performer.timed(known_outcome, tally)
    while True:
        known = _known(effect, state)
        move = decide(known)
        match move:
            case Move.RENEW:
                # Looked up like the first one where used references are not refused: a lost journal may have used it.
                state.renew(state.number + 1)
            case Move.SEND:
                refusal = await _send(effect, state, tally)
                if refusal is not None:
                    return effect.performer.timed(refusal, tally) if isinstance(refusal, Outcome) else refusal
            case Move.LOOK:
                values = _values(effect, state)
                state.looked_past = _left(effect, state) <= 0
                scope = {"with": values, "reference": _reference(effect, state), **_known_beside(effect, state)}
                state.seen = await effect.performer.look_up(
                    effect.command, scope, effect.taken, effect.redactor, tally, "" if state.firsts else effect.mark
                )
            case Move.WAIT:
                await _remember(effect, state)
                return _later(effect, state)
            case _:
                outcome = effect.performer.timed(_conclude(effect, state, move), tally)
                if outcome.is_final:
                    await _record(effect, state, outcome)
                elif move is Move.UNKNOWN:
                    await _remember(effect, state)
                return outcome


def _known(effect: Effect, state: Standing) -> Known:
    return Known(
        effect.operation.repeat,
        in_doubt=bool(state.doubts),
        reply=state.sent.reply if state.sent else None,
        sight=state.seen.sight if state.seen else None,
        past_horizon=state.looked_past,
        may_send=state.tried < effect.operation.attempts,
        may_renew=effect.operation.reference is not None and not effect.own_reference,
        is_own=state.sent.is_own if state.sent else True,
        may_replay=_may_replay(effect, state),
        can_look=effect.operation.look_up is not None,
    )


def _may_replay(effect: Effect, state: Standing) -> bool:
    """Does the provider still know the first request under this reference? Both clocks must say that it is young."""
    if effect.operation.repeat != "replayed" or not state.firsts:
        return False
    clock, provider = effect.clock, effect.setting.provider
    if state.is_first_here:
        # Begun here and now, so by this very clock.
        old = clock.elapsed() - state.firsts[0].elapsed
    else:
        old = max(at_most(clock, first) for first in state.firsts)
    return old + provider.send_window + provider.timeout + effect.operation.settle < effect.operation.replays


def _left(effect: Effect, state: Standing) -> float:
    """Seconds until "not there" means that it did not happen and can't any more."""
    provider = effect.setting.provider
    since = state.doubts or (state.begun or moment(effect.clock),)
    youngest = min(age(effect.clock, one) for one in since)
    return provider.send_window + provider.timeout + effect.operation.settle - youngest


def _later(effect: Effect, state: Standing) -> Later:
    return Later(effect.clock.now() + max(0.0, _left(effect, state)), effect_words.in_flight(effect.command))


async def _send(effect: Effect, state: Standing, tally: Tally) -> Outcome | Later | None:
    """Write the intent, then send. Returns what ends the settling early, None to go on deciding."""
    await _pause(effect, state)
    if refused := _immovable(effect):
        return refused
    moved = _asked(effect)
    if moved and effect.is_halted():
        return _guarded(effect_words.halted(effect.command), 0)
    await effect.performer.slot()
    holds = still_missing(_held(effect, state, moved), moved, partial(_holds, effect))
    state.attempt += 1
    state.tried += 1
    begun = moment(effect.clock)
    intent = {
        "reference": _reference(effect, state),
        "number": state.number,
        "operation": effect.operation.name,
        "fingerprint": _fingerprint(effect),
        "moment": begun.to_json(),
        "moves": moved.to_json() if moved else None,
    }
    try:
        is_ours = await effect.journal.begin(
            effect.run, effect.client.key, _key(effect, state), begun.at, intent, holds, effect.mark
        )
    except CapExceeded as refusal:
        return _guarded(effect_words.over_cap(effect.command, refusal), 1)
    if not is_ours:
        # Somebody else began this very attempt: only look from here on.
        state.doubts += (begun,)
        return _later(effect, state)
    window = effect.setting.provider.send_window

    def leave() -> NoAnswer | None:
        # A machine that was suspended, or a clock that was set back, must not send an old intent: both ages count.
        old = max(effect.clock.now() - begun.at, effect.clock.elapsed() - begun.elapsed)
        if old > window:
            return NoAnswer(
                Trouble.EXPIRED, f"the intent is {old:.0f} s old, more than the send window of {window:g} s"
            )
        return None

    if _was_absent(effect, state):
        state.doubts = ()
    state.begun = begun
    state.is_first_here = state.is_first_here or not state.firsts
    state.firsts = state.firsts or (begun,)
    state.seen = None
    effect.performer.remember(effect.operation, effect.mark)
    state.sent = await effect.performer.send(effect.command, _values(effect, state), effect.redactor, tally, leave)
    if state.sent.reply is Reply.LOST:
        state.doubts, state.is_ours = (begun,), True
    if state.sent.reply in (Reply.NOT_SENT, Reply.THROTTLED, Reply.DENIED):
        # Provably nothing was applied: close the attempt, so that a resume may simply send again.
        await _record(effect, state, state.sent.outcome)
    return None


def _was_absent(effect: Effect, state: Standing) -> bool:
    """Was the doubt laid to rest: looked up after the horizon and not there?"""
    return state.seen is not None and state.seen.sight is Sight.ABSENT and state.looked_past


async def _pause(effect: Effect, state: Standing) -> None:
    if state.sent is None or state.sent.reply in (Reply.DUPLICATE, Reply.DEAD):
        return
    told = state.sent.retry_after
    await effect.clock.sleep(min(told if told is not None else _PAUSES[min(state.attempt, len(_PAUSES)) - 1], 60.0))


def _conclude(effect: Effect, state: Standing, move: Move) -> Outcome:
    """The finished outcome of a settled effect."""
    sent, seen = state.sent, state.seen
    base = replace(
        _blank(),
        attempts=state.attempt,
        reference=_reference(effect, state) if effect.operation.reference else "",
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
                reserved=_reserved(effect, state),
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
                reserved=_reserved(effect, state),
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


def _asked(effect: Effect) -> Moved | None:
    """What this call moves or promises; None where nobody knows, which `_immovable` refuses."""
    moved = moved_of(effect.operation, effect.command.values, effect.pledge)
    return moved if isinstance(moved, Moved) else None


def _moving(effect: Effect) -> Moved | None:
    """What moves once this call has happened; a promise moves nothing yet."""
    return None if effect.operation.is_promise else _asked(effect)


def _immovable(effect: Effect) -> Outcome | None:
    """Nobody knows how much it would move: refused before the network."""
    moved = moved_of(effect.operation, effect.command.values, effect.pledge)
    problem = moved.at(effect.command.step.location) if isinstance(moved, Problem) else None
    return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, attempts=0) if problem else None


def _known_beside(effect: Effect, state: Standing) -> dict[str, Any]:
    """What a look-up may use besides what was asked for: what was promised, since when we doubt, what we were told."""
    since = min((one.at for one in state.doubts), default=None)
    return {
        "pledge": effect.pledge.values if effect.pledge else {},
        "since": "" if since is None else whole_seconds(since - _APART),
        "told": state.sent.told if state.sent else None,
    }


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
    reference = _reference(effect, state) if effect.operation.reference else ""
    return effect_words.unknown(effect.command, reference, state.seen.problem if state.seen else None)


def _told(problem: Problem | None, effect: Effect) -> Problem:
    assert problem is not None
    return problem.at(effect.command.step.location)


def _changed(effect: Effect, elsewhere: Elsewhere) -> Outcome | None:
    """Same reference, other body: refused before the network."""
    ours = _fingerprint(effect)
    if was_asked_otherwise(effect.entries, ours):
        problem = effect_words.changed(effect.command)
        moved = moved_before(effect.entries)
        return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, attempts=0, moved=moved)
    for run, entries in elsewhere.items():
        # What another run moved for certain is for the look-up to compare.
        # A replayed answer would be about the old body, and say so nowhere.
        operation = effect.operation
        can_look = operation.look_up is not None and operation.repeat != "replayed"
        is_comparable = moved_before(entries) is not None and can_look
        if not is_comparable and was_asked_otherwise(entries, ours):
            problem = effect_words.changed_since(effect.command, run)
            return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, attempts=0)
    return None


def _held(effect: Effect, state: Standing, moved: Moved | None) -> Moved | None:
    return moved if state.tried else held(effect.entries)


def _reserved(effect: Effect, state: Standing) -> Moved | None:
    return _held(effect, state, _asked(effect)) if effect.operation.is_promise else None


def _holds(effect: Effect, moved: Moved | None) -> Sequence[Hold]:
    if moved and effect.pledge:
        # Reserved when it was promised, for as long as the promise stands; or by nobody in this run.
        return (*effect.pledge.owes, *step_holds_of(effect.run, effect.client, effect.command.step, moved))
    return holds_of(effect.run, effect.setting, effect.client, effect.command.step, moved)


async def _record(effect: Effect, state: Standing, outcome: Outcome, more: Mapping[str, Any] | None = None) -> None:
    release: Sequence[Hold] = ()
    keeps = outcome.moved is not None or (outcome.status is StepStatus.PASSED and effect.operation.is_promise)
    if outcome.is_final and not keeps:
        release = _holds(effect, _held(effect, state, _asked(effect)))
    # An outcome that needed no attempt (adopted at first sight) takes the next free number.
    attempt = state.attempt if state.attempt and state.attempt not in state.closed else state.attempt + 1
    state.closed.add(attempt)
    key = EntryKey(effect.command.journal_key, effect.command.item, attempt)
    body = outcome.to_json() | {"fingerprint": _fingerprint(effect)} | dict(more or {})
    await effect.journal.finish(effect.run, effect.client.key, key, effect.clock.now(), body, release)


async def _remember(effect: Effect, state: Standing) -> None:
    """This attempt is over, the effect is not: who looks again later must know what the provider said."""
    if state.sent is None or state.attempt in state.closed or state.sent.reply is Reply.LOST:
        return
    more = {"reply": state.sent.reply.value, "is_own": state.sent.is_own, "told": state.sent.told}
    await _record(effect, state, replace(state.sent.outcome, fault=Fault.UNREACHABLE), more)


def _key(effect: Effect, state: Standing) -> EntryKey:
    return EntryKey(effect.command.journal_key, effect.command.item, state.attempt)


def _reference(effect: Effect, state: Standing) -> str:
    first = operation_reference(effect.setting, effect.client, effect.command, effect.operation)
    return effect.own_reference or numbered(first, state.number)


def _values(effect: Effect, state: Standing) -> Mapping[str, Any]:
    rule = effect.operation.reference
    if rule is None:
        return effect.command.values
    return {**effect.command.values, rule.field: _reference(effect, state)}


def _fingerprint(effect: Effect) -> str:
    return body_fingerprint(effect.operation, effect.command.values)


def _guarded(problem: Problem, attempts: int) -> Outcome:
    return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, attempts=attempts, fault=Fault.GUARD)
