"""Stand-ins for time and for a provider: a clock that goes when told, a desk that answers as its script says."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import unquote

import anyio

from runner.actions import FileContent
from runner.advance import ClientRun
from runner.auth import NoAuth
from runner.checks import parse
from runner.journal.memory import MemoryJournal
from runner.limiter import Limiter
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response, Trouble
from runner.model.plan import Client, Setting
from runner.model.playbook import Playbook, Step
from runner.model.problem import Location
from runner.model.provider import Environment, Provider
from runner.performer import Performer
from runner.redact import Redactor

EPOCH = 1_700_000_000.0
PLACE = Location("p.playbook.yaml", 3, 5)
PACK = find_pack("coinmena")


class FakeClock:
    """Goes only when somebody sleeps or advances it. `wall` may be set back on its own."""

    def __init__(self) -> None:
        self.wall = EPOCH
        self.ticks = 1000.0
        self.boot = 5000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def elapsed(self) -> float:
        return self.boot

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds
        self.boot += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while nothing is left to do: a day of sleeping takes no time at all."""

    def __init__(self) -> None:
        super().__init__(_EagerSelector(self))
        self.skipped = 0.0

    def time(self) -> float:
        return self.skipped


class _EagerSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else 5)
        if not ready and timeout is not None:
            self._loop.skipped += timeout
        return ready


# For a module's own `anyio_backend` fixture.
VIRTUAL = ("asyncio", {"loop_factory": VirtualLoop})


class VirtualClock:
    """The time of a VirtualLoop."""

    def now(self) -> float:
        return EPOCH + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    elapsed = monotonic

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


# -- a provider --------------------------------------------------------------------------------------------------------


def answer(status: int, body: Any = None, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, True)


def text_answer(status: int, text: str = "<html>Bad Gateway</html>") -> Response:
    return Response(status, {}, text, False)


def error(code: int, status: int = 400, message: str = "no") -> Response:
    return answer(status, {"code": code, "msg": message})


TIMED_OUT = NoAnswer(Trouble.TIMEOUT, "no complete answer within 30 s")
DROPPED = NoAnswer(Trouble.DROPPED, "the connection closed before the answer was complete")
REFUSED = NoAnswer(Trouble.NOT_CONNECTED, "no connection")
TOO_LARGE = NoAnswer(Trouble.TOO_LARGE, "the answer is larger than 32 MiB")

Reply = Response | NoAnswer
Apply = Callable[[], Reply]
Fault = Callable[[Apply], Reply]


def lost_before(apply: Apply) -> Reply:
    """The request never arrives."""
    return DROPPED


def lost_after(apply: Apply) -> Reply:
    """The request is carried out, its answer never arrives."""
    apply()
    return TIMED_OUT


def instead(reply: Reply) -> Fault:
    return lambda apply: reply


@dataclass
class Desk:
    """A CoinMENA of a few lines, in memory. `on` scripts what happens to the next requests of a method.

    `hidden` delays what a look-up shows: applied effects stay invisible until `reveal` is called.
    """

    clock: FakeClock
    refuses_used: bool = True
    replays: bool = False
    order_status: str = "completed"
    clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    hidden: bool = False

    def on(self, method: str, *faults: Fault) -> None:
        self.faults.setdefault(method, deque()).extend(faults)

    def sent(self, method: str = "POST") -> list[Request]:
        return [request for request in self.requests if request.method == method]

    def references(self) -> list[str]:
        """The references of all orders that exist, and of all that were asked for, would be in `sent`."""
        return [order["partner_order_ref"] for order in self.orders]

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Callable[[], NoAnswer | None] | None = None
    ) -> Reply:
        await anyio.lowlevel.checkpoint()
        if leave and (refusal := leave()):
            return refusal
        self.requests.append(request)
        waiting = self.faults.get(request.method)
        if waiting:
            return waiting.popleft()(lambda: self.apply(request))
        return self.apply(request)

    def apply(self, request: Request) -> Reply:
        parts = [unquote(part) for part in request.path.strip("/").split("/")][2:]
        body = json.loads(request.body) if request.body and not request.is_multipart else {}
        match request.method, parts:
            case "POST", ["deposits" | "withdrawals" as kind]:
                return self._order(kind, body)
            case "POST", ["clients"]:
                return self._client(body)
            case "POST", ["clients", _, "documents"]:
                kind = request.body.split(b'name="type"\r\n\r\n')[1].split(b"\r\n")[0].decode()
                self.documents.append({"id": len(self.documents) + 1, "type": kind})
                return answer(201, {"result": self.documents[-1]})
            case "GET", ["clients", key, "documents"]:
                return answer(200, {"items": [] if self.hidden else list(self.documents)})
            case "GET", ["clients", key]:
                found = self.clients.get(key)
                return error(2008, 404) if found is None or self.hidden else answer(200, {"result": found})
            case "GET", ["orders", "ref", reference]:
                found = next((order for order in self.orders if order["partner_order_ref"] == reference), None)
                return error(404, 404) if found is None or self.hidden else answer(200, {"result": found})
        return answer(200, {"result": {"id": 1}})

    def _order(self, kind: str, body: dict[str, Any]) -> Reply:
        if self.replays:
            known = [order for order in self.orders if order["partner_order_ref"] == body["partner_order_ref"]]
            if known:
                return answer(200, {"result": known[0]})
        if self.refuses_used and body["partner_order_ref"] in self.references():
            return error(2020, 409)
        side = "debit" if kind == "deposits" else "credit"
        order = {
            "id": len(self.orders) + 1,
            "status": self.order_status,
            "type": kind[:-1],
            side: body["amount"],
            f"{side}_asset_id": body["asset_id"],
            "partner_client_id": body["partner_client_id"],
            "partner_order_ref": body["partner_order_ref"],
        }
        self.orders.append(order)
        return answer(200, {"result": order})

    def _client(self, body: dict[str, Any]) -> Reply:
        if body["partner_client_id"] in self.clients:
            return error(2026)
        if any(known["email"] == body["email"] for known in self.clients.values()):
            return error(2027)
        client = {**body, "id": len(self.clients) + 1, "status": "verified", "active": True}
        self.clients[body["partner_client_id"]] = client
        return answer(201, {"result": client})


# -- a run -------------------------------------------------------------------------------------------------------------


def step(name: str, call: str, values: Mapping[str, Any], *expect: str, **more: Any) -> Step:
    return Step(name, PLACE, call, values, expect=tuple(parse(text) for text in expect), **more)


DEPOSIT = step(
    "deposit",
    "deposits.create",
    {"partner_client_id": "{{ client.id }}", "asset_id": "USD", "amount": "{{ client.amount }}"},
    "status == completed",
    outputs={"order": ("id",)},
)
CREATE = step(
    "create",
    "clients.create",
    {"partner_client_id": "{{ client.id }}", "name": "{{ client.name }}", "email": "{{ client.email }}"},
    outputs={"made": ("id",)},
)
UPLOAD = step(
    "upload",
    "documents.upload",
    {"partner_client_id": "{{ client.id }}", "type": "{{ item.type }}", "front_file": "{{ item.front }}"},
    for_each="documents",
    outputs={"document": ("id",)},
)
CONFIRM = step("confirm", "clients.get", {"partner_client_id": "{{ client.id }}"}, "status == verified")


def person(number: int = 1, **values: Any) -> Client:
    known = {"id": f"user_{number}", "name": "A Person", "email": f"p{number}@example.com", "amount": "100.00"}
    documents = values.pop("documents", ())
    return Client(f"user_{number}", number + 1, known | values, documents, location=Location("c.csv", number + 1))


def pack_with(operation: str, **changes: Any) -> Provider:
    changed = replace(PACK.operations[operation], **changes)
    return replace(PACK, operations={**PACK.operations, operation: changed})


def setting_of(*steps: Step, provider: Provider = PACK, **more: Any) -> Setting:
    playbook = Playbook("p.playbook.yaml", "digest", "pay", "coinmena", steps)
    return Setting(playbook, provider, Environment("sandbox", "http://127.0.0.1:1"), "http://127.0.0.1:1", "b", **more)


def read_file(name: str) -> FileContent:
    return FileContent(b"\xff\xd8\xff" + name.encode(), "front.jpg", "image/jpeg")


def performer_of(
    provider: Provider,
    http: Any,
    clock: Any,
    *,
    auth: Any = None,
    read: Callable[[str], FileContent] = read_file,
    limiter: Limiter | None = None,
) -> Performer:
    return Performer(provider, http, auth or NoAuth(), clock, limiter or Limiter(clock), read, Random(1))


@dataclass
class Stage:
    """One run of a playbook against a Desk, with everything in reach."""

    setting: Setting
    clock: FakeClock = field(default_factory=FakeClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    desk: Desk = field(init=False)
    performer: Performer = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.clock)
        self.performer = performer_of(self.setting.provider, self.desk, self.clock)

    def run(self, client: Client | None = None, **more: Any) -> ClientRun:
        return ClientRun(
            1,
            self.setting,
            client or person(),
            self.journal,
            self.performer,
            self.clock,
            Redactor([]),
            **more,
        )


def stage(*steps: Step, provider: Provider = PACK, **more: Any) -> Stage:
    return Stage(setting_of(*steps, provider=provider, **more))


__all__ = [name for name in dir() if not name.startswith("_")]
