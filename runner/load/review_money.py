"""Money in the text: amounts are quoted, and an asset that moves has a cap when others have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from runner.load.reviewed import Review, Where
from runner.model.problem import Problem
from runner.templates import has_template


def money_problems(review: Review) -> Iterator[Problem]:
    for number, entry in enumerate(review.items("funding")):
        if isinstance(entry, Mapping):
            for name, value in entry.items():
                if _is_number(value):
                    yield _unquoted(review, ("funding", number, name), value)
    for where, step in review.steps():
        operation = review.operation(step)
        values = step.get("with")
        if operation is None or operation.money is None or not isinstance(values, Mapping):
            continue
        amount = values.get(operation.money.amount)
        if _is_number(amount) and not operation.money.places:
            yield _unquoted(review, (*where, "with", operation.money.amount), amount)
        yield from _uncapped(
            review,
            (*where, "with"),
            operation.money.fixed_asset or values.get(operation.money.asset),
            operation.money.asset,
        )


def _uncapped(review: Review, where: Where, asset: Any, field: str) -> Iterator[Problem]:
    limits = review.mapping("limits").get("money")
    if not isinstance(limits, Mapping) or not limits or not isinstance(asset, str) or has_template(asset):
        return
    if asset not in limits:
        message = f'"{asset}" moves but has no cap, while limits.money names {", ".join(limits)}'
        yield review.tell("money.no-cap", message, (*where, field), f"add limits.money.{asset}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _unquoted(review: Review, where: Where, value: Any) -> Problem:
    name = where[-1]
    return review.tell("money.unquoted", f'amount "{name}" is not quoted', where, f'quote it: "{value}"')
