"""Requests for information: written, shown, met. (docs: webhooks/customer-rfi, customers/update-customer)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.sandbox.fin.checks import Fields

STATUSES = ("EXPIRED", "INVALID", "MISSING")
SIDES = ("BACK", "FRONT")
# In the body of an answer only these files have a side. (docs: customers/update-customer)
SIDED = ("proof_of_identity",)
KINDS = {
    "country": "TEXT",
    "expiry_date": "DATE",
    "files": "URI",
    "issue_date": "DATE",
    "number": "TEXT",
    "tos_policies_value": "TEXT",
    "type": "ENUM",
}
# What each section can be asked for, and the generic document type of the webhook's examples.
FIELDS = {
    "proof_of_address": ("type", "country", "files"),
    "proof_of_identity": ("type", "number", "country", "issue_date", "expiry_date", "files"),
    "tos_policies_value": ("tos_policies_value",),
}
GENERIC = {
    "proof_of_address": "PROOF_OF_ADDRESS",
    "proof_of_identity": "GOVERNMENT_ID",
    "tos_policies_value": "TOS",
}
TYPES = {
    "proof_of_address": ("BANK_STATEMENT", "GOVERNMENT_LETTER", "UTILITY_BILL"),
    "proof_of_identity": ("DRIVERS_LICENSE", "NATIONAL_ID", "PASSPORT", "RESIDENCE_PERMIT"),
}

Item = Mapping[str, Any]


def read(given: Any) -> tuple[Item, ...]:
    """The items of one request, in the provider's form or in a short one (README.md); raises ValueError."""
    if not isinstance(given, list):
        raise ValueError("a request for information is a list of sections")
    return tuple(_item(entry) for entry in given)


def shown(items: Sequence[Item]) -> list[dict[str, Any]]:
    """As the reads have it: the webhook's form with a scope, and options for each field."""
    return [
        {
            "section": item["section"],
            "scope": "CUSTOMER",
            "categories": [
                {**category, "fields": [{**field, "options": _options(item, field)} for field in category["fields"]]}
                for category in item["categories"]
            ],
        }
        for item in items
    ]


def wanted(items: Sequence[Item]) -> dict[str, dict[str, set[str | None]]]:
    """Section to field to the sides that are asked for; None is any side."""
    found: dict[str, dict[str, set[str | None]]] = {}
    for item in items:
        section = found.setdefault(item["section"], {})
        for category in item["categories"]:
            for field in category["fields"]:
                section.setdefault(field["field_name"], set()).add(field.get("side"))
    return found


def types(items: Sequence[Item], section: str) -> set[str]:
    """The document types that meet this section; a generic word means any of them."""
    named = {
        category["document_type"] for item in items if item["section"] == section for category in item["categories"]
    }
    return set(TYPES[section]) if GENERIC[section] in named else named


def check(items: Sequence[Item], given: Fields) -> None:
    """Note whatever is not asked for, and whatever is asked for and not there. A `type` may say what files are."""
    asked = wanted(items)
    for name in given.given:
        if name not in asked:
            given.wrong(name, "Not requested")
    for section, fields in asked.items():
        if section == "tos_policies_value":
            given.text(section)
            continue
        if not given.has(section):
            given.wrong(section, f"{section} is required")
            continue
        part = given.inner(section)
        for name in part.given:
            if name not in fields and not (name == "type" and "files" in fields):
                part.wrong(name, "Not requested")
        for name in fields:
            if not part.has(name):
                part.wrong(name, f"{name} is required")


def _item(given: Any) -> Item:
    if isinstance(given, str):
        given = {"section": given}
    if not isinstance(given, dict) or given.get("section") not in FIELDS:
        raise ValueError(f"a section is one of {', '.join(FIELDS)}")
    section = given["section"]
    if "categories" in given:
        _known(given, ("section", "categories"))
        listed = given["categories"]
        if not isinstance(listed, list) or not listed:
            raise ValueError(f'{section}: "categories" must be a list')
        return {"section": section, "categories": [_category(section, entry) for entry in listed]}
    short = {name: value for name, value in given.items() if name != "section"}
    return {"section": section, "categories": [_category(section, short)]}


def _category(section: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"{section}: a category is an object")
    _known(given, ("document_type", "fields", "reason", "side", "status"))
    kind = given.get("document_type", GENERIC[section])
    if kind not in (GENERIC[section], *TYPES.get(section, ())):
        raise ValueError(f'{section}: unknown document type "{kind}"')
    listed = given.get("fields", ["tos_policies_value" if section == "tos_policies_value" else "files"])
    if not isinstance(listed, list) or not listed:
        raise ValueError(f'{section}: "fields" must be a list')
    rest = {name: given[name] for name in ("reason", "side", "status") if name in given}
    return {"document_type": kind, "fields": [_field(section, entry, rest) for entry in listed]}


def _field(section: str, given: Any, rest: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(given, str):
        given = {"field_name": given, **rest}
    if not isinstance(given, dict):
        raise ValueError(f"{section}: a field is a name or an object")
    _known(given, ("data_type", "field_name", "reason", "side", "status"))
    name, status = given.get("field_name"), given.get("status", "INVALID")
    if name not in FIELDS[section]:
        raise ValueError(f'{section}: unknown field "{name}", known are {", ".join(FIELDS[section])}')
    if status not in STATUSES:
        raise ValueError(f'{section}: "status" must be one of {", ".join(STATUSES)}')
    made = {"field_name": name, "data_type": KINDS[name], "status": status}
    if name == "files" and given.get("side") is not None:
        if section not in SIDED:
            raise ValueError(f"{section}: its files have no side")
        if given["side"] not in SIDES:
            raise ValueError(f'{section}: "side" must be one of {", ".join(SIDES)}')
        made["side"] = given["side"]
    # Nothing is wrong with what was never there. (docs: webhooks/customer-rfi)
    return {**made, "reason": None if status == "MISSING" else given.get("reason", status.lower())}


def _options(item: Item, field: Mapping[str, Any]) -> list[str]:
    return list(TYPES.get(item["section"], ())) if field["data_type"] == "ENUM" else []


def _known(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f'unknown key "{unknown[0]}", known are {", ".join(known)}')
