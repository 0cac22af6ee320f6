"""What the journal tells of a run that has no end, and how it is read where nothing may be written."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from runner.journal.base import ClientState, EntryKey, Journal, Row
from runner.journal.cipher import Sealed
from runner.journal.memory import MemoryJournal
from runner.journal.reading import ReadOnlyJournal, read_journal
from runner.journal.sqlite import SqliteJournal, open_journal
from runner.model.problem import JournalError

pytestmark = pytest.mark.anyio
FIRST, SECOND = EntryKey("create", -1, 1), EntryKey("deposit", -1, 1)
ROWS = [Row("a", 2, "d1"), Row("b", 3, "d2"), Row("c", 4, "d3")]
RESULT = {"key": "a", "outcome": "rejected"}


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    found: Journal = MemoryJournal() if request.param == "memory" else open_journal(tmp_path / "state")
    yield found
    await found.close()


async def loose(journal: Journal, run: int, since: float | None = None) -> dict[str, list[tuple[str, str]]]:
    found = await journal.loose(run, since)
    return {client: [(entry.key.step, entry.kind) for entry in entries] for client, entries in found.items()}


async def test_what_no_result_accounts_for(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    for client in ("a", "b"):
        await journal.begin(run, client, FIRST, 2.0, {})
        await journal.finish(run, client, FIRST, 3.0, {})
    await journal.settle_client(run, "a", "rejected", None, RESULT)
    await journal.begin(run, "a", SECOND, 5.0, {})

    assert {"b": [("create", "intent"), ("create", "outcome")]} == await loose(journal, run)
    assert {"a": [("deposit", "intent")], "b": [("create", "intent"), ("create", "outcome")]} == await loose(
        journal, run, 4.0
    )
    assert {"b": [("create", "intent"), ("create", "outcome")]} == await loose(journal, run, 5.0)


async def test_a_run_that_goes_on_keeps_when_it_was_closed_last(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)
    await journal.close_run(run, "waiting", 9.0, 4)
    await journal.reopen_run(run)

    found = await journal.run(run)

    assert found is not None
    assert ("running", 9.0) == (found.status, found.finished_at)


async def test_a_client_in_every_run(journal: Journal) -> None:
    one, two = await journal.open_run({}, ROWS, 1.0), await journal.open_run({}, ROWS[:1], 1.0)
    await journal.settle_client(one, "a", "rejected", None, RESULT)
    await journal.flush()

    expected = {one: ClientState("a", 2, "d1", "rejected", None, RESULT), two: ClientState("a", 2, "d1", "not_started")}
    assert expected == await journal.standings("a")
    assert {one: ClientState("b", 3, "d2", "not_started")} == await journal.standings("b")
    assert {} == await journal.standings("nobody")


async def test_of_who_is_forgotten_no_digest_is_left(journal: Journal) -> None:
    run = await journal.open_run({}, ROWS, 1.0)

    await journal.forget("b")

    assert ["d1", "", "d3"] == [state.digest async for state in journal.clients(run)]


async def test_who_reads_no_further_leaves_nothing_open(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    run = await journal.open_run({}, ROWS, 1.0)
    async with aclosing(journal.clients(run)) as states:
        assert "a" == (await anext(states)).key

    await journal.close()
    with pytest.raises(StopAsyncIteration):
        await anext(states)


@pytest.mark.parametrize("is_over", [True, False])
async def test_where_nothing_may_be_written_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_over: bool
) -> None:
    """With and without a log beside it that another process writes."""
    writer = open_journal(tmp_path)
    run = await writer.open_run({"playbook": "p"}, ROWS, 1.0)
    if is_over:
        await writer.close()
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    journal = read_journal(tmp_path)

    assert isinstance(journal, ReadOnlyJournal)
    assert ["a", "b", "c"] == [state.key async for state in journal.clients(run)]
    assert [] == list(await journal.load(run, "a"))
    await journal.close()
    if not is_over:
        await writer.close()


async def test_a_folder_of_ones_own_is_read_as_ever(tmp_path: Path) -> None:
    await open_journal(tmp_path).close()
    journal = read_journal(tmp_path)
    assert SqliteJournal is type(journal)
    await journal.close()


async def test_what_can_t_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_journal(tmp_path, cipher=Sealed(b"k" * 32)).close()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "journal.db").write_bytes(b"no database " * 100)
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(JournalError) as sealed:
        read_journal(tmp_path)
    with pytest.raises(JournalError) as other:
        read_journal(tmp_path / "other")

    assert "journal.sealed" == sealed.value.problem.code
    assert f'the journal "{tmp_path}/other/journal.db" can\'t be read: file is not a database' == (
        other.value.problem.message
    )
