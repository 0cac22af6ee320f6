"""What a product asks for: shapes of missing_requirements, and what of them a client still lacks.

Documented are one data key, `phone`, and one document, `passport` (docs: /clients/create-client-and-request-product).
Everything else here is an extension, so that a runner can be shown what it has not met yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from runner.sandbox.cryptomate.records import PHONE_FIELDS, Client, Document

Shape: TypeAlias = Mapping[str, Any]

_PHONE = {"id": "personal_information", "name": "Personal information", "fields": [{"key": "phone"}]}
_NUMBER = {"id": "number", "name": "Document Number"}
_PASSPORT = {"id": "passport", "name": "Passport", "metadata": [_NUMBER]}
_NATIONAL_ID = {"id": "national_id", "name": "National ID", "require_back_image": True, "metadata": [_NUMBER]}
# The individual-cards page wants it of every card holder, but the client's body has no such field.
_OCCUPATION = {
    "id": "financial_information",
    "name": "Financial information",
    "fields": [{"key": "occupation", "sendable": False}],
}


def _identity(*documents: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "identity_document", "name": "Identity document", "valid_documents": list(documents)}


_SHAPES: dict[str, dict[str, Any]] = {
    "phone-and-passport": {"data": [_PHONE], "documents": [_identity(_PASSPORT)]},
    "passport-only": {"documents": [_identity(_PASSPORT)]},
    "id-both-sides": {"data": [_PHONE], "documents": [_identity(_NATIONAL_ID)]},
    "passport-or-id": {"data": [_PHONE], "documents": [_identity(_PASSPORT, _NATIONAL_ID)]},
    "nothing": {},
    "unknown-data": {"data": [_PHONE, _OCCUPATION], "documents": [_identity(_PASSPORT)]},
}
DEFAULT = "phone-and-passport"
NAMES = tuple(_SHAPES)


def read(given: Any) -> Shape:
    """A name, or an object as missing_requirements has it, filled up; raises ValueError with the reason."""
    if isinstance(given, str):
        if given not in _SHAPES:
            raise ValueError(f'unknown requirements "{given}", known are {", ".join(NAMES)}')
        given = _SHAPES[given]
    given = _object(given, "requirements", ("data", "documents"))
    return {
        "data": [_data(group) for group in _list(given, "data")],
        "documents": [_group(group) for group in _list(given, "documents")],
    }


def missing(shape: Shape, client: Client, documents: Mapping[str, Document]) -> dict[str, list[Any]]:
    """What is left of a shape, as the provider shows it."""
    data = []
    for group in shape["data"]:
        fields = [_shown(field) for field in group["fields"] if not _is_met(field, client)]
        if fields:
            data.append({**group, "fields": fields})
    return {"data": data, "documents": [group for group in shape["documents"] if not _is_stored(group, documents)]}


def blocks(left: Mapping[str, list[Any]]) -> bool:
    """Whether a submission stops here; what is not required is listed, but stops nothing."""
    data = any(field["required"] for group in left["data"] if group["required"] for field in group["fields"])
    return data or any(group["required"] for group in left["documents"])


def accepted(shape: Shape, kind: str) -> list[Mapping[str, Any]]:
    """Each entry of a shape for documents of this type, with or without a group that still waits for it."""
    return [entry for group in shape["documents"] for entry in group["valid_documents"] if entry["id"] == kind]


def _is_met(field: Mapping[str, Any], client: Client) -> bool:
    """`phone` takes two fields of the client; any other key a field of that name (our extension)."""
    if not field["sendable"]:
        return False
    if field["key"] == "phone":
        return all(name in client.data for name in PHONE_FIELDS)
    return bool({**client.extras, **client.data}.get(field["key"]))


def _is_stored(group: Mapping[str, Any], documents: Mapping[str, Document]) -> bool:
    return any(entry["id"] in documents for entry in group["valid_documents"])


def _shown(field: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in field.items() if key != "sendable"}


def _data(given: Any) -> dict[str, Any]:
    group = _named(given, "data", ("required", "fields"))
    fields = [_field(field) for field in _list(group, "fields")]
    if not fields:
        raise ValueError(f'data "{group["id"]}": "fields" must name at least one')
    return {**_head(group), "fields": fields}


def _field(given: Any) -> dict[str, Any]:
    field = _object(given, "fields", ("key", "data_type", "required", "sendable"))
    key = _text(field, "key")
    return {
        "key": key,
        "data_type": field.get("data_type", "PHONE" if key == "phone" else "STRING"),
        "required": _flag(field, "required", True),
        "sendable": _flag(field, "sendable", True),
    }


def _group(given: Any) -> dict[str, Any]:
    group = _named(given, "documents", ("required", "valid_documents"))
    entries = [_entry(entry) for entry in _list(group, "valid_documents")]
    if not entries:
        raise ValueError(f'documents "{group["id"]}": "valid_documents" must name at least one')
    return {**_head(group), "valid_documents": entries}


def _entry(given: Any) -> dict[str, Any]:
    entry = _named(given, "valid_documents", ("required", "require_image", "require_back_image", "metadata"))
    metadata = [_named(each, "metadata", ("data_type", "required")) for each in _list(entry, "metadata")]
    head = _head(entry) if "required" in entry else _said(entry)
    return {
        **head,
        "require_image": _flag(entry, "require_image", True),
        "require_back_image": _flag(entry, "require_back_image", False),
        "metadata": [
            {**_said(each), "data_type": each.get("data_type", "STRING"), "required": _flag(each, "required", True)}
            for each in metadata
        ],
    }


def _named(given: Any, where: str, more: tuple[str, ...]) -> dict[str, Any]:
    """Something with an id; its name is the id unless it says otherwise."""
    found = _object(given, where, ("id", "name", "description", *more))
    return {"id": _text(found, "id"), "name": found.get("name", found["id"]), **found}


def _said(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in ("id", "name", "description") if key in found}


def _head(found: Mapping[str, Any]) -> dict[str, Any]:
    """Id, name, description and whether it is required, in the order of the provider's examples."""
    return {**_said(found), "required": _flag(found, "required", True)}


def _object(given: Any, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"{where}: expected an object with {', '.join(known)}")
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f'{where}: unknown key "{unknown[0]}", known are {", ".join(known)}')
    return given


def _list(given: Mapping[str, Any], key: str) -> list[Any]:
    found = given.get(key, [])
    if not isinstance(found, list):
        raise ValueError(f'"{key}" must be a list')
    return found


def _text(given: Mapping[str, Any], key: str) -> str:
    if not isinstance(found := given.get(key), str) or not found:
        raise ValueError(f'"{key}" must be a text')
    return found


def _flag(given: Mapping[str, Any], key: str, default: bool) -> bool:
    if not isinstance(found := given.get(key, default), bool):
        raise ValueError(f'"{key}" must be true or false')
    return found
