"""Compare what we believe moved with what the provider shows, both ways. Pure: lists in, differences out.

Five points: the reference is ours, the status is final and good, the amount by kind is what we asked for, nothing of
theirs is unknown to us, nothing of ours is unknown to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from runner.checks import lookup
from runner.model.outcome import Moved
from runner.model.provider import ReconcileRule


@dataclass(frozen=True, slots=True)
class Ours:
    """One money call as our journal has it. `state`: `moved`, `not-moved` or `unknown`; `moves`: what was asked for.

    `client` is our key, `owner` what names the same client at the provider.
    """

    reference: str
    client: str
    owner: str
    step: str
    state: str
    moves: Moved | None


@dataclass(frozen=True, slots=True)
class Theirs:
    """One order as the provider shows it. `amount` None when it is not a number."""

    reference: str
    client: str
    status: str
    kind: str
    amount: Decimal | None
    asset: str
    id: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree: `what` is a fixed word, `ours` and `theirs` are told to a person."""

    what: str
    reference: str
    client: str
    ours: str
    theirs: str
    hint: str

    def to_json(self) -> dict[str, str]:
        names = ("what", "reference", "client", "ours", "theirs", "hint")
        return {name: getattr(self, name) for name in names}


def read_theirs(rule: ReconcileRule, item: Mapping[str, Any]) -> Theirs:
    """An order of the provider in our words; a kind that the rule does not know keeps the provider's."""
    said = str(lookup(rule.kind, item)[1])
    kind = next((name for name, entry in rule.kinds.items() if entry.word == said), said)
    amounts = rule.kinds.get(kind)
    amount = lookup(amounts.amount, item)[1] if amounts else None
    asset = lookup(amounts.asset, item)[1] if amounts else None
    return Theirs(
        reference=_text(lookup(rule.reference, item)[1]),
        client=_text(lookup(rule.client, item)[1]),
        status=_text(lookup(rule.status, item)[1]),
        kind=kind,
        amount=_decimal(amount),
        asset=_text(asset),
        id=_text(lookup(rule.id, item)[1]),
    )


def compare(
    rule: ReconcileRule, ours: Sequence[Ours], theirs: Sequence[Theirs], known: Collection[str] = ()
) -> Iterator[Difference]:
    """Every difference, ours first. `known` are references that our journal has besides: theirs, but no strangers."""
    by_reference: dict[str, list[Theirs]] = {}
    for order in theirs:
        by_reference.setdefault(order.reference, []).append(order)
    for entry in ours:
        yield from _check(rule, entry, by_reference.get(entry.reference, []))
    mine = {entry.reference for entry in ours} | set(known)
    for order in theirs:
        if order.reference not in mine:
            hint = "find out who made it; another system, or another state folder"
            yield Difference("not-ours", order.reference, order.client, "nothing", _shown(order), hint)


def _check(rule: ReconcileRule, ours: Ours, theirs: Sequence[Theirs]) -> Iterator[Difference]:
    def differs(what: str, shown: str, hint: str) -> Difference:
        return Difference(
            what,
            ours.reference,
            ours.client,
            f"{ours.state} {ours.moves.money if ours.moves else ''}".strip(),
            shown,
            hint,
        )

    good = [order for order in theirs if order.status in rule.good]
    if not good and ours.state == "moved":
        if theirs:
            yield differs("status", _shown(theirs[0]), "ask the provider; our journal has it as moved")
        else:
            yield differs("not-theirs", "nothing", "look it up by its reference; ask the provider")
    if ours.state == "unknown":
        yield differs("unsettled", _shown(good[0]) if good else "nothing", 'run "onboard recover"')
    if good and ours.state == "not-moved":
        yield differs("unexpected", _shown(good[0]), "we have it as not moved: correct the books, tell the provider")
    if len(good) > 1:
        yield differs(
            "doubled",
            f"{len(good)} orders: {', '.join(order.id for order in good)}",
            "one payment too many: call the provider",
        )
    for order in good[:1]:
        if ours.moves and ours.state != "not-moved":
            yield from _same(ours, ours.moves, order, differs)


def _same(ours: Ours, moves: Moved, order: Theirs, differs: Any) -> Iterator[Difference]:
    if order.kind != moves.kind:
        yield differs("kind", _shown(order), "a deposit is not a withdrawal: call the provider")
    elif order.amount != moves.money.amount:
        yield differs("amount", _shown(order), "the provider moved another amount: call the provider")
    elif order.asset != moves.money.asset:
        yield differs("asset", _shown(order), "the provider moved another asset: call the provider")
    if order.client and order.client != ours.owner:
        yield differs("client", f"client {order.client}", "it went to somebody else: call the provider")


def _shown(order: Theirs) -> str:
    amount = f"{order.amount:f} {order.asset}" if order.amount is not None else "no amount"
    return f"{order.kind} {order.status} {amount} (id {order.id})"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None
