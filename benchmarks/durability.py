"""What does it cost that nothing is ever forgotten? The same run with the journal in memory, on tmpfs, and on the disk.

    python benchmarks/durability.py                     1,000 clients x 7 steps, 32 at once, 3 rounds

Every journal but the first commits with `synchronous=FULL`. Timed is the run itself, in a process of its own, over real
sockets against a fresh sandbox; the journals take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
import people
import stage

from runner.clock import SystemClock
from runner.drivers.local import Pace
from runner.execute import Tools, execute
from runner.journal.memory import MemoryJournal
from runner.journal.sqlite import open_journal
from runner.load.credentials import read_credentials
from runner.model.outcome import ClientResult
from runner.prepare import Wish, prepare

PLAYBOOK = Path(__file__).with_name("seven-steps.playbook.yaml")
MEMORY = "memory"
TMPFS = Path("/dev/shm")


class Silence:
    """A progress that tells nobody."""

    def begin(self, clients: int) -> None: ...

    def settled(self, result: ClientResult) -> None: ...

    def end(self) -> None: ...


def run(clients: Path, jobs: int, state: str) -> float:
    """Seconds for one run in this process; `state` is a folder or "memory"."""
    prepared = prepare(Wish(PLAYBOOK, str(clients)), os.environ)
    credentials, problems = read_credentials(prepared.provider, os.environ)
    assert not problems

    async def timed() -> float:
        journal = MemoryJournal() if state == MEMORY else open_journal(Path(state))
        tools = Tools(journal, SystemClock(), credentials, Silence(), pace=Pace(jobs=jobs))
        began = time.perf_counter()
        result = await execute(prepared, tools)
        seconds = time.perf_counter() - began
        await journal.close()
        assert result.exit_code == 0, result
        return seconds

    return anyio.run(timed)


def measured(clients: Path, jobs: int, state: str) -> float:
    """The same in a fresh process against a fresh sandbox."""
    words = [sys.executable, __file__, "--one", state, "--file", str(clients), "--jobs", str(jobs)]
    with stage.sandbox() as provider:
        env = {**os.environ, **provider.env, "PYTHONPATH": str(stage.ROOT)}
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return float(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.one:
        print(run(words.file, words.jobs, words.one))
        return
    stage.compiled()
    with tempfile.TemporaryDirectory() as disk, tempfile.TemporaryDirectory(dir=TMPFS) as memory:
        clients = people.write(Path(disk), words.clients)
        places = {"in memory": MEMORY, "SQLite FULL, tmpfs": memory, "SQLite FULL, disk": disk}
        told: dict[str, list[float]] = {name: [] for name in places}
        for turn in range(words.rounds):
            names = list(places)
            # Whoever begins may meet a cold machine: each begins in its turn.
            for name in names[turn % 3 :] + names[: turn % 3]:
                place = places[name]
                state = place if place == MEMORY else f"{place}/state-{turn}"
                told[name].append(measured(clients, words.jobs, state))
    best = stage.middle(told["in memory"])
    steps = 7 * words.clients
    rows = [
        (name, f"{stage.middle(times):.2f}", f"{steps / stage.middle(times):.0f}", f"{best / stage.middle(times):.2f}")
        for name, times in told.items()
    ]
    print(stage.table(("journal", "seconds", "steps/s", "ratio"), rows))


if __name__ == "__main__":
    main()
