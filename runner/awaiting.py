"""Ask until it settles: a read whose answer is a verdict that somebody else has to give, in minutes or in weeks.

Nothing is held while waiting: each ask is one `advance`, and the journal knows only when the waiting began. Pauses grow
with the time that has passed, so no count of asks has to be kept either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner.answers import Reading, fields_of, is_absent
from runner.checks import Answer, lookup, path_text
from runner.clock import Clock, Moment, moment, passed
from runner.effects import Reply
from runner.journal.base import Entry, EntryKey, Journal
from runner.judging import check_bound, collect, entry_schema, picked, placed, quoted
from runner.model.check import CheckResult
from runner.model.command import Bound, Perform
from runner.model.http import wire_text
from runner.model.outcome import Ending, Fault, Later, Outcome, StepStatus
from runner.model.playbook import Waiting
from runner.model.problem import Problem
from runner.model.provider import Operation, Provider
from runner.performer import Performer, Tally
from runner.redact import Redactor

# Each pause is this share of the time waited so far, between `every` and `at_most`.
_GROWTH = 0.5
# Nothing was learned from these, and the next ask may tell: the client goes on waiting.
_NO_NEWS = (Reply.LOST, Reply.NOT_SENT, Reply.THROTTLED)
_FIRST = 1
# What was made a moment ago may not show everywhere yet; what is not there after so many seconds is not there.
_SHOWN = 30.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """One waiting step of one client, and what the journal knows of it."""

    run: int
    client: str
    command: Perform
    rule: Waiting
    entries: Sequence[Entry]
    journal: Journal
    performer: Performer
    provider: Provider
    clock: Clock
    redactor: Redactor
    tally: Tally


async def ask(awaited: Awaited) -> Outcome | Later:
    """Ask once. The outcome when it settled, Later when it has not."""
    began = await _began(awaited)
    reading = await awaited.performer.ask_step(awaited.command, awaited.tally)
    judged = _judged(awaited, reading, passed(awaited.clock, began))
    got = _later(awaited, began, reading, judged) if isinstance(judged, Problem) else judged
    return got if isinstance(got, Later) else awaited.performer.timed(got, awaited.tally)


async def _began(awaited: Awaited) -> Moment:
    """When this step was first asked, in whatever process that was."""
    for entry in awaited.entries:
        if entry.kind == "wait":
            return Moment.from_json(entry.body["moment"])
    now = moment(awaited.clock)
    key = EntryKey(awaited.command.journal_key, awaited.command.item, _FIRST)
    await awaited.journal.wait(awaited.run, awaited.client, key, now.at, {"moment": now.to_json()})
    return now


def _judged(awaited: Awaited, reading: Reading, waited: float) -> Outcome | Problem:
    """The outcome, or why there is none yet."""
    command, redactor = awaited.command, awaited.redactor
    if reading.reply in _NO_NEWS:
        problem = placed(reading.problem, command, redactor)
        assert problem is not None
        return problem
    judges_status = any(bound.check.path == ("http",) for bound in (*command.until, *command.stop))
    if reading.reply not in (Reply.ACCEPTED, Reply.DEAD) and not (judges_status and reading.answer.http is not None):
        if is_absent(reading) and waited < _SHOWN:
            told = placed(reading.problem, command, redactor)
            assert told is not None
            return told
        return awaited.performer.failed(command, reading, redactor)
    operation = awaited.performer.operation(command)
    one, answer = operation, reading.answer
    if command.pick:
        one = replace(operation, response=entry_schema(operation.response, command.pick.items))
        entry = picked(command.pick, answer, one.response)
        if isinstance(entry, Problem):
            problem = placed(entry, command, redactor)
            assert problem is not None
            # Who waits for something to happen to an entry may be there before it.
            is_early = command.until or waited < _SHOWN
            return problem if is_early else Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem)
        answer = entry
    for bound in command.stop:
        result = check_bound(bound, answer, one, redactor)
        if result.passed:
            return _stopped(awaited, answer, operation, bound, result)
    # What is new is looked at in whatever state it comes.
    is_new = command.is_old is not None and not command.is_old(fields_of(answer, command.outputs)[0])
    if command.pending is not None and not is_new:
        path, states = command.pending
        state = lookup(path, answer.body)[1]
        if state in states:
            return _waits(command, f": {path_text(path)} is {quoted(state)}")
    if command.is_old is not None and not is_new:
        return _waits(command, " until the provider has looked at what was handed in")
    if reading.reply is Reply.DEAD and not command.is_transient:
        problem = placed(reading.problem, command, redactor)
        return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem)
    settled = tuple(check_bound(bound, answer, one, redactor) for bound in command.until)
    open_checks = [result for result in settled if not result.passed]
    if open_checks:
        return _waits(command, f' for "{open_checks[0].check}": found {quoted(open_checks[0].actual)}')
    outcome = collect(command, operation, reading.answer, redactor)
    return replace(outcome, checks=settled + outcome.checks)


def _waits(command: Perform, why: str) -> Problem:
    message = f'"{command.name}" waits{why}'
    return Problem("await.pending", message, command.step.location, 'run "onboard resume" later')


def _stopped(awaited: Awaited, answer: Answer, operation: Operation, bound: Bound, result: CheckResult) -> Outcome:
    """The verdict is no. The provider's reason stands beside the field that says so."""
    command = awaited.command
    reason = ""
    lifecycle = awaited.provider.lifecycles.get(operation.lifecycle)
    if lifecycle and lifecycle.reason:
        beside = lookup(bound.check.path[:-1], answer.body)[1] if bound.check.path[:-1] else answer.body
        told = lookup(lifecycle.reason, beside)[1]
        reason = f"; provider said: {quoted(told)}" if told else ""
    message = f'"{command.name}" ended: "{result.check}" holds{reason}'
    hint = "the provider's verdict is final for this attempt; find out why before you try again"
    problem = placed(Problem("await.stopped", message, command.step.location, hint), command, awaited.redactor)
    return Outcome(StepStatus.FAILED, Ending.REJECTED, checks=(result,), problem=problem)


def _later(awaited: Awaited, began: Moment, reading: Reading, why: Problem) -> Outcome | Later:
    rule, now = awaited.rule, awaited.clock.now()
    waited = max(0.0, passed(awaited.clock, began))
    left = rule.deadline - waited
    if left <= 0 and reading.reply not in _NO_NEWS:
        return _too_late(awaited, why)
    pause = min(max(rule.every, waited * _GROWTH), rule.at_most)
    pause = min(awaited.performer.spread(pause), max(rule.at_most, rule.every))
    pause = max(pause, awaited.performer.pause_told(reading))
    # Past its deadline it is asked once more, as soon as somebody answers.
    until = now + (min(pause, left) if left > 0 else pause)
    is_away = reading.reply is Reply.NOT_SENT
    return Later(until, why, _wakes(awaited.command), Fault.UNREACHABLE if is_away else None)


def _too_late(awaited: Awaited, why: Problem) -> Outcome:
    command = awaited.command
    message = f'"{command.name}" did not settle within its deadline: {why.message}'
    hint = 'ask the provider what is missing; "onboard resume" looks again'
    problem = Problem("await.deadline", message, command.step.location, hint)
    return Outcome(StepStatus.FAILED, Ending.BLOCKED, problem=problem)


def _wakes(command: Perform) -> frozenset[str]:
    """The ids that the step asks with: a webhook about one of them is about this client."""
    return frozenset(wire_text(value) for value in command.values.values() if isinstance(value, str | int) and value)
