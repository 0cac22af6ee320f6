"""A provider pack as nouns. Everything that differs between providers is a value of these types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.model.check import Path
from runner.model.requirements import Requirements
from runner.model.secret import SecretRef

Effect = Literal["read", "create", "write", "money"]
Repeat = Literal["refused", "replayed", "ignored", "unknown"]


@dataclass(frozen=True, slots=True)
class Environment:
    name: str
    base_url: str
    live: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """How one refusal is recognised (`status`, `code`, either or both) and what it means for the runner.

    `of` says whose duplicate it is: `other` for a name that is not the identity, or that may be no duplicate at all.
    `operations` bounds the rule to these.
    """

    name: str
    meaning: str
    text: str = ""
    hint: str = ""
    status: int | None = None
    code: str | None = None
    of: str = ""
    operations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorFormat:
    """Where an error body keeps its code, message and detail; and the rules, most exact first.

    Each list of places is looked at in its order: the first that the body has counts.
    """

    codes: tuple[Path, ...] = ()
    messages: tuple[Path, ...] = ()
    details: tuple[Path, ...] = ()
    rules: tuple[ErrorRule, ...] = ()


@dataclass(frozen=True, slots=True)
class FileLimits:
    formats: tuple[str, ...] = ()
    max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """`requests_per_second` 0 means that the provider documents none."""

    requests_per_second: float = 0.0
    concurrency: int = 0
    files: FileLimits = FileLimits()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """States of one kind of object: which are dead (a no), which are final, where the provider's reason stands."""

    name: str
    states: tuple[str, ...]
    dead: tuple[str, ...] = ()
    final: tuple[str, ...] = ()
    moves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: Path = ()


@dataclass(frozen=True, slots=True)
class Pages:
    """Numbered pages: query names, where items and total stand in the body, first page number, usual size."""

    page: str = "page"
    size: str = "page_size"
    items: Path = ("items",)
    total: Path = ("total",)
    first: int = 1
    default_size: int = 100


@dataclass(frozen=True, slots=True)
class LookUp:
    """How to find what a lost create or money call may have made.

    `values` are templates over `with` and `reference`. A refusal that means `not-found` says "not there". `items` and
    `where` pick from a list. `equal` maps a field of the answer to a template: all must be equal, else it is another's;
    fields that the answer leaves out are not compared. `is_list`: the answer itself is the list. `there` is a template
    over `it`, `with` and `reference`: false means that what is found is not what was asked for. `or_else` are others,
    one after the other, for each of the list when none has what `where` asks for; `since` is when the oldest doubt
    began, less the seconds of `earlier`. `maybe` is a third: what fits it may be ours, and only a person can tell.
    `told` is where a refusal as duplicate names what is there already: without it there is nothing to ask. `named`
    gives a field of what is found the name that the call itself gives it. `fresh`: how old, in seconds, an answer may
    be before the first send; then many clients read one list.
    """

    call: str
    values: Mapping[str, Any]
    items: Path = ()
    where: Mapping[str, str] = field(default_factory=dict)
    equal: Mapping[str, str] = field(default_factory=dict)
    fold_case: tuple[str, ...] = ()
    claim: Path = ()
    is_list: bool = False
    there: str = ""
    or_else: tuple[str, ...] = ()
    maybe: str = ""
    earlier: float = 0.0
    told: Path = ()
    named: Mapping[str, Path] = field(default_factory=dict)
    fresh: float = 0.0


@dataclass(frozen=True, slots=True)
class MoneyRule:
    """What a money call moves: request fields of amount and asset, and the word in the report (`deposits`).

    `fixed_asset` stands in where the request names none. `places` > 0: the wire counts minor units (cents: 2).
    `settled_by`: this call only promises; the money moves with that one. There `pledge` is the field that names what
    was promised, and the amount is the promise's.
    """

    kind: str
    amount: str = ""
    asset: str = ""
    fixed_asset: str = ""
    places: int = 0
    settled_by: str = ""
    pledge: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """The request field that carries our own reference, and the most characters the provider takes."""

    field: str
    max_length: int = 64


@dataclass(frozen=True, slots=True)
class ReconciledKind:
    """How one kind of movement looks in the provider's list: its word, and where amount and asset stand."""

    word: str
    amount: Path
    asset: Path


@dataclass(frozen=True, slots=True)
class ReconcileRule:
    """How the provider's own list is read for reconciliation. `values` are templates over `from`, `to`
    (RFC 3339) and, for one client, `client`. `owner` is the field of a money call that names the client there; without
    it, our own key does."""

    call: str
    values: Mapping[str, Any]
    items: Path
    reference: Path
    client: Path
    status: Path
    good: tuple[str, ...]
    kind: Path
    kinds: Mapping[str, ReconciledKind]
    id: Path
    one: str = ""
    one_values: Mapping[str, Any] = field(default_factory=dict)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Events that the provider sends: how one is proved, told from a repeat, and acknowledged.

    `key` is the credential that `header` has to carry, or to be made with; `algorithm_header` names the hash, one of
    `algorithms`, the first of them when it is absent. `id` are places that together name one event, `about` places of
    the ids that it is about. `timestamp_unit` is in seconds; `max_age` 0 asks for no time.
    """

    scheme: str
    header: str
    key: str
    event: Path
    id: tuple[Path, ...]
    about: tuple[Path, ...]
    events: tuple[str, ...] = ()
    timestamp_header: str = ""
    timestamp_unit: float = 1.0
    max_age: float = 0.0
    status: int = 200
    answer: Any = None
    algorithm_header: str = ""
    algorithms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the provider's API, wholly as data.

    `settle` is the lag in seconds after which an applied request is visible to a look-up, for certain. `header_fields`
    are values that travel as headers of that name. `replays` is how long, in seconds, the provider answers a repeated
    request with its first answer; that is only for `repeat: replayed`. `gathered` names a field under which all the
    mappings of a list in the answer are shown as one. `harmless` writes may be repeated like reads.
    """

    name: str
    method: str
    path: str
    effect: Effect
    title: str = ""
    header_fields: tuple[str, ...] = ()
    body: Literal["none", "json", "multipart", "form"] = "none"
    request: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    success: tuple[int, ...] = ()
    unwrap: Path = ()
    signed: bool = True
    identity: tuple[str, ...] = ()
    repeat: Repeat = "unknown"
    replays: float = 0.0
    look_up: LookUp | None = None
    reference: ReferenceRule | None = None
    money: MoneyRule | None = None
    lifecycle: str = ""
    state: Path = ()
    settle: float = 120.0
    attempts: int = 3
    pages: Pages | None = None
    shared: bool = False
    invented: bool = False
    gathered: Mapping[str, Path] = field(default_factory=dict)
    harmless: bool = False
    source: str = ""

    @property
    def is_effect(self) -> bool:
        """Must not happen twice: an intent is written before it is sent."""
        return self.effect in ("create", "money")

    @property
    def is_promise(self) -> bool:
        """Money that another call moves later."""
        return self.money is not None and bool(self.money.settled_by)


@dataclass(frozen=True, slots=True)
class Provider:
    """A whole pack. `auth` stays a mapping: its shape belongs to the scheme that it names."""

    name: str
    title: str
    digest: str
    environments: Mapping[str, Environment]
    operations: Mapping[str, Operation]
    credentials: Mapping[str, SecretRef] = field(default_factory=dict)
    base_url_env: str = ""
    auth: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = Limits()
    errors: ErrorFormat = ErrorFormat()
    lifecycles: Mapping[str, Lifecycle] = field(default_factory=dict)
    timeout: float = 30.0
    send_window: float = 30.0
    links: Mapping[str, str] = field(default_factory=dict)
    reconcile: ReconcileRule | None = None
    requirements: Requirements | None = None
    webhooks: Webhooks | None = None


# The answer of a `reconcile` step, described like any operation's, so that its checks are checked alike.
RECONCILE = Operation(
    name="reconcile",
    method="GET",
    path="/",
    effect="read",
    request={
        "type": "object",
        "additionalProperties": False,
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
    },
    response={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "ours": {"type": "integer"},
            "theirs": {"type": "integer"},
            "differences": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        name: {"type": "string"} for name in ("what", "reference", "client", "ours", "theirs")
                    },
                },
            },
        },
    },
    subject="a reconciliation",
)
