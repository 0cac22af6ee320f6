"""Answer a request for information with exactly what was asked for. (docs: customers/update-customer)"""

from __future__ import annotations

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import checks, requests, verdicts
from runner.sandbox.fin.attaching import SIDES, owned, terms
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import refused, unfit
from runner.sandbox.fin.records import Customer


def update(book: Book, call: Call) -> Answer:
    """The answer closes the request, whatever the customer's status (our choice)."""
    given = Fields(checks.json_object(call))
    customer = book.customers.get(checks.uuid("customer_id", call.params["customer_id"]))
    if customer is None:
        raise refused(404, "Customer not found")
    if not customer.request:
        raise unfit({"customer_id": ["No information is requested"]})
    requests.check(customer.request, given)
    for section, fields in requests.wanted(customer.request).items():
        if section == "tos_policies_value":
            _terms(book, customer, given)
        elif given.has(section):
            _part(book, customer, given.inner(section), section, fields)
    given.refuse(unfit)
    documents = [{**given.given[name], "section": name} for name in given.given if name in requests.TYPES]
    verdicts.hand_in(book, customer, documents, waits=False)
    return answer(200, {"data": {"customer_id": customer.id}})


def _terms(book: Book, customer: Customer, given: Fields) -> None:
    if given.has("tos_policies_value"):
        terms(book, customer, given)


def _part(book: Book, customer: Customer, part: Fields, section: str, fields: dict[str, set[str | None]]) -> None:
    if part.has("type"):
        part.one_of("type", requests.types(customer.request, section))
    if "number" in fields and part.has("number"):
        part.text("number")
    if "country" in fields and part.has("country"):
        part.country("country")
    for name in ("issue_date", "expiry_date"):
        if name in fields and part.has(name):
            day = part.day(name)
            if name == "expiry_date" and day is not None and day <= checks.today(book.now()):
                part.wrong(name, "expiry_date must be in the future")
    if "files" in fields and part.has("files"):
        _files(book, customer, part, section, fields["files"])


def _files(book: Book, customer: Customer, part: Fields, section: str, sides: set[str | None]) -> None:
    """Where sides are asked for, one file of each of them; otherwise one file or more."""
    given = part.many("files")
    known = ("uri", "side") if section in requests.SIDED else ("uri",)
    for file in given:
        for name in file.given:
            if name not in known:
                file.wrong(name, "Not requested")
        if section in requests.SIDED:
            file.one_of("side", SIDES, required=False)
        if (uri := file.text("uri")) and not owned(book, customer, uri):
            file.wrong("uri", "File not found")
    wanted = sorted(side for side in sides if side is not None)
    if given and wanted and sorted(str(file.given.get("side")) for file in given) != wanted:
        part.wrong("files", f"Exactly one file for each of: {', '.join(wanted)}")
