"""What is said to fit, fits: the quick reading of a schema never says more than the library does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.load.fits import fits

NUMBERS = st.sampled_from([0.5, 1.0, Decimal("1.0"), Decimal("2.5")])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), NUMBERS, st.text("ab1", max_size=3))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "A"]), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
COUNTS = st.integers(0, 3)
SIZES = ("maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum")


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "enum": st.lists(SCALARS, max_size=3),
            "const": SCALARS,
            "pattern": st.sampled_from(["^a", "b$", "[0-9]"]),
            "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "patternProperties": st.just({"^A": {"type": "null"}}),
            "additionalProperties": st.booleans() | inner,
            "propertyNames": st.just({"pattern": "^[a-z]"}),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            **dict.fromkeys(("contains", "else", "if", "then"), inner),
            **dict.fromkeys(("maxContains", "minContains"), COUNTS),
            "$ref": st.just("#/$defs/x"),
            **dict.fromkeys(SIZES, COUNTS),
        },
    )


SCHEMAS = st.recursive(st.booleans() | st.just({}), schemas, max_leaves=6)


def never(_value: object) -> bool:
    return False


@settings(max_examples=600, deadline=None)
@given(value=VALUES, schema=SCHEMAS, kind=TYPES)
def test_a_yes_is_the_library_s_yes(value: object, schema: Any, kind: str) -> None:
    body = {**schema, "$defs": {"x": {"type": kind}}} if isinstance(schema, dict) else schema
    if fits(value, body, never):
        assert Draft202012Validator(body).is_valid(value)


NESTED = {
    "type": "object",
    "required": ["a"],
    "additionalProperties": {"type": "null"},
    "properties": {"a": {"items": {"type": ["integer", "string"]}, "minItems": 1}},
}


CONDITIONAL = {
    "allOf": [
        {"if": {"properties": {"kind": {"const": "x"}}}, "then": {"required": ["a"]}, "else": {"required": ["b"]}},
    ]
}
BOTH = {
    "contains": {"properties": {"side": {"const": "A"}}, "required": ["side"]},
    "maxContains": 1,
    "allOf": [{"contains": {"properties": {"side": {"const": "B"}}, "required": ["side"]}}],
}


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ({"a": [1, "x"], "b": None}, NESTED),
        (Decimal("1.5"), {"type": "number", "minimum": 1, "maximum": 2, "title": "x", "x-form": "y", "format": "z"}),
        ("ab", {"$ref": "#/$defs/word", "$defs": {"word": {"pattern": "^a", "maxLength": 2, "enum": ["ab"]}}}),
        ({"a": {}}, {"propertyNames": {"pattern": "a"}, "minProperties": 1, "maxProperties": 1}),
        ("open", {"type": "integer", "minimum": 5}),
        ({"kind": "x", "a": 1}, CONDITIONAL),
        ({"kind": "y", "b": 1}, CONDITIONAL),
        ({"kind": "open"}, CONDITIONAL),
        ([{"side": "A"}, "open"], BOTH),
        ([{"side": "A"}, {"side": "B"}], BOTH),
    ],
)
def test_plain_schemas_need_no_library(value: object, schema: dict[str, Any]) -> None:
    assert fits(value, schema, lambda part: part == "open")
    assert fits(value, True, never)


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [{}]},
        {"items": {}, "prefixItems": []},
        {"additionalProperties": {}, "patternProperties": {}},
        {"$ref": "other.json"},
        {"$ref": "#"},
        {"$ref": "#/$defs/none/there"},
        {"$ref": "#/$defs/round", "$defs": {"round": {"$ref": "#/$defs/round"}}},
        False,
    ],
)
def test_what_is_not_plain_is_left_to_the_library(schema: Any) -> None:
    assert not fits([1], schema, never)
    assert not fits({"a": 1}, schema, never)
