"""A quote locks a price for a while, and can be executed once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest


def quote(partner: Any, **changes: Any) -> Any:
    data = {
        "partner_client_id": "user_1",
        "base_asset_id": "BTC",
        "quote_asset_id": "USD",
        "side": "buy",
        "amount": "0.001",
    }
    return partner.post("/v1/partner/quotes", data | changes)


def execute(partner: Any, token: Any, **more: Any) -> Any:
    return partner.post("/v1/partner/quotes/execute", {"token": token, **more})


def holding(partner: Any, asset: str) -> str:
    return str(partner.get(f"/v1/partner/balances/{asset}?partner_client_id=user_1").result["balance"])


def test_a_quote_names_price_fee_lifetime_and_token(funded: Any) -> None:
    made = quote(funded).result

    assert made.pop("token").count(".") == 2
    assert made == {
        "lifetime": 30,
        "expires_at": "2024-06-01T10:00:30Z",
        "side": "buy",
        "base_asset_id": "BTC",
        "quote_asset_id": "USD",
        "base_amount": "0.001",
        "quote_amount": "64.16000000",
        "price": "64000.00000000",
        "fee": "0.16000000",
        "fee_asset_id": "USD",
        "vat": "0",
    }


def test_a_buy_takes_the_quote_asset_and_gives_the_base_asset(funded: Any) -> None:
    order = execute(funded, quote(funded).result["token"], partner_order_ref="t1").result

    assert order["type"] == "buy"
    assert order["status"] == "completed"
    assert order["order_no"] == f"MNB{order['id']:010d}"
    assert (order["debit"], order["debit_asset_id"]) == ("64.16000000", "USD")
    assert (order["credit"], order["credit_asset_id"]) == ("0.001", "BTC")
    assert (order["price"], order["fee"]) == ("64000.00000000", "0.16000000")
    assert Decimal("35.84") == Decimal(holding(funded, "USD"))
    assert holding(funded, "BTC") == "0.001"
    assert funded.get("/v1/partner/orders/ref/t1").result == order


def test_a_sale_does_the_reverse_and_pays_its_fee_from_the_proceeds(funded: Any) -> None:
    execute(funded, quote(funded).result["token"])
    order = execute(funded, quote(funded, side="sell").result["token"]).result

    assert (order["debit"], order["debit_asset_id"]) == ("0.001", "BTC")
    assert (order["credit"], order["credit_asset_id"]) == ("63.84000000", "USD")
    assert order["partner_order_ref"] is None
    assert holding(funded, "BTC") == "0E-8"
    assert Decimal("99.68") == Decimal(holding(funded, "USD"))


@pytest.mark.parametrize("wait", [0, 31])
def test_a_token_that_is_used_or_expired_is_4008(funded: Any, wait: int) -> None:
    token = quote(funded).result["token"]
    funded.clock.seconds += wait
    if not wait:
        assert execute(funded, token).status == 200

    assert execute(funded, token).code == (400, 4008)
    assert execute(funded, "a.b.c").code == (400, 4008)


def test_a_quote_holds_to_the_last_second_of_its_lifetime(funded: Any) -> None:
    token = quote(funded).result["token"]
    funded.clock.seconds += 30

    assert execute(funded, token).status == 200


def test_a_failed_execution_does_not_spend_the_token(funded: Any) -> None:
    token = quote(funded, amount="0.01").result["token"]

    assert execute(funded, token).code == (400, 3005)
    assert execute(funded, token, partner_order_ref="first").code == (409, 2020)
    funded.fund("deposits", "1000", "more")
    assert execute(funded, token, partner_order_ref="t1").status == 200


def test_a_deactivated_client_cannot_trade(funded: Any) -> None:
    token = quote(funded).result["token"]
    funded.put("/v1/partner/clients/user_1/activation", {"active": False})

    assert quote(funded).code == (400, 2010)
    assert execute(funded, token).code == (400, 2010)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"side": "swap"}, (422, 422)),
        ({"amount": "0"}, (422, 422)),
        ({"base_asset_id": None}, (422, 422)),
        ({"partner_client_id": "nobody"}, (404, 2008)),
        ({"base_asset_id": "XXX"}, (400, 2012)),
        ({"base_asset_id": "AED"}, (400, 2012)),
        ({"quote_asset_id": "EUR"}, (400, 2012)),
        ({"quote_asset_id": "USDT"}, (400, 2012)),
    ],
)
def test_a_quote_that_cannot_be(funded: Any, changes: dict[str, Any], code: tuple[int, int]) -> None:
    assert quote(funded, **changes).code == code


def test_a_token_is_required(funded: Any) -> None:
    assert execute(funded, None).json["msg_detail"] == {"token": ["This field is required."]}
