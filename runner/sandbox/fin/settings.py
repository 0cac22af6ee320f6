"""Where the pages contradict each other or say nothing: the switches, with our choice as the default."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

PAUSED = ("IN_COMPLIANCE", "ON_HOLD")


@dataclass(frozen=True, slots=True)
class Settings:
    token_ttl: float = 24 * 3600.0
    refresh_token_ttl: float = 7 * 24 * 3600.0
    token_in_data: bool = False
    """Two editions of one page: the token object bare, or inside `data`. (docs: authentication/issue-a-token)"""
    files_in_one_object: bool = False
    """Two editions: a list of objects with one key each, or one object. (docs: customers/upload-document)"""
    errors_as_list: bool = False
    """The guide: `errors` is an object of lists; the reference: a list of objects with one key."""
    reliance: bool = False
    selfie_required: bool = False
    tos_policies_value_required: bool = True
    """Required by the reference, not by the guide's migration table."""
    paused_status: str = PAUSED[0]
    """What a paused V2 customer is called: so by the webhook's page, ON_HOLD by the V2 guide."""
    transfer_ttl: float = 600.0
    """How long a transfer can be settled: ten minutes in the example. (docs: transactions/create-a-transfer)"""
    references_shown: bool = True
    """That `transaction_ref_id` is what was sent is not proved; in one example it is the id itself."""
    refuse_used_references: bool = False
    """Nothing promises that a repeated `reference_id` is refused."""


def changed(settings: Settings, given: Any) -> Settings:
    """These settings with some of them replaced; raises ValueError with the reason."""
    if not isinstance(given, dict):
        raise ValueError("expected an object")
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    for name, value in given.items():
        if name not in kinds:
            raise ValueError(f'unknown key "{name}", known are {", ".join(kinds)}')
        if kinds[name] is bool and not isinstance(value, bool):
            raise ValueError(f'"{name}" must be true or false')
        if kinds[name] is float and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
            raise ValueError(f'"{name}" must be seconds, zero or more')
    if given.get("paused_status", PAUSED[0]) not in PAUSED:
        raise ValueError(f'"paused_status" must be one of {", ".join(PAUSED)}')
    return replace(settings, **given)
