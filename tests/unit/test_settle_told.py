"""A create that can be looked up only by the id that its refusal names: asked when it is named, never before."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from stand_ins import DROPPED, FakeClock, answer, lost_after, performer_of, person, setting_of, step
from stand_ins import Fault as Scripted

from runner.advance import ClientRun, Done, Wait, advance
from runner.client import Leave
from runner.journal.memory import MemoryJournal
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import ClientResult, Ending
from runner.redact import Redactor

pytestmark = pytest.mark.anyio
FIN = find_pack("fin")
MAKE = step(
    "account",
    "beneficiaries.create",
    {"customer_id": "c1", "country": "USA", "currency": "USD", "counter_party": "FIRST_PARTY"},
    outputs={"id": ("beneficiary_id",)},
)


@dataclass
class Registry:
    """Refuses a second one of the same, and names the first."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, deque[Scripted]] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    names: bool = True

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Leave | None = None
    ) -> Response | NoAnswer:
        await anyio.lowlevel.checkpoint()
        if leave and (refusal := leave()):
            return refusal
        self.sent.append(request.method)
        faults = self.faults.get(request.method)
        return faults.popleft()(lambda: self.apply(request)) if faults else self.apply(request)

    def apply(self, request: Request) -> Response:
        if request.method == "GET":
            wanted = dict(request.query)["beneficiary_id"]
            found = next((row for row in self.rows if row["id"] == wanted), None)
            return answer(200, {"data": found}) if found else answer(404, {"message": "not found"})
        if self.rows:
            error = {"code": "DUPLICATE", "beneficiary_id": self.rows[0]["id"]} if self.names else {}
            return answer(409, {"error": error})
        body = json.loads(request.body)
        self.rows.append({"id": "b1", "country": body["country"], "currency": body["currency"], "status": "ACTIVE"})
        return answer(200, {"data": {"beneficiary_id": "b1"}})


class Stage:
    def __init__(self) -> None:
        self.desk, self.clock, self.journal = Registry(), FakeClock(), MemoryJournal()

    async def go(self, run: int = 1) -> Done | Wait:
        performer = performer_of(FIN, self.desk, self.clock)
        setting = setting_of(MAKE, provider=FIN)
        return await advance(ClientRun(run, setting, person(), self.journal, performer, self.clock, Redactor([])))

    async def done(self, run: int = 1) -> ClientResult:
        got = await self.go(run)
        assert isinstance(got, Done), got
        return got.result


async def test_what_is_new_is_made_without_asking() -> None:
    on = Stage()
    result = await on.done()
    assert (Ending.DONE, ["POST"], {"id": "b1"}) == (result.outcome, on.desk.sent, result.steps[0].outputs)


async def test_what_the_refusal_names_is_read_and_adopted_under_the_calls_own_name() -> None:
    on = Stage()
    await on.done(run=1)
    on.desk.sent.clear()
    on.journal = MemoryJournal()
    result = await on.done(run=2)
    assert (Ending.DONE, True, {"id": "b1"}) == (result.outcome, result.adopted, result.steps[0].outputs)
    assert ["POST", "GET"] == on.desk.sent


async def test_a_lost_reply_is_asked_about_by_sending_again_what_is_refused_twice() -> None:
    on = Stage()
    on.desk.faults["POST"] = deque([lost_after])
    result = await on.done()
    assert (Ending.DONE, ["POST", "POST", "GET"], 1) == (result.outcome, on.desk.sent, len(on.desk.rows))


async def test_what_was_named_is_remembered_over_a_wait() -> None:
    """Named, and not shown yet: who looks again later asks for the same one."""
    on = Stage()
    on.desk.rows.append({"id": "b7", "country": "USA", "currency": "USD"})
    on.desk.faults["GET"] = deque([lambda apply: answer(404, {"message": "not found"})])
    got = await on.go()
    assert isinstance(got, Wait)
    on.clock.advance(got.until - on.clock.now())
    result = await on.done()
    assert (Ending.DONE, {"id": "b7"}) == (result.outcome, result.steps[0].outputs)
    assert ["POST", "GET", "GET"] == on.desk.sent


@pytest.mark.parametrize("row", [{"country": "CAN"}, {"currency": "EUR"}])
async def test_what_is_named_and_not_the_same_is_a_conflict(row: dict[str, str]) -> None:
    on = Stage()
    on.desk.rows.append({"id": "b7", "country": "USA", "currency": "USD"} | row)
    result = await on.done()
    assert (Ending.REJECTED, "effect.conflict") == (result.outcome, result.problem and result.problem.code)


async def test_a_refusal_that_names_nothing_leaves_it_unknown_and_is_not_sent_again() -> None:
    on = Stage()
    on.desk.names = False
    on.desk.rows.append({"id": "b7", "country": "USA", "currency": "USD"})
    got = await on.go()
    assert isinstance(got, Wait)
    on.clock.advance(got.until - on.clock.now() + 1)
    result = await on.done()
    assert (Ending.UNKNOWN, ["POST"]) == (result.outcome, on.desk.sent)


async def test_an_answer_that_shows_the_id_under_the_calls_own_name_only_is_read_as_well() -> None:
    on = Stage()
    on.desk.rows.append({"id": "b7", "beneficiary_id": "b7", "country": "USA", "currency": "USD"})
    apply = on.desk.apply

    def without_id(request: Request) -> Response:
        got = apply(request)
        if request.method == "GET" and got.status == 200:
            got.body["data"] = {name: value for name, value in got.body["data"].items() if name != "id"}
        return got

    on.desk.apply = without_id  # type: ignore[method-assign]
    result = await on.done()
    assert (Ending.DONE, {"id": "b7"}) == (result.outcome, result.steps[0].outputs)


async def test_a_look_up_that_fails_does_not_send_again() -> None:
    on = Stage()
    on.desk.rows.append({"id": "b7", "country": "USA", "currency": "USD"})
    on.desk.faults["GET"] = deque([lambda apply: DROPPED] * 8)
    result = await on.done()
    assert (Ending.UNKNOWN, 1) == (result.outcome, on.desk.sent.count("POST"))
