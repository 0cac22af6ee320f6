"""How entries of a kind that are too few or too many are told: in the schema's own words, once they are known."""

from __future__ import annotations

from typing import Any

import pytest

from runner.load.schema import Schema

CARD = {"properties": {"kind": {"const": "card"}}, "required": ["kind"]}
OPEN = {"kind": "open"}


def told(rule: dict[str, Any], cards: list[Any]) -> list[tuple[str, str, str]]:
    schema = Schema({"properties": {"papers": {"type": "array", **rule}}}, stage="with")
    problems = schema.problems({"papers": cards}, lambda where, key: None, lambda part: part is OPEN)
    return [(problem.code, problem.message, problem.hint) for problem in problems]


def cards(number: int) -> list[Any]:
    return [{"kind": "card", "number": at} for at in range(number)] + [{"kind": "photo"}]


@pytest.mark.parametrize(
    ("rule", "message", "hint"),
    [
        ({"contains": CARD, "x-form": "card"}, '"papers" has no card', "add it"),
        ({"contains": CARD, "x-form": "card", "x-hint": "scan it"}, '"papers" has no card', "scan it"),
    ],
)
def test_none_of_a_kind(rule: dict[str, Any], message: str, hint: str) -> None:
    assert [("with.value", message, hint)] == told(rule, cards(0))
    assert [] == told(rule, cards(1))


@pytest.mark.parametrize("least", [0, 1])
@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ({}, '"papers" has more than 1 of such an entry', "remove what is too many"),
        ({"x-form": "a card"}, '"papers" has more than 1 of a card', "remove what is too many"),
        ({"x-form": "a card", "x-hint": "choose one"}, '"papers" has more than 1 of a card', "choose one"),
    ],
)
def test_more_than_the_most_of_a_kind(words: dict[str, str], message: str, hint: str, least: int) -> None:
    rule = {"contains": CARD, "minContains": least, "maxContains": 1, **words}

    assert [("with.value", message, hint)] == told(rule, cards(2))
    assert [] == told(rule, cards(1))


def test_no_entry_is_enough_where_none_is_asked_for() -> None:
    assert [] == told({"contains": CARD, "minContains": 0, "maxContains": 1}, cards(0))


def test_fewer_than_the_least_of_a_kind() -> None:
    rule = {"contains": CARD, "minContains": 2, "x-form": "card", "x-hint": "two are needed"}

    assert ["two are needed"] == [hint for _, _, hint in told(rule, cards(1))]


def test_a_key_that_needs_another() -> None:
    schema = Schema({"dependentRequired": {"a": ["b", "c"], "d": ["b"]}}, stage="with")
    problems = schema.problems({"a": 1, "c": 2, "d": 3}, lambda where, key: None, lambda part: False)

    assert [('"a" needs "b" beside it', 'add "b"'), ('"d" needs "b" beside it', 'add "b"')] == [
        (problem.message, problem.hint) for problem in problems
    ]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ({"street": "x"}, 'did you mean "street_line_1"?'),
        ({"street": "x", "street_line_1": "y"}, 'did you mean "street_line_1"? It is there already: remove "street"'),
        ({"street_line2": "x", "street_line_1": "y"}, 'did you mean "street_line_2"?'),
        ({"qqqq": "x", "street_line_1": "y"}, "known keys: street_line_1_en, street_line_1, street_line_2"),
    ],
)
def test_the_key_that_an_unknown_one_was_meant_to_be(value: dict[str, str], hint: str) -> None:
    lines: dict[str, Any] = {"street_line_1_en": {}, "street_line_1": {}, "street_line_2": {}}
    schema = Schema({"properties": lines, "additionalProperties": False})

    assert [hint] == [problem.hint for problem in schema.problems(value, lambda where, key: None)]


@pytest.mark.parametrize(
    ("value", "code"),
    [("1990-2-30", "with.pattern"), ("", "with.empty"), (19900230, "with.wrong-type"), ("1990-02-30", "with.rule")],
)
def test_what_has_not_its_form_is_not_held_against_the_rules(value: object, code: str) -> None:
    form = {"type": "string", "minLength": 1, "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", "x-date": True}
    schema = Schema({"properties": {"born": form}}, stage="with")

    assert [code] == [problem.code for problem in schema.problems({"born": value}, lambda where, key: None)]


@pytest.mark.parametrize(
    "rule",
    [{"contains": CARD}, {"contains": CARD, "minContains": 2}, {"contains": CARD, "minContains": 0, "maxContains": 1}],
)
def test_entries_that_are_not_known_yet_may_be_of_the_kind(rule: dict[str, Any]) -> None:
    assert [] == told(rule, [*cards(1), OPEN])
