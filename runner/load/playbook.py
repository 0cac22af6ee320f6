"""A playbook: from text to nouns. Everything wrong with it is found in one go, before anything runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner import resources
from runner.checks import parse, parse_path
from runner.duration import seconds
from runner.load import yaml
from runner.load.pack import find_pack
from runner.load.review import Review, review
from runner.load.schema import Schema, schema_complaints
from runner.load.source import Source
from runner.load.yaml_values import kind_of
from runner.model.check import Check
from runner.model.playbook import Cap, ClientsRule, Playbook, RetryPolicy, Step
from runner.model.problem import Location, Problem, ProblemError
from runner.model.provider import Provider
from runner.nearest import did_you_mean

SUFFIX = ".playbook.yaml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of one file: problems always; playbook and provider only when no problem is an error."""

    path: str
    problems: tuple[Problem, ...]
    playbook: Playbook | None = None
    provider: Provider | None = None

    @property
    def is_good(self) -> bool:
        return self.playbook is not None


def load(path: Path, provider_file: Path | None = None) -> Loaded:
    """Read, check and build one playbook. Never raises for what the file says."""
    label = os.fspath(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = (
            "is not there"
            if isinstance(error, FileNotFoundError)
            else f"can't be read: {(error.strerror or 'no reason given').lower()}"
        )
        problem = Problem(
            "playbook.unreadable",
            f'playbook "{label}" {reason}',
            hint=f"name a *{SUFFIX} file or a folder of them",
        )
        return Loaded(label, (problem,))
    document = yaml.read(label, data)
    problems = list(document.problems)
    body = document.value
    if body is None or not isinstance(body, Mapping):
        if not problems:
            problems.append(
                Problem(
                    "schema.wrong-type",
                    f"the playbook is {kind_of(body)}, expected a mapping",
                    document.source.locate(()),
                    'start with "playbook: 1"',
                )
            )
        return Loaded(label, tuple(problems))
    provider = _provider(body, document.source, provider_file, problems)
    schema = Schema.read(resources.schemas() / "playbook.schema.json")
    problems += _quote_hints(schema.problems(body, lambda where, key: document.source.locate(where, key=key)), body)
    clients_schema = _clients_schema(body, path, document.source, problems)
    problems += review(Review(body, document.source, provider, clients_schema))
    problems = _once(problems)
    if provider is None or any(problem.is_error for problem in problems):
        return Loaded(label, tuple(problems), provider=provider)
    playbook = _build(body, document.source, label, hashlib.sha256(data).hexdigest(), clients_schema)
    return Loaded(label, tuple(problems), playbook, provider)


def find_playbooks(path: Path) -> list[Path]:
    """The file itself, or every `*.playbook.yaml` below a folder, in order."""
    return sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]


def _provider(body: Mapping[str, Any], source: Source, file: Path | None, problems: list[Problem]) -> Provider | None:
    name = body.get("provider")
    if not isinstance(name, str):
        return None
    try:
        return find_pack(name, file)
    except ProblemError as error:
        problems += [problem.at(source.locate(("provider",))) for problem in error.problems]
        return None


def _quote_hints(problems: list[Problem], body: Mapping[str, Any]) -> list[Problem]:
    """An unquoted amount is a money mistake, not merely a wrong type."""
    told = []
    for problem in problems:
        if problem.code == "schema.wrong-type" and (
            '"per_client"' in problem.message or '"per_run"' in problem.message
        ):
            problem = replace(problem, code="money.unquoted", hint='quote it: "5000.00"')
        told.append(problem)
    return told


def _once(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _clients_schema(body: Mapping[str, Any], path: Path, source: Source, problems: list[Problem]) -> Mapping[str, Any]:
    """The JSON Schema of a client; empty when none is given or it can't be had."""
    is_ours = False
    clients = body.get("clients")
    given = clients.get("schema") if isinstance(clients, Mapping) else None
    where = ("clients", "schema")
    if given is None:
        return {}
    is_ours = False

    def locate(inside: tuple[str | int, ...], key: bool) -> Location:
        return source.locate((*where, *inside), key=key)

    if isinstance(given, Mapping):
        found: Any = given
    elif isinstance(given, str):
        file = resources.schemas() / f"{given}.schema.json"
        is_ours = file.is_file()
        if not is_ours:
            file = path.parent / given
        if not file.is_file():
            known = sorted(
                str(entry.relative_to(resources.schemas())).removesuffix(".schema.json")
                for entry in resources.schemas().glob("*/*.schema.json")
            )

            problems.append(
                Problem(
                    "clients.unknown-schema",
                    f'there is no clients schema "{given}"',
                    source.locate(where),
                    did_you_mean(given, known) or f"shipped schemas: {', '.join(known)}",
                )
            )
            return {}
        read = yaml.read(os.fspath(file), file.read_bytes())
        found = read.value

        def locate(inside: tuple[str | int, ...], key: bool) -> Location:
            return read.source.locate(inside, key=key)

        if not isinstance(found, Mapping):
            problems.append(
                Problem(
                    "clients.unknown-schema",
                    f'clients schema "{given}" is not a mapping',
                    source.locate(where),
                    "write a JSON Schema",
                )
            )
            return {}
    else:
        return {}
    # Our own were held against their meta-schema by our tests; doing it again would cost 10 ms at each start.
    complaints = [] if is_ours else schema_complaints(found, locate)
    if complaints:
        problems += [replace(problem, code="clients.wrong-schema") for problem in complaints]
        return {}
    return dict(found)


# -- from here on the text is known to be right -----------------------------------------------------------------------


def _build(
    body: Mapping[str, Any], source: Source, path: str, digest: str, clients_schema: Mapping[str, Any]
) -> Playbook:
    clients = body.get("clients", {})
    return Playbook(
        path=path,
        digest=digest,
        name=body["name"],
        provider=body["provider"],
        description=body.get("description", ""),
        tags=tuple(body.get("tags", ())),
        inputs=body.get("inputs", {}),
        clients=ClientsRule(
            clients_schema,
            clients.get("key", ""),
            clients.get("items"),
            source.locate(("clients",), key=True),
        ),
        documents=body.get("documents", ()),
        funding=body.get("funding", ()),
        caps=caps_of(body.get("limits", {})),
        steps=tuple(_step(step, ("steps", number), source) for number, step in enumerate(body["steps"])),
    )


def caps_of(limits: Mapping[str, Any]) -> dict[str, Cap]:
    """`{USD: {per_client: "5000.00"}}` as caps by asset."""
    money = limits.get("money", {})
    return {
        asset: Cap(_amount(entry.get("per_client")), _amount(entry.get("per_run"))) for asset, entry in money.items()
    }


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _step(body: Mapping[str, Any], where: tuple[str | int, ...], source: Source) -> Step:
    outputs = body.get("outputs", {})
    return Step(
        id=body["id"],
        location=source.locate((*where, "id")),
        call=body.get("call", ""),
        values=body.get("with", {}),
        request=body.get("request"),
        reconcile=body.get("reconcile"),
        effect=body.get("effect", "read"),
        when=_checks(body.get("when", ()), (*where, "when"), source),
        for_each=body.get("for_each", ""),
        expect=_checks(body.get("expect", ()), (*where, "expect"), source),
        warn=_checks(body.get("warn", ()), (*where, "warn"), source),
        outputs={name: parse_path(text) for name, text in outputs.items()},
        output_places={name: source.locate((*where, "outputs", name)) for name in outputs},
        retry=_retry(body["retry"]) if "retry" in body else None,
        always=body.get("always", False),
        caps=caps_of(body.get("limits", {})),
        description=body.get("description", ""),
        tags=tuple(body.get("tags", ())),
    )


def _checks(texts: Sequence[str], where: tuple[str | int, ...], source: Source) -> tuple[Check, ...]:
    return tuple(replace(parse(text), location=source.locate((*where, number))) for number, text in enumerate(texts))


def _retry(body: Mapping[str, Any]) -> RetryPolicy:
    usual = RetryPolicy()
    return RetryPolicy(
        attempts=body.get("attempts", usual.attempts),
        first=seconds(body["first"]) if "first" in body else usual.first,
        at_most=seconds(body["at_most"]) if "at_most" in body else usual.at_most,
        on=frozenset(body.get("on", usual.on)),
    )
