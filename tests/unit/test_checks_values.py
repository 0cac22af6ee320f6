"""Reading operands: YAML's meaning, and templates filled without becoming part of the check."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner.checks import CheckError, parse, parse_value, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("NO", "NO"),
        ("on", "on"),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("012", "012"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1.50", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal("1e3")),
        (".nan", ".nan"),
        ("13:00", "13:00"),
        ("2026-01-31", "2026-01-31"),
        ("1" * 5000, "1" * 5000),
        ("'12'", "12"),
        ("'it''s'", "it's"),
        (r'"a\n\u00e9\ud83d\ude00\x41"', "a\né😀A"),
        ("[a, 1, [true, ~], 'x, y',]", ["a", 1, [True, None], "x, y"]),
        ("[]", []),
        ("a, b", "a, b"),
    ],
)
def test_a_value_means_what_yaml_says(text: str, value: object) -> None:
    parsed = parse_value(text)
    assert (value, type(value)) == (parsed, type(parsed))


def test_data_in_a_template_can_not_become_part_of_the_check() -> None:
    cells = {"{{ a }}": "x, y]", "{{ b }}": 5, "{{ a }}-{{ b }}": "x, y]-5"}

    def operand(text: str) -> object:
        return resolve(parse(text), cells.__getitem__)

    assert operand("k in [{{ a }}, {{ b }}, '{{ b }}', c]") == ["x, y]", 5, "5", "c"]
    assert operand("k == {{ a }}-{{ b }}") == "x, y]-5"
    assert operand("k == {{ b }}") == 5
    assert operand("k == c") == "c"


def test_what_is_not_known_yet_stays_unknown() -> None:
    unknown = object()
    for text in ("k == {{ x }}", "k == '{{ x }}'", "k in [a, [{{ x }}]]", "k matches ^{{ x }}"):
        assert resolve(parse(text), lambda _: unknown) is unknown


def test_quoted_templates_give_the_words_of_yaml() -> None:
    for value, text in ((True, "true"), (None, "null"), (5, "5")):
        assert resolve(parse("k == '{{ x }}'"), lambda _, value=value: value) == text


def test_a_filled_pattern_is_checked_again() -> None:
    check = parse("k matches {{ p }}")
    assert resolve(check, lambda _: "^a+$") == "^a+$"
    with pytest.raises(CheckError, match="can take forever"):
        resolve(check, lambda _: "(a+)+")
