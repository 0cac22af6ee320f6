"""Upload the files of a customer, all at once or one by one. (docs: customers/upload-document)"""

from __future__ import annotations

import hashlib

from runner.sandbox import multipart
from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Problems
from runner.sandbox.fin.errors import GENERAL, ApiError, invalid, malformed
from runner.sandbox.fin.records import File
from runner.sandbox.multipart import Part

LARGEST_FILE = 10 * 1024 * 1024  # nothing is published; chosen
CUSTOMER = "customer_id"


def upload(book: Book, call: Call) -> Answer:
    """Any field names, in any order; what comes back has theirs. In every status of the customer (our choice)."""
    try:
        parts = multipart.parts(call.headers.get("content-type", ""), call.body)
    except multipart.NotMultipartError:
        raise ApiError(415, GENERAL[415]) from None
    except multipart.IncompleteError:
        raise malformed() from None
    problems: Problems = {}
    customer_id = _customer(book, parts, problems)
    files = [part for part in parts if part.name != CUSTOMER]
    if not files:
        problems["files"] = ["At least one file is required"]
    kinds = [_kind(part, problems) for part in files]
    if problems:
        raise invalid(problems)
    made = []
    for part, kind in zip(files, kinds, strict=True):
        file = _file(book, customer_id, part, kind)
        book.files[file.uri] = file
        made.append((part.name, file.uri))
    shown = dict(made) if book.settings.files_in_one_object else [{name: uri} for name, uri in made]
    return answer(200, {"data": {"files": shown}})


def sniff(content: bytes) -> str | None:
    """What the first bytes say the file is; names and declared types are not believed."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "pdf" if content.startswith(b"%PDF-") else None


def _customer(book: Book, parts: list[Part], problems: Problems) -> str:
    given = [part.content.decode("utf-8", "replace") for part in parts if part.name == CUSTOMER]
    if not given:
        problems[CUSTOMER] = ["customer_id is required"]
        return ""
    if given[0] not in book.customers:
        problems[CUSTOMER] = ["Customer not found"]
    return given[0]


def _kind(part: Part, problems: Problems) -> str:
    kind = sniff(part.content)
    if part.file_name is None:
        problems[part.name] = ["Must be a file"]
    elif not part.content:
        problems[part.name] = ["The file is empty"]
    elif len(part.content) > LARGEST_FILE:
        problems[part.name] = ["The file is larger than 10 MB"]
    elif kind is None:
        problems[part.name] = ["Allowed file types are PDF, JPG, JPEG, PNG"]
    return kind or ""


def _file(book: Book, customer_id: str, part: Part, kind: str) -> File:
    """`/AbAcQ4hn_0652746727637.pdf`: eight letters and digits, then thirteen digits."""
    drawn = book.new_hex("file")
    uri = f"/{drawn[:8]}_{int(drawn[8:24], 16) % 10**13:013d}.{kind}"
    digest = hashlib.sha256(part.content).hexdigest()
    return File(uri, customer_id, part.name, part.file_name or "", kind, len(part.content), digest, book.now())
