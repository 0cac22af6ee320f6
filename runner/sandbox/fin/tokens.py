"""Bearer tokens: issued, refreshed in pairs, dead at an instant. (docs: /api-reference/authentication)"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import checks
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import GENERAL, ApiError

ISSUE, REFRESH = "token.issue", "token.refresh"


def issue(book: Book, call: Call) -> Answer:
    """A new issue voids no older token (our choice)."""
    given = Fields(checks.json_object(call))
    given.text("client_id")
    given.text("client_secret")
    given.refuse()
    _require(refusal(book, call))
    book.tokens.issued += 1
    return _pair(book)


def refresh(book: Book, call: Call) -> Answer:
    """The refresh token is used up; access tokens given before live on (our choice)."""
    given = Fields(checks.json_object(call))
    token = given.text("refresh_token")
    given.refuse()
    _require(refusal(book, call))
    del book.tokens.refresh[token]
    book.tokens.refreshed += 1
    return _pair(book)


def refusal(book: Book, call: Call) -> str | None:
    """Why this call gets 401, for the record: the caller is told the same every time."""
    if call.operation not in (ISSUE, REFRESH):
        return _bearer(book, call)
    try:
        given = checks.json_object(call)
    except ApiError:
        return None  # whoever says nothing is told what is missing, not who he is
    if call.operation == REFRESH:
        token = given.get("refresh_token")
        if not isinstance(token, str) or not token:
            return None
        until = book.tokens.refresh.get(token)
        return "unknown refresh token" if until is None else "expired refresh token" if book.now() >= until else None
    secrets = given.get("client_id"), given.get("client_secret")
    if not all(isinstance(one, str) and one for one in secrets):
        return None
    pairs = zip(secrets, (book.client_id, book.client_secret), strict=True)
    return None if all(hmac.compare_digest(str(one).encode(), own.encode()) for one, own in pairs) else "wrong client"


def expire(book: Book, given: dict[str, Any]) -> dict[str, Any]:
    """`POST /_sandbox/act/expire`: no token that was given is accepted any more; refresh tokens only if told so."""
    if set(given) - {"refresh"} or not isinstance(given.get("refresh", False), bool):
        raise ValueError('expected {} or {"refresh": true}')
    book.tokens.access.clear()
    if given.get("refresh"):
        book.tokens.refresh.clear()
    return report(book)


def report(book: Book) -> dict[str, Any]:
    tokens, now = book.tokens, book.now()
    live = sum(until > now for until in tokens.access.values())
    return {"issued": tokens.issued, "refreshed": tokens.refreshed, "live": live}


def _bearer(book: Book, call: Call) -> str | None:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "no bearer token"
    until = book.tokens.access.get(token.strip())
    return "unknown bearer token" if until is None else "expired bearer token" if book.now() >= until else None


def _require(cause: str | None) -> None:
    if cause is not None:
        raise ApiError(401, GENERAL[401])


def _pair(book: Book) -> Answer:
    """Both `*_ttl` are instants, not durations, in a form that is not ISO 8601."""
    now, settings = book.now(), book.settings
    access_until, refresh_until = now + settings.token_ttl, now + settings.refresh_token_ttl
    access, renewal = _token(book, access_until), _token(book, refresh_until)
    book.tokens.access[access] = access_until
    book.tokens.refresh[renewal] = refresh_until
    made = {
        "access_token": access,
        "access_token_ttl": instant(access_until),
        "refresh_token": renewal,
        "refresh_token_ttl": instant(refresh_until),
        "current_time": instant(now),
    }
    return answer(200, {"data": made} if settings.token_in_data else made)


def instant(seconds: float) -> str:
    """`2026-04-15 11:49:27+00`: a space, and an offset of two digits."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S+00")


def _token(book: Book, until: float) -> str:
    """Looks like a JWT and is opaque: callers send it back and read nothing in it."""
    claims = {"sub": book.client_id, "exp": int(until), "jti": book.new_uuid("token")}
    parts = [_part(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims)]
    return ".".join([*parts, _part(bytes.fromhex(book.new_hex("signature")))])


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
