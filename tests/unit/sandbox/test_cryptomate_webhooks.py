"""Events: who is told what, what counts as taken, when it is tried again, and the faults on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.sandbox.base import Heard, Letter
from runner.sandbox.post import Office, post

SUBSCRIBE, KEY = "/management/companies/webhook/subscribe", "/management/companies/webhook/key"
TAKEN = Heard(200, b'{"response_code":"OK"}')


def refusal(reply: Any) -> tuple[int, str, str]:
    return reply.status, reply.json["code"], reply.json["message"]


def bodies(company: Any) -> list[Any]:
    return [json.loads(letter.body) for letter in company.letters]


def test_a_company_says_where_it_listens(company: Any) -> None:
    assert company.listen().json == {
        "name": "Sandbox Company",
        "email": "sandbox@example.com",
        "webhook_url": "http://127.0.0.1:9/hook",
        "webhook_key": "0123456789",
    }
    changed = company.ask("POST", KEY, {"key": "another-key"})
    assert (changed.status, changed.json["webhook_key"]) == (200, "another-key")
    short = "Webhook key must be at least 10 characters long"
    assert (412, "VAL", short) == refusal(company.ask("POST", KEY, {"key": "123456789"}))
    assert company.state["webhook_url"] == "http://127.0.0.1:9/hook"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"webhook_key": "0123456789"}, "url must not be null"),
        ({"url": "http://x"}, "webhook_key must not be null"),
        ({"url": "ftp://x", "webhook_key": "0123456789"}, "url must be a valid HTTP or HTTPS address"),
        ({"url": "http://[x", "webhook_key": "0123456789"}, "url must be a valid HTTP or HTTPS address"),
        ({"url": "http://x", "webhook_key": "a\r\nB: c"}, "webhook_key must be printable ASCII"),
    ],
)
def test_a_subscription_of_the_wrong_form(company: Any, given: dict[str, Any], message: str) -> None:
    assert (400, "BAD_REQUEST", message) == refusal(company.ask("POST", SUBSCRIBE, given))


def test_the_partner_is_told_of_an_approval_after_it_is_stored(company: Any) -> None:
    company.listen()
    client, _ = company.submitted()
    company.clock.seconds += 2
    seen = []
    company.app.post = lambda letter, timeout, then: (
        seen.append((letter, timeout, company.app.provider._book.clients[client].status)),
        then(TAKEN),
    )
    company.pass_time()
    ((letter, timeout, stored),) = seen

    assert (30, "active") == (timeout, stored)
    assert letter.url == "http://127.0.0.1:9/hook"
    headers = dict(letter.headers)
    assert headers.pop("X-Trace-Id")
    assert headers == {
        "Content-Type": "application/json",
        "X-Webhook-Key": "0123456789",
        "X-Request-Timestamp": "1717236002000",
    }
    body = json.loads(letter.body)
    assert body["data"].pop("address")["country"] == "ARG"
    assert body == {
        "product": "company_activity",
        "event_type": "client_status",
        "operation_id": client,
        "status": "success",
        "data": {
            "id": client,
            "company_id": body["data"]["company_id"],
            "type": "individual",
            "email": "maria@example.com",
            "first_name": "Maria",
            "last_name": "Barber",
            "status": "active",
            "created_at": "2024-06-01T10:00:00Z",
            "updated_at": "2024-06-01T10:00:02Z",
        },
    }


def test_a_rejection_is_told_with_its_reason(company: Any) -> None:
    company.listen()
    company.data(reviews={"default": {"verdict": "rejected", "rejection_description": "Sanctions match"}})
    company.submitted()
    company.pass_time()
    (body,) = bodies(company)

    assert (body["status"], body["data"]["status"]) == ("failed", "rejected")
    assert body["data"]["rejection_code"] == "REJECTED_BY_PROVIDER"
    assert body["data"]["rejection_description"] == "Sanctions match"


def test_nobody_is_told_when_nobody_listens(company: Any) -> None:
    company.submitted()
    company.pass_time()

    assert (company.letters, company.state["deliveries"]) == ([], [])


@pytest.mark.parametrize("answer", [Heard(201, TAKEN.body), Heard(302), Heard(500), Heard(problem="no answer")])
def test_anything_but_200_is_tried_again(company: Any, answer: Heard) -> None:
    company.listen()
    company.submitted()
    company.heard = [answer]

    assert company.pass_time() == [0.5, 1]
    (delivery,) = company.state["deliveries"]
    assert (delivery["operation"], delivery["client"]) == ("webhooks.client_status", "maria@example.com")
    assert delivery["status"] == "delivered"
    assert [answer.status, 200] == [attempt["status"] for attempt in delivery["attempts"]]
    assert delivery["attempts"][1]["answer"] == '{"response_code":"OK"}'
    assert delivery["body"] == bodies(company)[0] == bodies(company)[1]


def test_only_the_status_counts(company: Any) -> None:
    company.listen()
    company.submitted()
    company.heard = [Heard(200, b"thanks")]

    assert company.pass_time() == [0.5]


def test_ten_attempts_and_no_more(open_company: Any) -> None:
    company = open_company(webhook_retry_first=0.01)
    company.listen()
    company.submitted()
    company.heard = [Heard(500)] * 99

    assert company.pass_time() == [0.5, *(0.01 * 2**power for power in range(9))]
    assert len(company.letters) == 10
    (delivery,) = company.state["deliveries"]
    assert (delivery["status"], len(delivery["attempts"])) == ("failed", 10)


def test_a_new_key_and_address_count_for_the_next_attempt(company: Any) -> None:
    company.listen()
    company.submitted()
    company.heard = [Heard(500)]
    company.postponed.pop()[1]()
    company.listen("http://127.0.0.1:9/other")
    company.ask("POST", KEY, {"key": "another-key"})
    company.pass_time()

    assert ["hook", "other"] == [letter.url.rpartition("/")[2] for letter in company.letters]
    assert ["0123456789", "another-key"] == [dict(letter.headers)["X-Webhook-Key"] for letter in company.letters]


def strike(company: Any, *faults: str) -> None:
    assert company.control("POST", "faults", {"faults": list(faults)}).status == 200


def test_an_event_can_come_twice(company: Any) -> None:
    strike(company, "webhooks.client_status=duplicate:x1")
    company.listen()
    company.submitted()
    company.pass_time()

    assert bodies(company)[0] == bodies(company)[1]
    assert len(company.letters) == 2
    assert company.state["faults"][0]["struck"] == 1


def test_an_event_can_be_overtaken_by_the_next(company: Any) -> None:
    strike(company, "webhooks.client_status=reorder:x1")
    company.listen()
    company.submitted()
    company.submitted("second@example.com")
    for _ in range(2):  # both reviews
        company.postponed.pop(0)[1]()

    assert ["second@example.com", "maria@example.com"] == [body["data"]["email"] for body in bodies(company)]
    company.pass_time()  # its own time comes, too, and sends nothing again
    assert len(company.letters) == 2


def test_an_event_that_nothing_overtakes_comes_by_itself(company: Any) -> None:
    strike(company, "webhooks.client_status=reorder")
    company.listen()
    company.submitted()

    assert company.pass_time() == [0.5, 5]
    assert len(company.letters) == 1


def test_an_event_can_come_late_or_never(company: Any) -> None:
    strike(
        company,
        "webhooks.client_status=late:60:client=maria@example.com",
        "webhooks.client_status=drop:client=lost@example.com",
    )
    company.listen()
    company.submitted()
    company.submitted("lost@example.com")

    assert company.pass_time() == [0.5, 0.5, 60]
    assert ["maria@example.com"] == [body["data"]["email"] for body in bodies(company)]
    assert ["delivered", "dropped"] == [delivery["status"] for delivery in company.state["deliveries"]]


@pytest.mark.parametrize(("kind", "sent"), [("drop-before", 1), ("drop-after", 2)])
def test_an_attempt_can_be_lost_on_the_way_there_or_back(company: Any, kind: str, sent: int) -> None:
    strike(company, f"webhooks.client_status={kind}:x1")
    company.listen()
    company.submitted()

    assert company.pass_time() == [0.5, 1]
    assert len(company.letters) == sent
    (delivery,) = company.state["deliveries"]
    assert delivery["attempts"][0]["problem"] == f"fault {kind}"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("webhooks.client_status=500-before", "is an event, which can be drop, drop-after, drop-before, duplicate"),
        ("clients.create=duplicate", 'only an event can be "duplicate"; known are webhooks.client_status'),
        ("*=reorder", 'only an event can be "reorder"'),
        ("webhooks.deposit=drop", "unknown operation"),
    ],
)
def test_faults_that_could_never_strike(company: Any, fault: str, message: str) -> None:
    found = company.control("POST", "faults", {"faults": [fault]})

    assert found.status == 400
    assert message in found.json["error"]


def test_a_fault_for_all_calls_leaves_events_alone(company: Any) -> None:
    company.listen()
    company.submitted()
    strike(company, "*=drop-before")
    company.pass_time()

    assert company.state["deliveries"][0]["status"] == "delivered"


def test_a_reset_forgets_what_was_on_its_way(company: Any) -> None:
    company.listen()
    company.submitted()
    waiting: list[Any] = []
    company.app.post = lambda letter, timeout, then: waiting.append(then)
    company.pass_time()
    company.control("POST", "reset")
    waiting[0](Heard(500))

    assert company.state["deliveries"] == []
    assert company.pass_time() == []


@pytest.mark.anyio
@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://example.com/", "http://192.0.2.1/", "http://[::2]/", ""])
async def test_nothing_is_sent_to_another_machine(url: str) -> None:
    heard = await post(Letter(url, (), b""), 1)

    assert heard.status is None
    assert heard.problem == "not sent: a local sandbox delivers only by http to this machine (127.0.0.1, [::1])"


@pytest.mark.anyio
async def test_an_address_that_cannot_be_read_is_not_contacted() -> None:
    heard = await post(Letter("http://127.0.0.1:99999/", (), b""), 1)

    assert (heard.problem or "").startswith("not sent: ")
    await Office().close()  # nothing to wait for
