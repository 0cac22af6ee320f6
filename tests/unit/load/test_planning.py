"""A plan knows every call, and places what is wrong on the cell it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.load.clients import Choice
from runner.load.names import required_client_fields
from runner.load.playbook import SUFFIX, load
from runner.model.problem import Problem, ProblemError
from runner.prepare import Prepared, Wish, prepare

HEAD = """\
playbook: 1
name: a-name
provider: coinmena
inputs: {amount: {type: string, default: "5.00"}}
clients: {key: id}
limits: {money: {USD: {per_client: "10.00", per_run: "15.00"}}}
documents:
  - {type: government_id, front: "{{ client.front | optional }}"}
funding:
  - {deposit: "{{ client.deposit | optional }}", asset: USD}
steps:
"""
DEPOSIT = """\
  - id: deposit
    for_each: "{{ funding | selectattr('deposit', 'defined') }}"
    call: deposits.create
    with: {partner_client_id: "{{ client.id }}", asset_id: "{{ item.asset }}", amount: "{{ item.deposit }}"}
"""


def planned(folder: Path, steps: str, rows: str, env: Mapping[str, str] | None = None, name: str = "c.csv") -> Prepared:
    (folder / f"p{SUFFIX}").write_text(HEAD + steps)
    (folder / name).write_text(rows)
    wish = Wish(folder / f"p{SUFFIX}", str(folder / name), choice=Choice(), documents=str(folder))
    return prepare(wish, env or {})


def refused(folder: Path, steps: str, rows: str, name: str = "c.csv") -> tuple[Problem, ...]:
    with pytest.raises(ProblemError) as raised:
        planned(folder, steps, rows, name=name)
    return raised.value.problems


def place(problem: Problem) -> tuple[str, int, int]:
    assert problem.location is not None
    return Path(problem.location.path).name, problem.location.line, problem.location.column


def test_more_than_a_cap_is_a_guard_not_a_mistake(tmp_path: Path) -> None:
    prepared = planned(tmp_path, DEPOSIT, "id,deposit\na,10.00\nb,10.01\n")
    assert ["money.cap", "money.cap"] == [problem.code for problem in prepared.planned.guards]
    client, run = prepared.planned.guards
    assert 'client "b" would move 10.01 USD, more than the cap of 10.00 for a client' == client.message
    assert "the run would move 20.01 USD, more than the cap of 15.00 for a run" == run.message


def test_a_wrong_amount_is_placed_on_its_cell(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, DEPOSIT, "id,note,deposit\na,x,ten\n")
    assert ("with.pattern", ("c.csv", 2, 5)) == (problem.code, place(problem))
    (problem,) = refused(tmp_path, DEPOSIT.replace("item.deposit", "client.deposit"), "id,note,deposit\na,x,ten\n")
    assert ("with.pattern", ("c.csv", 2, 5)) == (problem.code, place(problem))


TWO_COLUMNS = """\
  - id: client
    call: clients.update
    with: {id: "{{ client.id }}", first_name: A, last_name: B, email: "{{ client.mail.first }}",
      birth_date: "{{ client.born }}", address: {street_line1: A, city: B, state: C, postal_code: D, country: ARG}}
"""
BAD = [
    {"id": "rule", "born": "1990-02-30", "mail": {"first": "a@example.com"}},
    {"id": "form", "born": "1990-01-31", "mail": {"first": "nobody"}},
    {"id": "lacks", "mail": {"first": "a@example.com"}},
    {"id": "fine", "born": "1990-01-31", "mail": {"first": "a@example.com"}},
]
BAD_CSV = """\
id,born,mail.first
rule,1990-02-30,a@example.com
form,1990-01-31,nobody
lacks,,a@example.com
fine,1990-01-31,a@example.com
"""
BAD_ROWS = {
    "c.csv": BAD_CSV,
    "c.json": json.dumps(BAD),
    "c.jsonl": "".join(json.dumps(row) + "\n" for row in BAD),
    "c.yaml": "".join(f"- {json.dumps(row)}\n" for row in BAD),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_rejected_row_names_the_field_that_its_request_took(tmp_path: Path, name: str) -> None:
    head = HEAD.replace("provider: coinmena", "provider: cryptomate")
    (tmp_path / f"p{SUFFIX}").write_text(head + TWO_COLUMNS)
    (tmp_path / name).write_text(BAD_ROWS[name])
    wish = Wish(tmp_path / f"p{SUFFIX}", str(tmp_path / name), skip_invalid=True)
    prepared = prepare(wish, {})

    expected = [
        ("rule", "born", "with.rule"),
        ("form", "mail.first", "with.pattern"),
        ("lacks", "born", "template.undefined"),
    ]
    assert expected == [(entry.key, entry.field, entry.problem.code) for entry in prepared.rejected]
    assert ["fine"] == [entry.client.key for entry in prepared.planned.plan.clients]


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_rejected_row_names_the_field_that_its_schema_refuses(tmp_path: Path, name: str) -> None:
    schema = """
  schema:
    properties:
      born: {type: string, x-date: true}
      mail: {properties: {first: {type: string, pattern: "@"}}}
    required: [born]
"""
    head = HEAD.replace("clients: {key: id}", f"clients:{schema}  key: id")
    (tmp_path / f"p{SUFFIX}").write_text(head + "  - {id: look, call: public.assets}\n")
    (tmp_path / name).write_text(BAD_ROWS[name])
    prepared = prepare(Wish(tmp_path / f"p{SUFFIX}", str(tmp_path / name), skip_invalid=True), {})

    expected = [
        ("rule", "born", "clients.rule"),
        ("form", "mail.first", "clients.pattern"),
        ("lacks", "born", "clients.missing-key"),
    ]
    assert expected == [(entry.key, entry.field, entry.problem.code) for entry in prepared.rejected]


def test_a_row_that_documents_can_not_be_read_from_names_its_field(tmp_path: Path) -> None:
    head = HEAD.replace("{{ client.front | optional }}", "{{ client.papers.front }}")
    (tmp_path / f"p{SUFFIX}").write_text(head + "  - {id: look, call: public.assets}\n")
    (tmp_path / "c.jsonl").write_text('{"id": "a", "papers": {"back": "b.jpg"}}\n{"id": "b"}\n')
    prepared = prepare(Wish(tmp_path / f"p{SUFFIX}", str(tmp_path / "c.jsonl"), skip_invalid=True), {})

    assert ["papers.front", "papers"] == [entry.field for entry in prepared.rejected]


def test_what_the_playbook_writes_is_placed_there(tmp_path: Path) -> None:
    steps = DEPOSIT.replace('"{{ item.deposit }}"', '"{{ (inputs.amount | decimal) + 1 }}x"')
    (problem,) = refused(tmp_path, steps, "id,deposit\na,1.00\n")
    assert ("with.pattern", f"p{SUFFIX}") == (problem.code, place(problem)[0])
    steps = DEPOSIT.replace('"{{ item.deposit }}"', "\"{{ item.deposit ~ 'x' }}\"")
    (problem,) = refused(tmp_path, steps, "id,deposit\na,1.00\n")
    assert ("with.pattern", ("c.csv", 2, 1)) == (problem.code, place(problem))
    steps = DEPOSIT.replace('"{{ item.deposit }}"', "\"{{ funding[0].deposit ~ 'x' }}\"")
    (problem,) = refused(tmp_path, steps, "id,deposit\na,1.00\n")
    assert ("with.pattern", ("c.csv", 2, 1)) == (problem.code, place(problem))


def test_what_the_row_lacks_is_told_with_the_step(tmp_path: Path) -> None:
    steps = '  - {id: look, call: clients.get, with: {partner_client_id: "{{ client.other }}"}}\n'
    (problem,) = refused(tmp_path, steps, '{"id": "a"}\n', "c.jsonl")
    assert ("template.undefined", True) == (problem.code, 'of client "a"' in problem.message)
    steps = '  - {id: look, call: clients.get, with: {partner_client_id: "{{ client.id | optional }}"}}\n'
    rows = '{"id": "a"}\n'
    assert 1 == len(planned(tmp_path, steps, rows, name="c.jsonl").planned.plan.clients)
    (problem,) = refused(tmp_path, steps.replace("client.id", "client.other"), rows, "c.jsonl")
    assert ("with.missing-key", f"p{SUFFIX}") == (problem.code, place(problem)[0])


def test_files_of_a_raw_request_are_looked_at_too(tmp_path: Path) -> None:
    steps = """\
  - id: raw
    effect: write
    request: {method: POST, path: /x, form: {a: 1}, files: {front: "{{ client.front }}", back: fixed.jpg}}
"""
    front, back = refused(tmp_path, steps, "id,front\na,nowhere.jpg\n")
    assert (["documents.missing"] * 2, ("c.csv", 2, 3)) == ([front.code, back.code], place(front))
    assert f"p{SUFFIX}" == place(back)[0]


def test_what_is_known_later_is_left_open(tmp_path: Path) -> None:
    steps = """\
  - id: look
    call: clients.get
    with: {partner_client_id: "{{ client.id }}"}
    outputs: {ref: name, number: id}
  - id: orders
    call: orders.list
    with: {partner_client_id: "{{ client.id }}", from_datetime: "{{ steps.look.ref }}"}
  - id: order
    call: orders.get
    with: {id: "{{ steps.look.number }}"}
  - id: deposit
    call: deposits.create
    with: {partner_client_id: "{{ client.id }}", asset_id: USD, amount: "{{ steps.look.ref }}"}
  - id: upload
    for_each: documents
    call: documents.upload
    with: {partner_client_id: "{{ client.id }}", type: "{{ item.type }}", front_file: "{{ item.front }}"}
  - id: same
    reconcile: {from: "2024-01-01T00:00:00Z"}
"""
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 60)
    prepared = planned(tmp_path, steps, "id,front\na,a.jpg\nb,a.jpg\n")
    assert ("a.jpg",) == prepared.planned.files
    calls = {call.step: call for call in prepared.planned.plan.clients[0].calls}
    assert "from_datetime=(known after look)" in calls["orders"].path
    assert "(known after look)" in calls["order"].path
    assert calls["deposit"].moves is None
    assert "(known after look)" == calls["deposit"].body["amount"]
    assert "GET" == calls["same"].method


def test_an_asset_without_a_cap_is_told_once_it_is_known(tmp_path: Path) -> None:
    steps = DEPOSIT.replace("{{ item.asset }}", "{{ client.asset }}")
    (problem,) = refused(tmp_path, steps, "id,deposit,asset\na,1.00,AED\n")
    assert ("money.no-cap", ("c.csv", 2, 8)) == (problem.code, place(problem))


def test_the_fields_that_a_row_must_have(tmp_path: Path) -> None:
    steps = """\
  - id: look
    call: clients.get
    with: {partner_client_id: "{{ client.id }}-{{ client.a.b }}"}
    expect: ["name == {{ client.name }}", status == verified]
  - id: maybe
    when: [client.vip exists]
    call: clients.get
    with: {partner_client_id: "{{ client.vip }}"}
"""
    path = tmp_path / f"p{SUFFIX}"
    path.write_text(HEAD + steps)
    loaded = load(path)
    assert loaded.playbook is not None, loaded.problems
    assert ["id", "a.b", "name"] == required_client_fields(loaded.playbook)
