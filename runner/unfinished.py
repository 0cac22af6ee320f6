"""Where clients stand whose run was cut off, or still goes on: told from the journal's entries. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runner.journal.base import ClientState, Entry
from runner.model.command import NO_ITEM
from runner.model.outcome import ClientResult, Ending, Outcome, StepResult, StepStatus, merged
from runner.model.problem import Problem

CLOSED = frozenset({Ending.DONE, Ending.REJECTED, Ending.UNKNOWN})

FORGOTTEN = "client.forgotten"

_Calls = Mapping[tuple[str, int], Sequence[Entry]]


def is_forgotten(state: ClientState) -> bool:
    """Was the client removed before its end, or after one that is tried again otherwise?"""
    problem = state.result.get("problem") if state.result is not None else None
    return problem is not None and problem["code"] == FORGOTTEN


def is_in_doubt(entries: Sequence[Entry]) -> bool:
    """Was something sent, or about to be, of which nobody wrote down how it ended?"""
    return any(_is_open(its) for its in _by_call(entries).values())


def result_of(state: ClientState, run: int, entries: Sequence[Entry] = (), *, is_held: bool = False) -> ClientResult:
    """How a client stands. `entries` are those that no stored result accounts for; `is_held`: the run is under way."""
    stored = ClientResult.from_json(state.result) if state.result is not None else None
    if not entries or (stored and is_held):
        return stored or ClientResult(state.key, state.line, Ending.NOT_STARTED)
    in_doubt = is_in_doubt(entries)
    if stored and stored.outcome in CLOSED and not in_doubt:
        return stored
    steps = {step.id: step for step in stored.steps} if stored else {}
    steps |= {step.id: step for step in _steps(entries, is_held=is_held)}
    is_unknown = in_doubt and not is_held
    ending = Ending.UNKNOWN if is_unknown else Ending.WAITING
    if is_held:
        problem = Problem("run.under-way", "the run is under way", hint="wait for its end, or look again later")
    elif is_unknown:
        names = ", ".join(
            dict.fromkeys(_step_of(name) for (name, _), its in _by_call(entries).items() if _is_open(its))
        )
        message = f"the run was interrupted while this was under way, which may or may not have happened: {names}"
        verbs = f'"onboard recover {run}"'
        verbs = verbs if stored and stored.outcome in CLOSED else f'{verbs} or "onboard resume {run}"'
        problem = Problem("run.interrupted", message, hint=f"{verbs} looks it up; nothing is sent again before that")
    else:
        message = "the run was interrupted before this client's end"
        problem = Problem("run.interrupted", message, hint=f'"onboard resume {run}" goes on from here')
    return ClientResult(state.key, state.line, ending, problem, tuple(steps.values()))


def _steps(entries: Sequence[Entry], *, is_held: bool) -> list[StepResult]:
    """What is known of each step that was begun, in the order in which they were."""
    calls = _by_call(entries)
    names = list(dict.fromkeys(_step_of(name) for name, _ in sorted(calls, key=lambda call: _begun(calls[call]))))
    found = []
    for name in names:
        its = {call: rest for call, rest in calls.items() if _step_of(call[0]) == name}
        parts = [_outcome(rest, is_held=is_held) for rest in its.values()]
        result = merged(name, parts, any(item != NO_ITEM for _, item in its))
        if all(call != name for call, _ in its):
            # Only parts of it are known: it is over when another step began after it.
            goes_on = result.status is StepStatus.PASSED and name == names[-1]
            result = replace(result, outputs={}, status=StepStatus.WAITING if goes_on else result.status)
        found.append(result)
    return found


def _outcome(entries: Sequence[Entry], *, is_held: bool) -> Outcome:
    """How one call stands: its last outcome if that is final, else it waits, or nobody knows."""
    last = max((entry for entry in entries if entry.kind == "outcome"), key=lambda one: one.key.attempt, default=None)
    known = Outcome.from_json(last.body) if last else Outcome(StepStatus.WAITING, attempts=0)
    if _is_open(entries):
        intent = max((entry for entry in entries if entry.kind == "intent"), key=lambda one: one.key.attempt)
        status = StepStatus.WAITING if is_held else StepStatus.UNKNOWN
        attempts = max(known.attempts, intent.key.attempt)
        reference = intent.body.get("reference") or ""
        return Outcome(status, attempts=attempts, requests=known.requests, moved=known.moved, reference=reference)
    again = max((entry.key.attempt for entry in entries if entry.kind == "retry"), default=0)
    stands = last is not None and known.is_final and (known.status is StepStatus.PASSED or last.key.attempt > again)
    return known if stands else replace(known, status=StepStatus.WAITING)


def _is_open(entries: Sequence[Entry]) -> bool:
    """Has the newest attempt of one call no outcome? Earlier ones are settled before another begins."""
    begun = max((entry.key.attempt for entry in entries if entry.kind == "intent"), default=0)
    return begun > max((entry.key.attempt for entry in entries if entry.kind == "outcome"), default=0)


def _by_call(entries: Sequence[Entry]) -> _Calls:
    calls: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        calls.setdefault((entry.key.step, entry.key.item), []).append(entry)
    return calls


def _begun(entries: Sequence[Entry]) -> float:
    return min(entry.at for entry in entries)


def _step_of(name: str) -> str:
    """A step that makes several calls writes each down under a name of its own: `step/call`."""
    return name.partition("/")[0]
