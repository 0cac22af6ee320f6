"""What really happens on a socket: every way to fail has a name, and connections are kept."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import json
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest

from runner.client import MAX_BODY, TROUBLES, HttpClient, is_loopback
from runner.model.http import NoAnswer, Request, Response, Trouble

pytestmark = pytest.mark.anyio
GET = Request("GET", "/v1/things", (("q", "a b"), ("r", "ä&")))
POST = Request("POST", "/v1/things", headers={"content-type": "application/json"}, body=b'{"a":1}')

Respond = Callable[["Call"], Awaitable[None]]


@dataclass
class Call:
    """One request as it came over the wire, and how to answer it."""

    line: str
    headers: dict[str, str]
    raw_headers: list[bytes]
    body: bytes
    writer: asyncio.StreamWriter

    def answer(self, body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)


@dataclass
class Server:
    port: int = 0
    accepted: int = 0
    calls: list[Call] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(respond: Respond) -> AsyncIterator[Server]:
    """A real server of a few lines: it reads one request after the other and lets `respond` answer."""
    server = Server()
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while line := (await reader.readline()).decode().strip():
                raw: list[bytes] = []
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    raw.append(header.strip())
                pairs = [header.decode().partition(": ") for header in raw]
                headers = {name.lower(): value for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                call = Call(line, headers, raw, body, writer)
                server.calls.append(call)
                await respond(call)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ok(call: Call) -> None:
    call.answer(b'{"ok": true}')


def with_body(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Respond:
    async def respond(call: Call) -> None:
        call.answer(body, *headers, status=status, length=length)

    return respond


def closing(after: bytes = b"") -> Respond:
    async def respond(call: Call) -> None:
        call.writer.write(after)
        await call.writer.drain()
        call.writer.close()

    return respond


async def once(respond: Respond, request: Request = GET, **more: Any) -> Response | NoAnswer:
    async with serving(respond) as server, HttpClient(server.url, **more) as client:
        return await client.send(request, {})


def trouble(got: Response | NoAnswer) -> Trouble:
    assert isinstance(got, NoAnswer), got
    return got.trouble


# -- every error has a name ---------------------------------------------------------------------------------------


def test_every_error_that_sending_can_raise_has_a_name() -> None:
    """A new one in a new httpx must not slip through as a bug of ours."""
    raised = [
        kind
        for _, kind in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(kind, httpx.RequestError | httpx.InvalidURL)
    ]
    assert len(raised) > 15
    unnamed = [
        kind.__name__
        for kind in raised
        if kind is not httpx.RequestError and not any(base in TROUBLES for base in kind.__mro__)
    ]
    assert [] == unnamed


def test_only_errors_of_connecting_prove_that_nothing_left() -> None:
    proven = {kind.__name__ for kind, (trouble, _) in TROUBLES.items() if trouble is Trouble.NOT_CONNECTED}
    assert {
        "ConnectError",
        "ConnectTimeout",
        "InvalidURL",
        "LocalProtocolError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
    } == proven


@pytest.mark.parametrize("kind", TROUBLES, ids=lambda kind: kind.__name__)
async def test_every_error_becomes_what_the_table_says(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Any, request: httpx.Request) -> httpx.Response:
        raise kind("words of a library")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail)
    async with HttpClient("http://127.0.0.1:1") as client:
        got = await client.send(GET, {})
    assert TROUBLES[kind][0] is trouble(got)
    assert isinstance(got, NoAnswer)
    assert "words of a library" not in got.message
    assert got.hint


async def test_an_error_that_nobody_knows_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Any, request: httpx.Request) -> httpx.Response:
        raise httpx.HTTPError("new")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail)
    async with HttpClient("http://127.0.0.1:1") as client:
        with pytest.raises(httpx.HTTPError):
            await client.send(GET, {})


async def test_a_broken_record_below_http_is_a_broken_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Any, request: httpx.Request) -> httpx.Response:
        raise ssl.SSLError("bad record mac")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail)
    async with HttpClient("http://127.0.0.1:1") as client:
        assert Trouble.DROPPED is trouble(await client.send(GET, {}))


# -- real failures ------------------------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


async def test_nobody_listens() -> None:
    port = closed_port()
    async with HttpClient(f"http://127.0.0.1:{port}") as client:
        got = await client.send(POST, {})
    assert Trouble.NOT_CONNECTED is trouble(got)
    assert isinstance(got, NoAnswer)
    assert f"no connection to 127.0.0.1:{port}" == got.message


async def test_a_name_that_nobody_knows() -> None:
    async with HttpClient("http://nobody.invalid") as client:
        client._proxy = None
        assert Trouble.NOT_CONNECTED is trouble(await client.send(POST, {}))


@pytest.mark.parametrize(
    "after",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
async def test_a_server_that_closes_early_or_talks_nonsense(after: bytes) -> None:
    assert Trouble.DROPPED is trouble(await once(closing(after), POST))


@pytest.mark.parametrize("body", [b"nothing zipped", gzip.compress(b"{}", mtime=0)[:-9] + b"\xff" * 9])
async def test_an_answer_that_can_not_be_unpacked_is_lost(body: bytes) -> None:
    got = await once(with_body(body, "Content-Encoding: gzip"), POST)
    assert isinstance(got, NoAnswer) or not got.is_json


async def test_a_slow_server_times_out_as_a_whole() -> None:
    """Each byte comes in time, the answer does not."""

    async def trickle(call: Call) -> None:
        call.answer(b"", length=1000)
        for _ in range(100):
            call.writer.write(b" ")
            await call.writer.drain()
            await asyncio.sleep(0.01)

    got = await once(trickle, POST, timeout=0.08)
    assert Trouble.TIMEOUT is trouble(got)
    assert isinstance(got, NoAnswer)
    assert "no complete answer within 0.08 s" == got.message


async def test_a_server_that_never_answers_times_out() -> None:
    async def never(call: Call) -> None:
        await asyncio.sleep(60)

    assert Trouble.TIMEOUT is trouble(await once(never, POST, timeout=0.05))


async def endless(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"%x\r\n%s\r\n" % (65_536, b" " * 65_536)
    while not call.writer.is_closing():
        call.writer.write(piece)
        await call.writer.drain()


@pytest.mark.parametrize(
    "respond",
    [
        endless,
        with_body(b" " * (MAX_BODY + 1)),
        with_body(gzip.compress(b" " * (MAX_BODY + 1), mtime=0), "Content-Encoding: gzip"),
    ],
    ids=["endless", "long", "zipped"],
)
async def test_an_answer_that_is_too_large_never_came_complete(respond: Respond) -> None:
    async def first_too_large(call: Call) -> None:
        await (respond if len(server.calls) == 1 else ok)(call)

    async with serving(first_too_large) as server, HttpClient(server.url) as client:
        got = await client.send(POST, {})
        assert Trouble.TOO_LARGE is trouble(got)
        assert isinstance(got, NoAnswer)
        assert "the answer is larger than 32 MiB" == got.message
        with anyio.fail_after(5), suppress(ConnectionError):
            await server.calls[0].writer.wait_closed()
        assert isinstance(await client.send(POST, {}), Response)
        assert 2 == server.accepted


async def test_an_answer_may_be_as_large_as_the_bound() -> None:
    got = await once(with_body(b" " * (MAX_BODY - 2) + b"{}"))
    assert isinstance(got, Response)
    assert {} == got.body


async def test_an_address_that_can_not_be_written_is_not_sent() -> None:
    async with serving(ok) as server, HttpClient(server.url) as client:
        got = await client.send(Request("GET", "/" + "x" * 70_000), {})
        assert Trouble.NOT_CONNECTED is trouble(got)
        assert [] == server.calls


async def test_a_header_that_would_break_the_request_is_not_sent() -> None:
    async with serving(ok) as server, HttpClient(server.url) as client:
        got = await client.send(Request("GET", "/", headers={"x-a": "1\r\nx-evil: 2"}), {})
        assert Trouble.NOT_CONNECTED is trouble(got)
        assert [] == server.calls
        assert isinstance(await client.send(GET, {}), Response)


# -- what goes out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v1/things",
        "/a%2Fb/c",
        "/a%20b/%C3%BC/%7Bx%7D",
        "/a%2E%2E/%25",
        "/~a-b.c_d/!$&'()*+,;=:@",
        "//double",
        "/end/",
        "/%2f%2F",
    ],
)
async def test_the_path_on_the_wire_is_the_path_that_was_signed(path: str) -> None:
    request = Request("GET", path, (("a", "x y/z?"), ("b", "ü+&=%"), ("c", "'!~")))
    async with serving(ok) as server, HttpClient(server.url + "/") as client:
        await client.send(request, {})
        assert f"GET {request.target} HTTP/1.1" == server.calls[0].line


async def test_bytes_and_headers_leave_as_they_are() -> None:
    request = Request("POST", "/x", headers={"content-type": "a/b", "x-name": "José محمد"}, body=b"\x00\xff{}")
    async with serving(ok) as server, HttpClient(server.url, user_agent="onboarding-runner/1") as client:
        await client.send(request, {"X-Signature": "abc="})
        call = server.calls[0]
    assert b"\x00\xff{}" == call.body
    assert {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "onboarding-runner/1",
        "accept-encoding": "gzip, deflate",
        "content-type": "a/b",
        "content-length": "4",
        "x-name": "José محمد",
        "x-signature": "abc=",
    } == call.headers


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("GET", None)])
async def test_only_what_may_have_a_body_says_that_it_is_empty(method: str, length: str | None) -> None:
    async with serving(ok) as server, HttpClient(server.url) as client:
        await client.send(Request(method, "/"), {})
        assert length == server.calls[0].headers.get("content-length")


async def test_who_may_not_leave_is_stopped_at_the_last_moment() -> None:
    refusal = NoAnswer(Trouble.EXPIRED, "too old")
    async with serving(ok) as server, HttpClient(server.url) as client:
        assert refusal == await client.send(POST, {}, leave=lambda: refusal)
        assert [] == server.calls
        # The connection was there already: opening one takes time in which what was allowed may be so no more.
        assert 1 == server.accepted
        assert isinstance(await client.send(POST, {}, leave=lambda: None), Response)


# -- what comes back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 204, 301, 302, 400, 404, 429, 500, 503])
async def test_every_status_is_an_answer_and_redirects_are_not_followed(status: int) -> None:
    got = await once(with_body(b"", "Location: /elsewhere", status=f"{status} X"))
    assert isinstance(got, Response)
    assert (status, "", False) == (got.status, got.body, got.is_json)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1.10}', {"a": Decimal("1.10")}),
        (b'{"a": 1e400, "b": 12345678901234567890}', {"a": Decimal("1e400"), "b": 12345678901234567890}),
        ('{"a": "محمد"}'.encode(), {"a": "محمد"}),
        (b"\xef\xbb\xbf{}", {}),
        (b"null", None),
        (b'"x"', "x"),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a": ["\\ud83d", {"\\uDE00": "x\\ud800y"}], "n": 1}', {"a": ["\ufffd", {"\ufffd": "x\ufffdy"}], "n": 1}),
    ],
)
async def test_json_is_read_without_loss(body: bytes, value: Any) -> None:
    got = await once(with_body(body))
    assert isinstance(got, Response)
    assert (value, True) == (got.body, got.is_json)
    json.dumps(got.body, ensure_ascii=False, default=str).encode()


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b'{"a": 1} x', b" "],
)
async def test_what_is_not_json_is_text(body: bytes) -> None:
    got = await once(with_body(body))
    assert isinstance(got, Response)
    assert (body.decode("utf-8", "replace"), False) == (got.body, got.is_json)


@pytest.mark.parametrize(
    ("pack", "name"), [(gzip.compress, "gzip"), (zlib.compress, "deflate"), (lambda body: body, "identity")]
)
async def test_packed_answers_are_unpacked(pack: Callable[[bytes], bytes], name: str) -> None:
    got = await once(with_body(pack(b'{"a": 1}'), f"Content-Encoding: {name}"))
    assert isinstance(got, Response)
    assert {"a": 1} == got.body


async def test_header_names_are_lower_case() -> None:
    got = await once(with_body(b"{}", "Retry-After: 7", "DATE: x"))
    assert isinstance(got, Response)
    assert ("7", "x", "7") == (got.headers["retry-after"], got.headers["date"], got.retry_after)


async def test_asking_a_proxy_for_a_way_is_no_leaving() -> None:
    asked: list[str] = []

    async def no_tunnels(call: Call) -> None:
        call.answer(b"{}", status="403 Forbidden" if call.line.startswith("CONNECT") else "200 OK")

    async with serving(no_tunnels) as server:
        # Nobody goes to this machine by a proxy, so the way is pretended.
        async with HttpClient("http://nobody.invalid") as client:
            client._proxy = server.url
            await client.send(GET, {}, leave=lambda: asked.append("plain"))
            assert (["plain"], 1) == (asked, len(server.calls))
        async with HttpClient("https://nobody.invalid") as client:
            client._proxy = server.url
            got = await client.send(GET, {}, leave=lambda: asked.append("tunnel"))
            assert Trouble.NOT_CONNECTED is trouble(got)
            assert "CONNECT nobody.invalid:443 HTTP/1.1" == server.calls[1].line
            assert ["plain"] == asked


# -- connections --------------------------------------------------------------------------------------------------


async def test_a_connection_is_used_again() -> None:
    async with serving(ok) as server, HttpClient(server.url) as client:
        for _ in range(20):
            assert isinstance(await client.send(GET, {}), Response)
        assert (1, 20) == (server.accepted, len(server.calls))


async def test_there_are_as_many_connections_as_requests_at_once() -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.01)
        call.answer(b"{}")

    async with serving(slow) as server, HttpClient(server.url) as client:
        for _ in range(3):
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(client.send, GET, {})
        assert (10, 30) == (server.accepted, len(server.calls))
        assert 10 == len(client._idle) == len(client._all)


async def test_a_connection_that_failed_is_replaced() -> None:
    answers = iter([closing(), ok, closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), ok, ok])

    async def respond(call: Call) -> None:
        await next(answers)(call)

    async with serving(respond) as server, HttpClient(server.url) as client:
        got = [isinstance(await client.send(GET, {}), Response) for _ in range(5)]
        assert [False, True, False, True, True] == got
        assert 1 == len(client._all)


async def test_a_connection_that_the_server_closed_while_idle_is_noticed() -> None:
    async def polite(call: Call) -> None:
        call.answer(b"{}", "Connection: close")
        await call.writer.drain()
        call.writer.close()

    async with serving(polite) as server, HttpClient(server.url) as client:
        assert [True] * 3 == [isinstance(await client.send(POST, {}), Response) for _ in range(3)]
        assert 3 == server.accepted


async def test_who_is_cancelled_leaves_a_clean_client_behind() -> None:
    arrived = anyio.Event()

    async def slow_first(call: Call) -> None:
        if len(server.calls) == 1:
            arrived.set()
            await asyncio.sleep(60)
        call.answer(b'{"n": %d}' % len(server.calls))

    async with serving(slow_first) as server, HttpClient(server.url) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.send, GET, {})
            await arrived.wait()
            group.cancel_scope.cancel()
        got = await client.send(GET, {})
        assert isinstance(got, Response)
        # Its own answer, not the one that somebody stopped waiting for.
        assert {"n": 2} == got.body
        assert 2 == server.accepted


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    async def slow_first(call: Call) -> None:
        if call.line.startswith("POST"):
            await asyncio.sleep(0.15)
        call.answer(json.dumps({"line": call.line.split(" ")[0]}).encode())

    async with serving(slow_first) as server, HttpClient(server.url, timeout=0.1) as client:
        assert Trouble.TIMEOUT is trouble(await client.send(POST, {}))
        got = await client.send(GET, {})
        assert isinstance(got, Response)
        assert {"line": "GET"} == got.body


async def test_the_end_closes_every_connection() -> None:
    async with serving(ok) as server:
        async with HttpClient(server.url) as client:
            await client.send(GET, {})
        writer = server.calls[0].writer
        with anyio.fail_after(5):
            await writer.wait_closed()
        assert writer.is_closing()


# -- where we may talk plainly ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("example.com", False),
        ("", False),
        ("0.0.0.0", False),
    ],
)
def test_this_machine_is_told_from_others(host: str, is_ours: bool) -> None:
    assert is_ours is is_loopback(host)


def test_a_proxy_is_for_other_machines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "direct.example")
    monkeypatch.setenv("NO_PROXY", "direct.example")
    assert HttpClient("http://127.0.0.1:1")._proxy is None
    assert HttpClient("https://direct.example")._proxy is None
    assert "http://proxy.example:3128" == HttpClient("https://api.example")._proxy
