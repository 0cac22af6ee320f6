"""Deliver a provider's events: each attempt is on record, what is not taken is tried again, faults strike here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from runner.sandbox.base import Event, Heard
from runner.sandbox.clock import Clock, iso
from runner.sandbox.faults import ATTEMPT_KINDS, EVENT_KINDS, Faults
from runner.sandbox.post import Send

HELD_SECONDS = 5.0
"""How long an event waits for the one that shall overtake it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, and what was heard."""

    at: float
    url: str
    heard: Heard

    def to_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"at": iso(self.at), "url": self.url, "status": self.heard.status}
        if self.heard.problem is not None:
            shown["problem"] = self.heard.problem
        else:
            shown["answer"] = self.heard.body.decode("utf-8", "replace")[:200]
        return shown


@dataclass(slots=True)
class Delivery:
    """An event on its way: waiting, sending, delivered, failed or dropped."""

    event: Event
    at: float
    status: str = "waiting"
    attempts: list[Attempt] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "operation": self.event.operation,
            "client": self.event.client,
            "at": iso(self.at),
            "status": self.status,
            "body": json.loads(self.event.letter().body),
            "attempts": [attempt.to_json() for attempt in self.attempts],
        }


class Outbox:
    """Everything announced since the start. It waits for nothing: what comes later is scheduled."""

    def __init__(
        self,
        clock: Clock,
        schedule: Callable[[float, Callable[[], object]], None],
        faults: Faults,
        send: Send,
        first_retry: float,
    ) -> None:
        self.clock, self.schedule, self.faults, self.send, self.first_retry = clock, schedule, faults, send, first_retry
        self.deliveries: list[Delivery] = []
        self._held: list[Delivery] = []

    def put(self, event: Event) -> None:
        """Start the delivery of an event, unless a fault has other plans."""
        overtaken, self._held = self._held, []
        first = self._new(event)
        fault = self.faults.strike_event(event.operation, event.client, EVENT_KINDS)
        match fault.kind if fault else None:
            case "drop":
                first.status = "dropped"
            case "late" if fault:
                self.schedule(fault.seconds or 0, partial(self._try, first))
            case "reorder" if fault:
                self._held.append(first)
                seconds = HELD_SECONDS if fault.seconds is None else fault.seconds
                self.schedule(seconds, partial(self._release, [first]))
            case "duplicate":
                self._try(first, partial(self._try, self._new(event)))
            case _:
                self._try(first, partial(self._release, overtaken))
                return
        self._release(overtaken)

    def report(self) -> list[dict[str, Any]]:
        return [delivery.to_json() for delivery in self.deliveries]

    def _new(self, event: Event) -> Delivery:
        delivery = Delivery(event, self.clock.now())
        self.deliveries.append(delivery)
        return delivery

    def _release(self, overtaken: list[Delivery]) -> None:
        for delivery in overtaken:
            if delivery.status == "waiting":
                self._try(delivery)

    def _try(self, delivery: Delivery, then: Callable[[], None] = lambda: None) -> None:
        """One attempt; `then` runs when its answer is here, so that what must come second comes second."""
        event, at = delivery.event, self.clock.now()
        letter = event.letter()
        delivery.status = "sending"
        fault = self.faults.strike_event(event.operation, event.client, ATTEMPT_KINDS)

        def heard(answer: Heard) -> None:
            if fault is not None:
                answer = Heard(problem=f"fault {fault.kind}")
            delivery.attempts.append(Attempt(at, letter.url, answer))
            self._go_on(delivery, answer)
            then()

        if fault is not None and fault.kind == "drop-before":
            heard(Heard())
        else:
            self.send(letter, event.timeout, heard)

    def _go_on(self, delivery: Delivery, answer: Heard) -> None:
        made = len(delivery.attempts)
        if answer.problem is None and delivery.event.is_taken(answer):
            delivery.status = "delivered"
        elif made >= delivery.event.attempts:
            delivery.status = "failed"
        else:
            delivery.status = "waiting"
            self.schedule(self.first_retry * 2 ** (made - 1), partial(self._try, delivery))
