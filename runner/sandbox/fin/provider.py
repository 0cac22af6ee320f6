"""Fin.com's orchestration API for individual customers, and the payouts that follow, over one book."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runner.sandbox import multipart
from runner.sandbox.base import Act, Answer, Backstage, Call, Pace, Routes
from runner.sandbox.clock import Clock
from runner.sandbox.fin import (
    attaching,
    attaching_v1,
    banks,
    beneficiaries,
    catalogue,
    checks,
    customers,
    keys,
    seed,
    tokens,
    transactions,
    transfers,
    updates,
    uploads,
    verdicts,
    views,
    webhooks,
)
from runner.sandbox.fin.book import Book, Promise
from runner.sandbox.fin.errors import ApiError, general, told
from runner.sandbox.fin.routes import ROUTES
from runner.sandbox.options import Options

PERFORM: dict[str, Callable[[Book, Call], Answer]] = {
    "balances.list": transfers.balances,
    "beneficiaries.activate": beneficiaries.activate,
    "beneficiaries.branches": banks.branches,
    "beneficiaries.countries": banks.countries,
    "beneficiaries.create": beneficiaries.create,
    "beneficiaries.get": beneficiaries.get,
    "beneficiaries.list": beneficiaries.listed,
    "beneficiaries.methods": banks.methods,
    "catalogue.countries": catalogue.countries,
    "catalogue.occupations": catalogue.occupations,
    "catalogue.purposes": catalogue.purposes,
    "catalogue.source_of_funds": catalogue.source_of_funds,
    "catalogue.subdivisions": catalogue.subdivisions,
    "catalogue.transaction_purposes": catalogue.transaction_purposes,
    "customers.capabilities": customers.capabilities,
    "customers.create": customers.create,
    "customers.create_v1": customers.create_v1,
    "customers.get": customers.get,
    "customers.get_v1": customers.get_v1,
    "customers.list": customers.listed,
    "customers.update": updates.update,
    "documents.attach": attaching.attach,
    "documents.attach_v1": attaching_v1.attach,
    "documents.upload": uploads.upload,
    "token.issue": tokens.issue,
    "token.refresh": tokens.refresh,
    "transactions.by_beneficiary": transactions.by_beneficiary,
    "transactions.get": transactions.get,
    "transactions.list": transactions.listed,
    "transfers.create": transfers.create,
    "transfers.settle": transfers.settle,
}


class Fin:
    """One client's Fin.com, strict where the documents are, chosen (README.md) where they are silent."""

    name = "fin"
    outcomes = frozenset({"transfers.settle"})
    events = webhooks.EVENTS
    pace = Pace()  # no limit is published

    def __init__(self, options: Options, clock: Clock, env: Mapping[str, str]) -> None:
        self.options, self.clock = options, clock
        self.routes = Routes(*ROUTES)
        self._development = keys.credentials(options.seed)
        self._brought = {name: key for name in keys.NAMES if (key := keys.brought(env, name))}
        acts = {
            "beneficiary": beneficiaries.by_hand,
            "expire": tokens.expire,
            "fund": transfers.fund,
            "rfi": verdicts.ask_by_hand,
            "verdict": verdicts.by_hand,
            "webhook": webhooks.listen,
        }
        self.acts: Mapping[str, Act] = {name: partial(self._act, act) for name, act in acts.items()}
        self.reset()

    def enter(self, backstage: Backstage) -> None:
        self._backstage = backstage

    def reset(self) -> None:
        delay, lag = self.options.kyc_delay, self.options.visible_after
        self._book = Book(self.clock, self.options.seed, self._development | self._brought, delay, lag)

    def load(self, data: Any) -> None:
        # Seed data goes in as a whole or not at all; the clock is nobody's to copy.
        trial = copy.deepcopy(self._book, {id(self.clock): self.clock})
        seed.load(trial, data)
        self._book = trial

    def send_events_to(self, url: str) -> None:
        self._book.webhook_url = url

    def refuse(self, call: Call) -> str | None:
        return tokens.refusal(self._book, call)

    def perform(self, call: Call) -> Answer:
        try:
            made = PERFORM[call.operation](self._book, call)
        except ApiError as refused:
            return told(refused, self._book.settings.errors_as_list)
        self._go_on()
        return made

    def error(self, status: int, retry_after: int = 1) -> Answer:
        return general(status)

    def client_of(self, call: Call) -> str | None:
        """The e-mail address, which is known before any id: by the path, the query, or the body."""
        book = self._book
        named = {**checks.query(call), **call.params, **_named(call)}
        if email := named.get("email"):
            return email
        transfer = book.transfers.get(named.get("transfer_id") or named.get("transaction_id") or "")
        made = book.beneficiaries.get(transfer.beneficiary_id if transfer else named.get("beneficiary_id") or "")
        customer = book.customers.get(made.customer_id if made else named.get("customer_id") or "")
        return customer.email if customer else None

    def environment(self, url: str) -> dict[str, str]:
        """The credentials only when they are the development ones: nobody else's are ours to show."""
        shown = {name: key for name, key in self._development.items() if name not in self._brought}
        return {"FIN_BASE_URL": url, **shown}

    def state(self) -> dict[str, Any]:
        book = self._book
        return {
            "tokens": tokens.report(book),
            "customers": [
                {
                    **views.shown(customer),
                    "api_version": customer.version,
                    "in_flight": customer.in_flight,
                    "documents": list(customer.documents),
                    "data": {"basic_info": customer.data, **customer.more},
                }
                for customer in book.customers.values()
            ],
            "files": [file.to_json() for file in book.files.values()],
            "beneficiaries": [beneficiaries.shown(made) for made in book.beneficiaries.values()],
            "transfers": [transfers.shown(transfer) for transfer in book.transfers.values()],
            "balance": book.balance,
            "webhook_url": book.webhook_url,
        }

    def ledger(self) -> list[dict[str, Any]]:
        """Per beneficiary, in cents: what moved and why, what it adds up to, and how often money left."""
        book = self._book
        return [
            {
                "beneficiary_id": made.id,
                "customer_id": made.customer_id,
                "email": book.customers[made.customer_id].email,
                "moved": dict(sorted(paid.moved.items())),
                "balance": sum(paid.moved.values()),
                "settled": paid.settled,
                "references": [
                    one.reference for one in book.transfers.values() if one.settled and one.beneficiary_id == made.id
                ],
            }
            for made, paid in ((book.beneficiaries[key], paid) for key, paid in book.paid.items())
        ]

    def _act(self, act: Callable[[Book, dict[str, Any]], Any], given: dict[str, Any]) -> Any:
        found = act(self._book, given)
        self._go_on()
        return found

    def _go_on(self) -> None:
        """Schedule what the book promised and announce its news: everything is stored by now."""
        book = self._book
        promises, news = book.promises[:], book.news[:]
        book.promises.clear()
        book.news.clear()
        for promise in promises:
            self._backstage.schedule(promise.seconds, partial(self._keep, promise))
        for one in news:
            if book.webhook_url is not None:
                self._backstage.announce(webhooks.event(lambda: self._book, one))

    def _keep(self, promise: Promise) -> None:
        promise.action(self._book)
        self._go_on()


def _named(call: Call) -> dict[str, str]:
    """The ids and the e-mail address in a body, JSON or multipart; nothing when it cannot be read."""
    try:
        if call.operation == "documents.upload":
            found = multipart.parts(call.headers.get("content-type", ""), call.body)
            return {part.name: part.content.decode("utf-8", "replace") for part in found if part.name == "customer_id"}
        data = json.loads(call.body)
    except (RecursionError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    info = data.get("basic_info")
    both = {**data, **({"email": info.get("email")} if isinstance(info, dict) else {})}
    names = ("email", "customer_id", "beneficiary_id", "transfer_id")
    return {name: both[name] for name in names if isinstance(both.get(name), str)}
