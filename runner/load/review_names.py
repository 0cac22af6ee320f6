"""Every name that a template or a `when` reads: is it in scope, declared, and known by then?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.checks import CheckError, parse
from runner.load.reviewed import Review, Where, placed, texts
from runner.load.schema import Schema
from runner.model.problem import Location, Problem
from runner.nearest import did_you_mean
from runner.templates import Template, TemplateError, compile_expression, compile_text, has_template

EVERYWHERE = ("batch", "client", "documents", "funding", "inputs", "steps")
IN_LOOP = (*EVERYWHERE, "item", "index")
# Documents, funding and inline clients are filled in before the first step.
BEFORE_STEPS = ("batch", "client", "inputs")


@dataclass(slots=True)
class _Known:
    """What is known at one place of the text."""

    names: Sequence[str]
    outputs: dict[str, Sequence[str]] = field(default_factory=dict)
    later: Sequence[str] = ()
    item_keys: Sequence[str] = ()


def name_problems(review: Review) -> Iterator[Problem]:
    yield from _steps_unique(review)
    yield from _inputs(review)
    yield from _key(review)
    before = _Known(BEFORE_STEPS)
    for part in ("documents", "funding"):
        for where, text in texts(review.body.get(part), (part,)):
            yield from _text(review, where, text, before)
    yield from _steps(review)


def _steps(review: Review) -> Iterator[Problem]:
    ids = [str(step.get("id")) for _, step in review.steps()]
    outputs: dict[str, Sequence[str]] = {}
    for number, (where, step) in enumerate(review.steps()):
        outside = _Known(EVERYWHERE, dict(outputs), ids[number:])
        inside = outside
        if isinstance(loop := step.get("for_each"), str) and loop:
            yield from _text(review, (*where, "for_each"), loop, outside, is_expression=not has_template(loop))
            inside = _Known(IN_LOOP, dict(outputs), ids[number:], _item_keys(review, loop))
        for name in ("with", "request", "reconcile", "expect", "warn"):
            for place, text in texts(step.get(name), (*where, name)):
                yield from _text(review, place, text, inside)
        for place, text in texts(step.get("when"), (*where, "when")):
            yield from _text(review, place, text, outside)
            yield from _when_path(review, place, text, outside)
        declared = step.get("outputs")
        outputs[str(step.get("id"))] = [str(name) for name in declared] if isinstance(declared, Mapping) else []


def _steps_unique(review: Review) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for where, step in review.steps():
        name = step.get("id")
        if not isinstance(name, str):
            continue
        line = review.source.locate((*where, "id")).line
        if name in seen:
            yield review.tell(
                "step.duplicate-id",
                f'step "{name}" is already there, on line {seen[name]}',
                (*where, "id"),
                "give each step its own id",
            )
        seen.setdefault(name, line)


def _inputs(review: Review) -> Iterator[Problem]:
    for name, rule in review.mapping("inputs").items():
        if isinstance(rule, Mapping) and "default" in rule:
            yield from _default(review, name, rule)


def _default(review: Review, name: str, rule: Mapping[str, Any]) -> Iterator[Problem]:
    schema = Schema({key: value for key, value in rule.items() if key != "default"}, stage="input")

    def locate(path: Where, key: bool) -> Location:
        return review.source.locate(("inputs", name, "default", *path))

    for problem in schema.problems(rule["default"], locate):
        message = problem.message.replace('"value"', f'the default of input "{name}"')
        yield Problem(problem.code, message, problem.location, problem.hint)


def _key(review: Review) -> Iterator[Problem]:
    """The key ends up in reports, file names and references: it must exist, and had better not be somebody's data."""
    clients = review.mapping("clients")
    key = clients.get("key")
    properties = review.clients_schema.get("properties")
    if not isinstance(key, str) or not isinstance(properties, Mapping) or not properties:
        return
    if key not in properties:
        if hint := did_you_mean(key, properties):
            yield review.tell(
                "clients.unknown-key", f'the clients schema has no field "{key}"', ("clients", "key"), hint
            )
    elif isinstance(properties[key], Mapping) and "x-data-class" in properties[key]:
        problem = review.tell(
            "clients.personal-key",
            f'"{key}" is personal data and would stand in every report and reference',
            ("clients", "key"),
            "use an id of your own as the key",
        )
        yield Problem(problem.code, problem.message, problem.location, problem.hint, "warning")


def _item_keys(review: Review, loop: str) -> Sequence[str]:
    """What an item is known to hold: only for plain loops over what the playbook itself writes."""
    try:
        template = compile_text(loop) if has_template(loop) else compile_expression(loop)
    except TemplateError:
        return ()
    names = template.references[0].names if len(template.references) == 1 else ()
    if len(names) != 1 or names[0] not in ("documents", "funding"):
        return ()
    return sorted({str(key) for entry in review.items(str(names[0])) if isinstance(entry, Mapping) for key in entry})


def _text(review: Review, where: Where, text: str, known: _Known, *, is_expression: bool = False) -> Iterator[Problem]:
    if not is_expression and "{{" not in text and "{%" not in text:
        return
    try:
        template = compile_expression(text) if is_expression else compile_text(text)
    except TemplateError as error:
        yield Problem(error.code, error.message, placed(review, where, text, error.offset, None), error.hint)
        return
    yield from _references(review, where, text, template, known)


def _references(review: Review, where: Where, text: str, template: Template, known: _Known) -> Iterator[Problem]:
    for reference in template.references:
        wrong = _wrong(review, reference.names, known)
        if wrong is None:
            continue
        at, code, message, hint = wrong
        if reference.optional and code == "template.unknown-field":
            continue
        start = reference.offsets[at] if at < len(reference.offsets) else reference.offset
        end = start + len(str(reference.names[at]))
        severity = "warning" if code == "template.unknown-field" else "error"
        yield Problem(code, message, placed(review, where, text, start, end), hint, severity)  # type: ignore[arg-type]


_Wrong = tuple[int, str, str, str]


def _wrong(review: Review, names: Sequence[str | int], known: _Known) -> _Wrong | None:
    """Which part of a name chain is wrong, and how; None when nothing is, as far as can be known."""
    root = str(names[0])
    if root not in known.names:
        if root in IN_LOOP:
            why = 'exists only with "for_each"' if root in ("item", "index") else "is not known here yet"
            return 0, "template.unknown-name", f'"{root}" {why}', f"in scope here: {', '.join(known.names)}"
        return (
            0,
            "template.unknown-name",
            f'there is no "{root}"',
            did_you_mean(root, known.names) or f"in scope here: {', '.join(known.names)}",
        )
    if len(names) < 2 or not isinstance(names[1], str):
        return None
    if root == "inputs":
        return _undeclared(names[1], list(review.mapping("inputs")))
    if root == "steps":
        return _unknown_output(names, known)
    if root == "item" and known.item_keys and names[1] not in known.item_keys:
        return (
            1,
            "template.unknown-key",
            f'"item" has no "{names[1]}"',
            did_you_mean(names[1], known.item_keys) or f"its keys: {', '.join(known.item_keys)}",
        )
    if root == "client":
        return _unknown_field(names, review.clients_schema)
    return None


def _undeclared(name: str, declared: Sequence[str]) -> _Wrong | None:
    if name in declared:
        return None
    return (
        1,
        "template.unknown-input",
        f'there is no input "{name}"',
        did_you_mean(name, declared) or 'declare it under "inputs"',
    )


def _unknown_output(names: Sequence[str | int], known: _Known) -> _Wrong | None:
    step = str(names[1])
    if step in known.later and step not in known.outputs:
        return (
            1,
            "template.later-step",
            f'step "{step}" has not run by then',
            "move the step up, or read another one",
        )
    if step not in known.outputs:
        return (
            1,
            "template.unknown-step",
            f'there is no step "{step}"',
            did_you_mean(step, [*known.outputs, *known.later]) or "name a step that stands above",
        )
    output = next((part for part in names[2:] if isinstance(part, str)), None)
    if output is None or output in known.outputs[step]:
        return None
    hint = did_you_mean(output, known.outputs[step]) or f'add it to the outputs of "{step}"'
    return (
        list(names).index(output, 2),
        "template.unknown-output",
        f'step "{step}" has no output "{output}"',
        hint,
    )


def _unknown_field(names: Sequence[str | int], schema: Mapping[str, Any]) -> _Wrong | None:
    """A field that the clients schema does not name: an error where it is closed, a warning for a likely slip."""
    node: Any = schema
    for at, name in enumerate(names[1:], start=1):
        properties = node.get("properties") if isinstance(node, Mapping) else None
        if not isinstance(properties, Mapping) or not isinstance(name, str):
            return None
        if name not in properties:
            hint = did_you_mean(name, properties)
            if node.get("additionalProperties") is False:
                return at, "template.unknown-client-field", f'a client has no field "{name}"', hint
            return (at, "template.unknown-field", f'the clients schema does not name "{name}"', hint) if hint else None
        node = properties[name]
    return None


def _when_path(review: Review, where: Where, text: str, known: _Known) -> Iterator[Problem]:
    try:
        check = parse(text)
    except CheckError:
        return
    if not check.path:
        return
    wrong = _wrong(review, check.path, known)
    if wrong and wrong[1] != "template.unknown-field":
        at, code, message, hint = wrong
        if at == 0:
            hint = f'the path of a "when" starts at a name in scope: {", ".join(known.names)}'
        start = text.find(str(check.path[at]))
        yield Problem(
            code,
            message,
            placed(review, where, text, start if start >= 0 else None, start + len(str(check.path[at]))),
            hint,
        )
