"""What crosses a process survives JSON, whatever it holds."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.clock import Moment
from runner.load.clients import Choice
from runner.model.check import CheckResult
from runner.model.money import Money
from runner.model.outcome import ClientResult, Ending, Fault, Moved, Outcome, StepResult, StepStatus
from runner.model.problem import Location, Problem
from runner.prepare import Wish

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OUTPUTS = st.dictionaries(TEXT, JSON, max_size=3)
# The source line is for drawing only and is not kept.
LOCATIONS = st.builds(Location, TEXT, st.integers(0, 99), st.integers(0, 99))
PROBLEMS = st.builds(
    Problem, TEXT, TEXT, st.none() | LOCATIONS, TEXT, shortage=st.lists(OUTPUTS, max_size=2).map(tuple)
)
CHECKS = st.builds(CheckResult, TEXT, st.booleans(), JSON, st.booleans())
AMOUNTS = st.decimals(0, 10**12, places=8, allow_nan=False, allow_infinity=False)
MOVED = st.builds(Moved, st.sampled_from(["deposits", "withdrawals", "payouts"]), st.builds(Money, AMOUNTS, TEXT))
TIMES = st.none() | st.floats(0, 4e9)
OUTCOMES = st.builds(
    Outcome,
    status=st.sampled_from(StepStatus),
    ending=st.none() | st.sampled_from(Ending),
    outputs=OUTPUTS,
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    problem=st.none() | PROBLEMS,
    attempts=st.integers(0, 9),
    requests=st.integers(0, 9),
    duration_ms=st.integers(0, 10**6),
    reference=TEXT,
    adopted=st.booleans(),
    moved=st.none() | MOVED,
    claim=TEXT,
    retry_at=TIMES,
    fault=st.none() | st.sampled_from(Fault),
)
STEPS = st.builds(
    StepResult,
    id=TEXT,
    status=st.sampled_from(StepStatus),
    attempts=st.integers(0, 9),
    duration_ms=st.integers(0, 9),
    outputs=OUTPUTS | st.lists(OUTPUTS, max_size=2),
    checks=st.lists(CHECKS, max_size=2).map(tuple),
    problem=st.none() | PROBLEMS,
    references=st.lists(TEXT, max_size=2).map(tuple),
    adopted=st.booleans(),
    requests=st.integers(0, 9),
    moved=st.lists(MOVED, max_size=2).map(tuple),
)
CLIENTS = st.builds(
    ClientResult,
    key=TEXT,
    line=st.integers(0, 99),
    outcome=st.sampled_from(Ending),
    problem=st.none() | PROBLEMS,
    steps=st.lists(STEPS, max_size=3).map(tuple),
    fault=st.none() | st.sampled_from(Fault),
    retry_at=TIMES,
)


def through_json(body: Any) -> Any:
    text = json.dumps(body, ensure_ascii=False, allow_nan=False)
    return json.loads(text.encode().decode())


@given(OUTCOMES)
def test_an_outcome(outcome: Outcome) -> None:
    found = Outcome.from_json(through_json(outcome.to_json()))
    assert outcome == found
    assert outcome.is_final is found.is_final
    # An enum that comes back as bare text would compare equal and still not be the same.
    assert isinstance(found.status, StepStatus)
    assert found.ending is None or isinstance(found.ending, Ending)
    assert found.fault is None or isinstance(found.fault, Fault)


@given(STEPS)
def test_a_step(step: StepResult) -> None:
    assert step == StepResult.from_json(through_json(step.to_json()))


@given(CLIENTS)
def test_a_client(client: ClientResult) -> None:
    found = ClientResult.from_json(through_json(client.to_json()))
    assert client == found
    assert (client.adopted, client.requests) == (found.adopted, found.requests)


@given(PROBLEMS)
def test_a_problem(problem: Problem) -> None:
    assert problem == Problem.from_json(through_json(problem.to_json()))


@given(MOVED)
def test_money_keeps_every_digit(moved: Moved) -> None:
    body = through_json(moved.to_json())
    assert isinstance(body["amount"], str)
    found = Moved.from_json(body)
    assert moved == found
    assert str(moved.money.amount.as_tuple()) == str(found.money.amount.as_tuple())


@given(st.builds(Moment, st.floats(0, 4e9), st.floats(0, 1e7), TEXT))
def test_a_moment(moment: Moment) -> None:
    assert moment == Moment.from_json(through_json(moment.to_json()))


def test_an_amount_is_written_out() -> None:
    moved = Moved("deposits", Money(Decimal("1E+3"), "USD"))
    assert {"kind": "deposits", "amount": "1000", "asset": "USD"} == moved.to_json()


def test_a_wish() -> None:
    wish = Wish(
        Path("p.playbook.yaml"),
        "clients.csv",
        None,
        {"asset": "USD"},
        Choice("id", "line < 3", 2),
        "production",
        "https://x",
        "b",
        {"USD": "5"},
        "docs",
        "pack.yaml",
        True,
    )
    assert wish == Wish.from_json(through_json(wish.to_json()))
