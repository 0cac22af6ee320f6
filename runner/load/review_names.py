"""Every name that a template or a `when` reads: is it in scope, declared, and known by then?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.checks import CheckError, parse
from runner.load.fits import TYPES
from runner.load.loops import (
    LISTS,
    chain_of,
    entry_keys,
    expression_of,
    item_keys,
    kind_of_chain,
    read_loop,
    unknown_attributes,
)
from runner.load.reviewed import Review, Where, placed, texts, way_out
from runner.load.schema import Schema, pattern_complaints, schema_complaints
from runner.model.problem import Location, Problem, Severity
from runner.nearest import did_you_mean
from runner.templates import Template, TemplateError, compile_expression, compile_text, has_template

EVERYWHERE = ("batch", "client", "documents", "funding", "inputs", "steps")
IN_LOOP = (*EVERYWHERE, "item", "index")
# Documents, funding and inline clients are filled in before the first step.
BEFORE_STEPS = ("batch", "client", "inputs")


WARNINGS = ("clients.none", "template.unknown-field")


@dataclass(slots=True)
class _Known:
    """What is known at one place of the text. `loops` are the steps above with `for_each`: their outputs are lists."""

    names: Sequence[str]
    outputs: dict[str, Sequence[str]] = field(default_factory=dict)
    later: Sequence[str] = ()
    item_keys: Sequence[str] = ()
    loops: frozenset[str] = frozenset()


def name_problems(review: Review) -> Iterator[Problem]:
    told = False
    for problem in _name_problems(review):
        # That there are no clients is one slip, however often they are read.
        if problem.code == "clients.none":
            if told:
                continue
            told = True
        yield problem


def _name_problems(review: Review) -> Iterator[Problem]:
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
        above = frozenset(str(each.get("id")) for _, each in list(review.steps())[:number] if "for_each" in each)
        outside = _Known(EVERYWHERE, dict(outputs), ids[number:], loops=above)
        inside = outside
        if "for_each" in step:
            loop = step["for_each"] if isinstance(step["for_each"], str) else ""
            yield from _loop(review, (*where, "for_each"), loop, outside)
            keys = item_keys(review, loop, outputs)
            inside = _Known(IN_LOOP, outside.outputs, outside.later, keys, above)
        for name in ("with", "request", "reconcile", "pick", "expect", "warn", "await"):
            for place, text in texts(step.get(name), (*where, name)):
                yield from _text(review, place, text, inside)
        for place, text in texts(step.get("when"), (*where, "when")):
            yield from _text(review, place, text, outside)
            yield from _when_path(review, place, text, outside)
        declared = step.get("outputs")
        outputs[str(step.get("id"))] = [str(name) for name in declared] if isinstance(declared, Mapping) else []


def _loop(review: Review, where: Where, text: str, known: _Known) -> Iterator[Problem]:
    """The names of a `for_each`; and when these are right, whether they give a list."""
    if not text:
        return
    found = list(_text(review, where, text, known, is_expression=not has_template(text)))
    yield from found
    if any(problem.is_error for problem in found):
        return
    template = read_loop(text)
    names = chain_of(text)
    if not template.is_whole:
        hint = 'write one name or one expression, e.g. "for_each: documents"'
        yield review.tell("step.for-each", "found text around the template, expected a list", where, hint)
    elif not template.references and not isinstance(template.render({}), list | tuple):
        yield review.tell("step.for-each", f'"{text}" is no list', where, 'name a list, e.g. "for_each: documents"')
    elif names and (kind := kind_of_chain(review, names, known.loops)):
        hint = "name a list, or take for_each out"
        yield review.tell("step.for-each", f'"{expression_of(text)}" is {kind}, expected a list', where, hint)
    elif names and names[0] in LISTS and names[0] not in review.body:
        message = f'the playbook has no "{names[0]}", so the step never does anything'
        problem = review.tell("step.nothing-to-do", message, where, f'add "{names[0]}", or remove the step')
        yield replace(problem, severity="warning")


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
        if isinstance(rule, Mapping):
            yield from _input(review, name, rule)


def _input(review: Review, name: str, rule: Mapping[str, Any]) -> Iterator[Problem]:
    def locate(*where: str | int) -> Callable[[Where, bool], Location]:
        return lambda path, key: review.source.locate(("inputs", name, *where, *path), key=key)

    body = {key: value for key, value in rule.items() if key != "default"}
    # The playbook's own schema has looked at the keys of the rule, but not inside `items`.
    complaints = schema_complaints if "items" in body else pattern_complaints
    if wrong := complaints(body, locate()):
        yield from (replace(problem, code="input.wrong-schema") for problem in wrong)
    elif "default" in rule and (_is_plain(body) or not schema_complaints(body, locate())):
        schema = Schema(body, stage="input", name=f'the default of input "{name}"')
        yield from schema.problems(rule["default"], locate("default"))


def _is_plain(rule: Mapping[str, Any]) -> bool:
    """Known to be sound without a look at the meta-schema, which takes long to load."""
    return set(rule) <= {"description", "type"} and rule.get("type", "string") in list(TYPES)


def _key(review: Review) -> Iterator[Problem]:
    """The key ends up in reports, file names and references: it must exist, and had better not be somebody's data."""
    clients = review.mapping("clients")
    key = clients.get("key")
    is_misspelt = did_you_mean("key", [name for name in clients if name not in ("items", "schema")])
    if clients and "key" not in clients and "items" not in clients and not is_misspelt:
        hint = 'set "key" under "clients", or give --key FIELD with every run'
        problem = review.tell("clients.no-key", "nothing names a client", ("clients",), hint, key=True)
        yield replace(problem, severity="warning")
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
        yield replace(problem, severity="warning")


def _text(review: Review, where: Where, text: str, known: _Known, *, is_expression: bool = False) -> Iterator[Problem]:
    if not is_expression and "{{" not in text and "{%" not in text:
        return
    try:
        template = compile_expression(text) if is_expression else compile_text(text)
    except TemplateError as error:
        yield _refused(review, where, text, error)
        return
    if not template.references and not is_expression:
        # Nothing is left to be known: what would fail for every client fails now.
        try:
            template.render({})
        except TemplateError as error:
            yield _refused(review, where, text, error)
    yield from _references(review, where, text, template, known)
    for name, attribute, offset, keys in unknown_attributes(review, text):
        hint = did_you_mean(attribute, keys) or f"their keys: {', '.join(keys)}"
        message = f'no entry of "{name}" has "{attribute}"'
        place = placed(review, where, text, offset, offset + len(attribute))
        yield Problem("template.unknown-key", message, place, hint)


def _refused(review: Review, where: Where, text: str, error: TemplateError) -> Problem:
    hint = way_out(error.code, error.hint)
    return Problem(error.code, error.message, placed(review, where, text, error.offset, None), hint)


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
        place = placed(review, where, text, start, end)
        yield Problem(code, message, place, way_out(code, hint), _severity(code))


def _severity(code: str) -> Severity:
    return "warning" if code in WARNINGS else "error"


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
    if hidden := next((at for at, name in enumerate(names) if str(name).startswith("__")), 0):
        return hidden, "template.forbidden", f'"{names[hidden]}" is not available here', "name a field of the data"
    if root == "client" and "clients" not in review.body:
        hint = 'add "clients" with a "key", or give --clients FILE and --key FIELD'
        return 0, "clients.none", 'the playbook reads "client" and says nothing of its "clients"', hint
    if root in LISTS and len(names) > 2 and isinstance(names[1], int):
        return _entry_key(review, names)
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


def _entry_key(review: Review, names: Sequence[str | int]) -> _Wrong | None:
    known, key = entry_keys(review, str(names[0])), str(names[2])
    if not known or key in known:
        return None
    hint = did_you_mean(key, known) or f"their keys: {', '.join(known)}"
    return 2, "template.unknown-key", f'no entry of "{names[0]}" has "{key}"', hint


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
    if len(names) > 2 and isinstance(names[2], str) and step in known.loops:
        message = f'step "{step}" has for_each, so its outputs are a list of mappings'
        return 2, "template.list", message, f'write "steps.{step}[0].{names[2]}", or "| map(attribute=\'{names[2]}\')"'
    if len(names) > 2 and isinstance(names[2], int) and step not in known.loops:
        rest = next((f".{part}" for part in names[3:4]), "")
        return 2, "template.list", f'step "{step}" has no for_each, so it is no list', f'write "steps.{step}{rest}"'
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
    if wrong:
        at, code, message, hint = wrong
        if code == "template.unknown-name":
            hint = f'the path of a "when" starts at a name in scope: {", ".join(known.names)}'
        start = text.find(str(check.path[at]))
        yield Problem(
            code,
            message,
            placed(review, where, text, start if start >= 0 else None, start + len(str(check.path[at]))),
            hint,
            _severity(code),
        )
