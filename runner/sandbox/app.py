"""One provider as an ASGI application: count, admit, spoil on purpose, perform, answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.types import Receive, Scope, Send

from runner.sandbox.base import Answer, Call, Event, Heard, Letter, Provider, Route
from runner.sandbox.clock import Clock, http_date
from runner.sandbox.connection import STATE_KEY
from runner.sandbox.control import Control
from runner.sandbox.faults import ORDER_KINDS, Fault, Faults
from runner.sandbox.options import Options
from runner.sandbox.outbox import Outbox
from runner.sandbox.post import Office
from runner.sandbox.post import Send as Post
from runner.sandbox.traffic import Traffic

LARGEST_BODY = 64 * 1024 * 1024
HTML = b"<html><body><h1>We will be right back</h1></body></html>"

Later = Callable[[float, Callable[[], None]], object]
"""Run something after so many seconds: the loop's `call_later`, or a test's own."""
Sleep = Callable[[float], Awaitable[None]]


def on_the_loop(seconds: float, action: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, action)


class App:
    """Own dispatch, not a router: a call is counted, admitted and spoiled before it applies anything."""

    def __init__(
        self,
        provider: Provider,
        options: Options,
        clock: Clock,
        data: Any = None,
        later: Later = on_the_loop,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.provider, self.options, self.clock, self.data = provider, options, clock, data
        self.later, self.sleep = later, sleep
        self.office = Office()
        self.post: Post = self.office.send
        self.traffic = Traffic(options.rate or provider.pace.rate, provider.pace.blocks)
        self._start = 0
        provider.enter(self)
        self.reset()
        self.control = Control(self)

    @property
    def name(self) -> str:
        return self.provider.name

    def reset(self) -> None:
        """Back to the moment the server started: counters, faults, seed data."""
        mine = {"*", *self.provider.routes.operations, *self.provider.events}
        planned = [fault for fault in self.options.faults if fault.operation in mine]
        self.faults = Faults(planned, self.options.seed)
        self.traffic.reset()
        self._start += 1  # late effects of an earlier start never land
        self.pending = 0
        self.outbox = Outbox(self.clock, self.schedule, self.faults, self._send, self.options.webhook_retry_first)
        self.provider.reset()
        if self.data is not None:
            self.provider.load(self.data)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode("ascii")
        if path.startswith("/_sandbox/"):
            await self.control(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return  # the client left while still talking: nothing was asked
        found = self.provider.routes.find(scope["method"], path)
        self.traffic.arrived(found[0].operation if found else "unknown", self.clock.now())
        if len(body) > LARGEST_BODY:
            await self.reply(send, self.provider.error(413))
        elif found is None:
            await self.reply(send, self._lost(path))
        else:
            await self.serve(_call(scope, path, found[0], found[1], body), scope, receive, send)

    async def serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        if wait := self.traffic.too_fast(self.clock.now()):
            await self.reply(send, self._throttled(wait))
            return
        if cause := self.provider.refuse(call):
            self.traffic.refused(call.operation, cause, self.clock.now())
            await self.reply(send, self.provider.error(401))
            return
        fault = self.faults.strike(
            call.operation, partial(self.provider.client_of, call), call.operation in self.provider.outcomes
        )
        if fault is None:
            await self.reply(send, self.provider.perform(call))
        else:
            await self.spoil(fault, call, scope, receive, send)

    async def spoil(self, fault: Fault, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out a fault. What it applies is applied before the first wait, so calls keep their order."""
        perform = self.provider.perform
        match fault.kind:
            case "drop-before":
                _drop(scope)
            case "drop-after":
                perform(call)
                _drop(scope)
            case "late":
                self.schedule(fault.seconds or 0, partial(perform, call))
                _drop(scope)
            case "hang" | "hang-after":
                if fault.kind == "hang-after":
                    perform(call)
                seconds = self.options.hang_seconds if fault.seconds is None else fault.seconds
                await self._wait(seconds, receive)
                _drop(scope)
            case "slow":
                given = perform(call)
                await self._wait(fault.seconds or 0, receive)
                await self.reply(send, given)
            case "truncated":
                await self.reply(send, perform(call), cut=True)
                _drop(scope)
            case "not-json":
                given = perform(call)
                await self.reply(send, Answer(given.status, HTML, content_type="text/html; charset=utf-8"))
            case "429":
                await self.reply(send, self._throttled(1 if fault.seconds is None else fault.seconds))
            case "401":
                self.traffic.refused(call.operation, "fault", self.clock.now())
                await self.reply(send, self.provider.error(401))
            case kind if kind in ORDER_KINDS:
                await self.reply(send, perform(replace(call, outcome=kind)))
            case _:
                if fault.kind.endswith("-after"):
                    perform(call)
                await self.reply(send, self.provider.error(fault.status or 500))

    async def reply(self, send: Send, given: Answer, cut: bool = False) -> None:
        """Send an answer; `cut` keeps the promise of its length but sends only half of it."""
        self.traffic.answers[str(given.status)] += 1
        headers = [(b"date", http_date(self.clock.now()).encode())]
        if given.status != 204:
            headers.append((b"content-type", given.content_type.encode()))
            headers.append((b"content-length", str(len(given.body)).encode()))
        headers += [(name.encode(), value.encode()) for name, value in given.headers]
        await send({"type": "http.response.start", "status": given.status, "headers": headers})
        body = given.body[: len(given.body) // 2] if cut else given.body
        await send({"type": "http.response.body", "body": body, "more_body": cut})

    def schedule(self, seconds: float, action: Callable[[], object]) -> None:
        """Backstage of the provider: a late effect of an earlier start never lands."""
        self.pending += 1
        self.later(seconds, partial(self._land, action, self._start))

    def announce(self, event: Event) -> None:
        self.outbox.put(event)

    async def close(self) -> None:
        """Nothing of this application runs on after the server has ended."""
        self._start += 1
        await self.office.close()

    def _throttled(self, seconds: float) -> Answer:
        refused = self.provider.error(429, math.ceil(seconds))
        return Answer(429, refused.body, (*refused.headers, ("retry-after", str(math.ceil(seconds)))))

    def _lost(self, path: str) -> Answer:
        allowed = self.provider.routes.methods(path)
        if not allowed:
            return self.provider.error(404)
        refused = self.provider.error(405)
        return Answer(405, refused.body, (*refused.headers, ("allow", ", ".join(allowed))))

    def _land(self, action: Callable[[], object], start: int) -> None:
        if start == self._start:
            self.pending -= 1
            action()

    def _send(self, letter: Letter, timeout: float, then: Callable[[Heard], None]) -> None:
        start = self._start
        self.post(letter, timeout, lambda heard: then(heard) if start == self._start else None)

    async def _wait(self, seconds: float, receive: Receive) -> None:
        """Until the seconds are over or the client is gone."""
        gone, over = asyncio.ensure_future(receive()), asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait({gone, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            over.cancel()


def _drop(scope: Scope) -> None:
    scope["state"][STATE_KEY].drop()


async def _body(receive: Receive) -> bytes | None:
    """The whole body, kept up to one chunk past the limit; None when the client left before its end."""
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        if length <= LARGEST_BODY:
            chunks.append(chunk)
        length += len(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _call(scope: Scope, path: str, route: Route, params: dict[str, str], body: bytes) -> Call:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    peer = scope["client"][0] if scope.get("client") else ""
    query = scope["query_string"].decode("latin-1")
    return Call(route.operation, scope["method"], path, query, params, headers, body, peer)
