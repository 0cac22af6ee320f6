"""Waiting for a verdict: when the next ask is, what ends it, and how little has to be remembered of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import anyio
import pytest
from stand_ins import DROPPED, EPOCH, PLACE, REFUSED, FakeClock, answer, person, read_file, setting_of, step

from runner.advance import ClientRun, Done, Wait, advance
from runner.auth import NoAuth
from runner.checks import parse
from runner.journal.memory import MemoryJournal
from runner.limiter import Limiter
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import ClientResult, Ending, Fault, StepStatus
from runner.model.playbook import Picking, RetryPolicy, Step, Waiting
from runner.model.problem import Problem
from runner.performer import Performer
from runner.redact import Redactor

pytestmark = pytest.mark.anyio
PACK = find_pack("cryptomate")
EVERY, AT_MOST, DEADLINE = 30.0, 300.0, 3600.0

VERDICT = replace(
    step("verdict", "products.list", {"clientId": "c1"}),
    waiting=Waiting(
        (parse("[0].status == enabled"),),
        DEADLINE,
        stop=(parse("[0].status == rejected"),),
        every=EVERY,
        at_most=AT_MOST,
    ),
    retry=RetryPolicy(attempts=1),
)


def shown(status: str = "in_kyc", **more: Any) -> Response:
    return answer(200, [{"id": "p", "product": "cards_individuals", "status": status, **more}])


PENDING, ENABLED = shown(), shown("enabled")
THROTTLED = {"error_code": "TOO_MANY_REQUESTS", "message": "Rate limit exceeded"}


@dataclass
class Office:
    """Answers as its script says, the last of it for ever."""

    script: list[Response | NoAnswer]
    asked: list[Request] = field(default_factory=list)

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Callable[[], NoAnswer | None] | None = None
    ) -> Response | NoAnswer:
        await anyio.lowlevel.checkpoint()
        self.asked.append(request)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class Waited:
    """One client that waits. `again` is another process: all it has is the journal."""

    def __init__(self, *script: Response | NoAnswer, waiting: Step = VERDICT, seed: int = 1) -> None:
        self.office, self.clock, self.journal = Office(list(script)), FakeClock(), MemoryJournal()
        self.waiting, self.seed = waiting, seed
        self.again()

    def again(self) -> None:
        limiter = Limiter(self.clock)
        performer = Performer(PACK, self.office, NoAuth(), self.clock, limiter, read_file, Random(self.seed))  # type: ignore[arg-type]
        setting = setting_of(self.waiting, provider=PACK)
        self.run = ClientRun(1, setting, person(), self.journal, performer, self.clock, Redactor([]))

    async def ask(self) -> Wait:
        found = await advance(self.run)
        assert isinstance(found, Wait)
        return found

    async def end(self) -> ClientResult:
        found = await advance(self.run)
        assert isinstance(found, Done)
        return found.result

    async def pauses(self, count: int) -> list[float]:
        """The pauses between so many asks, each on its time."""
        found = []
        for _ in range(count):
            pause = (await self.ask()).until - self.clock.now()
            found.append(pause)
            self.clock.advance(pause)
        return found


def problem(result: ClientResult) -> Problem:
    assert result.problem is not None
    return result.problem


# -- when the next ask is ----------------------------------------------------------------------------------------------


async def test_the_first_pause_is_every_and_the_longest_is_at_most() -> None:
    pauses = await Waited(PENDING).pauses(12)

    assert EVERY <= pauses[0] <= EVERY * 1.25
    assert AT_MOST == max(pauses) == pauses[-1]
    grown = [pause for pause in pauses if EVERY * 1.25 < pause < AT_MOST]
    assert grown == sorted(grown)
    assert 3 <= len(grown)


@pytest.mark.parametrize("seed", range(20))
async def test_pauses_are_spread_by_a_quarter_at_most(seed: int) -> None:
    waited = Waited(PENDING, seed=seed)
    for _ in range(12):
        began = waited.clock.now() - EPOCH
        usual = min(max(EVERY, began / 2), AT_MOST)
        pause = (await waited.ask()).until - waited.clock.now()
        assert usual <= pause <= min(usual * 1.25, AT_MOST) + 1e-6
        waited.clock.advance(pause)


async def test_those_who_began_together_do_not_come_back_together() -> None:
    firsts = {(await Waited(PENDING, seed=seed).pauses(1))[0] for seed in range(10)}
    assert 10 == len(firsts)


async def test_at_most_below_every_is_still_at_most_every() -> None:
    assert VERDICT.waiting is not None
    short = replace(VERDICT, waiting=replace(VERDICT.waiting, every=30.0, at_most=10.0))
    assert all(pause <= 30.0 for pause in await Waited(PENDING, waiting=short).pauses(5))


@pytest.mark.parametrize(
    ("told", "pause"),
    [("120", 120.0), ("0", None), ("nonsense", None), ("Tue, 14 Nov 2023 22:15:20 GMT", 120.0)],
)
async def test_a_provider_that_says_when_is_believed(told: str, pause: float | None) -> None:
    (found,) = await Waited(answer(429, THROTTLED, retry_after=told)).pauses(1)
    if pause is None:
        assert EVERY <= found <= EVERY * 1.25
    else:
        assert pause == found


async def test_a_provider_that_says_soon_does_not_shorten_the_pause() -> None:
    (found,) = await Waited(answer(429, THROTTLED, retry_after="1")).pauses(1)
    assert EVERY <= found


async def test_a_provider_that_says_next_year_does_not_move_the_deadline() -> None:
    assert [DEADLINE] == await Waited(answer(429, THROTTLED, retry_after="31536000")).pauses(1)


async def test_the_last_ask_is_at_the_deadline() -> None:
    waited = Waited(PENDING)
    while waited.clock.now() - EPOCH < DEADLINE:
        waited.clock.advance((await waited.ask()).until - waited.clock.now())

    assert DEADLINE == waited.clock.now() - EPOCH
    assert Ending.BLOCKED is (await waited.end()).outcome


async def test_a_process_that_comes_later_goes_on_where_the_waiting_began() -> None:
    waited = Waited(PENDING)
    await waited.ask()
    waited.clock.advance(500.0)
    waited.again()

    pause = (await waited.ask()).until - waited.clock.now()

    assert 250.0 <= pause <= AT_MOST
    waited.clock.advance(DEADLINE)
    waited.again()
    assert Ending.BLOCKED is (await waited.end()).outcome


async def test_a_clock_that_is_set_back_does_not_bring_the_beginning_nearer() -> None:
    waited = Waited(PENDING)
    await waited.ask()
    waited.clock.advance(DEADLINE + 1)
    waited.clock.wall -= 10 * DEADLINE

    assert Ending.BLOCKED is (await waited.end()).outcome


async def test_each_ask_is_one_request_and_all_of_them_are_counted() -> None:
    waited = Waited(PENDING, PENDING, PENDING, ENABLED)
    await waited.pauses(3)
    result = await waited.end()

    assert (4, 4) == (len(waited.office.asked), sum(entry.requests for entry in result.steps))


# -- what a webhook has to name ----------------------------------------------------------------------------------------


async def test_it_waits_for_the_ids_that_it_asks_with() -> None:
    assert frozenset({"c1"}) == (await Waited(PENDING).ask()).wakes


async def test_ids_that_are_numbers_are_names_too() -> None:
    numbered = replace(VERDICT, values={"clientId": 17})
    assert frozenset({"17"}) == (await Waited(PENDING, waiting=numbered).ask()).wakes


async def test_asked_early_it_counts_from_the_beginning_all_the_same() -> None:
    """What a webhook does: look before the time has come."""
    waited = Waited(PENDING)
    await waited.ask()
    waited.clock.advance(1.0)
    pause = (await waited.ask()).until - waited.clock.now()
    assert EVERY <= pause <= EVERY * 1.25


# -- how it ends -------------------------------------------------------------------------------------------------------


async def test_a_verdict_ends_it_and_is_not_asked_for_again() -> None:
    waited = Waited(PENDING, ENABLED)
    await waited.pauses(1)
    result = await waited.end()
    waited.again()

    assert Ending.DONE is result.outcome is (await waited.end()).outcome
    assert 2 == len(waited.office.asked)


async def test_checks_and_outputs_see_the_last_answer() -> None:
    asks = replace(VERDICT, outputs={"product": (0, "product")}, expect=(parse("[0].id == p"),))
    waited = Waited(PENDING, ENABLED, waiting=asks)
    await waited.pauses(1)
    (found,) = (await waited.end()).steps

    assert {"product": "cards_individuals"} == found.outputs
    assert ["[0].status == enabled", "[0].id == p"] == [check.check for check in found.checks]


async def test_a_verdict_that_is_not_what_was_expected_ends_rejected() -> None:
    asks = replace(VERDICT, expect=(parse("[0].id == q"),))
    result = await Waited(ENABLED, waiting=asks).end()
    assert (Ending.REJECTED, "check.failed") == (result.outcome, problem(result).code)


async def test_what_it_waits_for_is_told() -> None:
    result = (await Waited(PENDING).ask()).result

    assert (Ending.WAITING, "await.pending", PLACE) == (
        result.outcome,
        problem(result).code,
        problem(result).location,
    )
    assert '"verdict" waits for "[0].status == enabled": found "in_kyc"' == problem(result).message


async def test_a_no_ends_rejected_with_the_providers_reason() -> None:
    result = await Waited(shown("rejected", rejection_description="sanctions")).end()

    assert (Ending.REJECTED, "await.stopped") == (result.outcome, problem(result).code)
    assert '"verdict" ended: "[0].status == rejected" holds; provider said: "sanctions"' == problem(result).message
    assert [StepStatus.FAILED] == [entry.status for entry in result.steps]


async def test_a_no_without_a_reason_is_a_no() -> None:
    result = await Waited(shown("rejected", rejection_description=None)).end()
    assert '"verdict" ended: "[0].status == rejected" holds' == problem(result).message


async def test_a_no_goes_before_a_yes() -> None:
    both = replace(VERDICT, waiting=replace(VERDICT.waiting or Waiting((), 1), stop=(parse("[0].id == p"),)))
    assert Ending.REJECTED is (await Waited(ENABLED, waiting=both).end()).outcome


async def test_too_late_ends_blocked_and_says_what_is_open() -> None:
    waited = Waited(PENDING)
    await waited.ask()
    waited.clock.advance(DEADLINE)
    result = await waited.end()

    assert (Ending.BLOCKED, "await.deadline") == (result.outcome, problem(result).code)
    assert 'found "in_kyc"' in problem(result).message


async def test_who_comes_too_late_is_asked_for_once_more_all_the_same() -> None:
    waited = Waited(PENDING, ENABLED)
    await waited.ask()
    waited.clock.advance(10 * DEADLINE)
    assert Ending.DONE is (await waited.end()).outcome


@pytest.mark.parametrize("nothing", [answer(429, THROTTLED), answer(503, {}), DROPPED, REFUSED])
async def test_a_deadline_that_passes_while_nobody_answers_is_no_verdict(nothing: Any) -> None:
    waited = Waited(PENDING, nothing, nothing, ENABLED)
    await waited.ask()
    waited.clock.advance(DEADLINE)
    assert [pytest.approx(AT_MOST)] * 2 == await waited.pauses(2)
    assert Ending.DONE is (await waited.end()).outcome


async def test_who_was_blocked_may_be_looked_at_again() -> None:
    waited = Waited(PENDING, PENDING, ENABLED)
    await waited.ask()
    waited.clock.advance(DEADLINE)
    assert Ending.BLOCKED is (await waited.end()).outcome
    waited.again()
    assert Ending.DONE is (await waited.end()).outcome


@pytest.mark.parametrize("got", [DROPPED, REFUSED, answer(500, {}), answer(503, {}), answer(429, THROTTLED)])
async def test_a_provider_that_is_away_has_said_nothing(got: Response | NoAnswer) -> None:
    waited = Waited(got, ENABLED)
    found = await waited.ask()

    assert Ending.WAITING is found.result.outcome
    waited.clock.advance(found.until - waited.clock.now())
    assert Ending.DONE is (await waited.end()).outcome


@pytest.mark.parametrize(("got", "fault"), [(REFUSED, Fault.UNREACHABLE), (DROPPED, None), (answer(503, {}), None)])
async def test_who_is_parked_while_nobody_is_there_is_told_apart(got: Response | NoAnswer, fault: Fault | None) -> None:
    """The run's exit code then says that the provider could not be reached, and not only that somebody waits."""
    result = (await Waited(got).ask()).result
    assert (Ending.WAITING, fault) == (result.outcome, result.fault)


async def test_a_refusal_of_the_question_ends_it() -> None:
    result = await Waited(answer(400, {"code": "BAD_REQUEST", "message": "no"})).end()
    assert (Ending.REJECTED, "cryptomate.bad-request") == (result.outcome, problem(result).code)


async def test_what_is_not_there_yet_may_show_in_a_moment() -> None:
    absent = answer(404, {"code": "NOT_FOUND", "message": "no"})
    waited = Waited(absent)
    assert "cryptomate.not-found" == problem((await waited.ask()).result).code

    await waited.clock.sleep(30)
    result = await waited.end()
    assert (Ending.REJECTED, "cryptomate.not-found") == (result.outcome, problem(result).code)


async def test_an_entry_of_a_list_may_show_in_a_moment() -> None:
    """A requirement loop asks for it right after it was made."""
    looking = replace(VERDICT, waiting=Waiting((), DEADLINE, every=EVERY, at_most=AT_MOST), pick=Picking({"id": "p"}))
    waited = Waited(answer(200, []), waiting=looking)
    assert "answer.no-entry" == problem((await waited.ask()).result).code

    await waited.clock.sleep(30)
    result = await waited.end()
    assert (Ending.REJECTED, "answer.no-entry") == (result.outcome, problem(result).code)


async def test_refused_credentials_are_nobodys_verdict() -> None:
    result = await Waited(answer(401, {"code": "AUTH", "message": "no"})).end()
    assert (Ending.NOT_STARTED, Fault.CREDENTIALS) == (result.outcome, result.fault)


async def test_who_waits_for_a_status_may_be_refused_meanwhile() -> None:
    """Something that is not there yet."""
    there = replace(VERDICT, waiting=Waiting((parse("http == 200"),), DEADLINE, every=EVERY, at_most=AT_MOST))
    waited = Waited(answer(404, {"code": "NOT_FOUND"}), ENABLED, waiting=there)

    assert "404" in problem((await waited.ask()).result).message
    assert Ending.DONE is (await waited.end()).outcome


@pytest.mark.parametrize("body", [[], {}, {"status": "enabled"}, [None], ["enabled"], [{"status": None}], "enabled"])
async def test_an_answer_of_another_form_is_no_verdict(body: Any) -> None:
    assert "await.pending" == problem((await Waited(answer(200, body)).ask()).result).code


async def test_items_are_waited_for_one_after_the_other() -> None:
    each = replace(VERDICT, for_each="{{ ['a', 'b'] }}", values={"clientId": "{{ item }}"})
    waited = Waited(PENDING, ENABLED, PENDING, ENABLED, waiting=each)

    assert frozenset({"a"}) == (await waited.ask()).wakes
    assert frozenset({"b"}) == (await waited.ask()).wakes
    assert Ending.DONE is (await waited.end()).outcome
    assert ["a", "a", "b", "b"] == [request.path.split("/")[4] for request in waited.office.asked]


async def test_each_item_has_a_deadline_of_its_own() -> None:
    each = replace(VERDICT, for_each="{{ ['a', 'b'] }}", values={"clientId": "{{ item }}"})
    waited = Waited(PENDING, ENABLED, PENDING, waiting=each)
    await waited.ask()
    waited.clock.advance(DEADLINE - 1)

    found = await waited.ask()
    assert EVERY <= found.until - waited.clock.now() <= EVERY * 1.25
