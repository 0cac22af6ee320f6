"""Every code that the source can tell has a section in docs/reference/problems.md; what loading tells has a case."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from runner import resources
from runner.load.pack import find_pack

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "runner"
PAGE = ROOT / "docs" / "reference" / "problems.md"
INVALID = ROOT / "tests" / "cases" / "invalid"

CODE = re.compile(r"[a-z][a-z-]*\.[a-z][a-z0-9-]*")
# files and file systems that are named like codes
NO_CODES = {"fuse.glusterfs", "fuse.sshfs", "journal.db", "provider.yaml"}

# Held against a schema, every kind of text has the same complaints: `schema.…` a playbook, `with.…` an operation's
# values, `input.…` an input, `clients.…` a client.
STAGES = ("clients", "input", "schema", "with")
# An input has no keys of its own, and no operation rules how keys are named.
NEVER = {"input.key-name", "input.missing-key", "input.rule", "input.unknown-key", "schema.rule", "with.key-name"}

LOADING = (
    "await",
    "call",
    "check",
    "clients",
    "documents",
    "input",
    "money",
    "playbook",
    "provider",
    "satisfy",
    "schema",
    "secret",
    "step",
)
LOADING += ("template", "with", "yaml")
# What no file of a case can show: told by the tests named.
TOLD_ELSEWHERE = {
    "await.deadline": "a run's outcome (tests/e2e)",
    "await.pending": "a run's outcome (tests/e2e)",
    "await.stopped": "a run's outcome (tests/e2e)",
    "check.failed": "a run's outcome (tests/e2e)",
    "clients.too-large": "tests/unit/test_rows.py",
    "documents.too-large": "tests/unit/load/test_files.py",
    "documents.unreadable": "tests/unit/load/test_files.py",
    "money.amount": "a run's outcome (tests/e2e)",
    "money.cap": "a guard, exit 3 (tests/e2e)",
    "money.no-pledge": "a run's outcome (tests/unit/test_pledges.py)",
    "money.places": "tests/unit/test_money.py",
    "money.wrong-type": "tests/unit/test_money.py",
    "playbook.none": "tests/unit/load/test_playbook.py",
    "playbook.unreadable": "tests/unit/load/test_playbook.py",
    "provider.no-address": "tests/e2e/test_run_options.py",
    "provider.no-sandbox": "`onboard rehearse` of a provider without one",
    "satisfy.blocked": "a run's outcome (tests/e2e)",
    "satisfy.refused": "a run's outcome (tests/unit/test_satisfying.py)",
    "satisfy.rounds": "a run's outcome (tests/unit/test_satisfying.py)",
    "satisfy.unknown-state": "a run's outcome (tests/unit/test_satisfying.py)",
    "schema.unknown": "`onboard schema NAME`",
    "template.not-a-list": "known only with the answers of a run",
    "template.too-slow": "tests/unit/test_templates.py",
    "yaml.too-large": "tests/unit/load/test_playbook.py",
}


@cache
def told_codes() -> dict[str, str]:
    """Every code in the source, and a file that tells it."""
    found: dict[str, str] = {}
    for path in sorted(HOUSE.rglob("*.py")):
        name = str(path.relative_to(HOUSE))
        if not name.startswith("sandbox/"):
            for code in codes_in(path, name):
                found.setdefault(code, name)
    return {code: found[code] for code in sorted(found.keys() - NO_CODES - NEVER)}


def codes_in(path: Path, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value
        is_tell = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "tell"
        if name in ("load/schema.py", "load/schema_words.py") and is_tell:
            assert isinstance(node, ast.Call)
            code = node.args[0]
            assert isinstance(code, ast.Constant)
            yield from (f"{stage}.{code.value}" for stage in STAGES)


@cache
def sections() -> list[str]:
    return re.findall(r"^### `([^`]+)`$", PAGE.read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("code", told_codes())
def test_a_code_has_a_section(code: str) -> None:
    assert code in sections(), f"told in runner/{told_codes()[code]}"


def test_no_section_is_orphaned_or_there_twice() -> None:
    assert sorted(set(sections())) == sorted(sections())
    stages = [code.split(".")[0] for code in sections()]
    assert sorted(stages) == stages
    assert [] == [code for code in sections() if code not in told_codes()]


@pytest.mark.parametrize("code", [code for code in told_codes() if code.split(".")[0] in LOADING])
def test_what_loading_tells_has_a_case(code: str) -> None:
    cases = {path.name for path in INVALID.iterdir()}
    assert (code in cases) != (code in TOLD_ELSEWHERE)


def test_a_case_is_for_a_code_that_is_told() -> None:
    assert set() == {path.name for path in INVALID.iterdir()} - set(told_codes())
    assert set() == set(TOLD_ELSEWHERE) - set(told_codes())


@pytest.mark.parametrize("name", resources.provider_names())
def test_what_a_provider_says_stands_in_its_reference(name: str) -> None:
    pages = ROOT / "docs" / "reference" / f"providers-{name}.md"
    text = pages.read_text(encoding="utf-8")
    assert [] == [rule.name for rule in find_pack(name).errors.rules if f"`{rule.name}`" not in text]
