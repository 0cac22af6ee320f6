"""The kill matrix: one cell is one client, one provider, one or more kills, and then `onboard resume` until it is done.

Many cells share a provider's process and run beside each other, because most of a cell is waiting for the horizon.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from stage import JPEG, PATIENCE, Sandbox, csv_text, person, unmeasured_environment

HERE = Path(__file__).parent
PLAYBOOK = HERE / "kill.playbook.yaml"
AT_ONCE = 10
KILLED = -9
# Enough to get through: one more than the most kills of a cell, and some for waiting clients.
TRIES = 5

EFFECTS = {
    "create": ("clients.create", "reply POST /clients#1"),
    "upload": ("documents.upload", "reply POST /clients/documents#1"),
    "deposit": ("deposits.create", "reply POST /deposits#1"),
    "withdraw": ("withdrawals.create", "reply POST /withdrawals#1"),
}

# Short enough to wait for, long enough for a busy machine. The horizon is window + timeout + settle.
PACK = """extends: coinmena
timeout: 2s
send_window: 3s
operations:
  clients.create: {settle: 2s}
  documents.upload: {settle: 2s}
  deposits.create: {settle: 2s, repeat: %(repeat)s}
  withdrawals.create: {settle: 2s, repeat: %(repeat)s}
"""
REFUSES, IGNORES, LATE = "refuses a used reference", "ignores it", "ignores it and shows orders late"

# Seconds until what was made shows; a step that reads it at once would be told that there is nothing.
VISIBLE_AFTER = "0.4"

# What the pack says of a used reference, and what the provider is told.
TEMPERS = {
    REFUSES: ("refused", ()),
    IGNORES: ("ignored", ("--refuse-used-references", "no")),
    LATE: ("ignored", ("--refuse-used-references", "no", "--visible-after", VISIBLE_AFTER)),
}

MOVED = (("deposits", Decimal("100.00")), ("withdrawals", Decimal("25.00")))

# At once, soon, and later than anybody waits for an answer.
LAGS = ("0", "0.5", "3")


@dataclass(frozen=True)
class Cell:
    """One row of the matrix: a fault that the provider is told first, then where each process dies.

    `again`: whoever comes back starts a new run of the same file instead of resuming the old one.
    """

    name: str
    strikes: tuple[str, ...]
    fault: str = ""
    action: str = "kill"
    strategy: str = ""
    clock_offset: float = 0.0
    again: bool = False


@dataclass(frozen=True)
class Told:
    """What became of a cell: exit codes in order, the instants of each process, and what was wrong ("" nothing)."""

    cell: Cell
    codes: tuple[int, ...]
    instants: tuple[tuple[str, ...], ...]
    wrong: str

    def __str__(self) -> str:
        return f"{self.cell.name}: {self.wrong} (exit codes {', '.join(map(str, self.codes))})"


@dataclass(frozen=True)
class Life:
    """What a cell went through, before anybody judges it."""

    cell: Cell
    folder: Path
    key: str
    codes: Sequence[int]
    instants: Sequence[tuple[str, ...]]


class Victims:
    """The process that forks a runner for each order (victim.py)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "victim.py")],
            env=unmeasured_environment(HERE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._waiting: dict[int, Future[int]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="victims", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            self._waiting.pop(told["id"]).set_result(told["code"])

    def run(self, folder: Path, env: Mapping[str, str], words: Sequence[str], cell: Cell, strike: str) -> int:
        """The exit code of one process; -9 when it was killed."""
        done: Future[int] = Future()
        order: dict[str, Any] = {
            "folder": str(folder),
            "env": unmeasured_environment(folder, **env),
            "words": list(words),
            "strike": strike,
            "action": cell.action,
            "strategy": cell.strategy,
            "clock_offset": cell.clock_offset,
        }
        with self._lock:
            order["id"] = next(self._numbers)
            self._waiting[order["id"]] = done
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        return done.result(timeout=4 * PATIENCE)

    def stop(self) -> None:
        self._process.communicate(timeout=PATIENCE)
        self._reader.join(PATIENCE)


@dataclass
class Matrix:
    """Plays cells against one provider. `repeat` is what its pack says of a used reference."""

    home: Path
    victims: Victims
    sandbox: Sandbox
    repeat: str
    has_reads: bool = True
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def play(self, cells: Iterable[Cell]) -> list[Told]:
        """All of them, and the verdict on each: given only once every late request has landed."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            lived = list(pool.map(self._one, cells))
        state = self._settled_state()
        return [Told(life.cell, tuple(life.codes), tuple(life.instants), self._wrong(life, state)) for life in lived]

    def wrong(self, cells: Iterable[Cell]) -> list[str]:
        """What should not be: one line a cell."""
        return [str(told) for told in self.play(cells) if told.wrong]

    def _settled_state(self) -> Mapping[str, Any]:
        deadline = time.monotonic() + PATIENCE
        state = self.sandbox.state
        while state["pending"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            state = self.sandbox.state
        return state

    def _one(self, cell: Cell) -> Life:
        number = next(self._numbers)
        folder = self.home / f"cell-{number}"
        (folder / "documents").mkdir(parents=True)
        key = self.prepare(folder, number)
        if cell.fault:
            self.sandbox.fault(f"{cell.fault}:client={key}")
        codes, instants = self._lives(folder, cell)
        return Life(cell, folder, key, codes, instants)

    def prepare(self, folder: Path, number: int) -> str:
        """Put one client's file, playbook and pack into its folder. Returns what faults call the client."""
        (folder / "documents" / "id_front.jpg").write_bytes(JPEG)
        (folder / "clients.csv").write_text(csv_text([person(number, withdrawal="25.00")]), "utf-8")
        playbook = yaml.safe_load(PLAYBOOK.read_text("utf-8"))
        if not self.has_reads:
            playbook["steps"] = [step for step in playbook["steps"] if step["id"] in EFFECTS]
        (folder / PLAYBOOK.name).write_text(yaml.safe_dump(playbook, sort_keys=False), "utf-8")
        (folder / "pack.yaml").write_text(PACK % {"repeat": self.repeat}, "utf-8")
        return f"user_{number}"

    def pairs(self, life: Life, report: Mapping[str, Any], state: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
        """What must be, and what is: in the provider's books, and in the report."""
        told = report["totals"]["money"].get("USD", {})
        yield "clients", 1, _count(state, "clients", life.key)
        yield "documents", 1, _count(state, "documents", life.key)
        yield "deposits", Decimal("100.00"), _sum(state, life.key, "deposit", "debit")
        yield "withdrawals", Decimal("25.00"), _sum(state, life.key, "withdrawal", "credit")
        # A later run adopts what an earlier one moved, and does not claim it.
        for kind, amount in () if life.cell.again else MOVED:
            yield f"reported {kind}", amount, Decimal(told.get(kind, "0"))

    def _wrong(self, life: Life, state: Mapping[str, Any]) -> str:
        """Nothing twice, nothing lost, the first kill struck, and the report says what the provider's books say."""
        first = life.cell.strikes[:1]
        wrong = [f"the process never came to {strike}" for strike in first if strike not in life.instants[0]]
        if life.codes[-1] != 0:
            return "; ".join([*wrong, "it never ended: " + (life.folder / "out.txt").read_text("utf-8")[-400:]])
        report = json.loads((life.folder / "report.json").read_text("utf-8"))
        steps = {step["status"] for step in report["clients"][0]["steps"]}
        pairs = [("outcome", "done", report["clients"][0]["outcome"]), ("steps", {"passed"}, steps)]
        pairs += self.pairs(life, report, state)
        wrong += [f"{name}: {actual}, not {expected}" for name, expected, actual in pairs if expected != actual]
        return "; ".join(wrong)

    def _lives(self, folder: Path, cell: Cell) -> tuple[list[int], list[tuple[str, ...]]]:
        """One process after the other, each killed where the cell says, then until it is done."""
        codes: list[int] = []
        instants: list[tuple[str, ...]] = []
        strikes = [*cell.strikes, *[""] * TRIES]
        for turn, strike in enumerate(strikes):
            # Before the run is on disk there is nothing to resume.
            words = _words(folder, is_known=not cell.again and any("after-run#1" in log for log in instants))
            now = cell if turn or not cell.clock_offset else replace(cell, clock_offset=0.0)
            codes.append(self.victims.run(folder, self.sandbox.env, words, now, strike))
            instants.append(tuple((folder / "instants").read_text("utf-8").split("\n")[:-1]))
            if codes[-1] == 0 and turn >= len(cell.strikes):
                break
        return codes, instants


def _words(folder: Path, *, is_known: bool) -> list[str]:
    common = ["--wait", "40s", "--report-json", "report.json", "--provider-file", "pack.yaml"]
    if is_known:
        return ["resume", *common]
    (clients,) = (path.name for path in folder.glob("clients.*"))
    return ["run", PLAYBOOK.name, "--clients", clients, *common]


def steady(instants: Iterable[str]) -> list[str]:
    """Without those that a busy machine has more or fewer of: how often it asks while it waits."""
    return [name for name in instants if name.endswith("#1") or not name.startswith(("waiting", "reply GET"))]


def _count(state: Mapping[str, Any], kind: str, key: str) -> int:
    return sum(entry["partner_client_id"] == key for entry in state[kind])


def _sum(state: Mapping[str, Any], key: str, kind: str, side: str) -> Decimal:
    mine = [order for order in state["orders"] if order["partner_client_id"] == key and order["type"] == kind]
    return sum((Decimal(order[side]) for order in mine if order["status"] == "completed"), Decimal(0))
