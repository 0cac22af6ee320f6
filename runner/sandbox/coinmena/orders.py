"""Find orders: by id, by the partner's reference, or page by page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.coinmena import checks
from runner.sandbox.coinmena.book import Book
from runner.sandbox.coinmena.errors import ApiError, invalid
from runner.sandbox.coinmena.records import Order

STATUSES = ("completed", "failed", "rejected")
PAGE_SIZE, LARGEST_PAGE = 20, 100


def get(book: Book, call: Call) -> Answer:
    given = call.params["id"]
    return _one(book, book.orders.get(int(given)) if given.isascii() and given.isdigit() else None)


def by_reference(book: Book, call: Call) -> Answer:
    return _one(book, book.references.get(call.params["partner_order_ref"]))


def listed(book: Book, call: Call) -> Answer:
    """Oldest first, pages from 1, both ends of the time range included; filters nobody knows are ignored."""
    query = {name: values[0] for name, values in parse_qs(call.query).items()}
    page = checks.whole("page", query.get("page", "1"), 1, None)
    size = checks.whole("page_size", query.get("page_size", str(PAGE_SIZE)), 1, LARGEST_PAGE)
    wanted = _wanted(book, query)
    of_client = query.get("partner_client_id")
    source = book.orders.values() if of_client is None else book.by_client.get(of_client, [])
    found = sorted((order for order in source if wanted(order)), key=lambda order: (int(order.created), order.id))
    first = (page - 1) * size
    return answer(
        200,
        {
            "items": [order.to_json() for order in found[first : first + size]],
            "total": len(found),
            "page": page,
            "page_size": size,
        },
    )


def _one(book: Book, order: Order | None) -> Answer:
    if order is None or not book.visible(order.created):
        raise ApiError(404)
    return answer(200, {"result": order.to_json()})


def _wanted(book: Book, query: dict[str, str]) -> Callable[[Order], bool]:
    status = query.get("status")
    if status is not None and status not in STATUSES:
        raise invalid("status", f"Must be one of: {', '.join(STATUSES)}.")
    start = checks.moment("from_datetime", query["from_datetime"]) if "from_datetime" in query else None
    end = checks.moment("to_datetime", query["to_datetime"]) if "to_datetime" in query else None

    horizon = book.horizon()

    def wanted(order: Order) -> bool:
        when = int(order.created)  # what the answer shows is what the filter compares
        return (
            (status is None or order.status == status)
            and (start is None or when >= start)
            and (end is None or when <= end)
            and order.created <= horizon
        )

    return wanted
