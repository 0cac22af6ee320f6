"""Everything a run needs, decided before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Setting:
    """What all clients of a run share: who carries out what, where, under which batch, with which inputs and caps."""

    playbook: Playbook
    provider: Provider
    environment: Environment
    base_url: str
    batch: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    caps: Mapping[str, Cap] = field(default_factory=dict)
    documents_root: Path = Path()


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call of one client as far as it is known now; `body` is redacted."""

    step: str
    operation: str
    method: str
    path: str
    effect: str
    body: Any = None
    reference: str = ""
    moves: Mapping[str, str] | None = None
    conditional: str = ""
    requests: int = 1


@dataclass(frozen=True, slots=True)
class ClientPlan:
    client: Client
    calls: tuple[PlannedCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of it: the setting, every client with its calls, and rows that were left out by --skip-invalid."""

    setting: Setting
    clients: tuple[ClientPlan, ...]
    digests: Mapping[str, str] = field(default_factory=dict)
