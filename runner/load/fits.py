"""Does a value surely fit a JSON Schema? The plain keywords only, read directly.

Almost every value fits, and most schemas are plain: so the library that explains misfits (and takes 40 ms to import)
is asked only when this says no. A no means "not surely".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

IsOpen = Callable[[Any], bool]

DEEPEST = 64
TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float, Decimal),
    "object": (dict,),
    "string": (str,),
}
# What says nothing about the value.
SILENT = frozenset(
    ("$comment", "$defs", "$id", "$schema", "default", "definitions", "deprecated", "description", "examples", "format")
) | {"readOnly", "title", "writeOnly"}


def fits(value: Any, schema: Any, is_open: IsOpen) -> bool:
    """True when `value` fits for certain. What `is_open` (a template, say) fits anything."""
    return _fits(value, schema, schema, is_open, 0)


def _fits(value: Any, schema: Any, root: Any, is_open: IsOpen, depth: int) -> bool:
    if schema is True or is_open(value):
        return True
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return False

    def inner(part: Any, part_schema: Any) -> bool:
        return _fits(part, part_schema, root, is_open, depth + 1)

    for keyword, rule in schema.items():
        if keyword in SILENT or keyword.startswith("x-"):
            continue
        if keyword in INSIDE:
            holds = INSIDE[keyword](value, rule, schema, inner)
        elif keyword == "$ref":
            holds = inner(value, _target(rule, root))
        else:
            holds = keyword in PLAIN and PLAIN[keyword](value, rule)
        if not holds:
            return False
    return True


def _target(reference: Any, root: Any) -> Any:
    """What a reference such as `#/$defs/step` leads to; nothing that fits when it is of another form."""
    if not isinstance(reference, str) or not reference.startswith("#/") or "~" in reference or "%" in reference:
        return False
    node = root
    for name in reference[2:].split("/"):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def _type(value: Any, rule: Any) -> bool:
    # By exact type: True is no integer, and what jsonschema makes of subclasses is its own matter.
    return any(type(value) in TYPES.get(name, ()) for name in ([rule] if isinstance(rule, str) else rule))


def _enum(value: Any, rule: Any) -> bool:
    return any(type(value) is type(entry) and value == entry for entry in rule)


def _pattern(value: Any, rule: Any) -> bool:
    return not isinstance(value, str) or _compiled(rule).search(value) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _sized(
    kind: type[list[Any] | str | dict[str, Any]], holds: Callable[[int, int], bool]
) -> Callable[[Any, Any], bool]:
    return lambda value, rule: not isinstance(value, kind) or holds(len(value), rule)


def _bound(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, rule: type(value) not in TYPES["number"] or holds(value, rule)


def _at_least(one: Any, other: Any) -> bool:
    return bool(one >= other)


def _at_most(one: Any, other: Any) -> bool:
    return bool(one <= other)


PLAIN: dict[str, Callable[[Any, Any], bool]] = {
    "const": lambda value, rule: _enum(value, [rule]),
    "enum": _enum,
    "maxItems": _sized(list, _at_most),
    "maxLength": _sized(str, _at_most),
    "maxProperties": _sized(dict, _at_most),
    "maximum": _bound(_at_most),
    "minItems": _sized(list, _at_least),
    "minLength": _sized(str, _at_least),
    "minProperties": _sized(dict, _at_least),
    "minimum": _bound(_at_least),
    "pattern": _pattern,
    "required": lambda value, rule: not isinstance(value, dict) or all(name in value for name in rule),
    "type": _type,
}

Fits = Callable[[Any, Any], bool]


def _properties(value: Any, rule: Any, _schema: Any, inner: Fits) -> bool:
    return not isinstance(value, dict) or all(inner(value[name], rule[name]) for name in rule if name in value)


def _others(value: Any, rule: Any, schema: Any, inner: Fits) -> bool:
    if not isinstance(value, dict) or rule is True:
        return True
    if "patternProperties" in schema:
        return False
    known = schema.get("properties", {})
    return all(inner(entry, rule) for name, entry in value.items() if name not in known)


def _items(value: Any, rule: Any, schema: Any, inner: Fits) -> bool:
    if "prefixItems" in schema:
        return False
    return not isinstance(value, list) or all(inner(entry, rule) for entry in value)


def _names(value: Any, rule: Any, _schema: Any, inner: Fits) -> bool:
    return not isinstance(value, dict) or all(isinstance(name, str) and inner(name, rule) for name in value)


INSIDE: dict[str, Callable[[Any, Any, Any, Fits], bool]] = {
    "additionalProperties": _others,
    "items": _items,
    "properties": _properties,
    "propertyNames": _names,
}
