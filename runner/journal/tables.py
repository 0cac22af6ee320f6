"""The tables of the SQLite journal, the statements on them, and what is said when they can't be had."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.journal.base import CapExceeded, Hold, Row, without_person
from runner.journal.cipher import Cipher, Plain
from runner.model.problem import JournalError, Problem

SCHEMA = """
create table if not exists meta (name text primary key, value text not null) without rowid;
create table if not exists runs (
  id integer primary key autoincrement, header text not null, status text not null,
  started_at real not null, finished_at real, exit_code integer);
create table if not exists clients (
  run integer not null, ordinal integer not null, key text not null, line integer not null, digest text not null,
  state text not null, due real, result text, primary key (run, key)) without rowid;
create index if not exists clients_in_order on clients (run, ordinal);
create table if not exists entries (
  run integer not null, client text not null, step text not null, item integer not null, attempt integer not null,
  kind text not null, at real not null, body text not null,
  primary key (run, client, step, item, attempt, kind)) without rowid;
create table if not exists marks (
  mark text not null, run integer not null, client text not null, step text not null, item integer not null,
  primary key (mark, run, client, step, item)) without rowid;
create table if not exists events (
  number integer primary key autoincrement, provider text not null, event text not null, at real not null,
  name text not null, about text not null, unique (provider, event));
create table if not exists held (
  scope text not null, asset text not null, amount text not null, primary key (scope, asset)) without rowid;
"""
FORMAT = "1"

INSERT_ENTRY = "insert into entries values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"
INSERT_MARK = "insert into marks values (?, ?, ?, ?, ?) on conflict do nothing"
ELSEWHERE = (
    "select run, step, item, attempt, kind, at, body from marks join entries using (run, client, step, item) "
    "where mark = ? and run <> ? order by run, step, item, attempt, kind"
)
CLAIMS = (
    "select run, client, step, item, attempt, kind, at, body from marks join entries using (run, client, step, item) "
    "where mark <> ?"
)
STATES = "select run, key, line, digest, state, due, result from clients"
# Told to begin with the clients: most have a result, and the entries of those need not be looked at.
LOOSE = (
    "select key, step, item, attempt, kind, at, body from clients cross join entries "
    "on entries.run = clients.run and client = key where clients.run = ? and (result is null{})"
)
HAS_INTENT = (
    "select 1 from entries where run = ? and client = ? and step = ? and item = ? and attempt = ? and kind = 'intent'"
)
INSERT_EVENT = "insert into events (provider, event, at, name, about) values (?, ?, ?, ?, ?) on conflict do nothing"


def prepare(connection: sqlite3.Connection, cipher: Cipher) -> None:
    connection.executescript(SCHEMA)
    if not check_key(connection, cipher) and not isinstance(cipher, Plain):
        connection.execute("insert into meta values ('key', ?) on conflict do nothing", (cipher.seal("key"),))
    connection.execute("insert into meta values ('format', ?) on conflict do nothing", (FORMAT,))


def connect_to_read(path: Path, cipher: Cipher) -> sqlite3.Connection:
    """For reading alone, also where SQLite can't make the files that it reads a log with. Raises JournalError."""
    # Without a log nobody writes, and nothing is in it that would be missed.
    alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    where = f"{path.absolute().as_uri()}?mode=ro{alone}"
    try:
        connection = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
        try:
            check_key(connection, cipher)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise journal_error(error, path, "read") from error
    return connection


def check_key(connection: sqlite3.Connection, cipher: Cipher) -> bool:
    """Was it begun with a key? Raises JournalError when that is not this one."""
    probe = connection.execute("select value from meta where name = 'key'").fetchone()
    if probe:
        cipher.open(probe[0])
    return bool(probe)


def forget_in(
    connection: sqlite3.Connection,
    run: int,
    client: str,
    load: Callable[[str], Mapping[str, Any]],
    dump: Callable[[Mapping[str, Any]], str],
) -> None:
    """Of one run: what its entries and its result say of the person, and the digest of what the row said."""
    rows = connection.execute(
        "select step, item, attempt, kind, body from entries where run = ? and client = ?", (run, client)
    ).fetchall()
    for *place, body in rows:
        connection.execute(
            "update entries set body = ? where run = ? and client = ? and step = ? and item = ? and attempt = ? "
            "and kind = ?",
            (dump(without_person(load(body))), run, client, *place),
        )
    (result,) = connection.execute("select result from clients where run = ? and key = ?", (run, client)).fetchone()
    bare = dump(without_person(load(result))) if result else None
    connection.execute("update clients set result = ?, digest = '' where run = ? and key = ?", (bare, run, client))


def insert_clients(connection: sqlite3.Connection, run: int, rows: Sequence[Row], start: int) -> None:
    values = [(run, start + n, row.key, row.line, row.digest) for n, row in enumerate(rows)]
    connection.executemany(
        "insert into clients (run, ordinal, key, line, digest, state) values (?, ?, ?, ?, ?, 'not_started') "
        "on conflict (run, key) do update set line = excluded.line, digest = excluded.digest",
        values,
    )


def used(connection: sqlite3.Connection, hold: Hold) -> Decimal:
    row = connection.execute(
        "select amount from held where scope = ? and asset = ?", (hold.scope, hold.asset)
    ).fetchone()
    return Decimal(row[0]) if row else Decimal(0)


def check_hold(connection: sqlite3.Connection, hold: Hold) -> None:
    so_far = used(connection, hold)
    if hold.limit is not None and so_far + hold.amount > hold.limit:
        raise CapExceeded(hold, so_far)


def add_hold(connection: sqlite3.Connection, hold: Hold, amount: Decimal) -> None:
    total = f"{used(connection, hold) + amount:f}"
    connection.execute(
        "insert into held values (?, ?, ?) on conflict do update set amount = excluded.amount",
        (hold.scope, hold.asset, total),
    )


NOT_OURS = "a line is not what was written"
_RESUME = 'then "onboard resume" goes on, or run it again if it had not begun'
_HINTS = {
    sqlite3.SQLITE_BUSY: f"end the program that holds it; {_RESUME}",
    # Not "name another folder": a journal that knows nothing would pay again where used references are not refused.
    sqlite3.SQLITE_CORRUPT: "restore it from a backup; without one, compare with the provider before paying again",
}
_HINTS[sqlite3.SQLITE_NOTADB] = _HINTS[sqlite3.SQLITE_CORRUPT]


def journal_error(error: Exception, path: Path, what: str = "written") -> JournalError:
    """The hint is by what went wrong; reading goes wrong only when the file is damaged."""
    told = error.strerror if isinstance(error, OSError) else str(error)
    reason = (told or type(error).__name__).lower()
    if reason.startswith("could not decode"):
        # Python goes on to quote the text, and it is about people.
        what, reason = "read", NOT_OURS
    damaged = what == "read" and not isinstance(error, OSError)
    kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT if damaged else 0) & 0xFF
    hint = _HINTS.get(kind, f"free space and make the folder writable; {_RESUME}")
    return JournalError(Problem("journal.unwritable", f'the journal "{path}" can\'t be {what}: {reason}', hint=hint))
