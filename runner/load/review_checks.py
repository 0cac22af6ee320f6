"""Checks and outputs against the answer that the pack describes: grammar, fields, enum words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.checks import CheckError, Finding, enum_problem, parse, parse_path, path_problem, path_text
from runner.judging import entry_schema
from runner.load.reviewed import Review, Where, placed, way_out
from runner.model.check import Path
from runner.model.problem import Problem
from runner.model.provider import Operation
from runner.nearest import did_you_mean


def check_problems(review: Review) -> Iterator[Problem]:
    for where, step in review.steps():
        operation = review.operation(step)
        if isinstance(picking := step.get("pick"), Mapping):
            yield from _picking(review, (*where, "pick"), picking, operation if "call" in step else None)
            operation = _of_one(picking, operation)
        for place, text in _on_the_answer(step, where):
            yield from _check(review, place, text, operation)
        for place, text in _texts(step.get("when"), (*where, "when")):
            yield from _check(review, place, text, None)
        outputs = step.get("outputs")
        for name, text in (outputs if isinstance(outputs, Mapping) else {}).items():
            if isinstance(text, str):
                yield from _output(review, (*where, "outputs", name), text, operation)


def _picking(
    review: Review, where: Where, picking: Mapping[str, Any], operation: Operation | None
) -> Iterator[Problem]:
    text = picking.get("from")
    if isinstance(text, str) and text:
        yield from _output(review, (*where, "from"), text, operation)
    items = _listed(picking)
    if operation and items is not None and _is_no_list(items, operation.response):
        named = f'"{path_text(items)}"' if items else "the answer"
        hint = "name the path of a list" if items else 'name the list with "from"'
        message = f'"pick" takes one entry of a list, and {named} is none'
        yield review.tell("step.pick", message, (*where, "from") if items else where, hint, key=not items)
    one = _of_one(picking, operation)
    for name in picking["where"] if isinstance(picking.get("where"), Mapping) else ():
        if one and one.response and (found := path_problem((str(name),), one.response)):
            place = review.source.locate((*where, "where", name), key=True)
            yield Problem(found.code, found.message, place, way_out(found.code, found.hint))


def _of_one(picking: Mapping[str, Any], operation: Operation | None) -> Operation | None:
    """The operation as if it answered with one entry of its list."""
    if operation is None:
        return None
    return replace(operation, response=entry_schema(operation.response, _listed(picking) or ()))


def _listed(picking: Mapping[str, Any]) -> Path | None:
    """Where the list stands; None when that can't be read, which is told as any path is."""
    try:
        return parse_path(str(picking["from"])) if "from" in picking else ()
    except CheckError:
        return None


def _is_no_list(path: Path, schema: Mapping[str, Any]) -> bool:
    """Does the answer that the pack describes have something else at this path? What it leaves open may be a list."""
    found: Any = schema
    for name in path:
        found = found.get("properties", {}).get(name) if isinstance(name, str) else found.get("items")
        if not isinstance(found, Mapping):
            return False
    kinds = found.get("type")
    return kinds is not None and "array" not in ([kinds] if isinstance(kinds, str) else kinds)


def _on_the_answer(step: Mapping[str, Any], where: Where) -> Iterator[tuple[Where, str]]:
    """Every check of a step that looks at what the provider answered."""
    for name in ("expect", "warn"):
        yield from _texts(step.get(name), (*where, name))
    waiting = step.get("await")
    for name in ("until", "stop"):
        if isinstance(waiting, Mapping):
            yield from _texts(waiting.get(name), (*where, "await", name))


def _texts(value: Any, where: Where) -> Iterator[tuple[Where, str]]:
    for number, text in enumerate(value if isinstance(value, list) else ()):
        if isinstance(text, str) and text:
            yield (*where, number), text


def _check(review: Review, where: Where, text: str, operation: Operation | None) -> Iterator[Problem]:
    try:
        check = parse(text)
    except CheckError as error:
        hint = way_out(error.code, error.hint)
        yield Problem(error.code, error.message, placed(review, where, text, error.offset, error.end), hint)
        return
    if operation is None or not operation.response:
        return
    if (found := path_problem(check, operation.response)) or (
        found := enum_problem(check, operation.response, operation.subject)
    ):
        yield _told(review, where, text, found, check.path, operation)


def _output(review: Review, where: Where, text: str, operation: Operation | None) -> Iterator[Problem]:
    try:
        path = parse_path(text)
    except CheckError as error:
        hint = 'an output is a path into the answer, e.g. "id" or "items[0].id"'
        yield Problem(error.code, error.message, placed(review, where, text, error.offset, error.end), hint)
        return
    if operation and operation.response and (found := path_problem(path, operation.response)):
        yield _told(review, where, text, found, path, operation)


def _told(review: Review, where: Where, text: str, found: Finding, path: Path, operation: Operation) -> Problem:
    """A slip is an error. A field that the provider's texts merely don't show is a warning: it may well be there."""
    place = placed(review, where, text, found.offset, found.end)
    hint, is_sure = way_out(found.code, found.hint), found.near or found.code != "check.unknown-path"
    if not is_sure and (better := _better(path, operation)):
        hint, is_sure = better, True
    return Problem(found.code, found.message, place, hint, "error" if is_sure else "warning")


def _better(path: Path, operation: Operation) -> str:
    """What was meant when the field is no field of the answer: the status, a header, or the envelope around it."""
    wrapping = operation.unwrap
    if wrapping and path[: len(wrapping)] == wrapping and len(path) > len(wrapping):
        return f'the answer is taken out of its "{path_text(wrapping)}": write "{path_text(path[len(wrapping) :])}"'
    return did_you_mean(str(path[0]), ("http", "header"))
