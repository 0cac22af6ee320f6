"""Who may call: the signature over timestamp, method, path and body hash, in a recipe that can be set."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runner.sandbox.base import Call
from runner.sandbox.clock import Clock

MAX_AGE_MS = 60_000
HELP = """\
signing (CoinMENA; the provider's exact recipe is not public, so it is a setting):
  --signing separator=newline|dot|none|TEXT     between the four parts              (newline)
  --signing method=upper|lower                  case of the method                  (upper)
  --signing hash=hex|hex-upper|base64           how the SHA-256 of the body is written     (hex)
  --signing query=no|yes                        path with ?query                    (no)
  --signing empty=hash|empty                    no body: hash of zero bytes, or an empty text   (hash)
  --signing multipart=raw|empty                 hash the multipart bytes, or treat them as no body   (raw)
  --signing '{"separator": "dot"}'              the same as JSON
"""
ALLOWED = {
    "method": ("upper", "lower"),
    "hash": ("hex", "hex-upper", "base64"),
    "query": ("no", "yes"),
    "empty": ("hash", "empty"),
    "multipart": ("raw", "empty"),
}
SEPARATORS = {"newline": "\n", "dot": ".", "none": ""}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the signed text is built; the defaults are suggestions, not facts (README.md)."""

    separator: str = "newline"
    method: str = "upper"
    hash: str = "hex"
    query: str = "no"
    empty: str = "hash"
    multipart: str = "raw"


def recipe(settings: Mapping[str, str]) -> Recipe:
    """Read `--signing` settings; raises ValueError on an unknown key or value."""
    names = [field.name for field in fields(Recipe)]
    for key, value in settings.items():
        if key not in names:
            raise ValueError(f'signing: unknown key "{key}", known are {", ".join(names)}')
        if key in ALLOWED and value not in ALLOWED[key]:
            raise ValueError(f'signing: {key} is "{value}", expected {" or ".join(ALLOWED[key])}')
    return Recipe(**settings)


def canonical(how: Recipe, timestamp: str, call: Call) -> bytes:
    """The bytes the caller must have signed."""
    method = call.method.upper() if how.method == "upper" else call.method.lower()
    path = f"{call.path}?{call.query}" if how.query == "yes" and call.query else call.path
    separator = SEPARATORS.get(how.separator, how.separator)
    return separator.join((timestamp, method, path, _body_hash(how, call))).encode()


def _body_hash(how: Recipe, call: Call) -> str:
    is_form = call.headers.get("content-type", "").lower().startswith("multipart/")
    body = b"" if is_form and how.multipart == "empty" else call.body
    if not body and how.empty == "empty":
        return ""
    digest = hashlib.sha256(body)
    if how.hash == "base64":
        return base64.b64encode(digest.digest()).decode()
    return digest.hexdigest().upper() if how.hash == "hex-upper" else digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets signed calls of one partner in."""

    partner_id: str
    key: Ed25519PublicKey
    recipe: Recipe
    clock: Clock
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def refuse(self, call: Call) -> str | None:
        """The cause of a 401, for our own log; None lets the call in."""
        headers = call.headers
        for name in ("x-partner-id", "x-timestamp", "x-signature"):
            if not headers.get(name):
                return f"missing header {name}"
        return (
            self._wrong_address(call.peer)
            or self._wrong_time(headers["x-timestamp"])
            or (None if headers["x-partner-id"] == self.partner_id else "unknown partner")
            or self._wrong_signature(headers["x-signature"], canonical(self.recipe, headers["x-timestamp"], call))
        )

    def _wrong_address(self, peer: str) -> str | None:
        if not self.networks:
            return None
        address = ip_address(peer)
        return None if any(address in network for network in self.networks) else "address not on the allow list"

    def _wrong_time(self, timestamp: str) -> str | None:
        if not re.fullmatch(r"[0-9]{1,15}", timestamp):
            return "timestamp is not a number of milliseconds"
        age = int(self.clock.now() * 1000) - int(timestamp)
        if age < 0:
            return f"timestamp is {-age} ms in the future"
        return f"timestamp is {age} ms old" if age > MAX_AGE_MS else None

    def _wrong_signature(self, signature: str, signed: bytes) -> str | None:
        try:
            raw = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return "signature is not standard Base64"
        try:
            self.key.verify(raw, signed)
        except InvalidSignature:
            return "signature does not match"
        return None


def networks(allowed: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Single addresses and CIDR ranges; raises ValueError on anything else."""
    return tuple(ip_network(text, strict=False) for text in allowed)
