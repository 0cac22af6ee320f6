"""The nouns the sandbox remembers, and how each is shown. What is not set is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runner.sandbox.clock import iso

CLIENT_FIELDS = ("first_name", "second_name", "last_name", "email", "birth_date", "address")
PHONE_FIELDS = ("phone_country_code", "phone_number")


def stamp(seconds: float) -> str:
    """As the Management examples have it: whole seconds without a zone."""
    return iso(seconds).removesuffix("Z")


@dataclass(frozen=True, slots=True)
class Client:
    """An individual client. (docs: IC/create-client)"""

    id: str
    data: Mapping[str, Any]
    """The documented fields."""
    extras: Mapping[str, Any]
    """Fields nobody documented: never shown, but they meet a requirement of their name (our extension)."""
    status: str
    created: float
    updated: float
    rejection: tuple[str, str] | None = None

    @property
    def email(self) -> str:
        return str(self.data["email"])

    def to_json(self) -> dict[str, Any]:
        known = {name: self.data[name] for name in (*CLIENT_FIELDS, *PHONE_FIELDS) if name in self.data}
        when = {"created_at": stamp(self.created), "updated_at": stamp(self.updated)}
        return {"id": self.id, "type": "individual", "status": self.status, **known, **when}


@dataclass(frozen=True, slots=True)
class OldClient:
    """A client of the older API: lower case here, upper case there. (docs: MC/create-client)"""

    id: str
    company_id: str
    data: Mapping[str, Any]
    status: str
    created: float

    def to_json(self) -> dict[str, Any]:
        when = stamp(self.created)
        shown = ("first_name", "second_name", "last_name", "email", *PHONE_FIELDS)
        known = {name: self.data[name] for name in shown if name in self.data}
        head = {"id": self.id, "company_id": self.company_id, "type": "individual", "status": self.status.upper()}
        return {**head, **known, "created_at": when, "updated_at": when}


@dataclass(frozen=True, slots=True)
class Image:
    """One side of a document; only its measure is kept, never its content."""

    kind: str
    size: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Document:
    type: str
    front: Image | None
    back: Image | None
    metadata: Mapping[str, Any]
    created: float

    def to_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "front": self.front.to_json() if self.front else None,
            "back": self.back.to_json() if self.back else None,
            "metadata": dict(self.metadata),
            "created_at": stamp(self.created),
        }


@dataclass(frozen=True, slots=True)
class Request:
    """A product request with the shape of its requirements. What is missing is worked out when asked."""

    id: str
    client_id: str
    product: str
    status: str
    shape: Mapping[str, Any]
    created: float
    updated: float
    documents: Mapping[str, Document] = field(default_factory=dict)
    rejection: tuple[str, str] | None = None
    round: int = 0
    """How often it was submitted: a review of an earlier round decides nothing."""
    asked_more: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """An individual card. (docs: CARD/create-individual-card, CARD/get-individual-card)"""

    id: str
    rain_card_id: str
    client_id: str
    holder: str
    approval_method: str
    limits: Mapping[str, Decimal]
    last4: str
    expires: tuple[int, int]
    created: float

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "rain_card_id": self.rain_card_id,
            "client_id": self.client_id,
            "type": "Virtual",
            "status": "ACTIVE",
            "last4": self.last4,
            "expiration_month": self.expires[0],
            "expiration_year": self.expires[1],
            "card_holder_name": self.holder,
            "approval_method": self.approval_method,
            # At most nine digits before the point and two after it: a float writes exactly those.
            **{name: float(amount) for name, amount in self.limits.items()},
            "forwarded_3ds_type": "sms",
        }


@dataclass(slots=True)
class Account:
    """The virtual balance of a card, with the sums that explain it."""

    balance: Decimal = Decimal("0.00")
    moved: dict[str, Decimal] = field(default_factory=dict)
    operations: int = 0
