"""Look payouts up: one, those of a customer, those of a beneficiary. (docs: /api-reference/transactions)"""

from __future__ import annotations

from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import catalogue, checks
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import refused
from runner.sandbox.fin.records import Transfer, fine, major

TYPES = ("CRYPTO_DEPOSIT", "CRYPTO_WITHDRAWAL", "OFFRAMP", "ONRAMP")
LARGEST_PAGE = 100


def get(book: Book, call: Call) -> Answer:
    """A transfer that was not settled is no transaction yet."""
    transfer = book.transfers.get(checks.uuid("transaction_id", call.params["transaction_id"]))
    if transfer is None or transfer.settled is None or not book.visible(transfer.settled):
        raise refused(404, "Resource not found")
    nothing = {
        f"{way}_{what}": None for way in ("source", "destination") for what in ("amount", "currency", "rail", "address")
    }
    fee = book.beneficiaries[transfer.beneficiary_id].data["developer_fee"]
    found = {
        **_common(transfer),
        "status": transfer.status,
        "batch_info": None,
        "fiat_details": {
            "source_amount": major(transfer.amount),
            "source_currency": "USD",
            "destination_amount": major(transfer.payout),
            "destination_currency": transfer.currency,
            "fx_rate": transfer.rate,
        },
        "crypto_details": {**nothing, "tx_hash": None},
        "fees": {
            "developer_fee": {name: fee[name] for name in ("fixed", "percentage")},
            "total_developer_fee": major(transfer.fee),
            "network_fee": 0,
            "conversion_fee": 0,
            "total_fee": major(transfer.fee),
        },
        "updated_at": fine(transfer.updated),
    }
    return answer(200, {"data": found})


def listed(book: Book, call: Call) -> Answer:
    """Newest first (our choice); of a customer nobody knows it is empty."""
    query = checks.query(call)
    given = Fields(query)
    customer_id, kind = given.text("customer_id"), given.one_of("type", TYPES, required=False)
    given.refuse()
    found = [
        _listed(transfer)
        for transfer in reversed(book.transfers.values())
        if transfer.customer_id == customer_id and transfer.settled is not None and book.visible(transfer.settled)
    ]
    rows = found if kind in ("", "OFFRAMP") else []
    return answer(200, {"data": catalogue.page(query, "transactions", rows, LARGEST_PAGE)})


def by_beneficiary(book: Book, call: Call) -> Answer:
    """Newest first (our choice), with what was never settled; asked with `page` and `limit`, answered as everywhere."""
    found = [
        _row(book, transfer)
        for transfer in reversed(book.transfers.values())
        if transfer.beneficiary_id == call.params["beneficiary_id"] and book.visible(transfer.created)
    ]
    page = catalogue.page(checks.query(call), "transactions", found, LARGEST_PAGE, ("page", "limit"))
    return answer(200, {"data": page})


def _common(transfer: Transfer) -> dict[str, Any]:
    return {
        "id": transfer.id,
        "transaction_type": "OFFRAMP",
        "customer_id": transfer.customer_id,
        "beneficiary_id": transfer.beneficiary_id,
        "hash": None,
        "created_at": fine(transfer.created),
    }


def _listed(transfer: Transfer) -> dict[str, Any]:
    return {
        **_common(transfer),
        "status": transfer.status,
        "source_currency": "USD",
        "destination_currency": transfer.currency,
        "source_amount": major(transfer.amount),
        "destination_amount": major(transfer.payout),
        "total_fee": major(transfer.fee),
        "updated_at": fine(transfer.updated),
    }


def _row(book: Book, transfer: Transfer) -> dict[str, Any]:
    """Major units, and four statuses: PROCESSING is not among them."""
    fee = book.beneficiaries[transfer.beneficiary_id].data["developer_fee"]
    return {
        **_common(transfer),
        # Unproven that it carries what was sent: the one example shows an id. (README.md)
        "transaction_ref_id": transfer.reference if book.settings.references_shown else transfer.id,
        "from_amount": major(transfer.amount),
        "payout_amount": major(transfer.payout),
        "processing_amount": major(transfer.amount - transfer.fee),
        "status": "PENDING" if transfer.status == "PROCESSING" else transfer.status,
        "fx_rate": transfer.rate,
        "developer_fee": major(transfer.fee),
        "developer_fee_percentage": fee["percentage"],
        "developer_fee_fixed": fee["fixed"],
        "from_currency": "USD",
        "payout_currency": transfer.currency,
        "updated_at": fine(transfer.updated),
    }
