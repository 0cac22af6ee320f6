"""The list of mutants fits the code. That each of them is killed is measured by scripts/mutants.py, in CI."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
MUTANTS = yaml.safe_load((ROOT / "scripts" / "mutants.yaml").read_text("utf-8"))


def test_each_mutant_changes_one_place() -> None:
    counts = {
        entry["name"]: (ROOT / "runner" / entry["file"]).read_text("utf-8").count(entry["old"]) for entry in MUTANTS
    }

    assert dict.fromkeys(counts, 1) == counts
    assert len(MUTANTS) == len(counts)


def test_the_tests_that_must_notice_are_there() -> None:
    named = {word for entry in MUTANTS for word in entry.get("tests", ()) if word.endswith(".py")}

    assert [] == [name for name in sorted(named) if not (ROOT / name).is_file()]
