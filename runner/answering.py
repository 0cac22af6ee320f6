"""Answer a provider's question with exactly what it asks for: which document, which of its sides and fields. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.checks import lookup
from runner.model.requirements import AnswerRule
from runner.references import fingerprint
from runner.shortage import Lack

Sent = Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked for. `is_worn`: what is on file is no good."""

    name: str
    side: str = ""
    is_worn: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the question: any document of `kinds` may answer it, none when the section is no document."""

    name: str
    kinds: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def files(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.name == FILES)

    @property
    def refused(self) -> Mapping[str, str]:
        """Why each field is no good. With files that are no good all of it is about a document that is to go."""
        if any(one.is_worn for one in self.files):
            return {}
        return {one.name: one.why for one in self.fields if one.is_worn and one.name != FILES}


FILES = "\0files"


@dataclass(frozen=True, slots=True)
class Part:
    """What answers one section: values by field, and the sides to upload with the paths of their files."""

    section: str
    values: Mapping[str, Any]
    sides: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answering:
    """A client's side. `sent` tells under which names what has this stamp was sent before, `mark` is this question's
    own: what was sent under it was sent for this answer. `about` says whose answer it is."""

    rule: AnswerRule
    values: Mapping[str, Any]
    documents: Sequence[Mapping[str, Any]]
    stamp: Callable[[str], str]
    sent: Sent
    mark: str
    about: Mapping[str, Any] = field(default_factory=dict)


def mark_of(rule: AnswerRule, missing: Any, since: Any) -> str:
    """A few characters that name the question."""
    return fingerprint("question", {"missing": missing, "since": since})[:8]


def sections_of(rule: AnswerRule, missing: Any) -> tuple[Section, ...]:
    """Read the provider's question. Parts of the same name are one: the call has one place for their answer."""
    found: dict[str, Section] = {}
    for entry in missing if isinstance(missing, list) else ():
        name = str(lookup(rule.section, entry)[1])
        kinds: list[str] = []
        fields: list[Field] = []
        for kind in _list(rule.kinds, entry):
            kinds += _kinds(rule, name, str(lookup(rule.kind, kind)[1]))
            fields += [_field(rule, each) for each in _list(rule.fields, kind)]
        before = found.get(name, Section(name, (), ()))
        every = dict.fromkeys((*before.fields, *fields))
        found[name] = Section(name, tuple(dict.fromkeys((*before.kinds, *kinds))), tuple(every))
    return tuple(found.values())


def _kinds(rule: AnswerRule, section: str, named: str) -> tuple[str, ...]:
    """The kinds that a name stands for: itself, or every kind of its section when it is a general word."""
    known = rule.documents.get(section, ())
    return (named,) if named in known else known


def _field(rule: AnswerRule, entry: Any) -> Field:
    name, side, status, reason = (
        lookup(path, entry)[1] if path else None for path in (rule.field, rule.side, rule.status, rule.reason)
    )
    why = str(reason or status or "").lower()
    return Field(FILES if name == rule.files else str(name), str(side or ""), status in rule.worn, why)


def _list(path: tuple[str | int, ...], body: Any) -> list[Any]:
    found = lookup(path, body)[1]
    return found if isinstance(found, list) else []


def answer(side: Answering, sections: Sequence[Section]) -> tuple[list[Part], list[Lack]]:
    """The parts of the answer, and what the client lacks for it."""
    parts: list[Part] = []
    lacks: list[Lack] = []
    for section in sections:
        made = _part(side, section) if section.name in side.rule.documents else _value(side, section)
        if isinstance(made, Part):
            parts.append(made)
        else:
            lacks += made
    return parts, lacks


def _value(side: Answering, section: Section) -> Part | list[Lack]:
    """A section that is no document is a value of the step's own."""
    value = side.values.get(section.name)
    if value in (None, ""):
        return [Lack("data", section.name)]
    if section.refused and _was_given(side, section.name, section.name, value):
        return [Lack("data", section.name, why=_against(section.refused.values(), "give another"))]
    return Part(section.name, {section.name: value})


def _part(side: Answering, section: Section) -> Part | list[Lack]:
    fitting = [document for document in side.documents if document.get("type") in section.kinds]
    whys = {one.why for one in section.files if one.is_worn and one.why}
    if not fitting:
        return [Lack("document", section.name, section.kinds, _against(whys, ""))]
    made = [_of(side, section, one) for one in _choices(side, section, fitting)]
    if not made:
        return [
            Lack("document", section.name, section.kinds, _against(whys, "every one of the client's was sent before"))
        ]
    return next((one for one in made if isinstance(one, Part)), made[0])


def _of(side: Answering, section: Section, chosen: Mapping[str, Any]) -> Part | list[Lack]:
    """The answer that this document gives, or what it lacks for one."""
    sides = _sides(section, chosen)
    lacks = [
        Lack("document", section.name, (str(chosen["type"]),), f"lacks its {name.lower()}")
        for name, path in sides
        if not path
    ]
    values = {one.name: _of_document(chosen, one.name) for one in section.fields if one.name != FILES}
    lacks += [
        Lack("data", f"{section.name}.{name}", why=f"give metadata.{name} of the {chosen['type']}")
        for name, value in values.items()
        if value in (None, "")
    ]
    lacks += [
        Lack("data", f"{section.name}.{name}", why=_against([why], f"correct {_place(name)} of the {chosen['type']}"))
        for name, why in section.refused.items()
        if _was_given(side, section.name, name, values[name])
    ]
    return lacks or Part(section.name, values, sides)


def _place(name: str) -> str:
    return "the type" if name == "type" else f"metadata.{name}"


def _against(whys: Collection[str], rest: str) -> str:
    return ", ".join([*(f'was refused: "{why}"' for why in sorted(whys)), *([rest] if rest else [])])


def _choices(side: Answering, section: Section, fitting: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The documents that are not on file yet where files are asked for again, else first the ones that are.

    What is asked without a file is asked about the one on file: another one's number would be a lie.
    """
    worn = [one for one in section.files if one.is_worn]
    if worn:
        return [one for one in fitting if not _was_sent(side, one, worn)]
    on_file = [one for one in fitting if _was_sent(side, one, ())]
    return on_file if on_file and not section.files else sorted(fitting, key=lambda one: one not in on_file)


def _was_sent(side: Answering, document: Mapping[str, Any], asked: Sequence[Field]) -> bool:
    """Was one of the files that would be sent, any when no side is named, sent before this question came?"""
    names = {one.side for one in asked} & {"FRONT", "BACK"} or {"FRONT", "BACK"}
    paths = [str(document[name.lower()]) for name in sorted(names) if document.get(name.lower())]
    return any(_is_older(name, side.mark) for path in paths for name in side.sent(side.stamp(path)))


def _was_given(side: Answering, section: str, name: str, value: Any) -> bool:
    """Was this value sent for this field before this question came?"""
    return any(_is_older(given, side.mark) for given in side.sent(_value_stamp(side, section, name, value)))


def _value_stamp(side: Answering, section: str, name: str, value: Any) -> str:
    """What a value is known by once it was sent: it is somebody's data, so never the value itself."""
    return fingerprint("value", {"about": side.about, "section": section, "field": name, "value": value})


def value_stamps(side: Answering, parts: Sequence[Part]) -> tuple[str, ...]:
    """Of every value of an answer."""
    return tuple(_value_stamp(side, part.section, *given) for part in parts for given in part.values.items())


def body_of(rule: AnswerRule, part: Part, uris: Mapping[str, Any]) -> Any:
    """A part as the call carries it. `uris` has what the upload called the file of each side."""
    if part.section not in rule.documents:
        return part.values[part.section]
    names = {name: {"side": name} if part.section in rule.sided else {} for name, _ in part.sides}
    files = [{"uri": uris[name.lower()], **side} for name, side in names.items()]
    return {**part.values, **({rule.files: files} if files else {})}


def _is_older(name: str, mark: str) -> bool:
    return f"-{mark}" not in name


def _sides(section: Section, document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The sides to send, each with its path; of a document whose sides nobody names, what there is."""
    if not section.files:
        return ()
    named = sorted({one.side for one in section.files if one.side}, reverse=True)
    if not named:
        named = ["FRONT", "BACK"] if document.get("back") else ["FRONT"]
    return tuple((name, str(document.get(name.lower()) or "")) for name in named)


def _of_document(document: Mapping[str, Any], name: str) -> Any:
    if name == "type":
        return document["type"]
    metadata = document.get("metadata")
    return metadata.get(name) if isinstance(metadata, Mapping) else None
