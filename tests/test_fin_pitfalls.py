"""Every pitfall of the guides is told before anything is sent, with its field and the fix (cases/fin-pitfalls)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from fin_pitfalls import CASES, EXAMPLES, Case, cases, same

from runner.model.problem import ProblemError
from runner.prepare import Wish, prepare

TODAY = date(2026, 1, 1)
PLANNED = list(cases("plan"))


def told(case: Case, folder: Path, playbook: str) -> list[dict[str, str]]:
    (folder / "clients.csv").write_text(case.clients, "utf-8")
    (folder / "case.playbook.yaml").write_text(playbook, "utf-8")
    wish = Wish(folder / "case.playbook.yaml", clients=str(folder / "clients.csv"), documents=str(EXAMPLES))
    try:
        prepare(wish, {}, TODAY)
    except ProblemError as error:
        return [case.says(problem.to_json()) for problem in error.problems]
    return []


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_pitfall_is_told_with_its_field_and_the_fix(case: Case, tmp_path: Path) -> None:
    found = told(case, tmp_path, case.playbook)

    if not same(case.body["says"], found):
        assert case.body["says"] == found


@pytest.mark.parametrize("case", [case for case in PLANNED if case.body.get("mended")], ids=str)
def test_the_shipped_playbook_mends_what_can_be_mended(case: Case, tmp_path: Path) -> None:
    assert [] == told(case, tmp_path, case.shipped)


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_every_item_of_a_guide_has_a_case(generation: str) -> None:
    guides = yaml.safe_load((CASES / "guides.yaml").read_text("utf-8"))[generation]
    both = [*PLANNED, *cases("run")]

    covered = {item for case in both if case.generation == generation for item in case.body["covers"][generation]}

    assert {*guides["pitfalls"], *guides["edge cases"]} == covered
    assert {"v1": (9, 6), "v2": (12, 8)}[generation] == (len(guides["pitfalls"]), len(guides["edge cases"]))
