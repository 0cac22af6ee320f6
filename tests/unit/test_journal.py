"""The book of record: what every store promises, and what only the one on disk does."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from runner.journal.base import CapExceeded, Entry, EntryKey, Hold, Journal, Row, without_person
from runner.journal.cipher import Plain, Sealed, cipher_of
from runner.journal.memory import MemoryJournal
from runner.journal.sqlite import SqliteJournal, open_journal
from runner.model.problem import JournalError

pytestmark = pytest.mark.anyio
KEY = EntryKey("deposit", -1, 1)
ROWS = [Row("b", 2, "d1"), Row("a", 3, "d2"), Row("ü 1", 4, "d3")]


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    found: Journal = MemoryJournal() if request.param == "memory" else open_journal(tmp_path / "state")
    yield found
    await found.close()


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    found = open_journal(tmp_path / "state")
    yield found
    await found.close()


def hold(amount: str, limit: str | None, scope: str = "run:1") -> Hold:
    return Hold(scope, "USD", Decimal(amount), None if limit is None else Decimal(limit))


# -- what every store promises ------------------------------------------------------------------------------------


async def test_two_hundred_ask_and_one_may_send(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    answers: list[bool] = []

    async def one(number: int) -> None:
        answers.append(await journal.begin(run, "a", KEY, float(number), {"by": number}))

    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(one, number)
    assert [True] + [False] * 199 == sorted(answers, reverse=True)
    assert 1 == len(await journal.load(run, "a"))


async def test_another_attempt_item_step_client_or_run_is_another_intent(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    other = await journal.open_run({}, ROWS, 1.0)
    places = [
        (run, "a", KEY),
        (run, "a", EntryKey("deposit", -1, 2)),
        (run, "a", EntryKey("deposit", 0, 1)),
        (run, "a", EntryKey("create", -1, 1)),
        (run, "b", KEY),
        (other, "a", KEY),
    ]
    assert [True] * 6 == [await journal.begin(*place, 1.0, {}) for place in places]
    assert [False] * 6 == [await journal.begin(*place, 1.0, {}) for place in places]


async def test_the_first_outcome_stands(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    await journal.finish(run, "a", KEY, 2.0, {"status": "passed"})
    await journal.finish(run, "a", KEY, 3.0, {"status": "failed"})
    assert [Entry(KEY, "outcome", 2.0, {"status": "passed"})] == list(await journal.load(run, "a"))


async def test_what_is_written_is_read_back_in_order(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    second = EntryKey("deposit", -1, 2)
    body = {"reference": "r-1", "name": "José محمد", "n": 1.5, "list": [1, None, True], "nested": {"a": "b"}}
    await journal.begin(run, "a", KEY, 1.25, body)
    await journal.finish(run, "a", KEY, 2.0, {"status": "failed"})
    await journal.retry(run, "a", KEY, 3.0)
    await journal.retry(run, "a", KEY, 4.0)
    await journal.begin(run, "a", second, 5.0, {})
    entries = list(await journal.load(run, "a"))
    assert [
        Entry(KEY, "intent", 1.25, body),
        Entry(KEY, "outcome", 2.0, {"status": "failed"}),
        Entry(KEY, "retry", 3.0, {}),
        Entry(second, "intent", 5.0, {}),
    ] == entries
    assert [] == list(await journal.load(run, "b"))


async def test_a_cap_is_exact_under_concurrency(journal: Journal) -> None:
    run = await journal.open_run({}, [Row(str(n), n, "") for n in range(50)], 1.0)
    won: list[int] = []
    lost: list[CapExceeded] = []

    async def one(number: int) -> None:
        try:
            if await journal.begin(run, str(number), KEY, 1.0, {}, [hold("0.10", "1.00")]):
                won.append(number)
        except CapExceeded as refusal:
            lost.append(refusal)

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(one, number)
    assert (10, 40) == (len(won), len(lost))
    assert {Decimal("1.00")} == {refusal.used for refusal in lost}
    assert "run:1: 1.00 + 0.10 > 1.00 USD" == str(lost[0])
    for number in range(50):
        assert (number in won) is bool(await journal.load(run, str(number)))


async def test_a_hold_that_does_not_fit_writes_nothing_of_the_others(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    with pytest.raises(CapExceeded):
        await journal.begin(run, "a", KEY, 1.0, {}, [hold("5", None, "client"), hold("5", "4")])
    assert [] == list(await journal.load(run, "a"))
    assert await journal.begin(run, "a", KEY, 1.0, {}, [hold("5", "5", "client"), hold("4", "4")])


async def test_what_was_released_can_be_held_again_and_only_once(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    other, third = EntryKey("deposit", -1, 2), EntryKey("deposit", -1, 3)
    await journal.begin(run, "a", KEY, 1.0, {}, [hold("100", "100")])
    for _ in range(3):
        await journal.finish(run, "a", KEY, 2.0, {}, [hold("100", None)])
    assert await journal.begin(run, "a", other, 3.0, {}, [hold("100", "100")])
    with pytest.raises(CapExceeded):
        await journal.begin(run, "a", third, 3.0, {}, [hold("0.01", "100")])


async def test_a_repeated_intent_holds_nothing(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    await journal.begin(run, "a", KEY, 1.0, {}, [hold("60", "100")])
    assert not await journal.begin(run, "a", KEY, 1.0, {}, [hold("60", "100")])
    assert await journal.begin(run, "b", KEY, 1.0, {}, [hold("40", "100")])


async def test_amounts_are_added_exactly(journal: Journal) -> None:
    run = await journal.open_run({}, [Row(str(n), n, "") for n in range(10)], 1.0)
    for number in range(10):
        assert await journal.begin(run, str(number), KEY, 1.0, {}, [hold("0.1", "1.0")])
    with pytest.raises(CapExceeded):
        await journal.begin(run, "1", EntryKey("x", -1, 1), 1.0, {}, [hold("0.00000001", "1.0")])


async def test_assets_and_scopes_do_not_mix(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    euro = Hold("run:1", "EUR", Decimal(100), Decimal(100))
    assert await journal.begin(run, "a", KEY, 1.0, {}, [hold("100", "100"), euro, hold("100", "100", "run:2")])


async def test_a_run_remembers_itself(journal: Journal) -> None:
    assert await journal.run(None) is None
    assert await journal.run(7) is None
    first = await journal.open_run({"playbook": "p"}, ROWS, 1.0)
    second = await journal.open_run({"playbook": "q", "n": [1]}, [], 2.0)
    newest = await journal.run(None)
    assert newest is not None
    assert (second, {"playbook": "q", "n": [1]}, "running", 2.0, None, None, {}) == (
        newest.id,
        newest.header,
        newest.status,
        newest.started_at,
        newest.finished_at,
        newest.exit_code,
        newest.counts,
    )
    await journal.settle_client(first, "a", "done", None, {"key": "a"})
    await journal.close_run(first, "waiting", 9.0, 4)
    await journal.flush()
    found = await journal.run(first)
    assert found is not None
    assert ("waiting", 9.0, 4, {"not_started": 2, "done": 1}) == (
        found.status,
        found.finished_at,
        found.exit_code,
        found.counts,
    )
    assert [first, second] == [state.id for state in await journal.runs()]


async def test_clients_come_in_the_order_of_the_file(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    await journal.settle_client(run, "a", "waiting", 12.5, {"key": "a", "outcome": "waiting"})
    await journal.add_clients(run, [Row("z", 9, "d9"), Row("b", 20, "d20")])
    await journal.flush()
    states = [state async for state in journal.clients(run)]
    assert [("b", 20, "d20"), ("a", 3, "d2"), ("ü 1", 4, "d3"), ("z", 9, "d9")] == [
        (state.key, state.line, state.digest) for state in states
    ]
    assert ["not_started", "waiting", "not_started", "not_started"] == [state.state for state in states]
    assert (12.5, {"key": "a", "outcome": "waiting"}) == (states[1].due, states[1].result)


PERSON = {
    "status": "failed",
    "reference": "r-1",
    "moved": {"kind": "deposits", "amount": "1", "asset": "USD"},
    "outputs": {"name": "José"},
    "checks": [{"check": "name == José"}],
    "problem": {"code": "x", "message": "José"},
}


async def test_a_person_is_forgotten_in_every_run_and_money_is_not(journal: Journal) -> None:
    one = await journal.open_run({}, ROWS, 1.0)
    two = await journal.open_run({}, ROWS, 2.0)
    for run in (one, two):
        await journal.begin(run, "a", KEY, 1.0, {"reference": "r-1", "fingerprint": "f"})
        await journal.finish(run, "a", KEY, 1.0, PERSON)
    await journal.finish(one, "b", KEY, 1.0, PERSON)
    await journal.settle_client(one, "a", "rejected", None, {"key": "a", "steps": [PERSON], "problem": None})
    assert 2 == await journal.forget("a")
    assert 0 == await journal.forget("nobody")
    for run in (one, two):
        intent, outcome = await journal.load(run, "a")
        assert {"reference": "r-1", "fingerprint": "f"} == intent.body
        assert ("r-1", {}, [], None, PERSON["moved"]) == (
            outcome.body["reference"],
            outcome.body["outputs"],
            outcome.body["checks"],
            outcome.body["problem"],
            outcome.body["moved"],
        )
    (kept,) = await journal.load(one, "b")
    assert PERSON == kept.body
    results = [state.result async for state in journal.clients(one)]
    assert "José" not in str(results[1])
    assert results[1] is not None
    assert "a" == results[1]["key"]


def test_without_a_person_nothing_else_is_lost() -> None:
    assert {"a": 1} == without_person({"a": 1})


# -- on disk ------------------------------------------------------------------------------------------------------


async def test_everything_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    run = await first.open_run({"playbook": "p"}, ROWS, 1.0)
    await first.begin(run, "a", KEY, 1.0, {"reference": "r"}, [hold("60", "100")])
    await first.finish(run, "a", KEY, 2.0, {"status": "passed"})
    await first.settle_client(run, "a", "done", None, {"key": "a"})
    await first.close()
    second = open_journal(tmp_path)
    assert ["intent", "outcome"] == [entry.kind for entry in await second.load(run, "a")]
    assert not await second.begin(run, "a", KEY, 3.0, {})
    with pytest.raises(CapExceeded):
        await second.begin(run, "b", KEY, 3.0, {}, [hold("60", "100")])
    assert run + 1 == await second.open_run({}, [], 4.0)
    await second.close()


async def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        journal = open_journal(tmp_path / "a" / "state")
        await journal.open_run({}, ROWS, 1.0)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "state").iterdir()}
        assert {"journal.db", "journal.db-wal", "journal.db-shm"} == set(modes)
        assert {0o600} == set(modes.values())
        assert 0o700 == stat.S_IMODE((tmp_path / "a" / "state").stat().st_mode)
        await journal.close()
    finally:
        os.umask(old)


async def test_many_who_come_at_once_share_a_commit(disk: SqliteJournal) -> None:
    run = await disk.open_run({}, ROWS, 1.0)
    commits: list[int] = []
    commit = disk._commit

    def counted(connection: sqlite3.Connection, jobs: list[Any]) -> list[Any]:
        commits.append(len(jobs))
        return commit(connection, jobs)

    disk._commit = counted  # type: ignore[method-assign, assignment]
    async with anyio.create_task_group() as group:
        for number in range(500):
            group.start_soon(disk.begin, run, "a", EntryKey("s", number, 1), 1.0, {})
    assert 500 == sum(commits)
    assert len(commits) < 100


async def test_a_commit_is_on_disk_before_its_caller_goes_on(tmp_path: Path) -> None:
    disk = open_journal(tmp_path)
    run = await disk.open_run({}, ROWS, 1.0)
    assert await disk.begin(run, "a", KEY, 1.0, {})
    with sqlite3.connect(tmp_path / "journal.db") as other:
        assert [("wal",)] == other.execute("pragma journal_mode").fetchall()
        assert [("deposit", "intent")] == other.execute("select step, kind from entries").fetchall()
    other.close()
    await disk.close()


async def test_sync_is_full_for_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NORMAL, power loss may take back an intent whose deposit went out."""
    said: list[str] = []
    disk = open_journal(tmp_path)
    (level,) = disk._connect().execute("pragma synchronous").fetchone()
    said.append(str(level))
    await disk.close()
    assert ["2"] == said


CHILD = """
import asyncio, os, sys
from pathlib import Path
from runner.journal.base import EntryKey, Row
from runner.journal.sqlite import open_journal
from runner.model.problem import JournalError
KEY = EntryKey("deposit", -1, 1)
folder = Path(sys.argv[1])
"""


def child(code: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


async def test_a_process_that_is_killed_leaves_its_intent(tmp_path: Path) -> None:
    process = child(
        """
async def main():
    journal = open_journal(folder)
    run = await journal.open_run({}, [Row("a", 1, "")], 1.0)
    print(await journal.begin(run, "a", KEY, 1.0, {}), flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
""",
        tmp_path,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert "True\n" == process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()
    journal = open_journal(tmp_path)
    assert ["intent"] == [entry.kind for entry in await journal.load(1, "a")]
    await journal.close()


FULL = """
import resource
async def main():
    journal = open_journal(folder)
    run = await journal.open_run({}, [Row("a", 1, "")], 1.0)
    assert await journal.begin(run, "a", KEY, 1.0, {})
    size = (folder / "journal.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, resource.RLIM_INFINITY))
    told = []
    for attempt in range(2, 5):
        try:
            told.append(await asyncio.wait_for(
                journal.begin(run, "a", EntryKey("deposit", -1, attempt), 1.0, {"x": "y" * 100_000}), 20))
        except JournalError as error:
            told.append(error.problem.code)
    try:
        await journal.finish(run, "a", KEY, 1.0, {})
    except JournalError as error:
        told.append("finish " + error.problem.code)
    try:
        await asyncio.wait_for(journal.load(run, "a"), 20)
    except JournalError as error:
        told.append("load " + error.problem.code)
    print(told, error.problem.message)
asyncio.run(main())
"""


def test_a_full_disk_stops_every_send(tmp_path: Path) -> None:
    process = child(FULL.replace("    print(told, error.problem.message)", "    print(told)"), tmp_path)
    out, err = process.communicate(timeout=60)
    refused = "journal.unwritable"
    assert f"{[refused] * 3 + [f'finish {refused}', f'load {refused}']}\n" == out, err


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder that another user may enter, unlike those of tmp_path."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_folder_that_can_not_be_written_is_a_problem(readable_folder: Path) -> None:
    (readable_folder / "state").mkdir(mode=0o555)
    process = child(
        """
import asyncio.runners
async def main():
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        open_journal(folder)
    except JournalError as error:
        print(error.problem.code, "permission denied" in error.problem.message, bool(error.problem.hint))
asyncio.run(main())
""",
        readable_folder / "state",
    )
    out, err = process.communicate(timeout=60)
    assert "journal.unwritable True True\n" == out, err


async def test_a_file_where_the_folder_should_be_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(JournalError, match="can't be written"):
        open_journal(tmp_path / "state")


async def test_a_file_that_is_no_journal_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database, but long enough to look like a file of one" * 50)
    with pytest.raises(JournalError) as caught:
        open_journal(tmp_path)
    assert "journal.unwritable" == caught.value.problem.code


async def test_an_error_of_our_own_in_the_writer_does_not_hang_its_callers(tmp_path: Path) -> None:
    disk = open_journal(tmp_path)
    run = await disk.open_run({}, ROWS, 1.0)
    with anyio.fail_after(5):
        with pytest.raises((JournalError, UnicodeEncodeError)):
            await disk.begin(run, "half \ud800", KEY, 1.0, {})
        with pytest.raises((JournalError, UnicodeEncodeError)):
            await disk.begin(run, "a", KEY, 1.0, {})
    with pytest.raises((JournalError, UnicodeEncodeError)):
        await disk.close()


async def test_who_stopped_waiting_hurts_nobody(disk: SqliteJournal) -> None:
    run = await disk.open_run({}, ROWS, 1.0)
    task = asyncio.ensure_future(disk.begin(run, "a", KEY, 1.0, {}))
    await asyncio.sleep(0)
    task.cancel()
    assert await disk.begin(run, "b", KEY, 1.0, {})
    assert not await disk.begin(run, "a", KEY, 1.0, {})


async def test_what_was_finished_before_closing_is_kept_without_a_flush(tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    run = await first.open_run({}, ROWS, 1.0)
    await first.finish(run, "a", KEY, 1.0, {"status": "passed"})
    await first.close()
    second = open_journal(tmp_path)
    assert 1 == len(await second.load(run, "a"))
    await second.close()


# -- encrypted ----------------------------------------------------------------------------------------------------

SECRET = base64.b64encode(b"s" * 32).decode()


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_with_a_key_nothing_that_is_said_of_anybody_is_readable(tmp_path: Path) -> None:
    cipher = cipher_of({"ONBOARD_STATE_KEY": SECRET})
    disk = open_journal(tmp_path, cipher=cipher)
    run = await disk.open_run({"inputs": {"who": "José"}}, ROWS, 1.0)
    await disk.begin(run, "a", KEY, 1.0, {"reference": "José-1"})
    await disk.finish(run, "a", KEY, 1.0, PERSON)
    await disk.settle_client(run, "a", "rejected", None, {"steps": [PERSON]})
    await disk.close()
    content = everything_in(tmp_path)
    assert "José".encode() not in content
    assert b"r-1" not in content
    again = open_journal(tmp_path, cipher=cipher)
    assert PERSON == (await again.load(run, "a"))[1].body
    await again.close()


@pytest.mark.parametrize("cipher", [Plain(), Sealed(b"t" * 32)])
async def test_without_its_key_a_journal_is_not_opened(tmp_path: Path, cipher: Any) -> None:
    disk = open_journal(tmp_path, cipher=Sealed(b"s" * 32))
    await disk.close()
    with pytest.raises(JournalError) as caught:
        open_journal(tmp_path, cipher=cipher)
    assert "journal.sealed" == caught.value.problem.code


async def test_what_was_written_before_there_was_a_key_stays_readable(tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    run = await first.open_run({"a": 1}, ROWS, 1.0)
    await first.close()
    second = open_journal(tmp_path, cipher=Sealed(b"s" * 32))
    found = await second.run(run)
    assert found is not None
    assert {"a": 1} == found.header
    await second.close()


def test_a_sealed_text_is_never_the_same_twice_and_can_not_be_changed() -> None:
    cipher = Sealed(b"s" * 32)
    one, two = cipher.seal("text"), cipher.seal("text")
    assert one != two
    assert "text" == cipher.open(one) == cipher.open(two)
    raw = bytearray(base64.b64decode(one.removeprefix("enc:1:")))
    raw[-1] ^= 1
    with pytest.raises(JournalError):
        cipher.open("enc:1:" + base64.b64encode(raw).decode())


@pytest.mark.parametrize("key", ["x", "AAAA", base64.b64encode(b"s" * 31).decode(), "ключ", "=" * 44])
def test_a_key_that_is_none_is_a_problem_that_does_not_show_it(key: str) -> None:
    with pytest.raises(JournalError) as caught:
        cipher_of({"ONBOARD_STATE_KEY": key})
    assert "journal.key" == caught.value.problem.code
    assert key not in str(caught.value.problem) or len(key) < 5


def test_a_key_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET + "\n")
    assert isinstance(cipher_of({"ONBOARD_STATE_KEY_FILE": str(tmp_path / "key")}), Sealed)
    assert isinstance(cipher_of({}), Plain)
    for name in ("missing", ""):
        if name:
            with pytest.raises(JournalError, match="can't be read"):
                cipher_of({"ONBOARD_STATE_KEY_FILE": str(tmp_path / name)})
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    with pytest.raises(JournalError, match="can't be read"):
        cipher_of({"ONBOARD_STATE_KEY_FILE": str(tmp_path / "odd")})
