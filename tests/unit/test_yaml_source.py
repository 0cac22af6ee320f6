"""Every value, key and word of a file has a place."""

from __future__ import annotations

import pytest

from runner.load.source import Path, Source
from runner.load.yaml import read
from runner.model.problem import Location

TEXT = """\
name: onboard
inputs: &inputs {asset: {type: "string"}}
steps:
  - id: create
    with:
      note: |
        first line
        {{ steps.a }} and {{ steps.a }}
      quoted: "say \\"{{ client.n\\x61me }}\\" \\
        twice"
      single: 'it''s {{ x }}'
      folded: >
        one
        two
    empty:
  - {id: b}
  -
copy: *inputs
merged:
  <<: *inputs
"""
SOURCE = read("p.yaml", TEXT).source


def shown(place: Location) -> tuple[int, str]:
    return place.line, place.line_text[place.column - 1 : place.end_column - 1]


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("name",), (1, "onboard"), (1, "name")),
        (("inputs",), (2, '&inputs {asset: {type: "string"}}'), (2, "inputs")),
        (("inputs", "asset", "type"), (2, '"string"'), (2, "type")),
        (("steps",), (4, "-"), (3, "steps")),
        (("steps", 0), (4, "id"), (4, "id")),
        (("steps", 0, "id"), (4, "create"), (4, "id")),
        (("steps", 0, "with"), (6, "note"), (5, "with")),
        (("steps", 0, "with", "note"), (6, "|"), (6, "note")),
        (("steps", 0, "empty"), (15, "empty"), (15, "empty")),
        (("steps", 1), (16, "{id: b}"), (16, "id")),
        (("copy",), (18, "*inputs"), (18, "copy")),
        (("copy", "asset"), (2, '{type: "string"}'), (2, "asset")),
        (("merged", "asset", "type"), (2, '"string"'), (2, "type")),
        ((), (1, "name"), (1, "name")),
        (("nowhere",), (1, "name"), (1, "name")),
        (("nowhere", 3, "deep"), (1, "name"), (1, "name")),
        (("steps", 0, "nowhere"), (4, "id"), (4, "id")),
        (("steps", 9), (3, "steps"), (3, "steps")),
        (("steps", 0, "with", "nowhere"), (5, "with"), (5, "with")),
        (("name", "nowhere"), (1, "name"), (1, "name")),
    ],
)
def test_values_and_keys_are_found_and_what_is_missing_is_placed_on_its_owner(
    path: Path, value: tuple[int, str], key: tuple[int, str]
) -> None:
    assert value == shown(SOURCE.locate(path))
    assert key == shown(SOURCE.locate(path, key=True))


@pytest.mark.parametrize(
    ("path", "needle", "occurrence", "expected"),
    [
        (("name",), "board", 0, (1, "board")),
        (("steps", 0, "with", "note"), "steps.a", 0, (8, "steps.a")),
        (("steps", 0, "with", "note"), "{{ steps.a }}", 1, (8, "{{ steps.a }}")),
        (("steps", 0, "with", "quoted"), "client.name", 0, (9, "client.n\\x61me")),
        (("steps", 0, "with", "quoted"), '"', 0, (9, '\\"')),
        (("steps", 0, "with", "quoted"), "twice", 0, (10, "twice")),
        (("steps", 0, "with", "single"), "it's", 0, (11, "it''s")),
        (("steps", 0, "with", "folded"), "one two", 0, (13, "one")),
        (("steps", 0, "with", "folded"), "two", 0, (14, "two")),
        (("copy", "asset", "type"), "string", 0, (2, "string")),
        (("name",), "absent", 0, (1, "onboard")),
        (("name",), "board", 7, (1, "onboard")),
        (("name",), "", 0, (1, "onboard")),
        (("nowhere",), "x", 0, (1, "name")),
    ],
)
def test_a_piece_of_text_is_found_as_written(
    path: Path, needle: str, occurrence: int, expected: tuple[int, str]
) -> None:
    assert expected == shown(SOURCE.locate_text(path, needle, occurrence))


def test_a_slice_of_the_value_is_found_as_written() -> None:
    value = "first line\n{{ steps.a }} and {{ steps.a }}\n"
    second = value.rindex("steps.a")
    place = SOURCE.locate_slice(("steps", 0, "with", "note"), value, second, second + len("steps.a"))
    assert (8, 30, 37) == (place.line, place.column, place.end_column)


def test_columns_count_characters() -> None:
    source = read("p.yaml", "\ufeff漢é: x\r\nb: y\r\n".encode()).source
    assert Location("p.yaml", 1, 5, 6, "漢é: x") == source.locate(("漢é",))
    assert Location("p.yaml", 2, 4, 5, "b: y") == source.locate(("b",))


def test_a_source_without_places_still_answers() -> None:
    assert Location("p.yaml", 1, 1, 2, "abc") == Source("p.yaml", "abc").locate(("a", 0))
    assert Location("p.yaml") == Source("p.yaml", "").locate(("a", 0), key=True)
    assert Location("p.yaml", 1, 1, 2, "abc") == Source("p.yaml", "abc").locate_text(("a",), "b")
