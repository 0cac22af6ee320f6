"""Fifteen calls in a second, and blocks that grow with each violation."""

from __future__ import annotations

from typing import Any

import pytest
from company import PEOPLE

from runner.sandbox.faults import parse
from runner.sandbox.traffic import Traffic

CONTRACT = """
    cards.balance cards.balance_add cards.balance_set cards.balance_subtract cards.create cards.get
    cards.top_up_addresses clients.create clients.create_legacy clients.delete clients.get clients.list clients.update
    countries.list identifications.list products.document products.list products.request products.submit webhooks.key
    webhooks.subscribe
"""


def test_the_sixteenth_call_of_a_second_is_turned_away(open_company: Any) -> None:
    company = open_company(rate=0)
    replies = [company.ask("GET", PEOPLE) for _ in range(17)]

    assert [200] * 15 + [429] * 2 == [reply.status for reply in replies]
    assert replies[15].headers["retry-after"] == "1"
    assert replies[15].json == {
        "error_code": "TOO_MANY_REQUESTS",
        "message": "Rate limit exceeded. Retry after 1 seconds",
    }
    assert replies[15].headers["X-Trace-Id"]
    assert company.state["config"]["rate"] == 15
    company.clock.seconds += 1
    assert company.ask("GET", PEOPLE).status == 200


def test_a_rate_of_our_own(open_company: Any) -> None:
    company = open_company(rate=2)

    assert [200, 200, 429] == [company.ask("GET", PEOPLE).status for _ in range(3)]


def violate(traffic: Traffic, now: float) -> float:
    for _ in range(traffic.rate or 0):
        assert traffic.too_fast(now) == 0
    return traffic.too_fast(now)


def test_a_block_doubles_up_to_a_cap_and_the_count_starts_over_after_an_hour() -> None:
    traffic, now, waits = Traffic(2, (1.0, 2.0, 4.0, 300.0)), 0.0, []
    for _ in range(5):
        waits.append(violate(traffic, now))
        now += waits[-1]

    assert waits == [1, 2, 4, 300, 300]
    assert violate(traffic, now + 3599) == 300
    assert violate(traffic, now + 3599 + 300 + 3600) == 1


def test_what_comes_during_a_block_is_refused_at_once_and_makes_nothing_worse() -> None:
    traffic = Traffic(1, (4.0, 8.0))
    assert violate(traffic, 0) == 4

    assert [traffic.too_fast(now) for now in (0.5, 1.5, 3.75)] == [3.5, 2.5, 0.25]
    assert traffic.too_fast(4) == 0
    assert traffic.too_fast(4.5) == 8
    traffic.reset()
    assert traffic.too_fast(4.6) == 0


def test_a_planned_429_says_its_seconds(open_company: Any) -> None:
    company = open_company(faults=(parse("clients.list=429:3.2:x1"),))
    refused = company.ask("GET", PEOPLE)

    assert (429, "4") == (refused.status, refused.headers["retry-after"])
    assert refused.json["message"] == "Rate limit exceeded. Retry after 4 seconds"


@pytest.mark.parametrize("operation", CONTRACT.split())
def test_a_fault_strikes_every_operation_of_the_contract(company: Any, operation: str) -> None:
    assert company.control("POST", "faults", {"faults": [f"{operation}=503-before"]}).status == 200
    route = next(
        each
        for routes in company.app.provider.routes._by_length.values()
        for each, _ in routes
        if each.operation == operation
    )
    path = route.template.replace("{", "").replace("}", "")

    assert company.ask(route.method, path).status == 503
