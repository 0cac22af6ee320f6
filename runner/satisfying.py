"""The requirement loop: ask what is missing, supply it, ask again. Pure; the recipe is the pack's `requirements`.

A generator of commands like the conductor's own. What is asked is asked anew whenever somebody goes on; what was
supplied is written down under the name of what it was (`verify/passport`), so that nothing is supplied twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.checks import lookup
from runner.model.command import Perform, Pick
from runner.model.outcome import Ending, Outcome, StepStatus
from runner.model.playbook import Step, Waiting
from runner.model.problem import Problem
from runner.model.provider import Requirements, Supply
from runner.references import fingerprint
from runner.shortage import Lack, Missing, Wanted, document_for, lacks_of, missing_of, shortage_problem
from runner.templates import Unknown, render

Satisfying = Generator[Perform, Outcome, Outcome]

# However often a provider asks for the same again: a replay of everything that was ever supplied stays below this.
_MOST_TURNS = 200


@dataclass(slots=True)
class _Loop:
    """One client's loop. `refused` says why a document of the client (by its place) was turned down."""

    command: Perform
    rule: Requirements
    documents: Sequence[Mapping[str, Any]]
    fields: frozenset[str]
    refused: dict[int, str] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    spent: list[Outcome] = field(default_factory=list)
    is_fresh: bool = False


def satisfy(
    command: Perform, rule: Requirements, documents: Sequence[Mapping[str, Any]], fields: frozenset[str]
) -> Satisfying:
    """One outcome for the whole loop. `fields` are what the data call can carry."""
    loop = _Loop(command, rule, documents, fields)
    rounds = 0
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
            return _summed(loop, _dead(loop, state, seen.outputs.get("reason")))
        if state not in rule.open:
            return _summed(loop, _unknown_state(loop, state))
        if rounds >= command.step.rounds:
            return _summed(loop, _out_of_rounds(loop, seen.outputs["missing"]))
        stop = yield from _round(loop, missing_of(rule, seen.outputs["missing"]))
        if stop is not None:
            return _summed(loop, stop)
        rounds += loop.is_fresh
    return _summed(loop, _out_of_rounds(loop, {}))


def _round(loop: _Loop, missing: Missing) -> Generator[Perform, Outcome, Outcome | None]:
    """Supply everything that is missing, or say what can't be: then nothing at all is sent."""
    loop.is_fresh = False
    wanted = Wanted(loop.rule, loop.command.values, loop.documents, loop.fields, loop.refused)
    lacks = lacks_of(wanted, missing)
    if lacks:
        return _blocked(loop, lacks)
    if missing.fields:
        assert loop.rule.data is not None
        stop = yield from _update(loop, loop.rule.data)
        if stop is not None:
            return stop
    for place in dict.fromkeys(document_for(wanted, group) for group in missing.groups):
        assert place is not None
        stop = yield from _document(loop, place)
        if stop is not None:
            return stop
    if missing.is_empty and loop.rule.submit is not None:
        return (yield from _submit(loop, loop.rule.submit))
    return None


def _ask(loop: _Loop) -> Satisfying:
    rule = loop.rule
    outputs = {"state": rule.state, "missing": rule.missing, "reason": rule.reason}
    step = _part(loop, rule.ask)
    if rule.pending:
        step = replace(step, waiting=Waiting((), rule.pending_deadline, every=rule.pending_every))
    scope = {"with": loop.command.values}
    asking = Perform(
        step,
        values=_filled(rule.ask.values, scope),
        outputs={name: path for name, path in outputs.items() if path},
        pick=_pick(loop),
        pending=(rule.state, rule.pending) if rule.pending else None,
        is_lenient=True,
        is_transient=True,
    )
    got = yield asking
    if not got.replayed:
        loop.spent.append(got)
    return got


def _update(loop: _Loop, supply: Supply) -> Generator[Perform, Outcome, Outcome | None]:
    """The client's data, whole: what a replacement leaves out may be cleared."""
    own = {name: value for name, value in loop.command.values.items() if name in loop.fields}
    values = {**own, **_filled(supply.values, {"with": loop.command.values})}
    got = yield from _supplied(loop, supply, values, f"data-{fingerprint(supply.call, values)[:8]}")
    return None if got.status is StepStatus.PASSED else got


def _document(loop: _Loop, place: int) -> Generator[Perform, Outcome, Outcome | None]:
    assert loop.rule.documents is not None
    rule, document = loop.rule.documents, loop.documents[place]
    kind = str(document["type"])
    scope = {"with": loop.command.values, "document": document, "again": kind in loop.sent}
    values = _filled(rule.supply.values, scope)
    got = yield from _supplied(loop, rule.supply, values, f"{kind}-{place + 1}", {"refused": rule.refused})
    if got.status is not StepStatus.PASSED:
        return got
    loop.sent.add(kind)
    _note_refusals(loop, got)
    return None


def _submit(loop: _Loop, supply: Supply) -> Generator[Perform, Outcome, Outcome | None]:
    outputs = {"refused": loop.rule.documents.refused} if loop.rule.documents else {}
    got = yield from _supplied(loop, supply, _filled(supply.values, {"with": loop.command.values}), "submit", outputs)
    if got.status is not StepStatus.PASSED:
        return got
    _note_refusals(loop, got)
    return None


def _supplied(
    loop: _Loop, supply: Supply, values: Mapping[str, Any], name: str, outputs: Mapping[str, Any] | None = None
) -> Satisfying:
    """One call that supplies something, under a name that says what: asked for again, it gets a number."""
    loop.counts[name] += 1
    number = loop.counts[name]
    key = f"{loop.command.step.id}/{name}" + (f"#{number}" if number > 1 else "")
    got = yield Perform(_part(loop, supply), values=values, outputs=outputs or {}, key=key, is_lenient=True)
    loop.is_fresh = loop.is_fresh or not got.replayed
    loop.spent.append(got)
    return got


def _note_refusals(loop: _Loop, got: Outcome) -> None:
    """The provider's own list of what it turned down, with its words."""
    rule = loop.rule.documents
    items = got.outputs.get("refused")
    if rule is None or not isinstance(items, list):
        return
    for item in items:
        key, reason = lookup(rule.refused_key, item)[1], lookup(rule.refused_reason, item)[1]
        for place, document in enumerate(loop.documents):
            if document["type"] == key and str(key) in loop.sent:
                loop.refused.setdefault(place, str(reason or "no reason given"))


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
    if rule.submit is not None:
        yield Perform(_part(loop, rule.submit), values=_filled(rule.submit.values, scope))
    return Outcome(StepStatus.PASSED, outputs=dict.fromkeys(loop.command.outputs, missing))


# -- ends --------------------------------------------------------------------------------------------------------------


def _blocked(loop: _Loop, lacks: Sequence[Lack]) -> Outcome:
    problem = shortage_problem(loop.command.name, loop.command.step.location, loop.documents, lacks)
    return Outcome(StepStatus.FAILED, Ending.BLOCKED, problem=problem)


def _out_of_rounds(loop: _Loop, missing: Any) -> Outcome:
    wanted = Wanted(loop.rule, loop.command.values, loop.documents, loop.fields, loop.refused)
    still = missing_of(loop.rule, missing)
    lacks = [*lacks_of(wanted, still), *(Lack("document", group.id, group.types) for group in still.groups)]
    lacks += [Lack("data", name) for name in still.fields]
    told = shortage_problem(loop.command.name, loop.command.step.location, loop.documents, lacks)
    message = f"{told.message}, after {loop.command.step.rounds} rounds"
    return Outcome(StepStatus.FAILED, Ending.BLOCKED, problem=replace(told, code="satisfy.rounds", message=message))


def _dead(loop: _Loop, state: str, reason: object) -> Outcome:
    said = f'; provider said: "{reason}"' if reason else ""
    message = f'"{loop.command.name}" ended: the provider\'s state is "{state}"{said}'
    hint = "the provider's verdict is final for this attempt; find out why before you try again"
    problem = Problem("satisfy.refused", message, loop.command.step.location, hint)
    return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem)


def _unknown_state(loop: _Loop, state: str) -> Outcome:
    message = f'"{loop.command.name}" met the state "{state}", which the pack does not know'
    hint = "add it to requirements of the provider pack, as open, done, dead or pending"
    problem = Problem("satisfy.unknown-state", message, loop.command.step.location, hint)
    return Outcome(StepStatus.FAILED, Ending.BLOCKED, problem=problem)


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


def _pick(loop: _Loop) -> Pick | None:
    where = {name: render(text, {"with": loop.command.values}) for name, text in loop.rule.where.items()}
    return Pick(where) if where else None


def _filled(values: Mapping[str, Any], scope: Mapping[str, Any]) -> Mapping[str, Any]:
    rendered = render(values, scope)
    return rendered if isinstance(rendered, Mapping) else {}
