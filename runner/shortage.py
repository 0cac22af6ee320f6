"""What a provider asks for against what a client has: which document fits, and what is lacking. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.checks import lookup
from runner.model.check import Path
from runner.model.problem import Location, Problem
from runner.model.requirements import Requirements


@dataclass(frozen=True, slots=True)
class Kind:
    """One acceptable document: its type, whether a back is needed, and the metadata that must be given."""

    type: str
    needs_back: bool = False
    metadata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One document that is missing: any of `kinds` will do."""

    id: str
    kinds: tuple[Kind, ...]

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(kind.type for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Missing:
    """What the provider says is missing and required: names of data, groups of documents."""

    fields: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.fields and not self.groups


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that the client does not have. `why` is what stands against what he has."""

    kind: str
    id: str
    any_of: tuple[str, ...] = ()
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"kind": self.kind, "id": self.id}
        return body | ({"any_of": list(self.any_of)} if self.any_of else {})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A client's side: the values and documents that may be sent, and what of them was turned down and why.

    `refused` has documents by their place, `wrong` data by the provider's name for it.
    """

    rule: Requirements
    values: Mapping[str, Any]
    documents: Sequence[Mapping[str, Any]]
    fields: frozenset[str]
    refused: Mapping[int, str]
    wrong: Mapping[str, str] = field(default_factory=dict)


def missing_of(rule: Requirements, body: Any) -> Missing:
    """Read the provider's own list. What is not required is left out; an entry of another form counts as required."""
    fields: list[str] = []
    groups: list[Group] = []
    if rule.data is not None:
        for group in _list(rule.data_groups, body):
            for entry in _entries(rule, group):
                if _is_required(group) and _is_required(entry):
                    fields.append(_name(rule.data_key, entry))
    if rule.documents is not None:
        for group in _list(rule.documents.groups, body):
            if _is_required(group):
                groups.append(Group(_name(rule.documents.group_id, group), _kinds(rule, group)))
    return Missing(tuple(dict.fromkeys(fields)), tuple(groups))


def _entries(rule: Requirements, group: Any) -> list[Any]:
    """The fields of a group of data; a group that has no list of them stands for itself."""
    found = lookup(rule.data_fields, group)[1] if rule.data_fields else None
    return found if isinstance(found, list) else [group]


def _name(path: Path, entry: Any) -> str:
    """What the provider calls it, wherever it says so."""
    if isinstance(entry, str):
        return entry
    names = (lookup(where, entry)[1] for where in (path, ("id",), ("name",)))
    return str(next((name for name in names if name not in (None, "")), "something that has no name"))


def _kinds(rule: Requirements, group: Any) -> tuple[Kind, ...]:
    assert rule.documents is not None
    if isinstance(group, str):
        return (Kind(group),)
    documents = rule.documents
    kinds = []
    for entry in _list(documents.any_of, group):
        metadata = [
            _name(documents.metadata_id, each) for each in _list(documents.metadata, entry) if _is_required(each)
        ]
        needs_back = lookup(documents.needs_back, entry)[1] is True if documents.needs_back else False
        kinds.append(Kind(_name(documents.type, entry), needs_back, tuple(metadata)))
    return tuple(kinds)


def _list(path: Path, body: Any) -> list[Any]:
    found = lookup(path, body)[1] if path else body
    return found if isinstance(found, list) else []


def _is_required(entry: Any) -> bool:
    return not (isinstance(entry, Mapping) and entry.get("required") is False)


def document_for(wanted: Wanted, group: Group) -> int | None:
    """The place of the first of the client's documents that the group takes and that was not turned down, if any."""
    for place, document in enumerate(wanted.documents):
        if place not in wanted.refused and any(not _unfit(kind, document) for kind in _named(group, document)):
            return place
    return None


def lacks_of(wanted: Wanted, missing: Missing) -> list[Lack]:
    """Everything that the client can't supply."""
    lacks = [lack for name in missing.fields if (lack := _data_lack(wanted, name))]
    for group in missing.groups:
        if document_for(wanted, group) is None:
            lacks.append(Lack("document", group.id, group.types, _against(wanted, group)))
    return lacks


def _data_lack(wanted: Wanted, name: str) -> Lack | None:
    """A name of the provider's may stand for several fields of the call."""
    parts = wanted.rule.meets.get(name, (name,))
    if any(part not in wanted.fields for part in parts):
        return Lack("data", name, why="the provider's API documents no way to send it")
    absent = [part for part in parts if wanted.values.get(part) in (None, "")]
    if not absent:
        why = wanted.wrong.get(name)
        return Lack("data", name, why=f'was refused: "{why}"') if why is not None else None
    return Lack("data", name, why="" if absent == [name] else f"give {' and '.join(absent)}")


def _named(group: Group, document: Mapping[str, Any]) -> list[Kind]:
    return [kind for kind in group.kinds if kind.type == document.get("type")]


def _unfit(kind: Kind, document: Mapping[str, Any]) -> str:
    """What keeps this document from being of this kind; "" when nothing does."""
    if kind.needs_back and not document.get("back"):
        return f"{kind.type} lacks its back"
    metadata = document.get("metadata")
    given = metadata if isinstance(metadata, Mapping) else {}
    absent = [name for name in kind.metadata if given.get(name) in (None, "")]
    return f"{kind.type} lacks its {' and '.join(absent)}" if absent else ""


def _against(wanted: Wanted, group: Group) -> str:
    """Why none of what the client has will do."""
    reasons = []
    for place, document in enumerate(wanted.documents):
        kinds = _named(group, document)
        if kinds and place in wanted.refused:
            reasons.append(f'{document["type"]} was refused: "{wanted.refused[place]}"')
        elif kinds:
            reasons.append(_unfit(kinds[0], document))
    return ", ".join(dict.fromkeys(reasons))


def shortage_problem(
    step: str, location: Location | None, documents: Sequence[Mapping[str, Any]], lacks: Sequence[Lack]
) -> Problem:
    """One sentence a lack, and the list for machines."""
    has = ", ".join(dict.fromkeys(str(document.get("type")) for document in documents)) or "no document"
    parts = [_told(lack, has) for lack in dict.fromkeys(lacks)]
    message = f'"{step}" can\'t be satisfied: ' + "; ".join(parts)
    hint = 'complete the row and its documents, then "onboard resume"'
    shortage = tuple(lack.to_json() for lack in dict.fromkeys(lacks))
    return Problem("satisfy.blocked", message, location, hint, shortage=shortage)


def _told(lack: Lack, has: str) -> str:
    if lack.kind == "data":
        return f"needs field {lack.id}" + (f" ({lack.why})" if lack.why else "")
    needs = f"needs {' or '.join(lack.any_of) or lack.id}"
    return f"{needs}, {lack.why}" if lack.why else f"{needs}, has {has}"
