"""What the process says when it ends: the worst word wins."""

from __future__ import annotations

OK = 0
REJECTED = 1
WRONG = 2
GUARDED = 3
WAITING = 4
UNKNOWN = 5
UNREACHABLE = 6
DIFFERENT = 7
BUG = 70
INTERRUPTED = 130

WORST_FIRST = (BUG, UNKNOWN, GUARDED, DIFFERENT, UNREACHABLE, WAITING, REJECTED, OK)


def worst(*codes: int) -> int:
    """The worst of several codes; 2 and 130 stand alone and are never mixed in here."""
    return min(codes, key=WORST_FIRST.index, default=OK)
