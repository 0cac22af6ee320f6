"""Take away one guard of the money path at a time: some test must notice.

    python scripts/mutants.py             every mutant, two at once
    python scripts/mutants.py horizon     only those whose name has this word
    python scripts/mutants.py --list

The list is mutants.yaml. Each mutant is made in a copy of the checkout; a text that is no longer there exactly once is
an error, so the list can't go stale. Exits with 1 when a mutant lives.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[1]
PARTS = ("runner", "tests", "schemas", "playbooks", "examples", "pyproject.toml", "setup.py", "README.md")
AT_ONCE = 2

UNIT = (
    "tests/unit/test_effects.py",
    "tests/unit/test_settle.py",
    "tests/unit/test_settle_elsewhere.py",
    "tests/unit/test_settle_replayed.py",
    "tests/unit/test_settle_found.py",
    "tests/unit/test_advance.py",
    "tests/unit/test_journal.py",
    "tests/unit/test_clock.py",
    "tests/unit/test_references.py",
    "tests/unit/test_client.py",
    "tests/unit/test_performer.py",
)


class Mutant(NamedTuple):
    """One guard taken away: `old` becomes `new` in `file`; `tests` are the ones that must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = UNIT


MUTANTS = [
    Mutant(**{**entry, "tests": tuple(entry.get("tests", UNIT))})
    for entry in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
]


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutants of the money path.")
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--list", action="store_true")
    words = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if words.word in mutant.name]
    if words.list:
        print("\n".join(f"{mutant.file}: {mutant.name}" for mutant in chosen))
        return 0
    began = time.monotonic()
    with copies() as spare, ThreadPoolExecutor(AT_ONCE) as pool:
        dead = list(pool.map(lambda one: killed(one, spare), chosen))
    living = [mutant for mutant, is_dead in zip(chosen, dead, strict=True) if not is_dead]
    for mutant in living:
        print(f"lives: {mutant.name} ({mutant.file})")
    print(f"{len(chosen) - len(living)} of {len(chosen)} mutants killed in {time.monotonic() - began:.0f} s")
    return 1 if living or not chosen else 0


@contextmanager
def copies() -> Iterator[SimpleQueue[Path]]:
    """As many copies of the checkout as there are mutants at once."""
    spare: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for number in range(AT_ONCE):
            copy = Path(folder) / str(number)
            copy.mkdir()
            for part in PARTS:
                if (ROOT / part).is_dir():
                    shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / part, copy)
            spare.put(copy)
        yield spare


def killed(mutant: Mutant, spare: SimpleQueue[Path]) -> bool:
    """Does a test fail on it?"""
    copy = spare.get()
    path = copy / "runner" / mutant.file
    sound = path.read_text("utf-8")
    assert sound.count(mutant.old) == 1, f"{mutant.name}: not in {mutant.file} exactly once"
    path.write_text(sound.replace(mutant.old, mutant.new), "utf-8")
    try:
        code = tested(copy, mutant.tests)
    finally:
        path.write_text(sound, "utf-8")
        spare.put(copy)
    # 1 is a failing test; anything else says that nothing was tested.
    assert code in (0, 1), f"{mutant.name}: pytest ended with {code}"
    return code == 1


def tested(copy: Path, tests: tuple[str, ...]) -> int:
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""}
    # A mutant may wait for ever: that, too, is noticed.
    try:
        return subprocess.run(words, cwd=copy, env=env, capture_output=True, timeout=120, check=False).returncode
    except subprocess.TimeoutExpired:
        return 1


if __name__ == "__main__":
    sys.exit(main())
