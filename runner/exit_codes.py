"""What the process says when it ends: the worst word wins."""

from __future__ import annotations

from runner.model.outcome import Ending, Fault
from runner.model.run import Totals

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


def exit_code(totals: Totals, *, is_interrupt: bool = False) -> int:
    """The code of a finished run from its totals."""
    if is_interrupt:
        return INTERRUPTED
    codes = [OK]
    if totals.endings[Ending.UNKNOWN]:
        codes.append(UNKNOWN)
    if Fault.GUARD in totals.faults:
        codes.append(GUARDED)
    if totals.faults & {Fault.UNREACHABLE, Fault.THROTTLED, Fault.CREDENTIALS}:
        codes.append(UNREACHABLE)
    if totals.endings[Ending.WAITING]:
        codes.append(WAITING)
    if any(totals.endings[ending] for ending in (Ending.REJECTED, Ending.BLOCKED, Ending.NOT_STARTED)):
        codes.append(REJECTED)
    return worst(*codes)


def status(totals: Totals, code: int) -> str:
    """One word for the whole run: `done`, or the worst that happened to anybody."""
    if code == INTERRUPTED:
        return "interrupted"
    for ending in (Ending.UNKNOWN, Ending.WAITING, Ending.BLOCKED, Ending.REJECTED, Ending.NOT_STARTED):
        if totals.endings[ending]:
            return ending.value
    return Ending.DONE.value
