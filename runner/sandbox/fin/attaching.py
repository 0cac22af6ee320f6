"""Attach what was uploaded, V2: checked now, worked on later.

(docs: customers/attach-documents-to-individual-customer-v2)
"""

from __future__ import annotations

from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import checks, verdicts
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import coded, refused
from runner.sandbox.fin.records import Customer

SELFIE = "SELFIE"
ONE_SIDE = ("PASSPORT", SELFIE)
IDENTITY = ("DRIVERS_LICENSE", "NATIONAL_ID", "PASSPORT", "RESIDENCE_PERMIT", SELFIE)
ADDRESS = ("BANK_STATEMENT", "GOVERNMENT_LETTER", "UTILITY_BILL")
SIDES = ("BACK", "FRONT")
LONGEST_STATE = 64
FORBIDDEN = "Customer is not eligible for this operation"
IN_FLIGHT = "An attach request is already in progress for this customer"


def attach(book: Book, call: Call) -> Answer:
    """Refused in this order: 400, 404, 403 by status, 409, 422, 403 by file (our choice)."""
    given = Fields(checks.json_object(call))
    customer = book.customers.get(call.params["customer_id"])
    if customer is None:
        raise refused(404, "Resource not found")
    if customer.version != "v2" or customer.status not in ("INCOMPLETE", "ACTION_REQUIRED"):
        raise coded(403, "forbidden", FORBIDDEN)
    if customer.in_flight:
        raise coded(409, "conflict", IN_FLIGHT)
    identity, address = given.many("identifying_documents"), given.many("address_documents")
    used: set[str] = set()
    for entry in identity:
        _identity(entry, book.now(), used)
    _together(book, customer, given, identity)
    if len(address) > 1:
        given.wrong("address_documents", "Exactly one address document is required")
    for entry in address:
        _address(entry, customer, used)
    terms(book, customer, given)
    given.refuse()
    documents = [_kept("proof_of_identity", entry) for entry in identity]
    documents += [_kept("proof_of_address", entry) for entry in address]
    if not all(owned(book, customer, file["uri"]) for document in documents for file in document["files"]):
        raise coded(403, "forbidden", FORBIDDEN)
    verdicts.hand_in(book, customer, documents, waits=True)
    return answer(200, {"data": {"customer_id": customer.id}, "meta": None})


def owned(book: Book, customer: Customer, uri: str) -> bool:
    return uri in book.files and book.files[uri].customer_id == customer.id


def terms(book: Book, customer: Customer, given: Fields) -> None:
    """Sending the value says that the customer saw the terms and accepted them; it has to be the customer's own."""
    value = given.text("tos_policies_value", book.settings.tos_policies_value_required)
    if value and value != customer.terms:
        given.wrong("tos_policies_value", "tos_policies_value does not match")


def files(entry: Fields, kind: str, used: set[str]) -> None:
    """One file, or a front and a back; each may be used once, SELFIE aside. (guide, pitfalls)"""
    given = entry.many("files")
    for file in given:
        uri = file.text("uri")
        file.one_of("side", SIDES, required=False)
        if kind != SELFIE:
            if uri and uri in used:
                file.wrong("uri", "File URIs must be unique across the request")
            used.add(uri)
    sides = sorted(str(file.given.get("side")) for file in given)
    has_two = kind in IDENTITY and kind not in ONE_SIDE
    if given and kind and not has_two and len(given) != 1:
        entry.wrong("files", f"{kind} requires exactly one file")
    if given and has_two and sides != list(SIDES):
        entry.wrong("files", f"{kind} requires one FRONT and one BACK file")


def dates(entry: Fields, now: float, issued: bool) -> None:
    """`issued`: whether the day of issue has to be there."""
    issue, expiry = entry.day("issue_date", issued), entry.day("expiry_date")
    if expiry is not None and expiry <= checks.today(now):
        entry.wrong("expiry_date", "expiry_date must be in the future")
    if expiry is not None and issue is not None and expiry <= issue:
        entry.wrong("expiry_date", "expiry_date must be after issue_date")


def _identity(entry: Fields, now: float, used: set[str]) -> None:
    kind = entry.one_of("type", IDENTITY)
    files(entry, kind, used)
    if kind == SELFIE or not kind:
        return  # everything else is ignored
    entry.text("number")
    country = entry.country("country")  # in every example, though not listed as required (our choice)
    dates(entry, now, issued=False)
    if kind == "DRIVERS_LICENSE":
        entry.text("state", country == "USA", LONGEST_STATE)
    elif entry.has("state"):
        entry.wrong("state", f"state is not allowed for {kind}")


def _together(book: Book, customer: Customer, given: Fields, identity: list[Fields]) -> None:
    kinds = [entry.given.get("type") for entry in identity]
    others = sum(kind != SELFIE for kind in kinds)
    if others > 1:
        given.wrong("identifying_documents", "At most one non-SELFIE identity document is allowed")
    if kinds and not others and customer.status == "INCOMPLETE":
        given.wrong("identifying_documents", "A non-SELFIE identity document is required")
    if kinds.count(SELFIE) > 1:
        given.wrong("identifying_documents", "At most one SELFIE is allowed")
    if identity and book.settings.selfie_required and SELFIE not in kinds:
        given.wrong("identifying_documents", "A SELFIE is required")


def _address(entry: Fields, customer: Customer, used: set[str]) -> None:
    kind = entry.one_of("type", ADDRESS)
    country = entry.country("country")
    if country and country != customer.country:
        entry.wrong("country", "Must match the customer's country_of_residence")
    entry.day("issue_date", required=False)
    files(entry, kind, used)


def _kept(section: str, entry: Fields) -> dict[str, Any]:
    return {**entry.given, "section": section}
