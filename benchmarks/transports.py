"""Three ways to hold connections under httpx: its pool, a stack of single connections, httpcore without httpx.

    python benchmarks/transports.py                     2,000 reads at 1, 8, 32 and 128 at once, 5 rounds

One read of the sandbox, unsigned, over real sockets, in this process: only the client's own work differs. The ways take
turns; each figure is a median, after every connection was made.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import anyio
import httpcore
import httpx
import stage

from runner.client import HttpClient
from runner.model.http import Request, Response

PATH = "/v1/public/assets"
Ask = Callable[[], Awaitable[None]]


async def pool(url: str, jobs: int, stack: AsyncExitStack) -> Ask:
    """httpx as its manual shows it, the limits raised to the concurrency."""
    limits = httpx.Limits(max_connections=jobs, max_keepalive_connections=jobs)
    http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, limits=limits))

    async def ask() -> None:
        answer = await http.get(PATH)
        assert answer.status_code == 200
        answer.json()

    return ask


async def ours(url: str, jobs: int, stack: AsyncExitStack) -> Ask:
    """runner/client.py: a stack of transports that hold one connection each."""
    http = await stack.enter_async_context(HttpClient(url, user_agent="bench"))

    async def ask() -> None:
        answer = await http.send(Request("GET", PATH), {})
        assert isinstance(answer, Response)
        assert answer.status == 200

    return ask


async def bare(url: str, jobs: int, stack: AsyncExitStack) -> Ask:
    """The same stack of httpcore's connections: no Request, no Response, no errors of httpx."""
    origin = httpcore.URL(url).origin
    idle: list[httpcore.AsyncHTTPConnection] = []

    async def ask() -> None:
        connection = idle.pop() if idle else await stack.enter_async_context(httpcore.AsyncHTTPConnection(origin))
        answer = await connection.request("GET", f"{url}{PATH}")
        assert answer.status == 200
        idle.append(connection)

    return ask


WAYS = {"httpx pool": pool, "stack (ours)": ours, "httpcore stack": bare}


async def rate(url: str, way: str, jobs: int, count: int) -> float:
    """Requests per second, connections already made."""
    async with AsyncExitStack() as stack:
        ask = await WAYS[way](url, jobs, stack)
        await _drain(ask, jobs, iter(range(4 * jobs)))
        began = time.perf_counter()
        await _drain(ask, jobs, iter(range(count)))
        return count / (time.perf_counter() - began)


async def _drain(ask: Ask, jobs: int, rest: Iterator[int]) -> None:
    async def work() -> None:
        for _ in rest:
            await ask()

    async with anyio.create_task_group() as group:
        for _ in range(jobs):
            group.start_soon(work)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    rows = []
    with stage.sandbox() as provider:
        for jobs in words.jobs:
            told: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(words.rounds):
                for way in WAYS:
                    told[way].append(anyio.run(rate, provider.url, way, jobs, words.requests))
            rows.append((jobs, *(f"{stage.middle(told[way]):.0f}" for way in WAYS)))
    print(stage.table(("at once", *(f"{way}, requests/s" for way in WAYS)), rows))


if __name__ == "__main__":
    main()
