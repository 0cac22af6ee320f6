"""`forget` while a run may still go on, and of clients that came from standard input."""

from __future__ import annotations

import json

import pytest
from stage import BOTH, Onboard, Sandbox, csv_text, nested, person

TEXTS = {
    "csv": lambda people: csv_text(people),
    "jsonl": lambda people: "\n".join(json.dumps(nested(one)) for one in people),
    "json": lambda people: json.dumps([nested(one) for one in people], indent=1),
}
PIPED = ("run", BOTH, "--clients", "-", "--documents", ".")


def kept(onboard: Onboard) -> list[str]:
    return sorted(path.name for path in (onboard.folder / ".onboard").glob("stdin-*"))


def halted(onboard: Onboard, kind: str = "csv") -> None:
    """Three clients of standard input that wait for money to move again."""
    people = [person(number) for number in (1, 2, 3)]
    onboard.clients(*people)
    onboard("halt")
    ran = onboard(*PIPED, "--report-json", "report.json", "--jobs", 1, stdin=TEXTS[kind](people))
    assert 3 == ran.code, ran.story
    onboard("halt", "--off")


def test_who_may_still_be_gone_on_with_is_not_forgotten(onboard: Onboard) -> None:
    halted(onboard)

    ran = onboard("forget", "user_2")

    assert 3 == ran.code, ran.story
    assert 'client "user_2" has no end yet in run 1' in ran.err
    assert "[client.open]" in ran.err
    assert 'finish it with "onboard resume 1" first, or give --yes' in ran.err
    assert 0 == onboard("resume").code


@pytest.mark.parametrize("kind", TEXTS)
def test_the_others_of_standard_input_go_on(onboard: Onboard, sandbox: Sandbox, kind: str) -> None:
    halted(onboard, kind)
    (name,) = kept(onboard)
    onboard.write(f".onboard/{name}.new", "half a copy")

    assert 0 == onboard("forget", "user_2", "--yes").code
    assert [name] == kept(onboard)
    ran = onboard("resume", "--report-json", "report.json")

    assert 1 == ran.code, ran.story
    assert {"user_1": "done", "user_2": "rejected", "user_3": "done"} == ran.outcomes
    assert "client.forgotten" == ran.problem("user_2")["code"]
    assert [1, 0, 1] == [len(sandbox.orders(f"user_{number}")) for number in (1, 2, 3)]
    assert [name] == kept(onboard)
    assert 1 == onboard("retry").code
    assert [] == sandbox.orders("user_2")


def test_the_copy_goes_when_nobody_needs_it(onboard: Onboard) -> None:
    halted(onboard)
    assert 0 == onboard("resume").code

    assert 0 == onboard("forget", "user_2").code

    assert [] == kept(onboard)
    ran = onboard("resume")
    assert 2 == ran.code, ran.story
    assert "[clients.unreadable]" in ran.err
    assert "give them again with --clients FILE" in ran.err


def test_a_copy_that_two_runs_share_stays_for_the_other(onboard: Onboard, sandbox: Sandbox) -> None:
    halted(onboard)
    assert 0 == onboard("resume").code
    onboard("halt")
    text = csv_text([person(number) for number in (1, 2, 3)])
    assert 3 == onboard(*PIPED, "--batch", "second", stdin=text).code
    onboard("halt", "--off")

    assert 3 == onboard("forget", "user_2").code
    assert 0 == onboard("forget", "user_2", "--yes").code
    ran = onboard("resume", "--report-json", "report.json")

    assert {"user_1": "done", "user_2": "rejected", "user_3": "done"} == ran.outcomes, ran.story
    assert 2 == len(sandbox.orders("user_1"))
