"""The state folder: for its owner only, also when somebody else made it, and on a disk of this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runner.model.problem import Problem

# What a run keeps there about people; a folder that is used for other things too keeps the modes of those.
KEPT = ("journal.db", "stdin-")
NETWORK = frozenset({"afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"})
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def tighten(folder: Path) -> Problem | None:
    """Take from others what they may do with a folder that is there and with what is kept in it.

    A warning when that is impossible: it belongs to somebody else, or its file system has no modes.
    """
    for path in _kept(folder):
        try:
            found = path.stat()
        except OSError:
            continue  # not there, or whoever uses it next says why it can't be
        if found.st_mode & OTHERS and (reason := _close(path, found)):
            mode = f"{stat.S_IMODE(found.st_mode):04o}"
            message = f'"{path}" is open to other users (mode {mode}), and that can\'t be changed: {reason}'
            hint = "name a folder of your own with --state"
            return Problem("state.open-to-others", message, hint=hint, severity="warning")
    return None


def on_network(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> Problem | None:
    """A warning when the folder is on another machine's disk: SQLite's log needs memory that processes share.

    Where the system does not list its mounts nobody can tell.
    """
    path, kind = folder.absolute(), ""
    deepest = -1
    with suppress(OSError):
        for line in mounts.read_text("utf-8", "replace").splitlines():
            _, point, found, *_ = [*line.split(" "), "", ""]
            parts = Path(point.replace("\\040", " ")).parts
            if path.parts[: len(parts)] == parts and len(parts) > deepest:
                deepest, kind = len(parts), found
    if kind not in NETWORK:
        return None
    message = f'"{folder}" is on a network file system ({kind}), where the journal can\'t be kept safe'
    hint = "name a folder on a disk of this machine with --state"
    return Problem("state.network", message, hint=hint, severity="warning")


def _kept(folder: Path) -> Iterator[Path]:
    """The folder first: from then on nobody else can exchange what is in it."""
    yield folder
    with suppress(OSError):
        yield from sorted(path for path in folder.iterdir() if path.name.startswith(KEPT) and not path.is_symlink())


def _close(path: Path, found: os.stat_result) -> str:
    """Why it stays open to others, empty when it is closed now."""
    if found.st_uid != os.geteuid():
        return "it belongs to another user"
    if found.st_mode & stat.S_ISVTX:
        return "it is shared by many, like /tmp"
    try:
        # By its name, never through an open file: closing that would take SQLite's locks away.
        path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
        is_open = path.stat().st_mode & OTHERS
    except OSError as error:
        return (error.strerror or "no reason given").lower()
    return "its file system keeps no modes" if is_open else ""
