"""Which values a JSON Schema declares to be people's data, by `x-data-class`.

The classes are `identity`, `contact`, `document` and `financial`. A class on a mapping or list
covers everything inside it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from runner.redact.redactor import MASK

DATA_CLASS = "x-data-class"

Schema = Mapping[str, Any]


def classified(value: Any, schema: Schema) -> Iterator[str]:
    """The texts and numbers in `value` that the schema gives a data class, whatever class."""
    return _classified(value, _applying([schema], schema), schema, covered=False)


def _classified(value: Any, nodes: list[Schema], root: Schema, covered: bool) -> Iterator[str]:
    covered = covered or _data_class(nodes) is not None
    if isinstance(value, (Mapping, list, tuple)):
        for step, item in _items(value):
            yield from _classified(item, _children(nodes, step, root), root, covered)
    elif covered and isinstance(value, (str, int, float, Decimal)) and not isinstance(value, bool):
        yield str(value)


def is_classified(path: Sequence[str | int], schema: Schema) -> bool:
    """Whether what stands at `path` has a data class, lies inside something that has, or holds one."""
    nodes = _applying([schema], schema)
    for step in path:
        if _data_class(nodes):
            return True
        nodes = _children(nodes, step, schema)
    return _holds_class(nodes, schema, set())


def _holds_class(nodes: list[Schema], root: Schema, seen: set[int]) -> bool:
    fresh = [node for node in nodes if id(node) not in seen]
    seen.update(map(id, fresh))
    inner = _applying((child for node in fresh for child in _all_steps(node)), root)
    return _data_class(nodes) is not None or (bool(fresh) and _holds_class(inner, root, seen))


def _all_steps(node: Schema) -> Iterator[Any]:
    yield from (node.get("properties") or {}).values()
    yield from (node.get("patternProperties") or {}).values()
    yield from node.get("prefixItems") or ()
    yield from (node.get("items"), node.get("additionalProperties"))


def mask(value: Any, schema: Schema, classes: Container[str] | None = None) -> Any:
    """The value with `***` for everything the schema gives a data class; with `classes`, only for those."""
    return _mask(value, _applying([schema], schema), schema, classes, covered=False)


def _mask(value: Any, nodes: list[Schema], root: Schema, classes: Container[str] | None, covered: bool) -> Any:
    name = _data_class(nodes)
    covered = covered or (name is not None and (classes is None or name in classes))
    if isinstance(value, (Mapping, list, tuple)):
        masked = {
            step: _mask(item, _children(nodes, step, root), root, classes, covered) for step, item in _items(value)
        }
        return masked if isinstance(value, Mapping) else list(masked.values())
    return MASK if covered and value is not None else value


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else enumerate(value)


def _data_class(nodes: list[Schema]) -> str | None:
    return next((str(node[DATA_CLASS]) for node in nodes if node.get(DATA_CLASS)), None)


def _children(nodes: list[Schema], step: Any, root: Schema) -> list[Schema]:
    return _applying((child for node in nodes for child in _steps(node, step)), root)


def _steps(node: Schema, step: Any) -> Iterator[Any]:
    if isinstance(step, int):
        first = node.get("prefixItems") or ()
        yield first[step] if step < len(first) else node.get("items")
        return
    named = (node.get("properties") or {}).get(step)
    patterns = [child for name, child in (node.get("patternProperties") or {}).items() if re.search(name, str(step))]
    yield from patterns
    yield named if named is not None or patterns else node.get("additionalProperties")


def _applying(nodes: Iterable[Any], root: Schema) -> list[Schema]:
    """The schemas and all they refer to. An alternative counts as well: better one `***` too many."""
    found: list[Schema] = []
    waiting = list(nodes)
    seen: set[int] = set()
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, Mapping) or id(node) in seen:
            continue
        seen.add(id(node))
        found.append(node)
        waiting.append(_local(node.get("$ref"), root))
        waiting += [node.get(key) for key in ("if", "then", "else")]
        waiting += [branch for key in ("allOf", "anyOf", "oneOf") for branch in node.get(key) or ()]
    return found


def _local(reference: Any, root: Schema) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    node: Any = root
    for name in reference[1:].split("/")[1:]:
        node = node.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return node
