"""The same people in another file: reordered, appended, split, merged. Who is done is adopted; nobody is paid twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from stage import BOTH, Onboard, Sandbox, person

PEOPLE = [person(number, withdrawal="25.00") for number in range(1, 5)]
MORE = [*PEOPLE, person(5, withdrawal="25.00")]


def money(sandbox: Sandbox) -> dict[tuple[str, str], Decimal]:
    return {place: sums["balance"] for place, sums in sandbox.ledger.items()}


@pytest.mark.parametrize("state", [".onboard", "another-laptop"])
@pytest.mark.parametrize(
    "files",
    [
        [list(reversed(PEOPLE))],
        [PEOPLE[:2], PEOPLE[2:]],
        [[PEOPLE[2], PEOPLE[0]], [PEOPLE[3]], [PEOPLE[1]]],
    ],
    ids=["reordered", "split in two", "split in three"],
)
def test_another_order_and_other_files_change_nothing(
    onboard: Onboard, sandbox: Sandbox, files: list[list[dict[str, str]]], state: str
) -> None:
    assert 0 == onboard.run(BOTH, "--clients", onboard.clients(*PEOPLE)).code
    before = (money(sandbox), len(sandbox.documents))

    for number, rows in enumerate(files):
        ran = onboard.run(BOTH, "--clients", onboard.clients(*rows, name=f"part-{number}.csv"), "--state", state)
        assert 0 == ran.code, ran.story
        assert len(rows) == ran.report["totals"]["adopted"]

    assert before == (money(sandbox), len(sandbox.documents))


def test_files_that_were_merged_and_a_row_that_was_appended(onboard: Onboard, sandbox: Sandbox) -> None:
    for number, rows in enumerate((PEOPLE[:1], PEOPLE[1:])):
        assert 0 == onboard.run(BOTH, "--clients", onboard.clients(*rows, name=f"part-{number}.csv")).code

    ran = onboard.run(BOTH, "--clients", onboard.clients(*reversed(MORE), name="merged.csv"))

    assert 0 == ran.code, ran.story
    assert {f"user_{number}": number < 5 for number in range(1, 6)} == {
        client["key"]: client.get("adopted", False) for client in ran.report["clients"]
    }
    assert {(f"user_{number}", "USD"): Decimal("75.00") for number in range(1, 6)} == money(sandbox)
    assert "100.00" == ran.report["totals"]["money"]["USD"]["deposits"]
