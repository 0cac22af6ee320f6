"""Instants as people and machines read them: RFC 3339, UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

# The last second that has four digits for its year.
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def day_of(at: float) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(at, UTC).date()


def today() -> date:
    """The day in UTC now."""
    return datetime.now(UTC).date()


def whole_seconds(at: float) -> str:
    """`2026-01-31T09:30:00Z`: what providers take in filters."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339(at: float) -> str:
    """`2026-01-31T09:30:00.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> float | None:
    """The instant that a text such as `2026-01-31T09:30:00Z` writes, None when it writes none, or no zone."""
    try:
        told = datetime.fromisoformat(text)
        at = told.timestamp() if told.tzinfo else -1.0
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at <= _LAST else None


def from_http(text: str) -> float | None:
    """The instant that an HTTP header such as `Date` or `Retry-After` writes, None when it writes none."""
    try:
        told = parsedate_to_datetime(text)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
