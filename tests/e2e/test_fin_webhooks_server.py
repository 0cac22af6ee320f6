"""Fin.com's sandbox over real sockets: what a listener hears, in which words, and how it is signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import fin_partner
import pytest
from fin_partner import (
    JPEG,
    KEYS,
    MARIA,
    PDF,
    Listener,
    Partner,
    attachment_v1,
    beneficiary,
    settle,
    transferred,
    until,
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Partner]:
    with fin_partner.serving() as partner:
        yield partner


@pytest.fixture
def partner(shared: Partner) -> Partner:
    """A fresh sandbox on the shared socket, and a token."""
    shared.reset()
    return shared


@pytest.fixture
def listener() -> Iterator[Listener]:
    with fin_partner.listening() as found:
        yield found


def test_everything_is_told_in_order_and_signed(partner: Partner, listener: Listener) -> None:
    partner.load(webhook_url=listener.url, reviews={"default": {"rfis": [["proof_of_address"]]}})
    customer, terms = partner.attached()
    partner.waits_for(customer, "ACTION_REQUIRED")
    partner.attach(customer, partner.documents(customer, terms))
    partner.waits_for(customer, "APPROVED")
    made = beneficiary(partner, customer)
    settle(partner, transferred(partner, made))
    until(lambda: listener.events("transaction.status"), lambda told: len(told) == 2)

    headers, body = listener.heard[0]
    signature = hmac.new(KEYS["FIN_WEBHOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()
    assert (signature, "sha256") == (headers["x-fin-signature"], headers["x-fin-signature-algorithm"])
    (created,) = listener.events("customer.created")
    assert (customer, True, terms) == (
        created["event"]["event_reference_id"],
        created["event"]["sandbox_mode"],
        created["data"]["tos_policies_url"],  # the value only, as in the provider's example
    )
    statuses = sorted(
        (one["event"]["created_at"], one["data"]["customer_status"]) for one in listener.events("customer.status")
    )
    review = ["PROCESSING", "REVIEWING"]
    assert [*review, "ACTION_REQUIRED", *review, "APPROVED"] == [status for _, status in statuses]
    (asked,) = listener.events("customer.rfi")
    assert "scope" not in asked["data"]["request_for_information"][0]
    assert [True] == [one["data"]["active"] for one in listener.events("beneficiary.created")]
    assert {("PROCESSING", False), ("ACTIVE", True)} == {
        (one["data"]["status"], one["data"]["active"]) for one in listener.events("beneficiary.status")
    }
    assert {"PROCESSING", "COMPLETED"} == {one["data"]["status"] for one in listener.events("transaction.status")}
    events = [json.loads(body)["event"] for _, body in listener.heard]
    assert len({event["id"] for event in events}) == len(events)


def test_what_is_not_taken_is_told_again_under_the_same_id(partner: Partner, listener: Listener) -> None:
    listener.answers = [500, 302]
    assert {"url": listener.url} == partner.act("webhook", url=listener.url, secret="mine").json()
    partner.create()
    until(lambda: partner.state["deliveries"], lambda found: found and found[0]["status"] == "delivered")

    (body,) = {body for _, body in listener.heard}
    assert 3 == len(listener.heard)
    assert hmac.new(b"mine", body, hashlib.sha256).hexdigest() == listener.heard[0][0]["x-fin-signature"]
    assert {"url": None} == partner.act("webhook", url=None).json()
    partner.create("quiet@example.com")
    assert 1 == len(partner.state["deliveries"])
    assert [400, 400] == [
        partner.act("webhook", url="nowhere").status_code,
        partner.act("webhook", address=listener.url).status_code,
    ]


def test_an_event_is_given_up_after_four_attempts_and_can_come_twice(partner: Partner, listener: Listener) -> None:
    partner.load(webhook_url="http://127.0.0.1:1/hook")
    partner.create()
    until(lambda: partner.state["deliveries"], lambda found: found and found[0]["status"] == "failed")
    partner.load(webhook_url=listener.url)
    partner.plan(f"webhooks.customer_created=duplicate:client={MARIA}")
    partner.create()
    until(lambda: listener.heard, lambda heard: len(heard) == 2)

    assert 4 == len(partner.state["deliveries"][0]["attempts"])
    assert 1 == len({json.loads(body)["event"]["id"] for _, body in listener.heard})


def test_a_v1_customer_is_told_in_its_own_words(partner: Partner, listener: Listener) -> None:
    partner.load(webhook_url=listener.url)
    customer, terms = partner.create_v1()
    uris = partner.upload(customer, passport=JPEG, bill=PDF)
    partner.http.post("/v1/customers/individual/attach", json=attachment_v1(customer, uris, terms)).raise_for_status()
    until(lambda: listener.events("customer.status"), lambda told: len(told) == 3)

    assert {"QUEUED", "REVIEWING", "APPROVED"} == {
        one["data"]["customer_status"] for one in listener.events("customer.status")
    }
