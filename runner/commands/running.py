"""What `run` and `rehearse` share: carry out a prepared plan with everything a person sees around it."""

from __future__ import annotations

import base64
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import anyio

from runner import exit_codes
from runner.clock import SystemClock
from runner.commands.options import share_of, waves_of
from runner.commands.progress import make_progress
from runner.commands.say import hush, say, say_problems, say_refused
from runner.drivers.local import Halt, Pace
from runner.execute import Tools, execute, locked, results
from runner.inbox import Bell, calls
from runner.journal.base import Journal
from runner.journal.cipher import Cipher, cipher_of
from runner.journal.sqlite import open_journal, sync_folder
from runner.load.credentials import read_credentials
from runner.model.problem import Problem, ProblemError
from runner.model.run import RunResult
from runner.model.secret import Secret
from runner.prepare import Prepared, Wish
from runner.reporters import json as json_report
from runner.reporters import junit as junit_report
from runner.reporters import rejects as rejects_report
from runner.reporters import text as text_report
from runner.tasks import plainly
from runner.webhooks import Received, Refused

if TYPE_CHECKING:
    from runner.listener import Door

Begin = Callable[[Prepared, Tools], Any]
HALT = "halt"


def carry_out(
    prepared: Prepared,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    begin: Begin = execute,
    announce: Callable[[str], None] | None = None,
) -> int:
    """Run it, report it, and return the exit code. Raises ProblemError and GuardError before anything is sent.

    `announce` is told where webhooks are taken, when they are.
    """
    credentials, problems = read_credentials(prepared.provider, environ)
    if problems:
        raise ProblemError(problems)
    say_problems(prepared.warnings)
    write_rejects(prepared, options)
    for name in ("report_json", "report_junit"):
        if options.get(name):
            # A report that can't be written is told before anything is sent, not after.
            with open_report(options[name]):
                pass
    clients = len(prepared.planned.plan.clients)
    state: Path = options["state"]
    cipher = cipher_of(environ)
    halt = Halt()

    door = open_door(options.get("listen", ""), prepared, credentials)
    if door and announce:
        announce(door.url)

    async def run() -> int:
        journal = open_journal(state, cipher=cipher)
        try:
            keep_stdin(prepared.wish, prepared.digests["clients"], state, cipher)
            clock = SystemClock()
            bell = Bell()
            tools = Tools(
                journal,
                clock,
                credentials,
                make_progress(quiet=options["quiet"]),
                halt,
                options["rate"] or 0.0,
                pace_of(options, clients, prepared.provider.limits.concurrency),
                (state / HALT).exists,
                partial(calls, journal, clock, bell) if prepared.provider.webhooks else None,
                frozenset(options.get("ours", ())),
                frozenset(options.get("not_ours", ())),
                holding,
            )
            async with door.open(journal, clock, bell) if door else nullcontext():
                result = await _until_interrupted(begin, prepared, tools)
            await report(result, journal, options)
            return result.exit_code
        finally:
            with anyio.CancelScope(shield=True):
                await journal.close()

    with locked(state) as holding:
        return anyio.run(run)


def open_door(address: str, prepared: Prepared, credentials: Mapping[str, Secret | str]) -> Door | None:
    """Where webhooks come in while the run lasts; None when nobody asked for it. Raises ProblemError."""
    if not address:
        return None
    provider = prepared.provider
    if provider.webhooks is None:
        hint = "leave --listen out; a step with await asks by itself"
        raise ProblemError([Problem("listen.no-webhooks", f"{provider.title} sends no webhooks we know of", hint=hint)])
    key = credentials.get(provider.webhooks.key)
    if key is None:
        name = provider.credentials[provider.webhooks.key].env
        message = f"webhooks can't be proved without {name}, and it is not set"
        raise ProblemError([Problem("listen.no-key", message, hint="set it to the key that the provider sends along")])
    # The server is imported by those who listen.
    from runner.listener import Door, bind

    return Door(bind(address), provider, key, _told)


def _told(provider: str, got: Received | Refused, is_new: bool) -> None:
    """While a run is under way, what was taken shows in what it does."""
    if isinstance(got, Refused):
        say_refused(provider, got.why)


def stdin_copy(state: Path, digest: str) -> Path:
    """Where the clients that came from standard input are kept for resume."""
    return state / f"stdin-{digest[:16]}"


def keep_stdin(wish: Wish, digest: str, state: Path, cipher: Cipher) -> None:
    """Standard input can't be read twice: without a copy, resume would not know the clients.

    It is on disk before anything is sent. An earlier run's copy is replaced only by a whole one.
    """
    if wish.stdin is None:
        return
    write_copy(stdin_copy(state, digest), wish.stdin, cipher)


def write_copy(path: Path, data: bytes, cipher: Cipher) -> None:
    """Whole or not at all. Raises ProblemError."""
    state, new = path.parent, path.with_name(f"{path.name}.new")
    try:
        handle = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(cipher.seal(base64.b64encode(data).decode()))
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    except OSError as error:
        message = f'the state folder "{state}" can\'t be used: {_reason(error)}'
        raise ProblemError([Problem("state.unusable", message, hint="free space and make it writable")]) from None
    sync_folder(state)


def pace_of(options: Mapping[str, Any], clients: int, concurrency: int) -> Pace:
    """How fast and how far, never more at once than the provider takes."""
    jobs = min(options["jobs"], concurrency) if concurrency else options["jobs"]
    most = (
        0
        if options["fail_fast"]
        else share_of(options["max_fail"], clients, "--max-fail")
        if options["max_fail"]
        else None
    )
    return Pace(jobs, options["wait"], waves_of(options["waves"], clients), most)


async def _until_interrupted(begin: Begin, prepared: Prepared, tools: Tools) -> RunResult:
    """Ctrl-C once: start nobody, finish what is in flight, checkpoint. Twice: now."""
    found: list[RunResult] = []
    with plainly():
        async with anyio.create_task_group() as group:
            group.start_soon(_watch_signals, tools.halt)
            found.append(await begin(prepared, tools))
            group.cancel_scope.cancel()
    return found[0]


async def _watch_signals(halt: Halt) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            if halt.is_interrupt:
                # The journal has every intent; what is in flight is looked up by resume.
                os._exit(exit_codes.INTERRUPTED)
            say("stopping: requests in flight are finished first; press Ctrl-C again to stop now")
            halt.stop(
                Problem("run.interrupted", "the run was interrupted", hint='"onboard resume" goes on from here'),
                is_interrupt=True,
            )


async def report(result: RunResult, journal: Journal, options: Mapping[str, Any]) -> None:
    """Every report that was asked for, each streamed from the journal.

    One that can't be written is told and changes nothing: the run is over, and its exit code says how it went.
    """
    run = int(result.head.id)
    for name, write in (("report_json", json_report.write), ("report_junit", junit_report.write)):
        if options.get(name):
            try:
                with open_report(options[name]) as out:
                    async with aclosing(results(journal, run)) as clients:
                        await write(result, clients, out)
            except ProblemError as error:
                hint = f'the run is in the journal: "onboard status {run} --format json" tells it'
                say_problems(replace(problem, hint=hint) for problem in error.problems)
    if not options.get("quiet"):
        try:
            async with aclosing(results(journal, run)) as clients:
                await text_report.write(result, clients, sys.stdout, everybody=options.get("verbose", False))
            sys.stdout.flush()
        except OSError as error:
            hush(sys.stdout)
            if not isinstance(error, BrokenPipeError):
                say(f'standard output can\'t be written: {_reason(error)}; "onboard status {run}" tells it again')


def write_rejects(prepared: Prepared, options: Mapping[str, Any]) -> None:
    if options.get("rejects"):
        with open_report(options["rejects"]) as out:
            clients = prepared.clients
            write = rejects_report.as_csv if clients.kind == "csv" else rejects_report.as_lines
            write(prepared.rejected, clients.columns, clients.added, out)


@contextmanager
def open_report(path: str) -> Iterator[TextIO]:
    """A report file: for its owner only, because even redacted it is about people. Raises ProblemError."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            # Not of /dev/null and its like, which belong to everybody.
            if stat.S_ISREG(os.fstat(handle).st_mode):
                os.fchmod(handle, 0o600)
            yield out
    except OSError as error:
        message = f'"{path}" can\'t be written: {_reason(error)}'
        raise ProblemError([Problem("report.unwritable", message, hint="name another file")]) from None


def _reason(error: OSError) -> str:
    return (error.strerror or "no reason given").lower()
