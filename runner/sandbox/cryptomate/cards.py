"""Individual cards and their virtual balances. (docs: /api-reference/cards/individual-cards)"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.cryptomate import checks, clients
from runner.sandbox.cryptomate.book import EXACT, Book
from runner.sandbox.cryptomate.errors import ApiError, absent, bad, rule
from runner.sandbox.cryptomate.records import Account, Card

METHODS = ("TOPUP", "WEBHOOK")
LIMITS = ("daily_limit", "weekly_limit", "monthly_limit", "per_transaction_limit")
NOT_ACTIVE = "The client is not active"
QUOTA = "The current limit for this product has been reached. Please increase the limit."
INSUFFICIENT = "Error subtracting virtual balances, insufficient funds"
NO_KEY = "x-idempotency-key header is required"
NEGATIVE = "The provided virtual balance amount cannot be negative. Please enter a valid non-negative value."
_HOLDER = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
USDC = {"symbol": "USDC", "name": "USD Coin"}
ON_POLYGON = {**USDC, "decimals": "6", "address": "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", "blockchain": "POLYGON"}
ON_STELLAR = {
    **USDC,
    "decimals": "7",
    "address": "USDC-GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN",
    "blockchain": "STELLAR",
}


def create(book: Book, call: Call) -> Answer:
    """A card, for active clients alone (docs: /products/individual-cards).

    `Idempotency-Key` is honoured, but not required (docs: /api-reference/introduction).
    """
    data = checks.json_object(call)
    key = call.headers.get("idempotency-key", "").strip()
    if key:
        return book.once(f"plain/{key}", _meaning(call), lambda: _create(book, data))
    return _create(book, data)


def get(book: Book, call: Call) -> Answer:
    card = known(book, call)
    if not book.visible(card.created):
        raise absent("Card not found")
    return answer(200, card.to_json())


def listed(book: Book, call: Call) -> Answer:
    """Pages from 0, ten cards each. (docs: CARD/search-individual-cards)"""
    query = parse_qs(call.query)
    page, size = _whole(query, "page", 0, 0), _whole(query, "size", 10, 1)
    wanted: dict[str, list[str]] = {name: query[name] for name in ("client_id", "status", "type") if name in query}
    by, sought = query.get("search_type", [""])[0], query.get("search_text", [""])[0]
    searched = {"CLIENT_ID": "client_id", "LAST4": "last4"}.get(by)
    if searched and sought:
        wanted = {**wanted, searched: [sought]}
    shown = (card.to_json() for card in book.cards.values() if book.visible(card.created))
    found = [card for card in shown if all(card[name] in values for name, values in wanted.items())]
    return answer(
        200,
        {
            "content": found[page * size : (page + 1) * size],
            "page": page,
            "size": size,
            "total_elements": len(found),
            "total_pages": -(-len(found) // size),
        },
    )


def top_up_addresses(book: Book, call: Call) -> Answer:
    """Addresses that follow from the card's id; nothing that is sent there arrives anywhere."""
    card = known(book, call)
    drawn = hashlib.sha256(card.id.encode()).hexdigest()
    ramp = {
        "address": f"G{drawn[:55].upper().translate(_STELLAR)}",
        "blockchain": "STELLAR",
        "memo": str(int(drawn[:8], 16)),
        "tokens": [ON_STELLAR],
    }
    return answer(
        200, [{"address": f"0x{drawn[:40]}", "blockchain": "POLYGON", "tokens": [ON_POLYGON], "ramps": [ramp]}]
    )


def balance(book: Book, call: Call) -> Answer:
    card = known(book, call)
    return Answer(200, f'{{"available_credit":{book.accounts[card.id].balance}}}'.encode())


def add(book: Book, call: Call) -> Answer:
    return _once(book, call, lambda card, amount: book.move(card.id, "add", amount))


def subtract(book: Book, call: Call) -> Answer:
    def taken(card: Card, amount: Decimal) -> Decimal:
        if book.accounts[card.id].balance < amount:
            raise rule(412, INSUFFICIENT)
        return book.move(card.id, "subtract", -amount)

    return _once(book, call, taken)


def override(book: Book, call: Call) -> Answer:
    """An absolute balance; the ledger keeps the difference. (docs: CARD/override-individual-card-virtual-balance)"""
    card = known(book, call)
    wanted = checks.number(checks.json_object(call), "virtual_balance")
    if wanted < 0:
        raise rule(412, NEGATIVE)
    wanted = checks.cents(wanted, "virtual_balance")
    return _total(book.move(card.id, "set", EXACT.subtract(wanted, book.accounts[card.id].balance)))


def known(book: Book, call: Call) -> Card:
    card = book.cards.get(call.params["cardId"])
    if card is None:
        raise absent("Card not found")
    return card


def issue(book: Book, client_id: str, holder: str, method: str, limits: dict[str, Decimal]) -> Card:
    drawn = book.new_uuid("card")
    made = datetime.fromtimestamp(int(book.now()), UTC)
    card = Card(
        id=f"icard_{drawn}",
        rain_card_id=f"rain_{book.new_uuid('rain-card')}",
        client_id=client_id,
        holder=holder.upper(),
        approval_method=method,
        limits=limits,
        last4=f"{int(drawn[:8], 16) % 10_000:04d}",
        expires=(made.month, made.year + 3),
        created=book.now(),
    )
    book.cards[card.id] = card
    book.accounts[card.id] = Account()
    return card


def _create(book: Book, data: dict[str, Any]) -> Answer:
    client_id, holder = checks.text(data, "client_id"), checks.text(data, "card_holder_name")
    if len(holder) > 27 or not _HOLDER.fullmatch(holder):
        raise bad("card_holder_name must have at most 27 letters and spaces")
    method = data.get("approval_method") or "TOPUP"
    if method not in METHODS:
        raise ApiError(400, "VALUE_NOT_ALLOWED", f"approval_method must be one of {', '.join(METHODS)}")
    limits = {name: checks.money(data, name) for name in LIMITS if data.get(name) is not None}
    if clients.known(book, client_id).status != "active":
        raise rule(412, NOT_ACTIVE)
    if sum(card.client_id == client_id for card in book.cards.values()) >= book.cards_per_client:
        most = book.cards_per_client
        raise rule(412, f"This client already has the maximum of {most} cards. Cancel one of them to create a new one.")
    if len(book.cards) >= book.most_cards:
        raise rule(412, QUOTA)
    return answer(201, issue(book, client_id, holder, method, limits).to_json())


def _once(book: Book, call: Call, apply: Callable[[Card, Decimal], Decimal]) -> Answer:
    """The key first, then the card, then the amount; which comes first is not documented."""
    key = call.headers.get("x-idempotency-key", "").strip()
    if not key:
        raise rule(412, NO_KEY)
    card = known(book, call)
    amount = checks.money(checks.json_object(call), "amount")
    meaning = f"{call.operation} {card.id} {amount}"
    return book.once(f"x/{key}", meaning, lambda: _total(apply(card, amount)))


def _total(amount: Decimal) -> Answer:
    """A bare JSON number."""
    return Answer(200, str(amount).encode())


def _meaning(call: Call) -> str:
    return f"{call.operation} {hashlib.sha256(call.body).hexdigest()}"


def _whole(query: dict[str, list[str]], name: str, default: int, lowest: int) -> int:
    given = query.get(name, [str(default)])[0]
    if not re.fullmatch(r"[0-9]{1,6}", given) or int(given) < lowest:
        raise bad(f"{name} must be a whole number from {lowest}")
    return int(given)


# Addresses of Stellar are written in Base32, which has neither 0, 1, 8 nor 9.
_STELLAR = str.maketrans("0189", "GHIJ")
