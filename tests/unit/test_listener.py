"""The door for webhooks, over real sockets: what it takes, what it refuses, and that nobody can keep it busy."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
import pytest
from stand_ins import FakeClock

from runner.inbox import Bell
from runner.journal.memory import MemoryJournal
from runner.listener import LARGEST, Door, Listener, bind, listening, url_of
from runner.load.pack import find_pack
from runner.model.problem import JournalError, Problem, ProblemError
from runner.webhooks import Received, Refused

pytestmark = pytest.mark.anyio
PACK = find_pack("cryptomate")
KEY = "a key of the company"
PATH = "/webhooks/cryptomate"
EVENT = {"product": "company_activity", "event_type": "client_status", "operation_id": "c1", "status": "success"}
TAKEN = (200, {"response_code": "OK"})


@dataclass
class House:
    """A listener at a free port, and all that it was told."""

    url: str = ""
    port: int = 0
    clock: FakeClock = field(default_factory=FakeClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    bell: Bell = field(default_factory=Bell)
    lines: list[tuple[str, str, bool]] = field(default_factory=list)

    def told(self, provider: str, got: Received | Refused, is_new: bool) -> None:
        self.lines.append((provider, got.why if isinstance(got, Refused) else got.event, is_new))

    def headers(self, **changes: str) -> dict[str, str]:
        known = {"X-Webhook-Key": KEY, "X-Request-Timestamp": str(int(self.clock.now() * 1000))}
        return known | {name.replace("_", "-"): value for name, value in changes.items()}

    async def send(
        self, body: Any = EVENT, path: str = PATH, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            given = self.headers() if headers is None else headers
            got = await http.request(method, self.url + path, content=content, headers=given)
        return got.status_code, got.json() if got.content else None

    async def raw(self, data: bytes, *, half: bool = False) -> bytes:
        """What comes back for these bytes; with `half` the sender hangs up behind them."""
        stream = await anyio.connect_tcp("127.0.0.1", self.port)
        async with stream:
            await stream.send(data)
            if half:
                await stream.send_eof()
            with anyio.fail_after(10), contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                return await stream.receive()
        return b""

    def head(self, length: int) -> bytes:
        lines = [f"{name}: {value}" for name, value in self.headers().items()]
        return "\r\n".join([f"POST {PATH} HTTP/1.1", "Host: x", *lines, f"Content-Length: {length}", "", ""]).encode()

    async def about(self) -> list[tuple[str, ...]]:
        return [event.about for event in await self.journal.events(0)]


@contextlib.asynccontextmanager
async def opened(house: House, **more: Any) -> AsyncIterator[House]:
    found = bind("127.0.0.1:0")
    house.url, house.port = url_of(found), found.getsockname()[1]
    listener = Listener(house.journal, house.clock, {"cryptomate": PACK}, {"cryptomate": KEY}, house.told, **more)
    async with listening(listener, found):
        yield house


async def test_what_is_taken_is_written_down_acknowledged_and_told() -> None:
    async with opened(House()) as house:
        assert TAKEN == await house.send()

    assert [("c1",)] == await house.about()
    assert [("cryptomate", "client_status", True)] == house.lines


async def test_a_repeat_is_acknowledged_and_written_down_once() -> None:
    async with opened(House()) as house:
        assert [TAKEN, TAKEN] == [await house.send(), await house.send()]

    assert [("c1",)] == await house.about()
    assert [True, False] == [is_new for _, _, is_new in house.lines]


async def test_each_that_is_taken_rings() -> None:
    house = House()
    heard = anyio.Event()

    async with opened(house, bell=house.bell), anyio.create_task_group() as group:

        async def hear() -> None:
            await house.bell.wait()
            heard.set()

        group.start_soon(hear)
        await house.send(headers=house.headers(X_Webhook_Key="forged"))
        assert not heard.is_set()
        await house.send()
        with anyio.fail_after(5):
            await heard.wait()


async def test_what_is_not_written_down_is_not_acknowledged() -> None:
    class Full(MemoryJournal):
        async def deliver(self, *words: Any) -> bool:
            raise JournalError(Problem("journal.unwritable", "no space left"))

    async with opened(House(journal=Full())) as house:
        assert (503, {"error": "try again later"}) == await house.send()
    assert [] == house.lines


async def test_a_forged_one_is_refused_and_told_without_its_key() -> None:
    async with opened(House()) as house:
        assert (401, {"error": "refused"}) == await house.send(headers=house.headers(X_Webhook_Key="forged"))
        assert (401, {"error": "refused"}) == await house.send(headers={})
        house.clock.advance(3600)
        late = house.headers()
        house.clock.advance(-3600)
        assert (400, {"error": "refused"}) == await house.send(headers=late)

    assert [] == await house.about()
    told = ["X-Webhook-Key is wrong", "X-Webhook-Key is missing", "it is 3600 s ahead"]
    assert told == [why for _, why, _ in house.lines]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"])
async def test_only_a_post_is_taken(method: str) -> None:
    async with opened(House()) as house:
        assert 405 == (await house.send(method=method))[0]
    assert ([], []) == (house.lines, await house.about())


@pytest.mark.parametrize(
    "path",
    ["/", "/webhooks", "/webhooks/", "/webhooks/coinmena", "/webhooks/nobody", "/Webhooks/cryptomate", "/x" + PATH],
)
async def test_another_address_is_nobodys(path: str) -> None:
    async with opened(House()) as house:
        assert (404, {"error": "webhooks are taken at /webhooks/<provider>"}) == await house.send(path=path)
    assert [] == house.lines


@pytest.mark.parametrize("path", [PATH + "/", PATH + "?from=portal"])
async def test_a_slash_or_a_query_behind_it_does_no_harm(path: str) -> None:
    async with opened(House()) as house:
        assert TAKEN == await house.send(path=path)


async def test_the_largest_is_taken_and_nothing_larger() -> None:
    filler = LARGEST - len(json.dumps({**EVENT, "more": ""}))
    async with opened(House()) as house:
        assert TAKEN == await house.send({**EVENT, "more": "x" * filler})
        assert (413, {"error": "too large"}) == await house.send({**EVENT, "more": "x" * (filler + 1)})
        assert (413, {"error": "too large"}) == await house.send(b"x" * (20 * LARGEST))
        assert TAKEN == await house.send()


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
async def test_nonsense_with_the_right_key_is_refused(body: bytes) -> None:
    async with opened(House()) as house:
        assert (400, {"error": "refused"}) == await house.send(body)


async def test_characters_that_no_file_can_hold_do_not_end_the_inbox() -> None:
    body = b'{"event_type": "\\ud800", "operation_id": "\\udfff", "data": {"id": "c7"}}'
    async with opened(House()) as house:
        assert [TAKEN, TAKEN] == [await house.send(body), await house.send()]
    assert [("c7",), ("c1",)] == await house.about()


@pytest.mark.parametrize(
    "data",
    [
        b"HELLO\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /webhooks/cryptomate HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /webhooks/cryptomate HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_nobody_is_told(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(House()) as house:
        assert b"HTTP/1.1 400" == (await house.raw(data))[:12]
        assert TAKEN == await house.send()
    assert [] == [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]


async def test_half_a_webhook_is_none() -> None:
    """Whoever hung up in the middle gets no answer, even if the half can be read."""
    async with opened(House()) as house:
        body = json.dumps(EVENT).encode()
        assert b"" == await house.raw(house.head(len(body) + 10) + body, half=True)
    assert ([], []) == (house.lines, await house.about())


async def test_a_body_in_chunks_is_taken() -> None:
    body = json.dumps(EVENT).encode()
    async with opened(House()) as house:
        head = house.head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        chunks = b"5\r\n" + body[:5] + b"\r\n" + f"{len(body) - 5:x}".encode() + b"\r\n" + body[5:] + b"\r\n0\r\n\r\n"
        assert b"HTTP/1.1 200" == (await house.raw(head + chunks))[:12]


async def test_a_slow_one_is_given_up() -> None:
    async with opened(House(), patience=0.05) as house:
        assert b"HTTP/1.1 408" == (await house.raw(house.head(100) + b"{"))[:12]
    assert [] == house.lines


async def test_slow_ones_keep_nobody_else_waiting_and_do_not_hold_up_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        with anyio.fail_after(8):
            async with opened(House()) as house:
                for _ in range(50):
                    stream = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", house.port))
                    await stream.send(house.head(100) + b"{")
                assert TAKEN == await house.send()
    assert [("c1",)] == await house.about()
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_hundred_at_once_are_all_taken() -> None:
    async with opened(House()) as house:
        answers: list[tuple[int, Any]] = []

        async def send(number: int) -> None:
            answers.append(await house.send({**EVENT, "operation_id": f"c{number}"}))

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(send, number)
    assert [TAKEN] * 100 == answers
    assert {(f"c{number}",) for number in range(100)} == set(await house.about())


async def test_a_door_is_open_for_as_long_as_the_run_lasts() -> None:
    house = House()
    found = bind("0")
    house.url = url_of(found)
    async with Door(found, PACK, KEY, house.told).open(house.journal, house.clock, house.bell):
        assert TAKEN == await house.send()
    with pytest.raises(httpx.ConnectError):
        await house.send()


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", ":", "[::1"])
async def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ProblemError) as caught:
        bind(address)
    assert ["listen.address"] == [problem.code for problem in caught.value.problems]


async def test_an_address_that_is_taken_is_told() -> None:
    with bind("127.0.0.1:0") as first, pytest.raises(ProblemError) as caught:
        bind(f"127.0.0.1:{first.getsockname()[1]}")
    assert "address already in use" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("address", "host"), [("0", "127.0.0.1"), (":0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]")]
)
async def test_addresses_as_people_write_them(address: str, host: str) -> None:
    if host == "[::1]" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with bind(address) as found:
        assert f"http://{host}:{found.getsockname()[1]}" == url_of(found)


def _has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as found:
        found.bind(("::1", 0))
        return True
    return False
