"""The CryptoMate Management API for individual clients, and the cards that follow, over one book."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runner.sandbox.base import Act, Answer, Backstage, Call, Pace, Routes, answer
from runner.sandbox.clock import Clock
from runner.sandbox.cryptomate import cards, clients, keys, legacy, products, reference, seed, verdicts, webhooks
from runner.sandbox.cryptomate.book import Book, Promise
from runner.sandbox.cryptomate.errors import ApiError, absent, general, told
from runner.sandbox.cryptomate.routes import LEVELS, ROUTES
from runner.sandbox.options import Options

# 15 in one second, then 1, 2, 4 … seconds of silence; of two published caps the milder one.
# (docs: /integration/rate-limiting)
PACE = Pace(15, (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 300.0))
DENIED = "Access denied. The API Key is not authorized to do this operation."


class CryptoMate:
    """One company's CryptoMate, strict where the documents are, chosen (README.md) where they are silent."""

    name = "cryptomate"
    outcomes: frozenset[str] = frozenset()
    events = frozenset({webhooks.CLIENT_STATUS})
    pace = PACE

    def __init__(self, options: Options, clock: Clock, env: Mapping[str, str]) -> None:
        self.options, self.clock = options, clock
        self.routes = Routes(*ROUTES)
        self.acts: Mapping[str, Act] = {"verdict": self._verdict}
        self._development = keys.credentials(options.seed)
        self._brought = {name: key for name in self._development if (key := keys.brought(env, name))}
        self._keys = self._development | self._brought
        self._perform: dict[str, Callable[[Book, Call], Answer]] = {
            "cards.balance": cards.balance,
            "cards.balance_add": cards.add,
            "cards.balance_set": cards.override,
            "cards.balance_subtract": cards.subtract,
            "cards.create": cards.create,
            "cards.get": cards.get,
            "cards.search": cards.listed,
            "cards.top_up_addresses": cards.top_up_addresses,
            "clients.create": clients.create,
            "clients.create_legacy": legacy.create,
            "clients.delete": clients.delete,
            "clients.get": clients.get,
            "clients.list": clients.listed,
            "clients.list_legacy": legacy.listed,
            "clients.update": clients.update,
            "contracts.get": _contracted,
            "contracts.used": _used,
            "countries.list": _countries,
            "identifications.list": _identifications,
            "products.document": products.document,
            "products.list": products.listed,
            "products.request": products.request,
            "products.submit": products.submit,
            "webhooks.key": webhooks.change_key,
            "webhooks.subscribe": webhooks.subscribe,
        }
        self._traces = 0
        self.reset()

    def enter(self, backstage: Backstage) -> None:
        self._backstage = backstage

    def reset(self) -> None:
        delay, lag = self.options.kyc_delay, self.options.visible_after
        self._book = Book(self.clock, self.options.seed, delay, self._keys["CRYPTOMATE_WEBHOOK_KEY"], lag)
        self._book.keys[self._keys["CRYPTOMATE_API_KEY"]] = keys.HIGHEST_LEVEL

    def load(self, data: Any) -> None:
        # Seed data goes in as a whole or not at all; the clock is nobody's to copy.
        trial = copy.deepcopy(self._book, {id(self.clock): self.clock})
        seed.load(trial, data)
        self._book = trial

    def send_events_to(self, url: str) -> None:
        self._book.webhook_url = url

    def refuse(self, call: Call) -> str | None:
        key = call.headers.get("x-api-key")
        if key is None:
            return "no x-api-key"
        return None if key in self._book.keys else "unknown x-api-key"

    def perform(self, call: Call) -> Answer:
        trace = self._trace()
        try:
            if self._book.keys[call.headers["x-api-key"]] < LEVELS[call.operation]:
                raise ApiError(401, "API_ERROR", DENIED)
            made = self._perform[call.operation](self._book, call)
        except ApiError as refused:
            return told(refused.status, refused.code, refused.message, trace)
        self._go_on()
        return Answer(made.status, made.body, (*made.headers, ("X-Trace-Id", trace)), made.content_type)

    def error(self, status: int, retry_after: int = 1) -> Answer:
        return general(status, self._trace(), retry_after)

    def client_of(self, call: Call) -> str | None:
        """The e-mail address, which is known before any id: by the path, or by the body."""
        book, params = self._book, call.params
        who = params.get("clientId") or params.get("id")
        if "cardId" in params and params["cardId"] in book.cards:
            who = book.cards[params["cardId"]].client_id
        if who is None:
            try:
                data = json.loads(call.body)
            except (RecursionError, ValueError):
                return None
            if not isinstance(data, dict):
                return None
            if isinstance(data.get("email"), str):
                return str(data["email"])
            who = str(data.get("client_id"))
        return book.clients[who].email if who in book.clients else None

    def environment(self, url: str) -> dict[str, str]:
        """The keys only when they are the development keys: nobody else's are ours to show."""
        shown = {name: key for name, key in self._development.items() if name not in self._brought}
        return {"CRYPTOMATE_BASE_URL": url, **shown}

    def state(self) -> dict[str, Any]:
        book = self._book
        return {
            "clients": [client.to_json() for client in book.clients.values()],
            "old_clients": [client.to_json() for client in book.old_clients.values()],
            "products": [
                products.shown(book, made) | {"documents": [document.to_json() for document in made.documents.values()]}
                for made in book.requests.values()
            ],
            "cards": [card.to_json() for card in book.cards.values()],
            "webhook_url": book.webhook_url,
        }

    def ledger(self) -> list[dict[str, Any]]:
        """Per card: the sums of what moved, which add up to the balance."""
        book = self._book
        return [
            {
                "card_id": card.id,
                "client_id": card.client_id,
                "email": book.clients[card.client_id].email,
                "moved": {why: str(amount) for why, amount in sorted(book.accounts[card.id].moved.items())},
                "balance": str(book.accounts[card.id].balance),
                "operations": book.accounts[card.id].operations,
            }
            for card in book.cards.values()
        ]

    def _verdict(self, given: dict[str, Any]) -> dict[str, Any]:
        found = verdicts.by_hand(self._book, given)
        self._go_on()
        return found

    def _go_on(self) -> None:
        """Schedule what the book promised and announce its news: everything is stored by now."""
        book = self._book
        for promise in book.promises:
            self._backstage.schedule(promise.seconds, partial(self._keep, promise))
        for client in book.news:
            if book.webhook_url is not None:
                self._backstage.announce(webhooks.client_status(lambda: self._book, client))
        book.promises.clear()
        book.news.clear()

    def _keep(self, promise: Promise) -> None:
        verdicts.keep(self._book, promise)
        self._go_on()

    def _trace(self) -> str:
        self._traces += 1
        return f"{self.options.seed:08x}-{self._traces:012x}"


def _countries(book: Book, call: Call) -> Answer:
    found = [country.to_json() for country in reference.COUNTRIES.values()]
    return answer(200, {"count": len(found), "data": found})


def _identifications(book: Book, call: Call) -> Answer:
    found = reference.IDENTIFICATIONS.get(call.params["countryCode"])
    if found is None:
        raise absent("Country not found or no identification types available")
    return answer(200, [{"type": kind, "description": description} for kind, description in found])


def _contracted(book: Book, call: Call) -> Answer:
    return answer(200, {"treasury_wallets": 0, "virtual_wallets": 0, "virtual_cards": book.most_cards})


def _used(book: Book, call: Call) -> Answer:
    none = {"total": 0, "used": 0}
    used = {"total": book.most_cards, "used": len(book.cards)}
    return answer(200, {"treasury_wallets": none, "virtual_wallets": none, "virtual_cards": used})
