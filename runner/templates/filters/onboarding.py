"""The filters that onboarding needs and Jinja lacks: `only`, `without`, `decimal`, `e164`, `query`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from runner.templates.bounds import Run
from runner.templates.values import MAX_DIGITS, MAX_SIZE, TemplateError, a_kind, nothing, size, too_large

_DECIMAL: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_E164: Final = re.compile(r"\+[1-9][0-9]{7,14}")
_PHONE_PUNCTUATION: Final = re.compile(r"[ \u00a0\u202f\u2010\u2011()\-./]")


def only(_: Run, value: object, *names: object) -> object:
    """The mapping with only these keys, in its own order. Keys it does not have are no mistake."""
    found = _mapping("only", value)
    return {key: entry for key, entry in found.items() if key in names}


def without(_: Run, value: object, *names: object) -> object:
    """The mapping without these keys."""
    found = _mapping("without", value)
    return {key: entry for key, entry in found.items() if key not in names}


def decimal(_: Run, value: object) -> object:
    """Text of plain digits, or a whole number, as an exact decimal. "1,000" and "1e3" are refused."""
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        size(value)
        return Decimal(value)
    if isinstance(value, str):
        text = value.strip()
        if len(text) > MAX_DIGITS:
            raise too_large("a number")
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
        raise TemplateError(
            "template.value",
            "this text is not a decimal number",
            hint='write it like "1250.00": digits and one point',
        )
    raise TemplateError("template.value", f"a decimal is made of text or a whole number, found {a_kind(value)}")


def e164(_: Run, value: object) -> object:
    """A phone number as `+` and 8 to 15 digits. What is not clearly international is refused."""
    if not isinstance(value, str):
        raise TemplateError(
            "template.value",
            f"a phone number is text, found {a_kind(value)}",
            hint="put quotes around the number",
        )
    plain = "" if "(0)" in value else _PHONE_PUNCTUATION.sub("", value.strip()[:100])
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if not _E164.fullmatch(plain):
        raise TemplateError(
            "template.value",
            "this phone number is not an international one",
            hint="write + or 00, the country code and the number: 8 to 15 digits",
        )
    return plain


def query(_: Run, value: object, name: str) -> object:
    """The value of the query parameter `name` of an address (the first one, decoded)."""
    from urllib.parse import parse_qsl, urlsplit

    if not isinstance(value, str):
        raise TemplateError("template.value", f"an address is text, found {a_kind(value)}")
    if len(value) > MAX_SIZE:
        raise too_large("the address")
    try:
        pairs = parse_qsl(urlsplit(value).query, keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        raise TemplateError("template.value", "this text is not an address") from None
    for key, found in pairs:
        if key == name:
            return found
    return nothing("the address has no query parameter of that name")


def _mapping(name: str, value: object) -> Mapping[object, object]:
    if not isinstance(value, Mapping):
        raise TemplateError("template.value", f'filter "{name}" needs a mapping, found {a_kind(value)}')
    return value
