"""One game: processes that come and go on one state folder after the other, and what must be true of all they say.

No rule of the game is here (test_stateful.py has them), only the pieces, and the judge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from model_provider import HORIZON, Fate, Provider, Temper
from model_world import ENOUGH, Clock, Desk, SqliteStore, Store, Wire, Worker, at_once
from stand_ins import CREATE, DEPOSIT, PACK, UPLOAD, performer_of, person, setting_of

import runner.clock
from runner.advance import ClientRun, Wait, advance
from runner.journal.memory import MemoryJournal
from runner.model.outcome import ClientResult, Ending
from runner.model.plan import Client, Setting
from runner.model.playbook import Step
from runner.redact import Redactor

WITHDRAW = replace(
    DEPOSIT, id="withdraw", call="withdrawals.create", values={**DEPOSIT.values, "amount": "{{ client.back }}"}
)
STEPS = (CREATE, UPLOAD, DEPOSIT, WITHDRAW)
PLAYBOOKS = {"all": STEPS, "money": STEPS[2:], "deposit": STEPS[2:3], "papers": STEPS[:2]}
# The provider's word for what a step moves, and the column that says how much.
MONEY = {"deposit": ("deposits", "amount"), "withdraw": ("withdrawals", "back")}
AMOUNTS = ("100.00", "150.00", "70.5")
BACKS = ("25.00", "60")
PAPERS = (
    ({"type": "government_id", "front": "front.jpg"}, {"type": "government_id", "front": "other.jpg"}),
    ({"type": "proof_of_address", "front": "bill.jpg"},),
    (),
)
# How a client may end when all troubles are over: what the provider killed, and what was asked for otherwise.
REFUSALS = {"coinmena.order-failed", "coinmena.order-rejected", "effect.changed", "effect.conflict", "check.failed"}
# Not known yet, so the books may differ.
OPEN = {"effect.changed", "effect.in-flight", "effect.unknown"}
ROUNDS = 12


class WrongError(AssertionError):
    """What must never be."""


class PaidTwiceError(WrongError):
    """An effect was applied while the one before it stood."""


@dataclass
class Run:
    """One run of the file: the row with which each client was last advanced, and what was last told of him.

    `edited`, `raced`, `retried`: whose row was changed since, who had two workers at once, who was tried again.
    """

    number: int
    rows: dict[str, Client] = field(default_factory=dict)
    told: dict[str, ClientResult] = field(default_factory=dict)
    edited: set[str] = field(default_factory=set)
    raced: set[str] = field(default_factory=set)
    retried: set[str] = field(default_factory=set)


class Game:
    """A clients file, a provider, a machine, and the state folder of the moment."""

    def lay_out(self, temper: Temper, new_store: Callable[[], Store], steps: Sequence[Step]) -> None:
        self.clock = Clock()
        self.real_boot_id = runner.clock.boot_id
        runner.clock.boot_id = lambda: self.clock.boot  # type: ignore[assignment]
        self.new_store = new_store
        self.provider = Provider(temper, self.clock)
        self.wire = Wire(self.provider, self.clock)
        self.setting = setting_for(temper, steps)
        self.rows = {client.key: client for client in (row(1), row(2))}
        self.history = {key: [client] for key, client in self.rows.items()}
        self.workers: list[Worker] = []
        self.is_sound = True
        self.has_lost_journal = False
        self.open_journal()

    def clear_up(self) -> None:
        self.die(0)
        runner.clock.boot_id = self.real_boot_id
        if isinstance(self.store, SqliteStore):
            self.store.discard()

    # -- processes ---------------------------------------------------------------------------------------------------

    def open_journal(self) -> None:
        self.store = self.new_store()
        self.runs: list[Run] = []
        self.open_run()

    def open_run(self) -> None:
        self.runs.append(Run(at_once(self.store.open_run({}, (), self.clock.now()))))
        self.start(self.runs[-1])

    def start(self, run: Run) -> None:
        """A new process for this run: nothing is queued, nobody is held back."""
        self.workers.clear()
        self.current = run
        self.desks = [Desk(self.store)]
        self.performer = performer_of(self.setting.provider, self.wire, self.clock)

    def leave(self) -> None:
        """The process ends in good order."""
        for desk in self.desks:
            desk.write()
        self.start(self.current)

    def die(self, written: int) -> None:
        """The process is killed. Of what was queued, the first few rows had reached the disk."""
        for worker in self.workers:
            worker.die()
        for desk in self.desks:
            desk.die(written)
        self.start(self.current)

    def worker(self, run: Run, client: Client, *, has_own_desk: bool = False) -> Worker:
        """Somebody starts to advance this client. One process works on one run: the lock of the folder sees to it."""
        if run is not self.current:
            self.leave()
            self.start(run)
        if has_own_desk:
            self.desks.append(Desk(self.store))
        desk: Any = self.desks[-1]
        key = client.key
        is_fresh = key not in run.rows
        run.edited |= {key} if run.rows.get(key, client).values != client.values else set()
        has_rival = self.at_work(key) or any(other.queue for other in self.desks if other is not desk)
        run.raced |= {key} if has_rival else set()
        run.rows[key] = client
        one = ClientRun(
            run.number, self.setting, client, desk, self.performer, self.clock, Redactor([]), is_fresh=is_fresh
        )
        worker = Worker(run.number, client, advance(one), self.clock)
        self.workers.append(worker)
        return worker

    def go(self, worker: Worker, until: str = "end", times: int = 1, at_most: int = ENOUGH) -> None:
        """On to the instant of this name, or by so many instants."""
        try:
            worker.go(until, times, at_most)
        except BaseException:
            self.is_sound = False
            raise
        if worker.got is not None and worker in self.workers:
            self.workers.remove(worker)
            self.current.told[worker.client.key] = worker.got.result
            self.believe(self.current, worker.client, worker.got.result)

    def pick(self, back: int) -> Run:
        """The run that has somebody at work, else one of the newest."""
        return self.current if self.workers else self.runs[-1 - back % len(self.runs)]

    def somebody(self, who: int, back: int, *, has_own_desk: bool = False) -> Worker:
        """A new worker for this client, or one of the two that are at it already."""
        key = self.key(who)
        same = self.at_work(key)
        return same[0] if len(same) > 1 else self.worker(self.pick(back), self.rows[key], has_own_desk=has_own_desk)

    def at_work(self, key: str) -> list[Worker]:
        return [worker for worker in self.workers if worker.client.key == key]

    def key(self, who: int) -> str:
        return list(self.rows)[who % len(self.rows)]

    def ahead(self, **fates: list[Fate]) -> None:
        for kind, more in fates.items():
            self.wire.ahead.setdefault(kind, deque()).extend(more)

    # -- the judge ---------------------------------------------------------------------------------------------------

    def must(self, holds: bool, text: str, error: type[WrongError] = WrongError) -> None:
        if not holds:
            self.is_sound = False
            raise error(text)

    def nothing_twice(self) -> None:
        self.provider.catch_up()
        self.must(not self.provider.twice, "; ".join(self.provider.twice), PaidTwiceError)
        for key, client in self.rows.items():
            made, meant = self.provider.papers(key), papers_of(client)
            is_fine = all(made.count(kind) <= meant.count(kind) for kind in made)
            self.must(is_fine, f"{key}: {made} on file, {meant} in the row", PaidTwiceError)

    def believe(self, run: Run, client: Client, result: ClientResult) -> None:
        """What is told of a client is true at the provider."""
        self.nothing_twice()
        key, provider = client.key, self.provider
        steps = {step.id for step in self.setting.playbook.steps}
        for step, (kind, column) in MONEY.items():
            moved, there = moved_in(result, step), provider.amount(kind, key)
            if (kind, key) not in provider.died:
                self.must(moved in (0, there), f"{key} says {moved} {kind}, the provider has {there}")
            if result.outcome is Ending.DONE and step in steps:
                rows = self.history[key] if key in run.edited else [client]
                meant = {Decimal(row.values[column]) for row in rows}
                self.must(there in meant, f"{key} is done, the provider has {there} {kind} instead of {meant}")
        if result.outcome is Ending.DONE and "create" in steps:
            self.must(bool(provider.live("clients", key)), f"{key} is done and was never created")
            self.must(papers_of(client) == provider.papers(key), f"{key} is done without all documents")

    def end_well(self) -> None:
        """All troubles are over; everybody is advanced until nobody waits; then the books are compared."""
        self.wire.ahead.clear()
        self.provider.review("completed")
        while self.workers:
            self.go(self.workers[0])
        self.leave()
        for run in self.runs:
            # What a dead process told may never have reached the disk.
            run.told.clear()
        for key in self.rows:
            self.runs[-1].rows.setdefault(key, self.rows[key])
        for _ in range(ROUNDS):
            for run in self.runs:
                for key in run.rows:
                    self._bring_to_an_end(run, key)
            self.clock.pass_by(1.0)
        self.clock.pass_by(HORIZON)
        self.nothing_twice()
        for run in self.runs:
            self.must(sorted(run.rows) == sorted(run.told), f"{sorted(run.rows)} in, {sorted(run.told)} out")
            for key, result in list(run.told.items()):
                self.must(self._has_ended(result), f"run {run.number}, {key}: {result.outcome}, {result.problem}")
                self._tell_again(run, key, result)
        for key in self.rows:
            self._compare_books(key)
        for run in self.runs:
            self._compare_caps(run)

    def _has_ended(self, result: ClientResult) -> bool:
        is_raced = any(result.key in run.raced for run in self.runs)
        is_again = len(self.runs) > 1 or self.has_lost_journal or is_raced
        if code_of(result) == "coinmena.insufficient-funds" and self.provider.temper.funds_first and is_again:
            # What another run withdrew leaves no cover, and this provider says so before it looks at the reference.
            return True
        return result.outcome is Ending.DONE or (result.outcome is Ending.REJECTED and code_of(result) in REFUSALS)

    def _bring_to_an_end(self, run: Run, key: str) -> None:
        result = run.told.get(key)
        is_changed = result is not None and code_of(result) == "effect.changed"
        if result is not None and self._has_ended(result) and not is_changed:
            return
        # A changed row is put back before anything else can be known.
        for client in [run.rows[key], *(self.history[key] if is_changed else ())]:
            worker = self.worker(run, client)
            self.go(worker)
            if isinstance(worker.got, Wait):
                self.clock.pass_by(max(0.0, worker.got.until - self.clock.now()))
                return
            if code_of(run.told[key]) != "effect.changed":
                return

    def _tell_again(self, run: Run, key: str, told: ClientResult) -> None:
        """What is known for good is told again from the journal, and nobody is asked."""
        if code_of(told) in OPEN:
            return
        worker = self.worker(run, run.rows[key])
        asked = self.performer.requests
        self.go(worker)
        again = run.told[key].outcome
        self.must(told.outcome is again, f"{key} was {told.outcome}, and is {again} when told again")
        self.must(asked == self.performer.requests, f"{key} is asked for again")

    def _compare_books(self, key: str) -> None:
        results = [run.told[key] for run in self.runs if key in run.told]
        is_known = not self.has_lost_journal and all(code_of(result) not in OPEN for result in results)
        is_raced = any(key in run.raced for run in self.runs)
        for step, (kind, _) in MONEY.items():
            said = sum((moved_in(result, step) for result in results), Decimal(0))
            there = self.provider.amount(kind, key)
            if (kind, key) in self.provider.died:
                continue
            text = f"{key}: told {said} {kind}, the provider has {there}"
            self.must(said <= there, text)
            if is_known and not is_raced:
                self.must(said >= there, text)

    def _compare_caps(self, run: Run) -> None:
        is_raced = run.raced
        if is_raced or any(code_of(result) in OPEN for result in run.told.values()):
            return
        self.leave()
        said = sum((moved_in(result, step) for result in run.told.values() for step in MONEY), Decimal(0))
        held = held_of(self.store, f"run:{run.number}")
        self.must(said == held, f"run {run.number} moved {said} and holds {held} of its cap")


def setting_for(temper: Temper, steps: Sequence[Step]) -> Setting:
    more: Any = {"repeat": temper.repeat, "replays": temper.replays}
    changed = {name: replace(PACK.operations[name], **more) for name in ("deposits.create", "withdrawals.create")}
    return setting_of(*steps, provider=replace(PACK, operations={**PACK.operations, **changed}))


def row(number: int) -> Client:
    return person(number, amount=AMOUNTS[0], back=BACKS[0], documents=PAPERS[number - 1])


def papers_of(client: Client) -> list[str]:
    return sorted(paper["type"] for paper in client.documents)


def moved_in(result: ClientResult, step: str) -> Decimal:
    return sum((moved.money.amount for one in result.steps if one.id == step for moved in one.moved), Decimal(0))


def code_of(result: ClientResult) -> str:
    return result.problem.code if result.problem else ""


def held_of(store: Store, scope: str) -> Decimal:
    if isinstance(store, MemoryJournal):
        return store._held.get((scope, "USD"), Decimal(0))
    found = next(store._read("select amount from held where scope = ? and asset = 'USD'", (scope,)), None)
    return Decimal(found[0]) if found else Decimal(0)
