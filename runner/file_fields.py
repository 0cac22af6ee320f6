"""Which values of a call are documents: fields that the operation's request schema marks with `x-file`. Pure.

`x-file: true` travels as a part of a multipart body, `x-file: data-uri` as text inside a JSON body. Where the schema
marks its `additionalProperties`, every other name is a document too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

FieldPath = tuple[str, ...]


def file_fields(schema: Mapping[str, Any], values: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """The place and the value of every document in `values`, however deep."""
    if not isinstance(values, Mapping):
        return
    for name, value in values.items():
        rule = rule_of(schema, name)
        if rule.get("x-file"):
            yield (*path, name), value
        else:
            yield from file_fields(rule, value, (*path, name))


def with_files(schema: Mapping[str, Any], values: Any, encode: Callable[[Any], Any]) -> Any:
    """`values` with every document put through `encode`; the rest as it is."""
    if not isinstance(values, Mapping):
        return values
    filled: dict[str, Any] = {}
    for name, value in values.items():
        rule = rule_of(schema, name)
        is_file = rule.get("x-file") and value is not None
        filled[name] = encode(value) if is_file else with_files(rule, value, encode)
    return filled


def rule_of(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What the schema says of the field of this name."""
    rule = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return rule if isinstance(rule, Mapping) else {}
