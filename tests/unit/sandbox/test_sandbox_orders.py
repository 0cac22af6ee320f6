"""Orders are found by id, by reference, and page by page."""

from __future__ import annotations

from typing import Any

import pytest

ORDERS = "/v1/partner/orders"


def refs(reply: Any) -> list[str]:
    return [item["partner_order_ref"] for item in reply.json["items"]]


@pytest.fixture
def many(partner: Any) -> Any:
    """25 deposits, one a minute: r0 to r24, every fifth by user_2."""
    partner.client("user_1")
    partner.client("user_2")
    for number in range(25):
        partner.fund("deposits", "1", f"r{number}", "user_2" if number % 5 == 0 else "user_1")
        partner.clock.seconds += 60
    return partner


def test_every_lookup_gives_the_same_order(funded: Any) -> None:
    order = funded.get(f"{ORDERS}/ref/first").result

    assert order == funded.get(f"{ORDERS}/{order['id']}").result
    assert [order] == funded.get(ORDERS).json["items"]


@pytest.mark.parametrize("path", ["1", "first", "99999999999999999999", "ref/nothing", "ref/a%2Fb", "\u0661"])
def test_an_unknown_order_is_404(funded: Any, path: str) -> None:
    if not path.isascii():
        path = "%D9%A1"

    assert funded.get(f"{ORDERS}/{path}").json == {"code": 404, "msg": "Not found", "msg_detail": None}


def test_a_reference_is_decoded_from_the_path(partner: Any) -> None:
    partner.client()
    partner.fund("deposits", "1", "2024/06 a")

    assert partner.get(f"{ORDERS}/ref/2024%2F06%20a").result["partner_order_ref"] == "2024/06 a"


def test_pages_start_at_one_hold_twenty_and_come_oldest_first(many: Any) -> None:
    first, second = many.get(ORDERS), many.get(f"{ORDERS}?page=2")

    assert refs(first) == [f"r{number}" for number in range(20)]
    assert refs(second) == [f"r{number}" for number in range(20, 25)]
    assert (first.json["total"], first.json["page"], first.json["page_size"]) == (25, 1, 20)
    assert (second.json["total"], second.json["page"], second.json["page_size"]) == (25, 2, 20)


def test_a_page_beyond_the_last_is_empty(many: Any) -> None:
    assert many.get(f"{ORDERS}?page=9&page_size=10").json == {
        "items": [],
        "total": 25,
        "page": 9,
        "page_size": 10,
    }


def test_every_page_size_covers_everything_once(many: Any) -> None:
    for size in (1, 7, 24, 25, 100):
        pages = [many.get(f"{ORDERS}?page={page}&page_size={size}") for page in range(1, 27)]

        assert [name for page in pages for name in refs(page)] == [f"r{number}" for number in range(25)]


def test_both_ends_of_a_time_range_are_included(many: Any) -> None:
    path = f"{ORDERS}?from_datetime=2024-06-01T10:02:00Z&to_datetime=2024-06-01T10:04:00Z"

    assert refs(many.get(path)) == ["r2", "r3", "r4"]
    assert refs(many.get(path.replace("10:02:00Z", "12:02:00%2B02:00"))) == ["r2", "r3", "r4"]


def test_a_range_compares_the_second_that_is_shown(partner: Any) -> None:
    partner.client()
    partner.clock.seconds += 0.75
    partner.fund("deposits", "1", "r")

    assert refs(partner.get(f"{ORDERS}?to_datetime=2024-06-01T10:00:00Z")) == ["r"]


def test_filters_work_together(many: Any) -> None:
    assert refs(many.get(f"{ORDERS}?partner_client_id=user_2")) == ["r0", "r5", "r10", "r15", "r20"]
    assert refs(many.get(f"{ORDERS}?partner_client_id=user_2&page=2&page_size=2")) == ["r10", "r15"]
    assert refs(many.get(f"{ORDERS}?partner_client_id=nobody")) == []
    assert many.get(f"{ORDERS}?status=completed").json["total"] == 25
    assert many.get(f"{ORDERS}?status=failed").json["total"] == 0
    assert many.get(f"{ORDERS}?colour=blue").json["total"] == 25


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("status=pending", "status"),
        ("from_datetime=yesterday", "from_datetime"),
        ("from_datetime=2024-06-01", "from_datetime"),
        ("to_datetime=2024-06-01T10:00:00", "to_datetime"),
    ],
)
def test_a_wrong_filter_is_named(partner: Any, query: str, field: str) -> None:
    found = partner.get(f"{ORDERS}?{query}")

    assert found.code == (422, 422)
    assert [field] == list(found.json["msg_detail"])


def test_an_order_may_show_late_but_its_reference_is_taken_at_once(start: Any) -> None:
    partner = start(visible_after=5)
    partner.client()
    made = partner.fund("deposits", "1", "r").result
    partner.clock.seconds += 4.9

    assert partner.get(f"{ORDERS}/ref/r").status == 404
    assert partner.get(f"{ORDERS}/{made['id']}").status == 404
    assert partner.get(ORDERS).json["total"] == 0
    assert partner.fund("deposits", "1", "r").code == (409, 2020)
    partner.clock.seconds += 0.1
    assert made == partner.get(f"{ORDERS}/ref/r").result
