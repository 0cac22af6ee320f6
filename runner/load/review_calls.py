"""Steps against the pack: does the operation exist, and do its values fit, as far as known?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from runner.duration import PATTERN, seconds
from runner.load.loops import written
from runner.load.reviewed import Review, Where
from runner.load.schema import Schema
from runner.model.problem import Location, Problem
from runner.model.provider import Operation
from runner.nearest import did_you_mean
from runner.raw_calls import disguised, effect_behind
from runner.templates import has_template

ACTIONS = ("call", "request", "reconcile", "satisfy")
STEP_KEYS = {*ACTIONS, "always", "await", "description", "effect", "expect", "for_each", "id", "limits", "outputs"}
STEP_KEYS |= {"pick", "retry", "tags", "warn", "when", "with"}


def call_problems(review: Review) -> Iterator[Problem]:
    for where, step in review.steps():
        yield from _shape(review, where, step)
        yield from _operation(review, where, step)


def _shape(review: Review, where: Where, step: Mapping[str, Any]) -> Iterator[Problem]:
    """A step does one thing: calls an operation, sends a raw request, or reconciles."""
    actions = [name for name in ACTIONS if name in step]
    if len(actions) > 1:
        message = f'a step does one thing, this one has "{actions[0]}" and "{actions[1]}"'
        yield review.tell("step.two-actions", message, (*where, actions[1]), "make it two steps", key=True)
        return
    if not actions:
        if not any(did_you_mean(name, _unknown_keys(step)) for name in ACTIONS):
            hint = 'every step needs an operation, e.g. "call: clients.get"'
            yield review.tell("step.no-action", 'the step has neither "call" nor "request"', where, hint, key=True)
        return
    action = actions[0]
    if action == "reconcile" and review.provider and review.provider.reconcile is None:
        message = f"the pack of {review.provider.title} has no reconcile rule"
        yield review.tell("reconcile.no-rule", message, (*where, "reconcile"), "read the list with a call", key=True)
    if action == "satisfy":
        yield from _satisfy(review, where, step)
    if "await" in step:
        yield from _await(review, where, step)
    if "pick" in step and action not in ("call", "request"):
        message = f'"pick" takes one entry of an answer, and "{action}" has its own'
        yield review.tell("step.pick", message, (*where, "pick"), "remove it", key=True)
    if action == "request":
        yield from _request(review, where, step)
    elif "effect" in step:
        message = '"effect" belongs to raw requests; the pack knows the effect of an operation'
        yield review.tell("step.effect", message, (*where, "effect"), "remove it", key=True)
    if "with" in step and action not in ("call", "satisfy"):
        rest = "a raw request has query, json, form and files" if action == "request" else "reconcile has from and to"
        hint = f'move the values into "{action}"'
        yield review.tell("step.with", f'"with" belongs to "call"; {rest}', (*where, "with"), hint, key=True)


def _satisfy(review: Review, where: Where, step: Mapping[str, Any]) -> Iterator[Problem]:
    if review.provider and review.provider.requirements is None:
        message = f"the pack of {review.provider.title} has no requirements rule"
        yield review.tell("satisfy.no-rule", message, (*where, "satisfy"), "supply what is needed with calls", key=True)
    if "for_each" in step:
        hint = "remove for_each; the documents of the client are gone through by itself"
        yield review.tell("satisfy.for-each", "a requirement loop has no items", (*where, "for_each"), hint, key=True)
    loop = step["satisfy"]
    yield from _no_time(review, (*where, "satisfy"), loop)
    rule = review.provider.requirements if review.provider else None
    goal = loop.get("until") if isinstance(loop, Mapping) else None
    if rule and isinstance(goal, str) and goal not in rule.done:
        hint = did_you_mean(goal, rule.done) or f"known: {', '.join(rule.done)}"
        message = f'"{goal}" is no state that {rule.operation.subject} can be brought to'
        yield review.tell("satisfy.unknown-goal", message, (*where, "satisfy", "until"), hint)


def _await(review: Review, where: Where, step: Mapping[str, Any]) -> Iterator[Problem]:
    """Only what changes nothing may be asked again and again."""
    operation = review.operation(step)
    effect = step.get("effect") if "request" in step else operation.effect if operation else "read"
    if "satisfy" in step or "reconcile" in step or effect not in ("read", None):
        found = f'"{step["call"]}" has effect {effect}' if "call" in step else "this step is none"
        hint = "wait in a step of its own that reads"
        yield review.tell("await.not-a-read", f"only a read can be awaited, {found}", (*where, "await"), hint, key=True)
    waiting = step["await"]
    yield from _no_time(review, (*where, "await"), waiting)
    hooks = review.provider.webhooks if review.provider else None
    name = waiting.get("wake_on") if isinstance(waiting, Mapping) else None
    if isinstance(name, str) and review.provider and (hooks is None or name not in hooks.events):
        known = hooks.events if hooks else ()
        hint = did_you_mean(name, known) or f"known events: {', '.join(known) or 'none'}"
        message = f'{review.provider.title} sends no event "{name}"'
        yield review.tell("await.unknown-event", message, (*where, "await", "wake_on"), hint)


def _no_time(review: Review, where: Where, waiting: Any) -> Iterator[Problem]:
    """Asking without a pause is no waiting, and neither is a deadline that is over when it begins."""
    for name in ("every", "at_most", "deadline"):
        text = waiting.get(name) if isinstance(waiting, Mapping) else None
        if isinstance(text, str) and re.fullmatch(PATTERN, text) and not seconds(text):
            message = f'"{name}" is "{text}", expected a time that passes'
            yield review.tell("await.no-time", message, (*where, name), "write a duration such as 30s, 5m or 72h")


def _request(review: Review, where: Where, step: Mapping[str, Any]) -> Iterator[Problem]:
    if "effect" not in step and not did_you_mean("effect", _unknown_keys(step)):
        hint = 'add "effect: read" or "effect: write"; money needs an operation of the pack'
        message = 'a raw request must say its "effect"'
        yield review.tell("step.no-effect", message, (*where, "request"), hint, key=True)
    request = step["request"]
    yield from _disguised(review, (*where, "request", "path"), request)
    bodies = [name for name in ("json", "form", "files") if isinstance(request, Mapping) and name in request]
    if "json" in bodies and len(bodies) > 1:
        message = f'a request has one body, this one has "json" and "{bodies[1]}"'
        yield review.tell("step.two-bodies", message, (*where, "request", bodies[1]), "keep one of them", key=True)


def _disguised(review: Review, where: Where, request: Any) -> Iterator[Problem]:
    """Known here when nothing of the path is a template; the plan and the run look again."""
    method, path = (request.get(name) if isinstance(request, Mapping) else None for name in ("method", "path"))
    if review.provider and isinstance(method, str) and isinstance(path, str) and not has_template(path):
        behind = effect_behind(review.provider.operations.values(), method, path)
        if behind:
            yield disguised(behind, review.source.locate(where, key=False))


def _unknown_keys(step: Mapping[str, Any]) -> list[str]:
    return [key for key in step if key not in STEP_KEYS]


def _operation(review: Review, where: Where, step: Mapping[str, Any]) -> Iterator[Problem]:
    call = step.get("call")
    if "satisfy" in step and review.provider and review.provider.requirements:
        yield from _values(review, where, step, review.provider.requirements.operation)
        return
    if review.provider is None or not isinstance(call, str) or not call:
        return
    operation = review.provider.operations.get(call)
    if operation is None:
        known = list(review.provider.operations)
        hint = did_you_mean(call, known) or f'see "onboard providers {review.provider.name}"'
        yield review.tell(
            "call.unknown-operation",
            f'{review.provider.title} has no operation "{call}"',
            (*where, "call"),
            hint,
        )
        return
    if operation.is_effect and "retry" in step:
        hint = "remove retry: what may have happened is looked up, never sent blindly again"
        yield review.tell(
            "step.retry-effect",
            f'"{call}" has effect {operation.effect} and is never repeated',
            (*where, "retry"),
            hint,
            key=True,
        )
    yield from _values(review, where, step, operation)


def _values(review: Review, where: Where, step: Mapping[str, Any], operation: Operation) -> Iterator[Problem]:
    values = step.get("with", {})
    if not operation.request:
        if values:
            message = f'"{operation.name}" takes no values'
            yield review.tell("with.unknown-key", message, (*where, "with"), 'remove "with"', key=True)
        return
    # A misspelt "with" is told by the schema; that its values are missing is the same slip.
    if not isinstance(values, Mapping) or ("with" not in step and did_you_mean("with", _unknown_keys(step))):
        return
    schema = Schema(operation.request, stage="with")

    def locate(path: tuple[str | int, ...], key: bool) -> Location:
        if not path and "with" not in step:
            return review.source.locate((*where, "satisfy" if "satisfy" in step else "call"))
        return review.source.locate((*where, "with", *path), key=key)

    for problem in schema.problems(values, locate, is_open):
        if not _is_unquoted_amount(problem, operation):
            yield problem
    yield from _written_elsewhere(review, step, operation, values)


def _written_elsewhere(
    review: Review, step: Mapping[str, Any], operation: Operation, values: Mapping[str, Any]
) -> Iterator[Problem]:
    """`type: "{{ item.type }}"`: the words that the playbook itself writes for it must fit too."""
    for name, rule in operation.request.get("properties", {}).items():
        if name not in values or not isinstance(rule, Mapping) or (operation.money and name == operation.money.amount):
            continue
        schema = Schema(rule, stage="with", name=f'"{name}"')
        for place, value in written(review, step, values[name]):
            yield from schema.problems(value, partial(_locate_inside, review, place), is_open)


def _locate_inside(review: Review, place: Where, path: Where, key: bool) -> Location:
    return review.source.locate((*place, *path), key=key)


def _is_unquoted_amount(problem: Problem, operation: Operation) -> bool:
    """The money reviewer says it better."""
    rule = operation.money
    return (
        rule is not None
        and problem.code == "with.wrong-type"
        and problem.message.startswith(f'"{rule.amount}" is a number')
    )


def is_open(value: Any) -> bool:
    """A template's value is not known yet."""
    return isinstance(value, str) and has_template(value)
