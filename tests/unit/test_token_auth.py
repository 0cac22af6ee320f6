"""A bearer token: fetched once for all, renewed by the server's clock, asked for again once when it is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import DROPPED, EPOCH, REFUSED, TIMED_OUT, FakeClock, answer, performer_of, person, setting_of, step
from stand_ins import text_answer as text

from runner.advance import ClientRun, Done, advance
from runner.auth import TokenAuth
from runner.auth.token import instant
from runner.client import Leave
from runner.conductor import bind, scope_of
from runner.journal.memory import MemoryJournal
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response, Trouble
from runner.model.outcome import Ending, Fault, Outcome, StepStatus
from runner.model.secret import Secret
from runner.redact import Redactor

pytestmark = pytest.mark.anyio
FIN = find_pack("fin")
CREDENTIALS: dict[str, Secret | str] = {"client_id": Secret("client-7"), "client_secret": Secret("the-secret-of-7")}
ANY = Request("GET", "/v1/wallet/balances")
DAY = 86_400.0
READ = step("read", "balances.list", {}, outputs={"first": (0, "currency")})
PAY = step(
    "pay",
    "transfers.create",
    {"beneficiary_id": "b1", "amount": "25.00", "remarks": "r"},
    outputs={"transfer": ("transfer_id",)},
)


def written(at: float) -> str:
    """As the provider writes an instant."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S+00")


class Office:
    """A token office and what lies behind it. Its clock is its own; `deny` scripts the next answers for tokens."""

    def __init__(self, clock: FakeClock, *, ahead: float = 0.0, life: float = DAY, is_wrapped: bool = False) -> None:
        self.clock, self.ahead, self.life, self.is_wrapped = clock, ahead, life, is_wrapped
        self.renewal_life = 7 * DAY
        self.deny: list[Response | NoAnswer] = []
        self.behind: list[Response | NoAnswer] = []
        self.asked: list[Request] = []
        self.shown: list[str] = []
        self.valid: set[str] = set()
        self.takes: set[str] = set()
        self.leaves_out: tuple[str, ...] = ()
        self.sent: list[Request] = []

    @property
    def fetched(self) -> list[str]:
        return [request.path.rpartition("/")[2] for request in self.asked]

    async def __call__(self, request: Request) -> Response | NoAnswer:
        await anyio.lowlevel.checkpoint()
        self.asked.append(request)
        if self.deny:
            return self.deny.pop(0)
        body = json.loads(request.body)
        if request.path.endswith("refresh-token"):
            if body["refresh_token"] not in self.takes:
                return answer(401, {"message": "no"})
            self.takes.discard(body["refresh_token"])
        return self.give()

    def give(self) -> Response:
        now = self.clock.wall + self.ahead
        number = len(self.asked)
        given = {
            "access_token": f"token-number-{number}",
            "access_token_ttl": written(now + self.life),
            "refresh_token": f"renewal-number-{number}",
            "refresh_token_ttl": written(now + self.renewal_life),
            "current_time": written(now),
        }
        self.valid = {given["access_token"]}
        self.takes.add(given["refresh_token"])
        body = {name: value for name, value in given.items() if name not in self.leaves_out}
        return answer(200, {"data": body} if self.is_wrapped else body, date=formatdate(now, usegmt=True))

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Leave | None = None
    ) -> Response | NoAnswer:
        """The whole provider."""
        if "/oauth/" in request.path:
            return await self(request)
        await anyio.lowlevel.checkpoint()
        if leave and (refusal := leave()):
            return refusal
        self.sent.append(request)
        self.shown.append(headers["Authorization"])
        if headers["Authorization"].removeprefix("Bearer ") not in self.valid:
            return answer(401, {"message": "Authentication failed"})
        if self.behind:
            return self.behind.pop(0)
        return answer(200, {"data": [{"currency": "USD", "amount": 1}]})


def auth_of(clock: FakeClock, **recipe: Any) -> TokenAuth:
    return TokenAuth({**FIN.auth, **recipe}, CREDENTIALS, clock, "Fin.com")


def shown(auth: TokenAuth) -> str:
    return auth.headers(ANY)["Authorization"]


# -- the token itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_wrapped", [False, True], ids=["bare", "in an envelope"])
async def test_the_reply_may_be_bare_or_in_an_envelope(is_wrapped: bool) -> None:
    office = Office(clock := FakeClock(), is_wrapped=is_wrapped)
    auth = auth_of(clock)
    assert None is await auth.ready(office)
    assert "Bearer token-number-1" == shown(auth)


async def test_it_is_issued_for_the_credentials_as_the_provider_wants_them() -> None:
    office = Office(clock := FakeClock())
    await auth_of(clock).ready(office)
    (asked,) = office.asked
    assert ("POST", "/v1/oauth/token", False) == (asked.method, asked.path, asked.signed)
    assert {"client_id": "client-7", "client_secret": "the-secret-of-7"} == json.loads(asked.body)


@pytest.mark.parametrize("ahead", [0.0, 3 * DAY, -3 * DAY], ids=["right", "behind", "ahead"])
@pytest.mark.parametrize("is_told", [True, False], ids=["in the reply", "by its Date alone"])
async def test_its_end_is_by_the_servers_clock_whatever_ours_says(ahead: float, is_told: bool) -> None:
    office = Office(clock := FakeClock(), ahead=ahead, life=1000.0)
    office.leaves_out = () if is_told else ("current_time",)
    auth = auth_of(clock)
    for passed, fetches in ((899.0, 1), (2.0, 2), (899.0, 2)):
        assert None is await auth.ready(office)
        clock.advance(passed)
        assert None is await auth.ready(office)
        assert fetches == len(office.asked)
        clock.wall -= 2 * DAY  # somebody sets the clock of this machine: no matter


async def test_it_is_renewed_with_what_renews_it_and_each_renewal_with_the_newest() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    for _ in range(3):
        await auth.ready(office)
        clock.advance(0.95 * DAY)
    assert ["token", "refresh-token", "refresh-token"] == office.fetched
    assert ["renewal-number-1", "renewal-number-2"] == [
        json.loads(request.body)["refresh_token"] for request in office.asked[1:]
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_renews_no_longer_is_followed_by_a_new_issue(status: int) -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    clock.advance(0.95 * DAY)
    office.deny = [answer(status, {"message": "no"})]
    assert None is await auth.ready(office)
    assert (["token", "refresh-token", "token"], "Bearer token-number-3") == (office.fetched, shown(auth))


async def test_a_renewal_that_is_over_is_not_tried() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    clock.advance(7 * DAY)
    await auth.ready(office)
    assert ["token", "token"] == office.fetched


@pytest.mark.parametrize("got", [answer(200, {"data": {}}), answer(503), answer(429), NoAnswer(Trouble.TIMEOUT, "no")])
async def test_while_nobody_can_renew_it_the_old_one_is_used_to_its_end(got: Response | NoAnswer) -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    clock.advance(0.95 * DAY)
    office.deny = [got] * 3
    for seconds in (0, 1, 3.9):
        clock.advance(seconds)
        assert (None, "Bearer token-number-1") == (await auth.ready(office), shown(auth))
    assert ["token", "refresh-token"] == office.fetched

    clock.advance(0.2)
    assert (None, "Bearer token-number-1") == (await auth.ready(office), shown(auth))
    clock.advance(0.05 * DAY)
    assert None is not await auth.ready(office)
    assert None is await auth.ready(office)
    assert "token-number-1" not in shown(auth)


async def test_a_server_that_does_not_say_how_long_is_asked_again_after_an_hour() -> None:
    office = Office(clock := FakeClock())
    office.leaves_out = ("access_token_ttl", "refresh_token_ttl", "refresh_token")
    auth = auth_of(clock)
    for _ in range(2):
        await auth.ready(office)
        clock.advance(3600.0)
    assert ["token", "token"] == office.fetched


@pytest.mark.parametrize("many", [2, 50])
async def test_whoever_needs_it_first_fetches_it_for_all(many: int) -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    for fetches in (1, 2):
        async with anyio.create_task_group() as group:
            for _ in range(many):
                group.start_soon(auth.ready, office)
        assert fetches == len(office.asked)
        clock.advance(0.95 * DAY)


async def test_who_is_stopped_while_he_fetches_leaves_the_door_open() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)

    async def never(request: Request) -> Response | NoAnswer:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.move_on_after(0):
        await auth.ready(never)
    assert None is await auth.ready(office)


@pytest.mark.parametrize(
    "got",
    [
        DROPPED,
        TIMED_OUT,
        REFUSED,
        answer(500, {}),
        answer(302, {}),
        answer(404, {}),
        text(200),
        text(502),
        answer(200, []),
        answer(200, {"data": None}),
        answer(200, {"access_token": ""}),
        answer(200, {"access_token": 7}),
        answer(
            200, {"access_token": "a-token", "access_token_ttl": written(EPOCH - 1), "current_time": written(EPOCH)}
        ),
    ],
    ids=lambda got: str(got)[:60],
)
async def test_without_a_token_nothing_was_sent_whatever_came_back(got: Response | NoAnswer) -> None:
    office = Office(clock := FakeClock())
    office.deny = [got]
    missing = await auth_of(clock).ready(office)
    assert isinstance(missing, NoAnswer)
    assert (Trouble.NOT_CONNECTED, True) == (missing.trouble, missing.message.startswith("no access token: "))


@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_credentials_that_are_refused_once_are_not_tried_again(status: int) -> None:
    office = Office(clock := FakeClock())
    office.deny = [answer(status, {"message": "no"})]
    auth = auth_of(clock)
    for _ in range(3):
        missing = await auth.ready(office)
        assert isinstance(missing, Response)
        assert 401 == missing.status
    assert 1 == len(office.asked)


async def test_too_many_questions_for_a_token_are_passed_on_and_forgotten() -> None:
    office = Office(clock := FakeClock())
    office.deny = [answer(429, {}, retry_after="7")]
    auth = auth_of(clock)
    missing = await auth.ready(office)
    assert isinstance(missing, Response)
    assert (429, "7") == (missing.status, missing.retry_after)
    assert None is await auth.ready(office)


async def test_a_refusal_of_an_older_token_ends_nothing() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    old = auth.headers(ANY)
    auth.refused(old)
    await auth.ready(office)
    before = auth.corrections
    auth.refused(old)
    assert None is await auth.ready(office)
    assert (["token", "token"], before) == (office.fetched, auth.corrections)


async def test_what_was_refused_is_issued_anew_and_not_renewed() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    auth.refused(auth.headers(ANY))
    await auth.ready(office)
    assert ["token", "token"] == office.fetched


async def test_every_token_there_ever_was_is_a_secret() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    redactor = Redactor([], later=auth.secrets)
    for number in (1, 2):
        await auth.ready(office)
        clock.advance(0.95 * DAY)
        for word in ("token", "renewal"):
            assert '"x ***"' == redactor.text(f'"x {word}-number-{number}"')
    assert "*** and ***" == redactor.text("token-number-1 and renewal-number-2")


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("2026-01-31 09:30:00+00", 1769851800.0),
        ("2026-01-31 11:30:00+02", 1769851800.0),
        (" 2026-01-31T09:30:00Z ", 1769851800.0),
        ("2026-01-31 09:30:00", 1769851800.0),
        ("soon", None),
        ("", None),
        (1769851800, None),
        (None, None),
    ],
)
def test_an_instant_is_read_as_the_provider_writes_it(told: object, at: float | None) -> None:
    assert at == instant(told)


@given(st.text() | st.datetimes().map(str) | st.none() | st.integers())
def test_no_text_is_too_strange_for_an_instant(told: object) -> None:
    found = instant(told)
    assert found is None or isinstance(found, float)


# -- in a run ----------------------------------------------------------------------------------------------------------


def run_of(office: Office, clock: FakeClock, *steps: Any, auth: TokenAuth | None = None) -> ClientRun:
    auth = auth or auth_of(clock)
    performer = performer_of(FIN, office, clock, auth=auth)
    redactor = Redactor(["client-7", "the-secret-of-7"], later=auth.secrets)
    return ClientRun(1, setting_of(*steps, provider=FIN), person(), MemoryJournal(), performer, clock, redactor)


async def outcome_of(office: Office, clock: FakeClock, auth: TokenAuth | None = None) -> Outcome:
    run = run_of(office, clock, READ, auth=auth)
    command = bind(READ, -1, scope_of(run.setting, run.client))
    return await run.performer.perform(command, run.redactor)


async def test_one_token_does_for_a_whole_run_of_many() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(outcome_of, office, clock, auth)
    assert (["token"], 20) == (office.fetched, len(office.sent))


async def test_a_token_that_ended_early_is_replaced_and_the_request_sent_once_more() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    office.valid = set()
    outcome = await outcome_of(office, clock, auth)
    assert (StepStatus.PASSED, ["token", "token"]) == (outcome.status, office.fetched)
    assert ["Bearer token-number-1", "Bearer token-number-2"] == office.shown


async def test_who_waits_for_his_turn_while_it_ends_goes_the_same_way() -> None:
    """Everybody has been told that there is a token, and it is refused before he leaves."""
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    office.valid = set()
    outcomes: list[Outcome] = []

    async def one() -> None:
        outcomes.append(await outcome_of(office, clock, auth))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one)
    assert {StepStatus.PASSED} == {outcome.status for outcome in outcomes}
    assert ["token", "token"] == office.fetched
    assert "Bearer " not in office.shown


async def test_between_a_refusal_and_the_next_token_no_request_goes_out_without_one() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    await auth.ready(office)
    auth.refused(auth.headers(ANY))
    assert "Bearer token-number-1" == shown(auth)


async def test_a_fresh_token_that_is_refused_twice_is_about_credentials() -> None:
    office = Office(clock := FakeClock())
    auth = auth_of(clock)
    give = office.give

    def useless() -> Response:
        got = give()
        office.valid = set()
        return got

    office.give = useless  # type: ignore[method-assign]
    outcome = await outcome_of(office, clock, auth)
    assert (Fault.CREDENTIALS, 2, ["token", "token"]) == (outcome.fault, len(office.sent), office.fetched)


@pytest.mark.parametrize(
    ("got", "fault"),
    [
        (DROPPED, Fault.UNREACHABLE),
        (answer(500, {}), Fault.UNREACHABLE),
        (answer(401, {"message": "no"}), Fault.CREDENTIALS),
        (answer(422, {"message": "no"}), Fault.CREDENTIALS),
        (answer(429, {}), Fault.THROTTLED),
    ],
    ids=["dropped", "500", "401", "422", "429"],
)
async def test_an_effect_without_a_token_was_not_sent_and_a_resume_simply_sends_it(
    got: Response | NoAnswer, fault: Fault
) -> None:
    office = Office(clock := FakeClock())
    # The look-up before the first send gets its token; then that ends, and there is none for the call itself.
    listed = answer(200, {"data": {"transactions": []}})
    made = answer(200, {"data": {"transfer_id": "t1", "reference_id": "r"}})
    office.behind = [listed]
    run = run_of(office, clock, PAY)
    send = office.send

    async def ending(request: Request, headers: Mapping[str, str], *, leave: Leave | None = None) -> Any:
        got_ = await send(request, headers, leave=leave)
        if request.method == "GET":
            office.valid, office.deny = set(), [got] * 20
        return got_

    office.send = ending  # type: ignore[method-assign]
    stopped = await advance(run)
    assert isinstance(stopped, Done)
    assert fault is stopped.result.fault
    assert Ending.UNKNOWN is not stopped.result.outcome

    office.send, office.deny, office.behind = send, [], [listed, made]  # type: ignore[method-assign]
    performer = performer_of(FIN, office, clock, auth=auth_of(clock))
    done = await advance(replace(run, performer=performer, is_fresh=False))
    assert isinstance(done, Done), done
    assert Ending.DONE is done.result.outcome


async def test_a_call_whose_token_ended_on_the_way_is_made_once() -> None:
    office = Office(clock := FakeClock())
    listed = answer(200, {"data": {"transactions": []}})
    office.behind = [listed, answer(200, {"data": {"transfer_id": "t1", "reference_id": "r"}})]
    run = run_of(office, clock, PAY)
    send = office.send

    async def ending(request: Request, headers: Mapping[str, str], *, leave: Leave | None = None) -> Any:
        got = await send(request, headers, leave=leave)
        if request.method == "GET":
            office.valid = set()
        return got

    office.send = ending  # type: ignore[method-assign]
    done = await advance(run)
    assert isinstance(done, Done), done
    assert (Ending.DONE, ["token", "token"]) == (done.result.outcome, office.fetched)
    assert ["GET", "POST", "POST"] == [request.method for request in office.sent]


async def test_an_intent_that_grew_old_while_the_token_came_is_not_sent() -> None:
    office = Office(clock := FakeClock())
    office.behind = [
        answer(200, {"data": {"transactions": []}}),
        answer(200, {"data": {"transfer_id": "t1", "reference_id": "r"}}),
    ]
    run = run_of(office, clock, PAY)
    give, send = office.give, office.send

    def slowly() -> Response:
        clock.advance(FIN.send_window + 1 if office.sent else 0)
        return give()

    async def ending(request: Request, headers: Mapping[str, str], *, leave: Leave | None = None) -> Any:
        got = await send(request, headers, leave=leave)
        if request.method == "GET":
            office.valid = set()
        return got

    office.give, office.send = slowly, ending  # type: ignore[method-assign]
    done = await advance(run)
    assert isinstance(done, Done), done
    # The first was refused for its token, what was to follow came too late: the second has an intent of its own.
    assert ["GET", "POST", "POST"] == [request.method for request in office.sent]
    entries = await run.journal.load(1, run.client.key)
    assert ["intent", "intent"] == [entry.kind for entry in entries if entry.kind == "intent"]


async def test_nothing_that_is_told_or_kept_shows_a_token_or_the_secret() -> None:
    """A provider that repeats what it was handed in."""
    office = Office(clock := FakeClock())
    parrot = {"message": "no such thing: token-number-1, renewal-number-1, the-secret-of-7, client-7"}
    office.behind = [answer(422, parrot)]
    run = run_of(office, clock, READ)
    done = await advance(run)
    assert isinstance(done, Done)
    entries = await run.journal.load(1, run.client.key)
    told = json.dumps(done.result.to_json()) + json.dumps([entry.body for entry in entries])
    assert "no such thing" in told
    assert [] == [word for word in ("token-number", "renewal-number", "secret-of", "client-7") if word in told]


async def test_a_refusal_of_the_credentials_does_not_show_them_either() -> None:
    office = Office(clock := FakeClock())
    office.deny = [answer(401, {"message": "client_secret the-secret-of-7 is wrong"})]
    outcome = await outcome_of(office, clock)
    assert outcome.problem is not None
    assert ("client_secret *** is wrong" in outcome.problem.message, Fault.CREDENTIALS) == (True, outcome.fault)
