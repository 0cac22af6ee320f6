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
Fits = Callable[[Any, Any], bool]

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
# What is read together with another keyword.
BESIDE = frozenset(("else", "maxContains", "minContains", "then"))
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
        if keyword in SILENT or keyword in BESIDE or keyword.startswith("x-"):
            continue
        if keyword == "if":
            holds = _if(value, rule, schema, inner, is_open)
        elif keyword == "contains":
            holds = _contains(value, rule, schema, inner, is_open)
        elif keyword in INSIDE:
            holds = INSIDE[keyword](value, rule, schema, inner)
        elif keyword == "$ref":
            holds = inner(value, _target(rule, root))
        else:
            holds = keyword in PLAIN and PLAIN[keyword](value, rule)
        if not holds:
            return False
    return True


def _misfits(value: Any, schema: Any, is_open: IsOpen) -> bool:
    """Does it surely not fit? Judged by the exact keywords alone."""
    if is_open(value) or not isinstance(schema, Mapping):
        return False
    # Numbers are left out: which of them are the same is the library's own matter.
    exact = EXACT_OF_TEXT if isinstance(value, str) else EXACT_OF_MAPPINGS if isinstance(value, dict) else ()
    if any(name in schema and not PLAIN[name](value, schema[name]) for name in exact):
        return True
    properties = schema.get("properties", {})
    inside = value if isinstance(value, dict) and isinstance(properties, Mapping) else {}
    return any(_misfits(entry, properties[name], is_open) for name, entry in inside.items() if name in properties)


def _if(value: Any, rule: Any, schema: Any, inner: Fits, is_open: IsOpen) -> bool:
    """Whichever branch may count has to fit; what is not known yet decides for none."""
    if _rests(value, rule, is_open):
        return True
    may_hold, may_fail = not _misfits(value, rule, is_open), not inner(value, rule)
    return (not may_hold or inner(value, schema.get("then", True))) and (
        not may_fail or inner(value, schema.get("else", True))
    )


def _rests(value: Any, schema: Any, is_open: IsOpen) -> bool:
    """Does it fit only because something is not known yet?"""
    if is_open(value):
        return True
    properties = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    inside = value if isinstance(value, dict) else {}
    return any(_rests(inside[name], entry, is_open) for name, entry in properties.items() if name in inside)


def _contains(value: Any, rule: Any, schema: Any, inner: Fits, is_open: IsOpen) -> bool:
    if not isinstance(value, list):
        return True
    open_ones = [_rests(entry, rule, is_open) for entry in value]
    # Whatever is not known yet may be what is wanted, and need not be.
    least = sum(open_ones) + sum(inner(entry, rule) for entry in value if not is_open(entry))
    most = sum(not _misfits(entry, rule, is_open) for entry in value) - sum(open_ones)
    return bool(least >= schema.get("minContains", 1) and most <= schema.get("maxContains", len(value)))


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

EXACT_OF_TEXT = ("const", "enum", "pattern")
EXACT_OF_MAPPINGS = ("required",)


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


def _all(value: Any, rule: Any, _schema: Any, inner: Fits) -> bool:
    return all(inner(value, part) for part in rule)


def _names(value: Any, rule: Any, _schema: Any, inner: Fits) -> bool:
    return not isinstance(value, dict) or all(isinstance(name, str) and inner(name, rule) for name in value)


INSIDE: dict[str, Callable[[Any, Any, Any, Fits], bool]] = {
    "additionalProperties": _others,
    "allOf": _all,
    "items": _items,
    "properties": _properties,
    "propertyNames": _names,
}
