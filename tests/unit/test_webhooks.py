"""A webhook as it comes in: proved, young enough, told apart from others, and what it is about. Nothing is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from runner.load.pack import find_pack
from runner.model.provider import Webhooks
from runner.model.secret import Secret
from runner.webhooks import Received, Refused, receive

NOW = 1_700_000_000.0
KEY = "a key of the company"
FOUND = find_pack("cryptomate").webhooks
assert FOUND is not None
RULE: Webhooks = FOUND


def event(**changes: Any) -> dict[str, Any]:
    """A client's change as the provider documents it; `data__status` is the status inside `data`."""
    data = {"id": "c1", "status": "active", "updated_at": "2026-04-15T10:30:00Z"}
    data |= {name[6:]: value for name, value in changes.items() if name.startswith("data__")}
    body = {
        "product": "company_activity",
        "event_type": "client_status",
        "operation_id": "c1",
        "status": "success",
        "data": data,
    }
    return body | {name: value for name, value in changes.items() if not name.startswith("data__")}


def headers(**changes: str) -> dict[str, str]:
    known = {"x-webhook-key": KEY, "x-request-timestamp": str(int(NOW * 1000))}
    return known | {name.replace("_", "-"): value for name, value in changes.items()}


def took(body: Any, given: dict[str, str] | None = None, *, key: Secret | str = KEY, rule: Webhooks = RULE) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return receive(rule, key, headers() if given is None else given, raw, NOW)


def received(body: Any) -> Received:
    found = took(body)
    assert isinstance(found, Received)
    return found


def test_what_is_the_providers_is_named_and_says_what_it_is_about() -> None:
    found = received(event())
    assert ("client_status", ("c1",)) == (found.event, found.about)


def test_the_key_may_be_kept_as_a_secret() -> None:
    assert isinstance(took(event(), key=Secret(KEY)), Received)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"x_webhook_key": "another"}, "X-Webhook-Key is wrong"),
        ({"x_webhook_key": KEY[:-1]}, "X-Webhook-Key is wrong"),
        ({"x_webhook_key": KEY + "x"}, "X-Webhook-Key is wrong"),
        ({"x_webhook_key": "schl\xfcssel"}, "X-Webhook-Key is wrong"),
        ({"x_webhook_key": ""}, "X-Webhook-Key is missing"),
    ],
)
def test_a_forged_one_is_refused(given: dict[str, str], why: str) -> None:
    assert Refused(401, why) == took(event(), headers(**given))


def test_without_a_header_or_without_a_key_nothing_is_proved() -> None:
    assert Refused(401, "X-Webhook-Key is missing") == took(event(), {})
    assert Refused(401, "X-Webhook-Key is missing") == took(event(), {}, key="")


def test_the_proof_is_asked_for_before_anything_is_read() -> None:
    assert Refused(401, "X-Webhook-Key is wrong") == took(b"{", headers(x_webhook_key="another"))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("", "X-Request-Timestamp is missing"),
        ("yesterday", "X-Request-Timestamp is no time"),
        ("-5", "X-Request-Timestamp is no time"),
        ("1.5", "X-Request-Timestamp is no time"),
        ("９", "X-Request-Timestamp is no time"),
        ("1" * 30, "X-Request-Timestamp is no time"),
        (str(int((NOW - 601) * 1000)), "it is 601 s old"),
        (str(int((NOW + 601) * 1000)), "it is 601 s ahead"),
        # Seconds where milliseconds are meant are a time long ago.
        (str(int(NOW)), f"it is {NOW - NOW / 1000:.0f} s old"),
    ],
)
def test_one_that_is_old_may_be_a_recording(told: str, why: str) -> None:
    assert Refused(400, why) == took(event(), headers(x_request_timestamp=told))


@pytest.mark.parametrize("seconds", [-600, 0, 600])
def test_clocks_may_differ_a_little(seconds: int) -> None:
    told = str(int((NOW + seconds) * 1000))
    assert isinstance(took(event(), headers(x_request_timestamp=told)), Received)


def test_a_provider_that_sends_no_time_has_no_window() -> None:
    assert isinstance(took(event(), {"x-webhook-key": KEY}, rule=replace(RULE, max_age=0.0)), Received)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe\xfa", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b'{"operation_id": ' + b"9" * 5000 + b"}", "the body is not JSON"),
        (b"[1]", "the body is not a JSON object"),
        (b'"text"', "the body is not a JSON object"),
        (b"null", "the body is not a JSON object"),
    ],
)
def test_nonsense_is_refused(body: bytes, why: str) -> None:
    assert Refused(400, why) == took(body)


def test_the_same_event_again_has_the_same_id() -> None:
    shuffled = dict(reversed(event(company_id="extra keys are tolerated").items()))
    assert received(event()).id == received(shuffled).id


@pytest.mark.parametrize(
    "changed",
    [
        {"data__status": "rejected"},
        {"data__updated_at": "2026-04-15T10:30:01Z"},
        {"status": "failed"},
        {"operation_id": "c2"},
        {"event_type": "deposit"},
        {"product": "cards"},
        {"data": None},
    ],
)
def test_another_change_of_the_same_client_is_another_event(changed: dict[str, Any]) -> None:
    assert received(event()).id != received(event(**changed)).id


def test_it_is_about_every_id_that_it_names_once() -> None:
    assert ("c9", "c1") == received(event(data__id="c9")).about
    assert ("7", "8") == received({"operation_id": 8, "data": {"id": 7}}).about


@pytest.mark.parametrize(
    "value",
    ["", None, True, ["c1"], {"id": "c1"}, 1.5, "x" * 201, "a\x00b", "a\nb", "\ud800", 10**250],
)
def test_what_can_be_no_id_or_name_is_left_out(value: Any) -> None:
    """A journal can't hold half a character, and nobody's id has a line break or a thousand digits."""
    found = received(event(event_type=value, operation_id=value, data__id=value))
    assert ("", ()) == (found.event, found.about)
    # It is still an event of its own, taken once.
    assert 64 == len(found.id)


@pytest.mark.parametrize("data", [None, "text", [1, 2], {}])
def test_data_of_another_form_is_about_what_is_left(data: Any) -> None:
    assert ("c1",) == received(event(data=data)).about
