"""Which key is accepted, and who gets to see one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from runner.sandbox.coinmena import keys

OTHER = keys.development_key(99)
PEM = OTHER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
RAW = base64.b64encode(OTHER.public_key().public_bytes_raw()).decode()
EC = generate_private_key(SECP256R1())


@pytest.mark.parametrize("text", [PEM, RAW])
def test_a_public_key_is_pem_or_raw(text: str) -> None:
    assert OTHER.public_key() == keys.public_key(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("COINMENA_PUBLIC_KEY", PEM), ("COINMENA_PUBLIC_KEY", RAW), ("COINMENA_PRIVATE_KEY", keys.pem(OTHER))],
)
def test_the_environment_brings_a_key_as_text_or_as_file(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / "key.pem"
    file.write_text(text, "utf-8")

    assert OTHER.public_key() == keys.accepted_key(None, {name: text})
    assert OTHER.public_key() == keys.accepted_key(None, {f"{name}_FILE": str(file)})


def test_the_option_comes_before_the_environment() -> None:
    env = {"COINMENA_PRIVATE_KEY": keys.pem(keys.development_key(5))}

    assert OTHER.public_key() == keys.accepted_key(RAW, env)
    assert keys.accepted_key(None, {}) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA",
        "not base64",
        EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    ],
)
def test_any_other_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        keys.public_key(text)


def test_any_other_private_key_is_refused() -> None:
    text = EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(ValueError, match="not an Ed25519 key"):
        keys.private_key(text)


def test_the_development_key_follows_from_the_seed() -> None:
    assert keys.credentials(1) == keys.credentials(1)
    assert keys.credentials(1) != keys.credentials(2)


def test_only_the_development_key_is_shown(start: Any) -> None:
    theirs = start(env={"COINMENA_PRIVATE_KEY": keys.pem(OTHER)})

    assert start().app.provider.environment("http://x") == {
        "COINMENA_BASE_URL": "http://x",
        "COINMENA_PARTNER_ID": "sandbox-partner",
        "COINMENA_PRIVATE_KEY": keys.pem(keys.development_key(1)),
    }
    assert theirs.app.provider.environment("http://x") == {
        "COINMENA_BASE_URL": "http://x",
        "COINMENA_PARTNER_ID": "sandbox-partner",
    }
