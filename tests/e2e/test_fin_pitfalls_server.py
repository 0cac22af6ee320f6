"""Pitfalls of Fin.com's guides that only the provider can see: what a run against it ends with (cases/fin-pitfalls)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fin_pitfalls import EXAMPLES, Case, cases, same
from stage import Onboard, Sandbox

# As shipped, but for how long a request may take to show.
QUICK = "extends: fin\ntimeout: 1s\nsend_window: 1s\noperations: {documents.attach: {settle: 3s}}\n"


@pytest.fixture
def sandbox(tmp_path: Path, case: Case) -> Iterator[Sandbox]:
    wishes = case.body.get("sandbox", {})
    started = Sandbox(tmp_path, "--kyc-delay", str(wishes.get("kyc_delay", 0.2)), provider="fin")
    started.load(**{name: wishes[name] for name in ("reviews", "settings") if name in wishes})
    started.fault(*wishes.get("faults", ()))
    yield started
    started.stop()


@pytest.mark.parametrize("case", list(cases("run")), ids=str)
def test_a_pitfall_that_only_the_provider_sees_ends_as_it_must(case: Case, onboard: Onboard, sandbox: Sandbox) -> None:
    body = case.body
    shutil.copytree(EXAMPLES / "documents", onboard.folder / "documents")
    clients = onboard.write("clients.csv", case.clients)
    playbook = onboard.write("case.playbook.yaml", case.playbook)
    pack = onboard.write("pack.yaml", QUICK)

    ran = onboard.run(playbook, "--clients", clients, "--provider-file", pack, "--wait", "25s")

    assert {body["ends"]: 1} == ran.totals, ran.story
    assert body.get("adopted", 0) == ran.report["totals"]["adopted"]
    assert body.get("asked", {}) == {name: sandbox.asked(name) for name in body.get("asked", {})}
    told = {str(status): count for status, count in body.get("answers", {}).items()}
    assert told == {status: sandbox.state["answers"].get(status) for status in told}
    problem = ran.report["clients"][0]["problem"]
    found = [case.says(problem)] if problem else []
    if not same(body.get("says", []), found):
        assert body.get("says", []) == found
