"""Money moves exactly, once, and only when every check has passed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.sandbox.coinmena.book import Book

BALANCE = "/v1/partner/balances/USD?partner_client_id=user_1"


def test_a_deposit_is_completed_and_holds_its_amount_in_debit(partner: Any) -> None:
    partner.client()
    made = partner.fund("deposits", "1000.00", "deposit-abc-123")
    number = made.result["id"]

    assert made.status == 200
    assert made.result == {
        "id": number,
        "order_no": f"MND{number:010d}",
        "partner_client_id": "user_1",
        "type": "deposit",
        "source": "bank",
        "status": "completed",
        "credit": None,
        "credit_asset_id": None,
        "debit": "1000.00",
        "debit_asset_id": "USD",
        "fee": "0",
        "fee_asset_id": "USD",
        "vat": "0",
        "partner_order_ref": "deposit-abc-123",
        "price": None,
        "created_at": "2024-06-01T10:00:00Z",
        "transitioned_at": "2024-06-01T10:00:00Z",
        "updated_at": "2024-06-01T10:00:00Z",
    }
    assert partner.get(BALANCE).result == {
        "asset_id": "USD",
        "balance": "1000.00",
        "available_balance": "1000.00",
        "balance_usd": "1000.00",
        "available_balance_usd": "1000.00",
    }


def test_a_withdrawal_holds_its_amount_in_credit(funded: Any) -> None:
    made = funded.fund("withdrawals", "40.5", "w1")

    assert (made.result["credit"], made.result["credit_asset_id"]) == ("40.5", "USD")
    assert (made.result["debit"], made.result["debit_asset_id"]) == (None, None)
    assert made.result["order_no"] == f"MNW{made.result['id']:010d}"
    assert funded.get(BALANCE).result["balance"] == "59.50"


def test_nothing_left_is_written_as_0e_8(funded: Any) -> None:
    funded.fund("withdrawals", "100", "w1")

    assert funded.get(BALANCE).result == {
        "asset_id": "USD",
        "balance": "0E-8",
        "available_balance": "0E-8",
        "balance_usd": "0E-8",
        "available_balance_usd": "0E-8",
    }


def test_the_scale_given_is_kept_and_small_amounts_come_in_scientific_notation(partner: Any) -> None:
    partner.client()

    assert partner.fund("deposits", "0.00000001", "r1").result["debit"] == "1E-8"
    assert partner.fund("deposits", "5", "r2").result["debit"] == "5"
    assert partner.get(BALANCE).result["balance"] == "5.00000001"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "0"),
        ("amount", "0.00"),
        ("amount", "-1"),
        ("amount", "+1"),
        ("amount", "1.123456789"),
        ("amount", "1e3"),
        ("amount", "1,5"),
        ("amount", " 1"),
        ("amount", "1."),
        ("amount", "NaN"),
        ("amount", "\u0661"),
        ("amount", "1" * 21),
        ("amount", 10),
        ("amount", 10.5),
        ("amount", None),
        ("partner_order_ref", None),
        ("partner_order_ref", ""),
        ("partner_order_ref", "a\nb"),
        ("partner_client_id", 7),
        ("asset_id", None),
    ],
)
def test_a_malformed_field_is_422_and_moves_nothing(funded: Any, field: str, value: Any) -> None:
    data = {
        "partner_client_id": "user_1",
        "asset_id": "USD",
        "amount": "1",
        "partner_order_ref": "r",
        field: value,
    }

    found = funded.post("/v1/partner/deposits", data)

    assert found.code == (422, 422)
    assert [field] == list(found.json["msg_detail"])
    assert funded.get(BALANCE).result["balance"] == "100.00"


@pytest.mark.parametrize(
    ("kind", "asset", "status"),
    [
        ("deposits", "XXX", 400),
        ("deposits", "usd", 400),
        ("deposits", "EUR", 400),
        ("deposits", "QAR", 400),
        ("deposits", "BTC", 400),
        ("withdrawals", "KWD", 400),
        ("withdrawals", "BTC", 400),
    ],
)
def test_an_asset_must_be_published_fiat_and_open_for_the_operation(
    funded: Any, kind: str, asset: str, status: int
) -> None:
    assert funded.fund(kind, "1", "r1", asset=asset).code == (status, 2012)


def test_an_unverified_client_cannot_move_money(partner: Any) -> None:
    partner.control("POST", "data", {"clients": [{"partner_client_id": "new", "status": "pending"}]})

    assert partner.fund("deposits", "1", "r1", "new").code == (400, 2009)
    assert partner.get("/v1/partner/clients/new/").result["verified_at"] is None


def test_an_unknown_client_comes_before_the_asset_and_the_reference(funded: Any) -> None:
    assert funded.fund("deposits", "1", "first", "nobody", "XXX").code == (404, 2008)
    assert funded.fund("deposits", "1", "first", asset="XXX").code == (400, 2012)
    assert funded.fund("withdrawals", "999", "first").code == (409, 2020)


def test_a_used_reference_is_409_in_every_kind_of_order(funded: Any) -> None:
    assert funded.fund("deposits", "100.00", "first").json == {
        "code": 2020,
        "msg": "Duplicate partner_order_ref",
        "msg_detail": None,
    }
    assert funded.fund("withdrawals", "1", "first").code == (409, 2020)
    assert funded.get(BALANCE).result["balance"] == "100.00"


def test_a_server_that_does_not_refuse_makes_a_second_order(start: Any) -> None:
    partner = start(refuse_used_references=False)
    partner.client()
    one, two = partner.fund("deposits", "5", "same"), partner.fund("deposits", "5", "same")

    assert (one.status, two.status) == (200, 200)
    assert one.result["id"] != two.result["id"]
    assert partner.get(BALANCE).result["balance"] == "10"
    assert partner.get("/v1/partner/orders/ref/same").result["id"] == one.result["id"]


def test_more_than_available_is_3005_and_uses_no_reference(funded: Any) -> None:
    assert funded.fund("withdrawals", "100.00000001", "w1").code == (400, 3005)
    assert funded.get("/v1/partner/orders/ref/w1").code == (404, 404)
    assert funded.fund("withdrawals", "100", "w1").status == 200


def test_money_on_hold_is_not_available(funded: Any) -> None:
    held = {
        "partner_client_id": "user_1",
        "asset_id": "USD",
        "balance": "50.00",
        "available_balance": "20.00",
    }
    funded.control("POST", "data", {"balances": [held]})

    assert funded.get(BALANCE).result["available_balance"] == "20.00"
    assert funded.fund("withdrawals", "20.01", "w1").code == (400, 3005)
    assert funded.fund("withdrawals", "20.00", "w1").status == 200


def test_balances_are_listed_per_client_with_dollars_beside(funded: Any) -> None:
    funded.fund("deposits", "10.00", "aed", asset="AED")

    assert funded.get("/v1/partner/balances?partner_client_id=user_1").json == {
        "items": [
            {
                "asset_id": "AED",
                "balance": "10.00",
                "available_balance": "10.00",
                "balance_usd": "2.72294080",
                "available_balance_usd": "2.72294080",
            },
            {
                "asset_id": "USD",
                "balance": "100.00",
                "available_balance": "100.00",
                "balance_usd": "100.00",
                "available_balance_usd": "100.00",
            },
        ]
    }
    assert funded.get("/v1/partner/balances/SAR?partner_client_id=user_1").result["balance"] == "0E-8"
    assert funded.get("/v1/partner/balances/XXX?partner_client_id=user_1").code == (400, 2012)
    assert funded.get("/v1/partner/balances").json["msg_detail"] == {"partner_client_id": ["This field is required."]}


amounts = st.decimals("0.00000001", "99999999999999999999", places=8).map(lambda amount: format(amount, "f"))


@given(st.lists(amounts, min_size=1, max_size=20))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_are_exact(clock: Any, moved: list[str]) -> None:
    book = Book(clock, 1)
    for amount in moved:
        book.move("user_1", "USD", "deposit", Decimal(amount))
    for amount in moved[1:]:
        book.move("user_1", "USD", "withdrawal", -Decimal(amount))

    assert Decimal(moved[0]) == book.available("user_1", "USD")
    book.move("user_1", "USD", "withdrawal", -Decimal(moved[0]))
    assert str(book.available("user_1", "USD")) == "0E-8"
