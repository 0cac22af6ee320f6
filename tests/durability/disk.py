"""A disk that knows what would be left of it: SQLite's own file calls, recorded, replayed, and refused on demand.

A shim between SQLite and the operating system (https://sqlite.org/vfs.html), made with ctypes: no compiler, no change
to the product. It is installed only in processes that `Machine` forks, never in that of the tests. They are real runs
of `onboard`: the runner is imported once and forked for each, because a sweep can't wait for hundreds of imports.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import importlib
import itertools
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_longlong, c_void_p
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from stage import PATIENCE, ROOT, unmeasured_environment

PLAYBOOK = Path(__file__).with_name("kill.playbook.yaml")

OK = 0
FULL = 13
CANTOPEN = 14
IOERR_FSYNC = 10 | 4 << 8
IOERR_SHMSIZE = 10 | 19 << 8
POWER_CUT = 137

_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_SetCall = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
_GetCall = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
_OpenFolder = CFUNCTYPE(c_int, c_void_p, POINTER(c_int))
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_longlong)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_longlong)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_ShmMap = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int, c_void_p)


class _Vfs(ctypes.Structure):
    _fields_ = (
        *[(name, c_int) for name in ("version", "file_size", "longest_path")],
        *[(name, c_void_p) for name in ("next", "name", "data", "open", "delete", "access", "full_path")],
        *[(name, c_void_p) for name in ("dl_open", "dl_error", "dl_sym", "dl_close", "randomness", "sleep")],
        *[(name, c_void_p) for name in ("time", "last_error", "time_64", "set_call", "get_call", "next_call")],
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", c_int),
        *[(name, c_void_p) for name in ("close", "read", "write", "truncate", "sync", "size", "lock", "unlock")],
        *[(name, c_void_p) for name in ("is_reserved", "control", "sector", "traits", "shm_map", "shm_lock")],
        *[(name, c_void_p) for name in ("shm_barrier", "shm_unmap", "fetch", "unfetch")],
    )


class Event(NamedTuple):
    """`found made write truncate sync delete` of a file, `folder` synced, `leave` and `reply` of a request."""

    kind: str
    name: str = ""
    at: int = 0
    data: bytes = b""


@dataclass
class Orders:
    """What the disk shall do wrong; 0 is never. Writes and syncs count from 1 and fail from the n-th on.

    `room`: so many bytes the files may still grow. `cut_at`: the power fails right after the n-th event.
    """

    full_from: int = 0
    room: int = 0
    sync_fails_from: int = 0
    cut_at: int = 0


@dataclass
class Disk:
    """The shim. `events` is everything that happened to any file of this process's databases, in order."""

    orders: Orders = field(default_factory=Orders)
    cut_power: Callable[[], object] = lambda: os._exit(POWER_CUT)
    events: list[Event] = field(default_factory=list)
    _writes: int = 0
    _syncs: int = 0
    _grown: int = 0
    _names: dict[int, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _mapped: set[tuple[str, int]] = field(default_factory=set)
    _kept: list[Any] = field(default_factory=list)
    _methods: dict[int, _Methods] = field(default_factory=dict)

    def install(self) -> None:
        self._library = library()
        self._real = _Vfs.from_address(self._library.sqlite3_vfs_find(None))
        self._vfs = _Vfs.from_buffer_copy(self._real)
        self._vfs.name = ctypes.cast(self._keep(ctypes.create_string_buffer(b"recorded")), c_void_p).value
        self._vfs.open = self._instead(_Open, self._open, self._real.open)
        self._vfs.delete = self._instead(_Delete, self._delete, self._real.delete)
        real, name = ctypes.addressof(self._real), b"openDirectory"
        ours = self._instead(_OpenFolder, self._open_folder, _GetCall(self._real.get_call)(real, name))
        assert OK == _SetCall(self._real.set_call)(real, name, ours)
        assert OK == self._library.sqlite3_vfs_register(ctypes.addressof(self._vfs), 1)

    def note(self, kind: str, name: str = "", at: int = 0, data: bytes = b"") -> None:
        self.events.append(Event(kind, name, at, data))
        if len(self.events) == self.orders.cut_at:
            self.cut_power()

    # -- in place of SQLite's own ------------------------------------------------------------------------------------

    def _open(self, real: Any, vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        path = Path(os.fsdecode(ctypes.string_at(name))) if name else None
        before = path.read_bytes() if path and path.name not in self._sizes and path.exists() else None
        is_new = path is not None and not path.exists()
        if is_new and self._is_full:
            return CANTOPEN
        code = int(real(vfs, name, file, flags, out))
        methods = c_void_p.from_address(file)
        if code == OK and path is not None and methods.value:
            self._names[file] = path.name
            methods.value = ctypes.addressof(self._watched(methods.value))
            if is_new or before is not None:
                self._sizes[path.name] = len(before or b"")
                self.note("made" if is_new else "found", path.name, 0, before or b"")
        return code

    def _watched(self, address: int) -> _Methods:
        if address not in self._methods:
            real = _Methods.from_address(address)
            ours = _Methods.from_buffer_copy(real)
            ours.write = self._instead(_Write, self._write, real.write)
            ours.truncate = self._instead(_Truncate, self._truncate, real.truncate)
            ours.sync = self._instead(_Sync, self._sync, real.sync)
            ours.shm_map = self._instead(_ShmMap, self._shm_map, real.shm_map)
            self._methods[address] = ours
        return self._methods[address]

    def _write(self, real: Any, file: int, data: int, size: int, at: int) -> int:
        self._writes += 1
        name = self._names[file]
        fits = self._fitting(name, size, at)
        # A full disk takes what still fits, then says no.
        code = int(real(file, data, fits, at)) if fits else OK
        if code == OK and fits:
            self._sizes[name] = max(self._sizes[name], at + fits)
            self.note("write", name, at, ctypes.string_at(data, fits))
        return code if fits == size else FULL

    def _fitting(self, name: str, size: int, at: int) -> int:
        if self.orders.full_from and self._writes >= self.orders.full_from:
            return size // 2
        growth = max(0, at + size - max(at, self._sizes[name]))
        if self.orders.room and self._grown + growth > self.orders.room:
            return size - growth
        self._grown += growth
        return size

    def _truncate(self, real: Any, file: int, size: int) -> int:
        code = int(real(file, size))
        if code == OK:
            self._sizes[self._names[file]] = size
            self.note("truncate", self._names[file], size)
        return code

    def _sync(self, real: Any, file: int, flags: int) -> int:
        self._syncs += 1
        if self.orders.sync_fails_from and self._syncs >= self.orders.sync_fails_from:
            return IOERR_FSYNC
        code = int(real(file, flags))
        if code == OK:
            self.note("sync", self._names[file])
        return code

    def _shm_map(self, real: Any, file: int, region: int, size: int, extend: int, out: int) -> int:
        key = (self._names[file], region)
        if extend and self._is_full and key not in self._mapped:
            return IOERR_SHMSIZE
        code = int(real(file, region, size, extend, out))
        if code == OK and extend:
            self._mapped.add(key)
        return code

    @property
    def _is_full(self) -> bool:
        return bool(self.orders.full_from) and self._writes + 1 >= self.orders.full_from

    def _delete(self, real: Any, vfs: int, name: int, is_synced: int) -> int:
        path = Path(os.fsdecode(ctypes.string_at(name)))
        code = int(real(vfs, name, is_synced))
        if code == OK:
            self._sizes.pop(path.name, None)
            self.note("delete", path.name)
            if is_synced:
                self.note("folder")
        return code

    def _open_folder(self, real: Any, name: int, out: Any) -> int:
        """SQLite opens a folder for one reason: to sync it."""
        code = int(real(name, out))
        if code == OK:
            self.note("folder")
        return code

    # -- plumbing ----------------------------------------------------------------------------------------------------

    def _instead(self, prototype: Any, ours: Callable[..., int], address: int | None) -> int | None:
        """A C function that calls `ours` with the real one in front; some kinds of files lack some calls."""
        if not address:
            return None
        real = self._keep(prototype(address))
        return ctypes.cast(self._keep(prototype(lambda *words: ours(real, *words))), c_void_p).value

    def _keep(self, thing: Any) -> Any:
        # C holds addresses of these: they must live as long as the process.
        self._kept.append(thing)
        return thing


def library() -> Any:
    """The SQLite that this Python uses. Raises AttributeError where its functions are hidden."""
    found = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    found.sqlite3_vfs_find.restype = c_void_p
    found.sqlite3_vfs_find.argtypes = [c_char_p]
    found.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
    found.sqlite3_vfs_unregister.argtypes = [c_void_p]
    return found


# -- the process that runs on such a disk ----------------------------------------------------------------------------


def live(order: Mapping[str, Any], answers: int) -> NoReturn:
    """The forked child: become `onboard WORDS` in its folder, on a disk that follows orders."""
    from runner.cli import main
    from runner.client import HttpClient
    from runner.journal.sqlite import SqliteJournal

    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    os.dup2(os.open(order.get("in.txt", os.devnull), os.O_RDONLY), 0)
    for stream, name in ((1, "out.txt"), (2, "err.txt")):
        os.dup2(os.open(order.get(name, name), os.O_CREAT | os.O_WRONLY | os.O_TRUNC), stream)
    if order["as_nobody"] and os.geteuid() == 0:
        os.setuid(65534)

    def end(code: int) -> NoReturn:
        if os.access(".", os.W_OK):
            Path("tape").write_bytes(pickle.dumps([tuple(event) for event in disk.events]))
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            # As an interpreter ends.
            code = 120
        os.write(answers, f"{order['id']} {code}\n".encode())
        os._exit(code)

    disk = Disk(Orders(**order["orders"]), lambda: end(POWER_CUT))
    disk.install()
    send, connect = HttpClient.send, SqliteJournal._connect

    async def sent(self: HttpClient, request: Any, headers: Any, *, leave: Any = None) -> Any:
        def left() -> Any:
            refusal = leave() if leave else None
            if refusal is None:
                disk.note("leave", f"{request.method} {request.target}", 0, request.body or b"")
            return refusal

        got = await send(self, request, headers, leave=left)
        disk.note("reply", f"{request.method} {request.target}")
        return got

    def connected(self: SqliteJournal) -> sqlite3.Connection:
        connection = connect(self)
        for pragma in order["pragmas"]:
            connection.execute(f"pragma {pragma}")
        return connection

    HttpClient.send, SqliteJournal._connect = sent, connected  # type: ignore[method-assign]
    if order["careless"]:
        module, _, name = order["careless"].partition(".")
        getattr(importlib.import_module(module), name)()
    code = 1
    try:
        code = main(order["words"])
    finally:
        end(code)


def serve(answers: int) -> None:
    """Fork for each line of standard input; the child says how it ended."""
    import anyio._backends._asyncio  # noqa: F401 - what a run imports late, children should find

    from runner.commands import doctor, resume, run, status  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            live(order, answers)


class Machine:
    """Runs `onboard` on a disk that follows orders. Several at once may ask."""

    def __init__(self) -> None:
        library()
        answers, told = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(told)],
            env=unmeasured_environment(ROOT) | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'e2e'}"},
            stdin=subprocess.PIPE,
            pass_fds=[told],
            text=True,
        )
        os.close(told)
        self._waiting: dict[int, Future[int]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        threading.Thread(target=self._read, args=(answers,), name="machine", daemon=True).start()

    def _read(self, answers: int) -> None:
        with os.fdopen(answers) as lines:
            for line in lines:
                number, code = line.split()
                self._waiting.pop(int(number)).set_result(int(code))

    def __call__(self, folder: Path, env: Mapping[str, str], *words: object, **more: Any) -> int:
        """The exit code of one process; its words are in `out.txt` and `err.txt`, what it did to the disk in `tape`.

        `more`: `orders` to the disk; `careless` names a function, `module.function`, that makes the runner worse; the
        `pragmas` of each connection; `as_nobody`, where we are root; `in.txt`, `out.txt`, `err.txt`: other files.
        """
        ended: Future[int] = Future()
        order = {"careless": "", "pragmas": [], "as_nobody": False, **more}
        order |= {
            "folder": str(folder),
            "env": unmeasured_environment(folder, **env),
            "words": [str(word) for word in words],
        }
        order["orders"] = asdict(order.get("orders") or Orders())
        with self._lock:
            order["id"] = next(self._numbers)
            self._waiting[order["id"]] = ended
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        return ended.result(timeout=PATIENCE)

    def stop(self) -> None:
        self._process.communicate(timeout=PATIENCE)


# -- what left, and what was written down before -----------------------------------------------------------------------

Sends = Counter[tuple[str, str, str]]
_STEPS = {"clients": "create", "documents": "upload", "deposits": "deposit", "withdrawals": "withdraw"}


def read_tape(path: Path) -> list[Event]:
    return [Event(*words) for words in pickle.loads(path.read_bytes())]


def send_of(event: Event) -> tuple[str, str, str] | None:
    """Client, step and reference of a create or money request as it left; None for anything else."""
    if event.kind != "leave" or not event.name.startswith("POST "):
        return None
    *_, owner, last = event.name.split("/")
    body = {} if last == "documents" else json.loads(event.data)
    return body.get("partner_client_id", owner), _STEPS[last], body.get("partner_order_ref", "")


def intents_in(database: sqlite3.Connection) -> Sends:
    rows = database.execute("select client, step, body from entries where kind = 'intent'")
    told = ((client, step, json.loads(body)["reference"]) for client, step, body in rows)
    # A create and an upload are known by client and step.
    return Counter((*who, reference if who[1] in ("deposit", "withdraw") else "") for *who, reference in told)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
