"""What can go wrong on purpose: how a fault is written, and which one strikes a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

HELP = """\
faults:
  --fault 'OPERATION=KIND[:ARG][:xCOUNT][:pPROB][:skipN][:client=ID]'

  OPERATION is a name such as deposits.create, or * for every operation.
  The parts after KIND come in any order; client=ID comes last (an ID may hold colons).

  xCOUNT     strike at most COUNT times          (without it: every time)
  pPROB      strike with probability 0 to 1, drawn from --seed     (without it: 1)
  skipN      let the first N matching calls pass
  client=ID  only calls about this client

  KIND               the effect          what the client sees
  drop-before        not applied         the connection closes without an answer
  drop-after         applied             the connection closes without an answer
  hang[:SECONDS]     not applied         silence until the client goes or SECONDS are over, then a close
  hang-after[:SEC]   applied at once     the same silence
  late:SECONDS       applied SECONDS     the connection closes at once
                     after it arrived
  slow:SECONDS       applied at once     the true answer, SECONDS later
  5xx-before         not applied         that status, e.g. 500-before or 503-before
  5xx-after          applied             that status, e.g. 500-after
  429[:SECONDS]      not applied         429 with Retry-After: SECONDS (1)
  401                not applied         401
  truncated          applied             half of the body under the full Content-Length, then a close
  not-json           applied             the true status with an HTML page as body
  rejected, failed   an order of that    the usual 200; no money moves, the reference stays used
                     status is kept      (only operations that make orders)

  Events that a provider sends, such as webhooks.client_status, are never meant by *. Their kinds:
  drop               the event is never sent
  duplicate          it is sent twice
  late:SECONDS       it is sent so many seconds later
  reorder[:SECONDS]  it is sent after the next event, or after SECONDS (5) when none comes
  drop-before        one attempt never leaves and counts as failed: another follows
  drop-after         one attempt arrives, its answer is lost: another follows

  The first live fault that matches strikes, in the order given. A refused signature (401) and
  an exceeded --rate come before any fault and use none up. More faults at run time:
  POST /_sandbox/faults {"faults": ["deposits.create=drop-after:x1"], "replace": false}

  Examples
    --fault deposits.create=drop-after:x1            the first deposit is applied, its answer lost
    --fault '*=503-before:p0.05'                     one call in twenty meets a tired gateway
    --fault withdrawals.create=late:2:skip3:x1       the fourth withdrawal lands two seconds later
    --fault deposits.create=rejected:client=user_7   every deposit of user_7 is rejected
    --fault webhooks.client_status=duplicate         every event arrives twice
"""

PLAIN_KINDS = frozenset(
    {
        "drop-before",
        "drop-after",
        "drop",
        "duplicate",
        "reorder",
        "truncated",
        "not-json",
        "rejected",
        "failed",
        "401",
        "hang",
        "hang-after",
        "429",
    }
)
ORDER_KINDS = frozenset({"rejected", "failed"})
# One event is struck at most once by the first, each attempt to deliver it by the second.
EVENT_KINDS = frozenset({"drop", "duplicate", "late", "reorder"})
ATTEMPT_KINDS = frozenset({"drop-after", "drop-before"})
_ONLY_EVENTS = EVENT_KINDS - {"late"}
NEEDS_SECONDS = frozenset({"late", "slow"})
TAKES_SECONDS = NEEDS_SECONDS | {"hang", "hang-after", "reorder", "429"}
_STATUS = re.compile(r"(5\d\d)-(?:before|after)")
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned failure, as it was written."""

    operation: str
    kind: str
    seconds: float | None = None
    count: int | None = None
    probability: float = 1.0
    skip: int = 0
    client: str | None = None

    @property
    def status(self) -> int | None:
        """The status of `500-before` and its like; None for every other kind."""
        found = _STATUS.fullmatch(self.kind)
        return int(found[1]) if found else None

    def __str__(self) -> str:
        parts = [f"{self.operation}={self.kind}"]
        if self.seconds is not None:
            parts.append(f"{self.seconds:g}")
        if self.count is not None:
            parts.append(f"x{self.count}")
        if self.probability != 1.0:
            parts.append(f"p{self.probability:g}")
        if self.skip:
            parts.append(f"skip{self.skip}")
        if self.client is not None:
            parts.append(f"client={self.client}")
        return ":".join(parts)


def parse(text: str) -> Fault:
    """Read `OPERATION=KIND[:…]`; raises ValueError with the reason."""
    operation, equals, rest = text.partition("=")
    if not operation or not equals:
        raise ValueError(f'fault "{text}": expected OPERATION=KIND, e.g. deposits.create=drop-after')
    rest, marker, client = rest.partition(":client=")
    if marker and not client:
        raise ValueError(f'fault "{text}": "client=" names nobody')
    kind, *parts = rest.split(":")
    if kind not in PLAIN_KINDS | NEEDS_SECONDS and not _STATUS.fullmatch(kind):
        raise ValueError(f'fault "{text}": unknown kind "{kind}", see onboard sandbox --help')
    seconds, count, probability, skip = None, None, 1.0, 0
    for part in parts:
        if _NUMBER.fullmatch(part) and kind in TAKES_SECONDS and seconds is None:
            seconds = float(part)
        elif re.fullmatch(r"x[1-9]\d*", part):
            count = int(part[1:])
        elif part[:1] == "p" and _NUMBER.fullmatch(part[1:]) and float(part[1:]) <= 1:
            probability = float(part[1:])
        elif re.fullmatch(r"skip\d+", part):
            skip = int(part[4:])
        else:
            raise ValueError(f'fault "{text}": cannot read "{part}", expected xCOUNT, pPROB, skipN or client=ID')
    if kind in NEEDS_SECONDS and seconds is None:
        raise ValueError(f'fault "{text}": "{kind}" needs seconds, e.g. {kind}:2')
    return Fault(operation, kind, seconds, count, probability, skip, client if marker else None)


def check(
    faults: Iterable[Fault], operations: Iterable[str], orders: Iterable[str], events: Iterable[str] = ()
) -> None:
    """Raise ValueError when a fault could never strike one of these operations or events."""
    making, sent = frozenset(orders), frozenset(events)
    known = frozenset(operations) | sent
    for fault in faults:
        if fault.operation not in known | {"*"}:
            raise ValueError(f'fault "{fault}": unknown operation, known are {", ".join(sorted(known))}')
        if fault.operation in sent and fault.kind not in EVENT_KINDS | ATTEMPT_KINDS:
            kinds = ", ".join(sorted(EVENT_KINDS | ATTEMPT_KINDS))
            raise ValueError(f'fault "{fault}": {fault.operation} is an event, which can be {kinds}')
        if fault.operation not in sent and fault.kind in _ONLY_EVENTS:
            raise ValueError(
                f'fault "{fault}": only an event can be "{fault.kind}"; known are {", ".join(sorted(sent)) or "none"}'
            )
        if fault.kind in ORDER_KINDS and fault.operation not in making | {"*"}:
            raise ValueError(f'fault "{fault}": only {", ".join(sorted(making))} can be "{fault.kind}"')


@dataclass(slots=True)
class _Live:
    fault: Fault
    met: int = 0
    struck: int = 0


class Faults:
    """The faults in force, with what each has already done."""

    def __init__(self, faults: Iterable[Fault], seed: int) -> None:
        self._live = [_Live(fault) for fault in faults]
        self._random = Random(f"faults/{seed}")

    def add(self, faults: Iterable[Fault]) -> None:
        self._live.extend(_Live(fault) for fault in faults)

    def clear(self) -> None:
        self._live.clear()

    def strike_event(self, operation: str, client: str, kinds: frozenset[str]) -> Fault | None:
        """The fault of one of these kinds that hits this event; the counts move."""
        for live in self._live:
            fault = live.fault
            if fault.operation == operation and fault.kind in kinds and self._hits(live, operation, lambda: client):
                live.struck += 1
                return fault
        return None

    def strike(self, operation: str, client: Callable[[], str | None], makes_orders: bool) -> Fault | None:
        """The fault that hits this call, or None; the counts move."""
        for live in self._live:
            if live.fault.kind in ORDER_KINDS and not makes_orders:
                continue
            if self._hits(live, operation, client):
                live.struck += 1
                return live.fault
        return None

    def _hits(self, live: _Live, operation: str, client: Callable[[], str | None]) -> bool:
        fault = live.fault
        if fault.operation not in ("*", operation):
            return False
        if fault.client is not None and fault.client != client():
            return False
        if fault.count is not None and live.struck >= fault.count:
            return False
        live.met += 1
        if live.met <= fault.skip:
            return False
        return fault.probability >= 1 or self._random.random() < fault.probability

    def report(self) -> list[dict[str, object]]:
        return [{"fault": str(one.fault), "met": one.met, "struck": one.struck} for one in self._live]
