"""What the sandbox remembers: clients, documents, orders and exact balances."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from random import Random
from typing import Any

from runner.sandbox.clock import Clock
from runner.sandbox.coinmena.records import Account, Client, Document, Order, Quote
from runner.sandbox.coinmena.reference import ASSETS, COUNTRIES, Asset, Country

# Sums must be exact: a result that would need rounding is our bug and raises.
EXACT = Context(prec=100, traps=[Inexact])
ZERO = Decimal("0E-8")
UNIQUE = {"partner_client_id": 2026, "email": 2027, "phone": 2028, "government_id_number": 2016}


class Book:
    """Everything in one place, changed only by its own methods."""

    def __init__(self, clock: Clock, seed: int, visible_after: float = 0.0) -> None:
        self.clock, self.visible_after = clock, visible_after
        base = Random(f"coinmena/ids/{seed}").randrange(10_000, 90_000)
        self._next = {"client": base, "document": 1_000 + base % 1_000, "order": 50_000 + base, "quote": 1}
        self.countries: dict[str, Country] = {country.id: country for country in COUNTRIES}
        self.assets: dict[str, Asset] = {asset.id: asset for asset in ASSETS}
        self.clients: dict[str, Client] = {}
        self.taken: dict[str, set[str]] = {field: set() for field in UNIQUE}
        self.documents: dict[str, list[Document]] = {}
        self.orders: dict[int, Order] = {}
        self.by_client: dict[str, list[Order]] = {}
        self.references: dict[str, Order] = {}
        self.accounts: dict[str, dict[str, Account]] = {}
        self.quotes: dict[str, Quote] = {}

    def next_id(self, kind: str) -> int:
        self._next[kind] += 1
        return self._next[kind] - 1

    def horizon(self) -> float:
        """Reads show what was made until then; only `--visible-after` makes them lag."""
        return self.clock.now() - self.visible_after

    def visible(self, created: float) -> bool:
        return created <= self.horizon()

    def add_client(self, data: dict[str, Any], status: str = "verified", active: bool = True) -> Client:
        client = Client(self.next_id("client"), data, status, active, self.clock.now())
        self.clients[client.partner_client_id] = client
        for field, taken in self.taken.items():
            if isinstance(value := data.get(field), str):
                taken.add(_unique(field, value))
        return client

    def duplicate(self, data: dict[str, Any]) -> int | None:
        """The error code of the first value another client already has."""
        for field, code in UNIQUE.items():
            if _unique(field, data[field]) in self.taken[field]:
                return code
        return None

    def put_client(self, client: Client) -> None:
        self.clients[client.partner_client_id] = client

    def add_document(self, document: Document) -> None:
        self.documents.setdefault(document.client.partner_client_id, []).append(document)

    def add_order(self, order: Order) -> None:
        """Keep an order and, when it is completed, move exactly its money."""
        self.orders[order.id] = order
        self.by_client.setdefault(order.partner_client_id, []).append(order)
        if order.reference is not None:
            self.references.setdefault(order.reference, order)
        if order.status != "completed":
            return
        who, funding = order.partner_client_id, order.type in ("deposit", "withdrawal")
        if order.debit is not None and order.debit_asset is not None:
            # A deposit raises the client's balance by what CoinMENA receives; in a trade the client pays it.
            self.move(who, order.debit_asset, order.type, order.debit if funding else -order.debit)
        if order.credit is not None and order.credit_asset is not None:
            self.move(who, order.credit_asset, order.type, -order.credit if funding else order.credit)

    def move(self, who: str, asset: str, why: str, amount: Decimal) -> None:
        account = self.accounts.setdefault(who, {}).setdefault(asset, Account())
        # The first amount keeps its scale: 1000.00 and not 1000.00000000, as in the provider's sample.
        account.balance = (EXACT.add(account.balance, amount) or ZERO) if account.balance else amount
        account.moved[why] = EXACT.add(account.moved.get(why, Decimal("0")), amount)

    def account(self, who: str, asset: str) -> Account:
        """The account, or an untouched one that is not kept."""
        return self.accounts.get(who, {}).get(asset) or Account()

    def available(self, who: str, asset: str) -> Decimal:
        account = self.account(who, asset)
        return EXACT.subtract(account.balance, account.held) or ZERO


def _unique(field: str, value: str) -> str:
    return value.lower() if field == "email" else value
