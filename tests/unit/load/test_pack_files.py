"""A pack in several files: laid together in order, changed by an overlay, and each problem placed in its own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import resources
from runner.load.pack import find_pack, read_pack
from runner.load.pack_files import merged, read_files
from runner.model.problem import Problem, ProblemError

MAIN = """\
provider: 1
name: mine
title: Mine
parts: [reads.yaml, more.yaml]
environments: {sandbox: {base_url: "https://t.example.com"}, production: {base_url: "https://example.com", live: true}}
auth: {scheme: none}
operations:
  things.first: {method: GET, path: /first, effect: read}
"""
READS = """\
operations:
  things.get:
    method: GET
    path: /things/{id}
    effect: read
    request: {type: object, required: [id], properties: {id: {type: string}}}
"""
MORE = """\
operations:
  things.list: {method: GET, path: /things, effect: read}
"""


def write(folder: Path, **files: str) -> Path:
    given_ = {"provider": MAIN, "reads": READS, "more": MORE} | files
    for name, text in given_.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder / "provider.yaml"


def refused(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ProblemError) as raised:
        read_pack(path)
    return raised.value.problems


def places(path: Path) -> list[tuple[str, int, int, str]]:
    return [
        (Path(one.location.path).name, one.location.line, one.location.column, one.code)
        for one in refused(path)
        if one.location
    ]


def test_the_parts_are_laid_together(tmp_path: Path) -> None:
    pack = read_pack(write(tmp_path))
    assert ["things.first", "things.get", "things.list"] == list(pack.operations)


def test_a_later_part_lies_over_an_earlier_one(tmp_path: Path) -> None:
    more = "title: Ours\noperations:\n  things.get: {path: '/other/{id}'}\n  things.first: null\n"
    pack = read_pack(write(tmp_path, more=more))
    assert ("Ours", "/other/{id}", ["things.get"]) == (
        pack.title,
        pack.operations["things.get"].path,
        list(pack.operations),
    )


@pytest.mark.parametrize("name", ["provider", "reads", "more"])
def test_whatever_changes_in_any_file_changes_the_pack(tmp_path: Path, name: str) -> None:
    path = write(tmp_path)
    before = read_pack(path).digest
    assert before == read_pack(path).digest
    part = tmp_path / f"{name}.yaml"
    part.write_text(part.read_text("utf-8") + "# a word\n", "utf-8")
    assert before != read_pack(path).digest


def test_what_moves_from_one_file_to_the_next_changes_the_pack(tmp_path: Path) -> None:
    """Two texts are not one text."""
    path = write(tmp_path, reads=READS + MORE.removeprefix("operations:\n"), more="operations: {}\n")
    assert read_pack(path).digest != read_pack(write(tmp_path)).digest


def test_a_problem_stands_in_the_file_that_it_is_in(tmp_path: Path) -> None:
    wrong = READS.replace("effect: read", "effect: reed")
    assert [("reads.yaml", 5, 13, "schema.unknown-value")] == places(write(tmp_path, reads=wrong))
    wrong = MAIN.replace("title: Mine", "titel: Mine")
    found = places(write(tmp_path, provider=wrong))
    assert ("provider.yaml", 3, 1, "schema.unknown-key") in found


def test_a_part_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "more.yaml").unlink()
    (told,) = refused(path)
    assert ("provider.unreadable", True) == (told.code, "more.yaml" in told.message)


@pytest.mark.parametrize("text", ["", "- a list\n", "just words\n"])
def test_a_part_that_is_no_mapping_is_named(tmp_path: Path, text: str) -> None:
    (told,) = refused(write(tmp_path, more=text))
    assert told.location is not None
    assert "more.yaml" == Path(told.location.path).name


def test_yaml_that_can_not_be_read_is_placed_in_its_part(tmp_path: Path) -> None:
    assert [("more.yaml", "yaml.duplicate-key")] == [
        (name, code) for name, _, _, code in places(write(tmp_path, more="operations: {}\noperations: {}\n"))
    ]


@pytest.mark.parametrize("name", ["../reads.yaml", "/etc/passwd", "sub/reads.yaml"])
def test_a_part_lies_beside_the_pack(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder; and one that tries is told."""
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "reads.yaml").write_text("title: from outside\n", "utf-8")
    path = write(folder, provider=MAIN.replace("reads.yaml", name))
    (told,) = refused(path)
    assert told.code == ("provider.unreadable" if name == "/etc/passwd" else "schema.pattern")


def test_parts_that_are_no_list_are_told(tmp_path: Path) -> None:
    assert ("provider.yaml", 4, 8, "schema.wrong-type") in places(
        write(tmp_path, provider=MAIN.replace("[reads.yaml, more.yaml]", "reads.yaml"))
    )


def test_an_overlay_changes_what_stands_in_a_part(tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text("extends: fin\noperations:\n  transfers.create: {settle: 2s}\n", "utf-8")
    pack, shipped = read_pack(path), find_pack("fin")
    assert (2.0, shipped.operations["transfers.create"].look_up) == (
        pack.operations["transfers.create"].settle,
        pack.operations["transfers.create"].look_up,
    )
    assert list(shipped.operations) == list(pack.operations)


def test_an_overlay_may_have_parts_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text("extends: fin\nparts: [more.yaml]\n", "utf-8")
    (tmp_path / "more.yaml").write_text(MORE, "utf-8")
    pack = read_pack(path)
    assert {"things.list", "transfers.settle"} <= set(pack.operations)


def test_whatever_changes_in_what_is_extended_changes_the_pack(tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text("extends: fin\n", "utf-8")
    files = read_files(path)
    shipped = resources.providers() / "fin"
    assert {(shipped / name).read_bytes() for name in ("provider.yaml", "payouts.yaml")} <= set(files.texts)


def test_a_problem_of_an_overlay_stands_in_the_overlay(tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text("extends: fin\noperations:\n  transfers.create: {settle: soon}\n", "utf-8")
    assert [("provider.yaml", 3, 30)] == [place[:3] for place in places(path)]


def test_what_is_shipped_is_one_pack() -> None:
    pack = find_pack("fin")
    assert {"catalogue.occupations", "customers.get", "documents.upload", "transfers.create"} <= set(pack.operations)


values = st.recursive(
    st.none() | st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(values, st.dictionaries(st.sampled_from("abc"), values, max_size=3))
def test_laying_over_is_key_by_key_and_null_removes(below: Any, above: dict[str, Any]) -> None:
    found = merged(below, above)
    if not isinstance(below, dict):
        assert above == found
        return
    for name in "abc":
        if name in above and above[name] is None:
            assert name not in found
        elif name in above:
            assert merged(below.get(name), above[name]) == found[name]
        else:
            assert below.get(name, "absent") == found.get(name, "absent")
