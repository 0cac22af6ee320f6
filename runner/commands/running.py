"""What `run` and `rehearse` share: carry out a prepared plan with everything a person sees around it."""

from __future__ import annotations

import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import anyio
import click

from runner import exit_codes
from runner.clock import SystemClock
from runner.commands.options import share_of, waves_of
from runner.commands.progress import make_progress
from runner.commands.say import say_problems
from runner.drivers.local import Halt, Pace
from runner.execute import Tools, execute, locked, results
from runner.journal.base import Journal
from runner.journal.cipher import Cipher, cipher_of
from runner.journal.sqlite import open_journal
from runner.load.credentials import read_credentials
from runner.model.outcome import ClientResult
from runner.model.problem import Problem, ProblemError
from runner.model.run import RunResult
from runner.prepare import Prepared, Wish
from runner.reporters import json as json_report
from runner.reporters import junit as junit_report
from runner.reporters import rejects as rejects_report
from runner.reporters import text as text_report
from runner.tasks import plainly

Begin = Callable[[Prepared, Tools], Any]
HALT = "halt"


def carry_out(
    prepared: Prepared, options: Mapping[str, Any], environ: Mapping[str, str], begin: Begin = execute
) -> int:
    """Run it, report it, and return the exit code. Raises ProblemError and GuardError before anything is sent."""
    credentials, problems = read_credentials(prepared.provider, environ)
    if problems:
        raise ProblemError(problems)
    say_problems(prepared.warnings)
    write_rejects(prepared, options)
    for name in ("report_json", "report_junit"):
        if options.get(name):
            # A report that can't be written is told before anything is sent, not after.
            open_report(options[name]).close()
    clients = len(prepared.planned.plan.clients)
    state: Path = options["state"]
    cipher = cipher_of(environ)
    halt = Halt()

    async def run() -> int:
        journal = open_journal(state, cipher=cipher)
        keep_stdin(prepared.wish, prepared.digests["clients"], state, cipher)
        try:
            tools = Tools(
                journal,
                SystemClock(),
                credentials,
                make_progress(quiet=options["quiet"]),
                halt,
                options["rate"] or 0.0,
                pace_of(options, clients, prepared.provider.limits.concurrency),
                (state / HALT).exists,
            )
            result = await _until_interrupted(begin, prepared, tools)
            await report(result, journal, options)
            return result.exit_code
        finally:
            with anyio.CancelScope(shield=True):
                await journal.close()

    with locked(state):
        return anyio.run(run)


def stdin_copy(state: Path, digest: str) -> Path:
    """Where the clients that came from standard input are kept for resume."""
    return state / f"stdin-{digest[:16]}"


def keep_stdin(wish: Wish, digest: str, state: Path, cipher: Cipher) -> None:
    """Standard input can't be read twice: without a copy, resume would not know the clients."""
    if wish.stdin is None:
        return
    handle = os.open(stdin_copy(state, digest), os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(cipher.seal(base64.b64encode(wish.stdin).decode()))


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
            click.echo("stopping: requests in flight are finished first; press Ctrl-C again to stop now", err=True)
            halt.stop(
                Problem("run.interrupted", "the run was interrupted", hint='"onboard resume" goes on from here'),
                is_interrupt=True,
            )


async def report(result: RunResult, journal: Journal, options: Mapping[str, Any]) -> None:
    """Every report that was asked for, each streamed from the journal."""
    run = int(result.head.id)

    def everyone() -> AsyncIterator[ClientResult]:
        return results(journal, run)

    if options.get("report_json"):
        with open_report(options["report_json"]) as out:
            await json_report.write(result, everyone(), out)
    if options.get("report_junit"):
        with open_report(options["report_junit"]) as out:
            await junit_report.write(result, everyone(), out)
    if not options.get("quiet"):
        await text_report.write(result, everyone(), sys.stdout, everybody=options.get("verbose", False))


def write_rejects(prepared: Prepared, options: Mapping[str, Any]) -> None:
    if options.get("rejects"):
        with open_report(options["rejects"]) as out:
            clients = prepared.clients
            rejects_report.write(prepared.rejected, clients.columns, as_lines=clients.kind != "csv", out=out)


def open_report(path: str) -> TextIO:
    """A report file: for its owner only, because even redacted it is about people."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.fchmod(handle, 0o600)
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise ProblemError(
            [Problem("report.unwritable", f'"{path}" can\'t be written: {reason}', hint="name another file")]
        ) from None
    return os.fdopen(handle, "w", encoding="utf-8", newline="")
