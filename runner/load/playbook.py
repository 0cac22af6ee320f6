"""A playbook: from text to nouns. Everything wrong with it is found in one go, before anything runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner import resources
from runner.checks import parse, parse_path
from runner.duration import seconds
from runner.load import yaml
from runner.load.clients_schema import clients_schema
from runner.load.inline import clients_rule, inline_problems
from runner.load.pack import find_pack
from runner.load.review import Review, review
from runner.load.review_secrets import secrets_in, without_secrets
from runner.load.schema import Schema
from runner.load.source import Source
from runner.load.yaml_values import kind_of
from runner.model.check import Check
from runner.model.playbook import Cap, Goal, Picking, Playbook, RetryPolicy, Step, Waiting
from runner.model.problem import Location, Problem, ProblemError
from runner.model.provider import Provider

SUFFIX = ".playbook.yaml"
START = 'start with "playbook: 1"'
UNQUOTED_CAP = re.compile(r'"(per_client|per_run)" is a number')


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of one file: problems always; playbook and provider only when no problem is an error.

    `row_problems` are those of inline clients: a run may leave such rows out (--skip-invalid) and tells them itself.
    """

    path: str
    problems: tuple[Problem, ...]
    row_problems: tuple[Problem, ...] = ()
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
    problems = [replace(each, hint=START) if each.code == "yaml.empty" else each for each in document.problems]
    body = document.value
    if body is None or not isinstance(body, Mapping):
        if not problems:
            problems.append(
                Problem(
                    "schema.wrong-type",
                    f"the playbook is {kind_of(body)}, expected a mapping",
                    document.source.locate(()),
                    START,
                )
            )
        problems += secrets_in(document.source)
        return Loaded(label, tuple(without_secrets(_one_each(problems), document.source)))
    provider = _provider(body, document.source, provider_file, problems)
    schema = Schema.read(resources.schemas() / "playbook.schema.json")
    problems += _quote_hints(schema.problems(body, lambda where, key: document.source.locate(where, key=key)))
    of_clients, found = clients_schema(body, path, document.source)
    problems += found
    problems += review(Review(body, document.source, provider, of_clients))
    problems = without_secrets(_one_each(problems), document.source)
    rows = inline_problems(label, body, document.source, of_clients)
    if provider is None or any(problem.is_error for problem in problems):
        return Loaded(label, tuple(problems), rows, provider=provider)
    playbook = _build(body, document.source, label, hashlib.sha256(data).hexdigest(), of_clients)
    return Loaded(label, tuple(problems), rows, playbook, provider)


def find_playbooks(path: Path) -> list[Path]:
    """The file itself, or every `*.playbook.yaml` below a folder, in order."""
    return sorted(file for file in path.rglob(f"*{SUFFIX}") if file.is_file()) if path.is_dir() else [path]


def _provider(body: Mapping[str, Any], source: Source, file: Path | None, problems: list[Problem]) -> Provider | None:
    name = body.get("provider")
    if not isinstance(name, str) or not name:
        return None
    try:
        return find_pack(name, file)
    except ProblemError as error:
        problems += [problem.at(source.locate(("provider",))) for problem in error.problems]
        return None


def _quote_hints(problems: list[Problem]) -> list[Problem]:
    """An unquoted amount is a money mistake, not merely a wrong type."""
    told = []
    for problem in problems:
        found = UNQUOTED_CAP.match(problem.message)
        if problem.code == "schema.wrong-type" and found and problem.location:
            place = problem.location
            written = place.line_text[place.column - 1 : place.end_column - 1]
            message = f'amount "{found[1]}" is not quoted'
            problem = replace(problem, code="money.unquoted", message=message, hint=f'quote it: "{written}"')
        told.append(problem)
    return told


def _one_each(problems: list[Problem]) -> list[Problem]:
    """In the order of the file, and one place once: what an earlier reader said of it, a later one need not repeat."""
    secrets = [each.location for each in problems if each.location and each.code.startswith("secret.")]
    first: dict[tuple[str, int, int], str] = {}
    told: list[Problem] = []
    for problem in dict.fromkeys(sorted(problems, key=lambda each: not each.code.startswith("secret."))):
        place = problem.location or Location("")
        # Several keys may be missing from one place.
        if place.line and not problem.code.endswith(".missing-key"):
            key = (place.path, place.line, place.column)
            if first.setdefault(key, problem.code) != problem.code:
                continue
            if not problem.code.startswith("secret.") and any(_is_inside(secret, place) for secret in secrets):
                continue
        told.append(problem)
    return sorted(told, key=_place)


def _is_inside(inner: Location, outer: Location) -> bool:
    return inner.line == outer.line and outer.column <= inner.column < outer.end_column


def _place(problem: Problem) -> tuple[int, int]:
    return (problem.location.line, problem.location.column) if problem.location else (0, 0)


# -- from here on the text is known to be right -----------------------------------------------------------------------


def _build(
    body: Mapping[str, Any], source: Source, path: str, digest: str, clients_schema: Mapping[str, Any]
) -> Playbook:
    return Playbook(
        path=path,
        digest=digest,
        name=body["name"],
        provider=body["provider"],
        description=body.get("description", ""),
        tags=tuple(body.get("tags", ())),
        inputs=body.get("inputs", {}),
        clients=clients_rule(body.get("clients", {}), source, clients_schema),
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
        pick=_picking(body["pick"]) if "pick" in body else None,
        outputs={name: parse_path(text) for name, text in outputs.items()},
        output_places={name: source.locate((*where, "outputs", name)) for name in outputs},
        retry=_retry(body["retry"]) if "retry" in body else None,
        waiting=_waiting(body["await"], (*where, "await"), source) if "await" in body else None,
        rounds=body["satisfy"].get("rounds", 5) if "satisfy" in body else 0,
        goal=_goal(body["satisfy"]) if "until" in body.get("satisfy", {}) else None,
        always=body.get("always", False),
        caps=caps_of(body.get("limits", {})),
        description=body.get("description", ""),
        tags=tuple(body.get("tags", ())),
    )


def _checks(texts: Sequence[str], where: tuple[str | int, ...], source: Source) -> tuple[Check, ...]:
    return tuple(replace(parse(text), location=source.locate((*where, number))) for number, text in enumerate(texts))


def _picking(body: Mapping[str, Any]) -> Picking:
    return Picking(body["where"], parse_path(body["from"]) if "from" in body else ())


def _waiting(body: Mapping[str, Any], where: tuple[str | int, ...], source: Source) -> Waiting:
    every = seconds(body.get("every", "30s"))
    return Waiting(
        until=_checks(body["until"], (*where, "until"), source),
        stop=_checks(body.get("stop", ()), (*where, "stop"), source),
        every=every,
        at_most=seconds(body["at_most"]) if "at_most" in body else 10 * every,
        deadline=seconds(body["deadline"]),
        wake_on=body.get("wake_on", ""),
    )


def _goal(body: Mapping[str, Any]) -> Goal:
    times = {name: seconds(body[name]) for name in ("every", "at_most", "deadline") if name in body}
    return Goal(body["until"], **times)


def _retry(body: Mapping[str, Any]) -> RetryPolicy:
    usual = RetryPolicy()
    return RetryPolicy(
        attempts=body.get("attempts", usual.attempts),
        first=seconds(body["first"]) if "first" in body else usual.first,
        at_most=seconds(body["at_most"]) if "at_most" in body else usual.at_most,
        on=frozenset(body.get("on", usual.on)),
    )
