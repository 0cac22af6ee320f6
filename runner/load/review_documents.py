"""Document paths that the playbook writes out: they must stay inside the documents folder, wherever that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from runner.file_fields import rule_of
from runner.load.reviewed import Review, Where
from runner.model.problem import Problem
from runner.templates import has_template


def document_problems(review: Review) -> Iterator[Problem]:
    for where, text in _paths(review):
        path = PurePath(text)
        if not has_template(text) and (path.is_absolute() or ".." in path.parts):
            hint = "write it relative to the clients file, or name another folder with --documents"
            yield review.tell("documents.outside", f'document "{text}" leaves the documents folder', where, hint)


def _paths(review: Review) -> Iterator[tuple[Where, str]]:
    for number, entry in enumerate(review.items("documents")):
        for name in ("front", "back"):
            if isinstance(entry, Mapping) and isinstance(text := entry.get(name), str):
                yield ("documents", number, name), text
    for where, step in review.steps():
        operation, values = review.operation(step), step.get("with")
        for name, text in (values if isinstance(values, Mapping) else {}).items():
            if operation and isinstance(text, str) and rule_of(operation.request, name).get("x-file"):
                yield (*where, "with", name), text
