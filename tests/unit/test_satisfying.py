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


def types(asked: list[Perform]) -> list[str]:
    return [command.values["document"]["document_type"] for command in asked if "document" in command.values]


def talk(
    answers: list[Outcome], documents: Any = (), rounds: int = 5, stamp: str = "", **values: Any
) -> tuple[list[Perform], Outcome]:
    """Every command in order, and the end. The answers must be used up."""
    step = Step("complete", PLACE, values=WITH, rounds=rounds)
    assert RULE is not None
    flow = satisfy(Perform(step, values={**WITH, **values}), RULE, list(documents), FIELDS, lambda name: stamp)
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
    first, second = [command.key for command in asked if command.key]
    assert ("complete/passport-", "complete/national_id-") == (first[:-8], second[:-8])


@pytest.mark.parametrize("key", ["identity", "image_front", "passport"])
def test_a_refusal_is_about_the_document_whatever_the_provider_calls_it(key: str) -> None:
    """Its type, the group that it was for, or a part of it: the fact sheet knows no vocabulary."""
    wants = shown(documents=document(passport(), card()))
    asked, outcome = talk([wants, took((key, "blurred")), wants, took(), shown("in_kyc")], [PASSPORT, CARD])

    assert StepStatus.PASSED is outcome.status
    assert ["passport", "national_id"] == types(asked)


def test_of_two_documents_of_one_type_only_the_one_that_was_sent_is_refused() -> None:
    wants = shown(documents=document(passport()))
    other = {**PASSPORT, "front": "older.jpg"}
    asked, outcome = talk([wants, took(("passport", "blurred")), wants, took(), shown("in_kyc")], [PASSPORT, other])

    assert StepStatus.PASSED is outcome.status
    fronts = [command.values["document"]["image_front"] for command in asked if command.key]
    assert ["passport.jpg", "older.jpg"] == fronts


@pytest.mark.parametrize("key", ["identity", "passport"])
def test_a_refusal_at_the_submit_is_about_what_was_sent(key: str) -> None:
    wants = shown(documents=document(passport(), card()))
    answers = [wants, took(), shown(), took((key, "expired")), wants, took(), shown("in_kyc")]
    asked, _ = talk(answers, [PASSPORT, CARD])
    assert ["passport", "national_id"] == types(asked)


def test_a_refusal_at_the_submit_may_be_about_what_an_earlier_process_sent() -> None:
    wants = shown(documents=document(passport(), card()))
    answers = [shown(), took(("passport", "expired")), wants, took(), shown("in_kyc")]
    asked, _ = talk(answers, [PASSPORT, CARD])
    assert ["national_id"] == types(asked)


def test_what_an_earlier_process_was_told_is_not_about_the_better_picture() -> None:
    wants, told = shown(documents=document(passport())), replace(took(("passport", "expired")), replayed=True)
    answers = [wants, took(), shown(), told, wants, took(), shown("in_kyc")]
    asked, outcome = talk(answers, [PASSPORT])
    assert (StepStatus.PASSED, ["passport", "passport"]) == (outcome.status, types(asked))


def test_data_that_is_refused_is_told_and_not_sent_again() -> None:
    wants = shown(data=WANTS_PHONE)
    asked, outcome = talk([wants, took(), shown(), took(("phone", "not a real number")), wants], **PHONE)

    assert 1 == calls(asked).count("clients.update")
    assert outcome.problem is not None
    assert 'needs field phone (was refused: "not a real number")' in outcome.problem.message
    assert [{"kind": "data", "id": "phone"}] == list(outcome.problem.shortage)


def test_data_that_was_refused_to_an_earlier_process_may_have_been_corrected() -> None:
    wants, refusal = shown(data=WANTS_PHONE), replace(took(("phone", "not a real number")), replayed=True)
    _, outcome = talk([wants, took(), shown(), refusal, shown(), took(), shown("in_kyc")], **PHONE)
    assert StepStatus.PASSED is outcome.status


def test_a_better_picture_is_another_document() -> None:
    wants = shown(documents=document(passport()))
    changes: list[tuple[dict[str, Any], str]] = [
        (PASSPORT, "old"),
        (PASSPORT, "new"),
        ({**PASSPORT, "front": "better.jpg"}, "old"),
        ({**PASSPORT, "metadata": {"number": "AB2"}}, "old"),
    ]
    names = [
        command.key
        for one, content in changes
        for command in talk([wants, took(), shown("in_kyc")], [one], stamp=content)[0]
        if command.key
    ]
    assert 4 == len(set(names))


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


def test_one_round_is_enough_to_supply_and_hand_in() -> None:
    wants = shown(documents=document(passport()))
    _, outcome = talk([wants, took(), shown(), took(), shown("in_kyc")], [PASSPORT], rounds=1)
    assert StepStatus.PASSED is outcome.status


def test_a_provider_that_never_takes_what_is_complete_is_not_asked_for_ever() -> None:
    _, outcome = talk([shown(), took(), shown(), took(), shown()], rounds=2)

    assert (Ending.BLOCKED, "satisfy.rounds") == (outcome.ending, outcome.problem and outcome.problem.code)
    assert outcome.problem is not None
    told = "the provider neither takes what was handed in nor says what is missing, after 2 rounds"
    assert f'"complete" can\'t be satisfied: {told}' == outcome.problem.message


@pytest.mark.parametrize(
    "data", [["phone"], [{"id": "phone", "required": True}], [{"key": "phone"}], [{"name": "phone", "fields": None}]]
)
def test_data_that_is_asked_for_in_another_form_is_not_overlooked(data: list[Any]) -> None:
    asked, _ = talk([shown(data=data), took(), shown("in_kyc")], **PHONE)
    assert ["products.list", "clients.update", "products.list"] == calls(asked)


@pytest.mark.parametrize("documents", [["passport"], [{"id": "identity", "valid_documents": ["passport"]}]])
def test_documents_that_are_asked_for_in_another_form_are_not_overlooked(documents: list[Any]) -> None:
    asked, _ = talk([shown(documents=documents), took(), shown("in_kyc")], [PASSPORT])
    assert ["passport"] == types(asked)


@pytest.mark.parametrize("data", [[{}], [None], [7]])
def test_what_has_no_name_can_not_be_supplied(data: list[Any]) -> None:
    _, outcome = talk([shown(data=data)])
    assert (Ending.BLOCKED, "satisfy.blocked") == (outcome.ending, outcome.problem and outcome.problem.code)


def test_a_replay_costs_no_round() -> None:
    wants = shown(documents=document(passport()))
    done = replace(took(), replayed=True)
    _, outcome = talk([wants, done, wants, took(), shown("in_kyc")], [PASSPORT], rounds=1)
    assert StepStatus.PASSED is outcome.status


def test_asked_for_again_a_document_is_sent_again_as_another() -> None:
    wants = shown(documents=document(passport()))
    asked, _ = talk([wants, took(), wants, took(), shown("in_kyc")], [PASSPORT])

    first, second = [command.key for command in asked if command.key]
    assert f"{first}#2" == second
    assert [False, True] == [command.values["document"]["replace"] for command in asked if command.key]


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (["complete/passport-0a1b2c3d"], True),
        (["complete/passport-0a1b2c3d#2", "x"], True),
        (["complete/passport-card-0a1b2c3d"], False),
        (["other/passport-0a1b2c3d"], False),
        ([], False),
    ],
)
def test_what_an_earlier_process_sent_is_replaced(before: list[str], again: bool) -> None:
    """A better picture is another document, and the first one may still be on file."""
    step = Step("complete", PLACE, values=WITH, rounds=5)
    assert RULE is not None
    sent = {"": before}
    flow = satisfy(Perform(step, values=WITH), RULE, [PASSPORT], FIELDS, sent=lambda stamp: sent.get(stamp, ()))
    next(flow)
    command = flow.send(shown(documents=document(passport())))
    assert again is command.values["document"]["replace"]


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
