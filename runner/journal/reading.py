"""The journal of a folder in which nothing may be written: for verbs that only read."""

from __future__ import annotations

import os
from pathlib import Path

from runner.journal.cipher import Cipher, Plain
from runner.journal.sqlite import SqliteJournal, open_journal
from runner.journal.tables import connect_to_read, journal_error


class ReadOnlyJournal(SqliteJournal):
    """What was written down so far. There is no writer, and nothing to wait for."""

    def __init__(self, path: Path, cipher: Cipher | None = None) -> None:
        self._path = path
        self._cipher = cipher or Plain()
        self._reader = connect_to_read(path, self._cipher)

    async def flush(self) -> None:
        return None

    async def close(self) -> None:
        self._reader.close()


def read_journal(folder: Path, *, cipher: Cipher | None = None) -> SqliteJournal:
    """The journal of a state folder, for reading. Raises JournalError with a Problem when it can't be."""
    path = folder / "journal.db"
    if os.access(folder, os.W_OK) and os.access(path, os.W_OK):
        return open_journal(folder, cipher=cipher)
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise journal_error(error, path, "read") from error
    return ReadOnlyJournal(path, cipher)
