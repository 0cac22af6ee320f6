"""Carry out what was prepared: open the journal, drive every client, close the run, count."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import sleep
from typing import Any, Protocol

from runner.advance import ClientRun
from runner.auth import make_auth
from runner.client import HttpClient
from runner.clock import Clock
from runner.drivers.local import Halt, Pace, drive
from runner.journal.base import Entry, Journal, Row, RunState
from runner.limiter import Limiter
from runner.load.files import Documents
from runner.model.outcome import ClientResult, Ending
from runner.model.plan import Client
from runner.model.problem import GuardError, Problem, ProblemError
from runner.model.run import RunHead, RunResult, Totals
from runner.model.secret import Secret
from runner.performer import Performer
from runner.prepare import Prepared
from runner.redact import Redactor, classified
from runner.state_folder import tighten
from runner.unfinished import result_of
from runner.verdict import exit_code, status
from runner.version import VERSION

LOCK = "lock"
RUNNING = "running"


class Progress(Protocol):
    """Told how far the run is; draws, or does not."""

    def begin(self, clients: int) -> None: ...

    def settled(self, result: ClientResult) -> None: ...

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run needs from outside: all of it can be replaced in a test."""

    journal: Journal
    clock: Clock
    credentials: Mapping[str, Secret | str]
    progress: Progress
    halt: Halt = field(default_factory=Halt)
    rate: float = 0.0
    pace: Pace = field(default_factory=Pace)
    is_halted: Callable[[], bool] = lambda: False
    calls: Callable[[], AsyncIterator[str]] | None = None
    ours: frozenset[str] = frozenset()
    not_ours: frozenset[str] = frozenset()
    holding: Callable[[int], None] = lambda run: None


async def execute(prepared: Prepared, tools: Tools) -> RunResult:
    """A new run of everything that was prepared. Raises JournalError when the journal can't be written."""
    plan = prepared.planned.plan
    started = tools.clock.now()
    rows = [Row(entry.client.key, entry.client.line, entry.client.digest) for entry in plan.clients]
    rows += [Row(entry.key, entry.row.line, "") for entry in prepared.rejected]
    rows.sort(key=lambda row: row.line)
    run = await tools.journal.open_run(header_of(prepared), rows, started)
    for rejected in prepared.rejected:
        result = ClientResult(rejected.key, rejected.row.line, Ending.REJECTED, rejected.problem)
        await tools.journal.settle_client(run, rejected.key, Ending.REJECTED.value, None, result.to_json())
    clients = [entry.client for entry in plan.clients]
    return await carry_on(prepared, tools, run, started, clients, is_fresh=True)


async def carry_on(
    prepared: Prepared, tools: Tools, run: int, started: float, clients: Sequence[Client], *, is_fresh: bool
) -> RunResult:
    """Drive these clients of an open run to their ends, then close it. The others stay as they are."""
    tools.holding(run)
    setting = prepared.setting
    provider = setting.provider
    auth = make_auth(provider, tools.credentials, tools.clock)
    documents = Documents(setting.documents_root, provider.limits.files, provider.title)
    limiter = Limiter(tools.clock, tools.rate or provider.limits.requests_per_second)
    tools.progress.begin(len(clients))
    try:
        async with HttpClient(
            setting.base_url, timeout=provider.timeout, user_agent=f"onboarding-runner/{VERSION}"
        ) as http:
            performer = Performer(provider, http, auth, tools.clock, limiter, documents.read, Random())
            performer.ours, performer.not_ours = tools.ours, tools.not_ours
            runs = [
                ClientRun(
                    run,
                    setting,
                    client,
                    tools.journal,
                    performer,
                    tools.clock,
                    redactor_of(prepared, client, tools.credentials, auth.secrets),
                    is_fresh,
                    lambda: tools.halt.problem if tools.halt.is_interrupt else None,
                    tools.is_halted,
                )
                for client in clients
            ]

            async def settled(one: ClientRun, result: ClientResult, due: float | None) -> None:
                await tools.journal.settle_client(run, one.client.key, result.outcome.value, due, result.to_json())
                tools.progress.settled(result)

            calls = tools.calls() if tools.calls else None
            await drive(runs, tools.pace, tools.clock, tools.halt, settled, calls)
    finally:
        tools.progress.end()
    await tools.journal.flush()
    return await _close(tools, run, prepared, started)


async def _close(tools: Tools, run: int, prepared: Prepared, started: float) -> RunResult:
    totals = Totals()
    async with aclosing(results(tools.journal, run)) as clients:
        async for client in clients:
            totals.add(client)
    code = exit_code(totals, is_interrupt=tools.halt.is_interrupt)
    word = status(totals, code)
    finished = tools.clock.now()
    await tools.journal.close_run(run, word, finished, code)
    setting = prepared.setting
    head = RunHead(
        str(run),
        setting.playbook.name,
        setting.provider.name,
        setting.environment.name,
        setting.batch,
        started,
        finished,
    )
    return RunResult(head, totals, code, word)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What no stored result tells yet, by client; `is_held`: a living process works on the run."""

    entries: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    is_held: bool = False


async def unfinished(journal: Journal, state: RunState, folder: Path) -> Unfinished:
    """Of a run as it is read: it may have been cut off, by the end of its process or of the machine."""
    # First, so that what ended meanwhile has a result by the time that those are read.
    is_held = state.status == RUNNING and holder(folder) == state.id
    since = state.finished_at if state.status == RUNNING else None
    return Unfinished(await journal.loose(state.id, since), is_held)


async def results(journal: Journal, run: int, rest: Unfinished | None = None) -> AsyncGenerator[ClientResult, None]:
    """Every client of a run in the order of the file; of whom nothing is known has not started."""
    rest = rest or Unfinished()
    async with aclosing(journal.clients(run)) as states:
        async for state in states:
            yield result_of(state, run, rest.entries.get(state.key, ()), is_held=rest.is_held)


async def stored_result(journal: Journal, state: RunState, rest: Unfinished) -> RunResult:
    """The result of a run as the journal has it, finished or not."""
    totals = Totals()
    async with aclosing(results(journal, state.id, rest)) as clients:
        async for client in clients:
            totals.add(client)
    header = state.header
    head = RunHead(
        str(state.id),
        header["playbook"],
        header["provider"],
        header["environment"],
        header["batch"],
        state.started_at,
        None if state.status == RUNNING else state.finished_at,
    )
    if state.status != RUNNING and state.exit_code is not None:
        return RunResult(head, totals, state.exit_code, state.status)
    return RunResult(head, totals, exit_code(totals), RUNNING if rest.is_held else "interrupted")


def header_of(prepared: Prepared) -> dict[str, Any]:
    """What a run remembers of itself: no personal data, only names and digests."""
    setting = prepared.setting
    return {
        "playbook": setting.playbook.name,
        "provider": setting.provider.name,
        "environment": setting.environment.name,
        "base_url": setting.base_url,
        "batch": setting.batch,
        "inputs": dict(setting.inputs),
        "folder": str(Path.cwd()),
        "key": prepared.wish.choice.key or setting.playbook.clients.key,
        "digests": dict(prepared.digests),
        "wish": prepared.wish.to_json(),
        "version": VERSION,
    }


def redactor_of(
    prepared: Prepared,
    client: Client,
    credentials: Mapping[str, Secret | str],
    later: Callable[[], Collection[str]] = tuple,
) -> Redactor:
    """Hides this client's personal data and every secret, wherever they turn up."""
    # The partner id is no secret, but nobody who reads a report needs it.
    secrets = [value.reveal() if isinstance(value, Secret) else value for value in credentials.values()]
    schema = prepared.setting.playbook.clients.schema
    personal = list(classified(client.values, schema)) if schema else []
    return Redactor(secrets, [value for value in personal if value != client.key], later)


@contextmanager
def locked(folder: Path) -> Iterator[Callable[[int], None]]:
    """One process at a time on a state folder. Raises GuardError (exit 3) that names the holder.

    Yields what is to be told which run it is about, for those who only look.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # What can't be changed was told at the door, which knows the folder of every verb.
        tighten(folder)
        handle = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f'the state folder "{folder}" can\'t be used: {(error.strerror or "no reason given").lower()}'
        problem = Problem("state.unusable", message, hint="make it a folder that you may write into")
        raise ProblemError([problem]) from None
    try:
        try:
            _take(handle)
        except OSError:
            pid = next(iter(os.read(handle, 100).decode("ascii", "replace").split()), "unknown")
            message = f'another process (pid {pid}) is running on the state folder "{folder}"'
            # Not "name another folder": a journal that knows nothing would pay again what the other is paying.
            hint = 'wait for it to end, then "onboard status" tells what is left'
            raise GuardError([Problem("run.locked", message, hint=hint)]) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield lambda run: _note(handle, run)
    finally:
        os.close(handle)


def _take(handle: int) -> None:
    """Who only looks holds the lock for a moment: that is no reason to refuse. Raises OSError."""
    for pause in (0.02, 0.05, None):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if pause is None:
                raise
            sleep(pause)


def _note(handle: int, run: int) -> None:
    os.write(handle, f"{run}\n".encode())


def holder(folder: Path) -> int:
    """The run that a living process works on, 0 when there is none."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        words = os.read(handle, 100).decode("ascii", "replace").split()
        return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0
    finally:
        os.close(handle)
    return 0
