"""What the reviewers share: the text as loaded, where everything stands, the pack, and the steps that can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.load.source import Source
from runner.model.problem import Location, Problem
from runner.model.provider import RECONCILE, Operation, Provider

Where = tuple[str | int, ...]

# A way out for complaints of the two small languages that bring none of their own.
WAYS_OUT = {
    "check.regex": 'write a regular expression, e.g. "^[A-Z]{2}$"',
    "check.syntax": 'a check is "path operator value", e.g. "status == verified"',
    "check.wrong-type": "write a value of that kind, or choose another operator",
    "template.forbidden": "use a field of the data, or a filter",
    "template.syntax": 'an expression is one name or one calculation, e.g. "{{ client.name | upper }}"',
    "template.too-large": "make less of it",
    "template.unknown-client-field": "name a field of the clients schema",
    "template.unknown-filter": "the reference of the playbook language lists them all",
    "template.value": "correct the expression",
}


@dataclass(frozen=True, slots=True)
class Review:
    """One playbook under review. `provider` is None when the pack itself can't be had."""

    body: Mapping[str, Any]
    source: Source
    provider: Provider | None
    clients_schema: Mapping[str, Any]

    def tell(self, code: str, message: str, where: Where, hint: str = "", *, key: bool = False) -> Problem:
        return Problem(code, message, self.source.locate(where, key=key), hint)

    def steps(self) -> Iterator[tuple[Where, Mapping[str, Any]]]:
        """Every step that is at least a mapping, with its place."""
        steps = self.body.get("steps")
        for number, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, Mapping):
                yield ("steps", number), step

    def operation(self, step: Mapping[str, Any]) -> Operation | None:
        if "reconcile" in step:
            return RECONCILE
        if "satisfy" in step:
            return self.provider.requirements.operation if self.provider and self.provider.requirements else None
        call = step.get("call")
        return self.provider.operations.get(call) if self.provider and isinstance(call, str) else None

    def mapping(self, name: str) -> Mapping[str, Any]:
        found = self.body.get(name)
        return found if isinstance(found, Mapping) else {}

    def items(self, name: str) -> list[Any]:
        found = self.body.get(name)
        return found if isinstance(found, list) else []


def way_out(code: str, hint: str) -> str:
    """The complaint's own hint, or the usual one for its code."""
    return hint or WAYS_OUT.get(code, "correct it")


def texts(value: Any, where: Where) -> Iterator[tuple[Where, str]]:
    """Every text inside a value, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from texts(entry, (*where, name))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from texts(entry, (*where, number))


def placed(review: Review, where: Where, text: str, start: int | None, end: int | None) -> Location:
    """The place of a stretch of the text at `where`, or of the whole text when the stretch is not known."""
    if start is None:
        return review.source.locate(where)
    return review.source.locate_slice(where, text, start, end if end is not None else start + 1)
