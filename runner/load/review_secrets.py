"""Secrets written into a playbook: found wherever they stand, placed, and never echoed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.load.reviewed import Review
from runner.load.source import Source
from runner.model.problem import Location, Problem
from runner.templates import has_template

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z ]*-----)?"
)
# A token has a digit, or small and capital letters mixed: "Basic verification" is no secret.
_TOKEN = r"(?=[^\s]*[0-9]|[^\s]*[a-z][^\s]*[A-Z])[A-Za-z0-9._~+/=-]{12,}"
_BEARER = re.compile(rf"\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s+{_TOKEN}")
_KEY_WORDS = {"apikey", "authorization", "cookie", "key", "password", "secret", "signature", "token"}
_NO_SECRETS = {"idempotency", "idempotent", "public", "request"}
_KEY_QUERY = {"access_token", "api_key", "apikey", "password", "secret"}
_QUOTED = re.compile(r'"([^"]*)"')
HINT = "take it out, make a new one, and give it through the provider's environment variable or key file"


def secrets_in(source: Source) -> Iterator[Problem]:
    """Private keys and tokens anywhere in the text, comments and broken YAML included."""
    for match in _PRIVATE_KEY.finditer(source.text):
        yield _secret("a private key", source.at(*match.span()))
    for match in _BEARER.finditer(source.text):
        kind = "a bearer token" if match[1].lower() == "bearer" else "basic authentication"
        yield _secret(kind, source.at(*match.span()))


def secret_problems(review: Review) -> Iterator[Problem]:
    yield from secrets_in(review.source)
    for where, what, _ in _literals(review.body):
        yield _secret(what, review.source.locate(where))


def _literals(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Headers and query fields of raw requests that are secrets by their name, and have a value of their own."""
    steps = body.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        request = step.get("request") if isinstance(step, Mapping) else None
        for part, word in (("headers", "header"), ("query", "query field")):
            values = request.get(part) if isinstance(request, Mapping) else None
            for name, value in (values if isinstance(values, Mapping) else {}).items():
                text = value if isinstance(value, str) else "" if value is None else str(value)
                if _is_secret(name, part) and text and not has_template(text) and not _BEARER.search(text):
                    yield ("steps", number, "request", part, name), f'a literal value for {word} "{name}"', text


def _is_secret(name: str, part: str) -> bool:
    words = re.split(r"[-_ ]+", name.lower())
    if part == "query":
        return "_".join(words) in _KEY_QUERY
    return bool(_KEY_WORDS & {words[-1], "".join(words[-2:])}) and not _NO_SECRETS & set(words)


def _secret(what: str, place: Location) -> Problem:
    # Without the source line: the drawing must not print what must not be seen.
    hidden = Location(place.path, place.line, place.column, place.end_column)
    return Problem("secret.literal", f"{what} stands in the playbook", hidden, HINT)


def without_secrets(problems: list[Problem], source: Source) -> list[Problem]:
    """The same problems; lines that hold a secret are not shown, and no message repeats one."""
    spans = [match.span() for pattern in (_PRIVATE_KEY, _BEARER) for match in pattern.finditer(source.text)]
    lines = {
        line for start, end in spans for line in range(source.at(start).line, source.at(max(start, end - 1)).line + 1)
    }
    lines |= {each.location.line for each in problems if each.location and each.code.startswith("secret.")}
    if not lines:
        return problems
    written = "\n".join(source.text[start:end] for start, end in spans)
    return [_hidden(problem, lines, _plain(written)) for problem in problems]


def _hidden(problem: Problem, lines: set[int], written: str) -> Problem:
    place = problem.location
    if place and place.line in lines:
        problem = replace(problem, location=replace(place, line_text=""))

    def hide(match: re.Match[str]) -> str:
        found = _plain(match[1].removesuffix("…"))
        is_secret = (len(found) >= 6 and found in written) or _PRIVATE_KEY.search(match[1]) or _BEARER.search(match[1])
        return '"***"' if is_secret else match[0]

    return replace(problem, message=_QUOTED.sub(hide, problem.message), hint=_QUOTED.sub(hide, problem.hint))


def _plain(text: str) -> str:
    """Without white space and escaped line breaks: as written and as read come out alike."""
    return re.sub(r"\s|\\[nrt]", "", text)
