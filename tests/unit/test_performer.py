"""One attempt of one step: what is repeated and how long it waits, when it is signed again, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import anyio
import pytest
from stand_ins import (
    CONFIRM,
    CREATE,
    DROPPED,
    EPOCH,
    PACK,
    REFUSED,
    TIMED_OUT,
    TOO_LARGE,
    VIRTUAL,
    FakeClock,
    VirtualClock,
    answer,
    error,
    pack_with,
    performer_of,
    person,
    setting_of,
    step,
    text_answer,
)

from runner.auth import NoAuth, ServerClock
from runner.checks import parse
from runner.conductor import bind, scope_of
from runner.effects import Reply, Sight
from runner.limiter import Limiter
from runner.model.command import Perform
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import Ending, Fault, Outcome, StepStatus
from runner.model.playbook import RetryPolicy, Step
from runner.performer import Performer
from runner.redact import Redactor

pytestmark = pytest.mark.anyio
GOOD = answer(200, {"result": {"status": "verified", "id": 7, "name": "A Person"}})
NOBODY = Redactor([])


class Line:
    """Gives one answer after the other; the last one for ever."""

    def __init__(self, *answers: Response | NoAnswer) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[Request, Mapping[str, str]]] = []

    async def send(self, request: Request, headers: Mapping[str, str], *, leave: Any = None) -> Response | NoAnswer:
        await anyio.lowlevel.checkpoint()
        if leave and (refusal := leave()):
            return refusal
        self.sent.append((request, headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def command_of(written: Step) -> Perform:
    return bind(written, -1, scope_of(setting_of(written), person()))


async def perform(
    line: Line, written: Step = CONFIRM, clock: FakeClock | None = None, redactor: Redactor = NOBODY, **more: Any
) -> Outcome:
    performer = performer_of(more.pop("provider", PACK), line, clock or FakeClock(), **more)
    return await performer.perform(command_of(written), redactor)


# -- what is repeated ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "got", [DROPPED, TIMED_OUT, TOO_LARGE, REFUSED, answer(500), text_answer(502), text_answer(200), answer(429)]
)
async def test_a_read_is_repeated_until_it_works(got: Response | NoAnswer) -> None:
    clock = FakeClock()
    outcome = await perform(line := Line(got, got, got, GOOD), clock=clock)
    assert (StepStatus.PASSED, 4, 4) == (outcome.status, outcome.attempts, outcome.requests)
    assert 4 == len(line.sent)
    assert outcome.duration_ms == round(sum(clock.slept) * 1000)


@pytest.mark.parametrize(
    ("got", "fault", "code"),
    [
        (DROPPED, Fault.UNREACHABLE, "http.dropped"),
        (TIMED_OUT, Fault.UNREACHABLE, "http.timeout"),
        (REFUSED, Fault.UNREACHABLE, "http.not-connected"),
        (TOO_LARGE, Fault.UNREACHABLE, "http.too-large"),
        (answer(503), Fault.UNREACHABLE, "http.server-error"),
        (answer(429), Fault.THROTTLED, "coinmena.throttled"),
    ],
)
async def test_a_read_that_never_works_is_the_worlds_fault(got: Any, fault: Fault, code: str) -> None:
    outcome = await perform(line := Line(got))
    assert (fault, 4, False) == (outcome.fault, outcome.attempts, outcome.is_final)
    assert outcome.problem is not None
    assert (code, CONFIRM.location) == (outcome.problem.code, outcome.problem.location)
    assert 4 == len(line.sent)


@pytest.mark.parametrize("got", [error(2008, 404), error(2010), answer(401, {}), answer(301), answer(418)])
async def test_a_no_is_not_asked_again(got: Response) -> None:
    outcome = await perform(line := Line(got))
    assert (1, 1) == (outcome.attempts, len(line.sent))
    assert (Fault.CREDENTIALS if got.status == 401 else None) is outcome.fault


async def test_pauses_grow_up_to_their_bound_and_vary() -> None:
    policy = RetryPolicy(attempts=6, first=1.0, at_most=5.0)
    clock = FakeClock()
    await perform(Line(DROPPED), replace(CONFIRM, retry=policy), clock)
    for slept, most in zip(clock.slept, [1, 2, 4, 5, 5], strict=True):
        assert 0.7 * most <= slept <= most


@pytest.mark.parametrize(
    ("on", "got", "attempts"),
    [
        ("timeout", TIMED_OUT, 3),
        ("timeout", DROPPED, 1),
        ("connection", DROPPED, 3),
        ("connection", REFUSED, 3),
        ("connection", TOO_LARGE, 3),
        ("connection", TIMED_OUT, 1),
        ("connection", text_answer(200), 3),
        ("throttled", answer(429), 3),
        ("throttled", answer(503), 1),
        ("http 5xx", answer(503), 3),
        ("http 5xx", answer(408), 1),
        ("http 5xx", DROPPED, 1),
    ],
)
async def test_only_what_the_author_named_is_repeated(on: str, got: Any, attempts: int) -> None:
    outcome = await perform(Line(got), replace(CONFIRM, retry=RetryPolicy(3, 0.1, 1.0, frozenset({on}))))
    assert attempts == outcome.attempts


async def test_a_write_whose_answer_is_lost_is_not_called_not_started() -> None:
    write = step("on", "clients.activate", {"partner_client_id": "x", "active": True})
    lost, unsent = await perform(Line(DROPPED), write), await perform(Line(REFUSED), write)
    assert [Ending.WAITING, Ending.REJECTED] == [lost.ending, unsent.ending]
    assert lost.problem is not None
    assert lost.problem.hint.startswith("it may or may not have been applied")


async def test_a_write_is_repeated_only_when_the_author_says_so() -> None:
    write = step("on", "clients.activate", {"partner_client_id": "x", "active": True})
    assert 1 == (await perform(Line(DROPPED), write)).attempts
    assert 4 == (await perform(Line(DROPPED), replace(write, retry=RetryPolicy()))).attempts


async def test_a_write_that_harms_nobody_is_repeated_like_a_read() -> None:
    """An upload that nothing points to yet, say."""
    write = step("on", "clients.activate", {"partner_client_id": "x", "active": True})
    clock = FakeClock()
    performer = performer_of(pack_with("clients.activate", harmless=True), Line(DROPPED), clock)
    assert 4 == (await performer.perform(command_of(write), NOBODY)).attempts


@pytest.mark.parametrize(
    ("told", "waited"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (" 3 ", 3.0),
        ("300", 300.0),
        (formatdate(EPOCH + 20, usegmt=True), 20.0),
        (formatdate(EPOCH - 20, usegmt=True), 0.0),
    ],
)
async def test_a_provider_that_says_when_is_believed_within_reason(told: str, waited: float) -> None:
    clock = FakeClock()
    await perform(Line(answer(503, {}, retry_after=told), GOOD), clock=clock)
    assert [waited] == clock.slept


@pytest.mark.parametrize("told", ["301", "86400", formatdate(EPOCH + 9999, usegmt=True)])
@pytest.mark.parametrize("status", [429, 503])
async def test_a_provider_that_wants_to_be_left_alone_for_long_is(told: str, status: int) -> None:
    clock = FakeClock()
    outcome = await perform(Line(answer(status, {}, retry_after=told), GOOD), clock=clock)
    assert ([], 1, True) == (clock.slept, outcome.attempts, outcome.fault is not None)


@pytest.mark.parametrize("told", ["soon", "-5", "1.5", "Mon, 99 Foo", "\x00"])
async def test_a_time_that_is_none_is_not_waited_for(told: str) -> None:
    clock = FakeClock()
    await perform(Line(answer(503, {}, retry_after=told), GOOD), clock=clock)
    assert 0.35 <= clock.slept[0] <= 0.5


async def test_throttling_holds_everybody_back() -> None:
    clock = FakeClock()
    limiter = Limiter(clock)
    await perform(
        Line(answer(429, {}, retry_after="9")), replace(CONFIRM, retry=RetryPolicy(1)), clock, limiter=limiter
    )
    await limiter.slot()
    assert [9.0] == clock.slept
    await perform(Line(answer(429)), replace(CONFIRM, retry=RetryPolicy(1)), clock, limiter=limiter)
    await limiter.slot()
    assert [9.0, 1.0] == clock.slept


# -- judging ------------------------------------------------------------------------------------------------------


async def test_outputs_and_checks_come_out_of_the_answer() -> None:
    written = replace(CONFIRM, outputs={"id": ("id",)}, warn=(parse("id == 8"),))
    outcome = await perform(Line(GOOD), written)
    assert (StepStatus.PASSED, {"id": 7}) == (outcome.status, outcome.outputs)
    assert [(True, False), (False, True)] == [(check.passed, check.warning) for check in outcome.checks]


async def test_a_failing_check_is_final_and_placed() -> None:
    outcome = await perform(Line(answer(200, {"result": {"status": "new"}})))
    assert (StepStatus.FAILED, Ending.REJECTED, True) == (outcome.status, outcome.ending, outcome.is_final)
    assert outcome.problem is not None
    assert 'check "status == verified" of step "confirm" failed: found "new"' == outcome.problem.message


async def test_a_step_that_judges_the_status_itself_may_expect_a_refusal() -> None:
    """That somebody is not there yet can be what must be true."""
    outcome = await perform(
        Line(error(2008, 404)), step("none", "clients.get", {"partner_client_id": "x"}, "http == 404")
    )
    assert StepStatus.PASSED is outcome.status
    outcome = await perform(Line(GOOD), step("none", "clients.get", {"partner_client_id": "x"}, "http == 404"))
    assert StepStatus.FAILED is outcome.status


async def test_who_judges_the_status_still_needs_an_answer() -> None:
    written = step("none", "clients.get", {"partner_client_id": "x"}, "http == 404")
    assert Fault.UNREACHABLE is (await perform(Line(DROPPED), written)).fault


async def test_nobodys_data_is_told_in_a_refusal() -> None:
    secret = Redactor([], ["A Person"])
    outcome = await perform(Line(error(2010, 400, "A Person is off")), redactor=secret)
    assert outcome.problem is not None
    assert "A Person" not in outcome.problem.message
    assert "*** is off" in outcome.problem.message


async def test_a_raw_request_goes_the_same_way() -> None:
    raw = replace(step("raw", "", {}, "id == 7"), request={"method": "GET", "path": "/v1/x"})
    outcome = await perform(line := Line(answer(200, {"id": 7})), raw)
    assert StepStatus.PASSED is outcome.status
    assert "/v1/x" == line.sent[0][0].path


async def test_a_value_that_makes_no_path_is_refused_without_asking() -> None:
    outcome = await perform(line := Line(GOOD), step("a", "clients.get", {"partner_client_id": ""}))
    assert outcome.problem is not None
    assert (Ending.REJECTED, "request.path", None, 0) == (
        outcome.ending,
        outcome.problem.code,
        outcome.fault,
        outcome.requests,
    )
    assert [] == line.sent


# -- signing ------------------------------------------------------------------------------------------------------


class Signer(NoAuth):
    """Signs with what it believes the server's clock to be, and counts."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = ServerClock(clock, 1.0)

    def headers(self, request: Request) -> Mapping[str, str]:
        return {"x-time": str(round(self.clock.now()))}

    def learn(self, date: str) -> None:
        self.clock.learn(date)
        self.corrections = self.clock.corrections


async def test_a_401_that_shows_our_clock_was_wrong_is_signed_again_once() -> None:
    clock = FakeClock()
    late = formatdate(EPOCH + 3600, usegmt=True)
    line = Line(answer(401, {}, date=late), answer(200, {"result": {"status": "verified"}}, date=late))
    outcome = await perform(line, clock=clock, auth=Signer(clock))
    assert (StepStatus.PASSED, 1, 2) == (outcome.status, outcome.attempts, outcome.requests)
    assert [str(round(EPOCH - 1)), str(round(EPOCH + 3600))] == [headers["x-time"] for _, headers in line.sent]


async def test_a_401_with_a_right_clock_is_about_credentials() -> None:
    clock = FakeClock()
    signer = Signer(clock)
    signer.learn(formatdate(EPOCH, usegmt=True))
    outcome = await perform(
        line := Line(answer(401, {}, date=formatdate(EPOCH, usegmt=True))), clock=clock, auth=signer
    )
    assert (Fault.CREDENTIALS, 1) == (outcome.fault, len(line.sent))


async def test_a_401_twice_is_not_signed_a_third_time() -> None:
    clock = FakeClock()
    line = Line(answer(401, {}, date=formatdate(EPOCH + 50, usegmt=True)))
    line.answers.append(answer(401, {}, date=formatdate(EPOCH + 500, usegmt=True)))
    assert 2 == (await perform(line, clock=clock, auth=Signer(clock))).requests


async def test_what_is_public_is_not_signed() -> None:
    clock = FakeClock()
    line = Line(answer(200, {}))
    await perform(line, step("c", "public.countries", {}), clock, auth=Signer(clock))
    assert {} == line.sent[0][1]


# -- shared -------------------------------------------------------------------------------------------------------

COUNTRIES = step("c", "public.countries", {}, outputs={"all": ("items",)})


async def test_what_is_the_same_for_everybody_is_asked_once() -> None:
    line = Line(answer(200, {"items": [1]}), answer(200, {"items": [2]}))
    performer = performer_of(PACK, line, FakeClock())
    outcomes: list[Outcome] = []

    async def one() -> None:
        outcomes.append(await performer.perform(command_of(COUNTRIES), NOBODY))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(one)
    assert 1 == len(line.sent) == performer.requests
    assert [{"all": [1]}] * 20 == [outcome.outputs for outcome in outcomes]
    assert 1 == sum(outcome.requests for outcome in outcomes)


async def test_another_question_is_asked_for_itself_and_a_failure_is_not_kept() -> None:
    line = Line(error(2010), answer(200, {"items": [1]}))
    performer = performer_of(PACK, line, FakeClock())
    assert StepStatus.FAILED is (await performer.perform(command_of(COUNTRIES), NOBODY)).status
    assert StepStatus.PASSED is (await performer.perform(command_of(COUNTRIES), NOBODY)).status
    other = step("c", "public.countries", {"page": 2}, outputs={"all": ("items",)})
    await performer.perform(command_of(other), NOBODY)
    assert 3 == len(line.sent)


# -- effects ------------------------------------------------------------------------------------------------------


async def send(
    line: Line, performer: Performer | None = None, written: Step = CREATE, leave: Any = lambda: None
) -> Any:
    performer = performer or performer_of(PACK, line, FakeClock())
    command = command_of(written)
    return await performer.send(command, command.values, NOBODY, performer.tally(), leave)


async def test_an_effect_is_sent_once_whatever_comes() -> None:
    for got in (DROPPED, TOO_LARGE, answer(503), answer(429, {}, retry_after="5"), REFUSED):
        sent = await send(line := Line(got))
        assert 1 == len(line.sent)
        assert sent.outcome.fault is not None
    assert 5.0 == (await send(Line(answer(429, {}, retry_after="5")))).retry_after


async def test_what_was_made_is_claimed() -> None:
    sent = await send(Line(answer(201, {"result": {"id": 42}})))
    assert (Reply.ACCEPTED, "42") == (sent.reply, sent.outcome.claim)
    assert "" == (await send(Line(answer(201, {"result": {}})))).outcome.claim
    bare = performer_of(
        pack_with("clients.create", look_up=None), line := Line(answer(201, {"result": {"id": 1}})), FakeClock()
    )
    assert "" == (await send(line, bare)).outcome.claim


async def test_another_field_that_is_taken_is_told_apart() -> None:
    assert not (await send(Line(error(2027)))).is_own
    assert (await send(Line(error(2026)))).is_own


@pytest.mark.parametrize("anyio_backend", [VIRTUAL])
@pytest.mark.parametrize("rate", [1.0, 4.0, 15.0])
async def test_effects_that_waited_together_for_the_disk_leave_within_the_rate(rate: float) -> None:
    """Slots in good order, then a slow disk holds all the intents up and lets them go at once."""
    clock = VirtualClock()
    line = Line(answer(201, {"result": {"id": 1}}))
    performer = performer_of(PACK, line, clock, limiter=Limiter(clock, rate))
    left: list[float] = []

    async def one() -> None:
        await performer.slot()
        await anyio.sleep(max(0.0, 5.0 - clock.monotonic()))
        await send(line, performer)
        left.append(clock.monotonic())

    async with anyio.create_task_group() as group:
        for _ in range(int(rate) * 4):
            group.start_soon(one)

    assert int(rate) * 4 == len(line.sent) == len(left)
    assert int(rate) == max(sum(start <= other < start + 1 for other in left) for start in left)


async def test_an_effect_takes_no_slot_while_its_intent_grows_old() -> None:
    clock = FakeClock()
    limiter = Limiter(clock, 0.1)
    performer = performer_of(PACK, line := Line(answer(201, {"result": {"id": 1}})), clock, limiter=limiter)
    await performer.slot()
    await send(line, performer)
    assert [] == clock.slept
    await performer.slot()
    assert [10.0] == clock.slept


async def look_up(line: Line, provider: Any = PACK, written: Step = CREATE, values: Any = None) -> Any:
    performer = performer_of(provider, line, FakeClock())
    command = command_of(written)
    values = command.values if values is None else values
    return await performer.look_up(command, {"with": values, "reference": ""}, frozenset(), NOBODY, performer.tally())


async def test_a_look_up_is_repeated_as_reads_are() -> None:
    found = answer(200, {"result": {"id": 1, "partner_client_id": "user_1"}})
    seen = await look_up(line := Line(DROPPED, answer(503), found))
    assert (Sight.EQUAL, "1", 3) == (seen.sight, seen.claim, len(line.sent))


async def test_a_look_up_is_never_what_somebody_else_was_told() -> None:
    shared = replace(PACK.operations["clients.get"], shared=True)
    provider = replace(PACK, operations={**PACK.operations, "clients.get": shared})
    line = Line(error(2008, 404), answer(200, {"result": {"id": 1, "partner_client_id": "user_1"}}))
    performer = performer_of(provider, line, FakeClock())
    command = command_of(CREATE)
    for sight in (Sight.ABSENT, Sight.EQUAL):
        scope = {"with": command.values, "reference": ""}
        seen = await performer.look_up(command, scope, frozenset(), NOBODY, performer.tally())
        assert sight is seen.sight


async def test_before_the_first_send_a_young_list_does_for_everybody() -> None:
    create = PACK.operations["clients.create"]
    assert create.look_up is not None
    young = replace(create, look_up=replace(create.look_up, fresh=60.0))
    provider = replace(PACK, operations={**PACK.operations, "clients.create": young})
    clock = FakeClock()
    performer = performer_of(provider, line := Line(error(2008, 404)), clock)
    command = command_of(CREATE)

    async def asked(mark: str) -> int:
        scope = {"with": command.values, "reference": ""}
        await performer.look_up(command, scope, frozenset(), NOBODY, performer.tally(), mark)
        return len(line.sent)

    # A refusal is nothing to share; a list is.
    assert [1, 2] == [await asked("one"), await asked("two")]
    line.answers = [answer(200, {"result": {"id": 1, "partner_client_id": "user_1"}})]
    assert [3, 3] == [await asked("one"), await asked("two")]
    # Once somebody sent what is looked for, or nothing is known of that, only a new answer counts.
    performer.sent.add("two")
    assert [3, 4, 5] == [await asked("one"), await asked("two"), await asked("")]
    await clock.sleep(60)
    assert 6 == await asked("one")


async def test_a_row_that_leaves_out_what_is_looked_for_can_not_be_looked_up() -> None:
    seen = await look_up(line := Line(GOOD), values={})
    assert (Sight.FAILED, None, []) == (seen.sight, seen.fault, line.sent)
    partly = await look_up(
        Line(answer(200, {"result": {"id": 1, "email": "x"}})), values={"partner_client_id": "user_1"}
    )
    assert Sight.FAILED is partly.sight


@pytest.mark.parametrize("anyio_backend", [VIRTUAL])
async def test_all_clients_share_one_rate() -> None:
    clock = VirtualClock()
    performer = performer_of(PACK, line := Line(GOOD), clock, limiter=Limiter(clock, 5.0))
    async with anyio.create_task_group() as group:
        for _ in range(11):
            group.start_soon(performer.perform, command_of(CONFIRM), NOBODY)
    assert 11 == len(line.sent)
    # Two seconds for eleven, and twice the margin that keeps a provider's own second whole.
    assert pytest.approx(2.1) == clock.monotonic()
