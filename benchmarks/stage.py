"""What every measurement needs: a sandbox in a process of its own, a timed command, a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Sandbox:
    """The local provider and what a process needs to talk to it."""

    url: str
    env: Mapping[str, str]

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/_sandbox/{path}", timeout=60) as answer:
            return json.load(answer)

    @property
    def requests(self) -> dict[str, int]:
        """How often each operation was asked."""
        return dict(self.ask("state")["requests"])

    @property
    def ledger(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Per client what was deposited and withdrawn, by the provider's own book."""
        book = {}
        for line in self.ask("ledger")["items"]:
            moved = line["moved"]
            # Of a withdrawal the book shows what left.
            book[line["partner_client_id"]] = (
                Decimal(moved.get("deposit", "0")),
                abs(Decimal(moved.get("withdrawal", "0"))),
            )
        return book


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """A fresh one; gone with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runner.sandbox", "coinmena", "--port", "0", "--exit-with-stdin"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())["coinmena"]
        yield Sandbox(told["url"], told["env"])
    finally:
        process.terminate()
        process.communicate(timeout=30)


def timed(command: Sequence[str], env: Mapping[str, str], folder: Path) -> float:
    """Seconds from start to end of a whole process. Raises when it does not end well."""
    environment = {**os.environ, **env, "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return seconds


def compiled() -> None:
    """Measured is the work, not the compiler: bytecode is made once before."""
    folders = [str(ROOT / "runner"), str(ROOT / "benchmarks")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)
    if sys.flags.dont_write_bytecode:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def middle(values: Sequence[float]) -> float:
    return median(values)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown."""
    lines = [list(head), ["---:"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
