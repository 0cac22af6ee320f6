"""Local providers over real HTTP. They share no code with the runner, so no wrong belief confirms itself."""

from __future__ import annotations

from runner.sandbox import coinmena
from runner.sandbox.base import Sandbox
from runner.sandbox.options import Options

SANDBOXES: dict[str, Sandbox] = {
    "coinmena": coinmena,
}

__all__ = ["SANDBOXES", "Options"]
