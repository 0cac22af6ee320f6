"""The nouns: money never mixes or rounds, secrets never show, every client is counted once."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import person, setting_of

from runner.model.money import Money
from runner.model.outcome import ClientResult, Ending, Fault, Moved, Outcome, StepResult, StepStatus, skipped
from runner.model.plan import ClientPlan, Plan, PlannedCall
from runner.model.problem import GuardError, JournalError, Location, Problem, ProblemError, RunnerError
from runner.model.run import Totals
from runner.model.secret import Secret, SecretRef

AMOUNTS = st.decimals(-(10**18), 10**18, places=8, allow_nan=False, allow_infinity=False)

# -- money --------------------------------------------------------------------------------------------------------


def usd(amount: str | Decimal) -> Money:
    return Money(Decimal(amount), "USD")


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_sums_are_exact_in_any_order(one: Decimal, two: Decimal, three: Decimal) -> None:
    a, b, c = usd(one), usd(two), usd(three)
    assert (a + b) + c == a + (b + c) == (c + a) + b
    assert a == (a + b) - b
    assert (a < b, a <= b) == (one < two, one <= two)


def test_cents_are_never_lost() -> None:
    total = usd("0")
    for _ in range(1000):
        total += usd("0.1")
    assert "100.0 USD" == str(total)


def test_a_sum_that_would_be_rounded_is_an_error() -> None:
    with pytest.raises(Inexact):
        usd("1E+50") + usd("1E-50")


@pytest.mark.parametrize("wrong", [1, 1.5, "1", None, True])
def test_only_a_decimal_is_an_amount(wrong: object) -> None:
    with pytest.raises(TypeError, match="an amount is a Decimal"):
        Money(wrong, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_only_a_finite_number_is_an_amount(wrong: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        usd(wrong)


def test_two_assets_do_not_mix() -> None:
    other = Money(Decimal(1), "AED")
    for attempt in (usd("1").__add__, usd("1").__sub__, usd("1").__le__, usd("1").__lt__):
        with pytest.raises(ValueError, match="USD and AED do not mix"):
            attempt(other)
    assert usd("1") != other


# -- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_never_shows() -> None:
    secret = Secret("hunter2-hunter2")
    for shown in (
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r}",
        str([secret]),
        str({"a": secret}),
    ):
        assert "hunter2" not in shown
        assert "***" in shown
    assert "hunter2-hunter2" == secret.reveal()


def test_a_secret_does_not_leave_the_process() -> None:
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="send its SecretRef"):
            leave(Secret("x"))
    with pytest.raises(TypeError):
        json.dumps(Secret("x"))
    assert SecretRef("k", "K") == pickle.loads(pickle.dumps(SecretRef("k", "K")))


def test_secrets_are_equal_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert "a" != Secret("a")
    assert 1 == len({Secret("a"), Secret("a")})


# -- problems -----------------------------------------------------------------------------------------------------


def test_a_place_is_written_as_editors_read_it() -> None:
    assert "a.yaml:3:5" == str(Location("a.yaml", 3, 5))
    assert "a.yaml" == str(Location("a.yaml"))


def test_a_problem_keeps_the_place_it_has() -> None:
    here, there = Location("a", 1), Location("b", 2)
    assert here == Problem("c", "m", here).at(there).location
    assert there == Problem("c", "m").at(there).location
    assert Problem("c", "m").at(None).location is None
    assert Problem("c", "m").is_error
    assert not Problem("c", "m", severity="warning").is_error


def test_errors_say_what_their_problems_say() -> None:
    error = GuardError(iter([Problem("a", "one"), Problem("b", "two")]))
    assert ("one; two", 2) == (str(error), len(error.problems))
    assert "disk" == str(JournalError(Problem("j", "disk")))
    assert issubclass(GuardError, ProblemError)
    assert issubclass(JournalError, RunnerError)


# -- results ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", StepStatus)
@pytest.mark.parametrize("fault", [None, *Fault])
def test_only_what_is_known_for_good_is_final(status: StepStatus, fault: Fault | None) -> None:
    known = status in (StepStatus.PASSED, StepStatus.FAILED, StepStatus.SKIPPED) and fault is None
    assert known is Outcome(status, fault=fault).is_final


def test_a_skipped_step_may_say_why() -> None:
    why = Problem("c", "m")
    assert (StepStatus.SKIPPED, why) == (skipped("s", why).status, skipped("s", why).problem)


def test_every_client_is_counted_once() -> None:
    totals = Totals()
    for index, ending in enumerate(Ending):
        moved = (Moved("deposits", usd("10.50")), Moved("payouts", usd("1")))
        step = StepResult("s", StepStatus.PASSED, requests=2, moved=moved if index < 2 else (), adopted=index == 3)
        totals.add(ClientResult(str(index), 1, ending, steps=(step,), fault=Fault.GUARD if index == 5 else None))
    assert {
        "clients": 6,
        **{ending.value: 1 for ending in Ending},
        "adopted": 1,
        "requests": 12,
        "money": {"USD": {"deposits": "21.00", "withdrawals": "0.00", "payouts": "2.00"}},
    } == totals.to_json()
    assert {Fault.GUARD} == totals.faults


def test_a_plan_adds_up() -> None:
    calls = (
        PlannedCall("a", "x", "POST", "/x", "money", moves=Moved("deposits", usd("1.50"))),
        PlannedCall("b", "x", "GET", "/x", "read", requests=3),
        PlannedCall("c", "x", "POST", "/x", "money", moves=Moved("deposits", usd("2"))),
    )
    plan = Plan(setting_of(), (ClientPlan(person(1), calls), ClientPlan(person(2))))
    assert 5 == plan.requests
    assert {"USD": {"deposits": Decimal("3.50")}} == plan.money()


def test_a_client_knows_where_its_fields_stand() -> None:
    client = person()
    assert client.location == client.place("name")
    named = type(client)("k", 2, {}, locate=lambda name: Location(name, 7))
    assert Location("address.city", 7) == named.place("address.city")
