"""The nouns the sandbox remembers, and the views that need nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from runner.sandbox.clock import iso

TERMS = "https://orchestration.fin.com/orchestration-customer-tos"


def fine(seconds: float) -> str:
    """Events and transactions have fractions of a second. (docs: webhooks/customer-status)"""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def major(cents: int) -> float:
    """Some pages count in cents, others in dollars: at most two places, which a float writes exactly."""
    return cents / 100


@dataclass(frozen=True, slots=True)
class Customer:
    """An individual; `version` is the API that made it and decides what its statuses are called."""

    id: str
    version: str
    data: Mapping[str, Any]
    """`basic_info`, checked; the rest of the body is in `more`."""
    more: Mapping[str, Any]
    verification_type: str
    status: str
    terms: str
    """The `tos_policies_value`."""
    created: float
    updated: float
    moved: float
    in_flight: bool = False
    """An attach was accepted and is not yet worked on."""
    round: int = 0
    """What was promised about an earlier round does not happen any more."""
    asked: int = 0
    """How many of the rounds of its scenario are over."""
    was_paused: bool = False
    request: tuple[Mapping[str, Any], ...] = ()
    """The open request for information."""
    rejection: Mapping[str, Any] | None = None
    documents: Sequence[Mapping[str, Any]] = ()
    """What was attached or sent since, oldest first."""

    @property
    def email(self) -> str:
        return str(self.data["email"])

    @property
    def country(self) -> str:
        return str(self.data["country_of_residence"])

    @property
    def terms_url(self) -> str:
        return f"{TERMS}?customer_id={self.id}&tos_policies_value={self.terms}"


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file; only its measure is kept, never its content."""

    uri: str
    customer_id: str
    field: str
    name: str
    kind: str
    size: int
    sha256: str
    created: float

    def to_json(self) -> dict[str, Any]:
        return {
            "uri": self.uri,
            "customer_id": self.customer_id,
            "field": self.field,
            "name": self.name,
            "kind": self.kind,
            "size": self.size,
            "sha256": self.sha256,
            "created_at": iso(self.created),
        }


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Where a customer's money goes. (docs: beneficiaries/create-beneficiary-v3)"""

    id: str
    customer_id: str
    data: Mapping[str, Any]
    """The body as it was sent, checked."""
    status: str
    address: str
    """The liquidation address; empty for a crypto wallet."""
    created: float
    updated: float

    @property
    def active(self) -> bool:
        return self.status == "ACTIVE"

    @property
    def settles_by_itself(self) -> bool:
        """Only fiat does; left out of the body, it is off (our choice)."""
        return bool(self.address) and (self.data.get("settlement_config") or {}).get("auto_settlement") is True


@dataclass(frozen=True, slots=True)
class Transfer:
    """A payout: made first, settled within its time, and a transaction from then on under the same id."""

    id: str
    beneficiary_id: str
    customer_id: str
    reference: str
    amount: int
    """In cents."""
    fee: int
    remarks: str
    rate: float
    currency: str
    created: float
    expires: float
    updated: float
    status: str = "CREATED"
    """CREATED until it is settled, then PENDING, PROCESSING and COMPLETED or FAILED."""
    settled: float | None = None

    @property
    def payout(self) -> int:
        """In hundredths of the beneficiary's currency."""
        return round((self.amount - self.fee) * self.rate)


@dataclass(slots=True)
class Paid:
    """What moved to one beneficiary, in cents."""

    moved: dict[str, int] = field(default_factory=dict)
    settled: int = 0
    """How often money left: a client paid twice has 2."""

    def add(self, why: str, cents: int) -> None:
        self.moved[why] = self.moved.get(why, 0) + cents
