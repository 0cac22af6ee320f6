"""What a reviewer will say, and when: read from seed data, asked when the time has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.sandbox.fin import requests

VERDICTS = ("approved", "never", "rejected")
BENEFICIARY = ("active", "never", "rejected")
PAYOUT = ("completed", "failed", "never")
LABELS = ("PROBLEMATIC_APPLICANT_DATA",)  # one of those in the example (docs: customers/get-customer-details-v2)
COMMENT = "The verification failed"
KEYS = ("verdict", "delay", "reject_labels", "document_labels", "moderation_comment", "rfis", "hold")


@dataclass(frozen=True, slots=True)
class Round:
    """One time that more is wanted; without items the customer shall attach everything again."""

    items: tuple[requests.Item, ...]
    is_pause: bool = False
    """The customer is paused, not sent back: V1's way to ask, ON_HOLD."""


@dataclass(frozen=True, slots=True)
class Review:
    """The reviewer of one customer; without a delay a review takes `--kyc-delay`."""

    verdict: str = "approved"
    delay: float | None = None
    labels: tuple[str, ...] = LABELS
    document_labels: tuple[str, ...] = ()
    """Of the identity document, when it is to blame."""
    comment: str = COMMENT
    rounds: tuple[Round, ...] = ()
    hold: float = 0.0
    """Seconds of a pause for compliance before the verdict."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a beneficiary or a payout by itself."""

    what: str
    delay: float | None = None


def read(given: Any) -> Review:
    """A verdict by itself, or an object of KEYS; raises ValueError with the reason."""
    given = _object(given, "verdict", KEYS)
    rounds = given.get("rfis", [])
    if not isinstance(rounds, list):
        raise ValueError('"rfis" must be a list of rounds')
    return Review(
        verdict=_one_of(given, "verdict", VERDICTS),
        delay=None if given.get("delay") is None else seconds(given, "delay"),
        labels=texts(given, "reject_labels", LABELS),
        document_labels=texts(given, "document_labels", ()),
        comment=str(given.get("moderation_comment", COMMENT)),
        rounds=tuple(_round(entry) for entry in rounds),
        hold=seconds(given, "hold"),
    )


def read_beneficiary(given: Any) -> Outcome:
    return _outcome(given, BENEFICIARY)


def read_payout(given: Any) -> Outcome:
    return _outcome(given, PAYOUT)


def seconds(given: Mapping[str, Any], key: str) -> float:
    value = given.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ValueError(f'"{key}" must be seconds, zero or more')
    return float(value)


def _round(given: Any) -> Round:
    if not isinstance(given, dict):
        return Round(requests.read(given))
    if set(given) - {"request", "status"} or given.get("status", "hold") != "hold":
        raise ValueError('a round is a list of sections, or {"request": [...], "status": "hold"}')
    return Round(requests.read(given.get("request")), is_pause="status" in given)


def _outcome(given: Any, known: tuple[str, ...]) -> Outcome:
    given = _object(given, "status", ("status", "delay"))
    delay = None if given.get("delay") is None else seconds(given, "delay")
    return Outcome(_one_of(given, "status", known), delay)


def _object(given: Any, key: str, known: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(given, str):
        given = {key: given}
    if not isinstance(given, dict):
        raise ValueError("expected a word or an object")
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(known)}')
    return given


def _one_of(given: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    value = given.get(key, known[0])
    if value not in known:
        raise ValueError(f'"{key}" must be one of {", ".join(known)}')
    return str(value)


def texts(given: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = given.get(key, default)
    if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
        raise ValueError(f'"{key}" must be a list of texts')
    return tuple(value)
