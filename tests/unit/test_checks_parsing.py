"""Reading checks: every operator, every common slip, and never anything but a Check or a CheckError."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.checks import CheckError, parse, parse_path, path_text
from runner.model.check import Check


@pytest.mark.parametrize(
    ("text", "path", "operator", "operand"),
    [
        ("status == verified", ("status",), "==", "verified"),
        ("active == true", ("active",), "==", True),
        ("status != rejected", ("status",), "!=", "rejected"),
        ("balance < 10", ("balance",), "<", 10),
        ("balance <= 10.50", ("balance",), "<=", Decimal("10.50")),
        ("balance > -1", ("balance",), ">", -1),
        ("created_at >= 2026-01-31", ("created_at",), ">=", "2026-01-31"),
        ("items[0].asset_id in [USD, AED]", ("items", 0, "asset_id"), "in", ["USD", "AED"]),
        ("status not  in [a, 'b, c', \"d\"]", ("status",), "not in", ["a", "b, c", "d"]),
        ("name contains Al", ("name",), "contains", "Al"),
        ("name not contains Al", ("name",), "not contains", "Al"),
        ("email matches ^[a-z].*@", ("email",), "matches", "^[a-z].*@"),
        ('email matches "^\\d+ x$"', ("email",), "matches", "^\\d+ x$"),
        ("email matches 'it''s'", ("email",), "matches", "it's"),
        ("email not matches a and b == c", ("email",), "not matches", "a and b == c"),
        ("header.Retry-After exists", ("header", "Retry-After"), "exists", None),
        ("a not exists", ("a",), "not exists", None),
        ("errors is empty", ("errors",), "is empty", None),
        ("errors is  not empty", ("errors",), "is not empty", None),
        ("a is null", ("a",), "is null", None),
        ("a is not null", ("a",), "is not null", None),
        ("[0].status == enabled", (0, "status"), "==", "enabled"),
        ("items[-1].a == 1", ("items", -1, "a"), "==", 1),
        ('["odd key"].a == 1', ("odd key", "a"), "==", 1),
        ("a['it''s']==1", ("a", "it's"), "==", 1),
        ("http == 201", ("http",), "==", 201),
        ("steps.review.status == ACTION_REQUIRED", ("steps", "review", "status"), "==", "ACTION_REQUIRED"),
        ("country == Trinidad and Tobago", ("country",), "==", "Trinidad and Tobago"),
        ("name == 'a == b and c == d'", ("name",), "==", "a == b and c == d"),
        ("name == Müller", ("name",), "==", "Müller"),
        ("größe == 3", ("größe",), "==", 3),
        ("a==b", ("a",), "==", "b"),
        ("in in [1]", ("in",), "in", [1]),
        ("id == ~", ("id",), "==", None),
    ],
)
def test_a_check_is_path_operator_value(text: str, path: tuple[str | int, ...], operator: str, operand: object) -> None:
    assert parse(text) == Check(text, path, operator, operand)


def test_count_wraps_the_path() -> None:
    assert parse("count(items[0].rows) >= 2") == Check(
        "count(items[0].rows) >= 2", ("items", 0, "rows"), ">=", 2, count=True
    )
    assert parse("count == 2").count is False


@pytest.mark.parametrize(
    "text",
    [
        "a == {{ x }}",
        "a in {{ list }}",
        "a in [{{ x }}, b]",
        "a matches ^{{ x }}$",
        "a >= {{ x and y == 2 }}",
    ],
)
def test_a_template_stays_text_until_it_is_filled(text: str) -> None:
    check = parse(text)
    assert check.is_template
    assert check.operand == text.split(f" {check.operator} ")[1]


SLIPS = [
    ("status = verified", "check.unknown-operator", "=", 'did you mean "status == verified"?'),
    ("status=verified", "check.unknown-operator", "=", 'did you mean "status == verified"?'),
    ("a => 3", "check.unknown-operator", "=>", 'did you mean "a >= 3"?'),
    ("a === 3", "check.unknown-operator", "===", 'did you mean "a == 3"?'),
    ("a <> 3", "check.unknown-operator", "<>", 'did you mean "a != 3"?'),
    ("a =~ ^b", "check.unknown-operator", "=~", 'did you mean "a matches ^b"?'),
    ("status equals verified", "check.unknown-operator", "equals", 'did you mean "status == verified"?'),
    ("status is verified", "check.unknown-operator", "is verified", 'did you mean "status == verified"?'),
    (
        "status is not verified",
        "check.unknown-operator",
        "is not verified",
        'did you mean "status != verified"?',
    ),
    ("status isn't verified", "check.unknown-operator", "isn't", 'did you mean "status != verified"?'),
    ("status is in [a]", "check.unknown-operator", "is in", 'did you mean "status in [a]"?'),
    ("a is none", "check.unknown-operator", "is none", 'did you mean "a is null"?'),
    ("a is missing", "check.unknown-operator", "is missing", 'did you mean "a not exists"?'),
    ("a containss b", "check.unknown-operator", "containss", 'did you mean "a contains b"?'),
    ("a exist", "check.unknown-operator", "exist", 'did you mean "a exists"?'),
    ("a starts with b", "check.unknown-operator", "starts with", 'did you mean "a matches ^b"?'),
    ("a ends with b", "check.unknown-operator", "ends with", 'did you mean "a matches b$"?'),
    ("status: verified", "check.unknown-operator", ":", 'did you mean "status == verified"?'),
    ("a not == b", "check.unknown-operator", "not", 'did you mean "a != …"?'),
    ("not a in [b]", "check.unknown-operator", "a", 'did you mean "a not in [b]"?'),
    ("not a is empty", "check.unknown-operator", "a", 'did you mean "a is not empty"?'),
    ("not active", "check.unknown-operator", "active", 'did you mean "active == false"?'),
    ("a and b", "check.syntax", "and", "write one check per line"),
    ("len(items) > 0", "check.syntax", "len(items)", 'did you mean "count(items)"?'),
    ("items.count() > 0", "check.syntax", "items.count()", 'did you mean "count(items)"?'),
    ("count(a) in [x]", "check.wrong-type", "[x]", 'e.g. "count(items) > 0"'),
    ("exists status", "check.unknown-operator", "status", 'did you mean "status exists"?'),
    ("not status == x", "check.unknown-operator", "status", 'did you mean "status != x"?'),
    ("not exists status", "check.syntax", "not exists status", 'did you mean "status not exists"?'),
    ("status ==", "check.missing-value", "==", 'e.g. "status == verified"'),
    ("status in", "check.missing-value", "in", 'e.g. "status in [USD, AED]"'),
    ("status is", "check.missing-value", "is", 'e.g. "status == verified"'),
    ("status", "check.syntax", "status", 'e.g. "status == verified" or "status exists"'),
    ("is empty", "check.syntax", "is empty", 'e.g. "errors is empty"'),
    ("", "check.syntax", "", 'e.g. "status == verified"'),
    ("a == 1 && b == 2", "check.syntax", "&&", 'write one check per line: "a == 1", then "b == 2"'),
    ("a == 1 and b == 2", "check.syntax", "and", 'write one check per line: "a == 1", then "b == 2"'),
    ("a == 1 or a == 2", "check.syntax", "or", 'use "in [a, b]" for one of several values'),
    ("a == 'x' and active", "check.syntax", "and", 'write one check per line: "a == \'x\'", then "active"'),
    ("a is empty and b == 2", "check.syntax", "and", 'write one check per line: "a is empty", then "b == 2"'),
    ("a exists b", "check.syntax", "b", "take it out, or choose another operator"),
    ("a in USD, AED", "check.wrong-type", "USD, AED", 'did you mean "in [USD, AED]"?'),
    ("a in (USD, AED)", "check.wrong-type", "(USD, AED)", 'did you mean "in [USD, AED]"?'),
    ("a in x{{ b }}", "check.wrong-type", "x{{ b }}", 'did you mean "in [x{{ b }}]"?'),
    ("a in []", "check.missing-value", "[]", "name the values"),
    ("a contains [b]", "check.wrong-type", "[b]", "write one check per value"),
    ("a not contains ''", "check.missing-value", "''", ""),
    ("a > verified", "check.wrong-type", "verified", ""),
    ("count(a) == b", "check.wrong-type", "b", 'e.g. "count(items) > 0"'),
    (
        "count(a) exists",
        "check.syntax",
        "count(a) exists",
        'compare it with a number, e.g. "count(items) > 0"',
    ),
    ("count(a == 2", "check.syntax", "count(a", 'e.g. "count(items) > 0"'),
    ("a == 'b", "check.syntax", "'b", "add the closing '"),
    ("a == 'b' c", "check.syntax", "c", ""),
    ("a == [b", "check.syntax", "[b", 'add the "]"'),
    ("a == [b,, c]", "check.syntax", ",", ""),
    ("a == {b: c}", "check.syntax", "{b: c}", "check its fields one by one"),
    ('a == "\\q"', "check.syntax", "\\q", "write \\\\ for a backslash, or use single quotes"),
    ("a.0.b == 1", "check.syntax", "0", 'did you mean "a[0]"?'),
    ("$.a == 1", "check.syntax", "$.", 'did you mean "a == 1"?'),
    (".a == 1", "check.syntax", ".", 'did you mean "a == 1"?'),
    ("a[*].b == 1", "check.syntax", "[*]", 'name one item, e.g. "[0]" or "[-1]"'),
    (
        "a[b] == 1",
        "check.syntax",
        "[b]",
        'write a whole number, e.g. "[0]", or a quoted key, e.g. ["odd key"]',
    ),
    ("{{ a }} == 1", "check.syntax", "{{ a }} == 1", 'a check is "path operator value"'),
    ("a[{{ i }}] == 1", "check.syntax", "[{{ i }}]", "put the template in the value"),
    ("a matches [b", "check.regex", "[", ""),
    ("a matches ''", "check.regex", "'", 'to ask for any text, write "is not empty"'),
    (
        "a matches (a+)+$",
        "check.regex",
        "(a+)+$",
        'say it without the outer repeat, or check with "contains"',
    ),
]


@pytest.mark.parametrize(("text", "code", "carets", "hint"), SLIPS)
def test_a_slip_is_told_with_its_place_and_the_right_form(text: str, code: str, carets: str, hint: str) -> None:
    with pytest.raises(CheckError) as caught:
        parse(text)
    error = caught.value
    assert (code, carets, hint) == (error.code, text[error.offset : error.end], error.hint)


def test_a_complaint_says_what_was_found() -> None:
    with pytest.raises(CheckError, match='"equals" is not an operator'):
        parse("status equals verified")
    with pytest.raises(CheckError, match='nothing after "==", expected a value'):
        parse("status ==")
    with pytest.raises(CheckError, match='found "and": a check is one comparison'):
        parse("status == 'verified' and active")


@given(st.text())
@example("a == [" + "[" * 500)
@example("a == '")
@example("a == {{")
@example('a["')
@example("[")
@example("a matches (?(1)a|b)")
@example("a matches a{99999999999999999999}")
@example("a matches [[a]")
@example("²[0] == ٣")
def test_reading_never_raises_anything_else(text: str) -> None:
    for candidate in (text, f"a == {text}", f"a in [{text}]", f"a matches {text}", f"a{text} exists"):
        check = _parsed(candidate)
        assert check is None or check == parse(check.text)


def _parsed(text: str) -> Check | None:
    try:
        return parse(text)
    except CheckError:
        return None


_names = st.text(min_size=1, max_size=12)
_paths = st.lists(st.one_of(_names, st.integers(-999_999_999, 999_999_999)), min_size=1, max_size=5).map(tuple)


@given(_paths)
def test_a_written_path_reads_back(path: tuple[str | int, ...]) -> None:
    if any(isinstance(step, str) and "{{" in step for step in path):
        return
    assert parse_path(path_text(path)) == path
    assert parse(f"{path_text(path)} exists").path == path


def test_a_path_ends_where_the_text_does() -> None:
    assert parse_path(" data[0].id ") == ("data", 0, "id")
    with pytest.raises(CheckError, match='found "== 1" after the path "a"'):
        parse_path("a == 1")
