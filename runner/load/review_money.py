"""Money in the text: amounts are quoted, and an asset that moves has a cap when others have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from runner.load.loops import chain_of, written
from runner.load.reviewed import Review, Where
from runner.model.problem import Problem
from runner.model.provider import MoneyRule
from runner.nearest import did_you_mean
from runner.templates import has_template


def money_problems(review: Review) -> Iterator[Problem]:
    for number, entry in enumerate(review.items("funding")):
        for where, value in _numbers(entry, ("funding", number)):
            yield _unquoted(review, where, value)
    told: set[Where] = set()
    for where, step in review.steps():
        operation = review.operation(step)
        values = step.get("with")
        if operation is None or operation.money is None or operation.money.pledge or not isinstance(values, Mapping):
            continue
        for problem_at, problem in _of_step(review, (*where, "with"), step, operation.money, values):
            if problem_at not in told:
                yield problem
            told.add(problem_at)


def _of_step(
    review: Review, where: Where, step: Mapping[str, Any], rule: MoneyRule, values: Mapping[str, Any]
) -> Iterator[tuple[Where, Problem]]:
    amount = values.get(rule.amount)
    if not rule.places:
        if _is_number(amount):
            yield (*where, rule.amount), _unquoted(review, (*where, rule.amount), amount)
        yield from _typed_elsewhere(review, (*where, rule.amount), amount)
    asset = rule.fixed_asset or values.get(rule.asset)
    assets = [((*where, rule.asset), asset), *written(review, step, asset)]
    for place, found in assets:
        if isinstance(found, str) and not has_template(found):
            for limits in (review.mapping("limits"), step.get("limits")):
                money = limits.get("money") if isinstance(limits, Mapping) else None
                if isinstance(money, Mapping) and money and found not in money:
                    named = ", ".join(money)
                    message = f'"{found}" moves but has no cap, while limits.money names {named}'
                    hint = did_you_mean(found, money) or f"add limits.money.{found}"
                    yield place, review.tell("money.no-cap", message, place, hint)


def _typed_elsewhere(review: Review, where: Where, amount: Any) -> Iterator[tuple[Where, Problem]]:
    """An input or an inline client that gives the amount as a number."""
    names = chain_of(amount) if isinstance(amount, str) and has_template(amount) else ()
    if len(names) != 2:
        return
    root, name = names
    if root == "inputs":
        rule = review.mapping("inputs").get(str(name))
        if isinstance(rule, Mapping) and rule.get("type") in ("integer", "number"):
            message = f'amount "{where[-1]}" comes from input "{name}", which is a number'
            at: Where = ("inputs", str(name), "type")
            yield at, review.tell("money.unquoted", message, at, 'write "type: string" and quote the default')
    elif root == "client":
        items = review.mapping("clients").get("items")
        for number, item in enumerate(items if isinstance(items, list) else ()):
            value = item.get(name) if isinstance(item, Mapping) else None
            if _is_number(value):
                place: Where = ("clients", "items", number, str(name))
                yield place, _unquoted(review, place, value)


def _numbers(value: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    if _is_number(value):
        yield where, value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _numbers(entry, (*where, name))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _numbers(entry, (*where, number))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _unquoted(review: Review, where: Where, value: Any) -> Problem:
    name = next(step for step in reversed(where) if isinstance(step, str))
    return review.tell("money.unquoted", f'amount "{name}" is not quoted', where, f'quote it: "{value}"')
