"""The nouns the sandbox remembers, and how each is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runner.sandbox.clock import iso

ORDER_PREFIX = {"buy": "MNB", "deposit": "MND", "sell": "MNS", "withdrawal": "MNW"}


@dataclass(frozen=True, slots=True)
class Client:
    """A client: what the partner sent, and what became of it."""

    id: int
    data: Mapping[str, Any]
    status: str
    active: bool
    created: float

    @property
    def partner_client_id(self) -> str:
        return str(self.data["partner_client_id"])

    def to_json(self) -> dict[str, Any]:
        shown = dict(self.data)
        return {
            "id": self.id,
            "partner_client_id": shown.pop("partner_client_id"),
            "account_type": shown.pop("account_type", "personal"),
            "status": self.status,
            "active": self.active,
            **shown,
            "created_at": iso(self.created),
            "verified_at": iso(self.created) if self.status == "verified" else None,
        }


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file; only its measure is kept, never its content."""

    name: str
    kind: str
    size: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Document:
    id: int
    client: Client
    type: str
    front: File
    back: File | None
    created: float


@dataclass(frozen=True, slots=True)
class Order:
    """A deposit, withdrawal, buy or sell. `debit` is what CoinMENA receives, `credit` what it gives."""

    id: int
    partner_client_id: str
    type: str
    status: str
    created: float
    debit: Decimal | None = None
    debit_asset: str | None = None
    credit: Decimal | None = None
    credit_asset: str | None = None
    fee: Decimal = Decimal("0")
    fee_asset: str | None = None
    price: Decimal | None = None
    reference: str | None = None

    def to_json(self) -> dict[str, Any]:
        when = iso(self.created)
        return {
            "id": self.id,
            "order_no": f"{ORDER_PREFIX[self.type]}{self.id:010d}",
            "partner_client_id": self.partner_client_id,
            "type": self.type,
            "source": "bank" if self.type in ("deposit", "withdrawal") else "quote",
            "status": self.status,
            "credit": written(self.credit),
            "credit_asset_id": self.credit_asset,
            "debit": written(self.debit),
            "debit_asset_id": self.debit_asset,
            "fee": str(self.fee),
            "fee_asset_id": self.fee_asset,
            "vat": "0",
            "partner_order_ref": self.reference,
            "price": written(self.price),
            "created_at": when,
            "transitioned_at": when,
            "updated_at": when,
        }


@dataclass(frozen=True, slots=True)
class Quote:
    """A locked price. `base` and `cost` are final; `fee` is inside `cost`."""

    token: str
    partner_client_id: str
    side: str
    base_asset: str
    quote_asset: str
    base: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    expires: float


@dataclass(slots=True)
class Account:
    """One client's holding of one asset, with the sums that explain it."""

    balance: Decimal = Decimal("0E-8")
    held: Decimal = Decimal("0")
    moved: dict[str, Decimal] = field(default_factory=dict)


def written(amount: Decimal | None) -> str | None:
    """The scale is kept as given, and small numbers come as `1E-8`: readers must cope, so we show it."""
    return None if amount is None else str(amount)
