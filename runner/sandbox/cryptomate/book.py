"""What the sandbox remembers: clients, product requests, cards and exact balances."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact

from runner.sandbox.base import Answer
from runner.sandbox.clock import Clock
from runner.sandbox.cryptomate import requirements
from runner.sandbox.cryptomate.errors import rule
from runner.sandbox.cryptomate.records import Account, Card, Client, OldClient, Request
from runner.sandbox.cryptomate.reviews import Review

# Sums must be exact: a result that would need rounding is our bug and raises.
EXACT = Context(prec=100, traps=[Inexact])
KEY_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What will happen to a product request by itself: an evaluation, or a review of one round."""

    kind: str
    seconds: float
    request_id: str
    round: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """The first result under an idempotency key."""

    request: str
    answer: Answer
    until: float


class Book:
    """Everything in one place. What it promises and has to tell is taken from it after each call."""

    def __init__(self, clock: Clock, seed: int, kyc_delay: float, webhook_key: str, visible_after: float) -> None:
        self.clock, self.kyc_delay, self.visible_after = clock, kyc_delay, visible_after
        self._seed, self._made = seed, Counter[str]()
        self.company_id = f"comp_{self.new_uuid('company')}"
        self.webhook_url: str | None = None
        self.webhook_key = webhook_key
        self.clients: dict[str, Client] = {}
        self.old_clients: dict[str, OldClient] = {}
        self.emails: dict[str, str] = {}
        self.requests: dict[str, Request] = {}
        self.by_client: dict[str, list[str]] = {}
        self.cards: dict[str, Card] = {}
        self.accounts: dict[str, Account] = {}
        self.remembered: dict[str, Remembered] = {}
        self.image_refusals: Counter[tuple[str, str]] = Counter()
        self.shapes: dict[str | None, requirements.Shape] = {None: requirements.read(requirements.DEFAULT)}
        self.reviews: dict[str | None, Review] = {None: Review()}
        self.keys: dict[str, int] = {}
        self.cards_per_client, self.most_cards = 5, 1000
        self.promises: list[Promise] = []
        self.news: list[Client] = []

    def now(self) -> float:
        return self.clock.now()

    def visible(self, created: float) -> bool:
        """Reads show what was made until then; only `--visible-after` makes them lag."""
        return created <= self.now() - self.visible_after

    def new_id(self, kind: str) -> str:
        """32 letters and digits that follow from the seed and the order of calls."""
        self._made[kind] += 1
        return hashlib.sha256(f"cryptomate/{self._seed}/{kind}/{self._made[kind]}".encode()).hexdigest()[:32]

    def new_uuid(self, kind: str) -> str:
        text = self.new_id(kind)
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def shape_for(self, client: Client) -> requirements.Shape:
        return self.shapes.get(client.email.lower(), self.shapes[None])

    def review_for(self, client: Client) -> Review:
        return self.reviews.get(client.email.lower(), self.reviews[None])

    def put_client(self, client: Client) -> None:
        if before := self.clients.get(client.id):
            del self.emails[before.email.lower()]
        self.clients[client.id] = client
        self.emails[client.email.lower()] = client.id

    def put_request(self, request: Request) -> None:
        if request.id not in self.requests:
            self.by_client.setdefault(request.client_id, []).append(request.id)
        self.requests[request.id] = request

    def requests_of(self, client_id: str) -> list[Request]:
        """Newest first, rejected ones included. (docs: IC/list-products)"""
        return [self.requests[each] for each in reversed(self.by_client.get(client_id, []))]

    def forget(self, client: Client) -> None:
        """A deleted client goes with all that belongs to it. (docs: IC/delete-client)"""
        del self.clients[client.id]
        del self.emails[client.email.lower()]
        for request_id in self.by_client.pop(client.id, []):
            del self.requests[request_id]
        for card in [card for card in self.cards.values() if card.client_id == client.id]:
            del self.cards[card.id], self.accounts[card.id]

    def promise(self, kind: str, seconds: float, request: Request) -> None:
        self.promises.append(Promise(kind, seconds, request.id, request.round))

    def move(self, card_id: str, why: str, amount: Decimal) -> Decimal:
        """Change a card's balance by an amount; gives the new balance."""
        account = self.accounts[card_id]
        account.balance = EXACT.add(account.balance, amount)
        account.moved[why] = EXACT.add(account.moved.get(why, Decimal("0.00")), amount)
        account.operations += 1
        return account.balance

    def once(self, key: str, request: str, apply: Callable[[], Answer]) -> Answer:
        """Apply what an idempotency key stands for, or repeat its first result; a refusal uses no key up."""
        kept = self.remembered.get(key)
        if kept is not None and self.now() < kept.until:
            if kept.request != request:
                raise rule(409, "The idempotency key was already used with a different request")
            return kept.answer
        made = apply()
        self.remembered[key] = Remembered(request, made, self.now() + KEY_SECONDS)
        return made
