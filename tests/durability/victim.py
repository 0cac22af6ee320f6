"""`onboard`, run so that it can be killed at an exact instant. A process that makes processes: it imports the runner
once and forks for each run, because a matrix of hundreds of kills can't wait for hundreds of imports.

Reads one JSON line per run from standard input, answers with one line when that run's process has ended. The product
has no hooks for this: the functions around an instant are wrapped here, in the child.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from runner import settle
from runner.cli import main
from runner.client import HttpClient
from runner.clock import SystemClock
from runner.effects import Known, Move, Reply, Sight, decide
from runner.journal.sqlite import SqliteJournal

Awaited = Callable[..., Coroutine[Any, Any, Any]]

# So long a stopped process sleeps: longer than the send window of the matrix's pack.
STOPPED = 4.0
# Ids and references of this run, which would give one instant many names.
_OURS = re.compile(r"/[^/]*\d[^/]*")
_DIGEST = re.compile(r"-[0-9a-f]{8}")


class Instants:
    """Counts the instants of this process, writes each down, and strikes at one of them."""

    def __init__(self, strike: str, action: str) -> None:
        self._strike = strike
        self._action = action
        self._seen: Counter[str] = Counter()
        # Written at once: a killed process has no time to say where it died.
        self._log = os.open("instants", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)

    def reached(self, name: str) -> None:
        self._seen[name] += 1
        instant = f"{name}#{self._seen[name]}"
        os.write(self._log, f"{instant}\n".encode())
        if instant == self._strike:
            if self._action == "stop":
                subprocess.Popen(["sh", "-c", f"sleep {STOPPED}; kill -CONT {os.getpid()}"])
                os.kill(os.getpid(), signal.SIGSTOP)
            else:
                os.kill(os.getpid(), signal.SIGKILL)


def watch(instants: Instants) -> None:
    """An instant before and after whatever is written down or sent, and before each wait."""
    begin, finish, send = SqliteJournal.begin, SqliteJournal.finish, HttpClient.send
    open_run, settle_client, close_run = SqliteJournal.open_run, SqliteJournal.settle_client, SqliteJournal.close_run
    sleep = SystemClock.sleep

    async def begun(self: SqliteJournal, run: int, client: str, key: Any, *words: Any, **more: Any) -> bool:
        instants.reached(f"before-intent {_step(key.step)}")
        is_ours = await begin(self, run, client, key, *words, **more)
        instants.reached(f"after-intent {_step(key.step)}")
        return is_ours

    async def finished(self: SqliteJournal, run: int, client: str, key: Any, *words: Any, **more: Any) -> None:
        instants.reached(f"before-outcome {_step(key.step)}")
        await finish(self, run, client, key, *words, **more)
        # Queued is not on disk: whether this one survives is up to the writer's thread.
        instants.reached(f"queued-outcome {_step(key.step)}")
        await self.flush()
        instants.reached(f"after-outcome {_step(key.step)}")

    async def sent(self: HttpClient, request: Any, *words: Any, **more: Any) -> Any:
        got = await send(self, request, *words, **more)
        instants.reached(f"reply {request.method} {_name(request.target)}")
        return got

    async def slept(self: SystemClock, seconds: float) -> None:
        instants.reached("waiting")
        await sleep(self, seconds)

    def around(function: Awaited, name: str) -> Awaited:
        async def wrapped(*words: Any, **more: Any) -> Any:
            instants.reached(f"before-{name}")
            got = await function(*words, **more)
            instants.reached(f"after-{name}")
            return got

        return wrapped

    for owner, name, function in (
        (SqliteJournal, "begin", begun),
        (SqliteJournal, "finish", finished),
        (HttpClient, "send", sent),
        (SystemClock, "sleep", slept),
        (SqliteJournal, "open_run", around(open_run, "run")),
        (SqliteJournal, "settle_client", around(settle_client, "client")),
        (SqliteJournal, "close_run", around(close_run, "end")),
    ):
        setattr(owner, name, function)


def _step(key: str) -> str:
    """`complete/data` of `complete/data-55662b5c`: what is supplied has a digest of it in its name."""
    return _DIGEST.sub("", key)


def _name(target: str) -> str:
    """`/orders/ref` of `/v1/partner/orders/ref/deposit-user-1-02dd?page=1`."""
    return _OURS.sub("", target.partition("?")[0].removeprefix("/v1/partner"))


# -- what a careless runner would do: the matrix must see it pay twice ---------------------------------------


def blindly(known: Known) -> Move:
    """No answer? Send again."""
    if known.sight is None and known.reply in (None, Reply.LOST):
        return Move.SEND
    return decide(known)


def looking_at_once(known: Known) -> Move:
    """No answer? Look, and when nothing is there, send again."""
    if known.sight is Sight.ABSENT:
        known = replace(known, past_horizon=True)
    return decide(known)


STRATEGIES: Mapping[str, Callable[[Known], Move]] = {"blind": blindly, "at-once": looking_at_once, "": decide}


def live(order: Mapping[str, Any]) -> NoReturn:
    """The child: become `onboard WORDS` in its folder."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    out = os.open("out.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    watch(Instants(order["strike"], order["action"]))
    vars(settle)["decide"] = STRATEGIES[order["strategy"]]
    if offset := order["clock_offset"]:
        now = SystemClock.now
        SystemClock.now = lambda self: now(self) + offset  # type: ignore[method-assign]
    code = 70
    try:
        code = main(order["words"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Fork for each line of standard input; at its end, wait for nobody."""
    children: dict[int, int] = {}
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    orders = selectors.DefaultSelector()
    orders.register(sys.stdin.fileno(), selectors.EVENT_READ)
    orders.register(woken, selectors.EVENT_READ)
    rest = b""
    while True:
        for ready, _ in orders.select():
            if ready.fd == woken:
                os.read(woken, 4096)
                continue
            got = os.read(sys.stdin.fileno(), 65536)
            if not got:
                return
            *lines, rest = (rest + got).split(b"\n")
            for line in lines:
                order = json.loads(line)
                child = os.fork()
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    live(order)
                children[child] = order["id"]
        while children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                break
            told = {"id": children.pop(child), "code": os.waitstatus_to_exitcode(status)}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    serve()
