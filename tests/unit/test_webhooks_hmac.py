"""A webhook that is proved by an HMAC over its bytes, under a hash that both sides know."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.load.pack import find_pack
from runner.model.provider import Webhooks
from runner.model.secret import Secret
from runner.webhooks import Received, Refused, receive

FOUND = find_pack("fin").webhooks
assert FOUND is not None
RULE: Webhooks = FOUND
KEY = "demo-webhook-secret"
BODY = (
    b'{"event":{"id":"0b6f6a52-7a1e-4f0e-9a55-4a2f3c1d9e10","type":"customer.status"},'
    b'"data":{"customer_status":"APPROVED"}}'
)
# Computed for the fact sheet, not by us. (providers/fin.md, section 13)
DIGEST = "b4697808a198f595383abdc86e8730a4779ca26649b9e023c7ff422a41482abd"
WRONG = Refused(401, "x-fin-signature is wrong")


def took(
    body: bytes = BODY, digest: str | None = DIGEST, named: str | None = "sha256", *, key: Secret | str = KEY
) -> Any:
    headers = {"x-fin-signature": digest, "x-fin-signature-algorithm": named}
    return receive(RULE, key, {name: value for name, value in headers.items() if value is not None}, body, 0.0)


def made(body: bytes, name: str = "sha256", key: str = KEY) -> str:
    return hmac.new(key.encode(), body, name).hexdigest()


@pytest.mark.parametrize("named", ["sha256", "SHA256", None, ""])
def test_the_providers_own_sample_is_proved(named: str | None) -> None:
    found = took(named=named)
    assert isinstance(found, Received)
    assert "customer.status" == found.event


def test_the_key_may_be_kept_as_a_secret() -> None:
    assert isinstance(took(key=Secret(KEY)), Received)


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_every_hash_that_the_pack_names_is_taken_when_the_header_names_it(name: str) -> None:
    assert isinstance(took(digest=made(BODY, name), named=name), Received)
    assert (name == "sha256") == isinstance(took(digest=made(BODY, name), named=None), Received)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256 ", "hmac-sha256", "sha3_256", "shake_128", "\xff"])
def test_a_hash_that_the_pack_does_not_name_is_none(name: str) -> None:
    digest = made(BODY, name) if name in ("md5", "sha1", "sha3_256") else DIGEST
    assert Refused(401, "x-fin-signature-algorithm names an algorithm that is not taken") == took(
        digest=digest, named=name
    )


@pytest.mark.parametrize(
    "digest",
    [DIGEST.upper(), DIGEST[:-1], DIGEST + "0", "sha256=" + DIGEST, " " + DIGEST, made(BODY, key="another"), "\xe9"],
)
def test_another_digest_proves_nothing(digest: str) -> None:
    assert WRONG == took(digest=digest)


def test_without_a_digest_or_a_key_nothing_is_proved() -> None:
    assert Refused(401, "x-fin-signature is missing") == took(digest=None)
    assert WRONG == took(digest=made(BODY, key=""), key="")


def test_the_proof_is_over_the_bytes_as_they_came() -> None:
    """The same JSON written otherwise is another body."""
    assert WRONG == took(BODY.replace(b":", b": ", 1))
    assert WRONG == took(BODY + b"\n")


@given(st.binary(max_size=200), st.integers(0, 199))
def test_no_byte_can_be_changed(body: bytes, at: int) -> None:
    digest = made(body)
    assert WRONG != took(body, digest)
    changed = bytearray(body or b"x")
    changed[at % len(changed)] ^= 1
    assert WRONG == took(bytes(changed), digest)


def test_there_is_no_time_in_it_so_only_the_events_id_tells_a_recording() -> None:
    first, again = took(), took()
    other = BODY.replace(b"0b6f6a52", b"0b6f6a53")
    assert first == again
    assert first.id != took(other, made(other)).id


def test_who_it_is_about_is_found_in_every_place_that_the_pack_names() -> None:
    body = (
        b'{"data":{"beneficiary_id":"b1","customer_id":"c1","id":"t1"},'
        b'"event":{"id":"e1","event_reference_id":"c1","type":"beneficiary.status"}}'
    )
    assert ("c1", "b1", "t1") == took(body, made(body)).about


def test_the_hash_is_compared_whole_whatever_its_length() -> None:
    rule = replace(RULE, algorithms=("sha512",))
    assert isinstance(receive(rule, KEY, {"x-fin-signature": made(BODY, "sha512")}, BODY, 0.0), Received)
    assert 128 == len(made(BODY, "sha512")) == 2 * hashlib.sha512().digest_size
