"""Fin.com, locally."""

from runner.sandbox.fin.keys import credentials
from runner.sandbox.fin.provider import Fin

build = Fin

__all__ = ["build", "credentials"]
