"""How fast is the whole `onboard run`, and how fast is a script written by hand that makes the same requests?

    python benchmarks/throughput.py                     100 clients at 1, 8, 32 and 128 at once, 3 rounds
    python benchmarks/throughput.py --clients 1000 --jobs 128 --rounds 5

Each figure is a whole process, from start to exit, over real sockets, against a fresh sandbox in a process of its own;
the two take turns. After each, the provider's book must be the file, to the cent, and both must have asked the same.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import people
import stage

PLAYBOOK = stage.ROOT / "playbooks" / "coinmena" / "onboard-and-fund.playbook.yaml"
CAPS = "100000000.00"


def ours(clients: Path, jobs: int, state: Path) -> list[str]:
    words = ["-m", "runner", "run", str(PLAYBOOK), "--clients", str(clients), "--jobs", str(jobs)]
    return [sys.executable, *words, "--state", str(state), "--cap", f"USD={CAPS}", "--quiet"]


def by_hand(clients: Path, jobs: int) -> list[str]:
    script = Path(__file__).with_name("baseline_httpx.py")
    return [sys.executable, str(script), str(clients), "--jobs", str(jobs)]


def once(command: list[str], clients: Path, folder: Path) -> tuple[float, dict[str, int]]:
    """Seconds, and what was asked. Ends everything when the money is not what the file says."""
    with stage.sandbox() as provider:
        seconds = stage.timed(command, provider.env, folder)
        if provider.ledger != people.ledger(clients):
            raise SystemExit(f"the ledger is not the file after: {' '.join(command)}")
        return seconds, provider.requests


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    stage.compiled()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clients = people.write(folder, words.clients)
        for jobs in words.jobs:
            told: dict[str, list[float]] = {"ours": [], "by hand": []}
            for turn in range(words.rounds):
                seconds, asked = once(ours(clients, jobs, folder / f"state-{jobs}-{turn}"), clients, folder)
                told["ours"].append(seconds)
                seconds, wanted = once(by_hand(clients, jobs), clients, folder)
                told["by hand"].append(seconds)
                if asked != wanted:
                    raise SystemExit(f"not the same requests:\nours    {asked}\nby hand {wanted}")
            count = sum(asked.values())
            we, hand = count / stage.middle(told["ours"]), count / stage.middle(told["by hand"])
            rows.append((jobs, count, f"{we:.0f}", f"{hand:.0f}", f"{we / hand:.2f}"))
    print(stage.table(("jobs", "requests", "onboard run, requests/s", "by hand, requests/s", "ratio"), rows))


if __name__ == "__main__":
    main()
