"""A `reconcile` step: one client's money so far against the provider's own list, both ways."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from runner.checks import Answer
from runner.clock import Clock
from runner.judging import collect
from runner.model.command import Perform
from runner.model.outcome import Ending, Fault, Outcome, StepStatus
from runner.model.plan import Client, Setting
from runner.model.problem import Problem
from runner.model.provider import RECONCILE
from runner.performer import Performer
from runner.reconcile import Ours, compare
from runner.reconciling import ListUnreachableError, Range, their_side
from runner.redact import Redactor
from runner.times import whole_seconds

# Clocks differ: an order may be booked a little later than we think it is now.
SLACK = 300.0
# A client's own list is short: without a range of its own, the step looks at all of it.
BEGINNING = "2000-01-01T00:00:00Z"


async def reconcile_client(
    setting: Setting,
    client: Client,
    performer: Performer,
    clock: Clock,
    redactor: Redactor,
    command: Perform,
    ours: Sequence[Ours],
    known: Collection[str],
) -> Outcome:
    """The differences are the step's answer; without checks of its own, any difference fails it.

    `known` are references of this client from other runs: theirs, and no strangers.
    """
    rule = setting.provider.reconcile
    assert rule is not None
    tally = performer.tally()
    end = whole_seconds(clock.now() + SLACK)
    span = Range(command.values.get("from", BEGINNING), command.values.get("to", end), client=client.key)
    try:
        theirs = await their_side(performer, rule, ours, span, command.step, tally)
    except ListUnreachableError as error:
        problem = error.problem.at(command.step.location)
        failed = Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, fault=Fault.UNREACHABLE)
        return performer.timed(failed, tally)
    found = [entry.to_json() for entry in compare(rule, ours, theirs, known)]
    answer = Answer({"ours": len(ours), "theirs": len(theirs), "differences": found})
    outcome = collect(command, RECONCILE, answer, redactor)
    if found and not command.expect and not command.warn:
        first = found[0]
        message = f"{len(found)} differences with the provider, the first: {first['what']} {first['reference']}"
        problem = Problem("reconcile.differences", message, command.step.location, 'see "onboard reconcile"')
        outcome = replace(outcome, status=StepStatus.FAILED, ending=Ending.REJECTED, problem=problem)
    return performer.timed(outcome, tally)
