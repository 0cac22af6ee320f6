"""Rows that are taken out of a clients file leave every other row as it was, on its line."""

from __future__ import annotations

import pytest

from runner.load.leaving_out import without_rows
from runner.load.rows import Row, read_rows

CSV = 'id,name\r\na,"one\r\ntwo"\r\n\r\nb,"three, ""four"""\r\nc,five'
LINES = '{"id": "a", "name": "x"}\n\n {"id": "b"}\r\n{"id": "c"}'
JSON = '[\n {"id": "a", "l": [1, {"x": "]"}]}, {"id": "b"},\n\n {"id": "c"}\n]\n'


def left(kind: str, text: str, *out: str) -> list[tuple[int, object, object]]:
    found = without_rows("-", text.encode(), lambda row: row.cells["id"] in out)
    assert found is not None
    assert text.count("\n") == found.decode().count("\n")
    file = read_rows("-", found, kind)  # type: ignore[arg-type]
    return [(row.line, row.cells, row.raw) for row in file.rows]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("kind", "text"), [("csv", CSV), ("jsonl", LINES), ("json", JSON)])
@pytest.mark.parametrize("out", [(), ("a",), ("b",), ("c",), ("a", "b"), ("b", "c"), ("a", "c")])
def test_the_others_stay_on_their_lines(kind: str, text: str, mark: str, out: tuple[str, ...]) -> None:
    rows = read_rows("-", text.encode(), kind).rows  # type: ignore[arg-type]
    expected = [(row.line, row.cells, row.raw) for row in rows if row.cells["id"] not in out]

    assert expected == left(kind, mark + text, *out)


@pytest.mark.parametrize("text", [CSV, LINES, JSON])
def test_nothing_of_the_row_is_left(text: str) -> None:
    found = without_rows("-", text.encode(), lambda row: True)

    assert found is not None
    assert [] == [value for value in ("one", "two", "three", "five", '"a"', '"b"') if value in found.decode()]


@pytest.mark.parametrize("text", ["[1", 'id,name\n"a', ""])
def test_what_can_t_be_taken_apart(text: str) -> None:
    def is_out(row: Row) -> bool:
        return True

    assert without_rows("-", text.encode(), is_out) is None
