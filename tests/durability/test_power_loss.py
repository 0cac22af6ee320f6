"""Power loss at any moment: no request has left without its intent on disk, and what is left goes on exactly.

A run is recorded with everything it writes, syncs and sends (disk.py). Then the tape is cut after each event: what is
durable at that moment, and what else may be found on the disk, must be a sound journal with an intent for each create
and money request that has left by then.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from disk import PLAYBOOK, POWER_CUT, Event, Machine, Orders, Sends, intents_in, read_tape, send_of
from stage import JPEG, Sandbox, checked_report, csv_text, person

from runner.commands.running import keep_stdin, stdin_copy
from runner.journal.cipher import Plain
from runner.journal.sqlite import open_journal
from runner.prepare import Wish

Image = Mapping[str, bytes]
# Short enough to wait for, long enough for a busy machine.
PACK = """extends: coinmena
timeout: 2s
send_window: 1s
operations: {clients.create: {settle: 0s}, documents.upload: {settle: 0s}, deposits.create: {settle: 0s},
  withdrawals.create: {settle: 0s}}
"""
RUN = ("run", PLAYBOOK, "--clients", "clients.csv", "--cap", "USD=100000")
COMMON = ("--provider-file", "pack.yaml", "--wait", "20s", "--report-json", "report.json")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    started = Machine()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("provider"), measured=False)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    shared_sandbox.reset()
    return shared_sandbox


class Platter:
    """Fed with events one by one; says at any moment what a power cut would leave.

    What was written since a file's last sync is not on disk: all of it may be there, a part of it, or none. The same
    holds for names: a file that was made or deleted is so for certain only once its folder was synced.
    """

    def __init__(self) -> None:
        self._stable: dict[str, bytearray] = {}
        self._pending: list[Event] = []

    def feed(self, event: Event) -> None:
        if event.kind == "found":
            self._stable[event.name] = bytearray(event.data)
        elif event.kind == "folder":
            self._land(lambda one: one.kind in ("made", "delete"))
        elif event.kind == "sync":
            # SQLite syncs the folder of a new file first; content without a name is not modelled here.
            assert not any(one.kind == "made" and one.name == event.name for one in self._pending)
            self._land(lambda one: one.kind in ("write", "truncate") and one.name == event.name)
        elif event.kind not in ("leave", "reply"):
            self._pending.append(event)

    def _land(self, is_meant: Callable[[Event], bool]) -> None:
        for event in self._pending:
            if is_meant(event):
                _apply(self._stable, event)
        self._pending = [event for event in self._pending if not is_meant(event)]

    @property
    def durable(self) -> Image:
        return self._image([])

    def possible(self, chance: random.Random) -> Iterator[Image]:
        """What else may be found: everything, the last write torn, the last write alone, and some in no order."""
        if not self._pending:
            return
        *before, last = self._pending
        yield self._image(self._pending)
        if last.kind == "write":
            yield self._image([*before, last._replace(data=last.data[: len(last.data) // 2])])
            yield self._image([last])
        yield self._image([event for event in self._pending if chance.random() < 0.5])

    def _image(self, also: Sequence[Event]) -> Image:
        files = {name: bytearray(content) for name, content in self._stable.items()}
        for event in also:
            _apply(files, event)
        return {name: bytes(content) for name, content in files.items()}


def _apply(files: dict[str, bytearray], event: Event) -> None:
    if event.kind == "delete":
        files.pop(event.name, None)
    elif event.kind == "made":
        files[event.name] = bytearray()
    else:
        content = files.setdefault(event.name, bytearray())
        if event.kind == "truncate":
            del content[event.at :]
        else:
            content.extend(bytes(max(0, event.at - len(content))))
            content[event.at : event.at + len(event.data)] = event.data


class Book(NamedTuple):
    """What a journal says once the machine is back: its soundness, and its entries."""

    health: str
    intents: Sends
    orphans: tuple[str, ...]
    entries: frozenset[tuple[Any, ...]]
    runs: int


EMPTY = Book("ok", Counter(), (), frozenset(), 0)
EFFECTS = ("create", "upload", "deposit", "withdraw")


def read(folder: Path) -> Book:
    with sqlite3.connect(folder / "journal.db") as database:
        ((health,),) = database.execute("pragma integrity_check").fetchall()
        names = {name for (name,) in database.execute("select name from sqlite_master")}
        if "entries" not in names:
            book = EMPTY._replace(health=health)
        else:
            rows = set(database.execute("select run, client, step, item, attempt, kind from entries"))
            orphans = {str(row) for row in rows if row[5] == "outcome" and row[2] in EFFECTS}
            orphans -= {str((*row[:5], "outcome")) for row in rows if row[5] == "intent"}
            ((runs,),) = database.execute("select count(*) from runs")
            book = Book(health, intents_in(database), tuple(sorted(orphans)), frozenset(rows), runs)
    database.close()
    return book


def restore(image: Image, folder: Path) -> Path:
    folder.mkdir(parents=True, mode=0o700)
    for name, content in image.items():
        (folder / name).write_bytes(content)
    return folder


class Examiner:
    """Cuts a tape after each event and says what is wrong with what is left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._known: dict[int, Book] = {}
        self.images = 0

    def wrong(self, tape: Sequence[Event]) -> list[str]:
        platter, sent, before, chance = Platter(), Sends(), EMPTY, random.Random(7)
        complaints: list[str] = []
        for number, event in enumerate(tape, 1):
            platter.feed(event)
            if send := send_of(event):
                sent[send] += 1
            durable = self._read(platter.durable)
            found = [durable, *(self._read(image) for image in platter.possible(chance))]
            for book in found:
                complaints += [f"{number} {event.kind} {event.name}: {what}" for what in faults(book, sent, before)]
            before = durable
        return complaints

    def _read(self, image: Image) -> Book:
        key = hash(tuple(sorted(image.items())))
        if key not in self._known:
            self.images += 1
            self._known[key] = read(restore(image, self._folder / str(next(self._numbers))))
        return self._known[key]


def faults(book: Book, sent: Sends, before: Book) -> Iterator[str]:
    if book.health != "ok":
        yield book.health
    for missing in sent - book.intents:
        yield f"no intent of {missing}"
    if book.orphans:
        yield f"outcomes without intents: {book.orphans}"
    if before.entries - book.entries:
        yield f"forgotten: {sorted(before.entries - book.entries)}"
    if book.entries and not book.runs:
        yield "entries of no run"


def clients_in(folder: Path, *numbers: int) -> Path:
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "id_front.jpg").write_bytes(JPEG)
    (folder / "clients.csv").write_text(csv_text(person(number, withdrawal="25.00") for number in numbers), "utf-8")
    (folder / "pack.yaml").write_text(PACK, "utf-8")
    return folder


# So small a limit makes it copy the log into the database, and begin it anew, all the time.
@pytest.mark.parametrize("pragmas", [[], ["wal_autocheckpoint=3"]])
def test_no_request_leaves_before_its_intent_is_on_disk(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, pragmas: list[str]
) -> None:
    folder = clients_in(tmp_path / "work", 1, 2, 3, 4)

    code = machine(folder, sandbox.env, *RUN, *COMMON, pragmas=pragmas)

    assert 0 == code, (folder / "err.txt").read_text()
    tape = read_tape(folder / "tape")
    assert 16 == sum(send_of(event) is not None for event in tape)
    examiner = Examiner(tmp_path / "images")
    assert [] == examiner.wrong(tape)
    assert len(tape) < examiner.images
    assert bool(pragmas) == (5 < sum(event == Event("sync", "journal.db") for event in tape))


def normal() -> None:
    """A careless runner: what was committed is synced now and then."""
    import runner.journal.sqlite

    runner.journal.sqlite.open_journal.__kwdefaults__ |= {"synchronous": "NORMAL"}  # type: ignore[operator]


def unwaited() -> None:
    """A careless runner: the intent is on its way to the disk when the request leaves."""
    from runner.journal.sqlite import SqliteJournal

    begin = SqliteJournal.begin
    started = set()

    async def begun(*words: Any, **more: Any) -> bool:
        started.add(asyncio.create_task(begin(*words, **more)))
        await asyncio.sleep(0)
        return True

    SqliteJournal.begin = begun  # type: ignore[method-assign]


@pytest.mark.parametrize("careless", [normal, unwaited])
def test_a_careless_runner_is_caught(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, careless: Callable[[], None]
) -> None:
    folder = clients_in(tmp_path / "work", 1, 2, 3, 4)

    machine(folder, sandbox.env, *RUN, *COMMON, careless=f"{__name__}.{careless.__name__}")

    tape = read_tape(folder / "tape")
    complaints = Examiner(tmp_path / "images").wrong(tape)
    assert any("no intent of" in line for line in complaints), complaints[:5]


def test_a_journal_that_was_cut_opens_with_all_it_had(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """The runner's own eyes: after each sync, what it loads is what SQL finds."""
    folder = clients_in(tmp_path / "work", 1, 2, 3, 4)
    machine(folder, sandbox.env, *RUN, *COMMON)
    platter = Platter()

    async def loaded(state: Path) -> set[tuple[Any, ...]]:
        journal = open_journal(state)
        found = set()
        for run in await journal.runs():
            for client in [client async for client in journal.clients(run.id)]:
                for entry in await journal.load(run.id, client.key):
                    key = entry.key
                    found.add((run.id, client.key, key.step, key.item, key.attempt, entry.kind))
        await journal.close()
        return found

    for number, event in enumerate(read_tape(folder / "tape")):
        platter.feed(event)
        if event.kind == "sync":
            state = restore(platter.durable, tmp_path / f"state-{number}")
            expected = read(state).entries
            assert expected == asyncio.run(loaded(state))


def test_clients_of_standard_input_last_before_the_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their copy is no part of the database: content first, then the name, then the folder."""
    told: list[tuple[int, bool]] = []
    wish = Wish(PLAYBOOK, stdin=b"a,b\n")
    copy = stdin_copy(tmp_path, "d" * 64)
    monkeypatch.setattr(os, "fsync", lambda handle: told.append((os.fstat(handle).st_ino, copy.exists())))

    keep_stdin(wish, "d" * 64, tmp_path, Plain())

    assert [(copy.stat().st_ino, False), (tmp_path.stat().st_ino, True)] == told


# -- and then, for real ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """The power fails after the n-th event of each process in turn; `luck` chooses what is found on the disk."""

    number: int
    after: tuple[int, ...]
    luck: int


def lives(machine: Machine, sandbox: Sandbox, home: Path, cut: Cut) -> tuple[Cut, Path, list[int]]:
    """Each process loses power as ordered, the last ones until all is done."""
    folder = clients_in(home / f"cut-{cut.number}", cut.number)
    codes = []
    words: tuple[object, ...] = RUN
    for turn, cut_at in enumerate((*cut.after, 0, 0, 0)):
        codes.append(machine(folder, sandbox.env, *words, *COMMON, orders=Orders(cut_at=cut_at)))
        if codes[-1] == POWER_CUT:
            platter = Platter()
            for event in read_tape(folder / "tape"):
                platter.feed(event)
            found = [platter.durable, *platter.possible(random.Random(cut.luck))]
            (folder / ".onboard").rename(folder / f"lost-{turn}")
            state = restore(found[cut.luck % len(found)], folder / ".onboard")
            words = ("resume",) if read(state).runs else RUN
        elif codes[-1] == 0:
            break
    return cut, folder, codes


def broken(cut: Cut, folder: Path, codes: Sequence[int], state: Mapping[str, Any]) -> list[str]:
    """What is not as it must be: everything once, everybody done, and the report says what the provider says."""
    key = f"user_{cut.number}"
    if codes[-1] != 0:
        return [f"{cut}: {codes}: {(folder / 'out.txt').read_text()}{(folder / 'err.txt').read_text()}"]
    orders = [order for order in state["orders"] if order["partner_client_id"] == key]
    report = checked_report(json.loads((folder / "report.json").read_text("utf-8")))
    pairs = (
        (1, sum(one["partner_client_id"] == key for one in state["clients"])),
        (1, sum(one["partner_client_id"] == key for one in state["documents"])),
        (
            [("deposit", "completed", Decimal("100.00")), ("withdrawal", "completed", Decimal("25.00"))],
            [(order["type"], order["status"], Decimal(order["debit"] or order["credit"])) for order in orders],
        ),
        ([key, "done"], [report["clients"][0]["key"], report["clients"][0]["outcome"]]),
        ({"deposits": "100.00", "withdrawals": "25.00", "payouts": "0.00"}, report["totals"]["money"].get("USD")),
    )
    return [f"{cut}: {actual}, not {expected}" for expected, actual in pairs if expected != actual]


def test_after_a_power_cut_resume_pays_what_is_missing_and_nothing_else(
    machine: Machine, sandbox: Sandbox, tmp_path: Path
) -> None:
    """One cut after every fourth event, and some second cuts into the recovery of the first."""
    once = [Cut(number, (after,), number) for number, after in enumerate(range(1, 150, 4), 1)]
    chance = random.Random(11)
    twice = [Cut(number, (chance.randrange(20, 140), chance.randrange(1, 60)), number) for number in range(101, 115)]

    with ThreadPoolExecutor(8) as pool:
        lived = list(pool.map(lambda cut: lives(machine, sandbox, tmp_path, cut), [*once, *twice]))

    state = sandbox.state
    assert [] == [line for life in lived for line in broken(*life, state)]
    assert 30 < sum(POWER_CUT in codes for _, _, codes in lived)
    assert 7 < sum(codes.count(POWER_CUT) == 2 for _, _, codes in lived)
    for _, folder, _ in lived[::14]:
        assert [] == Examiner(folder / "images").wrong(read_tape(folder / "tape"))


def test_what_the_provider_did_meanwhile_is_adopted(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """The disk goes back to an earlier moment, the provider does not."""
    folder = clients_in(tmp_path / "work", 1, 2, 3, 4)
    machine(folder, sandbox.env, *RUN, *COMMON)
    tape = read_tape(folder / "tape")
    book, platter = sandbox.ledger, Platter()

    for number, event in enumerate(tape):
        platter.feed(event)
        if send_of(event) is None and number % 40:
            continue
        (folder / ".onboard").rename(folder / f"before-{number}")
        state = restore(platter.durable, folder / ".onboard")
        words = ("resume",) if read(state).runs else RUN
        assert 0 == machine(folder, sandbox.env, *words, *COMMON), (number, (folder / "err.txt").read_text())
        report = checked_report(json.loads((folder / "report.json").read_text("utf-8")))
        assert ["done"] * 4 == [client["outcome"] for client in report["clients"]]

    assert book == sandbox.ledger
    assert 4 == len(sandbox.clients) == len(sandbox.documents)
