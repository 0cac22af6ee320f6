"""The cases of `cases/fin-pitfalls`: a good client or the shipped playbook of one generation, made wrong in one way.

    covers     the items of guides.yaml that the case is about, by generation; the case is run for each of them
    like       the client of the examples that is made wrong; without it the first
    row        cells that differ
    playbook   texts of the shipped playbook that are replaced
    mended     the shipped playbook as it is takes this row
    says       every problem: code, where it points to, words and hint; a text `/…/` is a regular expression

What follows is for cases that only the provider can see, in `run/`:

    sandbox    faults, kyc_delay, settings and reviews of the local provider
    ends       the client's outcome
    adopted, asked, answers    what the report and the provider's books must say
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases" / "fin-pitfalls"
EXAMPLES = ROOT / "examples" / "fin"
CLIENTS = {"v1": "clients-v1.csv", "v2": "clients.csv"}
STEP = re.compile(r" \((step|for) [^()]*\)$")


@dataclass(frozen=True)
class Case:
    """One way to be wrong, in one generation."""

    path: Path
    generation: str

    def __str__(self) -> str:
        return f"{self.generation}-{self.path.stem}"

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.path.read_text("utf-8"))
        return found

    @property
    def row(self) -> dict[str, str]:
        rows = list(csv.DictReader((EXAMPLES / CLIENTS[self.generation]).read_text("utf-8").splitlines()))
        like = self.body.get("like", {}).get(self.generation, rows[0]["id"])
        return {**next(row for row in rows if row["id"] == like), **self.body.get("row", {})}

    @property
    def clients(self) -> str:
        out = io.StringIO()
        writer = csv.DictWriter(out, self.row, lineterminator="\n")
        writer.writeheader()
        writer.writerow(self.row)
        return out.getvalue()

    @property
    def shipped(self) -> str:
        path = ROOT / "playbooks" / "fin" / f"onboard-individual-{self.generation}.playbook.yaml"
        return path.read_text("utf-8")

    @property
    def playbook(self) -> str:
        text = self.shipped
        for change in self.body.get("playbook", ()):
            assert change["from"] in text
            text = text.replace(change["from"], change["to"])
        return text

    def place(self, location: Mapping[str, Any]) -> str:
        """The column or the step that a problem points to."""
        line, column = location["line"], location["column"]
        if str(location["path"]).endswith(".csv"):
            before = self.clients.splitlines()[line - 1][: column - 1]
            return f"column {list(self.row)[len(next(csv.reader([before + 'x']))) - 1]}"
        above = self.playbook.splitlines()[:line]
        return f"step {next(text.split()[-1] for text in reversed(above) if text.startswith('  - id: '))}"

    def says(self, problem: Mapping[str, Any]) -> dict[str, str]:
        """The problem as a case writes it; which client it was goes without saying."""
        words = {"code": problem["code"], "at": self.place(problem["location"])}
        return words | {"message": STEP.sub("", problem["message"]), "hint": problem["hint"]}


def cases(folder: str) -> Iterator[Case]:
    for path in sorted((CASES / folder).glob("*.yaml")):
        for generation in yaml.safe_load(path.read_text("utf-8"))["covers"]:
            yield Case(path, generation)


def same(expected: list[dict[str, str]], actual: list[dict[str, str]]) -> bool:
    """Where a text of `expected` is `/…/`, what is found has to match it."""
    return len(expected) == len(actual) and all(
        wanted.keys() == found.keys() and all(_is(wanted[key], found[key]) for key in found)
        for wanted, found in zip(expected, actual, strict=True)
    )


def _is(wanted: str, found: str) -> bool:
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        return re.fullmatch(wanted[1:-1], found) is not None
    return wanted == found
