"""The stage for end-to-end tests: real processes, real sockets, a clean environment; the runner is not imported."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
PLAYBOOKS = ROOT / "playbooks" / "coinmena"
EXAMPLES = ROOT / "examples" / "coinmena"
ONBOARD = PLAYBOOKS / "onboard.playbook.yaml"
FUND = PLAYBOOKS / "fund-and-reconcile.playbook.yaml"
BOTH = PLAYBOOKS / "onboard-and-fund.playbook.yaml"

# The six words of a client's end; a report counts everybody under exactly one.
ENDINGS = ("done", "rejected", "blocked", "waiting", "unknown", "not_started")

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"specimen" * 20
PATIENCE = 30.0

_REPORT = Draft202012Validator(json.loads((ROOT / "schemas" / "report.schema.json").read_bytes()))


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """What a process needs to start, and nothing of ours: no credentials, no settings."""
    passed = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    known = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    return known | passed | more


def unmeasured_environment(home: Path, **more: str) -> dict[str, str]:
    """The same without coverage: for processes whose timing is what a test is about, or of which there are hundreds."""
    known = clean_environment(home, **more)
    return {name: value for name, value in known.items() if not name.startswith("COVERAGE_")}


class Sandbox:
    """A local provider in a process of its own, and a view behind its counter."""

    def __init__(self, home: Path, *options: str, provider: str = "coinmena", measured: bool = True) -> None:
        command = [sys.executable, "-m", "runner.sandbox", provider, "--port", "0", "--exit-with-stdin", *options]
        self._process = subprocess.Popen(
            command,
            cwd=home,
            env=clean_environment(home) if measured else unmeasured_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())[provider]
        self.url: str = told["url"]
        self.env: dict[str, str] = told["env"]
        self._http = httpx.Client(base_url=f"{self.url}/_sandbox", timeout=10, trust_env=False)

    def stop(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.communicate(timeout=10)

    def reset(self) -> None:
        self._http.post("/reset").raise_for_status()

    def fault(self, *faults: str) -> None:
        self._http.post("/faults", json={"faults": faults}).raise_for_status()

    def clear_faults(self) -> None:
        self._http.post("/faults", json={"faults": [], "replace": True}).raise_for_status()

    def load(self, **data: Any) -> None:
        self._http.post("/data", json=data).raise_for_status()

    def act(self, name: str, body: Mapping[str, Any]) -> None:
        self._http.post(f"/act/{name}", json=body).raise_for_status()

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get("/state").json()
        return found

    @property
    def requests(self) -> int:
        """How many requests of the API arrived, whatever they were answered."""
        return sum(self.state["requests"].values())

    def asked(self, operation: str) -> int:
        return int(self.state["requests"].get(operation, 0))

    @property
    def struck(self) -> int:
        return sum(fault["struck"] for fault in self.state["faults"])

    @property
    def clients(self) -> dict[str, dict[str, Any]]:
        return {client["partner_client_id"]: client for client in self.state["clients"]}

    @property
    def documents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.state["documents"]
        return found

    @property
    def ledger(self) -> dict[tuple[str, str], dict[str, Decimal]]:
        """Per client and asset: what moved by kind, as exact amounts, and the balance."""
        book = {}
        for line in self._http.get("/ledger").json()["items"]:
            moved = {kind: Decimal(amount) for kind, amount in line["moved"].items()}
            book[line["partner_client_id"], line["asset_id"]] = moved | {"balance": Decimal(line["balance"])}
        return book

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The ledger as the provider keeps it."""
        found: list[dict[str, Any]] = self._http.get("/ledger").json()["items"]
        return found

    def orders(self, client: str) -> list[dict[str, Any]]:
        return [order for order in self.state["orders"] if order["partner_client_id"] == client]


@dataclass(frozen=True)
class Ran:
    """How one process ended. `report` is read and held against its schema when it is asked for."""

    code: int
    out: str
    err: str
    folder: Path
    seconds: float

    @property
    def report(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return checked_report(body)

    @property
    def outcomes(self) -> dict[str, str]:
        return {client["key"]: client["outcome"] for client in self.report["clients"]}

    @property
    def totals(self) -> dict[str, Any]:
        """Of the six words, only those that were used."""
        return {name: self.report["totals"][name] for name in ENDINGS if self.report["totals"][name]}

    def client(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = next(client for client in self.report["clients"] if client["key"] == key)
        return found

    def problem(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client(key)["problem"]
        return found

    def step(self, key: str, step: str) -> dict[str, Any]:
        found: dict[str, Any] = next(entry for entry in self.client(key)["steps"] if entry["id"] == step)
        return found

    @property
    def story(self) -> str:
        """All of it, for a failing test."""
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def checked_report(body: dict[str, Any]) -> dict[str, Any]:
    """The report, once it fits its schema and everybody who went in came out."""
    wrong = [f"{error.json_path}: {error.message}" for error in _REPORT.iter_errors(body)]
    assert [] == wrong
    totals, outcomes = body["totals"], [client["outcome"] for client in body["clients"]]
    assert len(outcomes) == totals["clients"] == sum(totals[word] for word in ENDINGS)
    assert {word: outcomes.count(word) for word in ENDINGS} == {word: totals[word] for word in ENDINGS}
    assert totals["adopted"] == sum(client.get("adopted", False) for client in body["clients"])
    assert totals["requests"] == sum(step["requests"] for client in body["clients"] for step in client["steps"])
    moved: dict[str, dict[str, Decimal]] = {}
    for client in body["clients"]:
        for step in client["steps"]:
            for entry in step.get("moved", ()):
                sums = moved.setdefault(
                    entry["asset"], dict.fromkeys(("deposits", "withdrawals", "payouts"), Decimal(0))
                )
                sums[entry["kind"]] += Decimal(entry["amount"])
    told = {asset: {kind: Decimal(sum_) for kind, sum_ in kinds.items()} for asset, kinds in totals["money"].items()}
    assert moved == told
    return body


@dataclass
class Onboard:
    """`onboard …` as a process, in a working folder of its own, with the sandbox's credentials."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: object, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> Ran:
        began = time.monotonic()
        process = self.start(*words, env=env)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            out, err = process.communicate(data, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Ran(process.returncode, out.decode(), err.decode(), self.folder, time.monotonic() - began)

    def run(self, playbook: Path | str, *words: object, **more: Any) -> Ran:
        """`onboard run` with a report."""
        return self("run", playbook, "--report-json", "report.json", *words, **more)

    def start(self, *words: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        merged = {**self.env, **(env or {})}
        return subprocess.Popen(
            [sys.executable, "-m", "runner", *map(str, words)],
            cwd=self.folder,
            env=clean_environment(self.folder, **merged),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self, process: subprocess.Popen[bytes]) -> Ran:
        out, err = process.communicate(timeout=PATIENCE)
        return Ran(process.returncode, out.decode(), err.decode(), self.folder, 0.0)

    def interrupt(self, process: subprocess.Popen[bytes]) -> Ran:
        process.send_signal(signal.SIGINT)
        return self.finish(process)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def clients(self, *people: Mapping[str, str], name: str = "clients.csv") -> Path:
        """A clients file of these people, with the documents they name."""
        for person in people:
            for column in ("id_front", "id_back", "address_proof"):
                if person.get(column):
                    self.write(person[column], JPEG)
        return self.write(name, csv_text(people))


def person(number: int, **changes: str) -> dict[str, str]:
    """An invented client `user_<number>` with one document and nothing special; `changes` use __ for a dot."""
    row = {
        "partner_client_id": f"user_{number}",
        "name": f"Specimen Person {number}",
        "email": f"person{number}@example.com",
        "phone": f"+973{number:08d}",
        "residency_id": "bh",
        "citizenship_id": "bh",
        "place_of_birth_id": "bh",
        "birth_date": "1990-01-15",
        "government_id_number": f"ID{number:08d}",
        "government_id_doe": "2035-01-15",
        "address.street": f"{number} Specimen Street",
        "address.city": "Manama",
        "address.postal_code": "0317",
        "employment.status": "employed",
        "employment.company": "Acme Specimen Corp",
        "employment.job_industry": "information_technology_telco",
        "employment.job_level": "senior",
        "employment.job_title": "Engineer",
        "trading_volume": "10001_25000",
        "account_purpose": "short_term_trading",
        "id_front": "documents/id_front.jpg",
        "deposit": "100.00",
        "withdrawal": "",
    }
    return row | {name.replace("__", "."): value for name, value in changes.items()}


def csv_text(rows: Iterable[Mapping[str, str]]) -> str:
    listed = list(rows)
    columns = list(dict.fromkeys(column for row in listed for column in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(listed)
    return out.getvalue()


def nested(row: Mapping[str, str]) -> dict[str, Any]:
    """The same person as JSON."""
    tree: dict[str, Any] = {}
    for column, cell in row.items():
        if not cell:
            continue
        branch = tree
        *parents, leaf = column.split(".")
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = cell.split(";") if column == "account_purpose" else cell
    return tree
