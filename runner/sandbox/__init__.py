"""Local providers over real HTTP. They share no code with the runner, so no wrong belief confirms itself."""

from __future__ import annotations

from runner.sandbox import coinmena, cryptomate, fin
from runner.sandbox.base import Sandbox
from runner.sandbox.options import Options

SANDBOXES: dict[str, Sandbox] = {
    "coinmena": coinmena,
    "cryptomate": cryptomate,
    "fin": fin,
}

__all__ = ["SANDBOXES", "Options"]
