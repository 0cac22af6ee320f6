"""The requirement loop: ask what is missing, supply it, ask again. Pure; the recipe is the pack's `requirements`.

A generator of commands like the conductor's own. What is asked is asked anew whenever somebody goes on; what was
supplied is written down under the name of what it was (`verify/passport`), so that nothing is supplied twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.answering import Answering, Part, Sent, answer, body_of, mark_of, sections_of, value_stamps
from runner.checks import lookup
from runner.loop_ends import asks_nothing, blocked, dead, out_of_rounds, unknown_state
from runner.model.command import Perform, Pick
from runner.model.outcome import Outcome, StepStatus
from runner.model.playbook import Step, Waiting
from runner.model.requirements import AnswerRule, Requirements, Supply
from runner.references import fingerprint
from runner.shortage import Missing, Wanted, document_for, lacks_of, missing_of
from runner.templates import Unknown, render

Satisfying = Generator[Perform, Outcome, Outcome]

# However often a provider asks for the same again: a replay of everything that was ever supplied stays below this.
_MOST_TURNS = 200
# Characters of the mark that tells one document from another of its kind.
_MARK = 8


@dataclass(slots=True)
class _Loop:
    """One client's loop. `refused` says why a document of the client (by its place) was turned down, `wrong` why data.

    `sent` has the place of the document that was sent last, by its type and by the group that it was for. `asked` are
    the names of data that were ever missing. `new` are the places of documents that this process has sent, `is_fresh`
    says that this round has sent something. `turns` counts what this process has done: it outlives a wait.
    """

    command: Perform
    rule: Requirements
    documents: Sequence[Mapping[str, Any]]
    fields: frozenset[str]
    stamp: Callable[[str], str]
    on_file: Sent
    refused: dict[int, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    new: set[int] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    turns: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    spent: list[Outcome] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    is_fresh: bool = False


def satisfy(
    command: Perform,
    rule: Requirements,
    documents: Sequence[Mapping[str, Any]],
    fields: frozenset[str],
    stamp: Callable[[str], str] = str,
    sent: Sent = lambda stamp: (),
    turns: Counter[str] | None = None,
) -> Satisfying:
    """One outcome for the whole loop. `fields` are what the data call can carry.

    `stamp` tells one content of a document from another: a better picture under the same name is another document.
    `sent` has the names of the commands that sent a content before, of all for "". `turns` is to be handed in again
    after each wait, so that rounds are bounded however long it takes.
    """
    turns = Counter() if turns is None else turns
    loop = _Loop(command, rule, documents, fields, stamp, sent, turns=turns)
    for _ in range(_MOST_TURNS):
        seen = yield from _ask(loop)
        if seen.replayed or seen.status is not StepStatus.PASSED:
            return seen if seen.replayed else _summed(loop, seen)
        if isinstance(seen.outputs["missing"], Unknown):
            return (yield from _planned(loop, seen.outputs["missing"]))
        state = str(seen.outputs["state"])
        if state in rule.done:
            return (yield from _passed(loop))
        if state in rule.dead:
            return _summed(loop, dead(command, state, seen.outputs.get("reason")))
        if state not in (*rule.open, *rule.asks_while):
            return _summed(loop, unknown_state(command, state))
        if rule.answer is not None:
            stop = yield from _answer(loop, rule.answer, seen)
            if stop is not None:
                return _summed(loop, stop)
            continue
        missing = missing_of(rule, seen.outputs["missing"])
        if turns["submits" if missing.is_empty else "rounds"] >= command.step.rounds:
            return _summed(loop, out_of_rounds(command, _wanted(loop), missing))
        stop = yield from _round(loop, missing)
        if stop is not None:
            return _summed(loop, stop)
        turns["submits" if missing.is_empty else "rounds"] += loop.is_fresh
    return _summed(loop, out_of_rounds(command, _wanted(loop), Missing()))


def _round(loop: _Loop, missing: Missing) -> Generator[Perform, Outcome, Outcome | None]:
    """Supply everything that is missing, or say what can't be: then nothing at all is sent."""
    loop.is_fresh = False
    loop.asked.update(missing.fields)
    wanted = _wanted(loop)
    lacks = lacks_of(wanted, missing)
    if lacks:
        return blocked(loop.command, loop.documents, lacks)
    if missing.fields:
        assert loop.rule.data is not None
        stop = yield from _update(loop, loop.rule.data)
        if stop is not None:
            return stop
    for place, groups in _choice(wanted, missing).items():
        stop = yield from _document(loop, place, groups)
        if stop is not None:
            return stop
    if missing.is_empty and loop.rule.submit is not None:
        return (yield from _submit(loop, loop.rule.submit))
    return None


def _answer(loop: _Loop, rule: AnswerRule, seen: Outcome) -> Generator[Perform, Outcome, Outcome | None]:
    """Answer the question whole, or say what is lacking: then nothing at all is sent."""
    mark = mark_of(rule, seen.outputs["missing"], seen.outputs.get("since"))
    if loop.turns["answers"] >= loop.command.step.rounds and not loop.turns[mark]:
        return out_of_rounds(loop.command, _wanted(loop), Missing())
    about = _filled(rule.supply.values, {"with": loop.command.values})
    side = Answering(rule, loop.command.values, loop.documents, loop.stamp, loop.on_file, mark, about)
    parts, lacks = answer(side, sections_of(rule, seen.outputs["missing"]))
    if lacks:
        return blocked(loop.command, loop.documents, lacks)
    if not parts:
        return asks_nothing(loop.command, seen.outputs.get("reason"))
    values = dict(about)
    for part in parts:
        uris: Mapping[str, Any] = {}
        if part.sides:
            got = yield from _uploaded(loop, rule, part, mark)
            if got.status is not StepStatus.PASSED:
                return got
            uris = got.outputs
        values[part.section] = body_of(rule, part, uris)
    stop = yield from _note_values(loop, value_stamps(side, parts), mark)
    if stop is not None:
        return stop
    got = yield from _supplied(loop, rule.supply, values, f"answer-{mark}")
    if got.status is not StepStatus.PASSED:
        return got
    loop.answered.add(mark)
    if not got.replayed:
        loop.turns.update(["answers", mark])
    return None


def _uploaded(loop: _Loop, rule: AnswerRule, part: Part, mark: str) -> Satisfying:
    files = {name.lower(): path for name, path in part.sides}
    values = {**_filled(rule.upload.values, {"with": loop.command.values}), **files}
    uris = {name: (*rule.uris, name) for name in files}
    return (yield from _supplied(loop, rule.upload, values, f"upload-{part.section}-{mark}", uris))


def _note_values(loop: _Loop, stamps: tuple[str, ...], mark: str) -> Generator[Perform, Outcome, Outcome | None]:
    """Write down what will have been sent, as is done for files. Before: an answer that is lost may have arrived.

    The name of the note has a number and no digest: names are not encrypted, and one value can be guessed from its own.
    """
    begin = f"{loop.command.step.id}/values-{mark}-"
    notes = {name for name in loop.on_file("") if name.startswith(begin)}
    if all(notes & set(loop.on_file(stamp)) for stamp in stamps):
        return None
    note = Outcome(StepStatus.PASSED, attempts=0, files=stamps)
    got = yield replace(loop.command, key=f"{begin}{len(notes) + 1}", conclusion=note)
    return None if got.status is StepStatus.PASSED else got


def _choice(wanted: Wanted, missing: Missing) -> dict[int, list[str]]:
    """The documents to send, by their places, each with the groups that it is for."""
    chosen: dict[int, list[str]] = {}
    for group in missing.groups:
        place = document_for(wanted, group)
        assert place is not None
        chosen.setdefault(place, []).append(group.id)
    return chosen


def _ask(loop: _Loop) -> Satisfying:
    rule = loop.rule
    outputs = {"state": rule.state, "missing": rule.missing, "reason": rule.reason}
    if rule.answer is not None:
        outputs["since"] = rule.answer.since
    step = _part(loop, rule.ask)
    # Once something was handed in, a pause is one in which it is looked at.
    pending = tuple(state for state in rule.pending if not (loop.answered and state in rule.asks_while))
    if rule.pending:
        waiting = Waiting((), rule.pending_deadline, every=rule.pending_every, at_most=rule.pending_at_most)
        step = replace(step, waiting=waiting)
    scope = {"with": loop.command.values}
    asking = Perform(
        step,
        values=_filled(rule.ask.values, scope),
        outputs={name: path for name, path in outputs.items() if path},
        pick=_pick(loop),
        pending=(rule.state, pending) if pending else None,
        is_old=_is_answered(loop) if rule.answer is not None else None,
        is_lenient=True,
        is_transient=True,
    )
    got = yield asking
    if not got.replayed:
        loop.spent.append(got)
    return got


def _is_answered(loop: _Loop) -> Callable[[Mapping[str, Any]], bool]:
    """Is there nothing to answer: no question, or still the one that was answered, so that nobody has looked yet?"""
    rule = loop.rule.answer
    assert rule is not None

    def is_answered(outputs: Mapping[str, Any]) -> bool:
        state, missing = str(outputs.get("state")), outputs.get("missing")
        if state in loop.rule.asks_while and not sections_of(rule, missing):
            return True
        if state in (*loop.rule.open, *loop.rule.asks_while):
            return mark_of(rule, missing, outputs.get("since")) in loop.answered
        return state in loop.rule.pending

    return is_answered


def _update(loop: _Loop, supply: Supply) -> Generator[Perform, Outcome, Outcome | None]:
    """The client's data, whole: what a replacement leaves out may be cleared."""
    own = {name: value for name, value in loop.command.values.items() if name in loop.fields}
    values = {**own, **_filled(supply.values, {"with": loop.command.values})}
    got = yield from _supplied(loop, supply, values, f"data-{fingerprint(supply.call, values)[:8]}")
    return None if got.status is StepStatus.PASSED else got


def _document(loop: _Loop, place: int, groups: Sequence[str]) -> Generator[Perform, Outcome, Outcome | None]:
    assert loop.rule.documents is not None
    rule, document = loop.rule.documents, loop.documents[place]
    kind = str(document["type"])
    scope = {"with": loop.command.values, "document": document, "again": kind in loop.sent or _was_sent(loop, kind)}
    values = _filled(rule.supply.values, scope)
    name = f"{kind}-{_mark(loop, document)}"
    got = yield from _supplied(loop, rule.supply, values, name, {"refused": rule.refused})
    if got.status is not StepStatus.PASSED:
        return got
    loop.sent |= {**dict.fromkeys(groups, place), kind: place}
    if not got.replayed:
        loop.new.add(place)
    _note_refusals(loop, got, place)
    return None


def _was_sent(loop: _Loop, kind: str) -> bool:
    """Did an earlier process send one of this kind? Then it is replaced."""
    begin = f"{loop.command.step.id}/{kind}-"
    marks = (name.removeprefix(begin).partition("#")[0] for name in loop.on_file("") if name.startswith(begin))
    return any(len(mark) == _MARK for mark in marks)


def _mark(loop: _Loop, document: Mapping[str, Any]) -> str:
    """A few characters for what this document is: another picture or another number makes another."""
    sides = {side: loop.stamp(str(document[side])) for side in ("front", "back") if document.get(side)}
    return fingerprint(str(document["type"]), {**document, "stamps": sides})[:_MARK]


def _submit(loop: _Loop, supply: Supply) -> Generator[Perform, Outcome, Outcome | None]:
    outputs = {"refused": loop.rule.documents.refused} if loop.rule.documents else {}
    got = yield from _supplied(loop, supply, _filled(supply.values, {"with": loop.command.values}), "submit", outputs)
    if got.status is not StepStatus.PASSED:
        return got
    _note_refusals(loop, got, None)
    return None


def _supplied(
    loop: _Loop, supply: Supply, values: Mapping[str, Any], name: str, outputs: Mapping[str, Any] | None = None
) -> Satisfying:
    """One call that supplies something, under a name that says what: asked for again, it gets a number."""
    loop.counts[name] += 1
    number = loop.counts[name]
    key = f"{loop.command.step.id}/{name}" + (f"#{number}" if number > 1 else "")
    # An upload that does not say what to call the file has nothing to answer with.
    is_lenient = loop.rule.answer is None
    got = yield Perform(_part(loop, supply), values=values, outputs=outputs or {}, key=key, is_lenient=is_lenient)
    loop.is_fresh = loop.is_fresh or not got.replayed
    loop.spent.append(got)
    return got


def _note_refusals(loop: _Loop, got: Outcome, place: int | None) -> None:
    """The provider's own list of what it turned down, with its words.

    It may call a document by its type, by the group it was for, or by a part of it: said in the answer to the document
    at `place`, it is then about that one. What was said in an earlier process was about what was sent then.
    """
    rule = loop.rule.documents
    items = got.outputs.get("refused")
    if rule is None or not isinstance(items, list):
        return
    for item in items:
        key = str(lookup(rule.refused_key, item)[1])
        reason = str(lookup(rule.refused_reason, item)[1] or "no reason given")
        about = loop.sent.get(key, None if key in loop.asked else place)
        if about is None and not got.replayed:
            # Sent by an earlier process.
            about = next((other for other, document in enumerate(loop.documents) if document["type"] == key), None)
        if about is None and not got.replayed:
            loop.wrong[key] = reason
        elif about is not None and not (got.replayed and about in loop.new):
            loop.refused.setdefault(about, reason)


def _passed(loop: _Loop) -> Satisfying:
    """Nothing is missing any more. Checks and outputs of the step look at what the provider shows now."""
    step = loop.command.step
    if not (step.expect or step.warn or step.outputs):
        return _summed(loop, Outcome(StepStatus.PASSED))
    scope = {"with": loop.command.values}
    values = _filled(loop.rule.ask.values, scope)
    last = replace(loop.command, step=replace(step, call=loop.rule.ask.call, rounds=0), values=values)
    got = yield replace(last, pick=_pick(loop), is_transient=True)
    loop.spent.append(got)
    return _summed(loop, got)


def _planned(loop: _Loop, missing: Unknown) -> Satisfying:
    """What may be supplied, for a plan: which of it is known only once the provider was asked."""
    after, rule = missing.after, loop.rule
    scope = {"with": loop.command.values, "again": False}
    if rule.data is not None:
        own = {name: value for name, value in loop.command.values.items() if name in loop.fields}
        yield Perform(_part(loop, rule.data), values={**own, **_filled(rule.data.values, scope)}, conditional=after)
    if rule.documents is not None:
        for document in loop.documents:
            values = _filled(rule.documents.supply.values, {**scope, "document": document})
            yield Perform(_part(loop, rule.documents.supply), values=values, conditional=after)
    if rule.answer is not None:
        given, upload = _filled(rule.answer.upload.values, scope), _part(loop, rule.answer.upload)
        for document in loop.documents:
            files = {side: document[side] for side in ("front", "back") if document.get(side)}
            yield Perform(upload, values={**given, **files}, conditional=after)
    if rule.submit is not None:
        yield Perform(_part(loop, rule.submit), values=_filled(rule.submit.values, scope))
    return Outcome(StepStatus.PASSED, outputs=dict.fromkeys(loop.command.outputs, missing))


# -- cost --------------------------------------------------------------------------------------------------------------


def _summed(loop: _Loop, last: Outcome) -> Outcome:
    """The last word, with what all the calls of the loop cost."""
    rest = [one for one in loop.spent if one is not last]
    calls = [one for one in loop.spent if one.attempts]
    return replace(
        last,
        attempts=max(1, len(calls)),
        requests=last.requests + sum(one.requests for one in rest),
        duration_ms=last.duration_ms + sum(one.duration_ms for one in rest),
        adopted=any(one.adopted for one in loop.spent),
    )


# -- parts -------------------------------------------------------------------------------------------------------------


def _part(loop: _Loop, supply: Supply) -> Step:
    """The step as one of its calls: same place and name, none of its checks."""
    return replace(loop.command.step, call=supply.call, rounds=0, expect=(), warn=(), outputs={}, values={})


def _wanted(loop: _Loop) -> Wanted:
    return Wanted(loop.rule, loop.command.values, loop.documents, loop.fields, loop.refused, loop.wrong)


def _pick(loop: _Loop) -> Pick | None:
    where = {name: render(text, {"with": loop.command.values}) for name, text in loop.rule.where.items()}
    return Pick(where) if where else None


def _filled(values: Mapping[str, Any], scope: Mapping[str, Any]) -> Mapping[str, Any]:
    rendered = render(values, scope)
    return rendered if isinstance(rendered, Mapping) else {}
