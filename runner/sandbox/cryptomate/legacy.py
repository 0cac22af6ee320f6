"""The older API, `/management/clients`: other field names, other status words. (docs: MC/create-client)

Its clients are kept apart from the individual ones: nobody should mix the two.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.cryptomate import checks
from runner.sandbox.cryptomate.book import Book
from runner.sandbox.cryptomate.errors import bad, rule
from runner.sandbox.cryptomate.records import PHONE_FIELDS, OldClient

DUPLICATE = "Company client already exists for this company and phone number"
CONTACTS = ("otp", "sms", "whatsapp", "telegram")
FLAGS = (*CONTACTS, "bank_ramp", "credit_card_ramp", "individual_cards")
TEXTS = (
    "username",
    "first_name",
    "second_name",
    "last_name",
    "gender",
    "individual_identification",
    "individual_identification_type",
    "occupation",
    "annual_salary",
    "account_purpose",
    "expected_monthly_volume",
)
ADDRESS = ("street_line_1", "street_line_2", "city", "postal_code", "state", "country")


def create(book: Book, call: Call) -> Answer:
    """Nothing is required; a phone number belongs to one client."""
    data = _read(checks.json_object(call))
    phone = [data.get(name) for name in PHONE_FIELDS]
    if None not in phone and any(
        phone == [other.data.get(name) for name in PHONE_FIELDS] for other in book.old_clients.values()
    ):
        raise rule(412, DUPLICATE)
    made = OldClient(f"client_{book.new_uuid('old-client')}", book.company_id, data, "pending", book.now())
    book.old_clients[made.id] = made
    return answer(200, made.to_json())


def listed(book: Book, call: Call) -> Answer:
    """All of them, or those who can be reached in these ways: `?otp=true&sms=false`."""
    wanted = {name: values[0] == "true" for name, values in parse_qs(call.query).items() if name in CONTACTS}
    found = [
        client.to_json()
        for client in book.old_clients.values()
        if book.visible(client.created)
        and all(bool(client.data.get(name, False)) == value for name, value in wanted.items())
    ]
    return answer(200, found)


def _read(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "phone_country_code": checks.optional_whole(given, "phone_country_code", 999),
        "phone_number": checks.optional_whole(given, "phone_number", 10**15 - 1),
        **{name: checks.optional_text(given, name) for name in TEXTS},
        **{name: checks.flag(given, name) for name in FLAGS},
    }
    if given.get("email") is not None:
        found["email"] = checks.email(given)
    for name in ("birth_date", "expiration_date"):
        if given.get(name) is not None:
            found[name] = checks.day(given, name)
    if given.get("address") is not None:
        address = checks.inner(given, "address")
        found["address"] = {name: checks.optional_text(address, name, "address.") for name in ADDRESS}
    if not isinstance(given.get("documents", []), list):
        raise bad("documents must be an array")
    return {name: value for name, value in found.items() if value is not None}
