"""The book of record: an intent before each effect, an outcome after. One interface, several stores.

Nothing is ever updated in `entries`: the first intent and the first outcome of an attempt stand. `begin` gives the
right to send to exactly one caller, and only once its row is on disk.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class EntryKey:
    """Which attempt of which item of which step. `item` is -1 outside `for_each`; attempts count from 1."""

    step: str
    item: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: `kind` is `intent`, `outcome`, `retry` or `wait`; `at` is seconds since the epoch, UTC.

    A `retry` says that a person wants failed outcomes up to this attempt tried again, a `wait` when a step began to.
    """

    key: EntryKey
    kind: str
    at: float
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hold:
    """Part of a cap, reserved before money is sent. `limit` None records the use without bounding it."""

    scope: str
    asset: str
    amount: Decimal
    limit: Decimal | None


@dataclass(frozen=True, slots=True)
class Row:
    """One client of a run as it is registered: `digest` is over its rendered data, to notice a changed row."""

    key: str
    line: int
    digest: str


@dataclass(frozen=True, slots=True)
class ClientState:
    """Where one client stands: `state` is one of the six words or `running`; `result` is its ClientResult as JSON."""

    key: str
    line: int
    digest: str
    state: str
    due: float | None = None
    result: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RunState:
    """One run: its header (playbook, rows file, inputs, batch, environment, digests) and how far it is."""

    id: int
    header: Mapping[str, Any]
    status: str
    started_at: float
    finished_at: float | None = None
    exit_code: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook: nothing of what it said but its name and the ids that it was about. `number` grows."""

    number: int
    provider: str
    name: str
    about: tuple[str, ...]
    at: float


class CapExceeded(Exception):  # noqa: N818 - a refusal, not an error of ours
    """The hold does not fit: nothing was written, nothing may be sent."""

    def __init__(self, hold: Hold, used: Decimal) -> None:
        self.hold, self.used = hold, used
        super().__init__(f"{hold.scope}: {used} + {hold.amount} > {hold.limit} {hold.asset}")


class Journal(Protocol):
    """What every store offers. Calls raise JournalError when nothing can be written."""

    async def open_run(self, header: Mapping[str, Any], rows: Sequence[Row], at: float) -> int: ...

    async def add_clients(self, run: int, rows: Sequence[Row]) -> None:
        """Register further clients; of those already there, line and digest are brought up to date."""
        ...

    async def load(self, run: int, client: str) -> Sequence[Entry]: ...

    async def loose(self, run: int, since: float | None = None) -> Mapping[str, Sequence[Entry]]:
        """Entries that no client's result accounts for, by client: all of those who have none, and with `since` what
        was written later than that of the others."""
        ...

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
        """True for the one caller whose intent is now on disk. Raises CapExceeded when a hold does not fit.

        `mark` is one text for this effect in every run; `elsewhere` finds it again.
        """
        ...

    async def elsewhere(self, run: int, mark: str) -> Mapping[int, Sequence[Entry]]:
        """What other runs wrote down of the effect with this mark, by run."""
        ...

    async def claims(self, operation: str, mark: str) -> frozenset[str]:
        """The provider's own ids of what calls of this operation with another mark have made, in every run."""
        ...

    async def finish(
        self,
        run: int,
        client: str,
        key: EntryKey,
        at: float,
        outcome: Mapping[str, Any],
        release: Sequence[Hold] = (),
    ) -> None:
        """The first outcome stands. Queued in order; durable at the latest with the next `begin` or `flush`."""
        ...

    async def settle_client(
        self, run: int, client: str, state: str, due: float | None, result: Mapping[str, Any]
    ) -> None: ...

    async def close_run(self, run: int, status: str, at: float, exit_code: int) -> None: ...

    async def reopen_run(self, run: int) -> None:
        """It goes on: its status is `running` again; when it was closed last stays."""
        ...

    async def retry(self, run: int, client: str, key: EntryKey, at: float) -> None:
        """A person wants the failed outcomes of this item up to `key.attempt` tried again."""
        ...

    async def wait(self, run: int, client: str, key: EntryKey, at: float, body: Mapping[str, Any]) -> None:
        """A step began to wait; the first time stands. Queued like `finish`."""
        ...

    async def forget(self, client: str) -> int:
        """Remove what this client's rows say of the person, the digest of its row too, in every run; references and
        money stay. Returns how many runs knew the client."""
        ...

    async def deliver(self, provider: str, event: str, at: float, name: str, about: Sequence[str]) -> bool:
        """Write a webhook down. `event` names it among all; False when it has been here before."""
        ...

    async def events(self, after: int) -> Sequence[Event]:
        """Webhooks with a larger number, in their order."""
        ...

    async def last_event(self) -> int:
        """The number of the newest webhook, 0 when there is none."""
        ...

    async def flush(self) -> None: ...

    async def runs(self) -> Sequence[RunState]: ...

    async def run(self, run: int | None) -> RunState | None:
        """One run, the newest when `run` is None; None when there is no such run."""
        ...

    def clients(self, run: int) -> AsyncGenerator[ClientState, None]:
        """Every client of a run in the order of the file. To be closed by who may not read to the end."""
        ...

    async def standings(self, client: str) -> Mapping[int, ClientState]:
        """Where this client stands in every run that knows it."""
        ...

    async def close(self) -> None: ...


def claims_of(operation: str, entries: Sequence[Entry]) -> frozenset[str]:
    """What one effect has made, by the provider's own ids, if it is a call of this operation."""
    if all(entry.body.get("operation") != operation for entry in entries if entry.kind == "intent"):
        return frozenset()
    claims = (entry.body.get("claim") for entry in entries if entry.kind == "outcome")
    return frozenset(str(claim) for claim in claims if claim)


# What of an entry or a result can say who somebody is: of a short value, so can its fingerprint, and of a picture, who
# has it. References, statuses, times and money can't.
_PERSONAL = ("checks", "files", "outputs", "problem")


def without_person(body: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's or a result's body without anything that could identify the client; counts and money stay."""
    bare = {name: value for name, value in body.items() if name not in _PERSONAL}
    for name, empty in (("checks", []), ("outputs", {}), ("problem", None)):
        if name in body:
            bare[name] = empty
    if "steps" in body:
        bare["steps"] = [without_person(step) for step in body["steps"]]
    return bare
