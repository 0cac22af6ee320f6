"""What an answer is worth to a step: its checks, its outputs, and a look-up that shows less than the call itself."""

from __future__ import annotations

from typing import Any

from runner.checks import Answer, parse, parse_path
from runner.judging import collect
from runner.load.pack import find_pack
from runner.model.command import Bound, Perform
from runner.model.outcome import Outcome, StepStatus
from runner.model.playbook import Step
from runner.model.problem import Location
from runner.redact import Redactor

CREATE = find_pack("coinmena").operations["clients.create"]
# What the provider's own sample of a client read shows: six fields, no dates.
SHORT = {
    "id": 7,
    "partner_client_id": "user_1",
    "status": "verified",
    "active": True,
    "name": "Ann",
    "email": "a@b.example",
}


def judged(body: dict[str, Any], *checks: str, outputs: tuple[str, ...] = (), is_adopted: bool = False) -> Outcome:
    paths = {name: parse_path(name) for name in outputs}
    bound = tuple(Bound(check, check.operand) for check in map(parse, checks))
    values = {"partner_client_id": "user_1", "account_type": "personal"}
    command = Perform(Step("create", Location("p.yaml", 3, 5)), values=values, expect=bound, outputs=paths)
    return collect(command, CREATE, Answer(body, 200), Redactor([]), is_adopted=is_adopted)


def test_an_output_that_is_not_there_fails_the_step() -> None:
    outcome = judged(SHORT, outputs=("id", "created_at"))

    assert StepStatus.FAILED is outcome.status
    assert outcome.problem is not None
    assert "output.absent" == outcome.problem.code
    assert '"created_at"' in outcome.problem.message


def test_an_adopted_answer_may_show_less() -> None:
    outcome = judged(SHORT, "status == verified", outputs=("id", "created_at"), is_adopted=True)

    assert StepStatus.PASSED is outcome.status
    assert {"id": 7, "created_at": None} == outcome.outputs


def test_what_an_adopted_answer_leaves_out_is_what_was_asked_for() -> None:
    assert StepStatus.PASSED is judged(SHORT, "account_type == personal", is_adopted=True).status
    assert StepStatus.FAILED is judged(SHORT, "account_type == personal").status


def test_what_an_adopted_answer_shows_outweighs_what_was_asked_for() -> None:
    outcome = judged(SHORT | {"account_type": "corporate"}, "account_type == personal", is_adopted=True)

    assert StepStatus.FAILED is outcome.status


def test_personal_data_in_a_check_is_not_told() -> None:
    outcome = judged(SHORT, "name == Bob")

    assert ["***"] == [check.actual for check in outcome.checks]
    assert outcome.problem is not None
    assert "Ann" not in outcome.problem.message
