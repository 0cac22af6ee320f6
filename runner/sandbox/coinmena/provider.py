"""The CoinMENA external partner API as documented: 17 operations over one book."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from runner.sandbox.base import NO_ACTS, NO_EVENTS, Answer, Call, Pace, Route, Routes, answer, stay
from runner.sandbox.clock import Clock
from runner.sandbox.coinmena import clients, documents, funding, keys, orders, seed, signing, trading
from runner.sandbox.coinmena.book import Book
from runner.sandbox.coinmena.errors import ApiError, told
from runner.sandbox.options import Options

ROUTES = (
    Route("balances.get", "GET", "/v1/partner/balances/{asset_id}"),
    Route("balances.list", "GET", "/v1/partner/balances"),
    Route("clients.activate", "PUT", "/v1/partner/clients/{partner_client_id}/activation"),
    Route("clients.create", "POST", "/v1/partner/clients"),
    Route("clients.get", "GET", "/v1/partner/clients/{partner_client_id}/"),
    Route("deposits.create", "POST", "/v1/partner/deposits"),
    Route("documents.list", "GET", "/v1/partner/clients/{partner_client_id}/documents"),
    Route("documents.upload", "POST", "/v1/partner/clients/{partner_client_id}/documents"),
    Route("orders.by_reference", "GET", "/v1/partner/orders/ref/{partner_order_ref}"),
    Route("orders.get", "GET", "/v1/partner/orders/{id}"),
    Route("orders.list", "GET", "/v1/partner/orders"),
    Route("public.assets", "GET", "/v1/public/assets"),
    Route("public.countries", "GET", "/v1/public/countries"),
    Route("quotes.create", "POST", "/v1/partner/quotes"),
    Route("quotes.execute", "POST", "/v1/partner/quotes/execute"),
    Route("withdrawals.create", "POST", "/v1/partner/withdrawals"),
)


class CoinMena:
    """One partner's CoinMENA, strict where the documents are, chosen (README.md) where they are silent."""

    name = "coinmena"
    outcomes = frozenset({"deposits.create", "quotes.execute", "withdrawals.create"})
    events = NO_EVENTS
    acts = NO_ACTS
    pace = Pace()
    enter = stay

    def __init__(self, options: Options, clock: Clock, env: Mapping[str, str]) -> None:
        self.options, self.clock = options, clock
        self.routes = Routes(*ROUTES)
        key = keys.accepted_key(options.public_key, env)
        self._development = key is None
        self._gate = signing.Gate(
            env.get("COINMENA_PARTNER_ID") or keys.PARTNER_ID,
            key or keys.development_key(options.seed).public_key(),
            signing.recipe(options.signing),
            clock,
            signing.networks(options.allow_ip),
        )
        refuse_used = options.refuse_used_references
        self._perform: dict[str, Callable[[Book, Call], Answer]] = {
            "balances.get": funding.balance,
            "balances.list": funding.balances,
            "clients.activate": clients.activate,
            "clients.create": clients.create,
            "clients.get": clients.get,
            "deposits.create": lambda book, call: funding.deposit(book, call, refuse_used),
            "documents.list": documents.listed,
            "documents.upload": documents.upload,
            "orders.by_reference": orders.by_reference,
            "orders.get": orders.get,
            "orders.list": orders.listed,
            "public.assets": _assets,
            "public.countries": _countries,
            "quotes.create": trading.quote,
            "quotes.execute": lambda book, call: trading.execute(book, call, refuse_used),
            "withdrawals.create": lambda book, call: funding.withdraw(book, call, refuse_used),
        }
        self.reset()

    def reset(self) -> None:
        self._book = Book(self.clock, self.options.seed, self.options.visible_after)

    def load(self, data: Any) -> None:
        # Seed data goes in as a whole or not at all; the clock is nobody's to copy.
        trial = copy.deepcopy(self._book, {id(self.clock): self.clock})
        seed.load(trial, data)
        self._book = trial

    def send_events_to(self, url: str) -> None:
        """It has none that are documented."""

    def refuse(self, call: Call) -> str | None:
        return None if call.operation.startswith("public.") else self._gate.refuse(call)

    def perform(self, call: Call) -> Answer:
        try:
            return self._perform[call.operation](self._book, call)
        except ApiError as refused:
            return told(refused.code, refused.detail)

    def error(self, status: int, retry_after: int = 1) -> Answer:
        return told(status)

    def client_of(self, call: Call) -> str | None:
        """From the path, the query, or the JSON body; a quote's token knows its client, too."""
        if who := call.params.get("partner_client_id"):
            return who
        if who := parse_qs(call.query).get("partner_client_id", [""])[0]:
            return who
        try:
            data = json.loads(call.body)
        except (RecursionError, ValueError):
            return None
        if not isinstance(data, dict):
            return None
        locked = self._book.quotes.get(str(data.get("token")))
        return locked.partner_client_id if locked else str(data.get("partner_client_id"))

    def environment(self, url: str) -> dict[str, str]:
        """The private key only when it is the development key: nobody else's is ours to show."""
        env = {"COINMENA_BASE_URL": url, "COINMENA_PARTNER_ID": self._gate.partner_id}
        if self._development:
            env |= keys.credentials(self.options.seed, self._gate.partner_id)
        return env

    def state(self) -> dict[str, Any]:
        book = self._book
        return {
            "clients": [client.to_json() for client in book.clients.values()],
            "documents": [
                {
                    "id": document.id,
                    "partner_client_id": who,
                    "type": document.type,
                    "front_file": document.front.to_json(),
                    "back_file": document.back.to_json() if document.back else None,
                }
                for who, found in book.documents.items()
                for document in found
            ],
            "orders": [order.to_json() for order in book.orders.values()],
            "balances": {
                who: {asset: str(account.balance) for asset, account in sorted(accounts.items())}
                for who, accounts in book.accounts.items()
            },
        }

    def ledger(self) -> list[dict[str, Any]]:
        """Per client and asset: the sums of what moved, which add up to the balance."""
        return [
            {
                "partner_client_id": who,
                "asset_id": asset,
                "moved": {why: str(amount) for why, amount in sorted(account.moved.items())},
                "balance": str(account.balance),
                "orders": sum(
                    order.status == "completed" and asset in (order.debit_asset, order.credit_asset)
                    for order in self._book.by_client.get(who, [])
                ),
            }
            for who, accounts in self._book.accounts.items()
            for asset, account in sorted(accounts.items())
        ]


def _countries(book: Book, call: Call) -> Answer:
    return answer(200, {"items": [country.to_json() for _, country in sorted(book.countries.items())]})


def _assets(book: Book, call: Call) -> Answer:
    return answer(200, {"items": [asset.to_json() for _, asset in sorted(book.assets.items())]})
