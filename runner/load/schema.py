"""The one home of JSON Schema: hold a value against a schema and complain in our words, with places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import rules
from runner.load.fits import IsOpen, fits
from runner.load.schema_words import EXPLANATIONS, Locate, explain_key_name, explain_other, path_of, short
from runner.load.yaml_values import kind_of
from runner.model.problem import Location, Problem

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

LOOSEN = "take one of its references out of the circle"


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
        self._value: Any = None
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
        broken = {
            found: self.tell("rule", found.message, locate(found.path, False), found.hint)
            for found in rules.broken(self.body, value, self._today, is_open)
        }
        if fits(value, self.body, is_open):
            return list(broken.values())
        self._value = value
        try:
            errors = [error for error in _leaves(self._validator.iter_errors(value)) if not _rests_on(error, is_open)]
        except RecursionError:
            return [self.tell("value", "the schema leads back to itself without end", locate((), False), LOOSEN)]
        errors.sort(key=lambda error: [(isinstance(step, str), step) for step in error.absolute_path])
        explained = (problem for error in errors for problem in self._explain(error, locate))
        # One slip, one problem: what has not its form is not held against the rules.
        formless = {path_of(error) for error in errors}
        others = (problem for found, problem in broken.items() if found.path not in formless)
        return list(dict.fromkeys((*explained, *others)))

    def _explain(self, error: ValidationError, locate: Locate) -> Iterator[Problem]:
        explain = EXPLANATIONS.get(str(error.validator), explain_other)
        if list(error.schema_path)[-2:-1] == ["propertyNames"]:
            explain = explain_key_name
        yield from explain(self, error, locate)

    def tell(self, code: str, message: str, location: Location | None, hint: str = "") -> Problem:
        return Problem(f"{self._stage}.{code}", message, location, hint)

    def named(self, error: ValidationError) -> str:
        """What the complaint is about: `"retry"`, `entry 2 of "expect"`, or the whole value by its name."""
        path = path_of(error)
        keys = [step for step in path if isinstance(step, str)]
        owner = f'"{keys[-1]}"' if keys else self.name
        inside = path[-1] if path else None
        return f"entry {inside + 1} of {owner}" if isinstance(inside, int) else owner

    def inside(self, path: tuple[str | int, ...]) -> Mapping[str, Any]:
        """The mapping at this place of the value under examination, empty where there is none."""
        found = self._value
        for step in path:
            found = found[step]
        return found if isinstance(found, Mapping) else {}

    def shown(self, value: Any) -> str:
        """The value found, or only its kind when it is somebody's data."""
        if self.personal:
            return kind_of(value)
        if isinstance(value, str):
            return f'"{short(value)}"'
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
                yield place, f'"{short(pattern)}" is not a regular expression: {error.msg}', "correct it"


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
                yield (*path, "$ref"), f'reference "{short(schema["$ref"])}" leads nowhere', hint
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
