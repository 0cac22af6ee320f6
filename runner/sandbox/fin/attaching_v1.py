"""Attach what was uploaded, V1: one proof of identity, one of address, at once.

(docs: customers/attach-documents-to-individual-customer)
"""

from __future__ import annotations

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import checks, verdicts
from runner.sandbox.fin.attaching import SIDES, dates, owned, terms
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import invalid
from runner.sandbox.fin.records import Customer

# The guide names three; the reference adds the residence permit.
IDENTITY = ("DRIVERS_LICENSE", "NATIONAL_ID", "PASSPORT", "RESIDENCE_PERMIT")
# The guide names eight; the reference lacks COMPANY_DOC.
ADDRESS = (*IDENTITY, "BANK_STATEMENT", "COMPANY_DOC", "GOVERNMENT_LETTER", "UTILITY_BILL")


def attach(book: Book, call: Call) -> Answer:
    """Only 401 and 422 are documented, so an unknown or foreign customer is 422 as well (our choice)."""
    given = Fields(checks.json_object(call))
    customer = _customer(book, given)
    identity, address = given.inner("proof_of_identity"), given.inner("proof_of_address")
    _identity(identity, book.now())
    _address(address)
    terms(book, customer, given)
    for part in (identity, address):
        for file in part.many("files", required=False):
            if (uri := file.text("uri", required=False)) and not owned(book, customer, uri):
                file.wrong("uri", "File not found")
    given.refuse()
    parts = (("proof_of_identity", identity), ("proof_of_address", address))
    verdicts.hand_in(book, customer, [{**part.given, "section": name} for name, part in parts], waits=False)
    return answer(200, {"data": {"customer_id": customer.id}})


def _customer(book: Book, given: Fields) -> Customer:
    customer = book.customers.get(given.uuid("customer_id"))
    if customer is None:
        given.wrong("customer_id", "Customer not found")
    elif customer.version != "v1":
        given.wrong("customer_id", "Customer was not created by this API version")
    elif customer.status not in ("INCOMPLETE", "REINITIATE"):
        given.wrong("customer_id", "Customer is not eligible for this operation")
    else:
        return customer
    raise invalid({"customer_id": given.problems["customer_id"][:1]})


def _identity(part: Fields, now: float) -> None:
    kind = part.one_of("type", IDENTITY)
    part.text("number")
    part.country("country")
    dates(part, now, issued=True)
    sides = _files(part)
    if kind and kind != "PASSPORT" and sides and sorted(sides) != list(SIDES):
        part.wrong("files", f"{kind} requires one FRONT and one BACK file")


def _address(part: Fields) -> None:
    part.one_of("type", ADDRESS)
    part.country("country")
    _files(part)


def _files(part: Fields) -> list[str]:
    """The side of each file."""
    given = part.many("files")
    for file in given:
        file.text("uri")
        file.one_of("side", SIDES, required=False)
    return [str(file.given.get("side")) for file in given]
