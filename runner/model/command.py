"""What the conductor asks for: one step, or one item of it, with every value filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.model.check import Check, Path
from runner.model.outcome import Outcome
from runner.model.playbook import Step

NO_ITEM = -1


@dataclass(frozen=True, slots=True)
class Bound:
    """A check whose operand is filled in."""

    check: Check
    operand: Any = None


@dataclass(frozen=True, slots=True)
class Pick:
    """Which entry of a list the answer is about: the first whose fields are equal to these.

    `items` is where the list stands, the answer itself when it is empty.
    """

    where: Mapping[str, Any]
    items: Path = ()


@dataclass(frozen=True, slots=True)
class Perform:
    """Carry out `step` for `item` (NO_ITEM outside a loop) with these values.

    `conditional` is set only while planning: whether or how often it runs is known after another step. `key` is what it
    is written down as, where a step makes several calls. `is_lenient`: an output that is not in the answer is null.
    `is_transient`: asked anew each time, never written down. `pending` names a field and the values of it that mean
    "not yet"; `is_old` looks at the outputs and says whether they are about what is over. `conclusion` is nothing to
    perform, but to be written down as the step's own outcome.
    """

    step: Step
    item: int = NO_ITEM
    values: Mapping[str, Any] = field(default_factory=dict)
    expect: tuple[Bound, ...] = ()
    warn: tuple[Bound, ...] = ()
    until: tuple[Bound, ...] = ()
    stop: tuple[Bound, ...] = ()
    outputs: Mapping[str, Path] = field(default_factory=dict)
    conditional: str = ""
    key: str = ""
    pick: Pick | None = None
    pending: tuple[Path, tuple[str, ...]] | None = None
    is_lenient: bool = False
    is_transient: bool = False
    is_old: Callable[[Mapping[str, Any]], bool] | None = None
    conclusion: Outcome | None = None

    @property
    def journal_key(self) -> str:
        """What it is written down as."""
        return self.key or self.step.id

    @property
    def name(self) -> str:
        """As people read it: `deposit` or `upload[2]`."""
        return self.step.id if self.item == NO_ITEM else f"{self.step.id}[{self.item}]"
