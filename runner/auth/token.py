"""A bearer token: issued for credentials, renewed before it ends, shared by everybody in the run. Kept in memory only.

Its end is an instant of the server's clock, so what counts is how far that lies from the server's own "now", measured
from when we asked: the clock of this machine has no say.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import anyio

from runner.auth.base import Ask, NoAuth
from runner.clock import Clock
from runner.model.http import NoAnswer, Request, Response, Trouble
from runner.model.secret import Secret
from runner.templates import Template, compile_text, render
from runner.times import from_http

# Renewed when less than this part of its life is left, so that no request leaves with one that ends on the way.
_REST = 0.1
# So long an old token is used before it is tried again to renew it.
_PAUSE = 5.0
# For a server that does not say how long: it is asked again when it refuses.
_UNTOLD = 3600.0
# Whatever it calls it: what was handed in brings no token.
_NO = (400, 401, 403, 422)


@dataclass(frozen=True, slots=True)
class _Token:
    """All by the clock since boot: renewed at `until`, by refreshing before `renew_until`; of no use after `ends`."""

    value: str
    until: float
    renewal: str = ""
    renew_until: float = 0.0
    ends: float = -math.inf


class TokenAuth(NoAuth):
    """One token for the whole run, fetched by whoever needs it first while the others wait."""

    def __init__(
        self, recipe: Mapping[str, Any], credentials: Mapping[str, Secret | str], clock: Clock, title: str
    ) -> None:
        self._recipe = recipe
        self._credentials = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in credentials.items()
        }
        self._value: Template = compile_text(recipe.get("value", "Bearer {{ token }}"))
        self._header = str(recipe.get("header", "Authorization"))
        self._clock = clock
        self._title = title
        self._token: _Token | None = None
        self._denied: Response | None = None
        self._seen: dict[str, None] = {}
        self._door = anyio.Lock()
        self.corrections = 0

    async def ready(self, ask: Ask) -> Response | NoAnswer | None:
        if self._is_fresh():
            return None
        async with self._door:
            if self._is_fresh():
                return None
            if self._denied is not None:
                # Credentials that were refused once are refused to everybody: asking again may lock the account.
                return self._denied
            old, before = self._token, self.corrections
            got = await self._fetch(ask)
            is_over = old is None or old.ends <= self._clock.elapsed() or self.corrections != before
            if got is None or got is self._denied or old is None or is_over:
                return got
            # Nobody could renew it just now, and it has not ended yet.
            self._token = replace(old, until=min(old.ends, self._clock.elapsed() + _PAUSE))
            return None

    def headers(self, request: Request) -> Mapping[str, str]:
        token = self._token.value if self._token else ""
        return {self._header: str(self._value.render({"token": token}))}

    def refused(self, headers: Mapping[str, str]) -> None:
        if self._token and headers == self.headers(Request("GET", "/")):
            # Somebody ended it before its time. What renews it may be as dead, so it is issued anew. Who waits for his
            # turn meanwhile goes out with the old one, and learns it in the same way.
            self._end()
            self.corrections += 1

    def secrets(self) -> Collection[str]:
        return self._seen

    def _is_fresh(self) -> bool:
        return self._token is not None and self._clock.elapsed() < self._token.until

    def _end(self) -> None:
        """Used up, and so is what would renew it."""
        if self._token:
            self._token = _Token(self._token.value, -math.inf)

    async def _fetch(self, ask: Ask) -> Response | NoAnswer | None:
        got: Response | NoAnswer | None = None
        if self._token and self._token.renewal and self._clock.elapsed() < self._token.renew_until:
            got = await self._call(ask, "refresh", {"refresh_token": self._token.renewal})
        if got is None or (isinstance(got, Response) and got.status in (*_NO, 404)):
            got = await self._call(ask, "issue", {})
        if isinstance(got, NoAnswer):
            return _nothing(got.message)
        if got.status in _NO:
            self._denied = Response(401, got.headers, got.body, got.is_json)
            return self._denied
        if got.status == 429:
            return got
        if not 200 <= got.status < 300:
            return _nothing(f"{self._title} gave no token (HTTP {got.status})")
        return None if self._token is not None and self._is_fresh() else _nothing(f"{self._title} gave no usable token")

    async def _call(self, ask: Ask, name: str, scope: Mapping[str, str]) -> Response | NoAnswer:
        rule = self._recipe[name]
        body = render(rule["body"], {**self._credentials, **scope})
        headers = {"accept": "application/json", "content-type": "application/json"}
        asked = self._clock.elapsed()
        got = await ask(Request("POST", rule["path"], (), headers, json.dumps(body).encode(), signed=False))
        if isinstance(got, Response) and 200 <= got.status < 300:
            self._take(got.body, asked, from_http(got.headers.get("date", "")))
        return got

    def _take(self, body: Any, asked: float, told: float | None) -> None:
        """Read the reply, in its envelope or bare; what can't be read leaves us without a token.

        `told` is the server's clock by its `Date`, for a reply that does not tell it.
        """
        self._end()
        inner = body.get(self._recipe["unwrap"]) if isinstance(body, Mapping) and "unwrap" in self._recipe else None
        fields = inner if isinstance(inner, Mapping) else body
        if not isinstance(fields, Mapping):
            return
        value, renewal = (fields.get(self._recipe.get(name, "")) for name in ("token", "refresh_token"))
        if not isinstance(value, str) or not value:
            return
        stated = instant(fields.get(self._recipe.get("now", "")))
        now = told if stated is None else stated
        life = self._life(fields, "ends", now)
        self._token = _Token(
            value,
            asked + life * (1 - _REST),
            renewal if isinstance(renewal, str) else "",
            asked + self._life(fields, "refresh_ends", now) * (1 - _REST),
            asked + life,
        )
        self.corrections += 1
        for secret in (value, renewal):
            if isinstance(secret, str):
                self._seen[secret] = None

    def _life(self, fields: Mapping[str, Any], name: str, now: float | None) -> float:
        """Seconds from the server's now to the end it names."""
        ends = instant(fields.get(self._recipe.get(name, "")))
        if ends is None:
            return _UNTOLD
        return ends - (self._clock.now() if now is None else now)


def _nothing(message: str) -> NoAnswer:
    """Without a token nothing was sent, whatever became of the question for one."""
    return NoAnswer(Trouble.NOT_CONNECTED, f"no access token: {message}", 'try again later: "onboard resume"')


def instant(text: object) -> float | None:
    """What a text such as `2026-01-31 09:30:00+00` names, UTC where it names no zone; None for no instant."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
