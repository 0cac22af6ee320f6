"""How long one template may work and how much it may build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic, thread_time
from typing import Final, TypeVar

from runner.templates.values import MAX_SIZE, OMIT, TemplateError, size, too_large

T = TypeVar("T")

SECONDS: Final = 1.0
MAX_RANGE: Final = 100_000

_MAX_WORK: Final = 32 * MAX_SIZE
"""How much all values made on the way may hold together: many arguments exist before they are used."""


class Run:
    """One rendering: the names in scope, and the guard that every costly act asks before going on.

    The wall clock is asked first because it is cheap; the thread's own time decides, because a busy machine
    is not the author's fault.
    """

    __slots__ = ("_made", "_since", "_until", "holes", "scope", "unknowns")

    def __init__(self, scope: Mapping[str, object]) -> None:
        self.scope = scope
        self.unknowns = False  # something in scope holds an Unknown, deeper than the name chains go
        self.holes = False  # a list was made that holds missing values
        self._made = 0
        self._since = thread_time()
        self._until = monotonic() + SECONDS

    def tick(self) -> None:
        """Complain when the time is over."""
        if monotonic() > self._until and thread_time() - self._since > SECONDS:
            raise TemplateError("template.too-slow", "the template needs more than one second")

    def made(self, value: T) -> T:
        """`value`, just built by an operator or a filter: refused when it, or all such, is too much."""
        self._made += size(value)
        if self._made > _MAX_WORK:
            raise too_large("the work of the template")
        return value

    def collect(self, items: Iterable[object]) -> list[object]:
        """The items as a list, refused while it grows beyond the size of one template."""
        kept: list[object] = []
        total = 0
        for item in items:
            self.tick()
            if item is OMIT:
                continue
            total += 1 + size(item)
            if total > MAX_SIZE:
                raise too_large("a list")
            kept.append(item)
        return kept
