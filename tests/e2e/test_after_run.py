"""What comes after a run: settle what is unknown, try again, compare with the provider, tell the story, forget."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from base64 import b64encode
from decimal import Decimal
from pathlib import Path

import pytest
from stage import BOTH, FUND, ONBOARD, Onboard, Sandbox, person

DEPOSIT_LOST = ("deposits.create=drop-after:x1", "orders.by_reference=503-before:x4")


def paid(sandbox: Sandbox, key: str) -> list[str]:
    return [order["status"] for order in sandbox.orders(key) if order["type"] == "deposit"]


@pytest.fixture
def unknown(onboard: Onboard, sandbox: Sandbox) -> Onboard:
    """A run whose deposit was applied and answered by nobody, while the look-up was down."""
    sandbox.fault(*DEPOSIT_LOST)
    ran = onboard.run(BOTH, "--clients", onboard.clients(person(1)))
    assert 5 == ran.code, ran.story
    assert {"user_1": "unknown"} == ran.outcomes
    assert "effect.unknown" == ran.problem("user_1")["code"]
    return onboard


def test_resume_never_touches_what_is_unknown(unknown: Onboard, sandbox: Sandbox) -> None:
    before = sandbox.requests

    ran = unknown("resume")

    assert 5 == ran.code
    assert before == sandbox.requests
    assert "onboard recover 1" in ran.out


def test_recover_looks_up_and_goes_on(unknown: Onboard, sandbox: Sandbox) -> None:
    ran = unknown("recover", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert {"user_1": "done"} == ran.outcomes
    assert ran.step("user_1", "deposit")["adopted"] is True
    assert ["completed"] == paid(sandbox, "user_1")
    assert "100.00" == ran.report["totals"]["money"]["USD"]["deposits"]


def test_recover_stays_unknown_while_nothing_can_be_looked_up(unknown: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("orders.by_reference=503-before:x4")

    ran = unknown("recover")

    assert 5 == ran.code
    assert 1 == sandbox.asked("deposits.create")


def test_reconcile_tells_what_is_unsettled_and_exits_7(unknown: Onboard) -> None:
    ran = unknown("reconcile", "--format", "json")

    assert 7 == ran.code, ran.story
    body = json.loads(ran.out)
    assert ["unsettled"] == [entry["what"] for entry in body["differences"]]
    assert "deposits completed 100.00 USD" in body["differences"][0]["theirs"]


def test_an_order_that_failed_is_retried_under_a_new_reference(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("deposits.create=failed:x1")
    first = onboard.run(BOTH, "--clients", onboard.clients(person(1), person(2)), "--jobs", 1)
    assert 1 == first.code
    assert {"rejected": 1, "done": 1} == first.totals

    ran = onboard("retry", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    references = [order["partner_order_ref"] for order in sandbox.orders("user_1")]
    assert ["failed", "completed"] == paid(sandbox, "user_1")
    assert f"{references[0]}-2" == references[1]
    assert ["completed"] == paid(sandbox, "user_2")


def test_a_corrected_row_is_retried_and_nothing_else_is_done_again(onboard: Onboard, sandbox: Sandbox) -> None:
    people = (person(1, withdrawal="900.00"), person(2))
    first = onboard.run(BOTH, "--clients", onboard.clients(*people))
    assert 1 == first.code, first.story
    onboard.clients(person(1, withdrawal="40.00"), person(2))

    ran = onboard("retry", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert {"done": 2} == ran.totals
    assert 2 == sandbox.asked("clients.create")
    assert ["completed"] == paid(sandbox, "user_1")
    assert Decimal("60.00") == sandbox.ledger["user_1", "USD"]["balance"]


def test_a_clean_run_reconciles_without_differences(onboard: Onboard) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1, withdrawal="25.00"), person(2)))

    ran = onboard("reconcile")

    assert 0 == ran.code, ran.story
    assert "3 of ours, 3 of theirs" in ran.out


def test_an_order_nobody_of_us_made_is_told(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))
    # Another laptop with another batch: the same client, an order that this journal never heard of.
    other = Onboard(onboard.folder, dict(onboard.env))
    other.run(BOTH, "--clients", "clients.csv", "--batch", "elsewhere", "--state", "other")

    ran = onboard("reconcile", "--format", "csv")

    assert 7 == ran.code, ran.story
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [("not-ours", "user_1")] == [(row["what"], row["client"]) for row in rows]


def test_an_order_that_vanished_is_told(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))
    sandbox.reset()

    ran = onboard("reconcile", "1", "--format", "json")

    assert 7 == ran.code
    assert ["not-theirs"] == [entry["what"] for entry in json.loads(ran.out)["differences"]]


def test_reconcile_can_t_say_anything_when_nobody_answers(onboard: Onboard) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))

    ran = onboard("reconcile", "--base-url", "http://127.0.0.1:9")

    assert 6 == ran.code
    assert "http.not-connected" in ran.err


def test_reconcile_is_a_step_too(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))

    ran = onboard.run(FUND, "--clients", "clients.csv")

    assert 0 == ran.code, ran.story
    step = ran.step("user_1", "reconcile")
    assert "passed" == step["status"]
    assert [("differences is empty", True)] == [(check["check"], check["passed"]) for check in step["checks"]]


def test_the_second_run_of_a_file_pays_nobody(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1, withdrawal="25.00"), person(2))
    onboard.run(BOTH, "--clients", clients)
    book = sandbox.ledger

    ran = onboard.run(BOTH, "--clients", clients, "--state", "another-laptop")

    assert 0 == ran.code, ran.story
    assert 2 == ran.report["totals"]["adopted"]
    assert {} == ran.report["totals"]["money"]
    assert book == sandbox.ledger


def test_a_halt_that_can_not_be_written_says_so(onboard: Onboard) -> None:
    onboard.write("file", "")
    ran = onboard("halt", "--state", "file")
    assert 2 == ran.code, ran.story
    assert 'money is NOT halted: "file/halt" can\'t be written' in ran.err
    assert "stop the process itself" in ran.err


def test_a_halt_of_a_folder_where_nothing_ran_is_doubted(onboard: Onboard, sandbox: Sandbox) -> None:
    assert "nothing ever ran on this folder" in onboard("halt", "--state", "typo").err
    assert 0 == onboard.run(ONBOARD, "--clients", onboard.clients(person(1))).code
    assert "nothing ever ran" not in onboard("halt").err


def test_halt_stops_money_and_resume_goes_on(onboard: Onboard, sandbox: Sandbox) -> None:
    assert 0 == onboard("halt").code
    ran = onboard.run(BOTH, "--clients", onboard.clients(person(1)))
    assert 3 == ran.code, ran.story
    assert "run.halted" == ran.problem("user_1")["code"]
    assert 0 == sandbox.asked("deposits.create")
    assert 3 == onboard("resume").code

    assert 0 == onboard("halt", "--off").code
    assert 0 == onboard("resume").code
    assert ["completed"] == paid(sandbox, "user_1")


def test_explain_tells_one_client_s_story(unknown: Onboard) -> None:
    ran = unknown("explain", "1", "user_1")

    assert 0 == ran.code
    assert "attempt 1 of deposits.create as deposit-user-1-" in ran.out
    assert "to move 100.00 USD was written down, then sent" in ran.out
    assert "ended: unknown" in ran.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("explain", "1", "nobody"), "client.unknown"),
        (("explain", "9", "user_1"), "run.unknown"),
        (("forget", "nobody"), "client.unknown"),
        (("reconcile", "9"), "run.unknown"),
        (("recover", "x"), "run.unknown"),
        (("resume", "9"), "run.unknown"),
        (("retry", "9"), "run.unknown"),
        (("status", "9"), "run.unknown"),
    ],
)
@pytest.mark.parametrize("has_state", [True, False])
def test_who_or_what_nobody_knows(onboard: Onboard, words: tuple[str, ...], code: str, has_state: bool) -> None:
    if has_state:
        onboard.run(BOTH, "--clients", onboard.clients(person(1)))

    ran = onboard(*words)

    assert 2 == ran.code, ran.story
    assert has_state is False or f"[{code}]" in ran.err


def everything_written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


NOSY = "    outputs: {coinmena_id: id, created_at: created_at}\n"


def test_forget_removes_the_person_and_keeps_the_money(onboard: Onboard, sandbox: Sandbox) -> None:
    """Given a playbook that keeps a name in the journal, then nothing of it is left, and references still are."""
    text = BOTH.read_text("utf-8")
    assert NOSY in text
    nosy = onboard.write("nosy.playbook.yaml", text.replace(NOSY, "    outputs: {full_name: name, coinmena_id: id}\n"))
    onboard("run", nosy, "--clients", onboard.clients(person(1), person(2)))
    assert b"Specimen Person 1" in everything_written(onboard.folder / ".onboard")

    ran = onboard("forget", "user_1")

    assert 0 == ran.code, ran.story
    left = everything_written(onboard.folder / ".onboard")
    assert b"Specimen Person 1" not in left
    assert b"Specimen Person 2" in left
    assert sandbox.orders("user_1")[0]["partner_order_ref"].encode() in left
    assert 0 == onboard("reconcile").code
    assert "deposits 200.00" in onboard("status", "1").out


def test_a_state_key_hides_everything_at_rest(onboard: Onboard, sandbox: Sandbox) -> None:
    key = b64encode(os.urandom(32)).decode()
    sandbox.fault("deposits.create=failed:x1")
    text = BOTH.read_text("utf-8").replace(NOSY, "    outputs: {full_name: name, coinmena_id: id}\n")
    nosy = onboard.write("nosy.playbook.yaml", text)
    clients = onboard.clients(person(1))

    first = onboard(
        "run", nosy, "--clients", "-", "--documents", ".", stdin=clients.read_text(), env={"ONBOARD_STATE_KEY": key}
    )

    assert 1 == first.code, first.story
    written = everything_written(onboard.folder / ".onboard")
    for secret in (b"Specimen Person 1", b"person1@example.com", b"full_name", b"coinmena.order-failed"):
        assert secret not in written
    without = onboard("status")
    assert 3 == without.code
    assert "journal.sealed" in without.err
    other = onboard("status", env={"ONBOARD_STATE_KEY": b64encode(os.urandom(32)).decode()})
    assert 3 == other.code
    keyfile = onboard.write("state.key", key)
    again = onboard("retry", env={"ONBOARD_STATE_KEY_FILE": str(keyfile)})
    assert 0 == again.code, again.story


def test_a_state_key_that_is_none(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(BOTH, "--clients", onboard.clients(person(1)), env={"ONBOARD_STATE_KEY": "short"})

    assert 3 == ran.code
    assert "journal.key" in ran.err
    assert 0 == sandbox.requests


def test_what_was_reviewed_is_what_runs(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1))
    assert 0 == onboard("plan", BOTH, "--clients", clients, "--out", "plan.json").code

    ran = onboard.run("plan.json")

    assert 0 == ran.code, ran.story
    assert ["completed"] == paid(sandbox, "user_1")


@pytest.mark.parametrize("what", ["clients", "documents", "playbook", "provider"])
def test_a_plan_that_is_stale_moves_nothing(onboard: Onboard, sandbox: Sandbox, what: str) -> None:
    playbook = onboard.write("own.playbook.yaml", BOTH.read_text("utf-8"))
    clients = onboard.clients(person(1))
    pack = onboard.write("pack.yaml", "extends: coinmena\n")
    onboard("plan", playbook, "--clients", clients, "--provider-file", pack, "--out", "plan.json")
    changed = {
        "clients": clients,
        "documents": onboard.folder / "documents" / "id_front.jpg",
        "playbook": playbook,
        "provider": pack,
    }[what]
    end = b"user_2" + clients.read_bytes().splitlines()[1][6:] + b"\n" if what == "clients" else b"\n# changed\n"
    changed.write_bytes(changed.read_bytes() + end.replace(b"person1@", b"other@"))

    ran = onboard("run", "plan.json")

    assert 3 == ran.code, ran.story
    assert "run.stale" in ran.err
    assert 0 == sandbox.requests


@pytest.mark.parametrize("content", ["{}", "not json", '{"schema": "onboard/plan/1"}'])
def test_a_file_that_is_no_plan(onboard: Onboard, content: str) -> None:
    ran = onboard("run", onboard.write("plan.json", content))

    assert 2 == ran.code
    assert "plan.unreadable" in ran.err


def test_resume_after_standard_input(onboard: Onboard, sandbox: Sandbox) -> None:
    """The clients came from a pipe: resume still knows them."""
    text = onboard.clients(person(1)).read_text("utf-8")
    onboard("halt")
    assert 3 == onboard("run", BOTH, "--clients", "-", "--documents", ".", stdin=text).code
    onboard("halt", "--off")

    ran = onboard("resume")

    assert 0 == ran.code, ran.story
    assert ["completed"] == paid(sandbox, "user_1")


def test_resume_says_what_changed(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard("halt")
    onboard.run(BOTH, "--clients", onboard.clients(person(1), person(2)))
    onboard("halt", "--off")
    onboard.clients(person(1, deposit="4000.00"))
    before = sandbox.requests

    ran = onboard("resume")

    assert 3 == ran.code, ran.story
    assert 'the row of client "user_1" changed' in ran.err
    assert 'client "user_2" of run 1 is no longer in the clients file' in ran.err
    assert before == sandbox.requests


def test_resume_takes_new_rows_in(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard("halt")
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))
    onboard("halt", "--off")
    onboard.clients(person(3), person(1))

    ran = onboard("resume", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert {"user_1": "done", "user_3": "done"} == ran.outcomes


def test_the_journal_holds_no_personal_data_of_its_own(onboard: Onboard) -> None:
    onboard.run(BOTH, "--clients", onboard.clients(person(1)))

    with sqlite3.connect(onboard.folder / ".onboard" / "journal.db") as journal:
        text = "\n".join(journal.iterdump())

    for value in ("Specimen Person 1", "person1@example.com", "+97300000001", "ID00000001", "Specimen Street"):
        assert value not in text
