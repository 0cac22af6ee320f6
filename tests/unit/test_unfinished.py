"""How a client stands whose run was cut off, or still goes on, told from the entries of the journal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runner.journal.base import ClientState, Entry, EntryKey
from runner.model.money import Money
from runner.model.outcome import ClientResult, Ending, Moved, Outcome, StepStatus
from runner.model.problem import Problem
from runner.unfinished import is_forgotten, is_in_doubt, result_of

NEW = ClientState("a", 2, "d", "not_started")
MOVED = Moved("deposits", Money(Decimal("5.00"), "USD"))
PASSED = Outcome(StepStatus.PASSED, requests=2, outputs={"cid": 1})
FAILED = Outcome(StepStatus.FAILED, Ending.REJECTED, problem=Problem("x.y", "no"))


def intent(step: str, attempt: int = 1, item: int = -1) -> Entry:
    return Entry(EntryKey(step, item, attempt), "intent", attempt, {"reference": f"{step}-r"})


def outcome(step: str, what: Outcome, attempt: int = 1, item: int = -1, at: float = 1.0) -> Entry:
    return Entry(EntryKey(step, item, attempt), "outcome", at, what.to_json())


def other(kind: str, step: str, attempt: int = 1) -> Entry:
    return Entry(EntryKey(step, -1, attempt), kind, 3.0, {})


def stored(word: Ending) -> ClientState:
    result = ClientResult("a", 2, word, Problem("x.y", "no"))
    return ClientState("a", 2, "d", word.value, None, result.to_json())


@pytest.mark.parametrize(
    ("entries", "in_doubt"),
    [
        ([], False),
        ([outcome("create", PASSED)], False),
        ([intent("create")], True),
        ([intent("create"), outcome("create", PASSED)], False),
        ([intent("pay"), intent("pay", 2), outcome("pay", PASSED, 2)], False),
        ([intent("pay"), outcome("pay", FAILED), intent("pay", 2)], True),
        ([intent("pay", item=0), outcome("pay", PASSED, item=1)], True),
        ([other("wait", "verdict")], False),
    ],
)
def test_what_has_no_end_is_in_doubt(entries: list[Entry], in_doubt: bool) -> None:
    assert in_doubt is is_in_doubt(entries)


@pytest.mark.parametrize(
    ("entries", "is_held", "word", "code"),
    [
        ([], False, "not_started", None),
        ([], True, "not_started", None),
        ([outcome("create", PASSED)], False, "waiting", "run.interrupted"),
        ([outcome("create", PASSED)], True, "waiting", "run.under-way"),
        ([outcome("create", PASSED), intent("pay")], False, "unknown", "run.interrupted"),
        ([outcome("create", PASSED), intent("pay")], True, "waiting", "run.under-way"),
        ([other("wait", "verdict")], False, "waiting", "run.interrupted"),
    ],
)
def test_who_has_no_result(entries: list[Entry], is_held: bool, word: str, code: str | None) -> None:
    found = result_of(NEW, 7, entries, is_held=is_held)

    assert (word, code) == (found.outcome.value, found.problem.code if found.problem else None)


@pytest.mark.parametrize(
    ("before", "entries", "is_held", "word", "code"),
    [
        (Ending.REJECTED, [other("retry", "pay")], False, "rejected", "x.y"),
        (Ending.REJECTED, [intent("pay", 2)], False, "unknown", "run.interrupted"),
        (Ending.REJECTED, [intent("pay", 2)], True, "rejected", "x.y"),
        (Ending.UNKNOWN, [outcome("read", PASSED)], False, "unknown", "x.y"),
        (Ending.WAITING, [outcome("read", PASSED)], False, "waiting", "run.interrupted"),
        (Ending.BLOCKED, [intent("pay")], False, "unknown", "run.interrupted"),
        (Ending.BLOCKED, [], False, "blocked", "x.y"),
    ],
)
def test_who_had_a_result_before(before: Ending, entries: list[Entry], is_held: bool, word: str, code: str) -> None:
    found = result_of(stored(before), 7, entries, is_held=is_held)

    assert found.problem is not None
    assert (word, code) == (found.outcome.value, found.problem.code)


def test_what_to_do_about_it() -> None:
    new, again = result_of(NEW, 7, [intent("pay")]), result_of(stored(Ending.REJECTED), 7, [intent("pay")])

    assert new.problem is not None
    assert again.problem is not None
    assert (
        '"onboard recover 7" or "onboard resume 7" looks it up; nothing is sent again before that' == new.problem.hint
    )
    assert '"onboard recover 7" looks it up; nothing is sent again before that' == again.problem.hint
    assert new.problem.message.endswith(": pay")


def test_steps_show_as_far_as_they_are_known() -> None:
    paid = Outcome(StepStatus.PASSED, requests=1, moved=MOVED, reference="pay-r")
    entries = [
        intent("create"),
        outcome("create", PASSED),
        outcome("satisfy/document", PASSED, at=2.0),
        outcome("pay", paid, item=0, at=3.0),
        Entry(EntryKey("pay", 1, 1), "intent", 4.0, {"reference": "pay-r2"}),
        outcome("look", FAILED, at=5.0),
        Entry(EntryKey("look", -1, 1), "retry", 6.0, {}),
    ]
    steps = result_of(NEW, 7, entries).steps

    def told(step: Any) -> tuple[Any, ...]:
        return step.id, step.status.value, step.requests, step.references, step.outputs

    assert [
        ("create", "passed", 2, (), {"cid": 1}),
        ("satisfy", "passed", 2, (), {}),
        ("pay", "unknown", 1, ("pay-r", "pay-r2"), [{}, {}]),
        ("look", "waiting", 0, (), {}),
    ] == [told(step) for step in steps]
    assert [(), (), (MOVED,), ()] == [step.moved for step in steps]


def test_parts_of_a_step_are_not_its_end() -> None:
    (step,) = result_of(NEW, 7, [outcome("satisfy/document", PASSED)]).steps

    assert ("satisfy", StepStatus.WAITING) == (step.id, step.status)


def test_who_was_forgotten() -> None:
    gone = ClientResult("a", 2, Ending.REJECTED, Problem("client.forgotten", "gone"))

    assert is_forgotten(ClientState("a", 2, "", "rejected", None, gone.to_json()))
    assert not is_forgotten(stored(Ending.REJECTED))
    assert not is_forgotten(NEW)
    assert not is_forgotten(ClientState("a", 2, "", "done", None, {"problem": None}))
