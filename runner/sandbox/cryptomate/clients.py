"""Individual clients: create, list, get, replace, delete. (docs: /api-reference/management/individual-clients)"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.cryptomate import checks, reference
from runner.sandbox.cryptomate.book import Book
from runner.sandbox.cryptomate.errors import absent, bad, rule
from runner.sandbox.cryptomate.records import CLIENT_FIELDS, PHONE_FIELDS, Client

DUPLICATE = "Company client already exists for this company"
ADDRESS = ("street_line1", "city", "postal_code", "state", "country")
ADDRESS_OPTIONAL = ("street_line2", "state_code", "country_code")


def create(book: Book, call: Call) -> Answer:
    data, extras = read(checks.json_object(call))
    _free(book, data["email"], None)
    now = book.now()
    client = Client(book.new_id("client"), data, extras, "pending", now, now)
    book.put_client(client)
    return answer(201, client.to_json())


def update(book: Book, call: Call) -> Answer:
    """The whole client anew: what is left out is gone. Its status and its product requests stay."""
    client = known(book, call.params["id"])
    data, extras = read(checks.json_object(call))
    _free(book, data["email"], client.id)
    changed = replace(client, data=data, extras=extras, updated=book.now())
    book.put_client(changed)
    return answer(200, changed.to_json())


def get(book: Book, call: Call) -> Answer:
    client = known(book, call.params["id"])
    if not book.visible(client.created):
        raise _unknown(client.id)
    return answer(200, client.to_json())


def listed(book: Book, call: Call) -> Answer:
    """A bare array of them all, in the order they were made."""
    return answer(200, [client.to_json() for client in book.clients.values() if book.visible(client.created)])


def delete(book: Book, call: Call) -> Answer:
    book.forget(known(book, call.params["id"]))
    return Answer(204, b"")


def known(book: Book, client_id: str) -> Client:
    client = book.clients.get(client_id)
    if client is None:
        raise _unknown(client_id)
    return client


def read(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The documented fields, checked, and all others as they came; null counts as absent."""
    data: dict[str, Any] = {
        "first_name": checks.text(given, "first_name"),
        "second_name": checks.optional_text(given, "second_name"),
        "last_name": checks.text(given, "last_name"),
        "email": checks.email(given),
        "birth_date": checks.day(given, "birth_date"),
        "address": _address(checks.inner(given, "address")),
        "phone_country_code": checks.optional_whole(given, "phone_country_code", 999),
        "phone_number": checks.optional_whole(given, "phone_number", 10**15 - 1),
    }
    extras = {name: value for name, value in given.items() if name not in (*CLIENT_FIELDS, *PHONE_FIELDS)}
    return {name: value for name, value in data.items() if value is not None}, extras


def _address(given: dict[str, Any]) -> dict[str, str]:
    within = "address."
    found = {name: checks.text(given, name, within) for name in ADDRESS}
    found |= {
        name: value for name in ADDRESS_OPTIONAL if (value := checks.optional_text(given, name, within)) is not None
    }
    country = reference.COUNTRIES.get(found["country"])
    if country is None:
        raise bad(f"address.country: {found['country']} is not a supported country")
    if found["state"] not in country.codes:
        raise bad(f"address.state: {found['state']} is not a subdivision of {country.alpha3}")
    return found


def _free(book: Book, email: str, own_id: str | None) -> None:
    """Which field makes a duplicate is not documented; we compare e-mail addresses without case."""
    if book.emails.get(email.lower(), own_id) != own_id:
        raise rule(400, DUPLICATE)


def _unknown(client_id: str) -> Exception:
    return absent(f"Company client not found with id: {client_id}")
