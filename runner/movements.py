"""What a money call moves, and which caps it counts against. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from runner.journal.base import Hold
from runner.model.money import Money
from runner.model.outcome import Moved
from runner.model.plan import Client, Setting
from runner.model.playbook import Cap, Step
from runner.model.problem import Problem
from runner.model.provider import Operation
from runner.money import parse_amount


@dataclass(frozen=True, slots=True)
class Pledge:
    """What an earlier call of the same client promised: the values it was asked with, and the money.

    `moves` is a Problem when the promise is not what the row asks for any more. `owes` is what it has not reserved of
    the caps: all of it, where another run made the promise.
    """

    values: Mapping[str, Any]
    moves: Moved | Problem
    owes: tuple[Hold, ...] = ()


def moved_of(operation: Operation, values: Mapping[str, Any], pledge: Pledge | None = None) -> Moved | Problem | None:
    """What this call moves or promises: None when it is not a money call, a Problem when the amount is no amount."""
    rule = operation.money
    if rule is None:
        return None
    if rule.pledge:
        return pledge.moves if pledge else _no_pledge(operation, str(values.get(rule.pledge)))
    asset = rule.fixed_asset or str(values.get(rule.asset, ""))
    given = values.get(rule.amount)
    if rule.places and isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return Moved(rule.kind, Money(Decimal(given).scaleb(-rule.places), asset))
    try:
        return Moved(rule.kind, Money(parse_amount(given, rule.places or None), asset))
    except ValueError as error:
        return Problem("money.amount", str(error), hint='amounts are quoted decimal text such as "1000.00"')


def _no_pledge(operation: Operation, name: str) -> Problem:
    message = f'no step of this client before {operation.name} promised "{name}", so nobody knows how much it moves'
    return Problem("money.no-pledge", message, hint="create the transfer in an earlier step of the same playbook")


def still_missing(
    held: Moved | None, moved: Moved | None, holds: Callable[[Moved | None], Sequence[Hold]]
) -> Sequence[Hold]:
    """What must be reserved on top of what is: all of it, the difference when the row was changed, or nothing."""
    if held is None or moved is None:
        return holds(moved)
    if held.money.asset != moved.money.asset:
        return [*(replace(hold, amount=-hold.amount) for hold in holds(held)), *holds(moved)]
    more = moved.money - held.money
    return holds(replace(moved, money=more)) if more.amount else ()


def holds_of(run: int, setting: Setting, client: Client, step: Step, moved: Moved | None) -> tuple[Hold, ...]:
    """The parts of caps that this movement needs: of the client, of the run, and of the step where it has its own."""
    if moved is None:
        return ()
    money = moved.money
    whole = f"run:{run}"
    person = f"{whole}:client:{client.key}"
    cap = setting.caps.get(money.asset, Cap())
    holds = [
        Hold(person, money.asset, money.amount, cap.per_client),
        Hold(whole, money.asset, money.amount, cap.per_run),
    ]
    return (*holds, *step_holds_of(run, client, step, moved))


def step_holds_of(run: int, client: Client, step: Step, moved: Moved) -> tuple[Hold, ...]:
    """The part of the caps that a step has of its own."""
    money = moved.money
    own = step.caps.get(money.asset)
    if own is None:
        return ()
    scope = f":step:{step.id}"
    return (
        Hold(f"run:{run}:client:{client.key}{scope}", money.asset, money.amount, own.per_client),
        Hold(f"run:{run}{scope}", money.asset, money.amount, own.per_run),
    )
