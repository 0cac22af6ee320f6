"""A run goes on from another working folder than the one where it began."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import BOTH, Onboard, Ran, Sandbox, csv_text, person


@pytest.fixture
def elsewhere(onboard: Onboard, tmp_path: Path) -> Onboard:
    (tmp_path / "elsewhere").mkdir()
    return Onboard(tmp_path / "elsewhere", dict(onboard.env))


def halted(onboard: Onboard, *words: object, stdin: str | None = None) -> None:
    """Everything is named by a relative path, and no money moves yet."""
    onboard.write("books/own.playbook.yaml", BOTH.read_text("utf-8"))
    onboard.write("packs/own.yaml", "extends: coinmena\n")
    onboard("halt")
    ran = onboard("run", "books/own.playbook.yaml", "--provider-file", "packs/own.yaml", *words, stdin=stdin)
    assert 3 == ran.code, ran.story
    onboard("halt", "--off")


def resumed(elsewhere: Onboard, onboard: Onboard, *words: object) -> Ran:
    state = f"../{onboard.folder.name}/.onboard"
    return elsewhere("resume", "--state", state, "--report-json", "report.json", *words)


@pytest.mark.parametrize("how", ["beside", "documents", "stdin"])
def test_relative_paths_are_found_where_the_run_began(
    onboard: Onboard, elsewhere: Onboard, sandbox: Sandbox, how: str
) -> None:
    onboard.clients(person(1))
    text = csv_text([person(1)])
    if how == "beside":
        halted(onboard, "--clients", "clients.csv")
    elif how == "documents":
        onboard.write("in/people.csv", text)
        halted(onboard, "--clients", "in/people.csv", "--documents", ".")
    else:
        halted(onboard, "--clients", "-", stdin=text)
    sandbox.fault("deposits.create=rejected:x1")

    ran = resumed(elsewhere, onboard)

    assert 1 == ran.code, ran.story
    assert "books/own.playbook.yaml" == ran.problem("user_1")["location"]["path"]
    assert (elsewhere.folder / "report.json").exists()
    assert 0 == elsewhere("retry", "--state", onboard.folder / ".onboard").code


def test_what_is_given_anew_is_meant_from_here(onboard: Onboard, elsewhere: Onboard) -> None:
    onboard.clients(person(1))
    halted(onboard, "--clients", "clients.csv")
    (onboard.folder / "clients.csv").rename(elsewhere.folder / "moved.csv")

    missing = resumed(elsewhere, onboard)
    ran = resumed(elsewhere, onboard, "--clients", "moved.csv", "--documents", onboard.folder)

    assert 2 == missing.code
    assert 'clients file "clients.csv" is not there' in missing.err
    assert 0 == ran.code, ran.story


def test_a_document_that_is_put_on_file_later_is_found_too(
    onboard: Onboard, elsewhere: Onboard, sandbox: Sandbox
) -> None:
    onboard.clients(person(1))
    onboard.write("own.playbook.yaml", BOTH.read_text("utf-8"))
    sandbox.fault("documents.upload=401")
    assert 6 == onboard("run", "own.playbook.yaml", "--clients", "clients.csv").code
    sandbox.clear_faults()

    ran = resumed(elsewhere, onboard)

    assert 0 == ran.code, ran.story
    assert 1 == len(sandbox.documents)
