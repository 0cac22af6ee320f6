"""Amounts are exact or refused."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.money import Money
from runner.money import MoneyError, from_minor_units, parse_amount, text, to_minor_units, total


@pytest.mark.parametrize(
    "written", ["1", "0.01", "250.00", "1000", "0.00000001", "9" * 30, "9" * 15 + "." + "9" * 15, "10.50"]
)
def test_an_amount_keeps_its_places(written: str) -> None:
    assert written == str(parse_amount(written).__format__("f"))
    assert written == text(parse_amount(Decimal(written)))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "money.wrong-type"),
        (1, "money.wrong-type"),
        (True, "money.wrong-type"),
        (None, "money.wrong-type"),
        (["1"], "money.wrong-type"),
        ({}, "money.wrong-type"),
        (b"1", "money.wrong-type"),
        ("", "money.syntax"),
        (" 1", "money.syntax"),
        ("1 ", "money.syntax"),
        ("1\n", "money.syntax"),
        ("1,000.00", "money.syntax"),
        ("1_000", "money.syntax"),
        ("1 000", "money.syntax"),
        ("1,5", "money.syntax"),
        ("1e3", "money.syntax"),
        ("1E-2", "money.syntax"),
        ("NaN", "money.syntax"),
        ("Infinity", "money.syntax"),
        (".5", "money.syntax"),
        ("5.", "money.syntax"),
        ("1.2.3", "money.syntax"),
        ("+5", "money.syntax"),
        ("007", "money.syntax"),
        ("$5", "money.syntax"),
        ("١٢", "money.syntax"),
        ("-1", "money.not-positive"),
        ("0", "money.not-positive"),
        ("0.00", "money.not-positive"),
        ("9" * 31, "money.too-long"),
        ("0." + "0" * 40 + "1", "money.too-long"),
        (Decimal("NaN"), "money.syntax"),
        (Decimal("-Infinity"), "money.not-positive"),
        (Decimal("1E+3"), "money.syntax"),
        (Decimal("1E-999999"), "money.too-long"),
        (Decimal("-1"), "money.not-positive"),
        (Decimal("-0"), "money.not-positive"),
    ],
)
def test_what_is_no_amount_is_refused(value: object, code: str) -> None:
    with pytest.raises(MoneyError) as caught:
        parse_amount(value)
    assert code == caught.value.code


def test_the_refusal_speaks_plainly() -> None:
    with pytest.raises(MoneyError, match=r'^an amount has no separators, found "1,000.00"$'):
        parse_amount("1,000.00")
    with pytest.raises(MoneyError, match=r"^an amount is quoted text, found the number 1.5$"):
        parse_amount(1.5)
    with pytest.raises(MoneyError, match=r'^"1.005" has 3 decimal places, at most 2 are allowed$'):
        parse_amount("1.005", max_places=2)
    with pytest.raises(MoneyError, match=r'^an amount is digits and at most one point, found "1.2.3"$'):
        parse_amount("1.2.3")


def test_places_are_never_rounded_away() -> None:
    assert Decimal("1.05") == parse_amount("1.05", max_places=2)
    with pytest.raises(MoneyError):
        parse_amount("1.050", max_places=2)
    with pytest.raises(MoneyError):
        parse_amount(Decimal("1.5"), max_places=0)


def test_cents_there_and_back() -> None:
    money = Money(Decimal("123.45"), "USD")
    assert to_minor_units(money, 2) == 12345
    assert money == from_minor_units(12345, 2, "USD")
    assert text(from_minor_units(100, 2, "USD").amount) == "1.00"
    assert to_minor_units(Money(Decimal("5.00"), "JPY"), 0) == 5
    with pytest.raises(MoneyError, match=r"^1.005 USD has more than 2 decimal places$"):
        to_minor_units(Money(Decimal("1.005"), "USD"), 2)
    with pytest.raises(MoneyError, match="found true"):
        from_minor_units(True, 2, "USD")


def test_a_plain_text_for_every_amount() -> None:
    assert text(Decimal("-0.00")) == "0.00"
    assert text(Decimal("1E+3")) == "1000"
    assert text(Decimal("0E-8")) == "0.00000000"
    assert text(Decimal("-1.50")) == "-1.50"
    for endless in ("NaN", "1E+999999"):
        with pytest.raises(MoneyError):
            text(Decimal(endless))


_units = st.lists(st.tuples(st.integers(1, 10**29), st.sampled_from(["USD", "AED"])))


@given(_units, st.randoms(use_true_random=False))
def test_a_sum_is_exact_whatever_the_order(rows: list[tuple[int, str]], chance: random.Random) -> None:
    expected: Counter[str] = Counter()
    for units, asset in rows:
        expected[asset] += units
    moneys = [from_minor_units(units, 10, asset) for units, asset in rows]
    sums, shuffled = total(moneys), total(chance.sample(moneys, len(moneys)))
    assert {asset: to_minor_units(Money(amount, asset), 10) for asset, amount in sums.items()} == expected
    assert {asset: text(amount) for asset, amount in sums.items()} == {
        asset: text(amount) for asset, amount in shuffled.items()
    }


def test_a_million_large_and_tiny_amounts_add_up() -> None:
    large, tiny = Money(Decimal("9" * 30), "USD"), Money(Decimal("0." + "0" * 28 + "1"), "USD")
    sums = total(large if at % 2 else tiny for at in range(1_000_000))
    assert {asset: text(sum_) for asset, sum_ in sums.items()} == {
        "USD": "4" + "9" * 5 + "9" * 24 + "500000" + "." + "0" * 23 + "500000"
    }
    assert total([]) == {}


def test_a_sum_that_can_not_be_exact_is_refused() -> None:
    with pytest.raises(MoneyError, match="too many digits"):
        total([Money(Decimal("1E+300"), "USD"), Money(Decimal("1E-300"), "USD")])


@given(st.integers(min_value=-(10**25), max_value=10**25), st.integers(min_value=0, max_value=18))
def test_smallest_units_round_trip(units: int, places: int) -> None:
    assert units == to_minor_units(from_minor_units(units, places, "USD"), places)


@given(st.text() | st.floats() | st.decimals() | st.integers())
def test_reading_an_amount_gives_an_amount_or_a_money_error(value: object) -> None:
    try:
        amount = parse_amount(value)
    except MoneyError:
        return
    assert amount > 0
    assert text(amount) == (value if isinstance(value, str) else text(Decimal(str(value))))
