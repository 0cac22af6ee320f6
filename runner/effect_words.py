"""What is said of a create or money call that did not simply pass. Words only."""

from __future__ import annotations

from runner.journal.base import CapExceeded
from runner.model.command import Perform
from runner.model.problem import Problem


def changed(command: Perform) -> Problem:
    message = f'"{command.name}" was begun with other values; the same reference can\'t carry two bodies'
    return Problem(
        "effect.changed", message, command.step.location, "restore the row, or name a new payment with --batch"
    )


def changed_since(command: Perform, run: int) -> Problem:
    message = f'run {run} began "{command.name}" with other values and does not know how that ended'
    hint = f'settle it first: "onboard resume {run}"; or name a new payment with --batch'
    return Problem("effect.changed", message, command.step.location, hint)


def gave_up(command: Perform, attempts: int) -> Problem:
    message = f'"{command.name}" did not happen after {attempts} attempts'
    return Problem("effect.gave-up", message, command.step.location, 'nothing was applied; run "onboard resume"')


def halted(command: Perform) -> Problem:
    message = f'"{command.name}" was not sent: money is halted'
    hint = 'run "onboard halt --off", then "onboard resume"'
    return Problem("run.halted", message, command.step.location, hint)


def in_flight(command: Perform) -> Problem:
    message = f'"{command.name}" may still arrive at the provider; it is looked up again before anything is sent'
    return Problem("effect.in-flight", message, command.step.location, 'run "onboard resume" later')


def over_cap(command: Perform, refusal: CapExceeded) -> Problem:
    hold = refusal.hold
    whose = "this client" if ":client:" in hold.scope else "the run"
    moves = f'"{command.name}" would move {hold.amount:f} {hold.asset} on top of {refusal.used:f}'
    message = f"{moves}: more than the cap of {hold.limit:f} for {whose}"
    hint = "raise limits.money in the playbook, or --cap, after a second look"
    return Problem("money.cap", message, command.step.location, hint)


def unknown(command: Perform, reference: str, why: Problem | None) -> Problem:
    name = f" ({reference})" if reference else ""
    because = f": {why.message}" if why else ""
    message = f'"{command.name}"{name} may or may not have happened, and looking it up did not tell{because}'
    hint = 'run "onboard recover"; nothing is sent again before that'
    return Problem("effect.unknown", message, command.step.location, hint)
