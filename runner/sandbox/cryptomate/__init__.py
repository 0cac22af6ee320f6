"""CryptoMate, locally."""

from runner.sandbox.cryptomate.keys import credentials
from runner.sandbox.cryptomate.provider import CryptoMate

build = CryptoMate

__all__ = ["build", "credentials"]
