"""Seed data: settings, scenarios, customers, beneficiaries, the balance and the webhook, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from runner.sandbox.fin import beneficiaries, customers, destinations, people, reviews, settings, webhooks
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields, Problems
from runner.sandbox.fin.errors import ApiError

STATUSES = ("APPROVED", "INCOMPLETE", "REJECTED", "REVIEWING")
_T = TypeVar("_T")

PERSON: dict[str, Any] = {
    "verification_type": "STANDARD",
    "basic_info": {
        "first_name": "Seeded",
        "last_name": "Customer",
        "dob": "1990-04-15",
        "phone": "+14155552671",
        "country_of_residence": "USA",
        "primary_nationality": "USA",
        "tax_info": [{"country_code": "USA", "document_type": "SSN", "document_id": "123-45-6789"}],
    },
    "address": {
        "street_line_1": "123 Market Street",
        "city": "San Francisco",
        "subdivision_code": "US-CA",
        "postal_code": "94103",
        "country": "USA",
    },
    "financial_profile": {
        "employment_status": "EMPLOYED",
        "occupation_id": 1,
        "purpose_id": 1,
        "source_of_fund_ids": [1],
        "monthly_volume_usd": 5000,
    },
}


def load(book: Book, data: Any) -> None:
    """Raises ValueError with the place and the reason; the caller then throws this book away."""
    parts: dict[str, Callable[[Book, Any], None]] = {
        "settings": _settings,
        "reviews": lambda book, given: _by_email(book.reviews, given, reviews.read),
        "beneficiary_reviews": lambda book, given: _by_email(book.approvals, given, reviews.read_beneficiary),
        "payouts": lambda book, given: _by_email(book.payouts, given, reviews.read_payout),
        "balance": _balance,
        "webhook_url": lambda book, given: _webhook(book, {"url": given}),
        "webhook_secret": lambda book, given: _webhook(book, {"url": book.webhook_url, "secret": given}),
        "customers": lambda book, given: _each(book, given, _customer),
        "beneficiaries": lambda book, given: _each(book, given, _beneficiary),
    }
    if not isinstance(data, dict):
        raise ValueError("seed data must be a JSON object")
    if unknown := sorted(set(data) - set(parts)):
        raise ValueError(f'seed data: unknown key "{unknown[0]}", known are {", ".join(parts)}')
    for name, put in parts.items():
        if name in data:
            try:
                put(book, data[name])
            except (ApiError, KeyError, TypeError, ValueError) as problem:
                raise ValueError(f"seed data: {name}: {_said(problem)}") from None


def _settings(book: Book, given: Any) -> None:
    book.settings = settings.changed(book.settings, given)


def _balance(book: Book, given: Any) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError("expected cents, zero or more")
    book.balance = given


def _webhook(book: Book, given: dict[str, Any]) -> None:
    webhooks.listen(book, given)


def _by_email(known: dict[str | None, _T], given: Any, read: Callable[[Any], _T]) -> None:
    found = _only(given, ("default", "by_email"))
    if "default" in found:
        known[None] = read(found["default"])
    for email, one in _only(found.get("by_email", {})).items():
        try:
            known[email.lower()] = read(one)
        except ValueError as problem:
            raise ValueError(f"{email}: {problem}") from None


def _customer(book: Book, given: Any) -> None:
    """A V2 customer by e-mail; every other field of create may be given and has a value when not."""
    found = dict(_only(given, ("email", "status", *PERSON)))
    email, status = found.pop("email", None), found.pop("status", "INCOMPLETE")
    if status not in STATUSES:
        raise ValueError(f'"status" must be one of {", ".join(STATUSES)}')
    info = {**PERSON["basic_info"], "email": email, **_only(found.pop("basic_info", {}))}
    body = {**PERSON, **found, "basic_info": info}
    people.check_v2(Fields(body), book.now())
    customer = customers.make(book, "v2", body, status)
    book.customers[customer.id] = customer


def _beneficiary(book: Book, given: Any) -> None:
    """The body of create, with `email` of a customer in place of its id, and a `status`."""
    found = dict(_only(given))
    customer = book.by_email(str(found.pop("email", "")))
    status = found.pop("status", "ACTIVE")
    if customer is None:
        raise ValueError('"email" must be that of a customer')
    if status not in ("ACTIVE", "INACTIVE", "PROCESSING", "REJECTED"):
        raise ValueError('"status" must be ACTIVE, INACTIVE, PROCESSING or REJECTED')
    problems: Problems = {}
    destinations.check(Fields({**found, "customer_id": customer.id}, problems=problems))
    if problems:
        raise ValueError("; ".join(f"{path}: {texts[0]}" for path, texts in problems.items()))
    beneficiaries.add(book, customer.id, {**found, "customer_id": customer.id}, status)


def _each(book: Book, given: Any, put: Callable[[Book, Mapping[str, Any]], None]) -> None:
    if not isinstance(given, list):
        raise ValueError("expected a list")
    for index, item in enumerate(given):
        try:
            put(book, item)
        except (ApiError, KeyError, TypeError, ValueError) as problem:
            raise ValueError(f"[{index}]: {_said(problem)}") from None


def _said(problem: Exception) -> str:
    if isinstance(problem, ApiError) and problem.errors:
        return "; ".join(f"{path}: {texts[0]}" for path, texts in problem.errors.items())
    return str(problem)


def _only(given: Any, known: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object; with `known`, one that has no other keys."""
    if not isinstance(given, dict):
        raise ValueError("expected an object")
    if known and (unknown := sorted(set(given) - set(known))):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(known)}')
    return given
