"""Where one create or money call stands, read from the journal: this run's entries, and other runs' of the same name.

Another run of the same file asks for the same thing under the same reference. What that run may still have on the wire
is in doubt for this one too. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner.checks import lookup
from runner.clock import Moment
from runner.effects import Reply
from runner.journal.base import Entry
from runner.looking import Seen
from runner.model.command import Perform
from runner.model.outcome import Moved, Outcome, StepStatus
from runner.model.plan import Client, Setting
from runner.model.provider import Operation
from runner.performer import Sent
from runner.references import fingerprint, operation_reference


@dataclass(slots=True)
class Standing:
    """Where the settling stands.

    `attempt` numbers every attempt there ever was, `tried` counts those of this settling: who resumes may try again.
    `number` counts the references that were given, a new one each time the provider declared the one before it dead.
    Under the newest: `doubts` are when attempts were begun that may have happened and may not show yet, `firsts` when
    each run first used it, `is_first_here` that it was this settling. `is_ours`: what a look-up finds was moved by this
    run; `is_counted`: another run has counted it. `looked_past`: the last look-up was asked after the horizon, so that
    what it did not see is not there. `was_lost`: an attempt was in doubt, be it settled since. `closed` are attempts
    that are known to be over.
    """

    attempt: int = 0
    tried: int = 0
    number: int = 1
    doubts: tuple[Moment, ...] = ()
    firsts: tuple[Moment, ...] = ()
    is_first_here: bool = False
    is_ours: bool = False
    is_counted: bool = False
    begun: Moment | None = None
    sent: Sent | None = None
    seen: Seen | None = None
    looked_past: bool = False
    was_lost: bool = False
    closed: set[int] = field(default_factory=set)

    def renew(self, number: int) -> None:
        """The order under the old reference is dead: nothing is known yet of the new one."""
        self.number = number
        self.doubts, self.firsts, self.is_ours, self.is_counted = (), (), False, False
        self.sent, self.seen, self.looked_past, self.is_first_here, self.was_lost = None, None, False, False, False


def standing(entries: Sequence[Entry], elsewhere: Mapping[int, Sequence[Entry]]) -> Standing:
    """Fresh, or with attempts whose outcome nobody wrote. `elsewhere` has the entries of other runs, by run."""
    mine = replace(_read(entries), is_counted=False)
    for theirs in map(_read, elsewhere.values()):
        if theirs.number > mine.number:
            mine.renew(theirs.number)
        if theirs.number == mine.number:
            mine.doubts += theirs.doubts
            mine.firsts += theirs.firsts
            mine.was_lost = mine.was_lost or theirs.was_lost
            mine.is_counted = mine.is_counted or theirs.is_counted
    return mine


def mark_of(setting: Setting, client: Client, command: Perform, operation: Operation) -> str:
    """One text for a create or money call in every run: where it goes and the name it goes by.

    That name is our reference; where the provider takes none, its own identity for the thing, else the whole body.
    """
    name: object = command.values
    if operation.reference:
        name = operation_reference(setting, client, command, operation)
    elif operation.identity:
        name = [lookup(tuple(field.split(".")), command.values)[1] for field in operation.identity]
    return fingerprint(operation.name, {"at": setting.base_url, "name": name})


def _read(entries: Sequence[Entry]) -> Standing:
    """One run's own view; there `is_counted` says that this run has counted the money."""
    state = Standing(attempt=max((entry.key.attempt for entry in entries), default=0), closed=closed(entries))
    accepted = _accepted(entries)
    for entry in in_order(entries):
        if entry.kind == "intent":
            if entry.body["number"] != state.number:
                state.renew(entry.body["number"])
            state.begun = Moment.from_json(entry.body["moment"])
            state.firsts = state.firsts or (state.begun,)
            if entry.key.attempt not in state.closed:
                state.is_ours = state.was_lost = True
                state.doubts = (state.begun,)
            elif entry.key.attempt in accepted:
                # It happened; whether it shows already is another matter.
                state.doubts = (state.begun,)
        elif entry.kind == "outcome":
            outcome = Outcome.from_json(entry.body)
            if outcome.moved is not None:
                state.is_ours, state.is_counted = True, True
            if entry.key.attempt == state.attempt and "reply" in entry.body:
                state.sent = Sent(
                    Reply(entry.body["reply"]),
                    replace(outcome, fault=None),
                    entry.body["is_own"],
                    told=entry.body.get("told"),
                )
    return state


def _accepted(entries: Sequence[Entry]) -> set[int]:
    """Attempts that the provider took, whatever the playbook's checks said of the answer."""
    found = set()
    for entry in entries:
        if entry.kind == "outcome":
            outcome = Outcome.from_json(entry.body)
            if outcome.status is StepStatus.PASSED or outcome.moved is not None or outcome.claim:
                found.add(entry.key.attempt)
    return found


def passed_elsewhere(elsewhere: Mapping[int, Sequence[Entry]]) -> Outcome | None:
    """What another run wrote down of this effect when it passed."""
    for entries in elsewhere.values():
        for entry in in_order(entries):
            if entry.kind == "outcome" and (outcome := Outcome.from_json(entry.body)).status is StepStatus.PASSED:
                return outcome
    return None


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


def was_promised_otherwise(entries: Sequence[Entry], asked: str) -> bool:
    """Does the promise that stands here differ from what is asked for now? A row may be corrected in between."""
    passed = [entry for entry in entries if entry.kind == "outcome" and entry.body["status"] == StepStatus.PASSED.value]
    return any(entry.body.get("fingerprint", asked) != asked for entry in passed)


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
