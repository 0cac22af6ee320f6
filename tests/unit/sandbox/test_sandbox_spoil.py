"""Each kind of fault: what is applied, and what the client sees."""

from __future__ import annotations

from typing import Any

import pytest

from runner.sandbox.faults import parse


@pytest.fixture
def struck(partner: Any) -> Any:
    """Plan a fault for deposits, make one deposit, and give the reply and whether it was applied."""
    partner.client()

    def strike(kind: str) -> tuple[Any, bool]:
        partner.app.faults.add([parse(f"deposits.create={kind}:x1")])
        reply = partner.fund("deposits", "5.00", "r1")
        return reply, partner.get("/v1/partner/orders/ref/r1").status == 200

    return strike


@pytest.mark.parametrize(("kind", "applied"), [("drop-before", False), ("drop-after", True)])
def test_a_drop_leaves_no_answer(struck: Any, kind: str, applied: bool) -> None:
    reply, done = struck(kind)

    assert (None, True, applied) == (reply.status, reply.dropped, done)


@pytest.mark.parametrize(("kind", "applied"), [("hang", False), ("hang-after", True)])
@pytest.mark.parametrize(("seconds", "slept"), [("", 300), (":7", 7)])
def test_a_hang_is_silent_and_then_closes(
    struck: Any, partner: Any, kind: str, applied: bool, seconds: str, slept: float
) -> None:
    reply, done = struck(kind + seconds)

    assert (None, True, applied) == (reply.status, reply.dropped, done)
    assert [slept] == partner.slept


def test_a_late_effect_lands_after_the_connection_is_gone(struck: Any, partner: Any) -> None:
    reply, done = struck("late:2")
    ((seconds, land),) = partner.postponed

    assert (reply.status, reply.dropped, done, seconds) == (None, True, False, 2)
    assert partner.state["pending"] == 1
    partner.clock.seconds += 90  # admitted when it arrived: the signature may be old by now
    land()
    assert partner.state["pending"] == 0
    assert partner.get("/v1/partner/orders/ref/r1").result["created_at"] == "2024-06-01T10:01:30Z"


def test_a_late_effect_does_not_survive_a_reset(struck: Any, partner: Any) -> None:
    struck("late:2")
    partner.control("POST", "reset")
    partner.client()
    partner.postponed[0][1]()

    assert partner.state["pending"] == 0
    assert partner.state["orders"] == []


def test_a_late_duplicate_meets_the_reference(struck: Any, partner: Any) -> None:
    struck("late:2")
    assert partner.fund("deposits", "5.00", "r1").status == 200
    partner.postponed[0][1]()

    assert len(partner.state["orders"]) == 1


def test_slow_answers_truly_but_later(struck: Any, partner: Any) -> None:
    reply, done = struck("slow:4")

    assert (reply.status, reply.dropped, done) == (200, False, True)
    assert partner.slept == [4]


@pytest.mark.parametrize(
    ("kind", "status", "applied"),
    [
        ("500-before", 500, False),
        ("500-after", 500, True),
        ("503-before", 503, False),
        ("504-after", 504, True),
    ],
)
def test_a_server_error_may_or_may_not_have_applied(struck: Any, kind: str, status: int, applied: bool) -> None:
    reply, done = struck(kind)

    assert (status, applied) == (reply.status, done)
    assert {"code", "msg", "msg_detail"} == set(reply.json)


@pytest.mark.parametrize(("kind", "wait"), [("429", "1"), ("429:7", "7"), ("429:0.2", "1")])
def test_429_says_when_to_come_back(struck: Any, kind: str, wait: str) -> None:
    reply, done = struck(kind)

    assert (429, False, wait) == (reply.status, done, reply.headers["retry-after"])


def test_401_looks_like_every_other_401(struck: Any, partner: Any) -> None:
    reply, done = struck("401")

    assert (done, reply.json) == (False, {"code": 401, "msg": "Unauthorized", "msg_detail": None})
    assert partner.state["refusals"][0]["cause"] == "fault"


def test_a_truncated_answer_breaks_its_promise(struck: Any) -> None:
    reply, done = struck("truncated")

    assert (reply.status, reply.dropped, done) == (200, True, True)
    assert int(reply.headers["content-length"]) // 2 == len(reply.body)


def test_not_json_is_a_page_with_the_true_status(struck: Any) -> None:
    reply, done = struck("not-json")

    assert (reply.status, done) == (200, True)
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.body.startswith(b"<html>")


@pytest.mark.parametrize("status", ["rejected", "failed"])
def test_an_order_that_ends_badly_moves_nothing_and_keeps_its_reference(struck: Any, partner: Any, status: str) -> None:
    reply, _ = struck(status)

    assert (200, status) == (reply.status, reply.result["status"])
    assert partner.get("/v1/partner/orders/ref/r1").result["status"] == status
    assert partner.get("/v1/partner/balances/USD?partner_client_id=user_1").result["balance"] == "0E-8"
    assert partner.fund("deposits", "5.00", "r1").code == (409, 2020)
    assert partner.get(f"/v1/partner/orders?status={status}").json["total"] == 1


def test_a_refused_signature_uses_no_fault_up(start: Any) -> None:
    partner = start(faults=(parse("*=drop-after:x1"),))

    assert partner.send("GET", "/v1/partner/orders").status == 401
    assert partner.get("/v1/partner/orders").dropped
    assert partner.get("/v1/partner/orders").status == 200


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/v1/partner/clients/user_1/", None),
        ("GET", "/v1/partner/balances?partner_client_id=user_1", None),
        ("POST", "/v1/partner/deposits", {"partner_client_id": "user_1"}),
    ],
)
def test_the_client_of_a_call_is_found_wherever_it_is(partner: Any, method: str, path: str, data: Any) -> None:
    partner.app.faults.add([parse("*=500-before:client=user_1")])

    assert (partner.get(path) if data is None else partner.post(path, data)).status == 500
    assert partner.get("/v1/partner/orders").status == 200
    assert partner.post("/v1/partner/deposits", []).status == 422
    assert partner.post("/v1/partner/deposits", {"partner_client_id": ["user_1"]}).status == 422


def test_a_token_leads_to_its_client(funded: Any) -> None:
    data = {"base_asset_id": "BTC", "quote_asset_id": "USD", "side": "buy", "amount": "0.0001"}
    token = funded.post("/v1/partner/quotes", {"partner_client_id": "user_1", **data}).result["token"]
    funded.app.faults.add([parse("quotes.execute=rejected:client=user_1")])

    assert funded.post("/v1/partner/quotes/execute", {"token": token}).result["status"] == "rejected"
    assert funded.get("/v1/partner/balances/USD?partner_client_id=user_1").result["balance"] == "100.00"
