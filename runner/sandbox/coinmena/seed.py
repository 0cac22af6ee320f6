"""Seed data: put countries, assets, clients, orders and balances into a book, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from runner.sandbox.coinmena import checks
from runner.sandbox.coinmena.book import EXACT, ZERO, Book
from runner.sandbox.coinmena.clients import OPTIONAL, REQUIRED
from runner.sandbox.coinmena.errors import ApiError
from runner.sandbox.coinmena.orders import STATUSES
from runner.sandbox.coinmena.records import Client, Order
from runner.sandbox.coinmena.reference import Asset, Country


def load(book: Book, data: Any) -> None:
    """Raises ValueError with the place and the reason; the caller then throws this book away."""
    kinds: dict[str, Callable[[Book, dict[str, Any]], None]] = {
        "countries": _country,
        "assets": _asset,
        "clients": _client,
        "orders": _order,
        "balances": _balance,
    }
    if not isinstance(data, dict):
        raise ValueError("seed data must be a JSON object")
    if unknown := sorted(set(data) - set(kinds)):
        raise ValueError(f'seed data: unknown key "{unknown[0]}", known are {", ".join(kinds)}')
    for kind, put in kinds.items():
        for index, item in enumerate(data.get(kind, [])):
            try:
                put(book, item)
            except (ApiError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as problem:
                raise ValueError(f"seed data: {kind}[{index}]: {_reason(problem)}") from None


def _reason(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"missing key {problem}"
    if isinstance(problem, ApiError):
        return f"{problem.detail or problem.code}"
    return str(problem)


def _country(book: Book, item: dict[str, Any]) -> None:
    _only(item, [field.name for field in fields(Country)])
    known = book.countries.get(item["id"], Country(item["id"], item["id"]))
    book.countries[known.id] = replace(known, **item)


def _asset(book: Book, item: dict[str, Any]) -> None:
    _only(item, [field.name for field in fields(Asset)])
    known = book.assets.get(item["id"], Asset(item["id"], item["id"], Decimal("1")))
    given = dict(item)
    if "usd" in given:
        given["usd"] = Decimal(str(given["usd"]))
    book.assets[known.id] = replace(known, **given)


def _client(book: Book, item: dict[str, Any]) -> None:
    """Fields left out get values nobody else has; `status` and `active` can be anything a test needs."""
    _only(item, [*REQUIRED, *OPTIONAL, "address", "employment", "status", "active"])
    given = dict(item)
    status, active = given.pop("status", "verified"), given.pop("active", True)
    number = len(book.clients) + 1
    data = {
        "partner_client_id": given["partner_client_id"],
        "account_type": "personal",
        "name": f"Seeded Client {number}",
        "email": f"seeded-{number}@example.com",
        "phone": f"+9733{number:07d}",
        "residency_id": "bh",
        "citizenship_id": "bh",
        "place_of_birth_id": "bh",
        "birth_date": "1990-01-15",
        "government_id_number": f"SEED{number:08d}",
        "government_id_doe": "2035-01-15",
        "address": {"street": "1 Seef Road", "city": "Manama", "postal_code": "428"},
        "employment": {"status": "unemployed"},
        "trading_volume": "10001_25000",
        "account_purpose": ["short_term_trading"],
        **given,
    }
    if checks.boolean(active) or checks.text(status):
        raise ValueError('"status" must be a text and "active" true or false')
    if code := book.duplicate(data):
        raise ApiError(code)
    book.add_client(data, status, active)


def _order(book: Book, item: dict[str, Any]) -> None:
    """A finished deposit or withdrawal; a completed one moves the balance."""
    _only(item, ["partner_client_id", "type", "asset_id", "amount", "partner_order_ref", "status", "created_at"])
    kind, amount, asset = item["type"], _amount(item["amount"]), book.assets[item["asset_id"]].id
    status = item.get("status", "completed")
    if kind not in ("deposit", "withdrawal") or status not in STATUSES:
        raise ValueError(f'"type" is deposit or withdrawal, "status" is {", ".join(STATUSES)}')
    deposit = kind == "deposit"
    book.add_order(
        Order(
            book.next_id("order"),
            _known(book, item).partner_client_id,
            kind,
            status,
            checks.moment("created_at", item["created_at"]) if "created_at" in item else book.clock.now(),
            debit=amount if deposit else None,
            debit_asset=asset if deposit else None,
            credit=None if deposit else amount,
            credit_asset=None if deposit else asset,
            fee_asset=asset,
            reference=item.get("partner_order_ref"),
        )
    )


def _balance(book: Book, item: dict[str, Any]) -> None:
    """Sets a balance; the difference is booked as an "adjustment", as the provider may do at any time."""
    _only(item, ["partner_client_id", "asset_id", "balance", "available_balance"])
    who, asset = _known(book, item).partner_client_id, book.assets[item["asset_id"]].id
    wanted = _amount(item["balance"])
    available = _amount(item.get("available_balance", item["balance"]))
    if available > wanted:
        raise ValueError('"available_balance" is more than "balance"')
    book.move(who, asset, "adjustment", EXACT.subtract(wanted, book.account(who, asset).balance))
    account = book.accounts[who][asset]
    account.balance = wanted or ZERO  # the same number, in the scale that was given
    account.held = EXACT.subtract(wanted, available)


def _known(book: Book, item: dict[str, Any]) -> Client:
    who = item["partner_client_id"]
    if who not in book.clients:
        raise ValueError(f'unknown client "{who}"')
    return book.clients[who]


def _amount(given: Any) -> Decimal:
    """A decimal text, zero allowed: never a JSON number, which has already lost digits."""
    if not isinstance(given, str):
        raise ValueError(f'{given!r} must be a text such as "10.00"')
    amount = Decimal(given)
    if not amount.is_finite() or amount < 0:
        raise ValueError(f'"{given}" must be zero or more')
    return amount


def _only(item: dict[str, Any], known: list[str]) -> None:
    if unknown := sorted(set(item) - set(known)):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(known)}')
