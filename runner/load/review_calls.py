"""Steps against the pack: does the operation exist, and do its values fit, as far as known?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.load.reviewed import Review, Where
from runner.load.schema import Schema
from runner.model.problem import Location, Problem
from runner.model.provider import Operation
from runner.nearest import did_you_mean
from runner.templates import has_template

ACTIONS = ("call", "request", "reconcile")


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
    elif not actions and not any(did_you_mean(name, [str(key) for key in step]) for name in ACTIONS):
        hint = 'every step needs an operation, e.g. "call: clients.get"'
        yield review.tell("step.no-action", 'the step has neither "call" nor "request"', where, hint, key=True)
    if "reconcile" in step and review.provider and review.provider.reconcile is None:
        message = f"the pack of {review.provider.title} has no reconcile rule"
        yield review.tell("reconcile.no-rule", message, (*where, "reconcile"), "read the list with a call", key=True)
    if "request" in step and "effect" not in step:
        yield review.tell(
            "step.no-effect",
            'a raw request must say its "effect"',
            (*where, "request"),
            'add "effect: read" or "effect: write"; money needs an operation of the pack',
            key=True,
        )
    if "call" in step and "effect" in step:
        yield review.tell(
            "step.effect",
            '"effect" belongs to raw requests; the pack knows the effect of an operation',
            (*where, "effect"),
            "remove it",
            key=True,
        )
    if "request" in step and "with" in step:
        yield review.tell(
            "step.with",
            '"with" belongs to "call"; a raw request has query, json, form and files',
            (*where, "with"),
            "move the values into the request",
            key=True,
        )


def _operation(review: Review, where: Where, step: Mapping[str, Any]) -> Iterator[Problem]:
    call = step.get("call")
    if review.provider is None or not isinstance(call, str):
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
            yield review.tell(
                "with.unknown-key",
                f'"{operation.name}" takes no values',
                (*where, "with"),
                "remove with",
                key=True,
            )
        return
    if not isinstance(values, Mapping):
        return
    inside = (*where, "with")
    schema = Schema(operation.request, stage="with")

    def locate(path: tuple[str | int, ...], key: bool) -> Location:
        if not path and "with" not in step:
            return review.source.locate((*where, "call"))
        return review.source.locate((*inside, *path), key=key)

    for problem in schema.problems(values, locate, is_open):
        if _is_unquoted_amount(problem, operation):
            continue
        yield problem


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
