"""The one home of HTTP: sends a request once, and says what came back or why nothing did.

httpx's own pool looks through all its connections for each request, so it slows down as connections grow. Here each
request in flight borrows a transport that holds one connection, last used first, so the cost does not depend on how
many there are (docs/decisions/002-transport.md has the figures).
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx

from runner.model.http import NoAnswer, Request, Response, Trouble

# Far more than any answer needs; one without end must not take the memory of the whole run.
MAX_BODY = 32 * 1024 * 1024

_CAREFUL = "the effect may or may not have happened; it is looked up before anything is sent again"

# Every error httpx can raise while sending, and whether it proves that nothing reached the provider. A test asserts
# that none is missing.
TROUBLES: dict[type[Exception], tuple[Trouble, str]] = {
    httpx.CloseError: (Trouble.DROPPED, "the connection broke while closing"),
    httpx.ConnectError: (Trouble.NOT_CONNECTED, "no connection"),
    httpx.ConnectTimeout: (Trouble.NOT_CONNECTED, "no connection in time"),
    httpx.InvalidURL: (Trouble.NOT_CONNECTED, "the request makes no address"),
    httpx.DecodingError: (Trouble.DROPPED, "the answer could not be decoded"),
    httpx.LocalProtocolError: (Trouble.NOT_CONNECTED, "the request can't be written as HTTP"),
    httpx.NetworkError: (Trouble.DROPPED, "the connection broke"),
    httpx.PoolTimeout: (Trouble.NOT_CONNECTED, "no free connection in time"),
    httpx.ProtocolError: (Trouble.DROPPED, "the answer is not HTTP"),
    httpx.ProxyError: (Trouble.NOT_CONNECTED, "the proxy refused the connection"),
    httpx.ReadError: (Trouble.DROPPED, "the connection broke before the answer was complete"),
    httpx.ReadTimeout: (Trouble.TIMEOUT, "no complete answer in time"),
    httpx.RemoteProtocolError: (Trouble.DROPPED, "the connection closed before the answer was complete"),
    httpx.TimeoutException: (Trouble.TIMEOUT, "no complete answer in time"),
    httpx.TransportError: (Trouble.DROPPED, "the exchange broke"),
    httpx.TooManyRedirects: (Trouble.DROPPED, "too many redirects"),
    httpx.UnsupportedProtocol: (Trouble.NOT_CONNECTED, "the address is neither http nor https"),
    httpx.WriteError: (Trouble.DROPPED, "the connection broke while sending"),
    httpx.WriteTimeout: (Trouble.TIMEOUT, "the request could not be sent in time"),
}

Leave = Callable[[], NoAnswer | None]


class HttpClient:
    """Sends Requests to one base URL. `async with` closes every connection at the end."""

    def __init__(self, base_url: str, *, timeout: float = 30.0, user_agent: str = "") -> None:
        self._base = base_url.rstrip("/")
        self._host = urlsplit(self._base).netloc
        self._timeout = timeout
        self._agent = user_agent
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._all: list[httpx.AsyncHTTPTransport] = []
        self._ssl: ssl.SSLContext | None = None
        self._proxy = _proxy_of(self._base)

    async def __aenter__(self) -> HttpClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            for transport in self._all:
                await transport.aclose()

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Leave | None = None
    ) -> Response | NoAnswer:
        """One attempt, at most `timeout` seconds in all, never repeated here, redirects never followed.

        `leave` is asked at the last moment before the request goes out, when the connection is there; what it returns
        is returned instead.
        """
        transport = self._idle.pop() if self._idle else self._open()
        try:
            with anyio.fail_after(self._timeout):
                return await self._exchange(transport, request, headers, leave)
        except _RefusedError as refused:
            return refused.answer
        except TimeoutError:
            return NoAnswer(Trouble.TIMEOUT, f"no complete answer within {self._timeout:g} s", _CAREFUL)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return self._explain(error)
        except OSError:
            # What the layers below let through: a broken TLS record, for one.
            return NoAnswer(Trouble.DROPPED, "the connection broke", _CAREFUL)
        finally:
            self._idle.append(transport)

    async def _exchange(
        self, transport: httpx.AsyncHTTPTransport, request: Request, headers: Mapping[str, str], leave: Leave | None
    ) -> Response | NoAnswer:
        named = {"host": self._host, "user-agent": self._agent, "accept-encoding": "gzip, deflate"}
        named |= {**request.headers, **headers}
        sent = httpx.Request(
            request.method,
            self._base + request.target,
            # As bytes, because httpx takes texts for ASCII, and a value may be anybody's name.
            headers=[(name.encode(), value.encode()) for name, value in named.items()],
            content=request.body or (b"" if request.method in ("POST", "PUT", "PATCH") else None),
            extensions={"timeout": httpx.Timeout(self._timeout).as_dict(), "trace": _asking(leave)},
        )
        got = await transport.handle_async_request(sent)
        try:
            content = await _content(got)
        finally:
            # Of an answer that was not read to its end, this closes the connection as well.
            await got.aclose()
        if content is None:
            return NoAnswer(Trouble.TOO_LARGE, f"the answer is larger than {MAX_BODY // 1024**2} MiB", _CAREFUL)
        lowered = {name.lower(): value for name, value in got.headers.items()}
        body, is_json = _parse(content)
        return Response(got.status_code, lowered, body, is_json)

    def _open(self) -> httpx.AsyncHTTPTransport:
        if self._ssl is None:
            # Made once: a fresh context for each connection would read all certificates again.
            self._ssl = httpx.create_ssl_context()
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=20)
        transport = httpx.AsyncHTTPTransport(verify=self._ssl, limits=limits, retries=0, proxy=self._proxy)
        self._all.append(transport)
        return transport

    def _explain(self, error: Exception) -> NoAnswer:
        for kind in type(error).__mro__:
            if kind in TROUBLES:
                trouble, message = TROUBLES[kind]
                if trouble is Trouble.NOT_CONNECTED:
                    return NoAnswer(
                        trouble,
                        f"{message} to {self._host}",
                        "check the base URL, the network and whether the provider is up",
                    )
                return NoAnswer(trouble, message, _CAREFUL)
        raise error


class _RefusedError(Exception):
    """Carries what `leave` returned out of httpx."""

    def __init__(self, answer: NoAnswer) -> None:
        super().__init__(answer.message)
        self.answer = answer


def _asking(leave: Leave | None) -> Callable[[str, dict[str, Any]], Awaitable[None]] | None:
    """Ask at the first byte of the request itself: not while a connection is opened, nor of a proxy."""

    async def trace(event: str, info: dict[str, Any]) -> None:
        is_ours = event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT"
        if leave and is_ours and (refusal := leave()):
            raise _RefusedError(refusal)

    return trace if leave else None


async def _content(got: httpx.Response) -> bytes | None:
    """The whole body, None when there is too much of it. httpx decodes gzip only when it is read through itself."""
    content = bytearray()
    async for piece in got.aiter_bytes():
        content += piece
        if len(content) > MAX_BODY:
            return None
    return bytes(content)


def _parse(content: bytes) -> tuple[object, bool]:
    try:
        body = json.loads(content, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace"), False
    return (_mended(body) if _HALF.search(content) else body), True


# JSON can write half of a character, and nothing that has to be stored or sent on can hold one.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(name): _mended(entry) for name, entry in value.items()}
    return [_mended(entry) for entry in value] if isinstance(value, list) else value


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _proxy_of(base_url: str) -> str | None:
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def is_loopback(host: str) -> bool:
    """Where plain http is fine: this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
