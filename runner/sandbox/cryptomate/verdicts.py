"""What happens to a product request by itself, or by hand: evaluation, review, verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.sandbox.cryptomate import products
from runner.sandbox.cryptomate.book import Book, Promise
from runner.sandbox.cryptomate.records import Client, Request
from runner.sandbox.cryptomate.reviews import CODE, DESCRIPTION


def keep(book: Book, promise: Promise) -> None:
    """The time has come; what was decided or deleted meanwhile is left alone."""
    made = book.requests.get(promise.request_id)
    if made is None or made.round != promise.round:
        return
    if promise.kind == "evaluation":
        if made.status == "requested":
            book.put_request(replace(made, status=products.PENDING, updated=book.now()))
    elif made.status == "in_kyc":
        _review(book, made)


def by_hand(book: Book, given: dict[str, Any]) -> dict[str, Any]:
    """`POST /_sandbox/act/verdict`; raises ValueError when there is nothing to decide."""
    known = {"client_id", "client_status", "code", "description", "email", "product_request_id", "status"}
    if unknown := sorted(set(given) - known):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(sorted(known))}')
    if given.get("status") not in ("enabled", "rejected"):
        raise ValueError('"status" must be enabled or rejected')
    if given.get("client_status") not in (None, "active", "pending", "rejected"):
        raise ValueError('"client_status" must be active, pending or rejected')
    made = _meant(book, given)
    if made.status != "in_kyc":
        raise ValueError(f"the product request is {made.status}, only one that is in_kyc can be decided")
    code, description = str(given.get("code") or CODE), str(given.get("description") or DESCRIPTION)
    decide(book, made, given["status"], (code, description), given.get("client_status"))
    return products.shown(book, book.requests[made.id])


def decide(book: Book, made: Request, verdict: str, reason: tuple[str, str], client_status: str | None = None) -> None:
    """Product and client change together (our choice), and both before the partner is told."""
    client, now = book.clients[made.client_id], book.now()
    rejection = reason if verdict == "rejected" else None
    book.put_request(replace(made, status=verdict, rejection=rejection, updated=now))
    status = client_status or ("active" if verdict == "enabled" else "rejected")
    if status == "pending":
        return
    changed = replace(client, status=status, rejection=reason if status == "rejected" else None, updated=now)
    book.put_client(changed)
    book.news.append(changed)


def _review(book: Book, made: Request) -> None:
    client = book.clients[made.client_id]
    review = book.review_for(client)
    if review.more is not None and not made.asked_more:
        _ask_more(book, made, review.more)
    elif review.verdict != "never":
        decide(book, made, review.verdict, (review.code, review.description), review.client_status)


def _ask_more(book: Book, made: Request, shape: Any) -> None:
    """Back to the client with other requirements; documents they name have to be sent again."""
    named = {entry["id"] for group in shape["documents"] for entry in group["valid_documents"]}
    kept = {kind: document for kind, document in made.documents.items() if kind not in named}
    book.put_request(
        replace(made, status=products.PENDING, shape=shape, documents=kept, asked_more=True, updated=book.now())
    )


def _meant(book: Book, given: dict[str, Any]) -> Request:
    """The request by its own id, or the newest of a client."""
    if (request_id := given.get("product_request_id")) is not None:
        if request_id not in book.requests:
            raise ValueError(f'unknown product request "{request_id}"')
        return book.requests[request_id]
    client = _client(book, given)
    found = book.requests_of(client.id)
    if not found:
        raise ValueError(f"{client.email} has no product request")
    return found[0]


def _client(book: Book, given: dict[str, Any]) -> Client:
    who = given.get("client_id") or book.emails.get(str(given.get("email", "")).lower())
    if who is None or who not in book.clients:
        raise ValueError('expected the "email" or "client_id" of a client, or a "product_request_id"')
    return book.clients[who]
