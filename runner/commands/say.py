"""Say things to people: problems with their place, colour only where it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

from runner.drawing import count_line, draw_all
from runner.model.problem import Problem

# More than this at once is not read; the count at the end says how many there are.
SHOWN = 50


def wants_color(stream: TextIO) -> bool:
    """A terminal, and nobody said no (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and "--no-color" not in sys.argv


def say_problems(problems: Iterable[Problem], stream: TextIO | None = None) -> None:
    """Drawn with carets, by file and line, the count last."""
    out = stream or sys.stderr
    told = sorted(problems, key=_by_place)
    if not told:
        return
    text = draw_all(told[:SHOWN], wants_color(out))
    if len(told) > SHOWN:
        body = text.rstrip("\n").rpartition("\n\n")[0]
        text = f"{body}\n\n… and {len(told) - SHOWN:,} more; {count_line(told)}\n"
    out.write(text)


def _by_place(problem: Problem) -> tuple[bool, str, int, int]:
    place = problem.location
    return (place is None, place.path if place else "", place.line if place else 0, place.column if place else 0)
