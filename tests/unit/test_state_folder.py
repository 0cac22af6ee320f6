"""A state folder that is open to others is closed to them, or it is said why it can't be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runner.execute import locked
from runner.model.problem import Problem
from runner.state_folder import tighten


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As `mkdir` and `cp` make them."""
    path = tmp_path / "state"
    path.mkdir()
    for name in ("journal.db", "journal.db-wal", "stdin-0123", "notes.txt"):
        (path / name).touch()
        (path / name).chmod(0o644)
    path.chmod(0o755)
    return path


def modes(folder: Path) -> dict[str, str]:
    return {".": mode(folder)} | {path.name: mode(path) for path in sorted(folder.iterdir())}


CLOSED = {".": "0700", "journal.db": "0600", "journal.db-wal": "0600", "notes.txt": "0644", "stdin-0123": "0600"}


def test_what_is_kept_about_people_is_closed_to_others(folder: Path) -> None:
    assert None is tighten(folder)
    assert CLOSED == modes(folder)
    assert None is tighten(folder)


def test_a_run_closes_its_folder_before_it_uses_it(folder: Path) -> None:
    with locked(folder):
        assert {**CLOSED, "lock": "0600"} == modes(folder)


def test_a_folder_that_is_not_there_yet_is_no_complaint(tmp_path: Path) -> None:
    assert None is tighten(tmp_path / "state")


def test_what_the_owner_may_do_is_left_as_it_is(folder: Path) -> None:
    folder.chmod(0o2550)
    assert None is tighten(folder)
    assert "2500" == mode(folder)
    folder.chmod(0o700)


def test_a_link_in_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    other.chmod(0o644)
    (folder / "stdin-4567").symlink_to(other)
    assert None is tighten(folder)
    assert "0644" == mode(other)


def told(problem: Problem | None) -> tuple[str, str, str]:
    assert problem is not None
    return problem.code, problem.severity, problem.message


def test_a_folder_of_somebody_else_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: nobody)
    message = f'"{folder}" is open to other users (mode 0755), and that can\'t be changed: it belongs to another user'
    assert ("state.open-to-others", "warning", message) == told(tighten(folder))
    assert "0755" == mode(folder)


def test_a_folder_that_many_share_is_left_alone(folder: Path) -> None:
    folder.chmod(0o1777)
    assert "it is shared by many" in told(tighten(folder))[2]
    assert "1777" == mode(folder)


def test_a_file_system_without_modes_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *words: None)
    assert "its file system keeps no modes" in told(tighten(folder))[2]
