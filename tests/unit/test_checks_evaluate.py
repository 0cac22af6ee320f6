"""Holding checks against answers: every operator, and a missing field never passes silently."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.checks import OPERATORS, Answer, equal, evaluate, jsonable, lookup, parse
from runner.model.check import CheckResult

BODY = {
    "status": "verified",
    "active": True,
    "said": "true",
    "balance": "1000.00",
    "dust": "0E-8",
    "count": 3,
    "rate": Decimal("0.10"),
    "code": "007",
    "phone": "+97312345678",
    "nothing": None,
    "blank": "",
    "none": [],
    "empty": {},
    "zero": 0,
    "tags": ["a", 2, "3.0"],
    "items": [{"asset_id": "USD", "n": 1}, {"asset_id": "AED", "n": 2}],
    "address": {"city": "Manama"},
    "at": "2026-01-31T10:00:00Z",
    "day": "2026-01-31",
    "spaced": " 5",
    "under": "1_000",
    "nan": "NaN",
    "odd key": "x",
}
ANSWER = Answer(BODY, 201, {"Retry-After": "7", "Content-Type": "application/json"})

HOLD = """
status == verified
status != rejected
status != null
status in [rejected, verified]
status not in [rejected, x]
status contains veri
status not contains x
status matches ^ver
status not matches ^x
status exists
status is not empty
status is not null
active == true
active != false
said == "true"
said != true
balance == 1000
balance == "1000"
balance == 1e3
balance >= 999.99
balance > -1
balance < 1000.01
balance in [1, 1000.0]
dust == 0
dust <= 0
count == 3
count == "3.0"
count != 4
count matches ^3$
rate == 0.1
code == 007
code != 7
phone == +97312345678
phone == "+97312345678"
phone != "97312345678"
nothing == null
nothing is null
nothing is empty
nothing exists
nothing != x
blank is empty
none is empty
empty is empty
zero is not empty
zero == 0
none == []
tags == [a, 2, 3]
tags contains 3
tags contains "2"
tags not contains b
address contains city
address not contains street
address.city == Manama
items[0].asset_id in [USD, AED]
items[-1].n == 2
count(items) == 2
count(address) > 0
count(none) == 0
count(items) in [1, 2]
at > 2026-01-31
at < 2026-02-01
at >= 2026-01-31T11:00:00+01:00
at > 2026-01-31T09:59:59.999Z
day <= 2026-01-31
day < 2026-01-31T10:00
http == 201
http < 300
header.retry-after == 7
header.RETRY-AFTER exists
header.X-Other not exists
missing not exists
missing is empty
items[7] not exists
["odd key"] == x
""".strip().splitlines()

FAIL = """
status == rejected
status != verified
balance != 1000
balance <= 999.99
balance > 1000
at >= 2026-02-01
tags != [a, 2, 3]
missing exists
status == null
status == true
status > 5
status in [a, b]
status not in [verified]
status contains x
status not contains veri
status matches ^x
status not matches ^ver
status not exists
status is empty
status is null
active == "true"
active == 1
active matches true
active not matches x
said == true
balance == 1000.01
balance < 1000
code == 7
nothing is not null
nothing is not empty
nothing not exists
nothing == ""
nothing > 0
nothing contains x
nothing not contains x
nothing matches x
nothing not matches x
zero == false
zero is empty
zero == null
blank is not empty
blank == null
tags == [a, 2]
count contains 3
count not contains 3
address == null
count(status) > 0
count(nothing) == 0
count(missing) == 0
at > 10:00
at < 2026-01-31T10:00:00
day > 5
spaced == 5
under == 1000
nan == 0
nan >= 0
http == 200
header.X-Other == 1
items[7].n == 1
items.n == 1
status[0] == v
address[0] exists
""".strip().splitlines()


@pytest.mark.parametrize("text", HOLD)
def test_it_holds(text: str) -> None:
    check = parse(text)
    assert evaluate(check, ANSWER, check.operand).passed


@pytest.mark.parametrize("text", FAIL)
def test_it_does_not_hold(text: str) -> None:
    check = parse(text)
    assert not evaluate(check, ANSWER, check.operand).passed


def test_every_operator_has_both_cases() -> None:
    # `is null` and the like appear on both sides; so does every comparison.
    assert set(OPERATORS) == {parse(text).operator for text in HOLD} == {parse(text).operator for text in FAIL}


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"not exists", "is empty"}))
@pytest.mark.parametrize("body", [{}, {"a": {}}, {"a": []}, {"a": None}, [], None, "text", 3])
def test_a_missing_field_never_passes_silently(operator: str, body: object) -> None:
    values = {"in": " [x]", "not in": " [x]", "matches": " x", "not matches": " x"}
    value = values.get(operator, "" if "exists" in operator or operator.startswith("is") else " 5")
    check = parse(f"a.b {operator}{value}")
    assert evaluate(check, Answer(body, 200), check.operand) == CheckResult(check.text, False, None)


def test_a_failure_shows_what_stood_there() -> None:
    check = parse("balance == 7")
    assert evaluate(check, ANSWER, 7) == CheckResult("balance == 7", False, "1000.00")
    assert evaluate(parse("count(items) == 7"), ANSWER, 7) == CheckResult("count(items) == 7", False, 2)
    assert evaluate(parse("said == true"), ANSWER, True) == CheckResult("said == true", False, "true")


def test_in_a_scope_http_and_header_are_ordinary_names() -> None:
    scope = Answer({"http": "x", "header": {"A": 1}, "client": {"id": "7"}})
    assert evaluate(parse("http == x"), scope, "x").passed
    assert evaluate(parse("header.A == 1"), scope, 1).passed
    assert not evaluate(parse("header.a == 1"), scope, 1).passed
    assert evaluate(parse("client.id == 7"), scope, 7).passed


def test_a_template_that_gives_no_list_fails_either_way() -> None:
    assert not evaluate(parse("status in {{ x }}"), ANSWER, "verified").passed
    assert not evaluate(parse("status not in {{ x }}"), ANSWER, "rejected").passed
    assert not evaluate(parse("status not contains {{ x }}"), ANSWER, ["x"]).passed
    assert not evaluate(parse("status not contains {{ x }}"), ANSWER, "").passed


_numbers = st.one_of(
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8),
    st.decimals(allow_nan=False, allow_infinity=False),
)


@given(_numbers, _numbers)
def test_numbers_are_equal_exactly_when_their_decimals_are(one: int | Decimal, other: int | Decimal) -> None:
    expected = Decimal(one) == Decimal(other)
    for left in (one, str(one)):
        for right in (other, str(other)):
            assert expected == equal(left, right)
    check = parse("n >= {{ x }}")
    assert (Decimal(one) >= Decimal(other)) == evaluate(check, Answer({"n": str(one)}), other).passed


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(_json, _json, st.sampled_from(sorted(OPERATORS)))
def test_no_answer_makes_a_check_raise(body: object, operand: object, operator: str) -> None:
    parsed = (
        parse(f"a {operator} {{{{ x }}}}")
        if not operator.endswith(("exists", "empty", "null"))
        else parse(f"a {operator}")
    )
    if "matches" in operator:
        operand = "a|b"
    result = evaluate(parsed, Answer({"a": body}, 200), operand)
    json.dumps(jsonable(result.actual))


@given(_json)
def test_a_value_equals_itself(value: object) -> None:
    assert equal(value, value)


def test_lookup_tells_null_from_nothing() -> None:
    assert lookup(("a", "b"), {"a": {"b": None}}) == (True, None)
    assert lookup(("a", "c"), {"a": {"b": None}}) == (False, None)
    assert lookup((), 3) == (True, 3)


def test_a_report_gets_short_plain_values() -> None:
    assert jsonable(Decimal("0E-8")) == "0.00000000"
    assert jsonable({"a": [Decimal("1.50"), None, True]}) == {"a": ["1.50", None, True]}
    assert jsonable("x" * 201) == "x" * 199 + "…"
    assert len(jsonable(list(range(10_000)))) == 200
    assert jsonable(("a", 1)) == ["a", 1]
    assert jsonable(Decimal("1E+999999")) == "1E+999999"
    assert jsonable(float("nan")) == "NaN"
