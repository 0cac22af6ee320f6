"""Carry one create or money call to a known end, whatever happens in between: intent, send, look up, adopt, wait.

The decisions are `effects.decide`; this file asks it, does what it says, and writes down each step before the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from runner import effect_words
from runner.clock import age, at_most, moment
from runner.effect import (
    Effect,
    asked_of,
    conclude,
    fingerprint_of,
    held_before,
    holds_for,
    immovable,
    moves_of,
    reference_of,
    values_of,
)
from runner.effects import Known, Move, Reply, Sight, decide
from runner.journal.base import CapExceeded, Entry, EntryKey, Hold
from runner.looking import Seen
from runner.model.http import NoAnswer, Trouble
from runner.model.outcome import Ending, Fault, Later, Moved, Outcome, StepStatus
from runner.model.problem import Problem
from runner.movements import still_missing
from runner.performer import LONGEST_PAUSE, Tally
from runner.standing import Standing, moved_before, passed_elsewhere, standing, was_asked_otherwise
from runner.times import whole_seconds

Elsewhere = Mapping[int, Sequence[Entry]]

# How far the provider's clock may be behind ours where a look-up goes by time.
_APART = 60.0
# Between two tries of something that provably did not happen (no connection, throttled).
_PAUSES = (0.5, 2.0, 5.0)


async def settle(effect: Effect) -> Outcome | Later:
    """The effect's outcome, recorded; or Later when the horizon has not passed yet."""
    elsewhere = await effect.journal.elsewhere(effect.run, effect.mark)
    state = standing(effect.entries, elsewhere)
    tally = effect.tally
    if refused := _changed(effect, elsewhere) or (None if state.doubts else immovable(effect)):
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
                state.looked_past = _left(effect, state) <= 0
                state.seen = await _look(effect, state, tally)
            case Move.WAIT:
                await _remember(effect, state)
                return _later(effect, state)
            case _:
                outcome = effect.performer.timed(conclude(effect, state, move), tally)
                if outcome.is_final:
                    await _record(effect, state, outcome)
                elif move is Move.UNKNOWN:
                    await _remember(effect, state)
                return outcome


async def _look(effect: Effect, state: Standing, tally: Tally) -> Seen:
    """What the provider shows. What goes by amount and time alone must not be what another effect has made."""
    scope = {
        "with": values_of(effect, state),
        "reference": reference_of(effect, state),
        **_known_beside(effect, state),
    }
    performer, operation, mark = effect.performer, effect.operation, effect.mark
    # What was promised is the very thing that this call carries out.
    promised = str(effect.command.values.get(operation.money.pledge)) if operation.money else ""
    held = effect.taken - {promised}
    asked = "" if state.firsts else mark
    seen = await performer.look_up(effect.command, scope, held, effect.redactor, tally, asked)
    if seen.is_guess:
        held |= await effect.journal.claims(operation.name, mark)
    # Between the last question and what is noted down nobody else gets a turn: two can't take the same.
    while seen.is_guess and seen.claim in (held := held | performer.guessed_by_others(operation, mark)):
        seen = await performer.look_up(effect.command, scope, held, effect.redactor, tally, asked)
    if seen.is_guess and seen.sight is Sight.EQUAL:
        performer.guess(operation, mark, seen.claim)
    return seen


def _known(effect: Effect, state: Standing) -> Known:
    return Known(
        effect.operation.repeat,
        in_doubt=bool(state.doubts),
        reply=state.sent.reply if state.sent else None,
        sight=state.seen.sight if state.seen else None,
        past_horizon=state.looked_past,
        may_send=state.tried < effect.operation.attempts and not _is_put_off(state),
        may_renew=effect.operation.reference is not None and not effect.own_reference,
        is_own=state.sent.is_own if state.sent else True,
        may_replay=_may_replay(effect, state),
        can_look=effect.operation.look_up is not None,
        was_lost=state.was_lost and effect.operation.effect == "money",
        is_sure=state.seen is not None and state.seen.is_sure,
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
    if refused := immovable(effect):
        return refused
    moved = moves_of(effect)
    if stopped := _stopped(effect, moved):
        return stopped
    await effect.performer.slot(lambda: _stopped(effect, moved) is not None)
    # The turn may have been long in coming.
    if stopped := _stopped(effect, moved):
        return stopped
    holds = still_missing(held_before(effect, state, moved), moved, partial(holds_for, effect))
    state.attempt += 1
    state.tried += 1
    begun = moment(effect.clock)
    intent = {
        "reference": reference_of(effect, state),
        "number": state.number,
        "operation": effect.operation.name,
        "fingerprint": fingerprint_of(effect),
        "moment": begun.to_json(),
        **asked_of(effect),
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
        if moved and effect.is_halted():
            return NoAnswer(Trouble.EXPIRED, "money is halted")
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
    state.sent = await effect.performer.send(effect.command, values_of(effect, state), effect.redactor, tally, leave)
    if state.sent.reply is Reply.LOST:
        state.doubts, state.is_ours, state.was_lost = (begun,), True, True
    if state.sent.reply in (Reply.NOT_SENT, Reply.THROTTLED, Reply.DENIED):
        # Provably nothing was applied: close the attempt, so that a resume may simply send again.
        await _record(effect, state, state.sent.outcome)
    return None


def _stopped(effect: Effect, moved: Moved | None) -> Outcome | None:
    """Somebody wants nothing more to begin: no money at all, or nothing whatever."""
    if moved and effect.is_halted():
        return _guarded(effect_words.halted(effect.command), 0)
    why = effect.stopping()
    return Outcome(StepStatus.WAITING, Ending.WAITING, problem=why, attempts=0) if why else None


def _was_absent(effect: Effect, state: Standing) -> bool:
    """Was the doubt laid to rest: looked up after the horizon and not there?"""
    return state.seen is not None and state.seen.sight is Sight.ABSENT and state.looked_past


async def _pause(effect: Effect, state: Standing) -> None:
    if state.sent is None or state.sent.reply in (Reply.DUPLICATE, Reply.DEAD):
        return
    told = state.sent.retry_after
    await effect.clock.sleep(told if told is not None else _PAUSES[min(state.attempt, len(_PAUSES)) - 1])


def _is_put_off(state: Standing) -> bool:
    """Does the provider want to be left alone for longer than a process should hold a client?"""
    told = state.sent.retry_after if state.sent else None
    return told is not None and told > LONGEST_PAUSE


def _known_beside(effect: Effect, state: Standing) -> dict[str, Any]:
    """What a look-up may use besides what was asked for: what was promised, since when we doubt, what we were told."""
    doubts = state.doubts
    if state.sent and state.begun and state.sent.reply is Reply.DUPLICATE:
        # Something of ours stands in the way, and that is no older than this.
        doubts += (state.begun,)
    since = min((one.at for one in doubts), default=None)
    rule = effect.operation.look_up
    return {
        "pledge": effect.pledge.values if effect.pledge else {},
        "since": "" if since is None else whole_seconds(since - _APART - (rule.earlier if rule else 0.0)),
        "told": state.sent.told if state.sent else None,
    }


def _changed(effect: Effect, elsewhere: Elsewhere) -> Outcome | None:
    """Same reference, other body: refused before the network."""
    ours = fingerprint_of(effect)
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


async def _record(effect: Effect, state: Standing, outcome: Outcome, more: Mapping[str, Any] | None = None) -> None:
    release: Sequence[Hold] = ()
    keeps = outcome.moved is not None or (outcome.status is StepStatus.PASSED and effect.operation.is_promise)
    if outcome.is_final and not keeps:
        release = holds_for(effect, held_before(effect, state, moves_of(effect)))
    # An outcome that needed no attempt (adopted at first sight) takes the next free number.
    attempt = state.attempt if state.attempt and state.attempt not in state.closed else state.attempt + 1
    state.closed.add(attempt)
    key = EntryKey(effect.command.journal_key, effect.command.item, attempt)
    body = outcome.to_json() | {"fingerprint": fingerprint_of(effect), **asked_of(effect)} | dict(more or {})
    await effect.journal.finish(effect.run, effect.client.key, key, effect.clock.now(), body, release)


async def _remember(effect: Effect, state: Standing) -> None:
    """This attempt is over, the effect is not: who looks again later must know what the provider said."""
    if state.sent is None or state.attempt in state.closed or state.sent.reply is Reply.LOST:
        return
    more = {"reply": state.sent.reply.value, "is_own": state.sent.is_own, "told": state.sent.told}
    await _record(effect, state, replace(state.sent.outcome, fault=Fault.UNREACHABLE), more)


def _key(effect: Effect, state: Standing) -> EntryKey:
    return EntryKey(effect.command.journal_key, effect.command.item, state.attempt)


def _guarded(problem: Problem, attempts: int) -> Outcome:
    return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, attempts=attempts, fault=Fault.GUARD)
