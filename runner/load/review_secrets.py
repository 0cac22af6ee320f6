"""Secrets written into a playbook: found, placed, and never echoed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runner.load.reviewed import Review, texts
from runner.model.problem import Location, Problem
from runner.templates import has_template

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_BEARER = re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}")
_KEY_HEADER = re.compile(r"(?i)^(authorization|cookie|x-?api-?key|x-?api-?token|.*-(secret|token|signature|api-?key))$")


def secret_problems(review: Review) -> Iterator[Problem]:
    for where, text in texts(review.body, ()):
        if _PRIVATE_KEY.search(text):
            yield _secret("a private key", review.source.locate(where))
        elif _BEARER.search(text):
            yield _secret("a bearer token", review.source.locate(where))
    for where, step in review.steps():
        request = step.get("request")
        headers = request.get("headers") if isinstance(request, Mapping) else None
        for name, value in (headers if isinstance(headers, Mapping) else {}).items():
            if (
                _KEY_HEADER.match(name)
                and isinstance(value, str)
                and not has_template(value)
                and not _BEARER.search(value)
            ):
                yield _secret(
                    f'a literal value for header "{name}"',
                    review.source.locate((*where, "request", "headers", name)),
                )


def _secret(what: str, place: Location) -> Problem:
    # Without the source line: the drawing must not print what must not be seen.
    hidden = Location(place.path, place.line, place.column, place.end_column)
    hint = "take it out, make a new one, and give it through the provider's environment variable or key file"
    return Problem("secret.literal", f"{what} stands in the playbook", hidden, hint)
