"""Product requests: ask, list, document, submit. (docs: /clients/create-client-and-request-product, IC/*)"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.cryptomate import checks, clients, documents, requirements
from runner.sandbox.cryptomate.book import Book
from runner.sandbox.cryptomate.documents import Upload
from runner.sandbox.cryptomate.errors import absent, bad, rule
from runner.sandbox.cryptomate.records import Client, Document, Image, Request, stamp

REQUESTABLE = "cards_individuals"
ACTIVE = "An enablement request is already active for this product"
NOT_PENDING = "The enablement request is not pending documentation"
PENDING = "pending_documentation"


def request(book: Book, call: Call) -> Answer:
    """A new request, answered bare. Every request that was not rejected counts as active (our choice)."""
    client = clients.known(book, call.params["clientId"])
    product = checks.text(checks.json_object(call), "subproduct")
    if product != REQUESTABLE:
        raise rule(412, "Invalid product")
    if any(made.product == product and made.status != "rejected" for made in book.requests_of(client.id)):
        raise rule(409, ACTIVE)
    now, wait = book.now(), book.review_for(client).requested_for
    status = "requested" if wait else PENDING
    made = Request(book.new_id("request"), client.id, product, status, book.shape_for(client), now, now)
    book.put_request(made)
    if wait:
        book.promise("evaluation", wait, made)
    return answer(201, shown(book, made))


def listed(book: Book, call: Call) -> Answer:
    client = clients.known(book, call.params["clientId"])
    found = book.requests_of(client.id)
    return answer(200, [shown(book, made) for made in found if book.visible(made.created)])


def document(book: Book, call: Call) -> Answer:
    """One document for one request; whatever is wrong with its content comes with 200."""
    client, made = _pending(book, call)
    upload = documents.read(checks.json_object(call))
    entries = requirements.accepted(made.shape, upload.type)
    # The page demands a front image of everything; an entry that says it needs none is believed (our choice).
    if upload.front is None and (not entries or any(entry["require_image"] for entry in entries)):
        raise bad("document.image_front must not be null")
    reasons = _reasons(book, client, made, upload)
    if not reasons:
        sides = [documents.image(side) if side else None for side in (upload.front, upload.back)]
        front, back = (side if isinstance(side, Image) else None for side in sides)
        kept = Document(upload.type, front, back, upload.metadata, book.now())
        made = replace(made, documents={**made.documents, upload.type: kept}, updated=book.now())
        book.put_request(made)
    rejected = [{"type": "document", "key": upload.type, "reason": reason} for reason in reasons]
    return answer(200, {"product": shown(book, made), "rejected_items": rejected})


def submit(book: Book, call: Call) -> Answer:
    """On to the reviewer when nothing required is missing; otherwise 200, and the request stays as it is."""
    client, made = _pending(book, call)
    checks.json_object(call, may_be_empty=True)
    if not requirements.blocks(requirements.missing(made.shape, client, made.documents)):
        made = replace(made, status="in_kyc", round=made.round + 1, updated=book.now())
        book.put_request(made)
        review = book.review_for(client)
        if review.verdict != "never" or (review.more is not None and not made.asked_more):
            book.promise("review", book.kyc_delay if review.delay is None else review.delay, made)
    return answer(200, {"product": shown(book, made), "rejected_items": []})


def shown(book: Book, made: Request) -> dict[str, Any]:
    left: dict[str, list[Any]] = {"data": [], "documents": []}
    if made.status == PENDING:
        left = requirements.missing(made.shape, book.clients[made.client_id], made.documents)
    refusal = {}
    if made.rejection:
        refusal = {"rejection_code": made.rejection[0], "rejection_description": made.rejection[1]}
    return {
        "id": made.id,
        "client_id": made.client_id,
        "product": made.product,
        "status": made.status,
        "missing_requirements": left,
        **refusal,
        "created_at": stamp(made.created),
        "updated_at": stamp(made.updated),
    }


def _pending(book: Book, call: Call) -> tuple[Client, Request]:
    client = clients.known(book, call.params["clientId"])
    made = book.requests.get(call.params["productRequestId"])
    if made is None or made.client_id != client.id:
        raise absent(f"Product request not found with id: {call.params['productRequestId']}")
    if made.status != PENDING:
        raise rule(409, NOT_PENDING)
    return client, made


def _reasons(book: Book, client: Client, made: Request, upload: Upload) -> list[str]:
    """Why this document is not taken; empty when it is."""
    entries = requirements.accepted(made.shape, upload.type)
    if not entries:
        return [f"{upload.type} is not asked for"]
    if upload.type in made.documents:
        if not upload.replace:
            return [f"A document of type {upload.type} already exists"]
    elif not _is_wanted(made, client, upload.type):
        return [f"{upload.type} is not missing"]
    # Several groups may accept one type: the document has to do for each of them.
    found = list(dict.fromkeys(reason for entry in entries for reason in documents.problems(upload, entry)))
    if not found and (reason := _disliked(book, client, upload.type)):
        found.append(reason)
    return found


def _is_wanted(made: Request, client: Client, kind: str) -> bool:
    left = requirements.missing(made.shape, client, made.documents)
    return bool(requirements.accepted(left, kind))


def _disliked(book: Book, client: Client, kind: str) -> str | None:
    """The reviewer's own reason to refuse this image, as often as seed data says."""
    reason, times = book.review_for(client).reject_images.get(kind, (None, None))
    if reason is None:
        return None
    book.image_refusals[client.id, kind] += 1
    return reason if times is None or book.image_refusals[client.id, kind] <= times else None
