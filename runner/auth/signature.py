"""Sign each request: a message made from it by the pack's recipe, and a timestamp that is never ahead of the server.

What the server's `Date` headers proved is a lower bound of its clock, carried forward on a clock that never runs back:
a wall clock that is wrong does no harm.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from runner.auth.base import NoAuth, ServerClock
from runner.clock import Clock
from runner.duration import seconds
from runner.model.http import Request
from runner.model.problem import Problem, ProblemError
from runner.model.secret import Secret
from runner.templates import Template, compile_text


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


class SignatureAuth(NoAuth):
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

    def learn(self, date: str) -> None:
        self._clock.learn(date)
        self.corrections = self._clock.corrections


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
