"""A run whose process is gone, or still at it: what the other verbs say of it, and how it goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from stage import BOTH, Onboard, Ran, Sandbox, checked_report, person

SLOW = "deposits.create=slow:20:client=user_2"


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def under_way(onboard: Onboard, sandbox: Sandbox) -> Iterator[subprocess.Popen[bytes]]:
    """One at a time: the first client is done, the deposit of the second is on its way, the third has to come."""
    sandbox.fault(SLOW)
    people = (person(1), person(2), person(3))
    process = onboard.start("run", BOTH, "--clients", onboard.clients(*people), "--jobs", 1)
    until(lambda: sandbox.asked("deposits.create") == 2)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        sandbox.clear_faults()


@pytest.fixture
def cut_off(onboard: Onboard, sandbox: Sandbox) -> Onboard:
    with under_way(onboard, sandbox):
        pass
    return onboard


def told(ran: Ran) -> dict[str, str]:
    body = checked_report(json.loads(ran.out))
    return {client["key"]: client["outcome"] for client in body["clients"]}


def test_what_was_on_its_way_is_unknown(cut_off: Onboard) -> None:
    body = checked_report(json.loads(cut_off("status", "--format", "json").out))

    assert ["done", "unknown", "not_started"] == [client["outcome"] for client in body["clients"]]
    assert ("interrupted", None, 5) == tuple(body["run"][name] for name in ("status", "finished_at", "exit_code"))
    second = body["clients"][1]
    assert "run.interrupted" == second["problem"]["code"]
    assert '"onboard recover 1" or "onboard resume 1"' in second["problem"]["hint"]
    assert [("create", "passed"), ("deposit", "unknown")] == [
        (step["id"], step["status"]) for step in second["steps"] if step["id"] in ("create", "deposit")
    ]
    assert "100.00" == body["totals"]["money"]["USD"]["deposits"]


def test_runs_and_explain_say_the_same(cut_off: Onboard) -> None:
    (run,) = json.loads(cut_off("runs", "--format", "json").out)
    story = cut_off("explain", "1", "user_2").out

    assert {"done": 1, "not_started": 1, "unknown": 1} == run["clients"]
    assert ("interrupted", None) == (run["status"], run["exit_code"])
    assert "not ended: unknown" in story
    assert "[run.interrupted]" in story


def test_recover_looks_up_what_was_on_its_way_and_resume_does_the_rest(cut_off: Onboard, sandbox: Sandbox) -> None:
    first = cut_off("recover", "--report-json", "report.json")

    assert {"user_1": "done", "user_2": "done", "user_3": "not_started"} == first.outcomes, first.story
    assert 1 == first.code
    assert 2 == sandbox.asked("deposits.create")

    ran = cut_off("resume", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert [1, 1, 1] == [len(sandbox.orders(f"user_{number}")) for number in (1, 2, 3)]


def test_while_a_run_goes_on_nothing_is_called_unknown(onboard: Onboard, sandbox: Sandbox) -> None:
    with under_way(onboard, sandbox):
        status = onboard("status", "--format", "json")
        lines = onboard("runs").out

    assert {"user_1": "done", "user_2": "waiting", "user_3": "not_started"} == told(status)
    body = json.loads(status.out)
    assert ("running", None, 4) == tuple(body["run"][name] for name in ("status", "finished_at", "exit_code"))
    assert "run.under-way" == body["clients"][1]["problem"]["code"]
    assert "  running  " in lines


def test_a_resume_that_was_cut_off_is_in_doubt_too(onboard: Onboard, sandbox: Sandbox) -> None:
    """The result of before says rejected, and a payment that was sent since has no end."""
    sandbox.fault("deposits.create=failed:x1")
    first = onboard.run(BOTH, "--clients", onboard.clients(person(1)))
    assert {"rejected": 1} == first.totals, first.story
    sandbox.fault("deposits.create=slow:20")
    process = onboard.start("retry")
    until(lambda: sandbox.asked("deposits.create") == 2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    sandbox.clear_faults()

    assert {"user_1": "unknown"} == told(onboard("status", "--format", "json"))
    ran = onboard("recover", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert ["failed", "completed"] == [order["status"] for order in sandbox.orders("user_1")]


def test_who_has_seen_enough_ends_it_quietly(onboard: Onboard) -> None:
    onboard("halt")
    onboard.run(BOTH, "--clients", onboard.clients(*(person(number) for number in range(1, 301))), "--jobs", 50)

    with onboard.start("status", "-v") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"" == process.stderr.read()
