"""The recipe of a requirement loop as data: how to ask what is missing, and how each kind of thing is supplied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.model.check import Path

if TYPE_CHECKING:
    from runner.model.provider import Operation


@dataclass(frozen=True, slots=True)
class Supply:
    """A call of the requirement loop. `values` are templates over `with`, and over `document` and `again` for one."""

    call: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentsRule:
    """Where documents stand among what is missing, and how one is supplied.

    Paths: `groups` in the list of what is missing, `any_of` in a group, the rest in one of these; `refused` is where an
    answer lists what was turned down, by `refused_key` (the type) and `refused_reason`.
    """

    supply: Supply
    groups: Path
    any_of: Path
    group_id: Path = ("id",)
    type: Path = ("id",)
    needs_back: Path = ()
    metadata: Path = ("metadata",)
    metadata_id: Path = ("id",)
    refused: Path = ()
    refused_key: Path = ("key",)
    refused_reason: Path = ("reason",)


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """How one call answers everything that is asked for, with exactly that.

    Paths in one entry of what is missing: `section` is the field of the call that the answer stands in, `kinds` lists
    the documents that will do, each with its `kind` and the `fields` that are asked of it; of these `field` is the
    name, `side` which side of the document, `status` and `reason` why. What has a status of `worn` is there already and
    no good. The field `files` means files: each is supplied by `upload`, whose answer has their names under `uris`.
    `documents` are the kinds of each section, files of a `sided` one say their side. `since` names the question.
    """

    supply: Supply
    upload: Supply
    uris: Path
    section: Path
    kinds: Path
    kind: Path
    fields: Path
    field: Path
    documents: Mapping[str, tuple[str, ...]]
    side: Path = ()
    status: Path = ()
    reason: Path = ()
    worn: tuple[str, ...] = ()
    files: str = "files"
    sided: tuple[str, ...] = ()
    since: Path = ()


@dataclass(frozen=True, slots=True)
class Requirements:
    """The recipe of `satisfy`: how to ask what is missing, and how each kind of thing is supplied.

    `where` picks one entry of a list by templates over `with`. States: while `open`, things are supplied; `pending` is
    "not evaluated yet", asked every `pending_every` to `pending_at_most` seconds for `pending_deadline`; of it
    `asks_while` may come with a question; `done` and `dead` end the loop. `meets` maps the provider's name to fields of
    the data call. An `answer` is the one way to supply things. `operation` is the step as playbooks are checked.
    """

    ask: Supply
    state: Path
    missing: Path
    open: tuple[str, ...]
    done: tuple[str, ...]
    operation: Operation
    dead: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    asks_while: tuple[str, ...] = ()
    pending_every: float = 5.0
    pending_at_most: float = 50.0
    pending_deadline: float = 600.0
    where: Mapping[str, str] = field(default_factory=dict)
    reason: Path = ()
    data: Supply | None = None
    data_groups: Path = ()
    data_fields: Path = ()
    data_key: Path = ("key",)
    meets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    documents: DocumentsRule | None = None
    submit: Supply | None = None
    answer: AnswerRule | None = None
