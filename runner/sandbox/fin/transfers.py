"""Payouts from the prefunded balance: create, then settle. (docs: transactions/create-a-transfer, settle-a-transfer)"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.clock import iso
from runner.sandbox.fin import checks
from runner.sandbox.fin.beneficiaries import NOT_APPROVED
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import invalid, refused
from runner.sandbox.fin.records import Beneficiary, Paid, Transfer, fine, major

LEAST = 500  # cents
SETTLED, EXPIRED, POOR = "Transfer is already settled", "Transfer is expired", "Insufficient balance"
# What one dollar is worth; chosen, and never moves.
RATES = {"AUD": 1.45, "BDT": 117.19, "CAD": 1.36, "EUR": 0.92, "GBP": 0.78, "INR": 83.5, "MXN": 17.1}
RATES |= {"AED": 3.6725, "BHD": 0.376, "USD": 1.0, "USDC": 1.0}


def create(book: Book, call: Call) -> Answer:
    """A promise of ten minutes; no money moves. A `reference_id` may come twice, unless a setting says otherwise."""
    given = Fields(checks.json_object(call))
    made = _beneficiary(book, given)
    reference = given.text("reference_id")
    amount = given.whole("amount", LEAST)
    remarks = given.text("remarks")
    if "attachments" in given.given:
        for entry in given.many("attachments"):
            entry.text("remark")
            entry.text("uri")
    if book.settings.refuse_used_references and any(one.reference == reference for one in book.transfers.values()):
        given.wrong("reference_id", "reference_id is already used")
    given.refuse()
    assert made is not None
    assert amount is not None
    now, fee = book.now(), made.data["developer_fee"]
    transfer = Transfer(
        book.new_uuid("transfer"),
        made.id,
        made.customer_id,
        reference,
        amount,
        # Fixed in dollars, percentage of the amount (our choice: the page does not say).
        round(fee["fixed"] * 100 + amount * fee["percentage"] / 100),
        remarks,
        RATES[made.data["currency"]],
        made.data["currency"],
        now,
        now + book.settings.transfer_ttl,
        now,
    )
    book.transfers[transfer.id] = transfer
    return answer(200, {"data": _quoted(made, transfer)})


def settle(book: Book, call: Call) -> Answer:
    """Once. The money leaves the balance now and comes back when the payout fails."""
    given = Fields(checks.json_object(call))
    transfer = book.transfers.get(given.text("transfer_id"))
    given.refuse()
    if transfer is None:
        raise invalid({"transfer_id": ["Transfer not found"]})
    if transfer.settled is not None:
        raise refused(422, SETTLED)
    if book.now() >= transfer.expires:
        raise refused(422, EXPIRED)
    if book.balance < transfer.amount:
        raise refused(422, POOR)
    book.balance -= transfer.amount
    paid = book.paid.setdefault(transfer.beneficiary_id, Paid())
    paid.add("payout", transfer.amount)
    paid.settled += 1
    fresh = replace(transfer, status="PENDING", settled=book.now(), updated=book.now())
    book.transfers[transfer.id] = fresh
    _follow(book, fresh, call.outcome)
    return answer(200, {"data": {"transaction_id": transfer.id}})


def balances(book: Book, call: Call) -> Answer:
    """In cents. (docs: balances/fetch-prefunded-balance)"""
    return answer(200, {"data": [{"currency": "USD", "amount": book.balance}]})


def fund(book: Book, given: dict[str, Any]) -> dict[str, Any]:
    """`POST /_sandbox/act/fund`: what a wire and a web form do to the prefunded balance."""
    amount = given.get("amount")
    if set(given) != {"amount"} or isinstance(amount, bool) or not isinstance(amount, int) or book.balance + amount < 0:
        raise ValueError('expected the "amount" in cents; below zero takes away what is there')
    book.balance += amount
    return {"balance": book.balance}


def _follow(book: Book, transfer: Transfer, outcome: str) -> None:
    """PROCESSING halfway, then what a fault or the scenario says."""
    scenario = book.payout_for(book.customers[transfer.customer_id])
    failed = outcome != "completed" or scenario.what == "failed"
    delay = book.kyc_delay if scenario.delay is None else scenario.delay
    book.promise(delay / 2, partial(_move, transfer.id, "PROCESSING"))
    if scenario.what != "never" or outcome != "completed":
        book.promise(delay, partial(_move, transfer.id, "FAILED" if failed else "COMPLETED"))


def _move(transfer_id: str, status: str, book: Book) -> None:
    transfer = book.transfers.get(transfer_id)
    if transfer is None or transfer.status not in ("PENDING", "PROCESSING"):
        return
    fresh = replace(transfer, status=status, updated=book.now())
    book.transfers[transfer_id] = fresh
    if status == "FAILED":
        book.balance += transfer.amount
        book.paid[transfer.beneficiary_id].add("refund", -transfer.amount)
    book.tell("transaction.status", fresh.id, book.customers[fresh.customer_id].email, _told(fresh))


def _beneficiary(book: Book, given: Fields) -> Beneficiary | None:
    """The one the money is for; it must be active, of an approved customer, and settle by itself."""
    made = book.beneficiaries.get(given.uuid("beneficiary_id"))
    if made is None:
        given.wrong("beneficiary_id", "Beneficiary not found")
    elif not made.active:
        given.wrong("beneficiary_id", "Beneficiary is not active")
    elif not made.settles_by_itself:
        given.wrong("beneficiary_id", "Beneficiary does not have auto_settlement")
    elif book.customers[made.customer_id].status != "APPROVED":
        given.wrong("beneficiary_id", NOT_APPROVED)
    return made


def _quoted(made: Beneficiary, transfer: Transfer) -> dict[str, Any]:
    """Both amounts of the quotation are whole numbers in the example: cents, we take it."""
    return {
        "transfer_id": transfer.id,
        "reference_id": transfer.reference,
        "deposit_instruction": {"liquidation_address": made.address, "currency": "USDC", "rail": "POLYGON"},
        "quotation": {
            "currency": transfer.currency,
            "to_amount": transfer.payout,
            "developer_fee": transfer.fee,
        },
        "created_at": iso(transfer.created),
        "expire_at": iso(transfer.expires),
    }


def _told(transfer: Transfer) -> dict[str, Any]:
    return {
        "id": transfer.id,
        "status": transfer.status,
        "transaction_type": "OFFRAMP",
        "customer_id": transfer.customer_id,
        "beneficiary_id": transfer.beneficiary_id,
        "from_amount": major(transfer.amount),
        "from_currency": "USD",
        "payout_amount": major(transfer.payout),
        "payout_currency": transfer.currency,
        "fx_rate": transfer.rate,
        "created_at": fine(transfer.created),
        "updated_at": fine(transfer.updated),
    }


def shown(transfer: Transfer) -> dict[str, Any]:
    """As `/_sandbox/state` has it: everything, in cents."""
    return {
        "id": transfer.id,
        "customer_id": transfer.customer_id,
        "beneficiary_id": transfer.beneficiary_id,
        "reference_id": transfer.reference,
        "amount": transfer.amount,
        "status": transfer.status,
        "created_at": iso(transfer.created),
        "expire_at": iso(transfer.expires),
        "settled_at": None if transfer.settled is None else iso(transfer.settled),
    }
