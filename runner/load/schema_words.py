"""What JSON Schema complains of, in our words: one function for each keyword, each with a way out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runner.load.yaml_values import kind_of
from runner.model.problem import Location, Problem
from runner.nearest import did_you_mean, nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from runner.load.schema import Schema

Locate = Callable[[tuple[str | int, ...], bool], Location | None]


def path_of(error: ValidationError) -> tuple[str | int, ...]:
    return tuple(error.absolute_path)


def _own_hint(error: ValidationError) -> str:
    return str(error.schema.get("x-hint", "")) if isinstance(error.schema, Mapping) else ""


def short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _form(error: ValidationError) -> str:
    return str(error.schema.get("x-form", "")) if isinstance(error.schema, Mapping) else ""


def _listed(error: ValidationError) -> list[Any]:
    return list(error.validator_value) if isinstance(error.validator_value, list) else []


def _keys(error: ValidationError) -> list[str]:
    return [str(key) for key in error.instance] if isinstance(error.instance, Mapping) else []


def _required(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    rules = error.schema if isinstance(error.schema, Mapping) else {}
    properties: Mapping[str, Any] = rules.get("properties", {})
    is_closed = rules.get("additionalProperties") is False
    missing = [name for name in _listed(error) if name not in _keys(error)]
    for name in missing:
        place, hint = locate(path_of(error), True), ""
        is_branch = {"then", "else", "allOf", "anyOf", "oneOf"} & {str(step) for step in error.schema_path}
        if not is_branch and (meant := nearest(name, [key for key in _keys(error) if key not in properties])):
            # One slip, one problem: where unknown keys are told, that complaint says it.
            if is_closed:
                continue
            place, hint = locate((*path_of(error), meant), True), f'rename "{meant}"'
        rule = properties.get(name)
        about = str(rule.get("description", "")) if isinstance(rule, Mapping) else ""
        yield schema.tell(
            "missing-key",
            f'missing key "{name}"',
            place,
            hint or (about and f"{name}: {_lower_first(about)}") or f'add "{name}"',
        )


def _additional(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    assert isinstance(error.schema, Mapping)
    known = list(error.schema.get("properties", {}))
    for name in _keys(error):
        if name not in known:
            free = [key for key in known if key not in _keys(error)]
            meant = nearest(name, known)
            if meant is not None and meant not in free:
                hint = f'did you mean "{meant}"? It is there already: remove "{name}"'
            else:
                hint = did_you_mean(name, free) or (
                    f"known keys: {', '.join(known)}" if known and len(known) <= 20 else "remove it"
                )
            yield schema.tell("unknown-key", f'unknown key "{name}"', locate((*path_of(error), name), True), hint)


def _type(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = _listed(error) or [str(error.validator_value)]
    form = _form(error)
    words = form or " or ".join(_KINDS.get(str(kind), str(kind)) for kind in wanted)
    message = f"{schema.named(error)} is {kind_of(error.instance)}, expected {words}"
    yield schema.tell(
        "wrong-type",
        message,
        locate(path_of(error), False),
        _type_hint(error, wanted, form, schema.personal),
    )


def _type_hint(error: ValidationError, wanted: Sequence[str], form: str, personal: bool) -> str:
    found = error.instance
    if hint := _own_hint(error):
        return hint
    if found is None:
        return "give it a value or remove the key"
    if form:
        is_unquoted = isinstance(error.schema, Mapping) and re.match(error.schema.get("pattern", "$"), str(found))
        return "put quotes around it" if is_unquoted else f"write {form}"
    if "string" in wanted:
        return "write it as one text" if isinstance(found, Mapping | list) else "put quotes around it"
    if wanted == ["boolean"] and isinstance(found, str) and found.lower() in _TRUTH:
        return f"write {_TRUTH[found.lower()]}"
    if wanted == ["array"] and not isinstance(found, Mapping | list) and not personal:
        return f"make it a list: [{short(str(found))}]"
    if "array" in wanted:
        return 'make it a list: begin each entry with "- "'
    return f"write {_KINDS.get(wanted[0], wanted[0])}"


def _depends(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    """The library tells each missing key alone, and names the pair only in its message."""
    rules = error.validator_value if isinstance(error.validator_value, Mapping) else {}
    for name, others in rules.items():
        for other in others:
            if error.message == f"{other!r} is a dependency of {name!r}":
                message = f'"{name}" needs "{other}" beside it'
                yield schema.tell("missing-key", message, locate((*path_of(error), name), True), f'add "{other}"')


def _enum(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    allowed = [str(value) for value in _listed(error)]
    given = error.instance if isinstance(error.instance, str) else ""
    hint = did_you_mean(given, allowed) or _own_hint(error) or f"one of: {', '.join(allowed)}"
    expected = f"one of {len(allowed)} words" if len(allowed) > 1 else f'"{allowed[0]}"'
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {expected}"
    yield schema.tell("unknown-value", message, locate(path_of(error), False), hint)


def _const(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = json.dumps(error.validator_value, default=str)
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {wanted}"
    yield schema.tell("unknown-value", message, locate(path_of(error), False), f"write {wanted}")


def _pattern(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = _form(error) or f"text that matches {error.validator_value}"
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {wanted}"
    about = str(error.schema.get("description", "")) if isinstance(error.schema, Mapping) else ""
    hint = _own_hint(error) or (_lower_first(about) if about and not _form(error) else f"write {wanted}")
    yield schema.tell("pattern", message, locate(path_of(error), False), hint)


def _few(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    size, least = _size(error), error.validator_value
    if size:
        message = f"{schema.named(error)} has {_counted(error, size)}, expected at least {least}"
        yield schema.tell("value", message, locate(path_of(error), False), "add what is missing")
        return
    yield schema.tell(
        "empty",
        f"{schema.named(error)} is empty",
        locate(path_of(error), False),
        "give it a value or remove the key",
    )


def _many(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    counted = _counted(error, _size(error))
    message = f"{schema.named(error)} has {counted}, expected at most {error.validator_value}"
    yield schema.tell("value", message, locate(path_of(error), False), "shorten it")


def _size(error: ValidationError) -> int:
    assert isinstance(error.instance, str | list | Mapping)
    return len(error.instance)


def _counted(error: ValidationError, size: int) -> str:
    one, many = ("character", "characters") if isinstance(error.instance, str) else ("entry", "entries")
    return f"{size} {one if size == 1 else many}"


def _bound(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = f"{_BOUNDS[str(error.validator)]} {error.validator_value}"
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {wanted}"
    yield schema.tell("value", message, locate(path_of(error), False), f"write a number of {wanted}")


def _contains(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    """Too few or too many entries of a kind; the kind is told by the schema's own words."""
    kind = _form(error) or "such an entry"
    most = error.schema.get("maxContains") if isinstance(error.schema, Mapping) else None
    is_over = str(error.validator) == "maxContains" or (most is not None and "Too many" in error.message)
    found = f"has more than {most} of {kind}" if is_over else f"has no {kind}"
    hint = _own_hint(error) or ("remove what is too many" if is_over else "add it")
    yield schema.tell("value", f"{schema.named(error)} {found}", locate(path_of(error), False), hint)


def explain_key_name(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    name = str(error.instance)
    meant = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    yield schema.tell(
        "key-name",
        f'key "{short(name)}" is not a name of lower-case letters, digits and underscores',
        locate((*path_of(error), name), True),
        f'write "{meant}"' if re.match("[a-z]", meant) and len(meant) <= 60 else "start it with a letter",
    )


def explain_other(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    if error.schema is False:
        # The library leaves out which key of the mapping it is about.
        within = schema.inside(path_of(error))
        name = next((key for key, entry in within.items() if entry is error.instance), None)
        told = f'"{name}"' if name is not None else schema.named(error)
        place = locate((*path_of(error), name) if name is not None else path_of(error), True)
        yield schema.tell("value", f"{told} is not allowed here", place, "remove it")
        return
    wanted = short(json.dumps(error.validator_value, default=str))
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, which breaks {error.validator}: {wanted}"
    yield schema.tell("value", message, locate(path_of(error), False), f"mind {error.validator} of the schema")


EXPLANATIONS: dict[str, Callable[[Schema, ValidationError, Locate], Iterator[Problem]]] = {
    "additionalProperties": _additional,
    "const": _const,
    "contains": _contains,
    "dependentRequired": _depends,
    "enum": _enum,
    "exclusiveMaximum": _bound,
    "exclusiveMinimum": _bound,
    "maxContains": _contains,
    "maxItems": _many,
    "maxLength": _many,
    "maxProperties": _many,
    "maximum": _bound,
    "minContains": _contains,
    "minItems": _few,
    "minLength": _few,
    "minProperties": _few,
    "minimum": _bound,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
}

_BOUNDS = {
    "exclusiveMaximum": "less than",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "minimum": "at least",
}
_TRUTH = {"false": "false", "n": "false", "no": "false", "off": "false"} | dict.fromkeys(
    ("true", "y", "yes", "on"), "true"
)
_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


def _lower_first(text: str) -> str:
    lowered = text if text[1:2].isupper() else text[:1].lower() + text[1:]
    return lowered.rstrip(".")
