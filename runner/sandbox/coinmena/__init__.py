"""CoinMENA, locally."""

from runner.sandbox.coinmena.keys import credentials
from runner.sandbox.coinmena.provider import CoinMena

build = CoinMena

__all__ = ["build", "credentials"]
