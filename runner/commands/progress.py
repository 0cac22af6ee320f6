"""A bar on standard error for people; nothing when piped or quiet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from runner.execute import Progress
from runner.model.outcome import ClientResult, Ending

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Silent:
    def begin(self, clients: int) -> None:
        return None

    def settled(self, result: ClientResult) -> None:
        return None

    def end(self) -> None:
        return None


class Drawn:
    """One line: how many are through, how many did not end well, how long it may still take."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._not_done = 0

    def begin(self, clients: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        self._task = self._bar.add_task("clients", total=clients)
        self._bar.start()

    def settled(self, result: ClientResult) -> None:
        assert self._bar is not None
        assert self._task is not None
        self._not_done += result.outcome is not Ending.DONE
        words = f"clients ({self._not_done} not done)" if self._not_done else "clients"
        self._bar.update(self._task, advance=1, description=words)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def make_progress(*, quiet: bool) -> Progress:
    return Drawn() if sys.stderr.isatty() and not quiet else Silent()
