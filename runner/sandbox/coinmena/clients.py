"""Create, read and (de)activate clients."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.coinmena import checks
from runner.sandbox.coinmena.book import Book
from runner.sandbox.coinmena.checks import Check
from runner.sandbox.coinmena.errors import ApiError
from runner.sandbox.coinmena.records import Client

REQUIRED: dict[str, Check] = {
    "partner_client_id": checks.identifier,
    "account_type": checks.one_of("personal"),
    "name": checks.text,
    "email": checks.email,
    "phone": checks.phone,
    "residency_id": checks.text,
    "citizenship_id": checks.text,
    "place_of_birth_id": checks.text,
    "birth_date": checks.day,
    "government_id_number": checks.text,
    "government_id_doe": checks.day,
    "trading_volume": checks.text,
    "account_purpose": checks.texts,
}
OPTIONAL: dict[str, Check] = {"residency_visa_number": checks.text, "residency_visa_doe": checks.day}
ADDRESS: dict[str, Check] = {"street": checks.text, "city": checks.text, "postal_code": checks.text}
ADDRESS_OPTIONAL: dict[str, Check] = {"unit": checks.text}
JOB: dict[str, Check] = {
    "company": checks.text,
    "job_industry": checks.text,
    "job_level": checks.text,
    "job_title": checks.text,
}


def create(book: Book, call: Call) -> Answer:
    data = checks.json_object(call)
    if found := _problems(data):
        raise ApiError(422, found)
    kept = _known(data)
    _allowed(book, kept)
    if code := book.duplicate(kept):
        raise ApiError(code)
    return answer(201, {"result": book.add_client(kept).to_json()})


def get(book: Book, call: Call) -> Answer:
    return answer(200, {"result": shown(book, call.params["partner_client_id"]).to_json()})


def activate(book: Book, call: Call) -> Answer:
    """`{"active": true|false}` and the client as answer: invented, see README.md."""
    client = known(book, call.params["partner_client_id"])
    data = checks.json_object(call)
    if found := checks.problems(data, {"active": checks.boolean}, {}):
        raise ApiError(422, found)
    changed = replace(client, active=data["active"])
    book.put_client(changed)
    return answer(200, {"result": changed.to_json()})


def known(book: Book, partner_client_id: str) -> Client:
    """The client, for a call that acts on it."""
    client = book.clients.get(partner_client_id)
    if client is None:
        raise ApiError(2008)
    return client


def shown(book: Book, partner_client_id: str) -> Client:
    """The client, for a read: one made a moment ago may not show yet."""
    client = known(book, partner_client_id)
    if not book.visible(client.created):
        raise ApiError(2008)
    return client


def ready(book: Book, partner_client_id: str) -> Client:
    """The client, verified and active."""
    client = known(book, partner_client_id)
    if client.status != "verified":
        raise ApiError(2009)
    if not client.active:
        raise ApiError(2010)
    return client


def _problems(data: dict[str, Any]) -> dict[str, Any]:
    found = checks.problems(data, REQUIRED, OPTIONAL)
    found |= _within(data, "address", ADDRESS, ADDRESS_OPTIONAL)
    # Someone without a job has no employer; which fields the provider wants then is not documented.
    job = data.get("employment")
    employed = isinstance(job, dict) and job.get("status") == "employed"
    status: dict[str, Check] = {"status": checks.text}
    return found | _within(data, "employment", status | JOB if employed else status, {} if employed else JOB)


def _within(data: dict[str, Any], field: str, required: dict[str, Check], optional: dict[str, Check]) -> dict[str, Any]:
    inner = data.get(field)
    if inner is None:
        return {field: [checks.REQUIRED]}
    if not isinstance(inner, dict):
        return {field: ["Must be an object."]}
    found = checks.problems(inner, required, optional)
    return {field: found} if found else {}


def _known(data: dict[str, Any]) -> dict[str, Any]:
    """The documented fields only, in the order of the provider's sample, without nulls."""
    order = [*REQUIRED]
    order[-2:-2] = ["residency_visa_number", "residency_visa_doe", "address", "employment"]
    kept = {field: data[field] for field in order if data.get(field) is not None}
    for field, inner in (("address", (*ADDRESS, *ADDRESS_OPTIONAL)), ("employment", ("status", *JOB))):
        kept[field] = {key: data[field][key] for key in inner if data[field].get(key) is not None}
    return kept


def _allowed(book: Book, data: dict[str, Any]) -> None:
    """Countries, age, visa: in this order, before the duplicates."""
    residency = book.countries.get(data["residency_id"])
    citizenship = book.countries.get(data["citizenship_id"])
    birth = book.countries.get(data["place_of_birth_id"])
    if residency is None or not residency.residency:
        raise ApiError(2022)
    if citizenship is None or not citizenship.citizenship:
        raise ApiError(2023)
    if birth is None or not birth.place_of_birth:
        raise ApiError(2024)
    today = datetime.fromtimestamp(book.clock.now(), UTC).date()
    if _age(date.fromisoformat(data["birth_date"]), today) < residency.legal_age:
        raise ApiError(2021)
    visa = ("residency_visa_number" in data) and ("residency_visa_doe" in data)
    if residency.id != citizenship.id and not visa:
        raise ApiError(2025)


def _age(born: date, today: date) -> int:
    """Whole years; somebody born on 29 February turns a year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
