"""Give the text cells of a CSV row the types that the clients schema asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from runner.load.row import NUMBER
from runner.load.yaml_values import MAX_DIGITS


def convert(cells: Mapping[str, object], schema: Mapping[str, Any]) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """Give the text cells of a CSV row the types of a JSON Schema; and (dotted column, complaint) of misfits.

    What the schema calls text, or does not know, stays as it is: leading zeros and "+973" survive.
    """
    value, complaints = _convert_mapping(cells, schema, ())
    return value, [(name, f'column "{name}" {message}') for name, message in complaints]


def _convert_mapping(
    cells: Mapping[str, object], schema: Mapping[str, Any], outer: tuple[str, ...]
) -> tuple[dict[str, object], list[tuple[str, str]]]:
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    value: dict[str, object] = {}
    complaints: list[tuple[str, str]] = []
    for name, cell in cells.items():
        inner = known.get(name)
        schema_of_cell: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
        if isinstance(cell, Mapping):
            value[name], more = _convert_mapping(cell, schema_of_cell, (*outer, name))
            complaints += more
        elif isinstance(cell, str):
            value[name], messages = _convert_cell(cell, schema_of_cell)
            complaints += [(".".join((*outer, name)), message) for message in messages]
        else:
            value[name] = cell
    return value, complaints


def _convert_cell(cell: str, schema: Mapping[str, Any]) -> tuple[object, list[str]]:
    declared = schema.get("type")
    types = [declared] if isinstance(declared, str) else list(declared or ())
    if not types or "string" in types:
        return cell, []
    for name in types:
        if name == "array":
            return _convert_list(cell, schema)
        fits, value = CONVERTERS.get(name, _not_convertible)(cell.strip())
        if fits:
            return value, []
    expected = " or ".join(EXPECTED.get(name, str(name)) for name in types if name != "null" or len(types) == 1)
    return cell, [f"holds text, expected {expected}"]


def _convert_list(cell: str, schema: Mapping[str, Any]) -> tuple[object, list[str]]:
    items = schema.get("items")
    schema_of_item: Mapping[str, Any] = items if isinstance(items, Mapping) else {}
    values, messages = [], []
    for number, part in enumerate(filter(None, (part.strip() for part in cell.split(";"))), 1):
        value, wrong = _convert_cell(part, schema_of_item)
        values.append(value)
        messages += [f"{message} (entry {number})" for message in wrong]
    return values, messages


def _to_boolean(text: str) -> tuple[bool, object]:
    word = text.lower()  # Excel writes TRUE
    return word in ("true", "false"), word == "true"


def _to_integer(text: str) -> tuple[bool, object]:
    fits = re.fullmatch(r"[+-]?[0-9]+", text) is not None and len(text) <= MAX_DIGITS
    return fits, int(text) if fits else None


def _to_null(text: str) -> tuple[bool, object]:
    return text == "null", None


def _to_number(text: str) -> tuple[bool, object]:
    fits = re.fullmatch(NUMBER, text) is not None and len(text) <= MAX_DIGITS
    return fits, Decimal(text) if fits else None


def _not_convertible(_text: str) -> tuple[bool, object]:
    return False, None


CONVERTERS: dict[str, Callable[[str], tuple[bool, object]]] = {
    "boolean": _to_boolean,
    "integer": _to_integer,
    "null": _to_null,
    "number": _to_number,
}
EXPECTED = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number such as 12.50",
    "object": 'a mapping (columns such as "address.city")',
}
