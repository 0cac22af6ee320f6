"""Where providers send their webhooks: `POST /webhooks/<provider>`, written down before it is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import uvicorn

from runner.clock import Clock
from runner.inbox import Bell
from runner.journal.base import Journal
from runner.model.problem import JournalError, Problem, ProblemError
from runner.model.provider import Provider
from runner.model.secret import Secret
from runner.webhooks import Received, Refused, receive

LARGEST = 1024 * 1024
# A webhook that takes longer to come in is given up: providers wait as long for the answer.
SLOWEST = 30.0
PREFIX = "/webhooks/"

Told = Callable[[str, Received | Refused, bool], None]
"""Told of each webhook: the provider's name, what it was, and whether it is new."""


@dataclass(slots=True)
class Listener:
    """The ASGI application. `keys` are the credentials that prove webhooks, by provider.

    `patience` is how many seconds a body may take.
    """

    journal: Journal
    clock: Clock
    providers: Mapping[str, Provider]
    keys: Mapping[str, Secret | str]
    told: Told
    bell: Bell = field(default_factory=Bell)
    patience: float = SLOWEST

    async def __call__(self, scope: Any, receive_part: Any, send: Any) -> None:
        try:
            with anyio.fail_after(self.patience):
                body = await _body(receive_part)
        except TimeoutError:
            status, answer = 408, _json({"error": "too slow"})
        except _Gone:
            # Nobody is there to be answered, and half a webhook is none.
            return
        else:
            status, answer = await self._answer(scope, body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Any, body: bytes | None) -> tuple[int, bytes]:
        name = scope["path"].removeprefix(PREFIX).rstrip("/")
        provider = self.providers.get(name) if scope["path"].startswith(PREFIX) else None
        if provider is None or provider.webhooks is None:
            return 404, _json({"error": f"webhooks are taken at {PREFIX}<provider>"})
        if scope["method"] != "POST":
            return 405, _json({"error": "send a POST"})
        if body is None:
            return 413, _json({"error": "too large"})
        rule = provider.webhooks
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        got = receive(rule, self.keys[name], headers, body, self.clock.now())
        if isinstance(got, Refused):
            self.told(name, got, False)
            return got.status, _json({"error": "refused"})
        try:
            is_new = await self.journal.deliver(name, got.id, self.clock.now(), got.event, got.about)
        except JournalError:
            # Not written down, so not acknowledged: the provider sends it again.
            return 503, _json({"error": "try again later"})
        self.told(name, got, is_new)
        self.bell.ring()
        return rule.status, b"" if rule.answer is None else _json(rule.answer)


@dataclass(frozen=True, slots=True)
class Door:
    """A bound address for one provider's webhooks, before there is a journal to write them into."""

    socket: socket.socket
    provider: Provider
    key: Secret | str

    told: Told

    @property
    def url(self) -> str:
        """Where the provider's webhooks go."""
        return f"{url_of(self.socket)}/webhooks/{self.provider.name}"

    def open(self, journal: Journal, clock: Clock, bell: Bell) -> contextlib.AbstractAsyncContextManager[None]:
        """Take webhooks for as long as the block lasts."""
        name = self.provider.name
        listener = Listener(journal, clock, {name: self.provider}, {name: self.key}, self.told, bell)
        return listening(listener, self.socket)


def bind(address: str) -> socket.socket:
    """A listening socket at HOST:PORT, :PORT or PORT. Raises ProblemError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        problem = Problem(
            "listen.address", f'"{address}" is no address', hint="write HOST:PORT, such as 127.0.0.1:8080"
        )
        raise ProblemError([problem])
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, int(port)))
        found.listen(1024)
    except OSError as error:
        found.close()
        reason = (error.strerror or "no reason given").lower()
        problem = Problem("listen.address", f'nobody can listen at "{address}": {reason}', hint="choose another port")
        raise ProblemError([problem]) from None
    found.setblocking(False)
    return found


def url_of(found: socket.socket) -> str:
    host, port = found.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.asynccontextmanager
async def listening(listener: Listener, found: socket.socket) -> AsyncIterator[None]:
    """Serve for as long as the block lasts; requests in flight are answered first."""
    server = _Server(
        uvicorn.Config(
            listener,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    logging.getLogger("uvicorn").getChild("error").addFilter(_is_ours)
    async with anyio.create_task_group() as group:
        group.start_soon(_serve, server, found)
        try:
            yield
        finally:
            server.should_exit = True


async def _serve(server: uvicorn.Server, found: socket.socket) -> None:
    with found:
        await server.serve(sockets=[found])


def _is_ours(record: logging.LogRecord) -> bool:
    """Bugs of ours are worth a line; what strangers send, and who is still sending when we stop, is not."""
    return bool(record.exc_info) and not isinstance((record.exc_info or (None, None))[1], asyncio.CancelledError)


class _Gone(Exception):  # noqa: N818 - nobody's error
    """Who sent it hung up."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the door's."""
        yield


async def _body(receive_part: Callable[[], Awaitable[Any]]) -> bytes | None:
    """The whole body; None when it is larger than any webhook. Raises _Gone."""
    chunks: list[bytes] = []
    length = 0
    while True:
        part = await receive_part()
        if part["type"].endswith("disconnect"):
            raise _Gone
        length += len(part.get("body", b""))
        if length <= LARGEST:
            chunks.append(part.get("body", b""))
        if not part.get("more_body", False):
            return b"".join(chunks) if length <= LARGEST else None


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()
