"""Quotes and their execution. Every field name here but `token` and `lifetime` is invented, see README.md."""

from __future__ import annotations

import base64
import hashlib
import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.clock import iso
from runner.sandbox.coinmena import checks, clients
from runner.sandbox.coinmena.book import EXACT, Book
from runner.sandbox.coinmena.checks import Check
from runner.sandbox.coinmena.errors import ApiError
from runner.sandbox.coinmena.funding import fresh_reference
from runner.sandbox.coinmena.records import Order, Quote

LIFETIME = 30
FEE_RATE = Decimal("0.0025")
PLACES = Decimal("0.00000001")
QUOTE_FIELDS: dict[str, Check] = {
    "partner_client_id": checks.text,
    "base_asset_id": checks.text,
    "quote_asset_id": checks.text,
    "side": checks.one_of("buy", "sell"),
    "amount": checks.amount,
}
EXECUTE_FIELDS: dict[str, Check] = {"token": lambda value: checks.text(value, 4096)}
EXECUTE_OPTIONAL: dict[str, Check] = {"partner_order_ref": checks.identifier}


def quote(book: Book, call: Call) -> Answer:
    data = checks.json_object(call)
    if found := checks.problems(data, QUOTE_FIELDS, {}):
        raise ApiError(422, found)
    clients.ready(book, data["partner_client_id"])
    made = _locked(book, data)
    book.quotes[made.token] = made
    return answer(
        200,
        {
            "result": {
                "token": made.token,
                "lifetime": LIFETIME,
                "expires_at": iso(made.expires),
                "side": made.side,
                "base_asset_id": made.base_asset,
                "quote_asset_id": made.quote_asset,
                "base_amount": str(made.base),
                "quote_amount": str(made.cost),
                "price": str(made.price),
                "fee": str(made.fee),
                "fee_asset_id": made.quote_asset,
                "vat": "0",
            }
        },
    )


def execute(book: Book, call: Call, refuse_used: bool) -> Answer:
    """The checks in the order 422, 4008, 2008, 2009, 2010, 2020, 3005; only success spends the token."""
    data = checks.json_object(call)
    if found := checks.problems(data, EXECUTE_FIELDS, EXECUTE_OPTIONAL):
        raise ApiError(422, found)
    locked = book.quotes.get(data["token"])
    if locked is None or book.clock.now() > locked.expires:
        raise ApiError(4008)
    clients.ready(book, locked.partner_client_id)
    reference = data.get("partner_order_ref")
    fresh_reference(book, reference, refuse_used)
    buys = locked.side == "buy"
    pays, gets = (locked.cost, locked.base) if buys else (locked.base, locked.cost)
    pays_in, gets_in = (locked.quote_asset, locked.base_asset) if buys else (locked.base_asset, locked.quote_asset)
    if book.available(locked.partner_client_id, pays_in) < pays:
        raise ApiError(3005)
    del book.quotes[locked.token]
    order = Order(
        book.next_id("order"),
        locked.partner_client_id,
        locked.side,
        call.outcome,
        book.clock.now(),
        debit=pays,
        debit_asset=pays_in,
        credit=gets,
        credit_asset=gets_in,
        fee=locked.fee,
        fee_asset=locked.quote_asset,
        price=locked.price,
        reference=reference,
    )
    book.add_order(order)
    return answer(200, {"result": order.to_json()})


def _locked(book: Book, data: dict[str, Any]) -> Quote:
    base, other = book.assets.get(data["base_asset_id"]), book.assets.get(data["quote_asset_id"])
    if base is None or other is None or not base.published or not other.published:
        raise ApiError(2012)
    if base.type != "crypto" or other.type != "fiat":
        raise ApiError(2012)
    amount = Decimal(data["amount"])
    price = (base.usd / other.usd).quantize(PLACES, ROUND_HALF_EVEN)
    value = EXACT.multiply(amount, price).quantize(PLACES, ROUND_HALF_EVEN)
    fee = EXACT.multiply(value, FEE_RATE).quantize(PLACES, ROUND_HALF_EVEN)
    cost = EXACT.add(value, fee) if data["side"] == "buy" else EXACT.subtract(value, fee)
    expires = book.clock.now() + LIFETIME
    claims = {"sub": data["partner_client_id"], "jti": str(book.next_id("quote")), "exp": int(expires)}
    return Quote(
        _token(claims),
        data["partner_client_id"],
        data["side"],
        base.id,
        other.id,
        amount,
        price,
        cost,
        fee,
        expires,
    )


def _token(claims: dict[str, Any]) -> str:
    """Looks like a JWT and is opaque: callers pass it back and read nothing in it."""
    parts = [_part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()), _part(json.dumps(claims).encode())]
    return ".".join([*parts, _part(hashlib.sha256(".".join(parts).encode()).digest())])


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
