"""Judge an answer by what the playbook asked of it: checks, outputs, and the problem that a failing one is. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.answers import fields_of, plain
from runner.checks import Answer, CheckError, equal, evaluate, jsonable, lookup
from runner.file_fields import with_files
from runner.model.check import CheckResult, Path
from runner.model.command import Bound, Perform, Pick
from runner.model.outcome import Ending, Outcome, StepStatus
from runner.model.problem import Problem
from runner.model.provider import Operation
from runner.nearest import did_you_mean_one_of
from runner.redact import Redactor, is_classified

# More of what a provider said is not read; the code and the meaning stand in front.
_LONGEST = 800
# Entries of a list that are told as examples.
_SHOWN = 5


def collect(
    command: Perform, operation: Operation, answer: Answer, redactor: Redactor, *, is_adopted: bool = False
) -> Outcome:
    """Check the answer and take the outputs out of it.

    A look-up may show less than the call itself would have (the provider's samples do): what an adopted answer leaves
    out is the value that was asked for, where there is one, and an output that it can't give is null.
    """
    if command.pick is not None:
        operation = replace(operation, response=entry_schema(operation.response, command.pick.items))
        found = picked(command.pick, answer, operation.response)
        if isinstance(found, Problem):
            return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=placed(found, command, redactor))
        answer = found
    if is_adopted:
        answer = replace(answer, body=_completed(command, operation, answer.body))
    checks = tuple(check_bound(bound, answer, operation, redactor) for bound in command.expect)
    warnings = tuple(replace(check_bound(bound, answer, operation, redactor), warning=True) for bound in command.warn)
    outputs, absent = fields_of(answer, command.outputs)
    outputs = {name: plain(value) for name, value in outputs.items()}
    failing = (pair for pair in zip(command.expect, checks, strict=True) if not pair[1].passed)
    problem = next((_check_problem(command, *pair) for pair in failing), None)
    if command.is_lenient and command.key:
        # Nobody's outputs, only what the loop has to remember: the provider's reasons, which may name people.
        outputs = redactor.value(outputs)
    if is_adopted or command.is_lenient:
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
    asked = with_files(operation.request, command.values, lambda name: None)
    return {**asked, **body}


def picked(pick: Pick, answer: Answer, schema: Mapping[str, Any]) -> Answer | Problem:
    """The one entry of a list that the question was about, as the answer. `schema` describes an entry."""
    listed = lookup(pick.items, answer.body)[1] if pick.items else answer.body
    entries = listed if isinstance(listed, list) else []
    for is_same in (equal, _alike):
        for entry in entries:
            if pick.where and all(_has(entry, name, value, is_same) for name, value in pick.where.items()):
                return replace(answer, body=entry)
    # What the row left out asks for nothing, and so for no entry.
    asked = ", ".join(f"{name} {quoted(value)}" for name, value in pick.where.items()) or "nothing to look for"
    message = f"the provider's list has no entry with {asked}"
    usual = "compare the value with what the provider shows for this client"
    return Problem("answer.no-entry", message, hint=_nearest_entries(pick, entries, schema) or usual)


def _has(entry: object, name: str, wanted: object, is_same: Callable[[object, object], bool]) -> bool:
    is_there, value = lookup((name,), entry)
    return is_there and is_same(value, wanted)


def _alike(actual: object, wanted: object) -> bool:
    """The same words; capitals and blanks around them are nobody's meaning."""
    if not isinstance(actual, str) or not isinstance(wanted, str):
        return equal(actual, wanted)
    return actual.strip().casefold() == wanted.strip().casefold()


def _nearest_entries(pick: Pick, entries: Sequence[object], schema: Mapping[str, Any]) -> str:
    """What may have been meant, where one text is looked for that is nobody's data."""
    if len(pick.where) != 1:
        return ""
    ((name, wanted),) = pick.where.items()
    if is_classified((name,), schema):
        return ""
    known = [value for entry in entries if isinstance(value := lookup((name,), entry)[1], str)]
    return did_you_mean_one_of(wanted, known) or _some_of(known) if isinstance(wanted, str) else ""


def _some_of(known: Sequence[str]) -> str:
    """What such a word looks like, for who wrote one that is near nothing."""
    some = list(dict.fromkeys(known))
    shown = ", ".join(quoted(word) for word in some[:_SHOWN])
    return f"known are: {shown}{', …' if len(some) > _SHOWN else ''}" if some else ""


def entry_schema(schema: Mapping[str, Any], items: Path) -> Mapping[str, Any]:
    """What the schema of an answer says of one entry of the list at `items`; empty when it says nothing."""
    found: Any = schema
    data_class = schema.get("x-data-class")
    for name in (*items, 0):
        found = found.get("properties", {}).get(name, {}) if isinstance(name, str) else found.get("items", {})
        if not isinstance(found, Mapping):
            return {}
        data_class = found.get("x-data-class", data_class)
    return {**found, "x-data-class": data_class} if data_class else found


def check_bound(bound: Bound, answer: Answer, operation: Operation, redactor: Redactor) -> CheckResult:
    """One check, told with nobody's data in it."""
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
    message = f'check "{result.check}" of step "{command.name}" failed: found {quoted(result.actual)}'
    return Problem(
        "check.failed",
        message,
        bound.check.location or command.step.location,
        "compare with what the provider shows for this client",
    )


def quoted(value: object) -> str:
    """A value as it stands in a message."""
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def placed(problem: Problem | None, command: Perform, redactor: Redactor) -> Problem | None:
    """The problem at its step, with nobody's data in its words."""
    if problem is None:
        return None
    message = redactor.text(problem.message)
    if len(message) > _LONGEST:
        message = message[:_LONGEST] + "…"
    return replace(problem, message=message).at(command.step.location)
