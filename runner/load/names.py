"""Which fields of a client a playbook knows, and which it can't do without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from runner.load.reviewed import texts
from runner.model.playbook import Playbook, Step
from runner.templates import Reference, TemplateError, compile_text, has_template


def required_client_fields(playbook: Playbook) -> list[str]:
    """Dotted names of `client.…` that are read without `optional`, in the order of the text."""
    found = (
        ".".join(map(str, reference.names[1:]))
        for reference in _client_references(playbook, [step for step in playbook.steps if not step.when])
        if not reference.optional
    )
    return list(dict.fromkeys(found))


def own_names(playbook: Playbook) -> set[str]:
    """The fields of a client that the playbook or its clients schema gives a meaning, by their outer name."""
    properties = playbook.clients.schema.get("properties", {})
    read = (str(reference.names[1]) for reference in _client_references(playbook, playbook.steps))
    asked = (str(check.path[1]) for step in playbook.steps for check in step.when if check.path[0] == "client")
    return {playbook.clients.key, *properties, *read, *asked}


def _client_references(playbook: Playbook, steps: Iterable[Step]) -> Iterator[Reference]:
    """Every `client.…` that is read for documents, funding and these steps, in the order of the text."""
    sources: list[Any] = [playbook.documents, playbook.funding]
    for step in steps:
        sources += [
            dict(step.values),
            step.request and dict(step.request),
            [str(check.operand) for check in (*step.when, *step.expect) if check.is_template],
        ]
    for source in sources:
        for text in _templates(source):
            with suppress(TemplateError):
                for reference in compile_text(text).references:
                    if reference.names[0] == "client" and len(reference.names) > 1:
                        yield reference


def _templates(value: Any) -> Iterator[str]:
    listed = list(value) if isinstance(value, tuple) else value
    for _, text in texts(listed, ()):
        if has_template(text):
            yield text
