"""Serve applications on real sockets until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import uvicorn

from runner.sandbox.app import App
from runner.sandbox.connection import Connection

Ready = Callable[[list[tuple[str, str]]], None]
"""Called once, with the (name, url) of every application, as soon as all of them listen."""

# Longer than any client keeps an idle connection, so that it is never we who close it under a request.
KEEP_ALIVE_SECONDS = 600


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only on sockets that say TCP: without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def ports_from(port: int, count: int) -> list[int]:
    """Consecutive ports; with 0 every application takes a free one."""
    return [port + index if port else 0 for index in range(count)]


async def run(apps: Sequence[App], host: str, ports: Sequence[int], ready: Ready, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; raises OSError when a port is taken."""
    listeners: list[socket.socket] = []
    with contextlib.ExitStack() as closing:
        for port in ports:
            listeners.append(closing.enter_context(bind(host, port)))
        servers = [_server(app) for app in apps]
        serving = [
            asyncio.create_task(server.serve(sockets=[listener]))
            for server, listener in zip(servers, listeners, strict=True)
        ]
        ready([(app.name, _url(listener)) for app, listener in zip(apps, listeners, strict=True)])
        await stop.wait()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*serving)
        for app in apps:
            await app.close()


def serve(apps: Sequence[App], host: str, ports: Sequence[int], ready: Ready, until: Callable[[], None] | None) -> None:
    """Serve until SIGTERM, SIGINT, or until the blocking function `until` returns."""

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if until is not None:
            threading.Thread(target=_then, args=(until, loop, stop), daemon=True).start()
        await run(apps, host, ports, ready, stop)

    asyncio.run(main())


@contextlib.contextmanager
def background(apps: Sequence[App], host: str = "127.0.0.1", port: int = 0) -> Iterator[dict[str, str]]:
    """Serve from a thread of this process; gives name → url, ends with the block."""
    urls: dict[str, str] = {}
    listening, failures = threading.Event(), list[BaseException]()
    stop, loop = asyncio.Event(), asyncio.new_event_loop()

    def ready(found: list[tuple[str, str]]) -> None:
        urls.update(found)
        listening.set()

    def main() -> None:
        try:
            loop.run_until_complete(run(apps, host, ports_from(port, len(apps)), ready, stop))
        except BaseException as failure:
            failures.append(failure)
        finally:
            loop.close()
            listening.set()

    thread = threading.Thread(target=main, daemon=True)
    thread.start()
    listening.wait()
    if failures:
        raise failures[0]
    try:
        yield urls
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours: several servers share one process, and one signal ends them all."""
        yield


def _server(app: App) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,  # the app's own clock writes it
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
    )


def _then(until: Callable[[], None], loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    until()
    with contextlib.suppress(RuntimeError):  # the loop has closed: someone else stopped it first
        loop.call_soon_threadsafe(stop.set)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
