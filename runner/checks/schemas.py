"""Compare a check with a JSON Schema: is there such a field, and could it ever have that value?

Only what a schema says plainly counts. Where it offers alternatives (`oneOf` and the like) we don't guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.checks.errors import CheckError, Finding, did_you_mean, listed, nearest
from runner.checks.operators import equal, number
from runner.checks.parsing import split
from runner.checks.paths import path_text
from runner.checks.slips import described
from runner.model.check import Check, Path

Schema = Mapping[str, Any]

_OPEN = ("allOf", "anyOf", "oneOf", "if", "patternProperties", "prefixItems")
_MAX_REFS = 50
_YES = {
    "yes": "true",
    "y": "true",
    "on": "true",
    "no": "false",
    "n": "false",
    "off": "false",
    "true": "true",
    "false": "false",
}


def enum_problem(check: Check, schema: Schema, subject: str = "the answer") -> Finding | None:
    """An operand that the schema rules out, by enum or by type. `subject`: what the answer is, in words."""
    if check.is_template or check.count:
        return None
    node = _declared(check.path, schema)
    if node is not None and check.operator in ("contains", "not contains"):
        node = _resolve(node.get("items"), schema) if "array" in _types(node) else None
    elif check.operator not in ("==", "!=", "in", "not in"):
        return None
    if node is None:
        return None
    for operand in check.operand if isinstance(check.operand, list) else [check.operand]:
        found = _not_in_enum(check, node, operand, subject) or _wrong_type(check, node, operand)
        if found:
            return found
    return None


def _declared(path: Path, schema: Schema) -> Schema | None:
    if path == ("http",) and "http" not in schema.get("properties", {}):
        return {"type": "integer"}
    node: Schema | None = schema
    for step in path:
        node = _resolve(node, schema)
        node = _step(node, step) if node is not None else None
        if node is None:
            return None
    return _resolve(node, schema)


def _resolve(node: Any, root: Schema) -> Schema | None:
    """The node that a chain of local `$ref` leads to; None where we can't follow."""
    for _ in range(_MAX_REFS):
        if not isinstance(node, Mapping):
            return None
        reference = node.get("$ref")
        if reference is None:
            return node
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            return None
        node = root
        for name in reference[2:].split("/") if reference != "#" else ():
            name = name.replace("~1", "/").replace("~0", "~")
            node = node.get(name) if isinstance(node, Mapping) else None
    return None


def _step(node: Schema, step: str | int) -> Schema | None:
    if isinstance(step, int):
        found = node.get("items") if "prefixItems" not in node else None
    else:
        properties = node.get("properties") or {}
        found = properties[step] if step in properties else node.get("additionalProperties")
    return found if isinstance(found, Mapping) else None


def _types(node: Schema) -> frozenset[str]:
    declared = node.get("type", ())
    return frozenset([declared] if isinstance(declared, str) else declared)


def _not_in_enum(check: Check, node: Schema, operand: Any, subject: str) -> Finding | None:
    allowed = node["enum"] if "enum" in node else [node["const"]] if "const" in node else None
    if not isinstance(allowed, list) or any(equal(operand, value) for value in allowed):
        return None
    if operand is None and "null" in _types(node):
        return None
    written = operand if isinstance(operand, str) else _written(operand)
    right = nearest(written, [value for value in allowed if isinstance(value, str)])
    name = next((step for step in reversed(check.path) if isinstance(step, str)), "value")
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return Finding(
        "check.unknown-value",
        f'"{written}" is not {article} {name} of {subject}',
        did_you_mean(right) if right else f"it is one of {listed(map(_written, allowed))}",
        *_operand_span(check, operand),
        near=right is not None,
    )


def _wrong_type(check: Check, node: Schema, operand: Any) -> Finding | None:
    types = _types(node) - {"null"}
    if operand is None or not types or "enum" in node:
        return None
    is_bool = isinstance(operand, bool)
    hint = ""
    if types == {"boolean"} and not is_bool:
        kind = "true or false"
        if isinstance(operand, str):
            word = _YES.get(operand.lower())
            hint = did_you_mean(word) if word else ""
    elif types <= {"number", "integer"} and (is_bool or number(operand) is None):
        kind = "a number"
    elif types == {"string"} and (is_bool or isinstance(operand, list)):
        kind = "text"
        hint = f"put quotes around it: \"'{_written(operand)}'\"" if is_bool else ""
    else:
        return None
    found = described(operand, _written(operand))
    message = f'"{path_text(check.path)}" is {kind}, found {found}'
    return Finding("check.wrong-type", message, hint, *_operand_span(check, operand), near=bool(hint))


def _written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _operand_span(check: Check, operand: Any) -> tuple[int, int]:
    """Where the operand stands in the check: the word, or the whole value when it is spelled otherwise."""
    try:
        parts = split(check.text)
    except CheckError:  # built by hand, not read from text
        return 0, len(check.text)
    word = _written(operand)
    at = check.text.find(word, parts.value_at) if word else -1
    return (at, at + len(word)) if at >= 0 else (parts.value_at, parts.value_at + len(parts.value))


def path_problem(check: Check | Path, schema: Schema) -> Finding | None:
    """A step that the schema does not know. Offsets count in the check's text or in `path_text(path)`."""
    path, start = (check, 0) if isinstance(check, tuple) else (check.path, _path_start(check))
    if path == ("http",) or path[:1] == ("header",):
        return None
    node: Schema | None = schema
    for at, step in enumerate(path):
        node = _resolve(node, schema)
        if node is None or any(key in node for key in _OPEN):
            return None
        if wrong := _unknown_step(path, at, node):
            message, hint, near = wrong
            begin = start + len(path_text(path[:at]))
            end = start + len(path_text(path[: at + 1]))
            begin += isinstance(step, str) and at > 0 and end - begin == len(step) + 1
            return Finding("check.unknown-path", message, hint, begin, end, near)
        node = _step(node, step)
    return None


def _path_start(check: Check) -> int:
    try:
        return split(check.text).path_at
    except CheckError:
        return 0


def _unknown_step(path: Path, at: int, node: Schema) -> tuple[str, str, bool] | None:
    step, before, after = path[at], path[:at], path[at + 1 :]
    types = _types(node) - {"null"}
    place = f'"{path_text(before)}"' if before else "the answer"
    if isinstance(step, int):
        return (f"{place} is not a list", f"it is {_kinds(types)}", False) if types and "array" not in types else None
    if types == {"array"}:
        return f"{place} is a list", did_you_mean(path_text((*before, 0, step, *after))), True
    if types and "object" not in types:
        return f"{place} has no fields", f"it is {_kinds(types)}", False
    known = node.get("properties")
    if not isinstance(known, Mapping) or step in known or isinstance(node.get("additionalProperties"), Mapping):
        return None
    right = nearest(step, known)
    where = f"{place} of the answer" if before else place
    message = f'{where} has no field "{step}"'
    if right:
        return message, did_you_mean(path_text((*before, right, *after))), True
    return message, f"its fields are {listed(known)}", False


def _kinds(types: frozenset[str]) -> str:
    names: Iterator[str] = (_KINDS.get(name, name) for name in sorted(types))
    return " or ".join(names)


_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
