"""A webhook: is it the provider's, is it new, what is it about? Pure.

It is never believed: it is a reason to ask. So nothing of what it says is kept but its name and the ids it names.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runner.checks import lookup
from runner.model.http import wire_text
from runner.model.provider import Webhooks
from runner.model.secret import Secret

# Longer is no name of an event, and no id.
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Received:
    """A webhook that is the provider's. `id` names this event among all: a second one with it is a repeat."""

    id: str
    event: str
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """One that is not taken: the status it is answered with, and why, for people."""

    status: int
    why: str


def receive(
    rule: Webhooks, key: Secret | str, headers: Mapping[str, str], body: bytes, now: float
) -> Received | Refused:
    """What came in. `headers` have lower-case names; `now` is seconds since the epoch, UTC."""
    proof = headers.get(rule.header.lower(), "")
    secret = key.reveal() if isinstance(key, Secret) else key
    hash_name = headers.get(rule.algorithm_header.lower(), "").lower() if rule.algorithm_header else ""
    if hash_name and hash_name not in rule.algorithms:
        return Refused(401, f"{rule.algorithm_header} names an algorithm that is not taken")
    if not VERIFIERS[rule.scheme](secret, proof, body, hash_name or next(iter(rule.algorithms), "")):
        return Refused(401, f"{rule.header} is {'wrong' if proof else 'missing'}")
    if rule.max_age and (stale := _stale(rule, headers, now)):
        return Refused(400, stale)
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return Refused(400, "the body is not JSON")
    if not isinstance(event, Mapping):
        return Refused(400, "the body is not a JSON object")
    named = [lookup(path, event)[1] for path in rule.id]
    about = [lookup(path, event)[1] for path in rule.about]
    return Received(
        id=hashlib.sha256(json.dumps(named, default=str).encode()).hexdigest(),
        event=_name(lookup(rule.event, event)[1]),
        about=tuple(dict.fromkeys(filter(None, map(_name, about)))),
    )


def _name(value: object) -> str:
    """A name or an id as it is kept, "" for what is none: JSON can say what no file can hold, and at any length."""
    text = wire_text(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if len(text) <= _LONGEST_NAME and text.isprintable() else ""


def _stale(rule: Webhooks, headers: Mapping[str, str], now: float) -> str:
    """Why its time does not do, "" when it does: an old one may be a recording."""
    told = headers.get(rule.timestamp_header.lower(), "")
    if not (told.isascii() and told.isdigit() and len(told) < 20):
        return f"{rule.timestamp_header} is {'no time' if told else 'missing'}"
    age = now - int(told) * rule.timestamp_unit
    return f"it is {abs(age):.0f} s {'old' if age > 0 else 'ahead'}" if abs(age) > rule.max_age else ""


def _shared_key(secret: str, proof: str, body: bytes, algorithm: str) -> bool:
    """The header carries the key itself; compared without telling by time how much of it was right."""
    return bool(secret) and hmac.compare_digest(secret.encode(), proof.encode())


def _hmac(secret: str, proof: str, body: bytes, algorithm: str) -> bool:
    """The header carries the lower-case hex HMAC of the body as it came, under a hash that both sides know."""
    made = hmac.new(secret.encode(), body, algorithm).hexdigest()
    return bool(secret) and hmac.compare_digest(made.encode(), proof.encode())


VERIFIERS: dict[str, Callable[[str, str, bytes, str], bool]] = {
    "hmac": _hmac,
    "shared-key": _shared_key,
}
