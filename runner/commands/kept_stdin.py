"""The kept copies of clients that came from standard input: read one for resume, take a person out of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any

from runner.commands.running import stdin_copy, write_copy
from runner.journal.base import RunState
from runner.journal.cipher import Cipher
from runner.load.leaving_out import without_rows
from runner.load.row import Row
from runner.model.problem import Problem, ProblemError

_COPY = re.compile(r"stdin-[0-9a-f]{16}(\.new)?")
# What a row without a name of its own is called.
_BY_LINE = re.compile(r"line ([0-9]+)|.* \(again on line ([0-9]+)\)", re.DOTALL)


def read_stdin(run: RunState, state: Path, cipher: Cipher) -> bytes:
    """The clients of this run. Raises ProblemError when their copy is gone."""
    try:
        sealed = copy_of(run, state).read_text("ascii")
    except FileNotFoundError:
        message = f"run {run.id} took its clients from standard input, and its copy of them is gone"
        raise ProblemError(
            [Problem("clients.unreadable", message, hint="give them again with --clients FILE")]
        ) from None
    return base64.b64decode(cipher.open(sealed))


def copy_of(run: RunState, state: Path) -> Path:
    return stdin_copy(state, run.header["digests"]["clients"])


def take_out(client: str, runs: Sequence[RunState], needed: Set[int], state: Path, cipher: Cipher) -> None:
    """Of every copy: this client's row, or all of it where no run needs the others any more.

    Raises ProblemError when a copy can't be taken apart; until then the person is still there.
    """
    users: dict[Path, list[RunState]] = {}
    for run in runs:
        if run.header["wish"]["clients"] == "-":
            users.setdefault(copy_of(run, state), []).append(run)
    for path in sorted(state.iterdir()):
        # Under the lock nobody writes one: what is half written, or no run's, is of no use to anybody.
        if _COPY.fullmatch(path.name) and path not in users:
            path.unlink()
    for path, of_runs in users.items():
        if not path.exists():
            continue
        if not any(run.id in needed for run in of_runs):
            path.unlink()
            continue
        data = read_stdin(of_runs[0], state, cipher)
        key = next((run.header["key"] for run in of_runs if run.header.get("key")), "")
        left = without_rows("-", data, partial(_is_of, client, key))
        if left is None:
            message = f'the row of client "{client}" can\'t be taken out of "{path}"'
            hint = "finish its run with the other clients, then forget this one again: the copy goes as a whole"
            raise ProblemError([Problem("clients.unreadable", message, hint=hint)])
        if left != data:
            write_copy(path, left, cipher)


def _is_of(client: str, key: str, row: Row) -> bool:
    if found := _BY_LINE.fullmatch(client):
        return str(row.line) in found.groups()
    names: list[Any] = [row.cells.get(key)] if key else list(row.cells.values())
    # A number in a cell may have leading zeros.
    return any(str(name) == client or (str(name).isdecimal() and str(int(str(name))) == client) for name in names)
