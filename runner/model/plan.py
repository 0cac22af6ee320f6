"""Everything a run needs, decided before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.model.outcome import Moved
from runner.model.playbook import Cap, Playbook
from runner.model.problem import Location
from runner.model.provider import Environment, Provider


@dataclass(frozen=True, slots=True)
class Client:
    """One client ready to run: its row with every cell typed, its documents and funding rendered."""

    key: str
    line: int
    values: Mapping[str, Any]
    documents: Sequence[Mapping[str, Any]] = ()
    funding: Sequence[Mapping[str, Any]] = ()
    location: Location | None = None
    digest: str = ""
    locate: Callable[[str], Location] | None = field(default=None, repr=False, compare=False)

    def place(self, name: str) -> Location | None:
        """Where the (dotted) field of this client stands in its file."""
        return self.locate(name) if self.locate else self.location


@dataclass(frozen=True, slots=True)
class Setting:
    """What all clients of a run share: who carries out what, where, under which batch, with which inputs and caps.

    `today` is what dates in requests are held against, in UTC. `stamp` tells one content of a document from another;
    without files at hand, its name has to do.
    """

    playbook: Playbook
    provider: Provider
    environment: Environment
    base_url: str
    batch: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    caps: Mapping[str, Cap] = field(default_factory=dict)
    documents_root: Path = Path()
    today: date | None = None
    stamp: Callable[[str], str] = field(default=str, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call of one client as far as it is known now. `body` is redacted; `moves` is what it moves, if known."""

    step: str
    operation: str
    method: str
    path: str
    effect: str
    body: Any = None
    reference: str = ""
    moves: Moved | None = None
    conditional: str = ""
    requests: int = 1


@dataclass(frozen=True, slots=True)
class ClientPlan:
    client: Client
    calls: tuple[PlannedCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of it: the setting and every client with its calls."""

    setting: Setting
    clients: tuple[ClientPlan, ...]

    @property
    def requests(self) -> int:
        return sum(call.requests for entry in self.clients for call in entry.calls)

    def money(self) -> dict[str, dict[str, Decimal]]:
        """What moves in all, by asset and kind."""
        sums: dict[str, dict[str, Decimal]] = {}
        for entry in self.clients:
            for call in entry.calls:
                if call.moves:
                    kinds = sums.setdefault(call.moves.money.asset, {})
                    kinds[call.moves.kind] = kinds.get(call.moves.kind, Decimal(0)) + call.moves.money.amount
        return sums
