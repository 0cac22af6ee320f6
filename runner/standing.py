"""Where one create or money call stands, read from the journal: this run's entries, and other runs' of the same name.

Another run of the same file asks for the same thing under the same reference. What that run may still have on the wire
is in doubt for this one too. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner.clock import Moment
from runner.effects import Reply
from runner.journal.base import Entry
from runner.looking import Seen
from runner.model.outcome import Moved, Outcome
from runner.performer import Sent


@dataclass(slots=True)
class Standing:
    """Where the settling stands.

    `attempt` numbers every attempt there ever was, `tried` counts those of this settling: who resumes may try again.
    `first` is when this reference was first begun. `number` counts the references that were given, a new one each time
    the provider declared the one before it dead.
    `doubt` is when the newest attempt that may have happened was begun. `is_ours`: what a look-up finds was moved by
    this run. `looked_past`: the last look-up was asked after the horizon, so that what it did not see is not there.
    `closed` are attempts that are known to be over.
    """

    attempt: int = 0
    tried: int = 0
    number: int = 1
    doubt: Moment | None = None
    is_ours: bool = False
    begun: Moment | None = None
    first: Moment | None = None
    sent: Sent | None = None
    seen: Seen | None = None
    looked_past: bool = False
    closed: set[int] = field(default_factory=set)


def standing(entries: Sequence[Entry], elsewhere: Mapping[int, Sequence[Entry]]) -> Standing:
    """Fresh, or with attempts whose outcome nobody wrote. `elsewhere` has the entries of other runs, by run."""
    mine = _read(entries)
    for theirs in map(_read, elsewhere.values()):
        if theirs.number > mine.number:
            mine.number, mine.doubt, mine.is_ours, mine.sent = theirs.number, theirs.doubt, False, None
            mine.first = theirs.first
        elif theirs.number == mine.number:
            mine.first = min((one for one in (mine.first, theirs.first) if one), key=lambda one: one.at, default=None)
            mine.doubt = _newest(mine.doubt, theirs.doubt)
            if theirs.is_ours and theirs.doubt is None:
                # That run has counted the money already.
                mine.is_ours = False
    return mine


def _read(entries: Sequence[Entry]) -> Standing:
    state = Standing(attempt=max((entry.key.attempt for entry in entries), default=0), closed=closed(entries))
    for entry in in_order(entries):
        if entry.kind == "intent":
            if entry.body["number"] != state.number:
                # A new number is given only when the old reference is known to be dead.
                state.number, state.doubt, state.is_ours, state.first = entry.body["number"], None, False, None
            state.begun = Moment.from_json(entry.body["moment"])
            state.first = state.first or state.begun
            if entry.key.attempt not in state.closed:
                state.is_ours = True
                state.doubt = state.begun
        elif entry.kind == "outcome":
            outcome = Outcome.from_json(entry.body)
            state.is_ours = state.is_ours or outcome.moved is not None
            if entry.key.attempt == state.attempt and "reply" in entry.body:
                state.sent = Sent(Reply(entry.body["reply"]), replace(outcome, fault=None), entry.body["is_own"])
    return state


def _newest(one: Moment | None, other: Moment | None) -> Moment | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda moment: moment.at)


def closed(entries: Sequence[Entry]) -> set[int]:
    """Attempts of which the journal knows how they ended."""
    return {entry.key.attempt for entry in entries if entry.kind == "outcome"}


def moved_before(entries: Sequence[Entry]) -> Moved | None:
    """What the last finished outcome says that this step moved: it passed, or only a check of it failed."""
    found: Moved | None = None
    for entry in in_order(entries):
        if entry.kind == "outcome" and (outcome := Outcome.from_json(entry.body)).is_final:
            found = outcome.moved
    return found


def was_asked_otherwise(entries: Sequence[Entry], fingerprint: str) -> bool:
    """Was it begun with another body, by an attempt that has moved money or still may?

    What was refused for certain may be asked for again with other values.
    """
    over = set() if moved_before(entries) else closed(entries)
    return any(
        entry.kind == "intent" and entry.key.attempt not in over and entry.body["fingerprint"] != fingerprint
        for entry in entries
    )


def held(entries: Sequence[Entry]) -> Moved | None:
    """What is reserved of the caps for this effect: from its first intent until it is known to move nothing."""
    found: Moved | None = None
    for entry in in_order(entries):
        if entry.kind == "intent" and entry.body["moves"]:
            found = Moved.from_json(entry.body["moves"])
        elif entry.kind == "outcome":
            outcome = Outcome.from_json(entry.body)
            found = None if outcome.is_final and outcome.moved is None else found
    return found


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """As they were written: by attempt, the intent before its outcome."""
    return sorted(entries, key=lambda entry: (entry.key.attempt, entry.kind))
