"""The way out: one HTTP POST to this machine, and never to any other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from runner.sandbox.base import Heard, Letter

LARGEST_ANSWER = 64 * 1024

Send: TypeAlias = Callable[[Letter, float, Callable[[Heard], None]], None]
"""Send a letter, wait so many seconds at most, and hand over what was heard. A test brings its own."""


class Office:
    """Sends each letter in a task of its own, and knows them all, so that none outlives the server."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, letter: Letter, timeout: float, then: Callable[[Heard], None]) -> None:
        async def sending() -> None:
            then(await post(letter, timeout))

        task = asyncio.get_running_loop().create_task(sending())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def post(letter: Letter, seconds: float) -> Heard:
    """The answer, or the reason why there is none; a redirect is an answer like any other."""
    try:
        where = urlsplit(letter.url)
        port = where.port or 80
    except ValueError as problem:
        return Heard(problem=f"not sent: {problem}")
    if not is_here(where):
        return Heard(problem="not sent: a local sandbox delivers only by http to this machine (127.0.0.1, [::1])")
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(where, port, letter)
    except TimeoutError:
        return Heard(problem=f"no answer within {seconds:g} s")
    except (EOFError, OSError, ValueError, asyncio.LimitOverrunError) as problem:
        return Heard(problem=f"{type(problem).__name__}: {problem}")


def is_here(where: SplitResult) -> bool:
    """Only an address that cannot leave the machine; a name would have to be looked up, "localhost" is known."""
    if where.scheme != "http":
        return False
    try:
        return where.hostname == "localhost" or ip_address(where.hostname or "").is_loopback
    except ValueError:
        return False


async def _exchange(where: SplitResult, port: int, letter: Letter) -> Heard:
    reader, writer = await asyncio.open_connection(where.hostname, port, limit=LARGEST_ANSWER)
    try:
        target = (where.path or "/") + (f"?{where.query}" if where.query else "")
        head = [f"POST {target} HTTP/1.1", f"Host: {where.netloc.rpartition('@')[2]}", "Connection: close"]
        head += [f"{name}: {value}" for name, value in letter.headers]
        head += [f"Content-Length: {len(letter.body)}", "", ""]
        writer.write("\r\n".join(head).encode("latin-1") + letter.body)
        await writer.drain()
        return await _read(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Heard:
    """As much of HTTP/1.1 as a receiver can answer with: a length, chunks, or everything until the end."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
    status = int(first.partition(" ")[2][:3])
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readline()).partition(b";")[0], 16):
            body += await _exactly(reader, size, len(body))
            await reader.readline()
        return Heard(status, body)
    if "content-length" in headers:
        return Heard(status, await _exactly(reader, int(headers["content-length"]), 0))
    return Heard(status, await reader.read(LARGEST_ANSWER))


async def _exactly(reader: asyncio.StreamReader, size: int, already: int) -> bytes:
    if size + already > LARGEST_ANSWER:
        raise ValueError("the answer is longer than 64 KiB")
    return await reader.readexactly(size)
