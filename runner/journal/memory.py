"""A journal that forgets: for tests and for measuring what durability costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
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
    without_person,
)


class MemoryJournal:
    """A Journal in dicts. Same promises within one process, none beyond it."""

    def __init__(self) -> None:
        self._runs: dict[int, RunState] = {}
        self._clients: dict[int, dict[str, ClientState]] = {}
        self._entries: dict[tuple[int, str], dict[tuple[EntryKey, str], Entry]] = {}
        self._held: dict[tuple[str, str], Decimal] = {}
        self._events: dict[tuple[str, str], Event] = {}
        self._marks: dict[str, set[tuple[int, str, str, int]]] = {}

    async def open_run(self, header: Mapping[str, Any], rows: Sequence[Row], at: float) -> int:
        run = len(self._runs) + 1
        self._runs[run] = RunState(run, header, "running", at)
        self._clients[run] = {}
        await self.add_clients(run, rows)
        return run

    async def add_clients(self, run: int, rows: Sequence[Row]) -> None:
        for row in rows:
            known = self._clients[run].get(row.key, ClientState(row.key, row.line, row.digest, "not_started"))
            self._clients[run][row.key] = replace(known, line=row.line, digest=row.digest)

    async def load(self, run: int, client: str) -> Sequence[Entry]:
        return list(self._entries.get((run, client), {}).values())

    async def loose(self, run: int, since: float | None = None) -> Mapping[str, Sequence[Entry]]:
        found: dict[str, list[Entry]] = {}
        for client, state in self._clients[run].items():
            after = (float("inf") if since is None else since) if state.result is not None else float("-inf")
            if entries := [entry for entry in self._entries.get((run, client), {}).values() if entry.at > after]:
                found[client] = entries
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
        entries = self._entries.setdefault((run, client), {})
        if (key, "intent") in entries:
            return False
        for hold in holds:
            used = self._held.get((hold.scope, hold.asset), Decimal(0))
            if hold.limit is not None and used + hold.amount > hold.limit:
                raise CapExceeded(hold, used)
        entries[key, "intent"] = Entry(key, "intent", at, intent)
        self._marks.setdefault(mark, set()).add((run, client, key.step, key.item))
        self._add(holds, 1)
        return True

    async def elsewhere(self, run: int, mark: str) -> Mapping[int, Sequence[Entry]]:
        found: dict[int, list[Entry]] = {}
        for other, client, step, item in self._marks.get(mark, ()):
            if other != run:
                entries = self._entries[other, client].values()
                found.setdefault(other, []).extend(
                    entry for entry in entries if (entry.key.step, entry.key.item) == (step, item)
                )
        return found

    async def claims(self, operation: str, mark: str) -> frozenset[str]:
        found: list[frozenset[str]] = []
        for other, places in self._marks.items():
            for run, client, step, item in places if other != mark else ():
                entries = self._entries[run, client].values()
                its = [one for one in entries if (one.key.step, one.key.item) == (step, item)]
                found.append(claims_of(operation, its))
        return frozenset().union(*found)

    async def finish(
        self,
        run: int,
        client: str,
        key: EntryKey,
        at: float,
        outcome: Mapping[str, Any],
        release: Sequence[Hold] = (),
    ) -> None:
        entries = self._entries.setdefault((run, client), {})
        if (key, "outcome") not in entries:
            entries[key, "outcome"] = Entry(key, "outcome", at, outcome)
            self._add(release, -1)

    def _add(self, holds: Sequence[Hold], sign: int) -> None:
        for hold in holds:
            place = (hold.scope, hold.asset)
            self._held[place] = self._held.get(place, Decimal(0)) + sign * hold.amount

    async def settle_client(
        self, run: int, client: str, state: str, due: float | None, result: Mapping[str, Any]
    ) -> None:
        known = self._clients[run][client]
        self._clients[run][client] = replace(known, state=state, due=due, result=result)

    async def close_run(self, run: int, status: str, at: float, exit_code: int) -> None:
        self._runs[run] = replace(self._runs[run], status=status, finished_at=at, exit_code=exit_code)

    async def reopen_run(self, run: int) -> None:
        self._runs[run] = replace(self._runs[run], status="running")

    async def retry(self, run: int, client: str, key: EntryKey, at: float) -> None:
        self._entries.setdefault((run, client), {}).setdefault((key, "retry"), Entry(key, "retry", at, {}))

    async def wait(self, run: int, client: str, key: EntryKey, at: float, body: Mapping[str, Any]) -> None:
        self._entries.setdefault((run, client), {}).setdefault((key, "wait"), Entry(key, "wait", at, body))

    async def forget(self, client: str) -> int:
        runs = [run for run, known in self._clients.items() if client in known]
        for run in runs:
            entries = self._entries.get((run, client), {})
            self._entries[run, client] = {
                place: replace(entry, body=without_person(entry.body)) for place, entry in entries.items()
            }
            state = self._clients[run][client]
            result = None if state.result is None else without_person(state.result)
            self._clients[run][client] = replace(state, digest="", result=result)
        return len(runs)

    async def deliver(self, provider: str, event: str, at: float, name: str, about: Sequence[str]) -> bool:
        if (provider, event) in self._events:
            return False
        self._events[provider, event] = Event(len(self._events) + 1, provider, name, tuple(about), at)
        return True

    async def events(self, after: int) -> Sequence[Event]:
        return [event for event in self._events.values() if event.number > after]

    async def last_event(self) -> int:
        return len(self._events)

    async def flush(self) -> None:
        return None

    async def runs(self) -> Sequence[RunState]:
        return [state for run in self._runs if (state := await self.run(run))]

    async def run(self, run: int | None) -> RunState | None:
        found = self._runs.get(run if run is not None else len(self._runs))
        if found is None:
            return None
        counts: dict[str, int] = {}
        for client in self._clients[found.id].values():
            counts[client.state] = counts.get(client.state, 0) + 1
        return replace(found, counts=counts)

    async def clients(self, run: int) -> AsyncGenerator[ClientState, None]:
        for client in self._clients[run].values():
            yield client

    async def standings(self, client: str) -> Mapping[int, ClientState]:
        return {run: known[client] for run, known in self._clients.items() if client in known}

    async def close(self) -> None:
        return None
