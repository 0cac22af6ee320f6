"""Signatures verify over the documented message, and the timestamp is never ahead of the server."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import EPOCH, PACK, FakeClock

from runner.auth import NoAuth, ServerClock, SignatureAuth, make_auth
from runner.model.http import Request
from runner.model.problem import ProblemError
from runner.model.secret import Secret
from runner.templates import TemplateError

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
CREDENTIALS: dict[str, Secret | str] = {"partner_id": "partner-7", "private_key": Secret(PEM)}
BODY = b'{"amount":"1.00","name":"Jos\xc3\xa9"}'
POST = Request("POST", "/v1/partner/deposits", body=BODY)
GET = Request("GET", "/v1/partner/clients/a%2Fb/", (("page", "1"), ("q", "a b")))
UPLOAD = Request("POST", "/v1/partner/clients/a/documents", body=b"--x\r\n\r\n--x--\r\n", is_multipart=True)


def auth_of(clock: FakeClock | None = None, **recipe: Any) -> SignatureAuth:
    return SignatureAuth({**PACK.auth, **recipe}, CREDENTIALS, clock or FakeClock())


def verifies(headers: Mapping[str, str], message: str, decode: Any = base64.b64decode) -> bool:
    try:
        KEY.public_key().verify(decode(headers["X-Signature"]), message.encode())
    except InvalidSignature:
        return False
    return True


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


STAMP = str(int((EPOCH - 1) * 1000))


@pytest.mark.parametrize(
    ("request_", "body"), [(POST, BODY), (GET, b""), (UPLOAD, UPLOAD.body)], ids=["json", "empty", "multipart"]
)
def test_the_signature_verifies_over_the_documented_message(request_: Request, body: bytes) -> None:
    headers = auth_of().headers(request_)
    assert {"X-Partner-ID", "X-Timestamp", "X-Signature"} == set(headers)
    assert ("partner-7", STAMP) == (headers["X-Partner-ID"], headers["X-Timestamp"])
    assert verifies(headers, f"{STAMP}\n{request_.method}\n{request_.path}\n{sha(body)}")
    assert not verifies(headers, f"{STAMP}\n{request_.method}\n{request_.path}\n{sha(body + b' ')}")


def test_each_attempt_is_signed_afresh() -> None:
    clock = FakeClock()
    auth = auth_of(clock)
    first = auth.headers(POST)
    clock.advance(1.5)
    second = auth.headers(POST)
    assert 1500 == int(second["X-Timestamp"]) - int(first["X-Timestamp"])
    assert first["X-Signature"] != second["X-Signature"]


def test_a_signature_follows_the_servers_clock() -> None:
    auth = auth_of()
    auth.learn(formatdate(EPOCH + 3600, usegmt=True))
    assert 1 == auth.corrections
    assert str(int((EPOCH + 3600) * 1000)) == auth.headers(POST)["X-Timestamp"]


# -- every part of the recipe is data -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "request_", "message"),
    [
        ({"message": "{{ timestamp }}.{{ method }}.{{ path }}.{{ body_hash }}"}, POST, "{t}.POST.{p}.{h}"),
        ({"message": "{{ method }}{{ target }}"}, GET, "GET/v1/partner/clients/a%2Fb/?page=1&q=a%20b"),
        ({"message": "{{ method }} {{ path }} {{ query }}"}, GET, "GET /v1/partner/clients/a%2Fb/ page=1&q=a%20b"),
        ({"message": "{{ query }}|{{ target }}"}, POST, "|/v1/partner/deposits"),
        ({"message": "{{ method | lower }}{{ partner_id }}"}, POST, "postpartner-7"),
        ({"body_hash": {"encoding": "hex-upper"}}, POST, "{t}\nPOST\n{p}\n{H}"),
        ({"body_hash": {"encoding": "base64"}}, POST, "{t}\nPOST\n{p}\n{b}"),
        ({"body_hash": {"encoding": "base64url"}}, POST, "{t}\nPOST\n{p}\n{u}"),
        ({"body_hash": {"algorithm": "sha512"}}, POST, "{t}\nPOST\n{p}\n{5}"),
        ({"body_hash": {"empty": "empty"}}, GET, "{t}\nGET\n/v1/partner/clients/a%2Fb/\n"),
        ({"body_hash": {"empty": "empty"}}, POST, "{t}\nPOST\n{p}\n{h}"),
        ({"body_hash": {"multipart": "empty"}}, UPLOAD, "{t}\nPOST\n/v1/partner/clients/a/documents\n{e}"),
        (
            {"body_hash": {"multipart": "empty", "empty": "empty"}},
            UPLOAD,
            "{t}\nPOST\n/v1/partner/clients/a/documents\n",
        ),
        ({"timestamp": {"unit": "s"}}, POST, "{s}\nPOST\n{p}\n{h}"),
        ({"timestamp": {"behind": "3s"}}, POST, "{3}\nPOST\n{p}\n{h}"),
    ],
)
def test_every_part_of_the_recipe_can_be_changed(recipe: dict[str, Any], request_: Request, message: str) -> None:
    digest = hashlib.sha256(BODY).digest()
    filled = {
        "{t}": STAMP,
        "{s}": STAMP[:-3],
        "{3}": str(int((EPOCH - 3) * 1000)),
        "{p}": "/v1/partner/deposits",
        "{h}": digest.hex(),
        "{H}": digest.hex().upper(),
        "{b}": base64.b64encode(digest).decode(),
        "{u}": base64.urlsafe_b64encode(digest).decode(),
        "{5}": hashlib.sha512(BODY).hexdigest(),
        "{e}": sha(b""),
    }
    for name, text in filled.items():
        message = message.replace(name, text)
    assert verifies(auth_of(**recipe).headers(request_), message)


@pytest.mark.parametrize(
    ("encoding", "decode"),
    [
        ("base64", base64.b64decode),
        ("base64url", base64.urlsafe_b64decode),
        ("hex", bytes.fromhex),
        ("hex-upper", bytes.fromhex),
    ],
)
def test_the_signature_is_written_as_the_recipe_says(encoding: str, decode: Any) -> None:
    headers = auth_of(signature_encoding=encoding).headers(POST)
    assert verifies(headers, f"{STAMP}\nPOST\n/v1/partner/deposits\n{sha(BODY)}", decode)
    if encoding.startswith("hex"):
        assert headers["X-Signature"].isupper() is encoding.endswith("upper")


def test_headers_are_templates_too() -> None:
    headers = auth_of(headers={"Authorization": "Sig {{ partner_id }}:{{ timestamp }}:{{ signature }}"}).headers(POST)
    scheme, _, rest = headers["Authorization"].partition(" ")
    assert ("Sig", "partner-7", STAMP) == (scheme, *rest.split(":")[:2])


def test_a_private_key_is_never_in_reach_of_a_template() -> None:
    with pytest.raises(TemplateError):
        auth_of(headers={"X": "{{ private_key }}"}).headers(POST)


# -- keys ---------------------------------------------------------------------------------------------------------


def pem(key: Any, encryption: Any = None) -> str:
    found: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return found.decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        PEM[:80],
        "ключ",
        pem(generate_private_key(SECP256R1())),
        pem(KEY, BestAvailableEncryption(b"x")),
        KEY.public_key().public_bytes_raw().hex(),
    ],
)
def test_a_key_that_is_none_is_a_problem_that_does_not_show_it(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        make_auth(PACK, {**CREDENTIALS, "private_key": Secret(text)}, FakeClock())
    problem = caught.value.problems[0]
    assert "credentials.not-a-key" == problem.code
    assert not text or text not in str(problem)


def test_the_scheme_is_the_packs() -> None:
    assert isinstance(make_auth(PACK, CREDENTIALS, FakeClock()), SignatureAuth)
    nothing = make_auth(replace(PACK, auth={}), {}, FakeClock())
    assert isinstance(nothing, NoAuth)
    assert {} == nothing.headers(POST)
    nothing.learn(formatdate(EPOCH, usegmt=True))
    assert 0 == nothing.corrections


# -- the server's clock -------------------------------------------------------------------------------------------


class Server:
    """A server whose clock differs from ours by `skew`; its answers take `travel` seconds."""

    def __init__(self, clock: FakeClock, skew: float = 0.0) -> None:
        self.clock, self.skew = clock, skew

    def now(self) -> float:
        return EPOCH + self.clock.boot - 5000.0 + self.skew

    def date(self, travel: float = 0.0) -> str:
        date = formatdate(int(self.now()), usegmt=True)
        self.clock.advance(travel)
        return date


def test_before_the_first_answer_our_own_clock_is_all_there_is() -> None:
    clock = FakeClock()
    assert EPOCH - 1 == ServerClock(clock, 1.0).now()


@pytest.mark.parametrize("skew", [-7200.0, -90.0, -0.4, 0.0, 0.7, 90.0, 86_400.0])
def test_after_one_answer_we_are_behind_and_less_than_a_second_and_its_travel(skew: float) -> None:
    clock = FakeClock()
    server, ours = Server(clock, skew), ServerClock(clock, 1.0)
    ours.learn(server.date(travel=0.25))
    assert 0 <= server.now() - ours.now() < 1.25


def test_a_correction_is_counted_only_when_it_matters() -> None:
    clock = FakeClock()
    server, ours = Server(clock), ServerClock(clock, 1.0)
    ours.learn(server.date())
    before = ours.corrections
    ours.learn(server.date())
    assert before == ours.corrections
    server.skew = 90
    ours.learn(server.date())
    assert before + 1 == ours.corrections


def test_a_wall_clock_that_is_set_does_not_matter_any_more() -> None:
    clock = FakeClock()
    server, ours = Server(clock), ServerClock(clock, 1.0)
    ours.learn(server.date())
    clock.wall += 3600
    assert 0 <= server.now() - ours.now() < 1
    clock.wall -= 7200
    assert 0 <= server.now() - ours.now() < 1


def test_a_machine_that_slept_knows_the_time_again() -> None:
    clock = FakeClock()
    server, ours = Server(clock), ServerClock(clock, 1.0)
    ours.learn(server.date())
    clock.wall += 3600
    clock.boot += 3600
    assert 0 <= server.now() - ours.now() < 1


def test_a_server_that_was_set_back_is_followed() -> None:
    clock = FakeClock()
    server, ours = Server(clock), ServerClock(clock, 1.0)
    ours.learn(server.date())
    server.skew = -60
    ours.learn(server.date())
    assert 0 <= server.now() - ours.now() < 1


def test_one_mad_date_is_forgotten_with_the_next() -> None:
    clock = FakeClock()
    server, ours = Server(clock), ServerClock(clock, 1.0)
    for mad in (EPOCH + 1e8, 0.0, EPOCH - 1e6):
        ours.learn(formatdate(mad, usegmt=True))
        ours.learn(server.date())
        assert 0 <= server.now() - ours.now() < 1


@pytest.mark.parametrize(
    "date",
    ["", "yesterday", "Mon, 99 Foo 2024 99:99:99 GMT", "12", "Thu, 01 Jan 1970", "\x00", "Wed, 21 Oct 99999 07:28 GMT"],
)
def test_a_date_that_is_none_teaches_nothing(date: str) -> None:
    clock = FakeClock()
    ours = ServerClock(clock, 1.0)
    ours.learn(date)
    assert (EPOCH - 1, 0) == (ours.now(), ours.corrections)


def test_a_date_without_a_zone_is_read_as_utc() -> None:
    clock = FakeClock()
    ours = ServerClock(clock, 1.0)
    ours.learn(formatdate(EPOCH))  # ends in -0000
    assert EPOCH == ours.now()


@given(
    skew=st.floats(-1e5, 1e5),
    moves=st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 5), st.sampled_from(["answer", "none", "wall"])), max_size=30
    ),
)
def test_never_ahead_of_a_server_whose_clock_runs_on(skew: float, moves: list[tuple[float, float, str]]) -> None:
    clock = FakeClock()
    server, ours = Server(clock, skew), ServerClock(clock, 1.0)
    ours.learn(server.date())
    for passed, travel, kind in moves:
        clock.advance(passed)
        if kind == "answer":
            ours.learn(server.date(travel))
        if kind == "wall":
            clock.wall += (travel - 2.5) * 1000
        assert ours.now() <= server.now() + 1e-6
