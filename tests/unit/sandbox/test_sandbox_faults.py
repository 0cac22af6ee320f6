"""How a fault is written, and which one strikes."""

from __future__ import annotations

import pytest

from runner.sandbox.faults import Fault, Faults, check, parse


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("deposits.create=drop-after", Fault("deposits.create", "drop-after")),
        ("*=500-before", Fault("*", "500-before")),
        ("*=503-after:p0.25", Fault("*", "503-after", probability=0.25)),
        ("deposits.create=late:2.5:x1:skip3", Fault("deposits.create", "late", 2.5, 1, skip=3)),
        ("deposits.create=slow:1:skip3:x2", Fault("deposits.create", "slow", 1, 2, skip=3)),
        ("*=hang:9", Fault("*", "hang", 9)),
        ("*=429:7:x1", Fault("*", "429", 7, 1)),
        ("*=429:x1", Fault("*", "429", count=1)),
        ("a=drop-before:x2:client=user:7", Fault("a", "drop-before", count=2, client="user:7")),
    ],
)
def test_a_fault_is_read(text: str, fault: Fault) -> None:
    assert fault == parse(text)
    assert fault == parse(str(fault))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("drop-after", "expected OPERATION=KIND"),
        ("=drop-after", "expected OPERATION=KIND"),
        ("a=explode", 'unknown kind "explode"'),
        ("a=404-before", 'unknown kind "404-before"'),
        ("a=late", '"late" needs seconds, e.g. late:2'),
        ("a=slow:x1", '"slow" needs seconds'),
        ("a=drop-after:3", 'cannot read "3"'),
        ("a=drop-after:x0", 'cannot read "x0"'),
        ("a=drop-after:p2", 'cannot read "p2"'),
        ("a=drop-after:client=", '"client=" names nobody'),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_fault_that_could_never_strike_is_refused() -> None:
    check([parse("*=rejected"), parse("a=failed")], ["a", "b"], ["a"])
    with pytest.raises(ValueError, match='"c=401": unknown operation, known are a, b'):
        check([parse("c=401")], ["a", "b"], ["a"])
    with pytest.raises(ValueError, match='only a can be "rejected"'):
        check([parse("b=rejected")], ["a", "b"], ["a"])


def strikes(text: str, calls: int = 8, seed: int = 1, operation: str = "a", client: str | None = None) -> str:
    faults = Faults([parse(text)], seed)
    return "".join("x" if faults.strike(operation, lambda: client, True) else "." for _ in range(calls))


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("a=401", "xxxxxxxx"),
        ("*=401", "xxxxxxxx"),
        ("b=401", "........"),
        ("a=401:x2", "xx......"),
        ("a=401:skip3", "...xxxxx"),
        ("a=401:skip3:x2", "...xx..."),
        ("a=401:p0", "........"),
    ],
)
def test_count_and_skip(text: str, hits: str) -> None:
    assert hits == strikes(text)


def test_a_client_can_be_singled_out() -> None:
    assert strikes("a=401:client=me", client="me") == "xxxxxxxx"
    assert strikes("a=401:client=me", client="you") == "........"
    assert strikes("a=401:client=me", client=None) == "........"


def test_chance_follows_from_the_seed() -> None:
    drawn = strikes("a=401:p0.5", 200)

    assert drawn == strikes("a=401:p0.5", 200)
    assert drawn != strikes("a=401:p0.5", 200, seed=2)
    assert 60 < drawn.count("x") < 140


def test_the_first_fault_that_matches_strikes() -> None:
    faults = Faults([parse("a=401:x1"), parse("*=429")], 1)

    assert [str(faults.strike("a", lambda: None, False)) for _ in range(2)] == ["a=401:x1", "*=429"]
    assert faults.report() == [
        {"fault": "a=401:x1", "met": 1, "struck": 1},
        {"fault": "*=429", "met": 1, "struck": 1},
    ]


def test_rejected_passes_over_what_makes_no_order() -> None:
    assert Faults([parse("*=rejected")], 1).strike("clients.get", lambda: None, False) is None
