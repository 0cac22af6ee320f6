"""Starting is quick, and stays so: measured against an interpreter that does nothing, and by what is imported."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLAYBOOK = "playbooks/coinmena/onboard.playbook.yaml"
NOTHING = ("-c", "pass")
VERSION = ("-m", "runner", "--version")
VALIDATE = ("-m", "runner", "validate", PLAYBOOK)
ROUNDS = 11

# What a check of a file has no use for; each of these alone would cost a tenth of the budget or more.
NOT_FOR_VALIDATE = (
    "anyio",
    "asyncio",
    "cryptography",
    "httpcore",
    "httpx",
    "multiprocessing",
    "rich",
    "sqlite3",
    "ssl",
    "starlette",
    "uvicorn",
)


def environment() -> dict[str, str]:
    """Bytecode may be written, as it is where the tool is installed; coverage is not measured here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHONDONTWRITE"))}
    return kept | {"PYTHONPATH": str(ROOT)}


def seconds(words: tuple[str, ...], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, env=env, check=True, capture_output=True)
    return time.perf_counter() - began


def ratios(tmp_path: Path) -> tuple[float, float]:
    """How many times `python -c pass` the version and a validation take: interleaved medians."""
    env = environment() | {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    for words in (VERSION, VALIDATE):
        seconds(words, env)
    rounds = [[seconds(words, env) for words in (NOTHING, VERSION, VALIDATE)] for _ in range(ROUNDS)]
    nothing, version, validate = (statistics.median(column) for column in zip(*rounds, strict=True))
    return version / nothing, validate / nothing


def test_version_and_validate_stay_within_their_budget(tmp_path: Path) -> None:
    for _ in range(3):  # a machine that was busy for a moment gets another chance
        version, validate = ratios(tmp_path)
        if version <= 6 and validate <= 20:
            return
    pytest.fail(f"--version takes {version:.1f} x, validate {validate:.1f} x the time of python -c pass")


def imported(words: tuple[str, ...]) -> set[str]:
    code = f"import sys; sys.argv = ['onboard', *{words[2:]!r}]; from runner.cli import main; main(); "
    code += "print('\\n'.join(sys.modules), file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), check=True, capture_output=True, text=True
    )
    return set(ran.stderr.split())


def test_version_imports_nothing() -> None:
    ours = {name for name in imported(VERSION) if name.partition(".")[0] == "runner"}

    assert {"runner", "runner.cli", "runner.version"} == ours


def test_validate_imports_only_what_it_needs() -> None:
    found = imported(VALIDATE)

    assert [] == [name for name in NOT_FOR_VALIDATE if name in found]
