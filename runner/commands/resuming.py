"""What `resume`, `recover` and `retry` share: find the run, notice what changed, and go on with some clients."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import anyio
import click

from runner.advance import is_asked_again
from runner.commands.kept_stdin import read_stdin
from runner.commands.options import Pair, running
from runner.commands.running import carry_out
from runner.commands.status import run_number, unknown_run
from runner.commands.whereabouts import its_folder
from runner.execute import Tools, Unfinished, carry_on, unfinished
from runner.journal.base import ClientState, EntryKey, Journal, Row, RunState
from runner.journal.cipher import cipher_of
from runner.journal.reading import read_journal
from runner.model.outcome import Ending, Outcome
from runner.model.plan import Client
from runner.model.problem import GuardError, Problem
from runner.model.run import RunResult
from runner.prepare import Prepared, Wish, prepare, require_address, require_approval
from runner.times import day_of
from runner.unfinished import is_forgotten, is_in_doubt, result_of

F = TypeVar("F", bound=Callable[..., Any])
Pick = Callable[[ClientState], bool]

CLOSED = frozenset({Ending.DONE.value, Ending.REJECTED.value, Ending.UNKNOWN.value})


# The files that may be given again when they have moved.
GIVEN = ("clients", "documents", "provider_file")


@dataclass(frozen=True, slots=True)
class Kind:
    """Which clients a verb goes on with; `again`: failures are tried again, and rows may have been corrected.

    `doubted`: also those of whom something was under way when the run was cut off.
    """

    pick: Pick
    again: bool = False
    doubted: bool = False


RESUME = Kind(lambda client: client.state not in CLOSED)
RECOVER = Kind(lambda client: client.state == Ending.UNKNOWN.value, doubted=True)
RETRY = Kind(lambda client: client.state == Ending.REJECTED.value, again=True)


def going_on(function: F) -> F:
    """Options of a run that may be given again; the rest is remembered."""
    for option in (
        click.option("--clients", default="", metavar="FILE", help="The clients file, if it has moved."),
        click.option("--documents", default="", metavar="DIR", help="The documents folder, if it has moved."),
        click.option("--base-url", default="", metavar="URL", help="Overrides the address of the run."),
        click.option(
            "--provider-file", default="", metavar="FILE", help="A provider pack of your own, if it has moved."
        ),
        click.option(
            "--cap", "caps", type=Pair(), multiple=True, metavar="ASSET=AMOUNT", help="The most that the run may move."
        ),
        click.option("--yes", is_flag=True, help="Approve a live environment."),
    ):
        function = option(function)
    return running(function)


def go_on(run: str | None, kind: Kind, options: Mapping[str, Any], yes: bool) -> int:
    """Go on with RUN. Raises ProblemError (exit 2) and GuardError (exit 3) before anything is sent."""
    state: Path = options["state"]
    found, clients, rest = anyio.run(_read, run, state)
    kind = _for(kind, rest)
    wish = _wish(found, options, state)
    with its_folder(found, wish, [name for name in GIVEN if options[name]]) as there:
        prepared = prepare(there, os.environ, day_of(found.started_at))
    if wish.clients == "-":
        # The copy keeps its name, also when somebody was taken out of it.
        prepared = replace(prepared, digests={**prepared.digests, "clients": found.header["digests"]["clients"]})
    require_address(prepared)
    changes = list(changed(found, clients, prepared, kind))
    if changes:
        raise GuardError(changes)
    require_approval(prepared, is_approved=yes or wish.approved)
    known = {client.key: client for client in clients}
    everyone = [entry.client for entry in prepared.planned.plan.clients]
    chosen = [client for client in everyone if client.key not in known or kind.pick(known[client.key])]

    async def begin(ready: Prepared, tools: Tools) -> RunResult:
        await _write_down(tools.journal, found.id, state, {client.key for client in chosen})
        await tools.journal.reopen_run(found.id)
        await _register(tools.journal, found.id, everyone)
        if kind.again:
            await _mark(tools, found.id, chosen, ready)
        return await carry_on(ready, tools, found.id, found.started_at, chosen, is_fresh=False)

    return carry_out(prepared, {**options, "rejects": ""}, os.environ, begin)


async def read_run(run: str | None, state: Path) -> tuple[RunState, Sequence[ClientState]]:
    found, clients, _ = await _read(run, state)
    return found, clients


async def _read(run: str | None, state: Path) -> tuple[RunState, Sequence[ClientState], Unfinished]:
    if not (state / "journal.db").exists():
        raise unknown_run(run, state)
    journal = read_journal(state, cipher=cipher_of(os.environ))
    try:
        number = run_number(run)
        found = await journal.run(number) if number != 0 else None
        if found is None:
            raise unknown_run(run, state)
        rest = await unfinished(journal, found, state)
        return found, [client async for client in journal.clients(found.id)], rest
    finally:
        await journal.close()


def _for(kind: Kind, rest: Unfinished) -> Kind:
    doubted = {key for key, entries in rest.entries.items() if is_in_doubt(entries)} if kind.doubted else set()
    return replace(kind, pick=lambda one: (kind.pick(one) or one.key in doubted) and not is_forgotten(one))


async def _write_down(journal: Journal, run: int, folder: Path, picked: Set[str]) -> None:
    """Where those stand with whom this verb does not go on: the end of the run would have nothing to say of them.

    Read anew, because only now nobody else works on the run.
    """
    found = await journal.run(run)
    assert found is not None
    rest = await unfinished(journal, found, folder)
    keys = rest.entries.keys() - picked
    left = [client async for client in journal.clients(run) if client.key in keys]
    for client in left:
        result = result_of(client, run, rest.entries[client.key])
        await journal.settle_client(run, client.key, result.outcome.value, None, result.to_json())


def _wish(found: RunState, options: Mapping[str, Any], state: Path) -> Wish:
    """What the run was asked for; what is given again wins."""
    body = dict(found.header["wish"])
    body |= {name: options[name] for name in (*GIVEN, "base_url") if options[name]}
    wish = Wish.from_json(body | {"caps": {**body["caps"], **dict(options["caps"])}})
    if wish.clients == "-":
        wish = replace(wish, stdin=read_stdin(found, state, cipher_of(os.environ)))
    return wish


def changed(found: RunState, clients: Sequence[ClientState], prepared: Prepared, kind: Kind) -> list[Problem]:
    """What is not as it was when the run began. New rows are welcome; changed ones would pay something else."""
    problems: list[Problem] = []
    before: Mapping[str, str] = found.header["digests"]
    hint = f'restore it, or start a new run: "onboard run {prepared.wish.playbook}"'
    for name, what in (("playbook", f'playbook "{prepared.wish.playbook}"'), ("provider", "the provider pack")):
        if before[name] != prepared.digests[name]:
            problems.append(Problem("run.stale", f"{what} changed since run {found.id} began", hint=hint))
    now = {entry.client.key: entry.client for entry in prepared.planned.plan.clients}
    for client in clients:
        if client.digest == "" or (kind.again and kind.pick(client)):
            continue
        if client.state == Ending.BLOCKED.value and client.key in now:
            # Something was missing: completing the row is what helps.
            continue
        if client.key not in now:
            if kind.pick(client):
                message = f'client "{client.key}" of run {found.id} is no longer in the clients file'
                problems.append(
                    Problem("run.stale", message, hint="put the row back; rows of clients that are done may go")
                )
        elif now[client.key].digest != client.digest:
            message = f'the row of client "{client.key}" changed since run {found.id} began'
            problems.append(
                Problem("run.stale", message, now[client.key].location, "restore the row, or start a new run")
            )
    return problems


async def _register(journal: Journal, run: int, clients: Sequence[Client]) -> None:
    await journal.add_clients(run, [Row(client.key, client.line, client.digest) for client in clients])


async def _mark(tools: Tools, run: int, clients: Sequence[Client], ready: Prepared) -> None:
    """Failed outcomes of these clients no longer stand; passed ones do, so nothing that happened happens again.

    What was asked about all that a client did is asked again, whatever it was answered.
    """
    steps, provider = ready.setting.playbook.steps, ready.setting.provider
    again = {step.id for step in steps if is_asked_again(step, provider)}
    for client in clients:
        for entry in await tools.journal.load(run, client.key):
            if entry.kind != "outcome":
                continue
            if entry.key.step in again or Outcome.from_json(entry.body).ending is Ending.REJECTED:
                key = EntryKey(entry.key.step, entry.key.item, entry.key.attempt)
                await tools.journal.retry(run, client.key, key, tools.clock.now())
