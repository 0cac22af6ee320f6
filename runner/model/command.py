"""What the conductor asks for: one step, or one item of it, with every value filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.model.check import Check, Path
from runner.model.playbook import Step

NO_ITEM = -1


@dataclass(frozen=True, slots=True)
class Bound:
    """A check whose operand is filled in."""

    check: Check
    operand: Any = None


@dataclass(frozen=True, slots=True)
class Perform:
    """Carry out `step` for `item` (NO_ITEM outside a loop) with these values.

    `conditional` is set only while planning: whether or how often it runs is known after another step.
    """

    step: Step
    item: int = NO_ITEM
    values: Mapping[str, Any] = field(default_factory=dict)
    expect: tuple[Bound, ...] = ()
    warn: tuple[Bound, ...] = ()
    outputs: Mapping[str, Path] = field(default_factory=dict)
    conditional: str = ""

    @property
    def name(self) -> str:
        """As people read it: `deposit` or `upload[2]`."""
        return self.step.id if self.item == NO_ITEM else f"{self.step.id}[{self.item}]"
