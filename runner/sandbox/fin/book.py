"""What the sandbox remembers: customers, files, beneficiaries, transfers, tokens, and the prefunded balance."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runner.sandbox.clock import Clock
from runner.sandbox.fin.records import Beneficiary, Customer, File, Paid, Transfer
from runner.sandbox.fin.reviews import Outcome, Review
from runner.sandbox.fin.settings import Settings

ENOUGH = 1_000_000_00  # a million dollars


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that will happen by itself; what it is about is looked up again when the time has come."""

    seconds: float
    action: Callable[[Book], None]


@dataclass(frozen=True, slots=True)
class News:
    """Something the partner is told. (docs: /api-reference/webhooks)"""

    type: str
    subject: str
    """The id in `event_reference_id`."""
    email: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class Tokens:
    """Until when each token is accepted, and how many there were."""

    access: dict[str, float] = field(default_factory=dict)
    refresh: dict[str, float] = field(default_factory=dict)
    issued: int = 0
    refreshed: int = 0


class Book:
    """Everything in one place. What it promises and has to tell is taken from it after each call."""

    def __init__(
        self, clock: Clock, seed: int, credentials: Mapping[str, str], kyc_delay: float, visible_after: float
    ) -> None:
        self.clock, self.kyc_delay, self.visible_after = clock, kyc_delay, visible_after
        self._seed, self._made = seed, Counter[str]()
        self.settings = Settings()
        self.client_id, self.client_secret = credentials["FIN_CLIENT_ID"], credentials["FIN_CLIENT_SECRET"]
        self.webhook_secret = credentials["FIN_WEBHOOK_SECRET"]
        self.webhook_url: str | None = None
        self.tokens = Tokens()
        self.customers: dict[str, Customer] = {}
        self.files: dict[str, File] = {}
        self.beneficiaries: dict[str, Beneficiary] = {}
        self.destinations: dict[tuple[str, ...], str] = {}
        self.transfers: dict[str, Transfer] = {}
        self.balance = ENOUGH
        self.paid: dict[str, Paid] = {}
        self.reviews: dict[str | None, Review] = {None: Review()}
        self.approvals: dict[str | None, Outcome] = {None: Outcome("active")}
        self.payouts: dict[str | None, Outcome] = {None: Outcome("completed")}
        self.promises: list[Promise] = []
        self.news: list[News] = []

    def now(self) -> float:
        return self.clock.now()

    def visible(self, created: float) -> bool:
        """Reads show what was made until then; only `--visible-after` makes them lag."""
        return created <= self.now() - self.visible_after

    def new_hex(self, kind: str) -> str:
        """64 hexadecimal digits that follow from the seed and the order of calls."""
        self._made[kind] += 1
        return hashlib.sha256(f"fin/{self._seed}/{kind}/{self._made[kind]}".encode()).hexdigest()

    def new_uuid(self, kind: str) -> str:
        return str(UUID(self.new_hex(kind)[:32], version=4))

    def by_email(self, email: str) -> Customer | None:
        """The newest of them: the provider keeps as many as are made."""
        found = [customer for customer in self.customers.values() if customer.email == email.lower()]
        return found[-1] if found else None

    def review_for(self, customer: Customer) -> Review:
        return self.reviews.get(customer.email, self.reviews[None])

    def approval_for(self, customer: Customer) -> Outcome:
        return self.approvals.get(customer.email, self.approvals[None])

    def payout_for(self, customer: Customer) -> Outcome:
        return self.payouts.get(customer.email, self.payouts[None])

    def promise(self, seconds: float, action: Callable[[Book], None]) -> None:
        self.promises.append(Promise(seconds, action))

    def tell(self, kind: str, subject: str, email: str, data: Mapping[str, Any]) -> None:
        self.news.append(News(kind, subject, email, data))
