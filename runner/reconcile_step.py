"""A `reconcile` step: one client's money so far against the provider's own list, both ways."""

from __future__ import annotations

from dataclasses import replace

from runner.checks import Answer
from runner.clock import Clock
from runner.journal.base import Journal
from runner.judging import collect
from runner.model.command import Perform
from runner.model.outcome import Ending, Fault, Outcome, StepStatus
from runner.model.plan import Client, Setting
from runner.model.problem import Problem
from runner.model.provider import RECONCILE
from runner.performer import Performer
from runner.reconcile import compare
from runner.reconciling import SLACK, ListUnreachableError, Range, our_side, their_side
from runner.redact import Redactor
from runner.times import whole_seconds


async def reconcile_client(
    run: int,
    setting: Setting,
    client: Client,
    owner: str,
    journal: Journal,
    performer: Performer,
    clock: Clock,
    redactor: Redactor,
    command: Perform,
) -> Outcome:
    """The differences are the step's answer; without checks of its own, any difference fails it.

    `owner` names the client at the provider, where its own money calls don't.
    """
    rule = setting.provider.reconcile
    assert rule is not None
    tally = performer.tally()
    side = await our_side(journal, run, setting.base_url, client.key, owner)
    began = clock.now() if side.started is None else side.started
    span = Range(
        command.values.get("from", whole_seconds(began - SLACK)),
        command.values.get("to", whole_seconds(clock.now() + SLACK)),
        clients=tuple(dict.fromkeys(entry.owner for entry in side.ours)) or (owner,),
    )
    try:
        theirs = await their_side(performer, rule, side.ours, span, command.step, tally)
    except ListUnreachableError as error:
        problem = error.problem.at(command.step.location)
        failed = Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, fault=Fault.UNREACHABLE)
        return performer.timed(failed, tally)
    found = [entry.to_json() for entry in compare(rule, side.ours, theirs, side.known)]
    answer = Answer({"ours": len(side.ours), "theirs": len(theirs), "differences": found})
    outcome = collect(command, RECONCILE, answer, redactor)
    if found and not command.expect and not command.warn:
        first = found[0]
        message = f"{len(found)} differences with the provider, the first: {first['what']} {first['reference']}"
        problem = Problem("reconcile.differences", message, command.step.location, 'see "onboard reconcile"')
        outcome = replace(outcome, status=StepStatus.FAILED, ending=Ending.REJECTED, problem=problem)
    return performer.timed(outcome, tally)
