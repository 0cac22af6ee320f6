"""A provider as a pure model: its book, when an entry shows, and what becomes of each request on its way.

It judges nobody. `twice` tells which effect was applied while the one before it stood: the one thing that must not be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import unquote

from stand_ins import DROPPED, PACK, REFUSED, TIMED_OUT, Reply, answer, error, text_answer

from runner.model.http import Request, Response

DEAD = ("failed", "rejected")
# What the pack promises: a request that left is carried out, and shows, within this many seconds.
TIMEOUT, SETTLE = PACK.timeout, 60.0
PROMISED = TIMEOUT + SETTLE
HORIZON = PACK.send_window + PROMISED
# As late as the promise allows.
JUST_IN_TIME = PROMISED - 0.5

Effect = tuple[str, ...]


class Time(Protocol):
    """The one clock that nobody can set: it counts from the beginning of the world."""

    true: float


class Way(StrEnum):
    """What happens to one request, or to its answer."""

    FINE = "fine"
    SLOW = "slow"
    NOT_CONNECTED = "not connected"
    DROPPED_BEFORE = "dropped before"
    DROPPED_AFTER = "dropped after"
    TIMEOUT_BEFORE = "timed out before"
    TIMEOUT_AFTER = "timed out after"
    LATE = "carried out late"
    FAILED_BEFORE = "502 before"
    FAILED_AFTER = "500 after"
    FAILED_LATE = "504, carried out late"
    THROTTLED = "429"
    DENIED = "401"
    CUT_BEFORE = "a page in between"
    CUT_AFTER = "answer cut short"


HAPPENS = frozenset({Way.FINE, Way.SLOW, Way.DROPPED_AFTER, Way.TIMEOUT_AFTER, Way.FAILED_AFTER, Way.CUT_AFTER})
HAPPENS_LATE = frozenset({Way.LATE, Way.FAILED_LATE})
TIMES_OUT = frozenset({Way.TIMEOUT_BEFORE, Way.TIMEOUT_AFTER, Way.LATE})
_INSTEAD: dict[Way, Reply] = {
    Way.NOT_CONNECTED: REFUSED,
    Way.DROPPED_BEFORE: DROPPED,
    Way.DROPPED_AFTER: DROPPED,
    Way.TIMEOUT_BEFORE: TIMED_OUT,
    Way.TIMEOUT_AFTER: TIMED_OUT,
    Way.LATE: TIMED_OUT,
    Way.FAILED_BEFORE: text_answer(502),
    Way.FAILED_AFTER: error(1, 500, "internal error"),
    Way.FAILED_LATE: text_answer(504, "<html>Gateway Timeout</html>"),
    Way.THROTTLED: answer(429, {}, retry_after="7"),
    Way.DENIED: answer(401, {"code": 0, "msg": "bad signature"}),
    Way.CUT_BEFORE: text_answer(200, "<html>we are working on it</html>"),
    Way.CUT_AFTER: text_answer(200, '{"result": {"id": 1, "st'),
}


@dataclass(frozen=True)
class Fate:
    """What is to happen to one request: its way, how late (seconds), and as what an order ends."""

    way: Way = Way.FINE
    late: float = 0.0
    status: str = "completed"


@dataclass(frozen=True)
class Temper:
    """One kind of provider, and what its pack says of it.

    `lag`: seconds until an applied request shows. `funds_first`: an order without cover is refused as such even when
    its reference was used. `replays`: so long after the first order under a reference it is answered with that order.
    """

    repeat: str = "refused"
    refuses_used: bool = True
    lag: float = 0.0
    funds_first: bool = False
    replays: float = 0.0


@dataclass
class Record:
    """One effect in the book, written `at`. `shows` is when a look-up sees it first."""

    effect: Effect
    body: dict[str, Any]
    at: float
    shows: float

    @property
    def is_live(self) -> bool:
        return self.body.get("status") not in DEAD


@dataclass
class Provider:
    """Its book, in the order in which it was written. `died`: what was accepted and came to nothing later."""

    temper: Temper
    time: Time
    book: list[Record] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    died: set[Effect] = field(default_factory=set)
    on_the_way: list[tuple[float, float, Request, str]] = field(default_factory=list)

    # -- what a judge asks -------------------------------------------------------------------------------------------

    def live(self, *effect: str) -> list[Record]:
        return [record for record in self.book if record.effect == effect and record.is_live]

    def amount(self, kind: str, client: str) -> Decimal:
        """What moved in all; a deposit is the provider's debit."""
        side = "debit" if kind == "deposits" else "credit"
        return sum((Decimal(record.body[side]) for record in self.live(kind, client)), Decimal(0))

    @property
    def may_be_asked_twice(self) -> bool:
        """Is something still on its way, or not shown yet, that this provider would not refuse to do again?"""
        self.catch_up()
        return bool(self.on_the_way) or any(record.shows > self.time.true for record in self.book)

    def papers(self, client: str) -> list[str]:
        return sorted(record.body["type"] for record in self.live("documents", client))

    # -- requests ----------------------------------------------------------------------------------------------------

    def receive(self, request: Request, fate: Fate) -> Reply:
        """The answer, or why there is none, as it will come back. What is late is carried out by `catch_up`."""
        self.catch_up()
        promised = self.time.true + PROMISED
        if fate.way in HAPPENS_LATE:
            self.on_the_way.append((self.time.true + fate.late, promised, request, fate.status))
        got = self._answer(request, fate.status, promised) if fate.way in HAPPENS else None
        instead = _INSTEAD.get(fate.way)
        if instead is not None:
            return instead
        assert got is not None
        return got

    def catch_up(self) -> None:
        """Carry out what has arrived by now, in the order of arrival."""
        arrived = sorted((entry for entry in self.on_the_way if entry[0] <= self.time.true), key=lambda entry: entry[0])
        self.on_the_way = [entry for entry in self.on_the_way if entry[0] > self.time.true]
        for at, promised, request, status in arrived:
            self._answer(request, status, promised, at)

    def review(self, found: str) -> None:
        """Orders under review are found good, or dead after all."""
        for record in self.book:
            if record.body.get("status") == "reviewing":
                record.body["status"] = found
                if not record.is_live:
                    self.died.add(record.effect)

    def _answer(self, request: Request, status: str, promised: float, at: float | None = None) -> Response:
        at = self.time.true if at is None else at
        shows = min(at + self.temper.lag, promised)
        parts = [unquote(part) for part in request.path.strip("/").split("/")][2:]
        match request.method, parts:
            case "POST", ["clients"]:
                return self._create(json.loads(request.body), at, shows)
            case "POST", ["clients", key, "documents"]:
                kind = request.body.split(b'name="type"\r\n\r\n')[1].split(b"\r\n")[0].decode()
                record = self._write(("documents", key), {"id": self._next_id(), "type": kind}, at, shows)
                return answer(201, {"result": dict(record.body)})
            case "POST", ["deposits" | "withdrawals" as kind]:
                return self._order(kind, json.loads(request.body), status, at, shows)
            case "GET", ["clients", key]:
                found = self._seen("clients", key)
                return answer(200, {"result": found[0]}) if found else error(2008, 404)
            case "GET", ["clients", key, "documents"]:
                return answer(200, {"items": self._seen("documents", key)})
            case "GET", ["orders", "ref", reference]:
                # Of several under one name it shows the newest.
                orders = [*self._seen("deposits"), *self._seen("withdrawals")]
                found = [order for order in orders if order["partner_order_ref"] == reference]
                return answer(200, {"result": found[-1]}) if found else error(404, 404)
        raise AssertionError(f"nobody asks for {request.method} {request.path}")

    def _create(self, body: dict[str, Any], at: float, shows: float) -> Response:
        key = body["partner_client_id"]
        if self.live("clients", key):
            return error(2026)
        record = self._write(("clients", key), {**body, "id": self._next_id(), "status": "verified"}, at, shows)
        return answer(201, {"result": dict(record.body)})

    def _order(self, kind: str, body: dict[str, Any], status: str, at: float, shows: float) -> Response:
        client, reference, amount = body["partner_client_id"], body["partner_order_ref"], body["amount"]
        for known in self.book:
            if known.body.get("partner_order_ref") == reference and at < known.at + self.temper.replays:
                return answer(200, {"result": dict(known.body)})
        is_used = self.temper.refuses_used and any(
            record.body.get("partner_order_ref") == reference for record in self.book
        )
        left = self.amount("deposits", client) - self.amount("withdrawals", client)
        has_cover = kind == "deposits" or Decimal(amount) <= left
        if is_used and (has_cover or not self.temper.funds_first):
            return error(2020, 409)
        if not has_cover:
            return error(3005)
        side = "debit" if kind == "deposits" else "credit"
        order = {
            "id": self._next_id(),
            "status": status,
            "type": kind[:-1],
            side: amount,
            f"{side}_asset_id": body["asset_id"],
            "partner_client_id": client,
            "partner_order_ref": reference,
        }
        return answer(200, {"result": dict(self._write((kind, client), order, at, shows).body)})

    def _write(self, effect: Effect, body: dict[str, Any], at: float, shows: float) -> Record:
        if effect[0] != "documents" and self.live(*effect):
            self.twice.append(f"{' of '.join(effect)} at {at:.1f} s, while one stands")
        record = Record(effect, body, at, shows)
        self.book.append(record)
        return record

    def _seen(self, *effect: str) -> list[dict[str, Any]]:
        return [
            dict(record.body)
            for record in self.book
            if record.effect[: len(effect)] == effect and record.shows <= self.time.true
        ]

    def _next_id(self) -> int:
        return len(self.book) + 1
