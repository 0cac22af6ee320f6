"""What happens to a customer: queue, review, questions, pause, verdict. (docs: webhooks/customer-status)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from runner.sandbox.fin import requests, reviews, views
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.records import Customer, fine
from runner.sandbox.fin.reviews import Round

QUEUED, PAUSED, WANTED = "queued", "paused", "wanted"
V1 = {QUEUED: "QUEUED", PAUSED: "ON_HOLD", WANTED: "REINITIATE"}
V2 = {QUEUED: "PROCESSING", WANTED: "ACTION_REQUIRED"}
STEPS = 3
"""A review has three parts of the same length: until it is queued, until it begins, until it is decided."""


def named(book: Book, customer: Customer, meaning: str) -> str:
    """Statuses are called as the API version says that made the customer."""
    if customer.version == "v1":
        return V1[meaning]
    return book.settings.paused_status if meaning == PAUSED else V2[meaning]


def hand_in(book: Book, customer: Customer, documents: Sequence[dict[str, Any]], waits: bool) -> None:
    """Documents are here: a new round begins. What `waits` is queued after its part of the review, not at once."""
    fresh = replace(
        customer,
        round=customer.round + 1,
        in_flight=waits,
        request=(),
        documents=(*customer.documents, *documents),
        updated=book.now(),
    )
    book.customers[customer.id] = fresh
    if customer.status == "APPROVED":
        return  # only asked for the record: approved stays approved
    if waits:
        _later(book, fresh, _queue)
    else:
        _queue(book, fresh)


def move(book: Book, customer: Customer, status: str, **changes: Any) -> Customer:
    """Store a status, then tell it; the same status again is no news."""
    now = book.now()
    moved = now if status != customer.status else customer.moved
    fresh = replace(customer, status=status, updated=now, moved=moved, **changes)
    book.customers[customer.id] = fresh
    if status != customer.status:
        book.tell("customer.status", fresh.id, fresh.email, _status(fresh))
    return fresh


def made(book: Book, customer: Customer) -> None:
    """A customer is new."""
    book.customers[customer.id] = customer
    known = {"type": "INDIVIDUAL", "customer_status": customer.status, "verification_type": customer.verification_type}
    data = customer.data
    more = {
        **{name: data[name] for name in ("email", "first_name", "last_name", "phone", "country_of_residence")},
        "created_at": fine(customer.created),
        "tos_policies_url": customer.terms,  # the value only, as in the example (docs: webhooks/customer-created)
    }
    book.tell("customer.created", customer.id, customer.email, {"customer_id": customer.id, **known, **more})


def ask(book: Book, customer: Customer, wish: Round) -> Customer:
    """More is wanted. An approved customer stays approved. (docs: webhooks/customer-rfi)"""
    status = customer.status
    if status != "APPROVED":
        status = named(book, customer, PAUSED if wish.is_pause else WANTED)
    reason = views.rejection("More information is required", (), ())
    rejection = reason if status in (V1[WANTED], V2[WANTED]) else customer.rejection
    fresh = move(book, customer, status, request=wish.items, rejection=rejection, in_flight=False)
    if wish.items:
        data = {"customer_id": fresh.id, "request_for_information": list(wish.items)}
        book.tell("customer.rfi", fresh.id, fresh.email, data)
    return fresh


def by_hand(book: Book, given: dict[str, Any]) -> dict[str, Any]:
    """`POST /_sandbox/act/verdict`: any status but those of the queue, whatever the customer's is now."""
    customer = _meant(book, given, {"status", "reject_labels", "document_labels", "moderation_comment"})
    meaning = {"IN_COMPLIANCE": PAUSED, "ON_HOLD": PAUSED, "ACTION_REQUIRED": WANTED, "REINITIATE": WANTED}
    status = str(given.get("status", "")).upper()
    if status not in (*meaning, "APPROVED", "REJECTED"):
        raise ValueError('"status" must be APPROVED, REJECTED, IN_COMPLIANCE, ON_HOLD, ACTION_REQUIRED or REINITIATE')
    word = named(book, customer, meaning[status]) if status in meaning else status
    rejection = None
    if status == "REJECTED" or meaning.get(status) == WANTED:
        labels = reviews.texts(given, "reject_labels", reviews.LABELS)
        blamed = _blamed(customer, reviews.texts(given, "document_labels", ()))
        rejection = views.rejection(str(given.get("moderation_comment", reviews.COMMENT)), labels, blamed)
    # Whatever was promised belongs to an earlier round now.
    fresh = move(book, customer, word, round=customer.round + 1, in_flight=False, request=(), rejection=rejection)
    return views.shown(fresh)


def ask_by_hand(book: Book, given: dict[str, Any]) -> dict[str, Any]:
    """`POST /_sandbox/act/rfi`."""
    customer = _meant(book, given, {"request", "status"})
    if given.get("status", "hold") != "hold":
        raise ValueError('"status" must be hold, or left out')
    wish = Round(requests.read(given.get("request")), is_pause="status" in given)
    customer = replace(customer, round=customer.round + 1)
    return views.shown(ask(book, customer, wish))


def _later(book: Book, customer: Customer, step: Any, seconds: float | None = None) -> None:
    review = book.review_for(customer)
    whole = book.kyc_delay if review.delay is None else review.delay
    book.promise(whole / STEPS if seconds is None else seconds, partial(_step, customer.id, customer.round, step))


def _step(customer_id: str, round_: int, step: Any, book: Book) -> None:
    """The time has come; what was decided or handed in anew meanwhile is left alone."""
    customer = book.customers.get(customer_id)
    if customer is not None and customer.round == round_:
        step(book, customer)


def _queue(book: Book, customer: Customer) -> None:
    fresh = move(book, customer, named(book, customer, QUEUED), in_flight=False, rejection=None)
    _later(book, fresh, _begin)


def _begin(book: Book, customer: Customer) -> None:
    fresh = move(book, customer, "REVIEWING")
    _later(book, fresh, _decide)


def _decide(book: Book, customer: Customer) -> None:
    review = book.review_for(customer)
    if customer.asked < len(review.rounds):
        wish = review.rounds[customer.asked]
        ask(book, replace(customer, asked=customer.asked + 1), wish)
    elif review.hold and not customer.was_paused:
        fresh = move(book, customer, named(book, customer, PAUSED), was_paused=True)
        _later(book, fresh, _decide, review.hold)
    elif review.verdict == "approved":
        move(book, customer, "APPROVED", rejection=None)
    elif review.verdict == "rejected":
        blamed = _blamed(customer, review.document_labels)
        move(book, customer, "REJECTED", rejection=views.rejection(review.comment, review.labels, blamed))


def _blamed(customer: Customer, labels: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """The newest identity document's files, each with the labels."""
    for document in reversed(customer.documents):
        if labels and document["section"] == "proof_of_identity" and document.get("type") != "SELFIE":
            return [(file["uri"], labels) for file in document.get("files", ())]
    return []


def _meant(book: Book, given: dict[str, Any], known: set[str]) -> Customer:
    if unknown := sorted(set(given) - known - {"email", "customer_id"}):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(sorted(known | {"email", "customer_id"}))}')
    if "customer_id" in given:
        found = book.customers.get(str(given["customer_id"]))
    else:
        found = book.by_email(str(given.get("email", "")))
    if found is None:
        raise ValueError('expected the "email" or "customer_id" of a customer')
    return found


def _status(customer: Customer) -> dict[str, Any]:
    return {
        "customer_id": customer.id,
        "customer_status": customer.status,
        **{name: customer.data[name] for name in ("email", "first_name", "last_name")},
        "type": "INDIVIDUAL",
        "verification_type": customer.verification_type,
    }
