"""The one home of JSON Schema: hold a value against a schema and complain in our words, with places."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from runner.load.yaml import kind_of
from runner.model.problem import Location, Problem
from runner.nearest import did_you_mean, nearest

Locate = Callable[[tuple[str | int, ...], bool], Location | None]
IsOpen = Callable[[Any], bool]


class Schema:
    """A JSON Schema ready for use. `personal` keeps values out of messages: they are somebody's data."""

    def __init__(self, body: Mapping[str, Any], *, stage: str = "schema", personal: bool = False) -> None:
        self.body = body
        self._validator = Draft202012Validator(body)
        self._stage = stage
        self._personal = personal

    @classmethod
    def read(cls, path: Path, *, stage: str = "schema", personal: bool = False) -> Schema:
        return cls(json.loads(path.read_bytes()), stage=stage, personal=personal)

    def problems(self, value: Any, locate: Locate, is_open: IsOpen = lambda value: False) -> list[Problem]:
        """Every complaint, in the order of the file. What `is_open` (a template, say) is not judged yet."""
        errors = [error for error in _leaves(self._validator.iter_errors(value)) if not is_open(error.instance)]
        errors.sort(key=lambda error: [str(step) for step in error.absolute_path])
        found = [problem for error in errors for problem in self._explain(error, locate)]
        return _without_twins(found)

    def _explain(self, error: ValidationError, locate: Locate) -> Iterator[Problem]:
        explain = EXPLANATIONS.get(str(error.validator), _other)
        yield from explain(self, error, locate)

    def tell(self, code: str, message: str, location: Location | None, hint: str = "") -> Problem:
        return Problem(f"{self._stage}.{code}", message, location, hint)

    def shown(self, value: Any) -> str:
        """The value found, or only its kind when it is somebody's data."""
        if self._personal:
            return kind_of(value)
        if isinstance(value, str):
            return f'"{value if len(value) <= 60 else value[:60] + "…"}"'
        if isinstance(value, Mapping | list):
            return kind_of(value)
        return json.dumps(value, default=str)


def schema_problem(body: Any) -> str:
    """Why this is not a JSON Schema, "" when it is one."""
    try:
        Draft202012Validator.check_schema(body)
    except SchemaError as error:
        place = ".".join(str(step) for step in error.absolute_path)
        return f'at "{place}": {error.message}' if place else error.message
    return ""


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """Inside anyOf and oneOf the branch that came furthest says most."""
    for error in errors:
        if error.validator in ("anyOf", "oneOf") and error.context:
            branches: dict[Any, list[ValidationError]] = {}
            for inner in error.context:
                branches.setdefault(inner.schema_path[0], []).append(inner)
            best = max(branches.values(), key=lambda group: max(len(inner.absolute_path) for inner in group))
            yield from _leaves(iter(best))
        else:
            yield error


def _path(error: ValidationError) -> tuple[str | int, ...]:
    return tuple(error.absolute_path)


def _name(error: ValidationError) -> str:
    steps = [str(step) for step in error.absolute_path if isinstance(step, str)]
    return (
        steps[-1]
        if steps
        else str(error.schema.get("title", "value"))
        if isinstance(error.schema, Mapping)
        else "value"
    )


def _listed(error: ValidationError) -> list[Any]:
    return list(error.validator_value) if isinstance(error.validator_value, list) else []


def _keys(error: ValidationError) -> list[str]:
    return [str(key) for key in error.instance] if isinstance(error.instance, Mapping) else []


def _required(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    properties: Mapping[str, Any] = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
    missing = [name for name in _listed(error) if name not in _keys(error)]
    for name in missing:
        # One slip, one problem: a near key that nobody knows is told by the unknown-key complaint.
        unknown = [key for key in _keys(error) if key not in properties]
        if nearest(name, unknown):
            continue
        rule = properties.get(name)
        about = str(rule.get("description", "")) if isinstance(rule, Mapping) else ""
        yield schema.tell(
            "missing-key",
            f'missing key "{name}"',
            locate(_path(error), True),
            about and f"{name}: {_lower_first(about)}",
        )


def _additional(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    assert isinstance(error.schema, Mapping)
    known = list(error.schema.get("properties", {}))
    for name in _keys(error):
        if name not in known:
            free = [key for key in known if key not in _keys(error)]
            hint = did_you_mean(name, free) or (
                f"known keys: {', '.join(known)}" if known and len(known) <= 20 else "remove it"
            )
            yield schema.tell("unknown-key", f'unknown key "{name}"', locate((*_path(error), name), True), hint)


def _type(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = _listed(error) or [str(error.validator_value)]
    words = " or ".join(_KINDS.get(str(kind), str(kind)) for kind in wanted)
    hint = ""
    if "string" in wanted and not isinstance(error.instance, Mapping | list):
        hint = "put quotes around it"
    message = f'"{_name(error)}" is {kind_of(error.instance)}, expected {words}'
    yield schema.tell("wrong-type", message, locate(_path(error), False), hint)


def _enum(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    allowed = [str(value) for value in _listed(error)]
    given = error.instance if isinstance(error.instance, str) else ""
    hint = did_you_mean(given, allowed) or f"one of: {', '.join(allowed)}"
    message = (
        f'"{_name(error)}" is {schema.shown(error.instance)}, expected one of {len(allowed)} words'
        if len(allowed) > 1
        else f'"{_name(error)}" is {schema.shown(error.instance)}, expected {allowed[0]}'
    )
    yield schema.tell("unknown-value", message, locate(_path(error), False), hint)


def _const(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    message = f'"{_name(error)}" is {schema.shown(error.instance)}, expected {json.dumps(error.validator_value)}'
    yield schema.tell(
        "unknown-value", message, locate(_path(error), False), f"write {json.dumps(error.validator_value)}"
    )


def _pattern(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    form = error.schema.get("x-form", "") if isinstance(error.schema, Mapping) else ""
    wanted = form or f"text that matches {error.validator_value}"
    message = f'"{_name(error)}" is {schema.shown(error.instance)}, expected {wanted}'
    yield schema.tell("pattern", message, locate(_path(error), False), f"write {wanted}")


def _empty(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    yield schema.tell(
        "empty",
        f'"{_name(error)}" is empty',
        locate(_path(error), False),
        "give it a value or remove the key",
    )


def _key_name(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    yield schema.tell(
        "key-name",
        f"key {schema.shown(error.instance)} is not a name here",
        locate((*_path(error), str(error.instance)), True),
        "use lower-case letters, digits and underscores, starting with a letter",
    )


def _other(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = json.dumps(error.validator_value, default=str)
    message = f'"{_name(error)}" is {schema.shown(error.instance)}, which breaks {error.validator}: {wanted}'
    yield schema.tell("value", message, locate(_path(error), False), f"mind {error.validator}: {wanted}")


EXPLANATIONS: dict[str, Callable[[Schema, ValidationError, Locate], Iterator[Problem]]] = {
    "additionalProperties": _additional,
    "const": _const,
    "enum": _enum,
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "pattern": _pattern,
    "propertyNames": _key_name,
    "required": _required,
    "type": _type,
}

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


def _without_twins(problems: Sequence[Problem]) -> list[Problem]:
    seen: set[tuple[str, str, str]] = set()
    kept: list[Problem] = []
    for problem in problems:
        key = (problem.code, problem.message, str(problem.location))
        if key not in seen:
            seen.add(key)
            kept.append(problem)
    return kept


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
