"""Prove who we are, afresh for each attempt: the one place where a secret is opened.

A scheme is data in the pack (`auth:`). The timestamp is never ahead of the server: what its `Date` headers proved is a
lower bound of its clock, carried forward on a clock that never runs back: a wall clock that is wrong does no harm.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from runner.clock import Clock
from runner.duration import seconds
from runner.model.http import Request
from runner.model.problem import Problem, ProblemError
from runner.model.provider import Provider
from runner.model.secret import Secret
from runner.templates import Template, compile_text
from runner.times import from_http


class Auth(Protocol):
    """Headers for one attempt of one request; `learn` is told the `Date` of every answer.

    `corrections` counts how often our idea of the server's clock moved: a request that was signed before the last
    correction may have been refused for its timestamp alone.
    """

    @property
    def corrections(self) -> int: ...

    def headers(self, request: Request) -> Mapping[str, str]: ...

    def learn(self, date: str) -> None: ...


class ServerClock:
    """The latest time that the server has certainly reached, in seconds since the epoch."""

    def __init__(self, clock: Clock, behind: float) -> None:
        self._clock = clock
        self._behind = behind
        self._ahead_of_monotonic: float | None = None
        self.corrections = 0

    def now(self) -> float:
        if self._ahead_of_monotonic is None:
            return self._clock.now() - self._behind
        return self._clock.elapsed() + self._ahead_of_monotonic

    def learn(self, date: str) -> None:
        told = from_http(date)
        if told is None:
            return
        before = self.now()
        bound = told - self._clock.elapsed()
        # A Date is cut to whole seconds and already old when it arrives: the largest bound is the tightest. A server
        # clock that was set back shows as a bound far below ours, and then only the new one holds.
        if self._ahead_of_monotonic is None or bound > self._ahead_of_monotonic or bound < self._ahead_of_monotonic - 5:
            self._ahead_of_monotonic = bound
        self.corrections += abs(self.now() - before) > 0.5


class NoAuth:
    """A provider that asks for nothing."""

    corrections = 0

    def headers(self, request: Request) -> Mapping[str, str]:
        return {}

    def learn(self, date: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class _Recipe:
    message: Template
    headers: Mapping[str, Template]
    hash_name: str
    hash_encoding: str
    multipart: str
    empty: str
    signature_encoding: str
    unit: float


class SignatureAuth:
    """Signs a message made from the request by the pack's recipe. Every part of the recipe is data."""

    def __init__(self, recipe: Mapping[str, Any], credentials: Mapping[str, Secret | str], clock: Clock) -> None:
        body_hash = recipe.get("body_hash", {})
        timestamp = recipe.get("timestamp", {})
        self._recipe = _Recipe(
            message=compile_text(str(recipe["message"])),
            headers={name: compile_text(str(text)) for name, text in recipe["headers"].items()},
            hash_name=body_hash.get("algorithm", "sha256"),
            hash_encoding=body_hash.get("encoding", "hex"),
            multipart=body_hash.get("multipart", "body"),
            empty=body_hash.get("empty", "hash"),
            signature_encoding=recipe.get("signature_encoding", "base64"),
            unit={"ms": 1000.0, "s": 1.0}[timestamp.get("unit", "ms")],
        )
        self._plain = {name: value for name, value in credentials.items() if isinstance(value, str)}
        self._clock = ServerClock(clock, seconds(timestamp.get("behind", "1s")))
        secret = credentials[recipe["key"]]
        assert isinstance(secret, Secret)
        self._sign = SIGNERS[recipe["algorithm"]](secret)

    def headers(self, request: Request) -> Mapping[str, str]:
        recipe = self._recipe
        scope: dict[str, Any] = {
            **self._plain,
            "timestamp": str(int(self._clock.now() * recipe.unit)),
            "method": request.method,
            "path": request.path,
            "target": request.target,
            "query": request.target.partition("?")[2],
            "body_hash": self._body_hash(request),
        }
        message = str(recipe.message.render(scope)).encode()
        scope["signature"] = encode(self._sign(message), recipe.signature_encoding)
        return {name: str(template.render(scope)) for name, template in recipe.headers.items()}

    def _body_hash(self, request: Request) -> str:
        body = b"" if request.is_multipart and self._recipe.multipart == "empty" else request.body
        if not body and self._recipe.empty == "empty":
            return ""
        # The server hashes the body as received, so hash the bytes that leave, not the mapping they came from.
        return encode(hashlib.new(self._recipe.hash_name, body).digest(), self._recipe.hash_encoding)

    @property
    def corrections(self) -> int:
        return self._clock.corrections

    def learn(self, date: str) -> None:
        self._clock.learn(date)


def encode(raw: bytes, encoding: str) -> str:
    return ENCODINGS[encoding](raw)


ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda raw: base64.b64encode(raw).decode(),
    "base64url": lambda raw: base64.urlsafe_b64encode(raw).decode(),
    "hex": lambda raw: raw.hex(),
    "hex-upper": lambda raw: raw.hex().upper(),
}


def _ed25519(secret: Secret) -> Callable[[bytes], bytes]:
    try:
        key = load_pem_private_key(secret.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ProblemError(
            [
                Problem(
                    "credentials.not-a-key",
                    "the private key is not an Ed25519 key in PEM form",
                    hint='make one with "openssl genpkey -algorithm ed25519" and give its public half to the provider',
                )
            ]
        )
    return key.sign


SIGNERS: dict[str, Callable[[Secret], Callable[[bytes], bytes]]] = {"ed25519": _ed25519}


class KeyAuth:
    """One header that carries the key itself."""

    corrections = 0

    def __init__(self, header: str, key: Secret | str) -> None:
        self._header = header
        self._key = key

    def headers(self, request: Request) -> Mapping[str, str]:
        return {self._header: self._key.reveal() if isinstance(self._key, Secret) else self._key}

    def learn(self, date: str) -> None:
        return None


def _none(provider: Provider, credentials: Mapping[str, Secret | str], clock: Clock) -> Auth:
    return NoAuth()


def _api_key(provider: Provider, credentials: Mapping[str, Secret | str], clock: Clock) -> Auth:
    return KeyAuth(provider.auth["header"], credentials[provider.auth["key"]])


def _signature(provider: Provider, credentials: Mapping[str, Secret | str], clock: Clock) -> Auth:
    return SignatureAuth(provider.auth, credentials, clock)


SCHEMES: dict[str, Callable[[Provider, Mapping[str, Secret | str], Clock], Auth]] = {
    "api-key": _api_key,
    "none": _none,
    "signature": _signature,
}


def make_auth(provider: Provider, credentials: Mapping[str, Secret | str], clock: Clock) -> Auth:
    """The pack's scheme with these credentials. Raises ProblemError when a key can't be used."""
    return SCHEMES[provider.auth.get("scheme", "none")](provider, credentials, clock)
