"""The journal on one SQLite file: WAL, every commit on disk, one writer that commits whatever piled up.

`synchronous=FULL` because in WAL mode NORMAL may roll back committed rows on power loss: it could forget an intent
whose deposit went out. One thread writes; it takes all rows that queued up during the last fsync into one transaction,
so the price of durability is shared by the clients in flight.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.journal.base import (
    CapExceeded,
    ClientState,
    Entry,
    EntryKey,
    Event,
    Hold,
    Row,
    RunState,
    claims_of,
)
from runner.journal.cipher import Cipher, Plain
from runner.journal.tables import (
    CLAIMS,
    ELSEWHERE,
    HAS_INTENT,
    INSERT_ENTRY,
    INSERT_EVENT,
    INSERT_MARK,
    LOOSE,
    NOT_OURS,
    STATES,
    add_hold,
    check_hold,
    forget_in,
    insert_clients,
    journal_error,
    prepare,
)
from runner.model.problem import JournalError

Write = Callable[[sqlite3.Connection], Any]
_Job = tuple[Write, "asyncio.Future[Any] | None"]


class SqliteJournal:
    """A Journal in `folder/journal.db` (folder 0700, file 0600). Made by `open_journal`; used from one event loop."""

    def __init__(self, path: Path, *, synchronous: str = "FULL", cipher: Cipher | None = None) -> None:
        self._path = path
        self._cipher = cipher or Plain()
        self._synchronous = synchronous
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._broken: JournalError | None = None
        self._reader = self._connect()
        try:
            prepare(self._reader, self._cipher)
        except sqlite3.Error as error:
            raise journal_error(error, path) from error
        writer = self._connect()
        self._thread = threading.Thread(target=self._write_forever, args=(writer,), name="journal", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=64
            )
            connection.execute("pragma journal_mode=wal")
            connection.execute(f"pragma synchronous={self._synchronous}")
        except sqlite3.Error as error:
            raise journal_error(error, self._path) from error
        return connection

    # -- the writer thread -------------------------------------------------------------------------------------------

    def _write_forever(self, connection: sqlite3.Connection) -> None:
        stop = False
        while not stop:
            jobs: list[_Job] = []
            first = self._jobs.get()
            stop = first is None
            if first is not None:
                jobs.append(first)
            while not stop:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    stop = True
                else:
                    jobs.append(job)
            if jobs:
                self._resolve(self._commit(connection, jobs))
        connection.close()

    def _commit(self, connection: sqlite3.Connection, jobs: list[_Job]) -> list[tuple[_Job, Any]]:
        answers: list[tuple[_Job, Any]] = []
        try:
            if self._broken:
                raise self._broken
            connection.execute("begin immediate")
            for job in jobs:
                try:
                    answers.append((job, job[0](connection)))
                except CapExceeded as refusal:
                    answers.append((job, refusal))
            connection.execute("commit")
        except Exception as error:
            # Once a commit failed, what is on disk is no longer what the run believes: nothing more may be sent.
            # Whatever it was, those who wait for this transaction must hear of it.
            self._broken = error if isinstance(error, JournalError) else journal_error(error, self._path)
            if connection.in_transaction:
                # On a disk that takes nothing this may fail too, and nobody may be left waiting for it.
                with suppress(sqlite3.Error):
                    connection.rollback()
            answers = [(job, self._broken) for job in jobs]
        return answers

    def _resolve(self, answers: list[tuple[_Job, Any]]) -> None:
        waiting = [(job[1], answer) for job, answer in answers if job[1] is not None]
        if waiting and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle_all, waiting)

    async def _write(self, write: Write) -> Any:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((write, future))
        return await future

    def _write_later(self, write: Write) -> None:
        if self._broken:
            raise self._broken
        self._jobs.put((write, None))

    # -- runs --------------------------------------------------------------------------------------------------------

    async def open_run(self, header: Mapping[str, Any], rows: Sequence[Row], at: float) -> int:
        text = self._dump(header)

        def write(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "insert into runs (header, status, started_at) values (?, 'running', ?)", (text, at)
            )
            run = cursor.lastrowid
            assert run is not None
            insert_clients(connection, run, rows, 0)
            return run

        return int(await self._write(write))

    async def add_clients(self, run: int, rows: Sequence[Row]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            (count,) = connection.execute("select count(*) from clients where run = ?", (run,)).fetchone()
            insert_clients(connection, run, rows, count)

        await self._write(write)

    async def close_run(self, run: int, status: str, at: float, exit_code: int) -> None:
        sql = "update runs set status = ?, finished_at = ?, exit_code = ? where id = ?"
        await self._write(lambda connection: connection.execute(sql, (status, at, exit_code, run)))

    async def reopen_run(self, run: int) -> None:
        await self._write(
            lambda connection: connection.execute("update runs set status = 'running' where id = ?", (run,))
        )

    async def runs(self) -> Sequence[RunState]:
        found = [await self.run(row[0]) for row in list(self._read("select id from runs order by id"))]
        return [state for state in found if state]

    async def run(self, run: int | None) -> RunState | None:
        where, values = ("where id = ?", (run,)) if run is not None else ("order by id desc limit 1", ())
        sql = f"select id, header, status, started_at, finished_at, exit_code from runs {where}"
        row = next(self._read(sql, values), None)
        if row is None:
            return None
        counts = dict(self._read("select state, count(*) from clients where run = ? group by state", (row[0],)))
        return RunState(row[0], self._load(row[1]), row[2], row[3], row[4], row[5], counts)

    # -- clients -----------------------------------------------------------------------------------------------------

    async def settle_client(
        self, run: int, client: str, state: str, due: float | None, result: Mapping[str, Any]
    ) -> None:
        values = (state, due, self._dump(result), run, client)
        sql = "update clients set state = ?, due = ?, result = ? where run = ? and key = ?"
        self._write_later(lambda connection: connection.execute(sql, values))

    async def clients(self, run: int) -> AsyncGenerator[ClientState, None]:
        for row in self._read(f"{STATES} where run = ? order by ordinal", (run,)):
            yield self._state(row)

    async def standings(self, client: str) -> Mapping[int, ClientState]:
        rows = self._read(f"{STATES} where run in (select id from runs) and key = ?", (client,))
        return {row[0]: self._state(row) for row in rows}

    def _state(self, row: Sequence[Any]) -> ClientState:
        _, key, line, digest, state, due, result = row
        return ClientState(key, line, digest, state, due, self._load(result) if result else None)

    # -- entries -----------------------------------------------------------------------------------------------------

    async def load(self, run: int, client: str) -> Sequence[Entry]:
        await self.flush()
        sql = "select step, item, attempt, kind, at, body from entries where run = ? and client = ?"
        sql += " order by step, item, attempt, kind"
        rows = self._read(sql, (run, client))
        return [Entry(EntryKey(*row[:3]), row[3], row[4], self._load(row[5])) for row in rows]

    async def loose(self, run: int, since: float | None = None) -> Mapping[str, Sequence[Entry]]:
        await self.flush()
        found: dict[str, list[Entry]] = {}
        which, values = ("", (run,)) if since is None else (" or at > ?", (run, since))
        for client, *place, kind, at, body in self._read(LOOSE.format(which), values):
            found.setdefault(client, []).append(Entry(EntryKey(*place), kind, at, self._load(body)))
        return found

    async def begin(
        self,
        run: int,
        client: str,
        key: EntryKey,
        at: float,
        intent: Mapping[str, Any],
        holds: Sequence[Hold] = (),
        mark: str = "",
    ) -> bool:
        row = self._row(run, client, key, "intent", at, intent)

        def write(connection: sqlite3.Connection) -> bool:
            if connection.execute(HAS_INTENT, row[:5]).fetchone():
                return False
            for hold in holds:
                check_hold(connection, hold)
            connection.execute(INSERT_ENTRY, row)
            connection.execute(INSERT_MARK, (mark, *row[:4]))
            for hold in holds:
                add_hold(connection, hold, hold.amount)
            return True

        answer = await self._write(write)
        return bool(answer)

    async def elsewhere(self, run: int, mark: str) -> Mapping[int, Sequence[Entry]]:
        found: dict[int, list[Entry]] = {}
        for other, *place, kind, at, body in self._read(ELSEWHERE, (mark, run)):
            found.setdefault(other, []).append(Entry(EntryKey(*place), kind, at, self._load(body)))
        return found

    async def claims(self, operation: str, mark: str) -> frozenset[str]:
        await self.flush()
        effects: dict[tuple[object, ...], list[Entry]] = {}
        for run, client, step, item, attempt, kind, at, body in self._read(CLAIMS, (mark,)):
            entry = Entry(EntryKey(step, item, attempt), kind, at, self._load(body))
            effects.setdefault((run, client, step, item), []).append(entry)
        return frozenset().union(*(claims_of(operation, entries) for entries in effects.values()))

    async def finish(
        self,
        run: int,
        client: str,
        key: EntryKey,
        at: float,
        outcome: Mapping[str, Any],
        release: Sequence[Hold] = (),
    ) -> None:
        row = self._row(run, client, key, "outcome", at, outcome)

        def write(connection: sqlite3.Connection) -> None:
            if connection.execute(INSERT_ENTRY, row).rowcount == 1:
                for hold in release:
                    add_hold(connection, hold, -hold.amount)

        self._write_later(write)

    async def retry(self, run: int, client: str, key: EntryKey, at: float) -> None:
        row = self._row(run, client, key, "retry", at, {})
        await self._write(lambda connection: connection.execute(INSERT_ENTRY, row))

    async def wait(self, run: int, client: str, key: EntryKey, at: float, body: Mapping[str, Any]) -> None:
        row = self._row(run, client, key, "wait", at, body)
        self._write_later(lambda connection: connection.execute(INSERT_ENTRY, row))

    async def forget(self, client: str) -> int:
        def write(connection: sqlite3.Connection) -> int:
            runs = [row[0] for row in connection.execute("select run from clients where key = ?", (client,))]
            for run in runs:
                forget_in(connection, run, client, self._load, self._dump)
            return len(runs)

        count = int(await self._write(write))
        # What was deleted must not survive in free pages or in the log.
        await self._write_alone("vacuum")
        await self._write_alone("pragma wal_checkpoint(truncate)")
        return count

    async def deliver(self, provider: str, event: str, at: float, name: str, about: Sequence[str]) -> bool:
        row = (provider, event, at, name, json.dumps(list(about)))
        return bool(await self._write(lambda connection: connection.execute(INSERT_EVENT, row).rowcount == 1))

    async def events(self, after: int) -> Sequence[Event]:
        sql = "select number, provider, name, about, at from events where number > ? order by number"
        rows = self._read(sql, (after,))
        return [Event(row[0], row[1], row[2], tuple(json.loads(row[3])), row[4]) for row in rows]

    async def last_event(self) -> int:
        return int(next(self._read("select coalesce(max(number), 0) from events"))[0])

    async def _write_alone(self, sql: str) -> None:
        """A statement that can't stand in a transaction."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("commit")
            connection.execute(sql).fetchall()
            connection.execute("begin immediate")

        await self._write(write)

    def _dump(self, body: Mapping[str, Any]) -> str:
        return self._cipher.seal(json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str))

    def _load(self, text: str) -> dict[str, Any]:
        try:
            body: dict[str, Any] = json.loads(self._cipher.open(text))
        except ValueError as error:
            raise journal_error(sqlite3.DatabaseError(NOT_OURS), self._path, "read") from error
        return body

    def _read(self, sql: str, values: Sequence[object] = ()) -> Iterator[Any]:
        """Rows, one by one. That a page is damaged shows when it is read, not when the journal is opened."""
        try:
            yield from self._reader.execute(sql, values)
        except sqlite3.Error as error:
            raise journal_error(error, self._path, "read") from error

    def _row(
        self, run: int, client: str, key: EntryKey, kind: str, at: float, body: Mapping[str, Any]
    ) -> tuple[object, ...]:
        return (run, client, key.step, key.item, key.attempt, kind, at, self._dump(body))

    async def flush(self) -> None:
        await self._write(lambda connection: None)

    async def close(self) -> None:
        self._jobs.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._reader.close()
        if self._broken:
            raise self._broken


def open_journal(folder: Path, *, synchronous: str = "FULL", cipher: Cipher | None = None) -> SqliteJournal:
    """The journal of a state folder, made when missing. Raises JournalError with a Problem when it can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "journal.db"
        is_new = not path.exists()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        if is_new:
            # SQLite syncs what is in the folder; that there is a folder has to last as well.
            sync_folder(folder.absolute().parent)
    except OSError as error:
        raise journal_error(error, folder) from error
    return SqliteJournal(path, synchronous=synchronous, cipher=cipher)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last. Some may not be opened by us, some can't be synced at all: so be it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _settle_all(waiting: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in waiting:
        if future.cancelled():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
