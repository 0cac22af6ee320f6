"""Which public key is accepted, and the key pair used when nobody brings one."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

PARTNER_ID = "sandbox-partner"


def development_key(seed: int) -> Ed25519PrivateKey:
    """The same key for the same seed, everywhere. It protects nothing and is meant to be printed."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"coinmena/sandbox/key/{seed}".encode()).digest())


def pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def credentials(seed: int = 1, partner_id: str = PARTNER_ID) -> dict[str, str]:
    """The environment variables of a client that uses the development key."""
    return {"COINMENA_PARTNER_ID": partner_id, "COINMENA_PRIVATE_KEY": pem(development_key(seed))}


def accepted_key(given: str | None, env: Mapping[str, str]) -> Ed25519PublicKey | None:
    """The first key found in the option and the environment; None means the development key."""
    if given:
        return public_key(given)
    if text := _text(env, "COINMENA_PUBLIC_KEY"):
        return public_key(text)
    if text := _text(env, "COINMENA_PRIVATE_KEY"):
        return private_key(text).public_key()
    return None


def public_key(text: str) -> Ed25519PublicKey:
    """PEM, or the raw 32 bytes in Base64; raises ValueError on anything else."""
    if "-----BEGIN" in text:
        key = load_pem_public_key(text.encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("the public key is not an Ed25519 key")
        return key
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("the public key is neither PEM nor 32 raw bytes in Base64") from None


def private_key(text: str) -> Ed25519PrivateKey:
    key = load_pem_private_key(text.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("COINMENA_PRIVATE_KEY is not an Ed25519 key")
    return key


def _text(env: Mapping[str, str], name: str) -> str | None:
    if text := env.get(name):
        return text
    path = env.get(f"{name}_FILE")
    return Path(path).read_text("utf-8") if path else None
