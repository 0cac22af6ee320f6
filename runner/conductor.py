"""Decide what happens next for one client. No clock, no network: only commands and outcomes.

`conduct` is a generator: it yields a Perform, is handed the Outcome, and returns the ClientResult. Feeding it recorded
outcomes brings it to where the run stopped; resume is nothing else. A plan is made by answering with outputs that are
`Unknown`, so what a plan shows is what a run does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runner.answering import Sent
from runner.checks import Answer, CheckError, evaluate, lookup, resolve
from runner.model.check import Check
from runner.model.command import NO_ITEM, Bound, Perform, Pick
from runner.model.outcome import ClientResult, Ending, Outcome, StepResult, StepStatus, merged, skipped
from runner.model.plan import Client, Setting
from runner.model.playbook import Goal, Step
from runner.model.problem import Location, Problem
from runner.model.requirements import Requirements
from runner.satisfying import satisfy
from runner.templates import TemplateError, Unknown, compile_expression, compile_text, has_template, render

Conducting = Generator[Perform, Outcome, ClientResult]
Turns = dict[str, Counter[str]]


def conduct(setting: Setting, client: Client, sent: Sent = lambda stamp: (), turns: Turns | None = None) -> Conducting:
    """One client's steps in order, until one does not pass; `always` steps still run after a known failure.

    `sent` tells under which names a file with this stamp was sent before, `turns` is what requirement loops have
    counted, by step, before they had to wait.
    """
    turns = {} if turns is None else turns
    scope = scope_of(setting, client)
    results: list[StepResult] = []
    has_begun = False
    stop: Outcome | None = None
    pending: Outcome | None = None
    for step in setting.playbook.steps:
        if stop and not (step.always and _is_known(stop)):
            results.append(skipped(step.id))
            continue
        outcomes = yield from _conduct_step(setting, client, step, scope, sent, turns)
        if outcomes is None:
            results.append(skipped(step.id))
            continue
        result = merged(step.id, outcomes, bool(step.for_each))
        results.append(result)
        scope["steps"][step.id] = result.outputs
        has_begun = has_begun or any(outcome.status is StepStatus.PASSED for outcome in outcomes)
        if outcomes and outcomes[-1].status is not StepStatus.PASSED:
            stop = stop or outcomes[-1]
        if outcomes and outcomes[-1].status is StepStatus.WAITING:
            # A clean-up that has to wait: whatever went before, this client is not at its end yet.
            pending = outcomes[-1]
    return _client_result(client, results, pending or stop, has_begun)


def scope_of(setting: Setting, client: Client) -> dict[str, Any]:
    """The names that templates and `when` may use for this client, before any step ran."""
    return {
        "batch": setting.batch,
        "client": client.values,
        "documents": client.documents,
        "funding": client.funding,
        "inputs": setting.inputs,
        "steps": {},
    }


def _conduct_step(
    setting: Setting, client: Client, step: Step, scope: Mapping[str, Any], sent: Sent, turns: Turns
) -> Generator[Perform, Outcome, list[Outcome] | None]:
    """The outcomes of the step's items up to the first that did not pass; None when `when` says to skip it."""
    outcomes: list[Outcome] = []
    try:
        decision = _decide(step.when, scope)
        if not decision.holds:
            return None
        for turn in _turns(step, scope):
            command = bind(step, turn.index, turn.scope, decision.after or turn.after)
            if step.rounds and setting.provider.requirements is not None:
                outcomes.append((yield from _satisfied(setting, client, command, sent, turns)))
            else:
                outcomes.append((yield command))
            if outcomes[-1].status is not StepStatus.PASSED:
                break
    except (TemplateError, CheckError) as error:
        outcomes.append(failed_template(error, step.location))
    return outcomes


def _satisfied(
    setting: Setting, client: Client, command: Perform, sent: Sent, turns: Turns
) -> Generator[Perform, Outcome, Outcome]:
    """The requirement loop as one outcome, written down as such, so that a replay need not ask again."""
    rule = setting.provider.requirements
    assert rule is not None
    rule = _as_far_as(rule, command.step.goal) if command.step.goal else rule
    data = setting.provider.operations[rule.data.call].request if rule.data else {}
    fields = frozenset(data.get("properties", {}))
    counted = turns.setdefault(command.step.id, Counter())
    outcome = yield from satisfy(command, rule, client.documents, fields, setting.stamp, sent, counted)
    return outcome if outcome.replayed else (yield replace(command, conclusion=outcome))


def _as_far_as(rule: Requirements, goal: Goal) -> Requirements:
    """The pack's recipe with a playbook's own end: what the pack calls done before that is something to wait in."""
    first = rule.done.index(goal.state)
    every = rule.pending_every if goal.every is None else goal.every
    at_most = max(every, rule.pending_at_most) if goal.at_most is None else goal.at_most
    return replace(
        rule,
        done=rule.done[first:],
        pending=(*rule.pending, *rule.done[:first]),
        pending_every=every,
        pending_at_most=at_most,
        pending_deadline=rule.pending_deadline if goal.deadline is None else goal.deadline,
    )


@dataclass(frozen=True, slots=True)
class _Decision:
    holds: bool
    after: str = ""


@dataclass(frozen=True, slots=True)
class _Turn:
    index: int
    scope: Mapping[str, Any]
    after: str = ""


def _decide(checks: Sequence[Check], scope: Mapping[str, Any]) -> _Decision:
    """Do all `when` checks hold? `after` names the first step that a plan would have to wait for to know.

    One check that is known to fail settles it, whatever the others will say.
    """
    after = ""
    for check in checks:
        try:
            bound = bind_check(check, scope)
            if later := bound.operand if isinstance(bound.operand, Unknown) else _later_on(check, scope):
                after = after or later.after
            elif not evaluate(check, Answer(scope), bound.operand).passed:
                return _Decision(False)
        except (TemplateError, CheckError):
            # A run asks in this order too, so behind one that is not known yet it may never get here.
            if not after:
                raise
    return _Decision(True, after)


def _later_on(check: Check, scope: Mapping[str, Any]) -> Unknown | None:
    """What is known only later on the way to what the check looks at."""
    for length in range(1, len(check.path) + 1):
        _, value = lookup(check.path[:length], scope)
        if isinstance(value, Unknown):
            return value
    return None


def _turns(step: Step, scope: Mapping[str, Any]) -> Iterator[_Turn]:
    if not step.for_each:
        yield _Turn(NO_ITEM, scope)
        return
    items = loop_template(step.for_each).render(scope)
    if isinstance(items, Unknown):
        yield _Turn(0, {**scope, "item": items, "index": 0}, items.after)
        return
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise TemplateError("template.not-a-list", f'"for_each: {step.for_each}" does not give a list')
    for index, item in enumerate(items):
        yield _Turn(index, {**scope, "item": item, "index": index})


def loop_template(text: str) -> Any:
    """`for_each` is a name or expression without braces, or one template."""
    return compile_text(text) if has_template(text) else compile_expression(text)


def bind(step: Step, index: int, scope: Mapping[str, Any], conditional: str = "") -> Perform:
    """The step with every template filled in from `scope`. Raises TemplateError."""
    return Perform(
        step=step,
        item=index,
        values=filled(_written(step), scope),
        expect=tuple(bind_check(check, scope) for check in step.expect),
        warn=tuple(bind_check(check, scope) for check in step.warn),
        until=tuple(bind_check(check, scope) for check in step.waiting.until) if step.waiting else (),
        stop=tuple(bind_check(check, scope) for check in step.waiting.stop) if step.waiting else (),
        outputs=step.outputs,
        conditional=conditional,
        pick=Pick(filled(step.pick.where, scope), step.pick.items) if step.pick else None,
    )


def _written(step: Step) -> Mapping[str, Any]:
    """The author's values of whichever action the step is."""
    if step.request is not None:
        return step.request
    return step.reconcile if step.reconcile is not None else step.values


def filled(values: Mapping[str, Any], scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping of author's values rendered; a mapping left with nothing is still a mapping here."""
    rendered = render(values, scope)
    return rendered if isinstance(rendered, Mapping) else {}


def bind_check(check: Check, scope: Mapping[str, Any]) -> Bound:
    """The check with its operand filled in: what a template gives is one value, whatever characters it holds."""
    return Bound(check, resolve(check, lambda text: compile_text(text).render(scope)))


def failed_template(error: TemplateError | CheckError, location: Location) -> Outcome:
    problem = Problem(error.code, error.message, location, error.hint)
    return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, attempts=0)


def _is_known(outcome: Outcome) -> bool:
    return outcome.status is StepStatus.FAILED and outcome.fault is None


def _client_result(
    client: Client, results: Sequence[StepResult], stop: Outcome | None, has_begun: bool
) -> ClientResult:
    return ClientResult(
        key=client.key,
        line=client.line,
        outcome=Ending.DONE if stop is None else _ending(stop, has_begun),
        problem=stop.problem if stop else None,
        steps=tuple(results),
        fault=stop.fault if stop else None,
        retry_at=stop.retry_at if stop else None,
    )


def _ending(stop: Outcome, has_begun: bool) -> Ending:
    if stop.fault is None or stop.status is StepStatus.WAITING:
        return stop.ending or Ending.REJECTED
    # The world stopped us, not the client's data: nothing is lost, resume goes on from here.
    may_have = stop.ending is Ending.WAITING
    return Ending.WAITING if has_begun or may_have else Ending.NOT_STARTED
