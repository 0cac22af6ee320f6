"""Where events go and what they say. (docs: /integration/webhooks, CO/subscribe-webhook-url)"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from runner.sandbox.base import Answer, Call, Event, Heard, Letter, answer
from runner.sandbox.clock import iso
from runner.sandbox.cryptomate import checks
from runner.sandbox.cryptomate.book import Book
from runner.sandbox.cryptomate.errors import bad, rule
from runner.sandbox.cryptomate.records import Client

CLIENT_STATUS = "webhooks.client_status"
ATTEMPTS, TIMEOUT = 10, 30.0
SHORTEST_KEY = 10


def subscribe(book: Book, call: Call) -> Answer:
    data = checks.json_object(call)
    url, key = checks.text(data, "url"), _key(data, "webhook_key")
    if not is_address(url):
        raise bad("url must be a valid HTTP or HTTPS address")
    book.webhook_url, book.webhook_key = url, key
    return answer(200, _company(book))


def change_key(book: Book, call: Call) -> Answer:
    """Counts for the very next attempt, also of an event that is already on its way."""
    key = _key(checks.json_object(call), "key")
    if len(key) < SHORTEST_KEY:
        raise rule(412, f"Webhook key must be at least {SHORTEST_KEY} characters long")
    book.webhook_key = key
    return answer(200, _company(book))


def is_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        return found.scheme in ("http", "https") and bool(found.hostname) and url.isprintable() and " " not in url
    except ValueError:
        return False


def client_status(current: Callable[[], Book], client: Client) -> Event:
    """Tell what became of a client. The operation id is the client's own, as in the provider's example."""
    book = current()
    body = json.dumps(_envelope(book, client), ensure_ascii=False, separators=(",", ":")).encode()
    trace = book.new_uuid("trace")

    def letter() -> Letter:
        now = current()
        headers = (
            ("Content-Type", "application/json"),
            ("X-Webhook-Key", now.webhook_key),
            ("X-Request-Timestamp", str(int(now.now() * 1000))),
            ("X-Trace-Id", trace),
        )
        return Letter(now.webhook_url or "", headers, body)

    return Event(CLIENT_STATUS, client.email, letter, _is_taken, ATTEMPTS, TIMEOUT)


def _key(data: dict[str, Any], field: str) -> str:
    """A key travels in a header."""
    if not (key := checks.text(data, field)).isascii() or not key.isprintable():
        raise bad(f"{field} must be printable ASCII")
    return key


def _is_taken(heard: Heard) -> bool:
    """Any other status is tried again; what a 200 without the expected body does is not documented."""
    return heard.status == 200


def _envelope(book: Book, client: Client) -> dict[str, Any]:
    shown = {name: client.data[name] for name in ("email", "first_name", "last_name")}
    rejection = {}
    if client.rejection:
        rejection = {"rejection_code": client.rejection[0], "rejection_description": client.rejection[1]}
    return {
        "product": "company_activity",
        "event_type": "client_status",
        "operation_id": client.id,
        "status": "failed" if client.status == "rejected" else "success",
        "data": {
            "id": client.id,
            "company_id": book.company_id,
            "type": "individual",
            **shown,
            "status": client.status,
            **rejection,
            "created_at": iso(client.created),
            "updated_at": iso(client.updated),
            "address": client.data["address"],
        },
    }


def _company(book: Book) -> dict[str, Any]:
    url = {} if book.webhook_url is None else {"webhook_url": book.webhook_url}
    return {"name": "Sandbox Company", "email": "sandbox@example.com", **url, "webhook_key": book.webhook_key}
