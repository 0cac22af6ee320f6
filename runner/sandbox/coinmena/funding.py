"""Deposits, withdrawals and balances."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from urllib.parse import parse_qs

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.coinmena import checks, clients
from runner.sandbox.coinmena.book import EXACT, ZERO, Book
from runner.sandbox.coinmena.checks import Check
from runner.sandbox.coinmena.errors import ApiError, invalid
from runner.sandbox.coinmena.records import Order
from runner.sandbox.coinmena.reference import Asset

FIELDS: dict[str, Check] = {
    "partner_client_id": checks.text,
    "asset_id": checks.text,
    "amount": checks.amount,
    "partner_order_ref": checks.identifier,
}
CENTS = Decimal("0.00000001")


def deposit(book: Book, call: Call, refuse_used: bool) -> Answer:
    data = _funding(book, call, refuse_used, lambda asset: asset.depositable)
    order = Order(
        book.next_id("order"),
        data["partner_client_id"],
        "deposit",
        call.outcome,
        book.clock.now(),
        debit=Decimal(data["amount"]),
        debit_asset=data["asset_id"],
        fee_asset=data["asset_id"],
        reference=data["partner_order_ref"],
    )
    book.add_order(order)
    return answer(200, {"result": order.to_json()})


def withdraw(book: Book, call: Call, refuse_used: bool) -> Answer:
    data = _funding(book, call, refuse_used, lambda asset: asset.withdrawable)
    amount = Decimal(data["amount"])
    if book.available(data["partner_client_id"], data["asset_id"]) < amount:
        raise ApiError(3005)
    order = Order(
        book.next_id("order"),
        data["partner_client_id"],
        "withdrawal",
        call.outcome,
        book.clock.now(),
        credit=amount,
        credit_asset=data["asset_id"],
        fee_asset=data["asset_id"],
        reference=data["partner_order_ref"],
    )
    book.add_order(order)
    return answer(200, {"result": order.to_json()})


def balances(book: Book, call: Call) -> Answer:
    who = _who(book, call)
    assets = sorted(book.accounts.get(who, {}))
    return answer(200, {"items": [_balance(book, who, book.assets[asset]) for asset in assets]})


def balance(book: Book, call: Call) -> Answer:
    who = _who(book, call)
    asset = book.assets.get(call.params["asset_id"])
    if asset is None or not asset.published:
        raise ApiError(2012)
    return answer(200, {"result": _balance(book, who, asset)})


def fresh_reference(book: Book, reference: str | None, refuse_used: bool) -> None:
    """One namespace for deposits, withdrawals and trades."""
    if refuse_used and reference is not None and reference in book.references:
        raise ApiError(2020)


def _funding(book: Book, call: Call, refuse_used: bool, allows: Callable[[Asset], bool]) -> dict[str, Any]:
    """The checks in the order 422, 2008, 2009, 2010, 2012, 2020."""
    data = checks.json_object(call)
    if found := checks.problems(data, FIELDS, {}):
        raise ApiError(422, found)
    clients.ready(book, data["partner_client_id"])
    asset = book.assets.get(data["asset_id"])
    if asset is None or not asset.published or asset.type != "fiat" or not allows(asset):
        raise ApiError(2012)
    fresh_reference(book, data["partner_order_ref"], refuse_used)
    return data


def _who(book: Book, call: Call) -> str:
    given = parse_qs(call.query, keep_blank_values=True).get("partner_client_id", [""])[0]
    if not given:
        raise invalid("partner_client_id", checks.REQUIRED)
    return clients.shown(book, given).partner_client_id


def _balance(book: Book, who: str, asset: Asset) -> dict[str, Any]:
    account = book.account(who, asset.id)
    available = book.available(who, asset.id)
    return {
        "asset_id": asset.id,
        "balance": str(account.balance),
        "available_balance": str(available),
        "balance_usd": str(_in_usd(account.balance, asset)),
        "available_balance_usd": str(_in_usd(available, asset)),
    }


def _in_usd(amount: Decimal, asset: Asset) -> Decimal:
    """The only rounded figure here: a conversion, to 8 places. US dollars stay as they are."""
    if asset.usd == 1:
        return amount
    exact = EXACT.multiply(amount, asset.usd)
    return exact.quantize(CENTS, ROUND_HALF_EVEN) or ZERO
