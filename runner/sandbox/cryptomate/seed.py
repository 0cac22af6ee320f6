"""Seed data: requirements, reviews, clients, cards, keys and the webhook, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from runner.sandbox.cryptomate import cards, checks, clients, products, requirements, reviews
from runner.sandbox.cryptomate.book import Book
from runner.sandbox.cryptomate.errors import ApiError
from runner.sandbox.cryptomate.keys import HIGHEST_LEVEL
from runner.sandbox.cryptomate.records import CLIENT_FIELDS, PHONE_FIELDS, Client, Request
from runner.sandbox.cryptomate.webhooks import is_address

STATUSES = ("active", "pending", "rejected")
PRODUCT_STATUSES = ("requested", "pending_documentation", "in_kyc", "enabled", "rejected")
_T = TypeVar("_T")


def load(book: Book, data: Any) -> None:
    """Raises ValueError with the place and the reason; the caller then throws this book away."""
    parts: dict[str, Callable[[Book, Any], None]] = {
        "requirements": lambda book, given: _by_email(book.shapes, given, requirements.read),
        "reviews": lambda book, given: _by_email(book.reviews, given, reviews.read),
        "keys": _keys,
        "limits": _limits,
        "webhook": _webhook,
        "clients": lambda book, given: _each(book, given, _client),
        "cards": lambda book, given: _each(book, given, _card),
    }
    if not isinstance(data, dict):
        raise ValueError("seed data must be a JSON object")
    if unknown := sorted(set(data) - set(parts)):
        raise ValueError(f'seed data: unknown key "{unknown[0]}", known are {", ".join(parts)}')
    for name, put in parts.items():
        if name in data:
            try:
                put(book, data[name])
            except (ArithmeticError, ApiError, TypeError, ValueError) as problem:
                raise ValueError(f"seed data: {name}: {problem}") from None


def _by_email(known: dict[str | None, _T], given: Any, read: Callable[[Any], _T]) -> None:
    found = _only(given, ("default", "by_email"))
    if "default" in found:
        known[None] = read(found["default"])
    for email, one in _only(found.get("by_email", {})).items():
        try:
            known[email.lower()] = read(one)
        except ValueError as problem:
            raise ValueError(f"{email}: {problem}") from None


def _keys(book: Book, given: Any) -> None:
    """More keys with their access levels, so that a key can be too weak."""
    for key, level in _only(given).items():
        if isinstance(level, bool) or level not in range(1, HIGHEST_LEVEL + 1):
            raise ValueError(f"{key}: a level is 1, 2 or 3")
        book.keys[key] = level


def _limits(book: Book, given: Any) -> None:
    found = _only(given, ("cards_per_client", "cards"))
    if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in found.values()):
        raise ValueError("a limit is a whole number, zero or more")
    book.cards_per_client = found.get("cards_per_client", book.cards_per_client)
    book.most_cards = found.get("cards", book.most_cards)


def _webhook(book: Book, given: Any) -> None:
    found = _only(given, ("url", "key"))
    if not is_address(str(found.get("url"))):
        raise ValueError('"url" must be an http or https address')
    book.webhook_url = found["url"]
    book.webhook_key = str(found.get("key", book.webhook_key))


def _client(book: Book, given: Mapping[str, Any]) -> None:
    """Fields left out get values that need not be looked at; `product` is the status of a product request."""
    data = dict(_only(given, (*CLIENT_FIELDS, *PHONE_FIELDS, "status", "product")))
    status, product = data.pop("status", "pending"), data.pop("product", None)
    if status not in STATUSES:
        raise ValueError(f'"status" must be one of {", ".join(STATUSES)}')
    if product not in (None, *PRODUCT_STATUSES):
        raise ValueError(f'"product" must be one of {", ".join(PRODUCT_STATUSES)}')
    number = len(book.clients) + 1
    filled = {
        "first_name": "Seeded",
        "last_name": f"Client {number}",
        "birth_date": "1990-01-15",
        "address": {
            "street_line1": "Florida 1",
            "city": "Buenos Aires",
            "postal_code": "1005",
            "state": "ARG-C",
            "country": "ARG",
        },
        **data,
    }
    read, extras = clients.read(filled)
    if read["email"].lower() in book.emails:
        raise ValueError(f"{read['email']} is already there")
    now = book.now()
    rejection = (reviews.CODE, reviews.DESCRIPTION)
    client = Client(book.new_id("client"), read, extras, status, now, now, rejection if status == "rejected" else None)
    book.put_client(client)
    if product is not None:
        shape = book.shape_for(client)
        refused = rejection if product == "rejected" else None
        book.put_request(
            Request(book.new_id("request"), client.id, products.REQUESTABLE, product, shape, now, now, {}, refused)
        )


def _card(book: Book, given: Mapping[str, Any]) -> None:
    """A card of a client that is there, whatever its status, with a balance."""
    found = _only(given, ("email", "card_holder_name", "approval_method", "balance"))
    client_id = book.emails.get(str(found.get("email", "")).lower())
    if client_id is None:
        raise ValueError(f'unknown client "{found.get("email")}"')
    holder = str(found.get("card_holder_name", "Seeded Client"))
    method = found.get("approval_method", "TOPUP")
    if method not in cards.METHODS:
        raise ValueError(f'"approval_method" must be one of {", ".join(cards.METHODS)}')
    balance = found.get("balance", "0.00")
    if not isinstance(balance, str) or not Decimal(balance).is_finite() or Decimal(balance) < 0:
        raise ValueError(f'"balance": {balance!r} must be a text such as "10.00"')
    card = cards.issue(book, client_id, holder, method, {})
    if Decimal(balance):
        book.move(card.id, "seed", checks.cents(Decimal(balance), "balance"))


def _each(book: Book, given: Any, put: Callable[[Book, Mapping[str, Any]], None]) -> None:
    if not isinstance(given, list):
        raise ValueError("expected a list")
    for index, item in enumerate(given):
        try:
            put(book, item)
        except (ArithmeticError, ApiError, TypeError, ValueError) as problem:
            raise ValueError(f"[{index}]: {problem}") from None


def _only(given: Any, known: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object; with `known`, one that has no other keys."""
    if not isinstance(given, dict):
        raise ValueError("expected an object")
    if known and (unknown := sorted(set(given) - set(known))):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(known)}')
    return given
