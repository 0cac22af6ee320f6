"""A multipart upload: text fields and documents, built whole in memory because the signature covers the bytes."""

from __future__ import annotations

import hashlib

from runner.actions.base import Exchange, Job, outside_path, path_of
from runner.answers import read
from runner.file_fields import rule_of
from runner.model.http import Part, Request, wire_text


def upload(job: Job) -> Exchange:
    """Yields the one multipart request; returns its reading."""
    return read(job.provider, job.operation, (yield request_of(job)))


def request_of(job: Job) -> Request:
    operation = job.operation
    parts: list[Part] = []
    for name, value in outside_path(operation, job.values).items():
        for entry in value if isinstance(value, list | tuple) else [value]:
            if entry is None:
                continue
            if rule_of(operation.request, name).get("x-file"):
                document = job.read_file(str(entry))
                parts.append(Part(name, document.content, document.filename, document.media_type))
            else:
                parts.append(Part(name, wire_text(entry).encode()))
    boundary = _boundary(parts)
    headers = {"accept": "application/json", "content-type": f"multipart/form-data; boundary={boundary}"}
    return Request(
        operation.method,
        path_of(operation, job.values),
        (),
        headers,
        _encode(parts, boundary),
        is_multipart=True,
        signed=operation.signed,
    )


def _boundary(parts: list[Part]) -> str:
    """The same parts give the same body; a digest of all content can't occur inside that content by accident."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.name}\0{part.filename}\0{len(part.content)}\0".encode())
        digest.update(part.content)
    return digest.hexdigest()[:48]


def _encode(parts: list[Part], boundary: str) -> bytes:
    pieces: list[bytes] = []
    for part in parts:
        disposition = f'form-data; name="{_quoted(part.name)}"'
        if part.filename:
            disposition += f'; filename="{_quoted(part.filename)}"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n"
        if part.media_type:
            head += f"Content-Type: {part.media_type}\r\n"
        pieces += [head.encode(), b"\r\n", part.content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces)


def _quoted(text: str) -> str:
    # As browsers do (WHATWG): only these three characters could end the header early.
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
