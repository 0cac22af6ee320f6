"""Judge an answer by what the playbook asked of it: checks, outputs, and the problem that a failing one is. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from runner.answers import fields_of, plain
from runner.checks import Answer, CheckError, evaluate, jsonable
from runner.model.check import CheckResult
from runner.model.command import Bound, Perform
from runner.model.outcome import Ending, Outcome, StepStatus
from runner.model.problem import Problem
from runner.model.provider import Operation
from runner.redact import Redactor, is_classified

# More of what a provider said is not read; the code and the meaning stand in front.
_LONGEST = 800


def collect(
    command: Perform, operation: Operation, answer: Answer, redactor: Redactor, *, is_adopted: bool = False
) -> Outcome:
    """Check the answer and take the outputs out of it.

    A look-up may show less than the call itself would have (the provider's samples do): what an adopted answer leaves
    out is the value that was asked for, where there is one, and an output that it can't give is null.
    """
    if is_adopted:
        answer = replace(answer, body=_completed(command, operation, answer.body))
    checks = tuple(_check(bound, answer, operation, redactor) for bound in command.expect)
    warnings = tuple(replace(_check(bound, answer, operation, redactor), warning=True) for bound in command.warn)
    outputs, absent = fields_of(answer, command.outputs)
    outputs = {name: plain(value) for name, value in outputs.items()}
    failing = (pair for pair in zip(command.expect, checks, strict=True) if not pair[1].passed)
    problem = next((_check_problem(command, *pair) for pair in failing), None)
    if is_adopted:
        outputs = {name: outputs.get(name) for name in command.outputs}
    elif problem is None and absent:
        problem = Problem(
            "output.absent",
            f'the answer has no field for output "{absent}" of step "{command.name}"',
            command.step.output_places.get(absent, command.step.location),
            "compare the path with the answer's fields; onboard providers lists them",
        )
    status = StepStatus.FAILED if problem else StepStatus.PASSED
    return Outcome(status, Ending.REJECTED if problem else None, outputs, checks + warnings, problem)


def _completed(command: Perform, operation: Operation, body: object) -> object:
    """The look-up's answer over what was asked for; documents don't count, their answer is an address."""
    if not isinstance(body, Mapping):
        return body
    properties = operation.request.get("properties", {})
    asked = {name: value for name, value in command.values.items() if not properties.get(name, {}).get("x-file")}
    return {**asked, **body}


def _check(bound: Bound, answer: Answer, operation: Operation, redactor: Redactor) -> CheckResult:
    told = redactor.text(_told(bound))
    try:
        result = evaluate(bound.check, answer, bound.operand)
    except CheckError:
        return CheckResult(told, False, None)
    hidden = not bound.check.count and result.actual is not None and is_classified(bound.check.path, operation.response)
    return replace(result, check=told, actual="***" if hidden else redactor.value(jsonable(result.actual)))


def _told(bound: Bound) -> str:
    """The check as it was asked: a template's text is replaced by the value it gave."""
    if not bound.check.is_template:
        return bound.check.text
    return bound.check.text.replace(str(bound.check.operand), str(jsonable(bound.operand)))


def _check_problem(command: Perform, bound: Bound, result: CheckResult) -> Problem:
    actual = "nothing" if result.actual is None else json.dumps(result.actual, ensure_ascii=False)
    message = f'check "{result.check}" of step "{command.name}" failed: found {actual}'
    return Problem(
        "check.failed",
        message,
        bound.check.location or command.step.location,
        "compare with what the provider shows for this client",
    )


def placed(problem: Problem | None, command: Perform, redactor: Redactor) -> Problem | None:
    """The problem at its step, with nobody's data in its words."""
    if problem is None:
        return None
    message = redactor.text(problem.message)
    if len(message) > _LONGEST:
        message = message[:_LONGEST] + "…"
    return replace(problem, message=message).at(command.step.location)
