"""Counts, the worst second, and the limit."""

from __future__ import annotations

from typing import Any

from runner.sandbox.traffic import Traffic


def test_the_worst_second_is_a_sliding_one() -> None:
    traffic = Traffic()
    for now in (0.0, 0.9, 1.1, 1.2, 1.3, 5.0):
        traffic.arrived("a", now)

    assert traffic.worst_second == 4  # 0.9 to 1.3
    assert traffic.requests == {"a": 6}


def test_a_call_turned_away_uses_nothing_up() -> None:
    traffic = Traffic(rate=2)

    assert [traffic.too_fast(now) for now in (0, 0.1, 0.2, 0.99, 1.0)] == [False, False, True, True, False]


def test_a_clock_that_jumps_back_starts_a_new_second() -> None:
    traffic = Traffic(rate=1)

    assert [traffic.too_fast(now) for now in (100, 50)] == [False, False]


def test_too_many_calls_in_a_second_get_429_before_anything_else(start: Any) -> None:
    partner = start(rate=2)
    replies = [partner.send("GET", "/v1/public/assets") for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].headers["retry-after"] == "1"
    assert replies[2].code == (429, 429)
    partner.clock.seconds += 1
    assert partner.send("GET", "/v1/public/assets").status == 200
    assert partner.state["requests"] == {"public.assets": 4}
    assert partner.state["answers"] == {"200": 3, "429": 1}
    assert partner.state["worst_second"] == 3
