"""Everything a sandbox can be told at the start. One frozen noun, no parsing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.sandbox.faults import Fault


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of one server process; shared by all providers it serves."""

    providers: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 1
    data: Path | None = None
    faults: tuple[Fault, ...] = ()
    rate: int | None = None
    clock_offset: float = 0.0
    allow_ip: tuple[str, ...] = ()
    refuse_used_references: bool = True
    visible_after: float = 0.0
    kyc_delay: float = 0.5
    webhook_retry_first: float = 1.0
    hang_seconds: float = 300.0
    signing: Mapping[str, str] = field(default_factory=dict)
    public_key: str | None = None
    exit_with_stdin: bool = False
    format: str = "auto"
