"""Where events go, what they say, and how they are signed. (docs: /guides/webhooks/verifying-webhooks)"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from runner.sandbox.base import Event, Heard, Letter
from runner.sandbox.fin.book import Book, News
from runner.sandbox.fin.records import fine

TYPES = (
    "beneficiary.created",
    "beneficiary.status",
    "customer.created",
    "customer.rfi",
    "customer.status",
    "transaction.status",
)
ALGORITHM = "sha256"
ATTEMPTS, TIMEOUT = 4, 10.0  # nothing is published; chosen


def operation(kind: str) -> str:
    """The name of an event in a fault: `webhooks.customer_status`."""
    return f"webhooks.{kind.replace('.', '_')}"


EVENTS = frozenset(operation(kind) for kind in TYPES)


def event(current: Callable[[], Book], news: News) -> Event:
    """One event; every attempt has the same body, so the same `event.id`, and is signed with the secret of its time."""
    book = current()
    envelope = {
        "event": {
            "id": book.new_uuid("event"),
            "event_reference_id": news.subject,
            "type": news.type,
            "created_at": fine(book.now()),
            "sandbox_mode": True,
        },
        "data": news.data,
    }
    body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()

    def letter() -> Letter:
        now = current()
        headers = (
            ("Content-Type", "application/json"),
            ("x-fin-signature", signature(now.webhook_secret, body)),
            ("x-fin-signature-algorithm", ALGORITHM),
        )
        return Letter(now.webhook_url or "", headers, body)

    return Event(operation(news.type), news.email, letter, _is_taken, ATTEMPTS, TIMEOUT)


def signature(secret: str, body: bytes) -> str:
    """Of the raw body and nothing else: no time, no address."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def listen(book: Book, given: dict[str, Any]) -> dict[str, Any]:
    """`POST /_sandbox/act/webhook`: what the provider's dashboard does, for there is no call for it."""
    if unknown := sorted(set(given) - {"url", "secret"}):
        raise ValueError(f'unknown key "{unknown[0]}", known are secret, url')
    url, secret = given.get("url"), given.get("secret", book.webhook_secret)
    if url is not None and not is_address(url):
        raise ValueError('"url" must be an http or https address, or null to stop')
    if not isinstance(secret, str) or not secret:
        raise ValueError('"secret" must be a text')
    book.webhook_url, book.webhook_secret = url, secret
    return {"url": url}


def is_address(url: Any) -> bool:
    try:
        found = urlsplit(url)
        return found.scheme in ("http", "https") and bool(found.hostname) and url.isprintable() and " " not in url
    except (AttributeError, TypeError, ValueError):
        return False


def _is_taken(heard: Heard) -> bool:
    return heard.status == 200
