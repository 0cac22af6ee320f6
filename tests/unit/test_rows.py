"""Clients files: what is read, what is refused, and that nobody's data is echoed."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.load.convert import convert
from runner.load.rows import Kind, RowsFile, escape_cell, read_rows
from runner.model.problem import Location


def told(file: RowsFile) -> list[tuple[str, int, int, str]]:
    places = [(problem, problem.location) for problem in file.problems]
    return [(problem.code, place.line, place.column, problem.message) for problem, place in places if place]


def test_dotted_headers_nest_and_empty_is_absent() -> None:
    file = read_rows("c.csv", b"\xef\xbb\xbfid,address.city,phone\r\n007,Manama,+973331\r\n\r\n8,,\r\n", "csv")
    assert () == file.problems
    assert ("id", "address.city", "phone") == file.columns
    assert [
        (2, {"id": "007", "address": {"city": "Manama"}, "phone": "+973331"}),
        (4, {"id": "8"}),
    ] == [(row.line, row.cells) for row in file.rows]
    assert [("007", "Manama", "+973331"), ("8", "", "")] == [row.raw for row in file.rows]


def test_lines_and_columns_are_those_of_the_editor() -> None:
    file = read_rows("c.csv", 'a,b,c\n"1\n2",x,y\né,"q, ""r""",z\n'.encode(), "csv")
    first, second = file.rows
    assert [2, 4] == [first.line, second.line]
    assert {"a": "é", "b": 'q, "r"', "c": "z"} == second.cells
    assert Location("c.csv", 4, 14) == second.location("c")
    assert Location("c.csv", 4, 3) == second.location("b")
    assert Location("c.csv", 2, 1) == first.location("b")  # begins on a later line
    assert Location("c.csv", 4, 1) == second.location("nowhere") == second.location()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", [("clients.empty", 0, 0, "found an empty file, expected a header row")]),
        (b"a,b\n", [("clients.empty", 0, 0, "found no rows, expected one per client")]),
        (b"a,b\n1\n1,2,3\n1,2\n", [("clients.ragged", 2, 1, "found 1 cell, expected 2"),
                                   ("clients.ragged", 3, 1, "found 3 cells, expected 2")]),
        (b"a,b,a\n1,2,3\n", [("clients.header", 1, 5, 'duplicate column "a", first given as column 1')]),
        (b"a,,b\n1,2,3\n", [("clients.header", 1, 3, "column 2 has no name")]),
        (b"a,b..c\n1,2\n", [("clients.header", 1, 3, 'column "b..c" has an empty part in its name')]),
        (b"a.b,a\n1,2\n", [("clients.header", 1, 1, 'column "a.b" stands beside "a", expected one of them')]),
        (b"a;b\n1;2\n", [("clients.header", 1, 1, "found a header with semicolons, expected commas")]),
        (b"a,b\n1,\xe9\n", [("clients.encoding", 2, 3, "found byte 0xe9 at offset 6, expected UTF-8")]),
        (b"a,b\n1,\x00\n", [("clients.encoding", 2, 3, "found a NUL character, expected text")]),
        (b'a,b\n1,2\n3,"4\n5,6\n',
         [("clients.quote", 3, 3, "found no closing quote for the quote that opens here")]),
        (b'a,b\n1,"2"x\n',
         [("clients.quote", 2, 3,
           "found text after the closing quote of the cell that begins here, expected a comma")]),
        (b"a\n" + b"x" * 200_000,
         [("clients.too-large", 2, 1, "found a cell of more than 131,072 characters")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_csv_is_told_with_its_place(
    data: bytes, expected: list[tuple[str, int, int, str]]
) -> None:
    assert expected == told(read_rows("c.csv", data, "csv"))


def test_a_ragged_row_is_kept_with_its_problem_and_blames_no_file() -> None:
    file = read_rows("c.csv", b"a,b\n1\n1,2\n", "csv")
    assert [1, 0] == [len(row.problems) for row in file.rows]
    assert () == file.file_problems


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "'\rx"), ("+cmd", "'+cmd"), ("-", "'-"),
        ("-1+1", "'-1+1"),
        ("+97333", "+97333"), ("-1.5", "-1.5"), ("'=x", "''=x"), ("it's", "it's"), ("''", "''"), ("", ""),
    ],
)  # fmt: skip
def test_a_cell_that_a_spreadsheet_would_run_is_escaped(cell: str, expected: str) -> None:
    assert expected == escape_cell(cell)


CELL = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.from_regex(
    r"\A'{0,2}[=@+\-\t\r]?[0-9a-z\"',\n]{0,3}\Z"
)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=5))
def test_what_is_escaped_and_written_reads_back(table: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b.c"])
    writer.writerows([[escape_cell(cell) for cell in record] for record in table])
    file = read_rows("c.csv", text.getvalue().encode(), "csv")
    assert () == file.problems
    assert [tuple(record) for record in table] == [row.raw for row in file.rows]
    for row in file.rows:
        assert row.location("b.c").line == row.line


@given(st.binary(max_size=200) | st.text(alphabet='a,;"\n\r\t{}[]:1\\u', max_size=60).map(str.encode),
       st.sampled_from(["csv", "json", "jsonl", "yaml"]))  # fmt: skip
def test_any_bytes_give_rows_or_problems_that_echo_nothing(data: bytes, kind: Kind) -> None:
    file = read_rows("c", data, kind)
    assert file.rows or file.problems
    for problem in file.problems:
        assert problem.location is not None
        assert "" == problem.location.line_text


def test_json_lines_are_told_line_by_line() -> None:
    data = b'{"id": "a", "n": 1.50}\n\n[1]\n{"id": 1, "id": 2}\n{"id": }\n{}{}\n{"n": NaN}\n{"n": "\\ud800"}\n'
    file = read_rows("c.jsonl", data, "jsonl")
    assert {"id": "a", "n": Decimal("1.50")} == file.rows[0].cells
    assert [
        ("clients.not-a-mapping", 3, 1, "row is a list, expected a mapping"),
        ("clients.duplicate-key", 4, 1, 'duplicate key "id"'),
        ("clients.syntax", 5, 8, "found text that is not JSON: expected a value"),
        ("clients.syntax", 6, 3, "found text that is not JSON: expected nothing more"),
        ("clients.syntax", 7, 1, "found NaN, expected a number"),
        ("clients.syntax", 8, 1, "found half of a character (a lone surrogate)"),
    ] == told(file)
    assert [1, 3, 4, 5, 6, 7, 8] == [row.line for row in file.rows]


@pytest.mark.parametrize(
    ("data", "lines", "expected"),
    [
        (b'[\n {"a": 1},\n\n {"a": "x\\ny"}\n]\n', [2, 4], []),
        (b"[]", [], [("clients.empty", 0, 0, "found no rows, expected one per client")]),
        (b"", [], [("clients.empty", 0, 0, "found an empty file, expected a list of mappings")]),
        (b"{}", [], [("clients.syntax", 0, 0, "found a mapping, expected a list of mappings")]),
        (b'[{"a": 1}\n{"a": 2}]', [1],
         [("clients.syntax", 2, 1, 'found text that is not JSON: expected "," or the end of the value')]),
        (b'[{"a": 1}] x', [1],
         [("clients.syntax", 1, 12, "found text that is not JSON: expected nothing more")]),
        (b'[{"a": 1}, 2]', [1, 1], [("clients.not-a-mapping", 1, 1, "row is a number, expected a mapping")]),
        (b'[{"a": ' + b"[" * 100 + b"]" * 100 + b"}]", [],
         [("clients.syntax", 1, 2, "found more than 64 levels")]),
        (b"[" * 100_000, [], [("clients.syntax", 1, 2, "found more than 64 levels")]),
        (b'[{"a": ' + b"1" * 5000 + b"}]", [],
         [("clients.syntax", 1, 2, "found a number of too many digits")]),
        (b'[{"a": 1e99999999999}]', [], [("clients.syntax", 1, 2, "found a number of too many digits")]),
    ],
)  # fmt: skip
def test_a_json_list_keeps_the_line_of_each_item(
    data: bytes, lines: list[int], expected: list[tuple[str, int, int, str]]
) -> None:
    file = read_rows("c.json", data, "json")
    assert lines == [row.line for row in file.rows]
    assert expected == told(file)


def test_a_yaml_list_of_mappings() -> None:
    file = read_rows("c.yaml", b"- id: a\n  born: 1990-01-02\n- {id: 012, city: Manama}\n- 7\n", "yaml")
    assert [(1, {"id": "a", "born": "1990-01-02"}), (3, {"id": "012", "city": "Manama"}), (4, {})] == [
        (row.line, row.cells) for row in file.rows
    ]
    assert 19 == file.rows[1].location("city").column
    assert [("clients.not-a-mapping", 4, 1, "row is a number, expected a mapping")] == told(file)


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "yaml"])
def test_nobody_is_named_in_a_problem(kind: Kind) -> None:
    data = b'a,b\nLovelace,"Ada" x\n- id: "Ada" Lovelace "x", expected\n{"a": Lovelace}\n'
    for problem in read_rows("c", data, kind).problems:
        assert "Lovelace" not in f"{problem} {problem.hint}"
        assert "Ada" not in f"{problem} {problem.hint}"
    for text in (
        b"- a: *Ada\n",
        b'- a: "x Ada "Lovelace" y\n',
        b"- a: 1\nAda Lovelace\n",
        b"- {{ Ada }}\n",
        b"- !Ada x",
    ):
        (problem,) = read_rows("c", text, "yaml").problems[:1]
        assert "Ada" not in f"{problem} {problem.hint}"
    assert "Lovelace" not in repr(read_rows("c", b"a,b\nLovelace,Ada\n", "csv"))


SCHEMA: dict[str, Any] = {
    "properties": {
        "id": {"type": "string"},
        "age": {"type": "integer"},
        "share": {"type": ["number", "null"]},
        "note": {"type": ["string", "null"]},
        "active": {"type": "boolean"},
        "tags": {"type": "array"},
        "scores": {"type": "array", "items": {"type": "integer"}},
        "address": {"type": "object", "properties": {"floor": {"type": "integer"}}},
    }
}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"id": "007"}, {"id": "007"}),
        ({"age": " 42 "}, {"age": 42}),
        ({"share": "12.50"}, {"share": Decimal("12.50")}),
        ({"share": "null"}, {"share": None}),
        ({"note": "null"}, {"note": "null"}),
        ({"active": "TRUE"}, {"active": True}),
        ({"active": "false"}, {"active": False}),
        ({"tags": " a; b;;c "}, {"tags": ["a", "b", "c"]}),
        ({"scores": "1;2"}, {"scores": [1, 2]}),
        ({"address": {"floor": "3", "city": "1"}}, {"address": {"floor": 3, "city": "1"}}),
        ({"unknown": "012"}, {"unknown": "012"}),
        ({"already": 1}, {"already": 1}),
    ],
)
def test_cells_take_the_types_of_the_schema(cells: dict[str, object], expected: dict[str, object]) -> None:
    assert (expected, []) == convert(cells, SCHEMA)


def test_a_cell_that_does_not_fit_stays_text_and_is_told_without_its_value() -> None:
    cells = {"age": "x1", "share": "1,5", "active": "yes", "scores": "1;b", "address": {"floor": "G"}}
    value, problems = convert(cells, SCHEMA)
    assert {**cells, "scores": [1, "b"]} == value
    assert [
        ("age", 'column "age" holds text, expected a whole number'),
        ("share", 'column "share" holds text, expected a number such as 12.50'),
        ("active", 'column "active" holds text, expected true or false'),
        ("scores", 'column "scores" holds text, expected a whole number (entry 2)'),
        ("address.floor", 'column "address.floor" holds text, expected a whole number'),
    ] == problems
    wrong = {"properties": {"address": {"type": "object"}}}
    assert [("address", 'column "address" holds text, expected a mapping (columns such as "address.city")')] == convert(
        {"address": "here"}, wrong
    )[1]


ROWS = st.lists(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.none()), min_size=1
)


@given(ROWS)
def test_json_round_trips(rows: list[dict[str, object]]) -> None:
    listed = read_rows("c.json", json.dumps(rows).encode(), "json")
    lines = read_rows("c.jsonl", "\n".join(json.dumps(row) for row in rows).encode(), "jsonl")
    assert rows == [row.cells for row in listed.rows] == [row.cells for row in lines.rows]
