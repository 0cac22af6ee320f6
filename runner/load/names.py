"""Which fields of a client a playbook can't do without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner.load.reviewed import texts
from runner.model.playbook import Playbook
from runner.templates import TemplateError, compile_text, has_template


def required_client_fields(playbook: Playbook) -> list[str]:
    """Dotted names of `client.…` that are read without `optional`, in the order of the text."""
    sources: list[Any] = [playbook.documents, playbook.funding]
    for step in playbook.steps:
        if not step.when:
            sources += [
                dict(step.values),
                step.request and dict(step.request),
                [str(check.operand) for check in (*step.expect,) if check.is_template],
            ]
    found: dict[str, None] = {}
    for source in sources:
        for text in _templates(source):
            try:
                references = compile_text(text).references
            except TemplateError:
                continue
            for reference in references:
                if reference.names[0] == "client" and len(reference.names) > 1 and not reference.optional:
                    found[".".join(str(name) for name in reference.names[1:])] = None
    return list(found)


def _templates(value: Any) -> Iterator[str]:
    listed = list(value) if isinstance(value, tuple) else value
    for _, text in texts(listed, ()):
        if has_template(text):
            yield text
