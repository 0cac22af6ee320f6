"""Questions of a provider in a run: answered once each, over waits and kills, with the documents there are by then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import anyio
import pytest
from stand_ins import DROPPED, FakeClock, answer, performer_of, person, setting_of, step

from runner.actions import FileContent
from runner.advance import ClientRun, Done, Wait, advance
from runner.client import Leave
from runner.journal.base import without_person
from runner.journal.memory import MemoryJournal
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import ClientResult, Ending
from runner.model.plan import Client
from runner.redact import Redactor

pytestmark = pytest.mark.anyio
FIN = find_pack("fin")
REVIEW = step("review", "", {"customer_id": "c1"}, "customer_status == APPROVED", rounds=5)
ADDRESS, IDENTITY = "proof_of_address", "proof_of_identity"
BILL, LETTER = {"type": "UTILITY_BILL", "front": "bill.pdf"}, {"type": "GOVERNMENT_LETTER", "front": "letter.pdf"}


def wants(status: str = "EXPIRED", section: str = ADDRESS, kind: str = "PROOF_OF_ADDRESS") -> list[dict[str, Any]]:
    field = {"field_name": "files", "data_type": "URI", "status": status, "side": None, "reason": None}
    return [{"section": section, "categories": [{"document_type": kind, "fields": [field]}]}]


def wants_number(status: str = "INVALID", reason: str | None = "does not match") -> list[dict[str, Any]]:
    field = {"field_name": "number", "data_type": "TEXT", "status": status, "side": None, "reason": reason}
    return [{"section": IDENTITY, "categories": [{"document_type": "PASSPORT", "fields": [field]}]}]


def passport(number: str) -> dict[str, Any]:
    return {"type": "PASSPORT", "front": "bill.pdf", "metadata": {"number": number}}


def numbers(reviewer: Reviewer) -> list[str]:
    return [made[IDENTITY]["number"] for made in reviewer.answers]


class Reviewer:
    """Asks its questions one after the other, looks at an answer when told to, and approves at the end."""

    def __init__(self, *questions: list[dict[str, Any]], looks_at_once: bool = True) -> None:
        self.questions = list(questions)
        self.looks_at_once = looks_at_once
        self.since = 0
        self.is_answered = False
        self.verdict = "APPROVED"
        self.asking = "ACTION_REQUIRED"
        self.uploads: list[Request] = []
        self.answers: list[dict[str, Any]] = []
        self.uris: Any = None
        self.kills: Iterator[bool] = iter(())

    def look(self) -> None:
        if self.is_answered:
            self.questions.pop(0)
            self.is_answered = False
            self.since += 1

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Leave | None = None
    ) -> Response | NoAnswer:
        await anyio.lowlevel.checkpoint()
        if leave and (refusal := leave()):
            return refusal
        if next(self.kills, False):
            raise ConnectionAbortedError("killed before it left")
        got = self.apply(request)
        if next(self.kills, False):
            raise ConnectionAbortedError("killed after it was applied")
        return got

    def apply(self, request: Request) -> Response:
        if request.method == "GET":
            if self.looks_at_once:
                self.look()
            status = self.asking if self.questions else self.verdict
            shown = self.questions[:1]
            return answer(
                200,
                {
                    "data": {
                        "customer_id": "c1",
                        "customer_status": status,
                        "rejection_reason": None,
                        "request_for_information": shown[0] if shown else [],
                        "last_status_updated_at": f"2026-01-0{self.since + 1}",
                    }
                },
            )
        if request.method == "POST":
            self.uploads.append(request)
            names = [name for name in ("front", "back") if f'name="{name}"'.encode() in request.body]
            uris = {name: f"uri-{len(self.uploads)}-{name}" for name in names} if self.uris is None else self.uris
            return answer(200, {"data": {"files": [uris]}})
        assert request.method == "PATCH"
        if self.is_answered or not self.questions:
            return answer(400, {"message": "nothing is asked for"})
        self.answers.append(json.loads(request.body))
        self.is_answered = True
        return answer(200, {"data": {"customer_id": "c1"}})


class Stage:
    """Every `process` is a new one: all it has is the journal, and the documents as they are now."""

    def __init__(self, reviewer: Reviewer, rounds: int = 5) -> None:
        self.reviewer, self.clock, self.journal = reviewer, FakeClock(), MemoryJournal()
        self.files = {"bill.pdf": b"a bill", "letter.pdf": b"a letter"}
        self.setting = replace(
            setting_of(replace(REVIEW, rounds=rounds), provider=FIN),
            stamp=lambda name: self.stamp(self.files[name]),
        )

    @staticmethod
    def stamp(content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    def process(self, *documents: Mapping[str, Any], **values: Any) -> ClientRun:
        def read(name: str) -> FileContent:
            return FileContent(self.files[name], "document.pdf", "application/pdf")

        performer = performer_of(FIN, self.reviewer, self.clock, read=read)
        client: Client = person(documents=tuple(documents), **values)
        return ClientRun(1, self.setting, client, self.journal, performer, self.clock, Redactor([]))

    async def wait(self, run: ClientRun) -> ClientResult:
        """As a driver does: one process that stays."""
        for _ in range(60):
            got = await advance(run)
            if isinstance(got, Done):
                return got.result
            self.clock.advance(max(0.0, got.until - self.clock.now()))
        raise AssertionError("it waits for ever")


def sent_for(reviewer: Reviewer) -> list[str]:
    return [made[ADDRESS]["files"][0]["uri"] for made in reviewer.answers]


async def test_a_question_is_answered_with_what_was_uploaded_for_it() -> None:
    on = Stage(reviewer := Reviewer(wants()))
    result = await on.wait(on.process(BILL))
    assert Ending.DONE is result.outcome
    assert [{ADDRESS: {"files": [{"uri": "uri-1-front"}]}}] == reviewer.answers


async def test_only_what_has_sides_is_sent_with_its_side() -> None:
    on = Stage(reviewer := Reviewer(wants(section=IDENTITY, kind="PASSPORT")))
    assert Ending.DONE is (await on.wait(on.process(passport("AB1")))).outcome
    assert [{IDENTITY: {"files": [{"uri": "uri-1-front", "side": "FRONT"}]}}] == reviewer.answers


async def test_the_same_question_is_not_answered_twice_while_nobody_has_looked() -> None:
    on = Stage(reviewer := Reviewer(wants(), looks_at_once=False))
    run = on.process(BILL)
    for _ in range(4):
        got = await advance(run)
        assert isinstance(got, Wait)
        assert got.result.problem is not None
        assert "waits until the provider has looked at what was handed in" in got.result.problem.message
        on.clock.advance(got.until - on.clock.now())
    assert (1, 1) == (len(reviewer.answers), len(reviewer.uploads))
    reviewer.look()
    assert Ending.DONE is (await on.wait(run)).outcome
    assert 1 == len(reviewer.answers)


async def test_the_next_question_takes_the_next_document() -> None:
    on = Stage(reviewer := Reviewer(wants(), wants("INVALID")))
    assert Ending.DONE is (await on.wait(on.process(BILL, LETTER))).outcome
    assert ["uri-1-front", "uri-2-front"] == sent_for(reviewer)
    assert [b"a bill" in reviewer.uploads[0].body, b"a letter" in reviewer.uploads[1].body] == [True, True]


async def test_when_all_are_on_file_the_client_is_blocked_and_nothing_is_sent() -> None:
    on = Stage(reviewer := Reviewer(wants(), wants("INVALID")))
    result = await on.wait(on.process(BILL))
    assert (Ending.BLOCKED, 1) == (result.outcome, len(reviewer.answers))
    assert result.problem is not None
    assert [{"kind": "document", "id": ADDRESS, "any_of": ["UTILITY_BILL", "BANK_STATEMENT", "GOVERNMENT_LETTER"]}] == [
        dict(one) for one in result.problem.shortage
    ]


async def test_a_value_that_was_turned_down_goes_out_once() -> None:
    on = Stage(reviewer := Reviewer(wants_number(), wants_number()))
    result = await on.wait(on.process(passport("AB1")))
    assert result.problem is not None
    assert (Ending.BLOCKED, "satisfy.blocked", ["AB1"]) == (result.outcome, result.problem.code, numbers(reviewer))
    told = (
        'needs field proof_of_identity.number (was refused: "does not match", correct metadata.number of the PASSPORT)'
    )
    assert told in result.problem.message
    assert ({"kind": "data", "id": "proof_of_identity.number"},) == tuple(map(dict, result.problem.shortage))


@pytest.mark.parametrize("status", ["MISSING", "INVALID"])
async def test_blocked_then_a_row_that_was_corrected_goes_on(status: str) -> None:
    on = Stage(reviewer := Reviewer(wants_number(status, None), wants_number(), wants_number()))
    for number, answered in (("AB1", 1), ("AB1", 1), ("AB2", 2), ("AB1", 2), ("AB3", 3)):
        result = await on.wait(on.process(passport(number)))
        assert answered == len(reviewer.answers)
    assert (Ending.DONE, ["AB1", "AB2", "AB3"]) == (result.outcome, numbers(reviewer))


@pytest.mark.parametrize("at", range(4))
async def test_killed_anywhere_a_value_goes_out_once(at: int) -> None:
    on = Stage(reviewer := Reviewer(wants_number(), wants_number()))
    reviewer.kills = iter([number == at for number in range(at + 1)])
    with pytest.raises(ConnectionAbortedError):
        await on.wait(on.process(passport("AB1")))
    for _ in range(2):
        result = await on.wait(on.process(passport("AB1")))
    assert (Ending.BLOCKED, ["AB1"]) == (result.outcome, numbers(reviewer))


async def test_the_journal_has_no_value_that_was_given() -> None:
    on = Stage(Reviewer(wants_number()))
    await on.wait(on.process(passport("AB1-canary")))
    entries = await on.journal.load(1, on.process().client.key)
    assert 1 == len([entry for entry in entries if "/values-" in entry.key.step])
    assert "AB1-canary" not in repr(entries)


async def test_the_name_of_a_note_says_nothing_of_the_value_and_forgetting_takes_its_fingerprint() -> None:
    """Names of steps are not encrypted, and whoever has the digest of one number can try them all."""
    names, stamps = [], []
    for number in ("AB1", "AB2"):
        on = Stage(Reviewer(wants_number()))
        client = (await on.wait(on.process(passport(number)))).key
        (note,) = [entry for entry in await on.journal.load(1, client) if "/values-" in entry.key.step]
        names.append(note.key.step)
        stamps.append(note.body["files"])
        assert "files" not in without_person(note.body)
    assert names[0] == names[1]
    assert stamps[0] != stamps[1]


async def test_blocked_then_another_row_goes_on() -> None:
    on = Stage(reviewer := Reviewer(wants(), wants("INVALID")))
    await on.wait(on.process(BILL))
    result = await on.wait(on.process(BILL, LETTER))
    assert (Ending.DONE, 2) == (result.outcome, len(reviewer.answers))


async def test_a_document_that_was_swapped_in_place_is_another() -> None:
    on = Stage(reviewer := Reviewer(wants(), wants("INVALID")))
    await on.wait(on.process(BILL))
    on.files["bill.pdf"] = b"a better bill"
    result = await on.wait(on.process(BILL))
    assert (Ending.DONE, 2) == (result.outcome, len(reviewer.answers))
    assert b"a better bill" in reviewer.uploads[1].body


@pytest.mark.parametrize("at", range(10))
async def test_killed_anywhere_each_question_is_answered_once(at: int) -> None:
    on = Stage(reviewer := Reviewer(wants(), wants("INVALID")))
    reviewer.kills = iter([number == at for number in range(at + 1)])
    killed = False
    try:
        result = await on.wait(on.process(BILL, LETTER))
    except ConnectionAbortedError:
        killed = True
        result = await on.wait(on.process(BILL, LETTER))
    assert (True, Ending.DONE, 2) == (killed, result.outcome, len(reviewer.answers))
    last = [b"a bill" in request.body for request in reviewer.uploads]
    # An upload whose reply nobody heard is sent again; another document is not taken for it.
    assert [True, False] == list(dict.fromkeys(last))


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "over waits"])
async def test_the_rounds_are_bounded_however_long_the_provider_takes(waits: bool) -> None:
    on = Stage(reviewer := Reviewer(*[wants("MISSING")] * 9), rounds=2)
    if waits:
        verdicts = iter(["ACTION_REQUIRED", *["PROCESSING", "ACTION_REQUIRED"] * 50])
        apply = reviewer.apply

        def slowly(request: Request) -> Response:
            got = apply(request)
            if request.method == "GET":
                got.body["data"]["customer_status"] = next(verdicts)
            return got

        reviewer.apply = slowly  # type: ignore[method-assign]
    result = await on.wait(on.process(BILL))
    assert result.problem is not None
    assert (Ending.BLOCKED, "satisfy.rounds", 2) == (result.outcome, result.problem.code, len(reviewer.answers))

    # Somebody has seen it and wants it to go on.
    again = await on.wait(on.process(BILL))
    assert (Ending.BLOCKED, 4) == (again.outcome, len(reviewer.answers))


async def test_an_upload_that_does_not_name_the_file_is_not_answered_with() -> None:
    on = Stage(reviewer := Reviewer(wants()))
    reviewer.uris = {"other": "uri"}
    result = await on.wait(on.process(BILL))
    assert result.problem is not None
    assert (Ending.REJECTED, "output.absent", []) == (result.outcome, result.problem.code, reviewer.answers)


async def test_a_lost_answer_is_looked_up() -> None:
    on = Stage(reviewer := Reviewer(wants()))
    apply, lost = reviewer.apply, iter([True])

    def losing(request: Request) -> Any:
        got = apply(request)
        return DROPPED if request.method == "PATCH" and next(lost, False) else got

    reviewer.apply = losing  # type: ignore[method-assign]
    result = await on.wait(on.process(BILL))
    assert (Ending.DONE, 1) == (result.outcome, len(reviewer.answers))


async def test_a_question_that_names_nothing_blocks_with_what_the_provider_says() -> None:
    on = Stage(Reviewer([]))
    result = await on.wait(on.process(BILL))
    assert result.problem is not None
    assert (Ending.BLOCKED, "satisfy.blocked") == (result.outcome, result.problem.code)
    assert "does not say for what" in result.problem.message


# -- a pause that asks -------------------------------------------------------------------------------------------------

PAUSES = pytest.mark.parametrize("pause", ["ON_HOLD", "IN_COMPLIANCE"])


@PAUSES
async def test_a_pause_with_a_question_is_answered(pause: str) -> None:
    on = Stage(reviewer := Reviewer(wants()))
    reviewer.asking = pause
    result = await on.wait(on.process(BILL))
    assert (Ending.DONE, ["uri-1-front"]) == (result.outcome, sent_for(reviewer))


@PAUSES
async def test_a_pause_without_a_question_is_waited_for(pause: str) -> None:
    on = Stage(reviewer := Reviewer([]))
    reviewer.asking = pause
    got = await advance(on.process(BILL))
    assert isinstance(got, Wait)
    assert got.result.problem is not None
    assert f'waits: customer_status is "{pause}"' in got.result.problem.message
    assert [] == reviewer.answers


@PAUSES
async def test_a_pause_that_goes_on_after_the_answer_is_not_answered_twice(pause: str) -> None:
    on = Stage(reviewer := Reviewer(wants(), looks_at_once=False))
    reviewer.asking = pause
    run = on.process(BILL)
    for _ in range(4):
        got = await advance(run)
        assert isinstance(got, Wait)
        assert got.result.problem is not None
        assert "waits until the provider has looked at what was handed in" in got.result.problem.message
        on.clock.advance(got.until - on.clock.now())
    assert (1, 1) == (len(reviewer.answers), len(reviewer.uploads))
    reviewer.look()
    assert Ending.DONE is (await on.wait(run)).outcome


async def test_a_pause_that_asks_for_what_nobody_has_blocks() -> None:
    on = Stage(reviewer := Reviewer(wants()))
    reviewer.asking = "ON_HOLD"
    result = await on.wait(on.process())
    assert result.problem is not None
    assert (Ending.BLOCKED, [ADDRESS]) == (result.outcome, [one["id"] for one in result.problem.shortage])


async def test_elsewhere_a_question_is_left_alone() -> None:
    on = Stage(reviewer := Reviewer(wants()))
    reviewer.asking = "REVIEWING"
    got = await advance(on.process(BILL))
    assert (True, []) == (isinstance(got, Wait), reviewer.answers)
