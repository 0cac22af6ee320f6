"""How a requirement loop ends when it can't go on: each end as an outcome that says why. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.model.command import Perform
from runner.model.outcome import Ending, Outcome, StepStatus
from runner.model.problem import Problem
from runner.shortage import Lack, Missing, Wanted, lacks_of, shortage_problem


def blocked(command: Perform, documents: Sequence[Mapping[str, Any]], lacks: Sequence[Lack]) -> Outcome:
    return _blocked(shortage_problem(command.name, command.step.location, documents, lacks))


def out_of_rounds(command: Perform, wanted: Wanted, still: Missing) -> Outcome:
    lacks = [*lacks_of(wanted, still), *(Lack("document", group.id, group.types) for group in still.groups)]
    lacks += [Lack("data", name) for name in still.fields]
    told = shortage_problem(command.name, command.step.location, wanted.documents, lacks)
    rounds = command.step.rounds
    after = f"after {rounds} round{'s' if rounds > 1 else ''}"
    message = f"{told.message}, {after}"
    if not lacks:
        why = "the provider neither takes what was handed in nor says what is missing"
        message = f'"{command.name}" can\'t be satisfied: {why}, {after}'
    return _blocked(replace(told, code="satisfy.rounds", message=message))


def asks_nothing(command: Perform, reason: object) -> Outcome:
    why = f"the provider waits for something and does not say for what{_said(reason)}"
    hint = 'ask the provider, hand it in there, then "onboard resume"'
    message = f'"{command.name}" can\'t be satisfied: {why}'
    return _blocked(Problem("satisfy.blocked", message, command.step.location, hint))


def dead(command: Perform, state: str, reason: object) -> Outcome:
    message = f'"{command.name}" ended: the provider\'s state is "{state}"{_said(reason)}'
    hint = "the provider's verdict is final for this attempt; find out why before you try again"
    problem = Problem("satisfy.refused", message, command.step.location, hint)
    return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem)


def unknown_state(command: Perform, state: str) -> Outcome:
    message = f'"{command.name}" met the state "{state}", which the pack does not know'
    hint = "add it to requirements of the provider pack, as open, done, dead or pending"
    return _blocked(Problem("satisfy.unknown-state", message, command.step.location, hint))


def _blocked(problem: Problem) -> Outcome:
    return Outcome(StepStatus.FAILED, Ending.BLOCKED, problem=problem)


def _said(reason: object) -> str:
    """The provider's own words, which may be more than a text."""
    if not reason:
        return ""
    return f"; provider said: {json.dumps(reason, ensure_ascii=False, default=str)}"
