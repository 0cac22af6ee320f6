"""What a schema can tell about a check before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.checks import Finding, enum_problem, parse, parse_path, path_problem

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["verified", "rejected", "in_review", None]},
        "active": {"type": "boolean"},
        "age": {"type": ["integer", "null"]},
        "name": {"type": "string"},
        "level": {"enum": [1, 2]},
        "kind": {"const": "person"},
        "tags": {"type": "array", "items": {"enum": ["vip", "test"]}},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "self": {"$ref": "#"},
        "loop": {"$ref": "#/$defs/loop"},
        "free": {"type": "object", "properties": {"x": {}}, "additionalProperties": {"type": "boolean"}},
        "either": {"oneOf": [{"properties": {"a": {}}}]},
        "far": {"$ref": "https://example.com/schema"},
    },
    "$defs": {
        "item": {
            "type": "object",
            "properties": {"asset_id": {"enum": ["USD", "AED"]}, "n": {"type": "number"}},
        },
        "loop": {"$ref": "#/$defs/loop"},
    },
}
CLIENT = "a CoinMENA client"

WRONG_VALUES = [
    (
        "status == verfied",
        "check.unknown-value",
        '"verfied" is not a status of a CoinMENA client',
        "verfied",
        True,
    ),
    (
        "status != VERIFIED",
        "check.unknown-value",
        '"VERIFIED" is not a status of a CoinMENA client',
        "VERIFIED",
        True,
    ),
    (
        "status in [verified, x]",
        "check.unknown-value",
        '"x" is not a status of a CoinMENA client',
        "x",
        False,
    ),
    ("status == true", "check.unknown-value", '"true" is not a status of a CoinMENA client', "true", False),
    (
        "items[0].asset_id not in [USB]",
        "check.unknown-value",
        '"USB" is not an asset_id of a CoinMENA client',
        "USB",
        True,
    ),
    ("self.status == x", "check.unknown-value", '"x" is not a status of a CoinMENA client', "x", False),
    ("tags contains vipp", "check.unknown-value", '"vipp" is not a tags of a CoinMENA client', "vipp", True),
    ("kind == persn", "check.unknown-value", '"persn" is not a kind of a CoinMENA client', "persn", True),
    ("level == 3", "check.unknown-value", '"3" is not a level of a CoinMENA client', "3", False),
    ("active == yes", "check.wrong-type", '"active" is true or false, found text "yes"', "yes", True),
    ("active == 'true'", "check.wrong-type", '"active" is true or false, found text "true"', "true", True),
    ("active == 1", "check.wrong-type", '"active" is true or false, found 1', "1", False),
    (
        "free.other == maybe",
        "check.wrong-type",
        '"free.other" is true or false, found text "maybe"',
        "maybe",
        False,
    ),
    ("age == old", "check.wrong-type", '"age" is a number, found text "old"', "old", False),
    ("items[-1].n == true", "check.wrong-type", '"items[-1].n" is a number, found true', "true", False),
    ("name == true", "check.wrong-type", '"name" is text, found true', "true", True),
    ("http == ok", "check.wrong-type", '"http" is a number, found text "ok"', "ok", False),
]


@pytest.mark.parametrize(("text", "code", "message", "carets", "near"), WRONG_VALUES)
def test_a_value_that_can_not_be(text: str, code: str, message: str, carets: str, near: bool) -> None:
    found = enum_problem(parse(text), SCHEMA, CLIENT)
    assert found is not None
    assert (code, message, carets, near) == (
        found.code,
        found.message,
        text[found.offset : found.end],
        found.near,
    )


def test_the_hint_is_the_nearest_right_word_or_all_of_them() -> None:
    assert _hint("status == verfied") == 'did you mean "verified"?'
    assert _hint("status == x") == "it is one of verified, rejected, in_review, null"
    assert _hint("active == yes") == 'did you mean "true"?'
    assert _hint("name == true") == "put quotes around it: \"'true'\""


def _hint(text: str) -> str:
    found = enum_problem(parse(text), SCHEMA, CLIENT)
    return found.hint if found else ""


@pytest.mark.parametrize(
    "text",
    [
        "status == verified",
        "status == null",
        "status in [verified, rejected]",
        "status matches ver",
        "status == {{ x }}",
        "status exists",
        "level == '1'",
        "level == 1.0",
        "active == true",
        "active == null",
        "age == '7'",
        "age > 3",
        "name == 7",
        "tags contains vip",
        "items[0].asset_id == AED",
        "count(status) == 3",
        "free.x == 7",
        "either.a == 7",
        "far.a == 7",
        "loop == 7",
        "loop.a == 7",
        "unknown == 7",
        "http == 201",
        "header.Status == verfied",
    ],
)
def test_a_value_that_can_be(text: str) -> None:
    assert enum_problem(parse(text), SCHEMA, CLIENT) is None


@pytest.mark.parametrize(
    ("text", "message", "hint", "carets", "near"),
    [
        ("statsu == x", 'the answer has no field "statsu"', 'did you mean "status"?', "statsu", True),
        (
            "items[0].asset == x",
            '"items[0]" of the answer has no field "asset"',
            'did you mean "items[0].asset_id"?',
            "asset",
            True,
        ),
        ("items.n == 1", '"items" is a list', 'did you mean "items[0].n"?', "n", True),
        ("[0].n == 1", "the answer is not a list", "it is a mapping", "[0]", False),
        ("name.first == x", '"name" has no fields', "it is text", "first", False),
        ("age[0] == x", '"age" is not a list', "it is a number", "[0]", False),
        (
            "count(zzz) == 1",
            'the answer has no field "zzz"',
            "its fields are status, active, age, name, level, kind, tags, items, …",
            "zzz",
            False,
        ),
    ],
)
def test_a_path_that_the_schema_does_not_know(text: str, message: str, hint: str, carets: str, near: bool) -> None:
    found = path_problem(parse(text), SCHEMA)
    assert found is not None
    at = text.index(carets)
    assert Finding("check.unknown-path", message, hint, at, at + len(carets), near) == found


@pytest.mark.parametrize(
    "text",
    [
        "status",
        "items[0].n",
        "self.self.status",
        "free.other",
        "either.x.y",
        "far.x",
        "loop.x",
        "http",
        "header.X",
        "level.x",
    ],
)
def test_a_path_that_may_exist(text: str) -> None:
    assert path_problem(parse_path(text), SCHEMA) is None


def test_outputs_have_paths_too() -> None:
    found = path_problem(parse_path("items[0].asset"), SCHEMA)
    assert found is not None
    assert (found.offset, found.end) == (9, 14)


_schemas = st.recursive(
    st.sampled_from(
        [{}, {"type": "string"}, {"enum": ["a", 1]}, {"type": "boolean"}, {"$ref": "#/items"}, {"$ref": "#"}]
    ),
    lambda inner: st.one_of(
        inner.map(lambda schema: {"type": "array", "items": schema}),
        st.dictionaries(st.sampled_from("abc"), inner).map(lambda fields: {"properties": fields}),
        st.tuples(inner, inner).map(lambda pair: {"$ref": "#/$defs/x", "$defs": {"x": pair[0]}, "items": pair[1]}),
    ),
)


@given(_schemas, st.sampled_from(["a == b", "a.b.c == true", "[0].a in [b, 1]", "a[0][1] contains x", "b == 1"]))
def test_no_schema_makes_it_raise(schema: dict[str, Any], text: str) -> None:
    check = parse(text)
    for found in (enum_problem(check, schema), path_problem(check, schema)):
        assert found is None or 0 <= found.offset < found.end <= len(text)
