"""Individual customers: create in both generations, read, list. (docs: /api-reference/customers)"""

from __future__ import annotations

from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import catalogue, checks, people, verdicts, views
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import invalid, refused
from runner.sandbox.fin.records import Customer

NO_RELIANCE = "RELIANCE is not available for your client"


def create(book: Book, call: Call) -> Answer:
    """Nobody is recognised: the same person sent twice is two customers (our choice)."""
    data = checks.json_object(call)
    _reliance(book, data)
    people.check_v2(Fields(data), book.now())
    return _made(book, "v2", data)


def create_v1(book: Book, call: Call) -> Answer:
    data = checks.json_object(call)
    _reliance(book, data)
    people.check_v1(Fields(data), book.now())
    return _made(book, "v1", data)


def get(book: Book, call: Call) -> Answer:
    customer = book.customers.get(checks.uuid("customer_id", call.params["customer_id"]))
    if customer is None or not book.visible(customer.created):
        raise refused(404, "Resource not found")
    return answer(200, {"data": views.shown(customer)})


def get_v1(book: Book, call: Call) -> Answer:
    customer = book.customers.get(checks.uuid("customer_id", call.params["customer_id"]))
    if customer is None or not book.visible(customer.created):
        raise refused(404, "Customer not found")
    return answer(200, {"data": views.shown_v1(customer)})


def listed(book: Book, call: Call) -> Answer:
    """Of either generation, newest first (our choice). There is no business in this sandbox."""
    query = checks.query(call)
    if query.get("type") not in catalogue.TYPES:
        reason = f"type must be one of: {', '.join(catalogue.TYPES)}" if query.get("type") else "type is required"
        raise invalid({"type": [reason]})
    found = [customer for customer in reversed(book.customers.values()) if book.visible(customer.created)]
    rows = [views.row(customer) for customer in found] if query["type"] == "INDIVIDUAL" else []
    return answer(200, {"data": catalogue.page(query, "customers", rows)})


def capabilities(book: Book, call: Call) -> Answer:
    customer = book.customers.get(checks.uuid("customer_id", call.params["customer_id"]))
    if customer is None:
        raise refused(404, "Resource not found")
    return answer(200, {"data": views.capabilities(customer)})


def make(book: Book, version: str, data: dict[str, Any], status: str = "INCOMPLETE") -> Customer:
    """A customer from a body that was checked; not stored yet."""
    now = book.now()
    return Customer(
        book.new_uuid("customer"),
        version,
        data["basic_info"],
        {name: value for name, value in data.items() if name not in ("basic_info", "verification_type")},
        data.get("verification_type") or "STANDARD",
        status,
        book.new_uuid("terms"),
        now,
        now,
        now,
    )


def _made(book: Book, version: str, data: dict[str, Any]) -> Answer:
    customer = make(book, version, data)
    verdicts.made(book, customer)
    return answer(200, {"data": {"customer_id": customer.id, "tos_policies_url": customer.terms_url}})


def _reliance(book: Book, data: dict[str, Any]) -> None:
    """Locked comes before anything else in the body is looked at (our choice)."""
    if data.get("verification_type") == "RELIANCE" and not book.settings.reliance:
        raise refused(423, NO_RELIANCE)
