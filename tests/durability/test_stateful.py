"""Whatever happens in whatever order, nobody pays twice: a state machine looks for the order in which somebody does.

The runner's own `advance`, `settle`, performer and journal against the model of a provider, moved by hand from instant
to instant (model_provider.py, model_world.py, model_game.py). ONBOARD_SOAK=N plays N random games, not the fixed ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model_game import AMOUNTS, BACKS, PLAYBOOKS, Game, PaidTwiceError, row
from model_provider import HORIZON, JUST_IN_TIME, Fate, Temper, Way
from model_world import Desk, SqliteStore, Store, at_once

import runner.settle
from runner.effects import Known, Move, Reply, Sight, decide
from runner.journal.base import EntryKey
from runner.journal.memory import MemoryJournal
from runner.model.outcome import Ending, Outcome

LAGS = st.sampled_from([0.0, 20.0, 59.0])
REPLAYED = st.builds(Temper, st.just("replayed"), st.just(False), LAGS, replays=st.sampled_from([300.0, 600.0]))
TEMPERS = st.one_of(
    REPLAYED,
    st.builds(Temper, lag=LAGS, funds_first=st.booleans()),
    st.builds(Temper, repeat=st.sampled_from(["ignored", "unknown"]), refuses_used=st.just(False), lag=LAGS),
)
FATES = st.builds(
    Fate,
    st.sampled_from(Way),
    st.sampled_from([0.0, 5.0, 45.0, JUST_IN_TIME]),
    st.sampled_from([*["completed"] * 4, "failed", "rejected", "reviewing"]),
)
READ_WAYS = st.sampled_from(
    [Way.SLOW, Way.DROPPED_BEFORE, Way.TIMEOUT_BEFORE, Way.FAILED_AFTER, Way.DENIED, Way.THROTTLED, Way.CUT_BEFORE]
)
ON_THE_WAY = ["before intent", "after intent", "before send", "on the wire", "answered", "sleep", "outcome queued"]
INSTANTS = st.sampled_from([*["end"] * 3, *ON_THE_WAY, "load"])
SECONDS = st.sampled_from([1.0, 10.0, 35.0, 61.0, 95.0, HORIZON, 3600.0])
WHO = st.sampled_from([0, 0, 0, 1, 2])
BACK = st.sampled_from([0, 0, 0, 1])
TIMES = st.integers(1, 4)
AHEAD = st.lists(FATES, max_size=2)
WRITTEN = st.integers(0, 3)


class Payments(Game, RuleBasedStateMachine):
    """A few clients, one provider, and everything that can go wrong."""

    is_laid_out = False

    @initialize(
        temper=TEMPERS,
        store=st.sampled_from([MemoryJournal, SqliteStore]),
        playbook=st.sampled_from(list(PLAYBOOKS)),
        has_boot_id=st.booleans(),
    )
    def begin(self, temper: Temper, store: Callable[[], Store], playbook: str, has_boot_id: bool) -> None:
        self.lay_out(temper, store, PLAYBOOKS[playbook])
        self.is_laid_out = True
        if not has_boot_id:
            self.clock.boot = ""

    def teardown(self) -> None:
        if not self.is_laid_out:
            return
        try:
            if self.is_sound:
                self.end_well()
        finally:
            self.clear_up()

    @invariant()
    def nothing_happened_twice(self) -> None:
        if self.is_laid_out:
            self.nothing_twice()

    # -- processes ---------------------------------------------------------------------------------------------------

    @rule(who=WHO, back=BACK, money=AHEAD, make=AHEAD)
    def advance(self, who: int, back: int, money: list[Fate], make: list[Fate]) -> None:
        """A client to his end, with troubles on the way."""
        self.ahead(money=money, make=make)
        self.go(self.somebody(who, back))

    @rule(who=WHO, back=BACK, until=INSTANTS, times=TIMES, fates=AHEAD, has_own_desk=st.booleans())
    def advance_a_little(
        self, who: int, back: int, until: str, times: int, fates: list[Fate], has_own_desk: bool
    ) -> None:
        self.ahead(money=fates, make=fates)
        self.go(self.somebody(who, back, has_own_desk=has_own_desk), until, times)

    @rule(who=WHO, back=BACK, until=INSTANTS, times=TIMES, fates=AHEAD, written=WRITTEN)
    def kill_at(self, who: int, back: int, until: str, times: int, fates: list[Fate], written: int) -> None:
        self.ahead(money=fates, make=fates)
        self.go(self.somebody(who, back), until, times)
        self.die(written)

    @rule(who=WHO, turns=st.lists(st.integers(1, 6), min_size=2, max_size=8), has_own_desk=st.booleans())
    def race(self, who: int, turns: list[int], has_own_desk: bool) -> None:
        """Two workers on one client of one run, each a few instants at a time."""
        run, key = self.pick(0), self.key(who)
        racing = self.at_work(key)
        while len(racing) < 2:
            racing.append(self.worker(run, self.rows[key], has_own_desk=has_own_desk))
        for number, steps in enumerate(turns):
            self.go(racing[number % 2], at_most=steps)

    @rule(who=WHO, until=st.sampled_from(ON_THE_WAY), times=TIMES, seconds=SECONDS)
    def oversleep(self, who: int, until: str, times: int, seconds: float) -> None:
        """One is suspended on the way; another takes over and goes to the end; then the first wakes up."""
        sleeper = self.somebody(who, 0)
        self.go(sleeper, until, times)
        self.clock.suspend(seconds)
        other = self.worker(self.current, sleeper.client, has_own_desk=True)
        self.go(other)
        self.go(sleeper)

    @precondition(lambda self: self.is_laid_out and self.workers)
    @rule(which=st.integers(0, 2), until=INSTANTS, times=TIMES)
    def go_on(self, which: int, until: str, times: int) -> None:
        self.go(self.workers[which % len(self.workers)], until, times)

    @precondition(lambda self: self.is_laid_out and self.workers)
    @rule(written=WRITTEN)
    def kill(self, written: int) -> None:
        self.die(written)

    # -- the world ---------------------------------------------------------------------------------------------------

    @rule(way=READ_WAYS, count=st.integers(1, 5))
    def look_ups_down(self, way: Way, count: int) -> None:
        self.ahead(read=[Fate(way)] * count)

    @rule(found=st.sampled_from(["", "completed", "completed", "failed"]))
    def calm(self, found: str) -> None:
        """No trouble is ahead any more; the provider may come to a word on orders under review."""
        self.wire.ahead.clear()
        if found:
            self.provider.review(found)

    @rule(seconds=SECONDS, is_asleep=st.booleans())
    def time_passes(self, seconds: float, is_asleep: bool) -> None:
        self.clock.suspend(seconds) if is_asleep else self.clock.pass_by(seconds)

    @rule(seconds=st.sampled_from([-3600.0, 3600.0]))
    def somebody_sets_the_clock(self, seconds: float) -> None:
        self.clock.wall += seconds

    @rule(written=WRITTEN, seconds=st.sampled_from([2.0, 40.0, 100.0]))
    def reboot(self, written: int, seconds: float) -> None:
        self.die(written)
        self.clock.reboot(seconds)

    # -- people ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.is_laid_out and not self.workers)
    @rule(who=WHO, amount=st.sampled_from(AMOUNTS), back=st.sampled_from(BACKS), is_longer=st.booleans())
    def edit_file(self, who: int, amount: str, back: str, is_longer: bool) -> None:
        """A row gets other amounts, the rows change places, one may be added."""
        self.leave()
        key = self.key(who)
        self.rows[key] = replace(self.rows[key], values={**self.rows[key].values, "amount": amount, "back": back})
        self.history[key].append(self.rows[key])
        if is_longer and len(self.rows) < 3:
            added = row(3)
            self.rows[added.key] = added
            self.history[added.key] = [added]
        turned = list(reversed(self.rows.values()))
        self.rows = {client.key: replace(client, line=line) for line, client in enumerate(turned, 2)}

    @precondition(lambda self: self.is_laid_out and not self.workers)
    @rule(who=WHO, back=BACK, until=INSTANTS)
    def retry(self, who: int, back: int, until: str) -> None:
        """As `onboard retry` does it."""
        self.leave()
        run, key = self.pick(back), self.key(who)
        if key not in run.told or run.told[key].outcome is not Ending.REJECTED:
            return
        run.retried.add(key)
        for entry in at_once(self.store.load(run.number, key)):
            if entry.kind == "outcome" and Outcome.from_json(entry.body).ending is Ending.REJECTED:
                place = EntryKey(entry.key.step, entry.key.item, entry.key.attempt)
                at_once(self.store.retry(run.number, key, place, self.clock.now()))
        self.go(self.worker(run, self.rows[key]), until)

    @precondition(lambda self: self.is_laid_out and not self.workers and self.runs[-1].told)
    @rule(is_lost=st.booleans())
    def run_again(self, is_lost: bool) -> None:
        """The same file, on this journal or on an empty one.

        What is on its way when a journal is lost nobody knows of any more: without a refusal nothing would help.
        """
        self.leave()
        if is_lost:
            if self.provider.may_be_asked_twice:
                self.clock.pass_by(HORIZON)
            self.has_lost_journal = True
            self.open_journal()
        else:
            self.open_run()


SOAK = int(os.environ.get("ONBOARD_SOAK", "0"))
GAMES = settings(
    max_examples=SOAK or 500,
    stateful_step_count=30,
    derandomize=not SOAK,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_nobody_pays_twice() -> None:
    run_state_machine_as_test(Payments, settings=GAMES)


# -- negative controls: games that can't show a double prove nothing ---------------------------------------------------

CONTROLS = settings(GAMES, max_examples=3000, derandomize=True, phases=[Phase.generate])


def blindly(known: Known) -> Move:
    """No answer? Send again."""
    if known.sight is None and known.reply in (None, Reply.LOST):
        return Move.SEND if known.may_send else Move.GIVE_UP
    return decide(known)


def looking_at_once(known: Known) -> Move:
    """No answer? Look, and when nothing is there, send again."""
    is_hasty = known.sight is Sight.ABSENT and known.reply is not Reply.DUPLICATE
    return decide(replace(known, past_horizon=True) if is_hasty else known)


@pytest.mark.parametrize("strategy", [blindly, looking_at_once])
def test_a_careless_runner_is_caught(strategy: Callable[[Known], Move], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner.settle, "decide", strategy)
    with pytest.raises(PaidTwiceError):
        run_state_machine_as_test(Payments, settings=CONTROLS)


def test_a_right_to_send_that_everybody_gets_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Desk.begin

    async def everybody(*words: object) -> bool:
        await begin(*words)  # type: ignore[arg-type]
        return True

    monkeypatch.setattr(Desk, "begin", everybody)
    with pytest.raises(PaidTwiceError):
        run_state_machine_as_test(Payments, settings=CONTROLS)


def test_an_intent_that_is_only_queued_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durable with the next one is too late: what was sent in between would be forgotten."""
    monkeypatch.setattr(Desk, "is_hasty", True)
    with pytest.raises(PaidTwiceError):
        run_state_machine_as_test(Payments, settings=CONTROLS)


def test_an_old_intent_that_is_sent_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the send window, a process that slept sends when another has long looked and sent."""
    monkeypatch.setattr("model_world.ASKS_LEAVE", False)
    with pytest.raises(PaidTwiceError):
        run_state_machine_as_test(Payments, settings=CONTROLS)
