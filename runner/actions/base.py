"""What every action shares: the request of an operation built from values, as a generator that never touches a socket.

An action yields Requests, is handed what came back, and returns the Reading. The performer sends; a plan only looks at
the first request.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import quote

from runner import rules
from runner.answers import Reading
from runner.file_fields import with_files
from runner.model.http import NoAnswer, Request, Response, wire_text
from runner.model.money import Money
from runner.model.problem import Problem, ProblemError
from runner.model.provider import Operation, Provider
from runner.money import parse_amount, to_minor_units

Exchange = Generator[Request, Response | NoAnswer, Reading]


@dataclass(frozen=True, slots=True)
class FileContent:
    """A document as it will travel: bytes, the name the provider sees, and its media type as sniffed from content."""

    content: bytes
    filename: str
    media_type: str


ReadFile = Callable[[str], FileContent]


@dataclass(frozen=True, slots=True)
class Job:
    """All that an action may know: the pack, the operation, the values, and how to read a document."""

    provider: Provider
    operation: Operation
    values: Mapping[str, Any]
    read_file: ReadFile


class Action(Protocol):
    def __call__(self, job: Job) -> Exchange: ...


def path_fields(operation: Operation) -> tuple[str, ...]:
    """Names in braces in the operation's path, in order."""
    return tuple(piece.partition("}")[0] for piece in operation.path.split("{")[1:])


def path_of(operation: Operation, values: Mapping[str, Any]) -> str:
    """The path with its fields filled in, each percent-encoded whole: a slash in an id stays inside its segment.

    Raises ProblemError for a field that is absent or would make the path another one: nothing is sent to it.
    """
    path = operation.path
    for name in path_fields(operation):
        path = path.replace("{" + name + "}", quote(_segment(operation, name, values.get(name)), safe="~"))
    return path


def _segment(operation: Operation, name: str, value: Any) -> str:
    text = "" if value is None else wire_text(value)
    if text in ("", ".", ".."):
        found = f'found "{text}"' if text else "found nothing"
        message = f'"{name}" is a part of the path of {operation.name} and needs a value, {found}'
        raise ProblemError([Problem("request.path", message, hint="correct the row, or the step that it comes from")])
    return text


def outside_path(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    inside = path_fields(operation)
    return {name: value for name, value in values.items() if name not in inside}


def query_of(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Query pairs in the order written; a list repeats its name, null is left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        for entry in value if isinstance(value, list | tuple) else [value]:
            if entry is not None:
                pairs.append((name, wire_text(entry)))
    return tuple(pairs)


def refuse_broken(job: Job) -> None:
    """Raises ProblemError for a rule that shows only with values of earlier steps: nothing is sent."""
    for found in rules.broken(job.operation.request, job.values, None, lambda value: False):
        raise ProblemError([Problem("with.rule", f"{job.operation.name}: {found.message}", hint=found.hint)])


def on_the_wire(job: Job, values: Mapping[str, Any]) -> Any:
    """The values as the JSON body carries them: documents as data URIs, amounts as numbers where the schema says so."""

    def encode(name: Any) -> str:
        document = job.read_file(str(name))
        return f"data:{document.media_type};base64,{base64.b64encode(document.content).decode()}"

    filled = with_files(job.operation.request, values, encode)
    properties = job.operation.request.get("properties", {})
    for name, value in filled.items():
        if properties.get(name, {}).get("x-wire") == "number" and isinstance(value, str):
            filled[name] = parse_amount(value)
    rule = job.operation.money
    if rule and rule.places and isinstance(filled.get(rule.amount), str | Decimal):
        # A text is the amount as people write it, and so is a fraction; a whole number is in minor units already.
        filled[rule.amount] = to_minor_units(Money(parse_amount(filled[rule.amount], rule.places), ""), rule.places)
    return filled


def json_bytes(value: Any) -> bytes:
    """Serialised once: the bytes that are hashed, signed and sent. Decimals travel as JSON numbers, digit by digit."""
    return _json_text(value).encode()


def _json_text(value: Any) -> str:
    # The standard encoder would push a Decimal through a float.
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_json_text(str(name))}:{_json_text(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_json_text, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value, ensure_ascii=False)
