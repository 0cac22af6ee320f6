"""The shipped examples and playbooks, run as a user runs them, held against the sandbox's own books."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from stage import BOTH, EXAMPLES, FUND, ONBOARD, Onboard, Ran, Sandbox, csv_text, nested, person

ROWS = list(csv.DictReader((EXAMPLES / "clients.csv").read_text("utf-8").splitlines()))
TYPES = (
    "government_id",
    "proof_of_address",
    "residency_visa",
    "source_of_funds",
    "bank_statement",
    "inquiry_report",
)
FILES = ("id_front", "address_proof", "visa_file", "funds_file", "statement_file", "report_file")


def amounts(column: str) -> dict[str, Decimal]:
    return {row["partner_client_id"]: Decimal(row[column]) for row in ROWS if row[column]}


def booked(sandbox: Sandbox, kind: str) -> dict[str, Decimal]:
    return {client: abs(moved[kind]) for (client, _), moved in sandbox.ledger.items() if kind in moved}


def assert_everybody_done(ran: Ran, count: int) -> None:
    assert 0 == ran.code, ran.story
    assert {"done": count} == ran.totals


def test_twenty_five_people_are_onboarded_and_funded_to_the_cent(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(BOTH, "--clients", EXAMPLES / "clients.csv")

    assert_everybody_done(ran, 25)
    assert amounts("deposit") == booked(sandbox, "deposit")
    assert amounts("withdrawal") == booked(sandbox, "withdrawal")
    told = ran.report["totals"]["money"]["USD"]
    assert sum(amounts("deposit").values()) == Decimal(told["deposits"])
    assert sum(amounts("withdrawal").values()) == Decimal(told["withdrawals"])
    assert [row["partner_client_id"] for row in ROWS] == [client["key"] for client in ran.report["clients"]]
    assert list(range(2, 27)) == [client["line"] for client in ran.report["clients"]]
    assert ran.report["totals"]["requests"] == sandbox.requests


def test_every_cell_arrives_as_it_stands_in_the_file(onboard: Onboard, sandbox: Sandbox) -> None:
    assert 0 == onboard.run(ONBOARD, "--clients", EXAMPLES / "clients.csv").code

    for row in ROWS:
        made = sandbox.clients[row["partner_client_id"]]
        for name in ("name", "email", "birth_date", "government_id_number", "residency_id", "trading_volume"):
            assert row[name] == made[name]
        for name in ("street", "city", "postal_code", "unit"):
            assert (row[f"address.{name}"] or None) == made["address"].get(name)
        assert row["account_purpose"].split(";") == made["account_purpose"]
    on_file = sorted((document["partner_client_id"], document["type"]) for document in sandbox.documents)
    types = dict(zip(FILES, TYPES, strict=True))
    wanted = sorted((row["partner_client_id"], types[name]) for row in ROWS for name in FILES if row.get(name))
    assert wanted == on_file


def test_one_playbook_onboards_and_another_funds_the_same_people(onboard: Onboard, sandbox: Sandbox) -> None:
    assert_everybody_done(onboard.run(ONBOARD, "--clients", EXAMPLES / "clients.csv"), 25)
    assert {} == sandbox.ledger

    ran = onboard.run(FUND, "--clients", EXAMPLES / "funding.csv")

    assert_everybody_done(ran, 25)
    assert amounts("deposit") == booked(sandbox, "deposit")
    assert amounts("withdrawal") == booked(sandbox, "withdrawal")


def test_the_same_file_again_adopts_everything_and_moves_nothing(onboard: Onboard, sandbox: Sandbox) -> None:
    words = (BOTH, "--clients", EXAMPLES / "clients.csv", "--limit", 5)
    first = onboard.run(*words)
    before = (sandbox.ledger, len(sandbox.documents), len(sandbox.clients))

    again = onboard.run(*words)
    elsewhere = onboard.run(*words, "--state", "another-laptop")

    for ran in (again, elsewhere):
        assert_everybody_done(ran, 5)
        assert 5 == ran.report["totals"]["adopted"]
        assert before == (sandbox.ledger, len(sandbox.documents), len(sandbox.clients))
        for kinds in ran.report["totals"]["money"].values():
            assert {"0.00"} == set(kinds.values())
    references = [first.step("user_1001", "deposit")["references"], again.step("user_1001", "deposit")["references"]]
    assert references[0] == references[1]


def test_a_new_batch_is_a_new_payment(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1))
    onboard.run(BOTH, "--clients", clients)

    ran = onboard.run(BOTH, "--clients", clients, "--batch", "march")

    assert 0 == ran.code, ran.story
    assert "march" == ran.report["run"]["batch"]
    assert Decimal("200.00") == sandbox.ledger["user_1", "USD"]["deposit"]


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "yaml"])
def test_clients_come_in_every_kind_of_file(onboard: Onboard, sandbox: Sandbox, kind: str) -> None:
    people = [person(1, account_purpose="short_term_trading;converting_crypto_to_fiat"), person(2)]
    onboard.clients(*people)
    objects = [nested(row) for row in people]
    text = {
        "csv": csv_text(people),
        "json": json.dumps(objects),
        "yaml": json.dumps(objects, indent=2),
    }.get(kind, "".join(json.dumps(body) + "\n" for body in objects))

    ran = onboard.run(BOTH, "--clients", onboard.write(f"people.{kind}", text))

    assert_everybody_done(ran, 2)
    assert ["short_term_trading", "converting_crypto_to_fiat"] == sandbox.clients["user_1"]["account_purpose"]
    assert Decimal("100.00") == sandbox.ledger["user_2", "USD"]["balance"]


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_clients_come_from_standard_input(onboard: Onboard, sandbox: Sandbox, kind: str) -> None:
    people = [person(1), person(2)]
    onboard.clients(*people)
    objects = [nested(row) for row in people]
    text = {
        "csv": csv_text(people),
        "json": json.dumps(objects),
        "jsonl": "".join(json.dumps(body) + "\n" for body in objects),
    }[kind]

    ran = onboard.run(BOTH, "--clients", "-", stdin=text)

    assert_everybody_done(ran, 2)
    assert {"user_1", "user_2"} == set(sandbox.clients)


def test_the_jsonl_example_runs(onboard: Onboard, sandbox: Sandbox) -> None:
    assert_everybody_done(onboard.run(BOTH, "--clients", EXAMPLES / "clients.jsonl"), 3)


def test_clients_may_stand_in_the_playbook(onboard: Onboard, sandbox: Sandbox) -> None:
    text = BOTH.read_text("utf-8").replace(
        "  key: partner_client_id\n", f"  key: partner_client_id\n  items: {json.dumps([nested(person(1))])}\n"
    )
    onboard.clients(person(1))

    ran = onboard.run(onboard.write("inline.playbook.yaml", text))

    assert_everybody_done(ran, 1)


@pytest.mark.parametrize(("mark", "ending"), [("\ufeff", "\n"), ("", "\r\n")])
def test_a_file_saved_by_a_spreadsheet_is_read(onboard: Onboard, sandbox: Sandbox, mark: str, ending: str) -> None:
    text = mark + csv_text([person(1), person(2)]).replace("\n", ending)
    onboard.clients(person(1))

    ran = onboard.run(ONBOARD, "--clients", onboard.write("people.csv", text.encode()))

    assert_everybody_done(ran, 2)
    assert "short_term_trading" == sandbox.clients["user_2"]["account_purpose"][0]


@pytest.mark.parametrize(
    "cell", ["{{ 7*7 }}", "=cmd()", "+1 and more", "@name", "-", "{% if %}", "'quoted", "NO", "007"]
)
def test_a_cell_is_data_and_sent_as_it_is(onboard: Onboard, sandbox: Sandbox, cell: str) -> None:
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1, address__city=cell)))

    assert_everybody_done(ran, 1)
    assert cell == sandbox.clients["user_1"]["address"]["city"]


def test_a_playbook_of_reads_alone_needs_no_clients(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    text = """\
playbook: 1
name: catalogue
provider: coinmena
steps:
  - id: countries
    call: public.countries
    expect: [count(items) > 0]
"""
    ran = onboard.run(onboard.write("catalogue.playbook.yaml", text))

    assert_everybody_done(ran, 1)
    assert {"public.countries": 1} == sandbox.state["requests"]
