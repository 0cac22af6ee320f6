"""Fin.com as a user runs it: both generations, questions, tokens, payouts, against its sandbox's own books."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from stage import ROOT, Onboard, Sandbox
from test_leak_canary import found_in, written

PLAYBOOKS = ROOT / "playbooks" / "fin"
EXAMPLES = ROOT / "examples" / "fin"
V1, V2 = (PLAYBOOKS / f"onboard-individual-{generation}.playbook.yaml" for generation in ("v1", "v2"))
PAYOUT = PLAYBOOKS / "first-payout.playbook.yaml"
PEOPLE = {V1: "clients-v1.csv", V2: "clients.csv", PAYOUT: "payouts.csv"}
# Every list that ids come from, and how often it is asked for, whatever the number of clients.
CATALOGUES = {"catalogue.occupations": 1, "catalogue.purposes": 1, "catalogue.source_of_funds": 1}
SOON = """extends: fin
timeout: 3s
send_window: 3s
operations:
  beneficiaries.create: {settle: 1s}
  transfers.create: {settle: 1s}
  transfers.settle: {settle: 1s}
"""


@pytest.fixture(scope="module")
def _fin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("fin"), "--kyc-delay", "0.2", provider="fin")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(_fin: Sandbox) -> Sandbox:
    _fin.reset()
    return _fin


def rows_of(playbook: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((EXAMPLES / PEOPLE[playbook]).read_text("utf-8").splitlines()))


def rows(onboard: Onboard, playbook: Path, *changes: Mapping[str, str]) -> Path:
    """As many of the example's people as there are `changes`, with their documents."""
    known = rows_of(playbook)
    out = io.StringIO()
    writer = csv.DictWriter(out, known[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, **change} for row, change in zip(known, changes, strict=False))
    for path in (EXAMPLES / "documents").iterdir():
        onboard.write(f"documents/{path.name}", path.read_bytes())
    return onboard.write("clients.csv", out.getvalue())


def seeded(sandbox: Sandbox, file: str, **more: Any) -> None:
    sandbox.load(**{**json.loads((EXAMPLES / file).read_text("utf-8"))["fin"], **more})


def customers(sandbox: Sandbox) -> list[str]:
    """The status of each."""
    return sorted(customer["customer_status"] for customer in sandbox.state["customers"])


def paid(sandbox: Sandbox) -> list[int]:
    """What left for each beneficiary, in cents; each of them got it in one go."""
    items = httpx.get(f"{sandbox.url}/_sandbox/ledger", trust_env=False).json()["items"]
    assert {1} == {item["settled"] for item in items}
    assert [1] * len(items) == [len(item["references"]) for item in items]
    return sorted(int(item["moved"]["payout"]) for item in items)


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# -- both generations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("playbook", "key", "create"), [(V1, "client_31", "customers.create_v1"), (V2, "client_30", "customers.create")]
)
def test_fifteen_people_come_to_the_ends_they_must(
    onboard: Onboard, sandbox: Sandbox, playbook: Path, key: str, create: str
) -> None:
    seeded(sandbox, "sandbox.json")

    ran = onboard.run(playbook, "--clients", EXAMPLES / PEOPLE[playbook], "--jobs", 15)

    assert 1 == ran.code, ran.story
    assert {"done": 14, "rejected": 1} == ran.totals
    assert "rejected" == ran.outcomes[f"{key}12"]
    assert "the applicant could not be verified" in ran.problem(f"{key}12")["message"]
    assert ["APPROVED"] * 14 + ["REJECTED"] == customers(sandbox)
    asked = sandbox.state["requests"]
    # One was asked for a passport that is still valid, and has it.
    assert 1 == asked["customers.update"]
    assert 16 == asked["documents.upload"]
    assert 15 == asked[create]
    assert CATALOGUES == {name: asked[name] for name in CATALOGUES}
    assert len({row["address.country"] for row in rows_of(playbook)}) == asked["catalogue.subdivisions"]
    assert {"issued": 1, "refreshed": 0, "live": 1} == sandbox.state["tokens"]
    assert [] == sandbox.state["refusals"]


@pytest.mark.parametrize("playbook", [V1, V2])
def test_the_report_counts_every_request(onboard: Onboard, sandbox: Sandbox, playbook: Path) -> None:
    seeded(sandbox, "sandbox.json")

    ran = onboard.run(playbook, "--clients", EXAMPLES / PEOPLE[playbook], "--jobs", 15)

    assert ran.report["totals"]["requests"] == sandbox.requests


def test_lists_are_asked_for_once_whatever_the_number_of_clients(onboard: Onboard, sandbox: Sandbox) -> None:
    home = {"address.country": "USA", "address.subdivision_code": "US-CA", "address.postal_code": "94103"}
    for count in (1, 5):
        sandbox.reset()
        clients = rows(onboard, V1, *[{**home, "tax_id": f"987-65-432{at}"} for at in range(count)])
        ran = onboard.run(V1, "--clients", clients, "--state", f"state-{count}", "--jobs", 5)
        assert {"done": count} == ran.totals, ran.story
        assert {**CATALOGUES, "catalogue.subdivisions": 1} == {
            name: asked for name, asked in sandbox.state["requests"].items() if name.startswith("catalogue.")
        }


def test_what_a_question_asks_for_and_nobody_has_blocks_until_it_is_there(onboard: Onboard, sandbox: Sandbox) -> None:
    question = {"section": "proof_of_address", "status": "EXPIRED", "reason": "older than ninety days"}
    sandbox.load(reviews={"default": {"rfis": [[question]]}})

    ran = onboard.run(V2, "--clients", rows(onboard, V2, {}))
    assert {"blocked": 1} == ran.totals, ran.story
    assert "older than ninety days" in ran.problem("client_3001")["message"]
    assert [
        {
            "kind": "document",
            "id": "proof_of_address",
            "any_of": ["UTILITY_BILL", "BANK_STATEMENT", "GOVERNMENT_LETTER"],
        }
    ] == ran.problem("client_3001")["shortage"]
    assert 0 == sandbox.asked("customers.update")

    rows(onboard, V2, {"more_type": "BANK_STATEMENT", "more_front": "documents/bank_statement.pdf"})
    done = onboard("resume", "--report-json", "report.json")

    assert 0 == done.code, done.story
    assert ["APPROVED"] == customers(sandbox)
    assert 1 == sandbox.asked("customers.create") == sandbox.asked("documents.attach")
    assert 1 == sandbox.asked("customers.update")


NUMBER = {"section": "proof_of_identity", "fields": ["number"], "status": "INVALID", "reason": "does not match"}


def test_a_value_that_was_turned_down_blocks_until_it_is_another(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.load(reviews={"default": {"rfis": [[NUMBER], [NUMBER]]}})

    ran = onboard.run(V2, "--clients", rows(onboard, V2, {}))
    assert {"blocked": 1} == ran.totals, ran.story
    problem = ran.problem("client_3001")
    assert 'was refused: "does not match", correct metadata.number' in problem["message"]
    assert [{"kind": "data", "id": "proof_of_identity.number"}] == problem["shortage"]
    again = onboard("resume")
    assert 1 == again.code, again.story
    assert 1 == sandbox.asked("customers.update")

    rows(onboard, V2, {"id_number": "CORRECTED7"})
    done = onboard("resume", "--report-json", "report.json")

    assert 0 == done.code, done.story
    assert ["APPROVED"] == customers(sandbox)
    assert 2 == sandbox.asked("customers.update")


@pytest.mark.parametrize("playbook", [V1, V2])
def test_a_pause_that_asks_is_answered(onboard: Onboard, sandbox: Sandbox, playbook: Path) -> None:
    question = {"section": "proof_of_address", "status": "MISSING"}
    sandbox.load(reviews={"default": {"rfis": [{"request": [question], "status": "hold"}]}})

    ran = onboard.run(playbook, "--clients", rows(onboard, playbook, {}))

    assert 0 == ran.code, ran.story
    assert ["APPROVED"] == customers(sandbox)
    assert 1 == sandbox.asked("customers.update")
    assert [] == sandbox.state["refusals"]


def test_a_client_is_parked_and_resumed_when_the_process_is_gone(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.load(reviews={"default": "never"})

    first = onboard.run(V2, "--clients", rows(onboard, V2, {}), "--wait", "0")
    assert 4 == first.code, first.story
    assert {"waiting": 1} == first.totals
    sandbox.act("verdict", {"email": "sam.specimen@example.com", "status": "APPROVED"})
    ran = onboard("resume", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    once = ("customers.create", "documents.upload", "documents.attach")
    assert dict.fromkeys(once, 1) == {name: sandbox.asked(name) for name in once}


def test_the_same_file_again_adopts_everybody(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = rows(onboard, V2, {}, {}, {})
    assert 0 == onboard.run(V2, "--clients", clients).code

    ran = onboard.run(V2, "--clients", clients, "--state", "another-laptop")

    assert 0 == ran.code, ran.story
    assert 3 == ran.report["totals"]["adopted"]
    assert 3 == sandbox.asked("customers.create") == len(sandbox.state["customers"])


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_one_token_for_each_time_that_one_expires(onboard: Onboard, sandbox: Sandbox) -> None:
    seeded(sandbox, "sandbox.json", settings={"token_ttl": 2})

    began = time.monotonic()
    ran = onboard.run(V2, "--clients", EXAMPLES / "clients.csv", "--jobs", 2)
    seconds = time.monotonic() - began

    assert {"done": 14, "rejected": 1} == ran.totals, ran.story
    tokens = sandbox.state["tokens"]
    assert 1 == tokens["issued"]
    # Renewed in the last tenth of two seconds, and never more often.
    assert 1 <= tokens["refreshed"] <= seconds / 1.8 + 1
    assert 15 == sandbox.asked("customers.create")


def test_a_token_that_dies_early_is_renewed_once(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.load(reviews={"default": "never"})
    clients = rows(onboard, V2, *[{}] * 6)
    started = onboard.start(
        "run", V2, "--clients", clients, "--jobs", 6, "--wait", "60s", "--report-json", "report.json"
    )
    until(lambda: sandbox.asked("documents.attach") == 6)

    sandbox.act("expire", {})
    for row in rows_of(V2)[:6]:
        sandbox.act("verdict", {"email": row["email"].lower(), "status": "APPROVED"})
    ran = onboard.finish(started)

    assert 0 == ran.code, ran.story
    tokens = sandbox.state["tokens"]
    assert 2 == tokens["issued"] + tokens["refreshed"]
    assert ["APPROVED"] * 6 == customers(sandbox)


def test_wrong_credentials_are_told_and_nobody_is_created(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(V2, "--clients", rows(onboard, V2, {}), env={"FIN_CLIENT_SECRET": "somebody else's"})

    assert 6 == ran.code, ran.story
    assert {"not_started": 1} == ran.totals
    assert [] == sandbox.state["customers"]
    assert "somebody else's" not in ran.story


PERSONAL = ("id_number", "tax_id", "last_name", "phone", "address.street_line_1", "birth_date", "more_number")


def test_no_secret_and_nobody_s_data_is_written(onboard: Onboard, sandbox: Sandbox) -> None:
    seeded(sandbox, "sandbox.json")
    people = rows(onboard, V2, *[{"last_name": f"Quillfeather{at}", "last_name_en": ""} for at in range(15)])
    ran = [onboard("run", V2, "--clients", people, "--jobs", 15, "--report-json", "report.json", "-v")]
    ran += [onboard("status", "-v"), onboard("explain", "1", "client_3009"), onboard("explain", "1", "client_3012")]
    assert 1 == ran[0].code, ran[0].story

    searched = written(onboard, ran)

    private = {row[name] for row in csv.DictReader(people.read_text("utf-8").splitlines()) for name in PERSONAL}
    values = [*(value for value in private if value), sandbox.env["FIN_CLIENT_SECRET"]]
    assert {} == {name: found for name, text in searched.items() if (found := found_in(text, values))}
    keys = {"client_id": sandbox.env["FIN_CLIENT_ID"], "client_secret": sandbox.env["FIN_CLIENT_SECRET"]}
    token = httpx.post(f"{sandbox.url}/v1/oauth/token", json=keys, trust_env=False).json()["access_token"]
    head = token.encode()[:12]
    assert re.fullmatch(rb"eyJ[\w-]{9}", head)
    assert [] == [name for name, text in searched.items() if head in text]


# -- payouts -----------------------------------------------------------------------------------------------------------

CENTS = sorted(int(Decimal(row["payout"]) * 100) for row in rows_of(PAYOUT))


@pytest.fixture
def quick(onboard: Onboard) -> Path:
    """The shipped playbook, asking as often as a test wants to wait."""
    text = PAYOUT.read_text("utf-8")
    for every in ("every: 2s", "every: 5s"):
        assert every in text
        text = text.replace(every, "every: 200ms")
    return onboard.write("quick.playbook.yaml", text)


def test_fifteen_payouts_leave_once_each(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    seeded(sandbox, "sandbox-payouts.json")

    ran = onboard.run(quick, "--clients", EXAMPLES / "payouts.csv", "--jobs", 15)

    assert 0 == ran.code, ran.story
    assert CENTS == paid(sandbox)
    assert f"{Decimal(sum(CENTS)) / 100:.2f}" == ran.report["totals"]["money"]["USD"]["payouts"]
    assert 200_000 - sum(CENTS) == sandbox.state["balance"]
    assert 1 == sandbox.asked("catalogue.transaction_purposes") == sandbox.state["tokens"]["issued"]
    assert ran.report["totals"]["requests"] == sandbox.requests


@pytest.mark.parametrize("operation", ["beneficiaries.create", "transfers.create", "transfers.settle"])
@pytest.mark.parametrize("fault", ["drop-after", "500-after", "truncated"])
def test_a_lost_answer_pays_nobody_twice(
    onboard: Onboard, sandbox: Sandbox, quick: Path, operation: str, fault: str
) -> None:
    seeded(sandbox, "sandbox-payouts.json")
    sandbox.fault(f"{operation}={fault}:x1")

    ran = onboard.run(quick, "--clients", EXAMPLES / "payouts.csv", "--limit", 1)

    assert 0 == ran.code, ran.story
    assert [500] == paid(sandbox)
    assert 1 == ran.report["totals"]["adopted"]


def test_the_same_file_again_pays_nobody_again(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    seeded(sandbox, "sandbox-payouts.json")
    words = ("--clients", EXAMPLES / "payouts.csv", "--limit", 4, "--jobs", 4)
    assert 0 == onboard.run(quick, *words).code

    again = onboard.run(quick, *words, "--state", "another-laptop")
    other = onboard.run(quick, *words, "--batch", "second")

    assert 0 == again.code == other.code, again.story + other.story
    assert 4 == again.report["totals"]["clients"]
    items = httpx.get(f"{sandbox.url}/_sandbox/ledger", trust_env=False).json()["items"]
    # The other batch is another payment, and nothing else is.
    assert [2] * 4 == [item["settled"] for item in items]


def test_without_names_and_without_a_journal_a_person_says_what_was_paid(
    onboard: Onboard, sandbox: Sandbox, quick: Path
) -> None:
    """The list shows no reference: what another laptop paid can't be told from another payment."""
    seeded(sandbox, "sandbox-payouts.json", settings={"references_shown": False})
    words = ("--clients", EXAMPLES / "payouts.csv", "--limit", 2)
    assert 0 == onboard.run(quick, *words).code
    other = onboard.run(quick, *words, "--batch", "second")
    assert 0 == other.code, other.story

    away = ("--state", "another-laptop")
    again = onboard.run(quick, *words, *away)
    assert 5 == again.code, again.story
    assert {"unknown": 2} == again.totals
    problem = again.problem("client_3201")
    assert "effect.undecided" == problem["code"]
    assert 5 == onboard("recover", *away).code

    shown = [str(re.findall("shows (\\S+),", again.problem(key)["message"])[0]) for key in again.outcomes]
    told = onboard("recover", *away, *(word for one in shown for word in ("--ours", one)), "--report-json", "r.json")
    assert 0 == told.code, told.story
    assert {"moved USD"} & {line.partition(":")[0] for line in told.out.splitlines()} == set()
    assert [2, 2] == [item["settled"] for item in sandbox.lines if item["settled"]]


def test_payouts_go_on_when_the_process_is_gone(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    seeded(sandbox, "sandbox-payouts.json", payouts={"default": {"status": "completed", "delay": 2}})
    # What is in doubt is looked up again after the horizon: three minutes are too long for a test.
    pack = onboard.write("soon.yaml", SOON)
    words = ("run", quick, "--clients", EXAMPLES / "payouts.csv", "--jobs", 3, "--provider-file", pack)
    started = onboard.start(*words)
    until(lambda: sandbox.asked("transfers.settle") >= 4)
    started.send_signal(signal.SIGKILL)
    started.communicate(timeout=10)

    ran = onboard("resume", "--report-json", "report.json", "--jobs", 15)

    assert 0 == ran.code, ran.story
    assert {"done": 15} == ran.totals
    assert CENTS == paid(sandbox)


def test_a_payout_that_fails_is_told_and_comes_back(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    seeded(sandbox, "sandbox-payouts.json", payouts={"default": "failed"})

    ran = onboard.run(quick, "--clients", EXAMPLES / "payouts.csv", "--limit", 1)

    assert {"rejected": 1} == ran.totals, ran.story
    assert "FAILED" in ran.problem("client_3201")["message"]
    assert 200_000 == sandbox.state["balance"]


def test_a_transfer_that_expired_is_not_paid(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    seeded(sandbox, "sandbox-payouts.json", settings={"transfer_ttl": 0})

    ran = onboard.run(quick, "--clients", EXAMPLES / "payouts.csv", "--limit", 1)

    assert {"rejected": 1} == ran.totals, ran.story
    assert "fin.not-settled" == ran.problem("client_3201")["code"]
    assert "Transfer is expired" in ran.problem("client_3201")["message"]
    assert 200_000 == sandbox.state["balance"]

    sandbox.load(settings={"transfer_ttl": 600})
    again = onboard.run(quick, "--clients", EXAMPLES / "payouts.csv", "--limit", 1, "--batch", "again")
    assert 0 == again.code, again.story
    assert [500] == paid(sandbox)


def test_a_payout_that_the_balance_did_not_cover_is_paid_by_retry(
    onboard: Onboard, sandbox: Sandbox, quick: Path
) -> None:
    seeded(sandbox, "sandbox-payouts.json", balance=499)
    ran = onboard.run(quick, "--clients", EXAMPLES / "payouts.csv", "--limit", 1)
    assert {"rejected": 1} == ran.totals, ran.story

    sandbox.act("fund", {"amount": 1})
    paid_now = onboard("retry", "--report-json", "report.json")

    assert 0 == paid_now.code, paid_now.story
    assert [500] == paid(sandbox)
    assert 1 == sandbox.asked("transfers.create")
