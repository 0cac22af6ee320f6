"""The one home of JSON Schema: hold a value against a schema and complain in our words, with places."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import rules
from runner.load.fits import IsOpen, fits
from runner.load.yaml_values import kind_of
from runner.model.problem import Location, Problem
from runner.nearest import did_you_mean, nearest

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

LOOSEN = "take one of its references out of the circle"

Locate = Callable[[tuple[str | int, ...], bool], Location | None]


class Schema:
    """A JSON Schema ready for use. `personal` keeps values out of messages: they are somebody's data."""

    def __init__(
        self,
        body: Mapping[str, Any],
        *,
        stage: str = "schema",
        personal: bool = False,
        name: str = '"value"',
        today: date | None = None,
    ) -> None:
        """`today` is what dates are held against; without it they are not."""
        self.body = body
        self._today = today
        self.name = name
        self._stage = stage
        self.personal = personal

    @cached_property
    def _validator(self) -> Draft202012Validator:
        # Imported when something is wrong, or not plain: see runner/load/fits.py.
        from jsonschema import Draft202012Validator
        from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

        # The registry holds the meta-schemas and no way to fetch more: nothing is asked of the network.
        return Draft202012Validator(self.body, registry=REGISTRY)

    @classmethod
    def read(cls, path: Path, *, stage: str = "schema", personal: bool = False) -> Schema:
        return cls(json.loads(path.read_bytes()), stage=stage, personal=personal)

    def problems(self, value: Any, locate: Locate, is_open: IsOpen = lambda value: False) -> list[Problem]:
        """Every complaint, in the order of the file. What `is_open` (a template, say) is not judged yet."""
        broken = [
            self.tell("rule", found.message, locate(found.path, False), found.hint)
            for found in rules.broken(self.body, value, self._today, is_open)
        ]
        if fits(value, self.body, is_open):
            return broken
        try:
            errors = [error for error in _leaves(self._validator.iter_errors(value)) if not _rests_on(error, is_open)]
        except RecursionError:
            return [self.tell("value", "the schema leads back to itself without end", locate((), False), LOOSEN)]
        errors.sort(key=lambda error: [(isinstance(step, str), step) for step in error.absolute_path])
        explained = (problem for error in errors for problem in self._explain(error, locate))
        return list(dict.fromkeys((*explained, *broken)))

    def _explain(self, error: ValidationError, locate: Locate) -> Iterator[Problem]:
        explain = EXPLANATIONS.get(str(error.validator), _other)
        if list(error.schema_path)[-2:-1] == ["propertyNames"]:
            explain = _key_name
        yield from explain(self, error, locate)

    def tell(self, code: str, message: str, location: Location | None, hint: str = "") -> Problem:
        return Problem(f"{self._stage}.{code}", message, location, hint)

    def named(self, error: ValidationError) -> str:
        """What the complaint is about: `"retry"`, `entry 2 of "expect"`, or the whole value by its name."""
        path = _path(error)
        keys = [step for step in path if isinstance(step, str)]
        owner = f'"{keys[-1]}"' if keys else self.name
        inside = path[-1] if path else None
        return f"entry {inside + 1} of {owner}" if isinstance(inside, int) else owner

    def shown(self, value: Any) -> str:
        """The value found, or only its kind when it is somebody's data."""
        if self.personal:
            return kind_of(value)
        if isinstance(value, str):
            return f'"{_short(value)}"'
        if isinstance(value, Mapping | list):
            return kind_of(value)
        return json.dumps(value, default=str)


def schema_complaints(body: Mapping[str, Any], locate: Locate) -> list[Problem]:
    """Why this is not a JSON Schema that we can use; empty when it is one."""
    from jsonschema import Draft202012Validator

    meta = Schema(Draft202012Validator.META_SCHEMA)
    if found := meta.problems(body, locate):
        return found
    return [meta.tell("value", message, locate(path, False), hint) for path, message, hint in _unusable(body)]


def pattern_complaints(body: Mapping[str, Any], locate: Locate) -> list[Problem]:
    """What is wrong with the patterns of a schema whose keys are known to be right."""
    tell = Schema(body).tell
    return [tell("value", message, locate(path, False), hint) for path, message, hint in _unreadable(body)]


_Complaint = tuple[tuple[str | int, ...], str, str]


def _unreadable(body: Any) -> Iterator[_Complaint]:
    for path, schema in _subschemas(body, ()):
        patterns = [((*path, "pattern"), schema["pattern"])] if isinstance(schema.get("pattern"), str) else []
        patterns += [((*path, "patternProperties", name), name) for name in schema.get("patternProperties", {})]
        for place, pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                yield place, f'"{_short(pattern)}" is not a regular expression: {error.msg}', "correct it"


def _unusable(body: Any) -> Iterator[_Complaint]:
    """What the meta-schema can't see: patterns that can't be read, references that lead nowhere or in a circle."""
    from jsonschema import Draft202012Validator
    from jsonschema_specifications import REGISTRY
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    yield from _unreadable(body)
    root = DRAFT202012.create_resource(body)
    resolver = REGISTRY.with_resource("", root).resolver_with_root(root)
    is_sound = True
    for path, schema in _subschemas(body, ()):
        if "$ref" in schema:
            try:
                resolver.lookup(schema["$ref"])
            except Unresolvable:
                is_sound = False
                hint = "refer to a place in the same schema, e.g. #/$defs/address; nothing is fetched"
                yield (*path, "$ref"), f'reference "{_short(schema["$ref"])}" leads nowhere', hint
    if is_sound:
        try:
            Draft202012Validator(body, registry=REGISTRY).is_valid({})
        except RecursionError:
            yield (), "the schema leads back to itself without end", LOOSEN


_ONE = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")


def _subschemas(body: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    if not isinstance(body, Mapping):
        return
    yield path, body
    inner = [((*path, name), body[name]) for name in _ONE if name in body]
    for keyword in _LISTED:
        inner += [((*path, keyword, number), entry) for number, entry in enumerate(body.get(keyword, ()))]
    for keyword in _NAMED:
        inner += [((*path, keyword, name), entry) for name, entry in body.get(keyword, {}).items()]
    for place, entry in inner:
        yield from _subschemas(entry, place)


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """Inside anyOf and oneOf the branch that came furthest says most."""
    for error in errors:
        if error.validator in ("anyOf", "oneOf") and error.context:
            branches: dict[Any, list[ValidationError]] = {}
            for inner in error.context:
                branches.setdefault(inner.schema_path[0], []).append(inner)
            best = max(branches.values(), key=_reach)
            yield from _leaves(iter(best))
        else:
            yield error


def _rests_on(error: ValidationError, is_open: IsOpen) -> bool:
    """Is the complaint about something that is not known yet?"""
    found = error.instance
    counts = str(error.validator) in ("contains", "maxContains", "minContains")
    return is_open(found) or (counts and isinstance(found, list) and any(map(is_open, found)))


def _reach(errors: Sequence[ValidationError]) -> tuple[int, bool]:
    """How far a branch came: a complaint deep inside says more, and one of another kind says least."""
    return max(len(error.absolute_path) for error in errors), all(error.validator != "type" for error in errors)


def _path(error: ValidationError) -> tuple[str | int, ...]:
    return tuple(error.absolute_path)


def _own_hint(error: ValidationError) -> str:
    return str(error.schema.get("x-hint", "")) if isinstance(error.schema, Mapping) else ""


def _short(text: str) -> str:
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
        place, hint = locate(_path(error), True), ""
        if meant := nearest(name, [key for key in _keys(error) if key not in properties]):
            # One slip, one problem: where unknown keys are told, that complaint says it.
            if is_closed:
                continue
            place, hint = locate((*_path(error), meant), True), f'rename "{meant}"'
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
            hint = did_you_mean(name, free) or (
                f"known keys: {', '.join(known)}" if known and len(known) <= 20 else "remove it"
            )
            yield schema.tell("unknown-key", f'unknown key "{name}"', locate((*_path(error), name), True), hint)


def _type(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = _listed(error) or [str(error.validator_value)]
    form = _form(error)
    words = form or " or ".join(_KINDS.get(str(kind), str(kind)) for kind in wanted)
    message = f"{schema.named(error)} is {kind_of(error.instance)}, expected {words}"
    yield schema.tell(
        "wrong-type",
        message,
        locate(_path(error), False),
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
        return f"make it a list: [{_short(str(found))}]"
    if "array" in wanted:
        return 'make it a list: begin each entry with "- "'
    return f"write {_KINDS.get(wanted[0], wanted[0])}"


def _enum(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    allowed = [str(value) for value in _listed(error)]
    given = error.instance if isinstance(error.instance, str) else ""
    hint = did_you_mean(given, allowed) or _own_hint(error) or f"one of: {', '.join(allowed)}"
    expected = f"one of {len(allowed)} words" if len(allowed) > 1 else f'"{allowed[0]}"'
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {expected}"
    yield schema.tell("unknown-value", message, locate(_path(error), False), hint)


def _const(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = json.dumps(error.validator_value, default=str)
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {wanted}"
    yield schema.tell("unknown-value", message, locate(_path(error), False), f"write {wanted}")


def _pattern(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = _form(error) or f"text that matches {error.validator_value}"
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {wanted}"
    about = str(error.schema.get("description", "")) if isinstance(error.schema, Mapping) else ""
    hint = _own_hint(error) or (_lower_first(about) if about and not _form(error) else f"write {wanted}")
    yield schema.tell("pattern", message, locate(_path(error), False), hint)


def _few(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    size, least = _size(error), error.validator_value
    if size:
        message = f"{schema.named(error)} has {_counted(error, size)}, expected at least {least}"
        yield schema.tell("value", message, locate(_path(error), False), "add what is missing")
        return
    yield schema.tell(
        "empty",
        f"{schema.named(error)} is empty",
        locate(_path(error), False),
        "give it a value or remove the key",
    )


def _many(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    counted = _counted(error, _size(error))
    message = f"{schema.named(error)} has {counted}, expected at most {error.validator_value}"
    yield schema.tell("value", message, locate(_path(error), False), "shorten it")


def _size(error: ValidationError) -> int:
    assert isinstance(error.instance, str | list | Mapping)
    return len(error.instance)


def _counted(error: ValidationError, size: int) -> str:
    one, many = ("character", "characters") if isinstance(error.instance, str) else ("entry", "entries")
    return f"{size} {one if size == 1 else many}"


def _bound(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    wanted = f"{_BOUNDS[str(error.validator)]} {error.validator_value}"
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, expected {wanted}"
    yield schema.tell("value", message, locate(_path(error), False), f"write a number of {wanted}")


def _contains(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    """Too few or too many entries of a kind; the kind is told by the schema's own words."""
    kind = _form(error) or "such an entry"
    most = error.schema.get("maxContains") if isinstance(error.schema, Mapping) else None
    is_over = str(error.validator) == "maxContains" or (most is not None and "Too many" in error.message)
    found = f"has more than {most} of {kind}" if is_over else f"has no {kind}"
    hint = _own_hint(error) or ("remove what is too many" if is_over else "add it")
    yield schema.tell("value", f"{schema.named(error)} {found}", locate(_path(error), False), hint)


def _key_name(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    name = str(error.instance)
    meant = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    yield schema.tell(
        "key-name",
        f'key "{_short(name)}" is not a name of lower-case letters, digits and underscores',
        locate((*_path(error), name), True),
        f'write "{meant}"' if re.match("[a-z]", meant) and len(meant) <= 60 else "start it with a letter",
    )


def _other(schema: Schema, error: ValidationError, locate: Locate) -> Iterator[Problem]:
    if error.schema is False:
        yield schema.tell(
            "value", f"{schema.named(error)} is not allowed here", locate(_path(error), True), "remove it"
        )
        return
    wanted = _short(json.dumps(error.validator_value, default=str))
    message = f"{schema.named(error)} is {schema.shown(error.instance)}, which breaks {error.validator}: {wanted}"
    yield schema.tell("value", message, locate(_path(error), False), f"mind {error.validator} of the schema")


EXPLANATIONS: dict[str, Callable[[Schema, ValidationError, Locate], Iterator[Problem]]] = {
    "additionalProperties": _additional,
    "const": _const,
    "contains": _contains,
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
