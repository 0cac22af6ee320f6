"""One request and one response as values; no socket, no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode


class Trouble(StrEnum):
    """Why there is no usable answer. Only NOT_CONNECTED and EXPIRED prove that nothing was applied."""

    NOT_CONNECTED = "not-connected"
    EXPIRED = "expired"
    TIMEOUT = "timeout"
    DROPPED = "dropped"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body; `filename` empty for a text field."""

    name: str
    content: bytes
    filename: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it is signed. `path` is percent-encoded and starts with `/`; `query` keeps its order.

    `body` holds the very bytes that leave. `shown` is what a plan may print of the body.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_multipart: bool = False
    signed: bool = True

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer. `body` is parsed JSON (fractions as Decimal) when `is_json`, else the text."""

    status: int
    headers: Mapping[str, str]
    body: Any = None
    is_json: bool = False

    @property
    def retry_after(self) -> str:
        return self.headers.get("retry-after", "")


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """What came instead of an answer: the trouble, a sentence without addresses or data, and a hint."""

    trouble: Trouble
    message: str
    hint: str = ""


def wire_text(value: Any) -> str:
    """A scalar as it stands in a path, a query or a form: `true`, `12`, `10.50`, text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)
