"""A question of the provider, and the answer to it: exactly what is asked for, out of what the client has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.answering import Answering, Part, answer, body_of, mark_of, sections_of, value_stamps
from runner.load.pack import find_pack
from runner.shortage import Lack

FIN = find_pack("fin")
assert FIN.requirements is not None
assert FIN.requirements.answer is not None
RULE = FIN.requirements.answer
IDENTITY, ADDRESS = "proof_of_identity", "proof_of_address"
EVERY_ADDRESS = ("UTILITY_BILL", "BANK_STATEMENT", "GOVERNMENT_LETTER")

PASSPORT = {"type": "PASSPORT", "front": "passport.jpg", "metadata": {"number": "AB1", "expiry_date": "2031-01-01"}}
CARD = {"type": "NATIONAL_ID", "front": "card_front.png", "back": "card_back.png", "metadata": {"number": "N1"}}
BILL = {"type": "UTILITY_BILL", "front": "bill.pdf"}
LETTER = {"type": "GOVERNMENT_LETTER", "front": "letter.pdf"}


def asks(section: str, *fields: Mapping[str, Any], kind: str = "PASSPORT") -> dict[str, Any]:
    return {"section": section, "categories": [{"document_type": kind, "fields": list(fields)}]}


def field(name: str, status: str = "MISSING", side: str | None = None, reason: str | None = None) -> dict[str, Any]:
    return {"field_name": name, "status": status, "side": side, "reason": reason}


def files(status: str = "MISSING", side: str | None = None, reason: str | None = None) -> dict[str, Any]:
    return field("files", status, side, reason)


def answered(
    *question: Mapping[str, Any],
    documents: Collection[Mapping[str, Any]] = (),
    sent: Mapping[str, Collection[str]] | None = None,
    mark: str = "00000000",
    **values: Any,
) -> tuple[list[Part], list[Lack]]:
    side = client(documents=documents, sent=sent, mark=mark, **values)
    return answer(side, sections_of(RULE, list(question)))


def client(
    documents: Collection[Mapping[str, Any]] = (),
    sent: Mapping[str, Collection[str]] | None = None,
    mark: str = "00000000",
    **values: Any,
) -> Answering:
    known, whose = sent or {}, {"customer_id": "c1"}
    return Answering(
        RULE, values, list(documents), lambda path: f"of {path}", lambda stamp: known.get(stamp, ()), mark, whose
    )


def given_for(mark: str, *parts: Part) -> dict[str, list[str]]:
    """What the journal knows once these went out for the question of this mark."""
    return {stamp: [f"review/values-{mark}-1"] for stamp in value_stamps(client(), parts)}


def part(*question: Mapping[str, Any], **more: Any) -> Part:
    parts, lacks = answered(*question, **more)
    assert [] == lacks
    (only,) = parts
    return only


def lack(*question: Mapping[str, Any], **more: Any) -> Lack:
    parts, lacks = answered(*question, **more)
    assert [] == parts
    (only,) = lacks
    return only


# -- exactly what is asked for -----------------------------------------------------------------------------------------


def test_only_the_fields_that_are_asked_for_are_given() -> None:
    found = part(asks(IDENTITY, field("expiry_date")), documents=[PASSPORT])
    assert Part(IDENTITY, {"expiry_date": "2031-01-01"}) == found


def test_the_type_is_given_where_it_is_asked_for() -> None:
    found = part(asks(IDENTITY, field("type"), field("number")), documents=[PASSPORT])
    assert Part(IDENTITY, {"type": "PASSPORT", "number": "AB1"}) == found


@pytest.mark.parametrize(
    ("sides", "sent"),
    [
        (("FRONT",), (("FRONT", "card_front.png"),)),
        (("BACK",), (("BACK", "card_back.png"),)),
        (("BACK", "FRONT"), (("FRONT", "card_front.png"), ("BACK", "card_back.png"))),
        ((None,), (("FRONT", "card_front.png"), ("BACK", "card_back.png"))),
        ((None, "BACK"), (("BACK", "card_back.png"),)),
        (("BACK", "BACK"), (("BACK", "card_back.png"),)),
    ],
)
def test_the_sides_that_are_asked_for_are_sent_and_no_other(
    sides: tuple[str | None, ...], sent: tuple[tuple[str, str], ...]
) -> None:
    question = asks(IDENTITY, *(files(side=side) for side in sides), kind="NATIONAL_ID")
    assert sent == part(question, documents=[CARD]).sides


def test_of_what_has_one_side_one_is_sent_when_nobody_names_it() -> None:
    assert (("FRONT", "passport.jpg"),) == part(asks(IDENTITY, files()), documents=[PASSPORT]).sides


def test_a_part_that_is_no_document_is_a_value_of_the_steps_own() -> None:
    assert Part("tos", {"tos": "v1"}) == part(asks("tos", field("tos")), tos="v1")
    assert Lack("data", "tos") == lack(asks("tos", field("tos")))
    assert Lack("data", "tos") == lack(asks("tos", field("tos")), tos="")


def test_parts_of_one_name_are_one_answer() -> None:
    question = (asks(IDENTITY, field("number")), asks(IDENTITY, files(), field("number")))
    found = part(*question, documents=[PASSPORT])
    assert Part(IDENTITY, {"number": "AB1"}, (("FRONT", "passport.jpg"),)) == found


@pytest.mark.parametrize(
    ("kind", "wants"),
    [("PROOF_OF_ADDRESS", EVERY_ADDRESS), ("UTILITY_BILL", ("UTILITY_BILL",)), ("", EVERY_ADDRESS)],
)
def test_a_general_word_stands_for_every_kind_of_its_section(kind: str, wants: tuple[str, ...]) -> None:
    assert wants == lack(asks(ADDRESS, files(), kind=kind)).any_of


# -- which document ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["EXPIRED", "INVALID"])
def test_what_is_on_file_and_no_good_is_not_sent_again(status: str) -> None:
    question = asks(ADDRESS, files(status), kind="PROOF_OF_ADDRESS")
    sent = {"of bill.pdf": ["upload"]}
    assert (("FRONT", "letter.pdf"),) == part(question, documents=[BILL, LETTER], sent=sent).sides


def test_what_is_merely_missing_is_taken_of_the_document_on_file() -> None:
    question = asks(ADDRESS, files(), kind="PROOF_OF_ADDRESS")
    sent = {"of letter.pdf": ["upload"]}
    assert (("FRONT", "letter.pdf"),) == part(question, documents=[BILL, LETTER], sent=sent).sides
    assert (("FRONT", "bill.pdf"),) == part(question, documents=[BILL, LETTER]).sides


def test_another_content_under_the_same_name_is_another_document() -> None:
    question = asks(ADDRESS, files("EXPIRED"), kind="UTILITY_BILL")
    assert (("FRONT", "bill.pdf"),) == part(question, documents=[BILL], sent={"of the old bill": ["upload"]}).sides


def test_only_the_side_that_is_no_good_has_to_be_another() -> None:
    sent = {"of card_front.png": ["upload[0]"]}
    question = asks(IDENTITY, files("INVALID", "BACK"), kind="NATIONAL_ID")
    assert (("BACK", "card_back.png"),) == part(question, documents=[CARD], sent=sent).sides
    question = asks(IDENTITY, files("INVALID", "FRONT"), kind="NATIONAL_ID")
    assert "was sent before" in lack(question, documents=[CARD], sent=sent).why


def test_what_was_sent_for_this_very_question_is_sent_for_it_again_after_a_kill() -> None:
    question = asks(ADDRESS, files("EXPIRED"), kind="PROOF_OF_ADDRESS")
    sent = {"of bill.pdf": [f"verify/upload-{ADDRESS}-0a1b2c3d"], "of letter.pdf": ["upload"]}
    documents = [LETTER, BILL]
    assert (("FRONT", "bill.pdf"),) == part(question, documents=documents, sent=sent, mark="0a1b2c3d").sides
    assert "was sent before" in lack(question, documents=documents, sent=sent, mark="ffffffff").why


def test_a_document_that_lacks_something_gives_way_to_one_that_does_not() -> None:
    question = asks(IDENTITY, files(), field("expiry_date"), kind="GOVERNMENT_ID")
    assert "passport.jpg" == part(question, documents=[CARD, PASSPORT]).sides[0][1]


# -- values that were turned down --------------------------------------------------------------------------------------

BEFORE = given_for("0a1b2c3d", Part(IDENTITY, {"number": "AB1"}))


@pytest.mark.parametrize("status", ["EXPIRED", "INVALID"])
def test_a_value_that_was_turned_down_is_not_given_again(status: str) -> None:
    question = asks(IDENTITY, field("number", status, reason="Does not match"))
    why = 'was refused: "does not match", correct metadata.number of the PASSPORT'
    assert Lack("data", f"{IDENTITY}.number", why=why) == lack(question, documents=[PASSPORT], sent=BEFORE)


def test_a_value_that_was_never_given_or_is_another_one_now_is_given() -> None:
    question = asks(IDENTITY, field("number", "INVALID"))
    assert Part(IDENTITY, {"number": "AB1"}) == part(question, documents=[PASSPORT])
    corrected = {**PASSPORT, "metadata": {"number": "AB2"}}
    assert Part(IDENTITY, {"number": "AB2"}) == part(question, documents=[corrected], sent=BEFORE)


def test_a_value_that_is_merely_missing_may_be_given_again() -> None:
    assert Part(IDENTITY, {"number": "AB1"}) == part(asks(IDENTITY, field("number")), documents=[PASSPORT], sent=BEFORE)


def test_a_value_that_was_given_for_this_very_question_is_given_for_it_again_after_a_kill() -> None:
    question = asks(IDENTITY, field("number", "INVALID"))
    assert Part(IDENTITY, {"number": "AB1"}) == part(question, documents=[PASSPORT], sent=BEFORE, mark="0a1b2c3d")


@pytest.mark.parametrize(("name", "kind"), [("number", "ADDRESS"), ("expiry_date", IDENTITY)])
def test_the_same_text_for_another_field_is_another_value(name: str, kind: str) -> None:
    sent = given_for("0a1b2c3d", Part(kind, {name: "AB1"}))
    assert Part(IDENTITY, {"number": "AB1"}) == part(
        asks(IDENTITY, field("number", "INVALID")), documents=[PASSPORT], sent=sent
    )


def test_with_files_that_are_no_good_the_same_value_may_be_that_of_another_document() -> None:
    question = asks(IDENTITY, files("INVALID"), field("number", "INVALID"))
    found = part(question, documents=[PASSPORT], sent=BEFORE)
    assert Part(IDENTITY, {"number": "AB1"}, (("FRONT", "passport.jpg"),)) == found
    missing = asks(IDENTITY, files(), field("number", "INVALID"))
    assert f"{IDENTITY}.number" == lack(missing, documents=[PASSPORT], sent=BEFORE).id


def test_the_number_of_another_document_is_not_given_for_the_one_on_file() -> None:
    question = asks(IDENTITY, field("number", "INVALID"), kind="GOVERNMENT_ID")
    on_file = {**BEFORE, "of passport.jpg": ["upload"]}
    assert "of the PASSPORT" in lack(question, documents=[PASSPORT, CARD], sent=on_file).why
    both = {**on_file, "of card_front.png": ["upload"]}
    assert Part(IDENTITY, {"number": "N1"}) == part(question, documents=[PASSPORT, CARD], sent=both)


def test_a_type_that_was_turned_down_is_told_as_what_it_is() -> None:
    sent = given_for("0a1b2c3d", Part(ADDRESS, {"type": "UTILITY_BILL"}))
    found = lack(asks(ADDRESS, field("type", "INVALID"), kind=""), documents=[BILL], sent=sent)
    assert 'was refused: "invalid", correct the type of the UTILITY_BILL' == found.why


def test_a_value_of_the_steps_own_that_was_turned_down_is_not_given_again() -> None:
    question = asks("tos", field("tos", "INVALID"))
    sent = given_for("0a1b2c3d", Part("tos", {"tos": "v1"}))
    assert Lack("data", "tos", why='was refused: "invalid", give another') == lack(question, tos="v1", sent=sent)
    assert Part("tos", {"tos": "v2"}) == part(question, tos="v2", sent=sent)
    assert Part("tos", {"tos": "v1"}) == part(asks("tos", field("tos")), tos="v1", sent=sent)


def test_no_value_can_be_read_off_what_is_kept_of_it() -> None:
    (stamp,) = value_stamps(client(), [Part(IDENTITY, {"number": "AB1"})])
    (of_another,) = value_stamps(
        Answering(RULE, {}, [], str, lambda stamp: (), "00000000", {"customer_id": "c2"}),
        [Part(IDENTITY, {"number": "AB1"})],
    )
    assert (False, False) == ("AB1" in stamp, stamp == of_another)


# -- as the call has it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "files"),
    [
        (IDENTITY, [{"uri": "u1", "side": "FRONT"}, {"uri": "u2", "side": "BACK"}]),
        (ADDRESS, [{"uri": "u1"}, {"uri": "u2"}]),
    ],
)
def test_files_say_their_side_where_the_call_has_sides(section: str, files: list[dict[str, str]]) -> None:
    made = Part(section, {"country": "USA"}, (("FRONT", "front.jpg"), ("BACK", "back.jpg")))
    assert {"country": "USA", "files": files} == body_of(RULE, made, {"front": "u1", "back": "u2"})


def test_without_files_there_is_no_word_of_them() -> None:
    assert {"number": "AB1"} == body_of(RULE, Part(IDENTITY, {"number": "AB1"}), {})
    assert "v1" == body_of(RULE, Part("tos", {"tos": "v1"}), {})


# -- what is lacking ---------------------------------------------------------------------------------------------------


def test_without_a_fitting_document_the_kinds_that_will_do_are_told_with_the_reason() -> None:
    question = asks(ADDRESS, files("EXPIRED", reason="Older than 90 days"), kind="PROOF_OF_ADDRESS")
    found = lack(question, documents=[PASSPORT])
    assert Lack("document", ADDRESS, EVERY_ADDRESS, 'was refused: "older than 90 days"') == found


def test_when_all_were_sent_the_reason_and_that_are_told() -> None:
    question = asks(ADDRESS, files("EXPIRED"), kind="UTILITY_BILL")
    found = lack(question, documents=[BILL], sent={"of bill.pdf": ["upload"]})
    assert 'was refused: "expired", every one of the client\'s was sent before' == found.why


def test_a_side_that_the_client_does_not_have_is_told() -> None:
    found = lack(asks(IDENTITY, files(side="BACK")), documents=[PASSPORT])
    assert Lack("document", IDENTITY, ("PASSPORT",), "lacks its back") == found


@pytest.mark.parametrize("metadata", [None, {}, {"number": ""}, "AB1"])
def test_a_field_that_the_document_does_not_have_is_told_with_its_place(metadata: Any) -> None:
    found = lack(asks(IDENTITY, field("number")), documents=[{**PASSPORT, "metadata": metadata}])
    assert Lack("data", f"{IDENTITY}.number", why="give metadata.number of the PASSPORT") == found


def test_everything_that_is_lacking_is_told_at_once() -> None:
    question = (
        asks(IDENTITY, files(side="BACK"), field("country")),
        asks(ADDRESS, files(), kind="PROOF_OF_ADDRESS"),
        asks("tos", field("tos")),
    )
    parts, lacks = answered(*question, documents=[PASSPORT])
    assert [] == parts
    assert [IDENTITY, f"{IDENTITY}.country", ADDRESS, "tos"] == [one.id for one in lacks]


# -- the question itself -----------------------------------------------------------------------------------------------


def test_a_question_is_the_same_until_anything_of_it_changes() -> None:
    question = [asks(IDENTITY, files("EXPIRED"))]
    mark = mark_of(RULE, question, "2026-01-01")
    assert mark == mark_of(RULE, [asks(IDENTITY, files("EXPIRED"))], "2026-01-01")
    others = {
        mark_of(RULE, question, "2026-01-02"),
        mark_of(RULE, question, None),
        mark_of(RULE, [asks(IDENTITY, files("INVALID"))], "2026-01-01"),
        mark_of(RULE, [*question, *question], "2026-01-01"),
    }
    assert (4, False) == (len(others), mark in others)


@pytest.mark.parametrize("missing", [None, [], {}, "x", 7])
def test_what_is_no_question_asks_for_nothing(missing: Any) -> None:
    assert () == sections_of(RULE, missing)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["files", "EXPIRED", "PASSPORT", IDENTITY, ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["section", "categories", "document_type", "fields", "field_name", "side", "status"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.lists(anything, max_size=3))
def test_no_question_is_too_strange_to_be_read(missing: list[Any]) -> None:
    parts, lacks = answered(*missing, documents=[PASSPORT, CARD, BILL])
    assert len(parts) + len(lacks) >= (1 if missing else 0)


def test_a_shipped_pack_speaks_of_what_it_has() -> None:
    rule = FIN.requirements
    assert rule is not None
    assert set() == set(rule.asks_while) - set(rule.pending)
    assert set() == set(RULE.sided) - set(RULE.documents)
