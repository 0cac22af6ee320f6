"""Upload and list the documents of a client."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.clock import iso
from runner.sandbox.coinmena import clients, multipart
from runner.sandbox.coinmena.book import Book
from runner.sandbox.coinmena.checks import REQUIRED
from runner.sandbox.coinmena.errors import ApiError
from runner.sandbox.coinmena.multipart import Part
from runner.sandbox.coinmena.records import Document, File

TYPES = (
    "bank_statement",
    "government_id",
    "inquiry_report",
    "proof_of_address",
    "residency_visa",
    "source_of_funds",
)
LARGEST_FILE = 5 * 1024 * 1024
BUCKET = "https://s3.me-south-1.amazonaws.com/coinmena-sandbox"
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
HEIF_BRANDS = frozenset({b"mif1", b"msf1", b"heif"})


def upload(book: Book, call: Call) -> Answer:
    client = clients.known(book, call.params["partner_client_id"])
    parts = multipart.parts(call.headers.get("content-type", ""), call.body)
    kind, problems = _type(parts.get("type"))
    front, back = parts.get("front_file"), parts.get("back_file")
    if front is None:
        problems["front_file"] = [REQUIRED]
    files: dict[str, File] = {}
    for name, part in (("front_file", front), ("back_file", back)):
        if part is not None:
            found = _file(part)
            if isinstance(found, str):
                problems[name] = [found]
            else:
                files[name] = found
    if problems:
        raise ApiError(422, problems)
    document = Document(
        book.next_id("document"), client, kind, files["front_file"], files.get("back_file"), book.clock.now()
    )
    book.add_document(document)
    return answer(201, {"result": to_json(document, book.clock.now())})


def listed(book: Book, call: Call) -> Answer:
    client = clients.shown(book, call.params["partner_client_id"])
    found = book.documents.get(client.partner_client_id, ())
    now = book.clock.now()
    return answer(200, {"items": [to_json(document, now) for document in found if book.visible(document.created)]})


def to_json(document: Document, now: float) -> dict[str, Any]:
    return {
        "id": document.id,
        "type": document.type,
        "front_file": _presigned(document, document.front, "front", now),
        "back_file": _presigned(document, document.back, "back", now) if document.back else None,
        "created_at": iso(document.created),
    }


def sniff(content: bytes) -> str | None:
    """What the first bytes say the file is; names and declared types are not believed."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return "heic" if brand in HEIC_BRANDS else "heif" if brand in HEIF_BRANDS else None
    return None


def _type(part: Part | None) -> tuple[str, dict[str, Any]]:
    if part is None:
        return "", {"type": [REQUIRED]}
    kind = part.content.decode("utf-8", "replace")
    return kind, {} if kind in TYPES else {"type": [f"Must be one of: {', '.join(TYPES)}."]}


def _file(part: Part) -> File | str:
    if part.file_name is None:
        return "Must be a file."
    if not part.content:
        return "The file is empty."
    if len(part.content) > LARGEST_FILE:
        return "The file is larger than 5 MB."
    kind = sniff(part.content)
    if kind is None:
        return "Must be JPEG, PNG, HEIC, HEIF or PDF."
    return File(part.file_name, kind, len(part.content), hashlib.sha256(part.content).hexdigest())


def _presigned(document: Document, file: File, side: str, now: float) -> str:
    """Shaped like the provider's sample, new on every read, and never to be fetched."""
    opaque = hashlib.sha256(f"{document.id}/{side}".encode()).hexdigest()[:24]
    date = datetime.fromtimestamp(int(now), UTC).strftime("%Y%m%dT%H%M%SZ")
    signature = hashlib.sha256(f"{opaque}/{date}".encode()).hexdigest()
    path = f"clients/{document.client.id}/{document.type}/{opaque}.{file.kind}"
    return f"{BUCKET}/{path}?X-Amz-Date={date}&X-Amz-Expires=900&X-Amz-Signature={signature}"
