"""Read a look-up: is what we may have made there, is it ours, is it alive? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.answers import FAULTS, Reading, dead_problem, is_absent
from runner.checks import Answer, equal, lookup
from runner.effects import Reply, Sight
from runner.judging import placed
from runner.model.check import Path
from runner.model.command import Perform
from runner.model.outcome import Fault
from runner.model.problem import Problem
from runner.model.provider import LookUp, Operation, Provider
from runner.redact import Redactor
from runner.templates import render


@dataclass(frozen=True, slots=True)
class Seen:
    """One look-up: what it shows, the answer it showed, and the provider's own id of the thing.

    `fault` says why a failed look-up failed, None when the provider refused it for the client's own data. `is_guess`:
    it goes by amount and time, not by a name of ours. `is_sure`: it is there, and what was asked for has not happened.
    """

    sight: Sight
    answer: Answer = field(default_factory=lambda: Answer(None))
    claim: str = ""
    problem: Problem | None = None
    fault: Fault | None = None
    is_guess: bool = False
    is_sure: bool = False


def see(
    provider: Provider,
    command: Perform,
    operation: Operation,
    rule: LookUp,
    scope: Mapping[str, Any],
    reading: Reading,
    taken: frozenset[str],
    redactor: Redactor,
    ours: frozenset[str] = frozenset(),
) -> Seen:
    """What this reading of `rule` shows. Things that others hold (`taken`) don't count; `ours` a person has told."""
    is_guess = False
    if is_absent(reading):
        return Seen(Sight.ABSENT)
    if reading.reply not in (Reply.ACCEPTED, Reply.DEAD):
        problem = placed(reading.problem, command, redactor)
        return Seen(Sight.FAILED, problem=problem, fault=FAULTS.get(reading.reply))
    body = reading.answer.body
    if rule.items or rule.is_list:
        items = lookup(rule.items, body)[1] if rule.items else body
        if not isinstance(items, list):
            return _unreadable(provider, command, rule)
        free = [item for item in items if not rule.claim or _id(rule, item) not in taken]
        body, is_guess = _pick(rule, scope, free, ours)
        if body is None:
            return _undecided(provider, command, rule, scope, free)
    if rule.named and isinstance(body, Mapping):
        named = {name: lookup(path, body) for name, path in rule.named.items()}
        body = {**body, **{name: value for name, (is_there, value) in named.items() if is_there}}
    if not _is_one(rule, body):
        return _unreadable(provider, command, rule)
    if rule.there and not render(rule.there, {**scope, "it": body}):
        return Seen(Sight.ABSENT, is_sure=True)
    answer = Answer(body, reading.answer.http, reading.answer.headers)
    claim = claim_of(operation, body)
    lifecycle = provider.lifecycles.get(operation.lifecycle)
    state = lookup(operation.state, body)[1] if operation.state else None
    # A dead order moved nothing, whatever it was for: it stands in nobody's way.
    if lifecycle and state in lifecycle.dead:
        problem = dead_problem(provider, operation, str(state), body)
        return Seen(Sight.DEAD, answer, claim, placed(problem, command, redactor))
    if operation.effect == "money" and claim and claim in taken:
        message = f"{provider.title} has one payment under this reference, and another step of this client made it"
        hint = "give each payment a reference of its own, or leave it out"
        return Seen(Sight.DIFFERENT, answer, claim, Problem("effect.conflict", message, command.step.location, hint))
    differing = differences(rule, scope, body)
    if differing:
        names = ", ".join(f'"{name}"' for name in differing)
        message = f"{provider.title} already has one under this name, but with another {names}"
        hint = (
            "correct the row, or name a new payment with --batch"
            if operation.effect == "money"
            else "correct the row or use another key"
        )
        return Seen(
            Sight.DIFFERENT,
            answer,
            claim,
            Problem("effect.conflict", message, command.step.location, hint),
        )
    return Seen(Sight.EQUAL, answer, claim, is_guess=is_guess)


def claim_of(operation: Operation, body: Any) -> str:
    """The provider's own id of what was made or found, as text."""
    if operation.look_up is None or not operation.look_up.claim:
        return ""
    found, value = lookup(operation.look_up.claim, body)
    return str(value) if found and value is not None else ""


def differences(rule: LookUp, scope: Mapping[str, Any], body: Any) -> list[str]:
    """Names of the fields that are there but not as asked. Amounts compare as decimals, names as they are."""
    names: list[str] = []
    for name, text in rule.equal.items():
        found, actual = lookup((name,), body)
        wanted = render(text, scope)
        if found and not _is_same(rule, name, actual, wanted):
            names.append(name)
    return names


def _is_one(rule: LookUp, body: Any) -> bool:
    """Is this the thing at all? An answer without any field that we asked for shows nothing, for or against."""
    if not isinstance(body, Mapping):
        return False
    paths: list[Path] = [(name,) for name in rule.equal] or ([rule.claim] if rule.claim else [])
    return not paths or any(lookup(path, body)[0] for path in paths)


def _unreadable(provider: Provider, command: Perform, rule: LookUp) -> Seen:
    message = f"{provider.title} answered {rule.call} without what was looked up"
    hint = "nothing is sent again before it can be seen; ask the provider whether its answers have changed"
    problem = Problem("effect.unreadable", message, command.step.location, hint)
    return Seen(Sight.FAILED, problem=problem, fault=Fault.UNREACHABLE)


def _pick(rule: LookUp, scope: Mapping[str, Any], free: list[Any], ours: frozenset[str]) -> tuple[Any, bool]:
    """The first of the list that fits, and whether that is a guess; of several, one that is what was asked for."""
    wanted = {name: render(text, scope) for name, text in rule.where.items()}
    fitting = [
        item for item in free if all(_is_same(rule, name, lookup((name,), item)[1], wanted[name]) for name in wanted)
    ]
    fitting = fitting or [item for item in _that(rule.maybe, scope, free) if _id(rule, item) in ours]
    is_guess = not fitting
    for text in rule.or_else:
        fitting = fitting or _that(text, scope, free)
    is_there = (item for item in fitting if not rule.there or render(rule.there, {**scope, "it": item}))
    return next(is_there, fitting[0] if fitting else None), is_guess


def _that(text: str, scope: Mapping[str, Any], items: list[Any]) -> list[Any]:
    return [item for item in items if render(text, {**scope, "it": item})] if text else []


def _undecided(provider: Provider, command: Perform, rule: LookUp, scope: Mapping[str, Any], free: list[Any]) -> Seen:
    """Nothing that is ours. Is there something that may be?"""
    found = _that(rule.maybe, scope, free)
    if not found:
        return Seen(Sight.ABSENT)
    name = _id(rule, found[0])
    shows = f"{provider.title} shows {name}, which fits and has no name of ours"
    message = f'"{command.name}" may have happened before: {shows}'
    hint = f'look at it there; then "onboard recover --ours {name}" if it is this one, "--not-ours {name}" if it is not'
    problem = Problem("effect.undecided", message, command.step.location, hint)
    return Seen(Sight.UNSURE, claim=name, problem=problem, is_guess=True)


def _id(rule: LookUp, item: Any) -> str:
    """The provider's own id of what is found, as text."""
    return str(lookup(rule.named.get(str(rule.claim[0]), rule.claim), item)[1])


def _is_same(rule: LookUp, name: str, actual: Any, wanted: Any) -> bool:
    if name in rule.fold_case and isinstance(actual, str) and isinstance(wanted, str):
        return actual.casefold() == wanted.casefold()
    return equal(actual, wanted)
