"""Playbooks and clients files as cases: what is right loads, what is wrong is told exactly so.

`valid/` loads without a word. In `invalid/<code>/` each `x.playbook.yaml` (or folder `x/` with a `case.playbook.yaml`
and the files it needs) stands beside `x.out`: one line for each problem, and its hint indented below. A line `/…/` is a
regular expression. UPDATE_GOLDEN=1 writes the files that differ.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from runner.load.clients import Choice
from runner.load.playbook import SUFFIX, load
from runner.model.problem import Problem, ProblemError
from runner.prepare import Wish, prepare

CASES = Path(__file__).parent / "cases"
CLIENTS = "clients"
VALID = sorted((CASES / "valid").glob(f"*{SUFFIX}"))
INVALID = sorted((CASES / "invalid").glob(f"*/*{SUFFIX}"))
FOLDERS = sorted(path.parent for path in (CASES / "invalid").glob(f"*/*/case{SUFFIX}"))


def lines_of(problems: Iterable[Problem]) -> list[str]:
    lines = []
    for problem in problems:
        place = problem.location
        where = place.path if place else ""
        # The case's own playbook goes without saying; a clients file or a schema beside it is named.
        named = "" if where.endswith(SUFFIX) else f"{Path(where).name}:" if where else ""
        at = f"{named}{place.line}:{place.column}: " if place and place.line else f"{named} " if named else ""
        lines.append(f"{at}{problem.severity}: {problem.message} [{problem.code}]")
        if problem.hint:
            lines.append(f"    {problem.hint}")
    return lines


def compare(file: Path, found: list[str]) -> None:
    wanted = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    is_same = len(wanted) == len(found) and all(map(_is_line, wanted, found))
    if not is_same and os.environ.get("UPDATE_GOLDEN"):
        file.write_text("".join(f"{line}\n" for line in found), encoding="utf-8")
        return
    if not is_same:
        assert wanted == found


def _is_line(wanted: str, found: str) -> bool:
    if wanted.strip().startswith("/") and wanted.endswith("/"):
        return re.fullmatch(wanted.strip()[1:-1], found.strip()) is not None
    return wanted == found


def name_of(path: Path) -> str:
    return str(path.relative_to(CASES)).removesuffix(SUFFIX)


@pytest.mark.parametrize("path", VALID, ids=name_of)
def test_a_right_playbook_loads_without_a_word(path: Path) -> None:
    loaded = load(path)
    assert [] == lines_of([*loaded.problems, *loaded.row_problems])
    assert loaded.is_good


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_a_wrong_playbook_is_told_so(path: Path) -> None:
    loaded = load(path)
    problems = [*loaded.problems, *loaded.row_problems]
    compare(path.with_name(path.name.removesuffix(SUFFIX) + ".out"), lines_of(problems))
    assert path.parent.name in {problem.code for problem in problems}
    assert loaded.is_good == (not any(problem.is_error for problem in loaded.problems))
    assert all(problem.hint for problem in problems)
    places = [(each.location.line, each.location.column) for each in loaded.problems if each.location]
    assert sorted(places) == places


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_wrong_clients_file_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # messages name files as they were given
    problems = told(folder)
    compare(folder.with_suffix(".out"), lines_of(problems))
    assert folder.parent.name in {problem.code for problem in problems}
    assert all(problem.hint for problem in problems)
    places = [problem.location for problem in problems if problem.location]
    assert [] == [place for place in places if place.line_text and Path(place.path).name.startswith(CLIENTS)]


def told(folder: Path) -> tuple[Problem, ...]:
    """What a run of the case's playbook would say before anything is sent. `wish.txt` holds its flags."""
    files = [path.name for path in sorted(folder.iterdir()) if path.name.startswith(CLIENTS)]
    flags = dict(
        line.split(" ", 1) for line in (folder / "wish.txt").read_text().splitlines()
    ) if (folder / "wish.txt").exists() else {}  # fmt: skip
    wish = Wish(
        Path(f"case{SUFFIX}"),
        clients=flags.get("clients", files[0] if files else ""),
        inputs=dict(entry.split("=", 1) for entry in flags.get("input", "").split() if entry),
        choice=Choice(flags.get("key", ""), flags.get("select", ""), None),
        environment=flags.get("env", "sandbox"),
        base_url=flags.get("base-url", ""),
        caps=dict(entry.split("=", 1) for entry in flags.get("cap", "").split() if entry),
        provider_file=flags.get("provider-file", ""),
    )
    with pytest.raises(ProblemError) as raised:
        prepare(wish, {})
    return raised.value.problems


def test_every_case_says_something() -> None:
    outputs = sorted((CASES / "invalid").glob("*/*.out"))
    cases = {path.with_name(path.name.removesuffix(SUFFIX)) for path in INVALID} | set(FOLDERS)
    assert [path for path in outputs if path.with_suffix("") not in cases] == []
    assert [path for path in outputs if not path.read_text(encoding="utf-8").strip()] == []
