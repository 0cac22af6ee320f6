"""Our own names for what must not happen twice: the same row asks for the same reference on any machine, for ever."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from runner.model.command import Perform
from runner.model.plan import Client, Setting
from runner.model.provider import Operation

_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_DIGEST = 16
_NUMBERED = re.compile(rf"((?:.*-)?[0-9a-f]{{{_DIGEST}}})-([1-9][0-9]{{0,2}})")


def reference(playbook: str, batch: str, client: str, step: str, item: int, *, max_length: int = 64) -> str:
    """A readable slug and 64 bits of a digest over (playbook, batch, client key, step, item), within `max_length`."""
    identity = json.dumps([playbook, batch, client, step, item], ensure_ascii=False)
    digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST]
    # Four characters stay free for a "-2" after an order that failed.
    room = max(0, max_length - _DIGEST - 1 - 4)
    slug = _NOT_SLUG.sub("-", f"{step}-{client}".lower()).strip("-")[: min(room, 36)].strip("-")
    return f"{slug}-{digest}" if slug else digest[: max_length - 4]


def numbered(base: str, number: int) -> str:
    """The reference of the n-th try after the provider declared the earlier ones dead: `base`, `base-2`, `base-3`."""
    return base if number <= 1 else f"{base}-{number}"


def given_up(name: str) -> list[str]:
    """The references that were declared dead before this one was given; none of an author's own."""
    found = _NUMBERED.fullmatch(name)
    return [numbered(found[1], number) for number in range(1, int(found[2]))] if found else []


def fingerprint(operation: str, values: Mapping[str, Any]) -> str:
    """A digest of what is asked for, without its reference: two different bodies never share one."""
    return hashlib.sha256(canonical([operation, values]).encode()).hexdigest()[:32]


def body_fingerprint(operation: Operation, values: Mapping[str, Any]) -> str:
    """The fingerprint of a create or money call, whatever reference it goes out with."""
    rule = operation.reference
    body = {name: value for name, value in values.items() if not rule or name != rule.field}
    return fingerprint(operation.name, body)


def canonical(value: Any) -> str:
    """One text for equal values: keys sorted, decimals as text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_decimal_text)


def _decimal_text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def operation_reference(setting: Setting, client: Client, command: Perform, operation: Operation) -> str:
    """The reference this call goes out with first: the playbook's own, else ours; "" where the provider takes none."""
    if operation.reference is None:
        return ""
    given = command.values.get(operation.reference.field)
    if given is not None:
        return str(given)
    return reference(
        setting.playbook.name,
        setting.batch,
        client.key,
        command.step.id,
        command.item,
        max_length=operation.reference.max_length,
    )
