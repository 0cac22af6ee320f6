"""The credentials that are accepted, and those used when nobody brings any."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

NAMES = ("FIN_CLIENT_ID", "FIN_CLIENT_SECRET", "FIN_WEBHOOK_SECRET")


def credentials(seed: int = 1) -> dict[str, str]:
    """The environment variables of a client that uses the development credentials. They protect nothing."""
    return {name: f"sandbox-{_drawn(name, seed)}" for name in NAMES}


def brought(env: Mapping[str, str], name: str) -> str | None:
    """A credential from the environment, by itself or in a file; None when there is none."""
    if text := env.get(name):
        return text
    path = env.get(f"{name}_FILE")
    return Path(path).read_text("utf-8").strip() if path else None


def _drawn(name: str, seed: int) -> str:
    return hashlib.sha256(f"fin/sandbox/{name}/{seed}".encode()).hexdigest()[:32]
