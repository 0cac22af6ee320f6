"""How a finished run is judged: one exit code and one word, from its totals."""

from __future__ import annotations

from runner.exit_codes import GUARDED, INTERRUPTED, OK, REJECTED, UNKNOWN, UNREACHABLE, WAITING, worst
from runner.model.outcome import Ending, Fault
from runner.model.run import Totals


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
