"""Documents on disk: inside their root, of a format and size the provider takes, before anything is sent."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from runner.actions import FileContent
from runner.model.problem import Problem, ProblemError
from runner.model.provider import FileLimits

MEDIA_TYPES = {
    "heic": "image/heic",
    "heif": "image/heif",
    "jpeg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_HEIF_BRANDS = {b"mif1", b"msf1", b"heif"}
HEAD = 64


def sniff(head: bytes) -> str:
    """The format by content, never by name: jpeg, png, pdf, heic, heif, or "" when it is none of them."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "heic" if brand in _HEIC_BRANDS else "heif" if brand in _HEIF_BRANDS else ""
    return ""


@dataclass(frozen=True, slots=True)
class Documents:
    """The folder that document paths are relative to, and what the provider takes."""

    root: Path
    limits: FileLimits
    provider: str = "the provider"

    def check(self, name: str) -> Problem | None:
        """What is wrong with this document, or None. Opens it, reads its first bytes, sends nothing."""
        try:
            self._open(name)
        except ProblemError as error:
            return error.problems[0]
        return None

    def read(self, name: str) -> FileContent:
        """The whole document. Raises ProblemError when it is missing, outside the root, too large or unfit."""
        path, found = self._open(name)
        content = path.read_bytes()
        # The client's own file name may say who it is: the provider sees a neutral one.
        suffix = "jpg" if found == "jpeg" else found
        return FileContent(
            content,
            f"document.{suffix}" if suffix else "document",
            MEDIA_TYPES.get(found, "application/octet-stream"),
        )

    def digest(self, names: Iterable[str]) -> str:
        """One digest over all these documents; what can't be read counts by its name alone."""
        whole = hashlib.sha256()
        for name in names:
            whole.update(name.encode() + b"\0")
            try:
                whole.update(hashlib.sha256(resolve(self.root, name).read_bytes()).digest())
            except (OSError, ProblemError):
                continue
        return whole.hexdigest()

    def stamp(self, name: str) -> str:
        """A digest of this document's content; "" when it can't be read."""
        try:
            return hashlib.sha256(resolve(self.root, name).read_bytes()).hexdigest()
        except (OSError, ProblemError):
            return ""

    def _open(self, name: str) -> tuple[Path, str]:
        path = resolve(self.root, name)
        try:
            # Asked before opening: whoever opens a pipe for reading waits until somebody writes into it.
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                found = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
                message = f'document "{name}" is {found}, expected a file'
                raise _problem("documents.not-a-file", message, "name the file itself")
            with path.open("rb") as file:
                head = file.read(HEAD)
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "is not there" if missing else f"can't be read ({(error.strerror or 'no reason given').lower()})"
            hint = f'put it into "{self.root}" or name another folder with --documents'
            raise _problem(
                "documents.missing" if missing else "documents.unreadable",
                f'document "{name}" {reason}',
                hint,
            ) from None
        if size == 0:
            raise _problem("documents.empty", f'document "{name}" is empty', "export or scan it again")
        if self.limits.max_bytes and size > self.limits.max_bytes:
            raise _problem(
                "documents.too-large",
                f'document "{name}" has {size:,} bytes, {self.provider} takes at most {self.limits.max_bytes:,}',
                "scan it with fewer dots per inch or save it with more compression",
            )
        found = sniff(head)
        if self.limits.formats and found not in self.limits.formats:
            wanted = ", ".join(entry.upper() for entry in self.limits.formats)
            seen = f"is {found.upper()} by its content" if found else "is of no known format by its content"
            raise _problem(
                "documents.format",
                f'document "{name}" {seen}, {self.provider} takes {wanted}',
                "save it in one of these formats; the name's ending does not matter",
            )
        return path, found


Checker = Callable[[str], Problem | None]


def resolve(root: Path, name: str) -> Path:
    """The path inside `root`. Raises ProblemError for an absolute path, `..`, or a link that leads out of it."""
    hint = f'keep documents below "{root}" or name another folder with --documents'
    if not name or "\0" in name:
        raise _problem("documents.missing", "the document's path is empty", hint)
    relative = Path(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise _problem("documents.outside", f'document "{name}" leaves the documents folder', hint)
    path = root / relative
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        inside = False
    if not inside:
        raise _problem("documents.outside", f'document "{name}" is a link that leaves the documents folder', hint)
    return path


def _problem(code: str, message: str, hint: str) -> ProblemError:
    return ProblemError([Problem(code, message, hint=hint)])
