"""The requirement loop as a conversation: what it asks for, what it supplies, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from stand_ins import PLACE

from runner.load.pack import find_pack
from runner.model.command import Perform
from runner.model.outcome import Ending, Outcome, StepStatus
from runner.model.playbook import Step
from runner.satisfying import satisfy

PACK = find_pack("cryptomate")
RULE = PACK.requirements
assert RULE is not None
FIELDS = frozenset(PACK.operations["clients.update"].request["properties"])
WITH = {"clientId": "c", "productRequestId": "p", "email": "a@example.com", "first_name": "Ana"}
PHONE = {"phone_country_code": 54, "phone_number": 1}
PASSPORT = {"type": "passport", "front": "passport.jpg", "metadata": {"number": "AB1"}}
CARD = {"type": "national_id", "front": "front.png", "back": "back.png"}

WANTS_PHONE = [{"id": "person", "required": True, "fields": [{"key": "phone", "data_type": "PHONE", "required": True}]}]


def document(*kinds: Mapping[str, Any], required: bool = True) -> list[dict[str, Any]]:
    return [{"id": "identity", "required": required, "valid_documents": list(kinds)}]


def passport(**more: Any) -> dict[str, Any]:
    return {"id": "passport", "require_back_image": False, "metadata": [{"id": "number", "required": True}], **more}


def card() -> dict[str, Any]:
    return {"id": "national_id", "require_back_image": True, "metadata": []}


def shown(state: str = "pending_documentation", *, data: Any = (), documents: Any = (), **more: Any) -> Outcome:
    missing = {"data": list(data), "documents": list(documents)}
    return Outcome(StepStatus.PASSED, outputs={"state": state, "missing": missing, "reason": None, **more})


def took(*refused: tuple[str, str]) -> Outcome:
    items = [{"type": "document", "key": key, "reason": reason} for key, reason in refused]
    return Outcome(StepStatus.PASSED, outputs={"refused": items})


def talk(answers: list[Outcome], documents: Any = (), rounds: int = 5, **values: Any) -> tuple[list[Perform], Outcome]:
    """Every command in order, and the end. The answers must be used up."""
    step = Step("complete", PLACE, values=WITH, rounds=rounds)
    assert RULE is not None
    flow = satisfy(Perform(step, values={**WITH, **values}), RULE, list(documents), FIELDS)
    asked = [next(flow)]
    try:
        for given in answers:
            asked.append(flow.send(given))
    except StopIteration as stop:
        assert given is answers[-1]
        return asked, stop.value
    raise AssertionError(f"it goes on with {asked[-1].step.call}")


def calls(asked: list[Perform]) -> list[str]:
    return [command.step.call for command in asked]


def test_what_is_missing_is_supplied_and_then_submitted() -> None:
    wants = shown(data=WANTS_PHONE, documents=document(passport()))
    asked, outcome = talk([wants, took(), took(), shown(), took(), shown("in_kyc")], [PASSPORT], **PHONE)

    assert StepStatus.PASSED is outcome.status
    ask = "products.list"
    assert [ask, "clients.update", "products.document", ask, "products.submit", ask] == calls(asked)
    update, upload = asked[1].values, asked[2].values["document"]
    assert {"id": "c", "email": "a@example.com", "first_name": "Ana", **PHONE} == update
    assert ("passport", "passport.jpg", {"number": "AB1"}, False) == (
        upload["document_type"],
        upload["image_front"],
        upload["metadata"],
        upload["replace"],
    )
    assert "image_back" not in upload


def test_who_is_past_it_already_needs_nothing() -> None:
    asked, outcome = talk([shown("enabled")])
    assert (["products.list"], StepStatus.PASSED) == (calls(asked), outcome.status)


def test_what_can_not_be_supplied_is_told_whole_and_nothing_is_sent() -> None:
    asked, outcome = talk([shown(data=WANTS_PHONE, documents=document(card()))], [PASSPORT])

    assert ["products.list"] == calls(asked)
    assert (StepStatus.FAILED, Ending.BLOCKED) == (outcome.status, outcome.ending)
    assert outcome.problem is not None
    assert "needs field phone (give phone_country_code and phone_number); needs national_id, has passport" in (
        outcome.problem.message
    )
    assert [("data", "phone"), ("document", "identity")] == [
        (entry["kind"], entry["id"]) for entry in outcome.problem.shortage
    ]


@pytest.mark.parametrize(
    ("document_", "says"),
    [
        ({**PASSPORT, "metadata": {}}, "passport lacks its number"),
        ({"type": "passport", "front": "p.jpg"}, "passport lacks its number"),
        ({**CARD, "back": ""}, "national_id lacks its back"),
    ],
)
def test_a_document_that_lacks_something_does_not_fit(document_: dict[str, Any], says: str) -> None:
    _, outcome = talk([shown(documents=document(passport(), card()))], [document_])
    assert outcome.problem is not None
    assert says in outcome.problem.message


def test_the_first_document_of_the_client_that_fits_is_taken() -> None:
    asked, _ = talk([shown(documents=document(passport(), card())), took(), shown("in_kyc")], [CARD, PASSPORT])
    assert "national_id" == asked[1].values["document"]["document_type"]


def test_a_document_that_is_refused_is_followed_by_the_next_that_fits() -> None:
    wants = shown(documents=document(passport(), card()))
    answers = [wants, took(("passport", "blurred")), wants, took(), shown("in_kyc")]
    asked, outcome = talk(answers, [PASSPORT, CARD])

    assert StepStatus.PASSED is outcome.status
    assert ["complete/passport-1", "complete/national_id-2"] == [command.key for command in asked if command.key]


def test_when_none_is_left_the_reason_is_told() -> None:
    wants = shown(documents=document(passport()))
    _, outcome = talk([wants, took(("passport", "blurred")), wants], [PASSPORT])

    assert Ending.BLOCKED is outcome.ending
    assert outcome.problem is not None
    assert 'passport was refused: "blurred"' in outcome.problem.message


def test_one_document_for_two_groups_is_sent_once() -> None:
    wants = shown(documents=[*document(passport()), *document(passport(), card())])
    asked, _ = talk([wants, took(), shown("in_kyc")], [PASSPORT])
    assert 1 == calls(asked).count("products.document")


def test_what_is_not_required_is_not_asked_of_the_client() -> None:
    asked, outcome = talk([shown(documents=document(passport(), required=False)), took(), shown("in_kyc")])
    assert (StepStatus.PASSED, "products.submit") == (outcome.status, calls(asked)[1])


def test_what_nobody_can_send_is_told_as_such() -> None:
    wants = shown(data=[{"id": "work", "fields": [{"key": "occupation", "data_type": "STRING"}]}])
    _, outcome = talk([wants], occupation="11-1011")
    assert outcome.problem is not None
    assert "needs field occupation (the provider's API documents no way to send it)" in outcome.problem.message


def test_the_rounds_are_bounded() -> None:
    wants = shown(documents=document(passport()))
    _, outcome = talk([wants, took(), wants, took(), wants], [PASSPORT], rounds=2)

    assert Ending.BLOCKED is outcome.ending
    assert outcome.problem is not None
    assert ("satisfy.rounds", True) == (outcome.problem.code, "after 2 rounds" in outcome.problem.message)


def test_a_replay_costs_no_round() -> None:
    wants = shown(documents=document(passport()))
    done = replace(took(), replayed=True)
    _, outcome = talk([wants, done, wants, took(), shown("in_kyc")], [PASSPORT], rounds=1)
    assert StepStatus.PASSED is outcome.status


def test_asked_for_again_a_document_is_sent_again_as_another() -> None:
    wants = shown(documents=document(passport()))
    asked, _ = talk([wants, took(), wants, took(), shown("in_kyc")], [PASSPORT])

    assert ["complete/passport-1", "complete/passport-1#2"] == [command.key for command in asked if command.key]
    assert [False, True] == [command.values["document"]["replace"] for command in asked if command.key]


def test_a_no_of_the_provider_ends_rejected() -> None:
    _, outcome = talk([shown("rejected", reason="sanctions")])
    assert outcome.problem is not None
    assert (Ending.REJECTED, "satisfy.refused") == (outcome.ending, outcome.problem.code)
    assert "sanctions" in outcome.problem.message


def test_a_state_that_nobody_knows_ends_blocked() -> None:
    _, outcome = talk([shown("on_hold")])
    assert outcome.problem is not None
    assert (Ending.BLOCKED, "satisfy.unknown-state") == (outcome.ending, outcome.problem.code)


def test_a_supply_that_does_not_pass_ends_the_loop_with_its_outcome() -> None:
    unknown = Outcome(StepStatus.UNKNOWN, Ending.UNKNOWN)
    _, outcome = talk([shown(documents=document(passport())), unknown], [PASSPORT])
    assert (StepStatus.UNKNOWN, Ending.UNKNOWN) == (outcome.status, outcome.ending)


def test_what_the_loop_cost_is_the_sum_of_its_calls() -> None:
    one = {"requests": 1, "duration_ms": 10}
    answers = [replace(given, **one) for given in (shown(), took(), shown("in_kyc"))]
    _, outcome = talk(answers)
    assert (3, 3, 30) == (outcome.attempts, outcome.requests, outcome.duration_ms)
