"""Rows become clients: typed, named, chosen, and told with their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.load.clients import Choice, Clients, kind_of_file, read_clients
from runner.load.playbook import SUFFIX, load
from runner.load.rows import read_rows
from runner.load.rows_csv import Table
from runner.model.playbook import ClientsRule, Playbook

PLAYBOOK = Playbook("p.playbook.yaml", "", "a-name", "coinmena", (), clients=ClientsRule({}, "id"))


def clients(data: str, select: str = "", limit: int | None = None, path: str = "c.jsonl") -> Clients:
    return read_clients(PLAYBOOK, {}, "batch", Choice(select=select, limit=limit), path, data.encode())


def keys(found: Clients) -> list[str]:
    return [client.key for client in found.clients]


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("a.CSV", b"", "csv"),
        ("a.ndjson", b"", "jsonl"),
        ("a.xlsx", b"", None),
        ("-", b'\xef\xbb\xbf {"id": 1}', "jsonl"),
        ("-", b"\n[{}]", "json"),
        ("-", b"id,name\n", "csv"),
        ("-", b"", "csv"),
    ],
)
def test_a_kind_is_known_by_its_ending_or_its_first_character(path: str, data: bytes, expected: str | None) -> None:
    assert expected == kind_of_file(path, data)


def test_standard_input_has_a_name() -> None:
    (problem,) = clients("id,name\na\n", path="-").problems
    assert problem.location is not None
    assert "<stdin>" == problem.location.path


def test_who_is_chosen_keeps_the_order() -> None:
    rows = '{"id": "a", "n": 1}\n{"id": "b"}\n{"id": "c", "n": 3}\n{"id": 4, "n": 1}\n'
    assert ["a", "b", "c", "4"] == keys(clients(rows))
    assert ["a", "4"] == keys(clients(rows, "client.n == 1"))
    assert ["a", "b"] == keys(clients(rows, limit=2))
    assert [] == keys(clients(rows, "client.n == 7"))


# "b" has neither n nor an address, "d" lives where nobody said.
SOME = (
    '{"id": "a", "n": 1, "tags": ["x"], "address": {"city": "Manama"}}\n{"id": "b", "m": 5}\n'
    '{"id": "c", "n": 3, "tags": []}\n{"id": "d", "n": 1, "m": 5, "address": {}}\n'
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("client.n == 1", ["a", "d"]),
        ("client.n != 1", ["b", "c"]),
        ("not client.n == 1", ["b", "c"]),
        ("client.n == 1 or client.m == 5", ["a", "b", "d"]),
        ("client.m == 5 or client.n == 1", ["a", "b", "d"]),
        ("client.n == 1 and client.m == 5", ["d"]),
        ("client.n < 5", ["a", "c", "d"]),
        ("not client.n < 5", ["b"]),
        ("client.n in [1, 2]", ["a", "d"]),
        ("client.n not in [1, 2]", ["b", "c"]),
        ("'x' in client.tags", ["a"]),
        ("'x' not in client.tags", ["b", "c", "d"]),
        ("0 < client.n < 2", ["a", "d"]),
        ("client.n == client.n", ["a", "c", "d"]),
        ("client.n", ["a", "c", "d"]),
        ("not client.n", ["b"]),
        ("client.tags | length > 0", ["a"]),
        ("client.address.city == 'Manama'", ["a"]),
        ("client.address.city != 'Manama'", ["b", "c", "d"]),
        ("client.address.city.startswith('M')", ["a"]),
        ("client.n is defined", ["a", "c", "d"]),
        ("client.nickname is not defined", ["a", "b", "c", "d"]),
        ("client.n | default(1) == 1", ["a", "b", "d"]),
        ("client.m == 5 if client.n else client.id == 'b'", ["b", "d"]),
        ("client.note != 'x'", ["a", "b", "c", "d"]),
    ],
)
def test_what_a_row_lacks_is_equal_to_nothing(expression: str, expected: list[str]) -> None:
    playbook = replace(PLAYBOOK, clients=ClientsRule({"properties": {"note": {"type": "string"}}}, "id"))
    found = read_clients(playbook, {}, "batch", Choice(select=expression), "c.jsonl", SOME.encode())
    assert (expected, ()) == (keys(found), found.problems)


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("client.n == 1 or client.idd != 5", 'no client has a field "idd"', 'did you mean "id"?'),
        ("client.address.cty == 'a'", 'no client has a field "address.cty"', 'did you mean "city"?'),
        ("client.id.first == 'a'", 'no client has a field "id.first"', ""),
        ("client.country == 'a'", 'no client has a field "country"', "known here: address, id, m, n, tags"),
    ],
)
def test_a_selection_by_a_field_that_nobody_has_is_told(expression: str, message: str, hint: str) -> None:
    (problem,) = clients(SOME, expression).problems
    assert ("clients.select", f"--select: {message}") == (problem.code, problem.message)
    assert problem.hint.startswith(hint or "write an expression over the client")


def test_a_column_of_empty_cells_may_be_selected_by() -> None:
    data = "id,note,address.city\na,,\nb,,\n"
    assert ["a", "b"] == keys(clients(data, "client.note != 'x'", path="c.csv"))
    assert ["a", "b"] == keys(clients(data, "client.address.city != 'x'", path="c.csv"))
    (problem,) = clients(data, "client.adress.city != 'x'", path="c.csv").problems
    assert 'did you mean "address"?' == problem.hint


def test_a_selection_that_fails_is_told() -> None:
    (problem,) = clients('{"id": "a", "n": []}\n', "client.n + 1 > 2").problems
    assert "clients.select" == problem.code


def test_a_key_is_text_or_a_whole_number() -> None:
    found = clients('{"id": true}\n{"id": ""}\n{"id": [1]}\n{"id": "x"}\n')
    assert ["clients.no-key"] * 3 == [problem.code for problem in found.problems]
    assert ["line 1", "line 2", "line 3"] == [entry.key for entry in found.rejected]
    assert ["x"] == keys(found)


def test_a_playbook_without_clients_runs_once() -> None:
    found = read_clients(Playbook("p", "", "catalogue", "coinmena", ()), {}, "batch", Choice())
    assert ["catalogue"] == keys(found)


def test_inline_clients_built_by_hand_have_no_place() -> None:
    playbook = Playbook("p", "", "a-name", "coinmena", (), clients=ClientsRule({}, "id", [{"id": "a"}, {}]))
    found = read_clients(playbook, {}, "batch", Choice())
    assert ["a"] == keys(found)
    assert ["p"] == [str(problem.location) for problem in found.problems]


def test_inline_clients_stand_on_their_own_lines(tmp_path: Path) -> None:
    path = tmp_path / f"p{SUFFIX}"
    path.write_text(
        "playbook: 1\nname: a\nprovider: coinmena\nclients:\n  key: id\n  items:\n    - id: one\n      name: x\n"
        "    - {name: y, id: two}\nsteps:\n  - {id: assets, call: public.assets}\n"
    )
    loaded = load(path)
    assert loaded.playbook is not None
    one, two = read_clients(loaded.playbook, {}, "batch", Choice()).clients
    assert [7, 9] == [one.line, two.line]
    places = [client.place(name) for client in (one, two) for name in ("id", "name")]
    assert [(7, 11), (7, 7), (9, 21), (9, 14)] == [(place.line, place.column) for place in places if place]
    assert ["", ""] == [client.location.line_text for client in (one, two) if client.location]


def test_an_entry_that_is_absent_does_not_exist() -> None:
    funding = [{"deposit": "{{ client.deposit | optional }}"}, {"deposit": "5", "asset": "USD"}]
    documents = [{"type": "{{ client.kind | optional }}", "front": "{{ client.front | optional }}"}]
    playbook = Playbook(
        "p", "", "a", "coinmena", (), clients=ClientsRule({}, "id"), documents=documents, funding=funding
    )
    (client,) = read_clients(playbook, {}, "batch", Choice(), "c.jsonl", b'{"id": "a"}').clients
    assert ([], [{"deposit": "5", "asset": "USD"}]) == (client.documents, client.funding)


def test_yaml_rows_are_told_without_their_words() -> None:
    for data, code in (("null", "clients.empty"), ("a: !x 1", "yaml.tag"), ("- *ada", "yaml.unknown-alias")):
        file = read_rows("c.yaml", data.encode(), "yaml")
        assert code in {problem.code for problem in file.problems}
        assert "ada" not in "".join(problem.message for problem in file.problems)
    (row,) = read_rows("c.yaml", b"- id: a\n  name: b\n", "yaml").rows
    assert [1, 7, 1] == [row.location(name).column for name in ("", "id", "name")]


def test_a_column_that_is_not_there_is_the_first() -> None:
    table = Table("c.csv", "id,name\na\n", ("id", "name"))
    assert [1, 1, 1] == [table.column(2, name) for name in ("nobody", "id", "name")]
