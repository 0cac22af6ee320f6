"""What a reviewer will say, and when: read from seed data, asked at submission and at each upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.sandbox.cryptomate import requirements

VERDICTS = ("enabled", "rejected", "never")
CODE = "REJECTED_BY_PROVIDER"  # the only one that is documented (docs: /integration/webhooks)
DESCRIPTION = "The provider rejected the client"
KEYS = (
    "verdict",
    "delay",
    "rejection_code",
    "rejection_description",
    "reject_images",
    "after_requested_more",
    "requested_for",
    "client_status",
)


@dataclass(frozen=True, slots=True)
class Review:
    """The reviewer of one client; without a delay a review takes `--kyc-delay`."""

    verdict: str = "enabled"
    delay: float | None = None
    code: str = CODE
    description: str = DESCRIPTION
    reject_images: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """Document type to the reason and how many uploads it is given for; None: every one."""
    more: Mapping[str, Any] | None = None
    """Asked for in place of the first verdict."""
    requested_for: float = 0.0
    """How long a new request stays "requested" before anything is asked for."""
    client_status: str | None = None
    """What the client becomes; without it "active" when enabled, "rejected" when rejected."""


def read(given: Any) -> Review:
    """A verdict by itself, or a mapping of KEYS; raises ValueError with the reason."""
    if isinstance(given, str):
        given = {"verdict": given}
    if not isinstance(given, dict):
        raise ValueError(f"a review is one of {', '.join(VERDICTS)}, or an object")
    if unknown := sorted(set(given) - set(KEYS)):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(KEYS)}')
    verdict = given.get("verdict", "enabled")
    if verdict not in VERDICTS:
        raise ValueError(f'"verdict" must be one of {", ".join(VERDICTS)}')
    client_status = given.get("client_status")
    if client_status not in (None, "active", "pending", "rejected"):
        raise ValueError('"client_status" must be active, pending or rejected')
    images = given.get("reject_images", {})
    if not isinstance(images, dict):
        raise ValueError('"reject_images" must be an object of document types')
    more = given.get("after_requested_more")
    return Review(
        verdict=verdict,
        delay=None if given.get("delay") is None else _seconds(given, "delay"),
        code=_text(given, "rejection_code", CODE),
        description=_text(given, "rejection_description", DESCRIPTION),
        reject_images={kind: _refusal(kind, wanted) for kind, wanted in images.items()},
        more=None if more is None else requirements.read(more),
        requested_for=_seconds(given, "requested_for"),
        client_status=client_status,
    )


def _refusal(kind: str, given: Any) -> tuple[str, int | None]:
    if isinstance(given, str):
        return given, None
    if not isinstance(given, dict) or set(given) - {"reason", "times"} or not isinstance(given.get("reason"), str):
        raise ValueError(f'reject_images "{kind}": expected a reason, or {{"reason": ..., "times": ...}}')
    times = given.get("times")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise ValueError(f'reject_images "{kind}": "times" must be a whole number from 1')
    return given["reason"], times


def _seconds(given: Mapping[str, Any], key: str) -> float:
    value = given.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ValueError(f'"{key}" must be seconds, zero or more')
    return float(value)


def _text(given: Mapping[str, Any], key: str, default: str) -> str:
    value = given.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f'"{key}" must be a text')
    return value
