"""The catalogue: what ids and codes mean, page by page. (docs: /api-reference/catalogue)"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import checks, geography
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Problems
from runner.sandbox.fin.errors import invalid, refused
from runner.sandbox.fin.occupations import OCCUPATIONS

TYPES = ("BUSINESS", "INDIVIDUAL")
PAGE_SIZE, LARGEST_PAGE = 10, 512

# From older editions of the pages; of the sources of funds the last two, and all for businesses, are chosen.
PURPOSES = {
    1: "Send to Family & Friends",
    2: "Pay for Goods/Services",
    3: "Receive Income",
    4: "Educational Expense",
    5: "Charity & Donations",
    6: "Engaging in investment activities",
    7: "Ecommerce payments",
    8: "Company operations",
    9: "Asset protection",
}
SOURCES_OF_FUNDS = {
    1: "Salary/Wages",
    2: "Savings",
    3: "Investment Returns",
    4: "Inheritance",
    5: "Gifts",
    6: "Sale of Assets",
    7: "Business Income",
    8: "Loan Proceeds",
    9: "Government Assistance",
    10: "Retirement/Pension",
    11: "Rental Income",
    12: "Other",
}
TRANSACTION_PURPOSES = {**{key: PURPOSES[key] for key in range(1, 7)}, 7: "Paying Self"}
_BUSINESS = {
    "purposes": {101: "Supplier payments", 102: "Payroll", 103: "Treasury management"},
    "source_of_funds": {101: "Business revenue", 102: "Investment capital", 103: "Business loan"},
    "transaction_purposes": {101: "Invoice payment", 102: "Payroll"},
}
_INDIVIDUAL = {
    "purposes": PURPOSES,
    "source_of_funds": SOURCES_OF_FUNDS,
    "transaction_purposes": TRANSACTION_PURPOSES,
}
BY_TYPE = {"BUSINESS": _BUSINESS, "INDIVIDUAL": _INDIVIDUAL}


def occupations(book: Book, call: Call) -> Answer:
    """The endpoint has no `type`; one that is sent all the same is ignored."""
    return answer(200, {"data": page(checks.query(call), "occupations", _titles(OCCUPATIONS))})


def purposes(book: Book, call: Call) -> Answer:
    return _typed(call, "purposes")


def source_of_funds(book: Book, call: Call) -> Answer:
    return _typed(call, "source_of_funds")


def transaction_purposes(book: Book, call: Call) -> Answer:
    return _typed(call, "transaction_purposes")


def countries(book: Book, call: Call) -> Answer:
    rows = [country.to_json() for country in geography.COUNTRIES.values()]
    return answer(200, {"data": page(checks.query(call), "countries", rows)})


def subdivisions(book: Book, call: Call) -> Answer:
    """Not paged. A country whose subdivisions this sandbox does not know has an empty list."""
    country = geography.COUNTRIES.get(call.params["country_code"])
    if country is None:
        raise refused(404, "Resource not found")
    rows = [{"name": name, "code": code} for code, name in country.subdivisions.items()]
    return answer(200, {"data": {"subdivisions": rows}})


def page(
    query: dict[str, str],
    name: str,
    rows: Sequence[Any],
    largest: int = LARGEST_PAGE,
    words: tuple[str, str] = ("current_page", "per_page"),
) -> dict[str, Any]:
    """One page of a list, with what its pages are; 422 when the page asked for cannot be one."""
    problems: Problems = {}
    number = _whole(query, words[0], 1, None, problems)
    size = _whole(query, words[1], PAGE_SIZE, largest, problems)
    if problems:
        raise invalid(problems)
    about = {
        "current_page": number,
        "per_page": size,
        "total_page": -(-len(rows) // size),
        "total": len(rows),
    }
    return {"pagination": about, name: list(rows[(number - 1) * size : number * size])}


def _typed(call: Call, name: str) -> Answer:
    query = checks.query(call)
    if not query.get("type"):
        raise invalid({"type": ["type is required"]})
    if query["type"] not in TYPES:
        raise invalid({"type": [f"type must be one of: {', '.join(TYPES)}"]})
    return answer(200, {"data": page(query, name, _titles(BY_TYPE[query["type"]][name]))})


def _titles(known: dict[int, str]) -> list[dict[str, Any]]:
    return [{"id": key, "title": title} for key, title in known.items()]


def _whole(query: dict[str, str], field: str, default: int, largest: int | None, problems: Problems) -> int:
    text = query.get(field, str(default))
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        problems[field] = [f"{field} must be at least 1"]
    elif largest is not None and int(text) > largest:
        problems[field] = [f"{field} must be at most {largest}"]
    else:
        return int(text)
    return default
