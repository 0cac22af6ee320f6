"""Durations as people write them: `500ms`, `30s`, `5m`, `72h`, `3d`."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"
_FORM = re.compile(PATTERN)


def seconds(text: str) -> float:
    """`"1.5m"` is 90.0. Raises ValueError for anything that is not a number with a unit."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError(f'"{text}" is not a duration such as 30s, 5m or 72h')
    unit = found.group(2)
    return float(Decimal(text[: -len(unit)]) * _UNITS[unit])


def in_words(duration: float) -> str:
    """About how long, for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if duration < 10:
        return f"{duration:.1f} s"
    whole = round(duration)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
