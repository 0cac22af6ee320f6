"""Prove who we are, afresh for each attempt: the one place where a secret is opened. A scheme is data in the pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.auth.base import Auth, NoAuth, ServerClock
from runner.auth.key import KeyAuth
from runner.auth.signature import SignatureAuth
from runner.auth.token import TokenAuth
from runner.clock import Clock
from runner.model.provider import Provider
from runner.model.secret import Secret

__all__ = ["SCHEMES", "Auth", "KeyAuth", "NoAuth", "ServerClock", "SignatureAuth", "TokenAuth", "make_auth"]

Credentials = Mapping[str, Secret | str]


def _none(provider: Provider, credentials: Credentials, clock: Clock) -> Auth:
    return NoAuth()


def _api_key(provider: Provider, credentials: Credentials, clock: Clock) -> Auth:
    return KeyAuth(provider.auth["header"], credentials[provider.auth["key"]])


def _signature(provider: Provider, credentials: Credentials, clock: Clock) -> Auth:
    return SignatureAuth(provider.auth, credentials, clock)


def _token(provider: Provider, credentials: Credentials, clock: Clock) -> Auth:
    return TokenAuth(provider.auth, credentials, clock, provider.title)


SCHEMES: dict[str, Callable[[Provider, Credentials, Clock], Auth]] = {
    "api-key": _api_key,
    "none": _none,
    "signature": _signature,
    "token": _token,
}


def make_auth(provider: Provider, credentials: Credentials, clock: Clock) -> Auth:
    """The pack's scheme with these credentials. Raises ProblemError when a key can't be used."""
    return SCHEMES[provider.auth.get("scheme", "none")](provider, credentials, clock)
