"""One header that carries the key itself."""

from __future__ import annotations

from collections.abc import Mapping

from runner.auth.base import NoAuth
from runner.model.http import Request
from runner.model.secret import Secret


class KeyAuth(NoAuth):
    def __init__(self, header: str, key: Secret | str) -> None:
        self._header = header
        self._key = key

    def headers(self, request: Request) -> Mapping[str, str]:
        return {self._header: self._key.reveal() if isinstance(self._key, Secret) else self._key}
