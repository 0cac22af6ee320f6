"""Say things to people: problems with their place, colour only where it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
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
    try:
        out.write(text)
    except OSError:
        if out is not sys.stderr:
            raise
        hush(out)


def say(text: str) -> None:
    """One line on standard error. That nobody can read it must not end what it is about."""
    try:
        sys.stderr.write(f"{text}\n")
    except OSError:
        hush(sys.stderr)


def say_refused(provider: str, why: str) -> None:
    """One line for a webhook that was not taken: somebody tries, or a key is wrong."""
    say(f"refused: a webhook for {provider}: {why}")


def hush(stream: TextIO) -> None:
    """A full disk, a closed pipe: what is still to be written here goes nowhere, so that ending does not fail for it.

    The exit code is then all that tells how it went.
    """
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _by_place(problem: Problem) -> tuple[bool, str, int, int]:
    place = problem.location
    return (place is None, place.path if place else "", place.line if place else 0, place.column if place else 0)
