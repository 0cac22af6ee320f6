"""Rules between fields, and of dates: what is broken is told with its place, what is open is left alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules import RULES, Broken, broken

TODAY = date(2026, 2, 28)
OPEN = object()


def found(schema: Any, value: Any, today: date | None = TODAY) -> list[Broken]:
    return list(broken(schema, value, today, lambda part: part is OPEN))


def paths(schema: Any, value: Any, today: date | None = TODAY) -> list[tuple[str | int, ...]]:
    return [one.path for one in found(schema, value, today)]


# -- one field repeats another -----------------------------------------------------------------------------------------

SAME = {"x-same-as": {"address.country": "person.country"}}


def test_two_fields_that_differ_are_told_with_both_names() -> None:
    value = {"address": {"country": "DEU"}, "person": {"country": "USA"}}

    message = '"address.country" and "person.country" differ, expected the same'
    expected = Broken(("address", "country"), message, "write in address.country what stands in person.country")
    assert [expected] == found(SAME, value)


@pytest.mark.parametrize(
    "value",
    [
        {"address": {"country": "USA"}, "person": {"country": "USA"}},
        {"address": {"country": "USA"}, "person": {"country": OPEN}},
        {"address": {"country": OPEN}, "person": {"country": "USA"}},
        {"address": {"country": "USA"}},
        {"address": "somewhere", "person": {"country": "USA"}},
        {"address": OPEN, "person": OPEN},
        OPEN,
        None,
        [],
    ],
)
def test_fields_that_are_equal_open_or_absent_are_fine(value: object) -> None:
    assert [] == found(SAME, value)


@pytest.mark.parametrize("value", [Decimal("sNaN"), [Decimal("sNaN")]])
def test_a_number_that_refuses_to_be_compared_equals_nothing(value: object) -> None:
    assert [("address", "country")] == paths(SAME, {"address": {"country": value}, "person": {"country": 1}})
    assert [] == found({"x-distinct": {"places": ["a"], "unless": {"b": 1}}}, {"a": "x", "b": value})


# -- one date after another --------------------------------------------------------------------------------------------

LATER = {"x-later-than": {"ends": "begins"}}


@pytest.mark.parametrize("ends", ["2025-12-31", "2026-01-01"])
def test_a_date_that_is_not_after_the_other_is_told(ends: str) -> None:
    expected = Broken(("ends",), '"ends" is not after "begins"', "compare both with the document")

    assert [expected] == found(LATER, {"ends": ends, "begins": "2026-01-01"})


@pytest.mark.parametrize("ends", ["2026-01-02", "soon", "2026-02-30", "2026-1-2", 20260101, None, OPEN])
def test_a_later_date_and_what_is_no_date_are_fine(ends: object) -> None:
    assert [] == found(LATER, {"ends": ends, "begins": "2026-01-01"})


# -- no value twice at these places ------------------------------------------------------------------------------------

DISTINCT = {"x-distinct": {"places": ["papers[].files[].uri", "bill.uri"], "unless": {"type": "SELFIE"}}}


def papers(*uris: object, kind: str = "PASSPORT") -> dict[str, Any]:
    return {"type": kind, "files": [{"uri": uri} for uri in uris]}


def test_a_value_that_stands_twice_is_told_where_it_stands_again() -> None:
    message = '"uri" is the same as at "papers[0].files[1].uri", expected each only once'
    expected = Broken(("bill", "uri"), message, "give each place a file of its own")

    assert [expected] == found(DISTINCT, {"papers": [papers("/a", "/b")], "bill": {"uri": "/b"}})


def test_each_repeat_is_told_against_the_first() -> None:
    value = {"papers": [papers("/a"), papers("/a", "/a")]}

    assert [("papers", 1, "files", 0, "uri"), ("papers", 1, "files", 1, "uri")] == paths(DISTINCT, value)


@pytest.mark.parametrize(
    "value",
    [
        {"papers": [papers("/a", "/b")], "bill": {"uri": "/c"}},
        {"papers": [papers("/a"), papers("/a", kind="SELFIE")]},
        {"papers": [papers(OPEN, OPEN)], "bill": {"uri": OPEN}},
        {"papers": [papers(1, 1)]},
        {"papers": papers("/a"), "bill": "/a"},
        {"papers": None},
    ],
)
def test_places_that_differ_are_excepted_or_open_are_fine(value: object) -> None:
    assert [] == found(DISTINCT, value)


# -- no two entries with the same one ----------------------------------------------------------------------------------

UNIQUE = {"x-unique-by": "tax.number"}


def test_an_entry_with_a_number_that_was_there_is_told() -> None:
    entries = [{"tax": {"number": number}} for number in ("1", "2", "1", "1")]

    message = '"tax.number" is the same as in entry 1, expected another in each entry'
    hint = "correct it, or remove the entry"
    assert [Broken((at, "tax.number"), message, hint) for at in (2, 3)] == found(UNIQUE, entries)


@pytest.mark.parametrize("number", ["2", OPEN, None, ["1"]])
def test_other_numbers_are_fine(number: object) -> None:
    assert [] == found(UNIQUE, [{"tax": {"number": "1"}}, {"tax": {"number": number}}])


# -- dates and today ---------------------------------------------------------------------------------------------------

AGE = {"x-age": {"min": 18, "max": 120}}


@pytest.mark.parametrize("born", ["2008-02-28", "1990-04-15", "1905-03-01", "2008-02-27"])
def test_an_age_within_the_bounds_is_fine(born: str) -> None:
    assert [] == found(AGE, born)


@pytest.mark.parametrize("born", ["2008-03-01", "2008-02-29", "1905-02-28", "2030-01-01", "1800-01-01"])
def test_an_age_beyond_the_bounds_is_told_without_the_date(born: str) -> None:
    (only,) = found(AGE, born)

    assert () == only.path
    assert "18 to 120" in only.message
    assert born not in only.message + only.hint


FUTURE = {"x-future": True}


@pytest.mark.parametrize(("days", "is_fine"), [(-1, False), (0, False), (1, True)])
def test_the_future_begins_tomorrow(days: int, is_fine: bool) -> None:
    assert is_fine == (not found(FUTURE, (TODAY + timedelta(days)).isoformat()))


def test_a_future_that_is_not_asked_for_is_not_judged() -> None:
    assert [] == found({"x-future": False}, "1999-01-01")


DATE = {"x-date": True}
NO_DATES = ["1990-02-30", "2035-13-01", "2027-02-29", "0000-01-01", "2026-W09-6", "20260131", "2026-1-2", "soon", ""]


@pytest.mark.parametrize("today", [TODAY, None])
@pytest.mark.parametrize("schema", [DATE, AGE, FUTURE, {**DATE, **AGE, **FUTURE}])
@pytest.mark.parametrize("text", NO_DATES)
def test_a_text_that_is_no_date_is_told_once_without_the_text(schema: Any, text: str, today: date | None) -> None:
    hint = "write year, month and day such as 1990-01-31, and compare them with the document"
    expected = Broken(("born",), '"born" is not a date of the calendar', hint)

    assert [expected] == found({"properties": {"born": schema}}, {"born": text}, today)


@pytest.mark.parametrize("value", ["2028-02-29", 20280230, None, True, OPEN, ["2028-02-30"]])
def test_a_date_of_the_calendar_and_what_is_no_text_are_fine(value: object) -> None:
    assert [] == found(DATE, value)


@pytest.mark.parametrize("schema", [{"x-date": False}, {"x-future": False}])
def test_a_date_that_is_not_asked_for_is_not_judged(schema: Any) -> None:
    assert [] == found(schema, "1990-02-30")


@pytest.mark.parametrize("schema", [AGE, FUTURE])
def test_without_today_no_date_is_judged(schema: Any) -> None:
    assert [] == found(schema, "1800-01-01", today=None)


# -- where -------------------------------------------------------------------------------------------------------------


def test_rules_are_found_wherever_they_stand_in_a_schema() -> None:
    schema = {
        "properties": {"papers": {"items": {"properties": {"ends": FUTURE, "free": True}, **LATER}}, "born": AGE},
    }
    value = {
        "papers": [{"ends": "2030-01-01", "free": 1}, {"ends": "2020-01-01", "begins": "2021-01-01"}],
        "born": "2020-01-01",
        "unknown": "2020-01-01",
    }

    assert [("papers", 1, "ends"), ("papers", 1, "ends"), ("born",)] == paths(schema, value)


def test_what_is_open_is_not_looked_into() -> None:
    value = {"papers": [{"ends": "2020-01-01"}]}

    assert [] == list(broken({"properties": {"papers": {"items": FUTURE}}}, value, TODAY, lambda part: part == value))


# -- whatever comes ----------------------------------------------------------------------------------------------------

DATES = st.dates().map(date.isoformat) | st.sampled_from(["2026-02-30", "0000-00-00", "2026-W09-6", "٢٠٢٦-٠١-٠١"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=12) | DATES
)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=20,
)
FORMS: dict[str, Any] = {
    "x-age": {"min": 18, "max": 120},
    "x-date": True,
    "x-distinct": {"places": ["a", "a[]", "a[].b", "b.c", "c[].a[].b"], "unless": {"b": "x"}},
    "x-future": True,
    "x-later-than": {"a": "b", "a.b": "c"},
    "x-same-as": {"a": "b", "a.b": "c.a"},
    "x-unique-by": "a.b",
}
KEYWORDS = st.sets(st.sampled_from(sorted(FORMS))).map(lambda names: {name: FORMS[name] for name in names})
SCHEMAS = st.recursive(
    KEYWORDS | st.booleans(),
    lambda inner: st.tuples(KEYWORDS, st.dictionaries(NAMES, inner, max_size=3), inner).map(
        lambda three: {**three[0], "properties": three[1], "items": three[2]}
    ),
    max_leaves=8,
)


def test_every_rule_takes_part() -> None:
    assert set(RULES) == set(FORMS)


@given(SCHEMAS, VALUES, st.dates() | st.none())
def test_no_value_makes_a_rule_raise(schema: Any, value: Any, today: date | None) -> None:
    for one in broken(schema, value, today, lambda part: part == "open"):
        assert one.message
        assert one.hint


@given(SCHEMAS, VALUES)
def test_a_path_leads_to_what_is_wrong(schema: Any, value: Any) -> None:
    for one in found(schema, value):
        at = value
        for step in one.path:
            for name in str(step).split(".") if isinstance(step, str) else [step]:
                at = at[name]
        assert at is not None


@given(VALUES)
def test_nothing_is_wrong_with_what_is_open(value: Any) -> None:
    assert [] == list(broken({**FORMS, "items": FORMS, "properties": {"a": FORMS}}, value, TODAY, lambda part: True))


def test_a_decimal_is_as_good_as_the_number_it_is() -> None:
    assert [] == found({"x-same-as": {"a": "b"}}, {"a": Decimal("1.0"), "b": 1})
