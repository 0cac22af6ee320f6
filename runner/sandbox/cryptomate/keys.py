"""Which API key is accepted, and the one used when nobody brings one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

HIGHEST_LEVEL = 3


def credentials(seed: int = 1) -> dict[str, str]:
    """The environment variables of a client that uses the development keys. They protect nothing."""
    return {
        "CRYPTOMATE_API_KEY": f"sandbox-{_drawn('api', seed)}",
        "CRYPTOMATE_WEBHOOK_KEY": f"sandbox-{_drawn('webhook', seed)}",
    }


def brought(env: Mapping[str, str], name: str) -> str | None:
    """A key from the environment, by itself or in a file; None when there is none."""
    if text := env.get(name):
        return text
    path = env.get(f"{name}_FILE")
    return Path(path).read_text("utf-8").strip() if path else None


def _drawn(kind: str, seed: int) -> str:
    return hashlib.sha256(f"cryptomate/sandbox/{kind}/{seed}".encode()).hexdigest()[:32]
