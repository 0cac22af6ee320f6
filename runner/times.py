"""Instants as people and machines read them: RFC 3339, UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def whole_seconds(at: float) -> str:
    """`2026-01-31T09:30:00Z`: what providers take in filters."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339(at: float) -> str:
    """`2026-01-31T09:30:00.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
