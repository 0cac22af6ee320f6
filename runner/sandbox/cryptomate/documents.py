"""Read one uploaded document: its form, its images, its metadata.

A request of the wrong form is refused with 400. What is wrong with the content is told with 200 in `rejected_items`;
where the line runs is not documented and our choice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from runner.sandbox.cryptomate import checks
from runner.sandbox.cryptomate.errors import bad
from runner.sandbox.cryptomate.records import Image

LARGEST_IMAGE = 10 * 1024 * 1024  # decoded (docs: /clients/kyc-image-guidelines)
# Encoded, such an image and its data URI are longer than any text of this many characters.
LARGEST_TEXT = LARGEST_IMAGE * 2
MEDIA_TYPES = frozenset({"image/jpeg", "image/jpg", "image/png"})
_DATA_URI = re.compile(r"data:([^;,]*)(?:;[^;,]+)*;base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """One document as it was sent."""

    type: str
    front: str | None
    back: str | None
    replace: bool
    metadata: Mapping[str, Any]


def read(data: Mapping[str, Any]) -> Upload:
    """`{"document": {...}}`, whose form is right. (docs: IC/complete-product-documentation)"""
    given = checks.inner(data, "document")
    metadata = {} if given.get("metadata") is None else checks.inner(given, "metadata")
    if any(isinstance(value, (dict, list)) for value in metadata.values()):
        raise bad("metadata must be flat")
    metadata = {name: str(value) if isinstance(value, Decimal) else value for name, value in metadata.items()}
    return Upload(
        checks.text(given, "document_type", "document."),
        _image(given, "image_front"),
        _image(given, "image_back"),
        checks.flag(given, "replace") or False,
        metadata,
    )


def problems(upload: Upload, entry: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a document from being taken, by what the requirement says of its type."""
    if upload.back is None and entry["require_back_image"]:
        yield "image_back is required"
    for name, text in (("image_front", upload.front), ("image_back", upload.back)):
        if text is not None and isinstance(found := image(text), str):
            yield f"{name} {found}"
    for field in entry["metadata"]:
        if field["required"] and str(upload.metadata.get(field["id"]) or "").strip() == "":
            yield f"metadata {field['id']} is required"


def image(text: str) -> Image | str:
    """The measure of an image, or what is wrong with it. The bytes decide, whatever the media type says."""
    start = _DATA_URI.match(text)
    if start and start[1].lower() not in MEDIA_TYPES:
        return "must be JPG or PNG"
    if len(text) > LARGEST_TEXT:
        return "is larger than 10 MB"
    try:
        content = base64.b64decode(text[start.end() :] if start else text, validate=True)
    except (binascii.Error, ValueError):
        return "is not valid base64"
    if not content:
        return "is empty"
    if len(content) > LARGEST_IMAGE:
        return "is larger than 10 MB"
    kind = sniff(content)
    if kind is None:
        return "must be JPG or PNG"
    return Image(kind, len(content), hashlib.sha256(content).hexdigest())


def sniff(content: bytes) -> str | None:
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return None


def _image(given: Mapping[str, Any], field: str) -> str | None:
    value = given.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise bad(f"document.{field} must be a base64 string")
    return value
