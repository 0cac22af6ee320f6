"""Which values of a call are documents: fields that the operation's request schema marks with `x-file`. Pure.

`x-file: true` travels as a part of a multipart body, `x-file: data-uri` as text inside a JSON body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

FieldPath = tuple[str, ...]


def file_fields(schema: Mapping[str, Any], values: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """The place and the value of every document in `values`, however deep."""
    if not isinstance(values, Mapping):
        return
    for name, rule in schema.get("properties", {}).items():
        if name not in values or not isinstance(rule, Mapping):
            continue
        if rule.get("x-file"):
            yield (*path, name), values[name]
        else:
            yield from file_fields(rule, values[name], (*path, name))


def with_files(schema: Mapping[str, Any], values: Any, encode: Callable[[Any], Any]) -> Any:
    """`values` with every document put through `encode`; the rest as it is."""
    if not isinstance(values, Mapping):
        return values
    properties = schema.get("properties", {})
    filled: dict[str, Any] = {}
    for name, value in values.items():
        rule = properties.get(name)
        if isinstance(rule, Mapping) and rule.get("x-file") and value is not None:
            filled[name] = encode(value)
        else:
            filled[name] = with_files(rule, value, encode) if isinstance(rule, Mapping) else value
    return filled
