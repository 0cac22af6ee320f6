"""A list, every page of it: merged under the list's own name, so that checks see one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.actions.base import Exchange, Job, outside_path, path_of, query_of
from runner.answers import Reading, read, unwrap
from runner.checks import Answer, lookup
from runner.effects import Reply
from runner.model.http import Request, Response
from runner.model.problem import Problem, ProblemError
from runner.model.provider import Pages

# A provider that always says "more" must not keep us for ever.
MAX_PAGES = 10_000


def pages(job: Job) -> Exchange:
    """Yields one request a page until the provider's total or a short page says stop; returns the merged reading.

    A page that the playbook names itself (`page: 3`) is read alone.
    """
    rules = job.operation.pages
    assert rules is not None
    values = dict(outside_path(job.operation, job.values))
    is_single = values.get(rules.page) is not None
    number = _whole(job, rules.page, values.get(rules.page), rules.first)
    size = _whole(job, rules.size, values.get(rules.size), rules.default_size)
    merged: list[Any] = []
    for _ in range(MAX_PAGES):
        request = Request(
            job.operation.method,
            path_of(job.operation, job.values),
            query_of({**values, rules.page: number, rules.size: size}),
            {"accept": "application/json"},
            signed=job.operation.signed,
        )
        got = yield request
        reading = read(job.provider, job.operation, got)
        if reading.reply is not Reply.ACCEPTED or is_single or not isinstance(got, Response):
            return reading
        found, items = lookup(rules.items, got.body)
        if not found or not isinstance(items, list):
            return _broken(job, reading) if merged else reading
        merged.extend(items)
        if _is_last(rules, got.body, size, len(items), len(merged)):
            return replace(reading, answer=_merged(job, got, merged))
        number += 1
    message = f"{job.operation.name} did not end after {MAX_PAGES} pages"
    return Reading(
        Reply.REFUSED,
        Answer(None),
        problem=Problem("http.endless-list", message, hint="narrow the list with its filters"),
    )


def _whole(job: Job, name: str, given: Any, default: int) -> int:
    """A page's number or size, which a playbook may write as text. Raises ProblemError."""
    text = str(default if given is None else given)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        message = f'"{name}" of {job.operation.name} is a whole number, found "{text}"'
        raise ProblemError([Problem("request.page", message, hint="correct it in the playbook")])
    return int(text)


def _is_last(rules: Pages, body: Any, size: int, count: int, so_far: int) -> bool:
    """The total says it; without one, a page that is not full.

    The provider may give fewer than we asked for: what it echoes counts, else it may have kept to its usual size.
    """
    total = lookup(rules.total, body)[1] if rules.total else None
    if count == 0:
        return True
    if isinstance(total, int) and not isinstance(total, bool):
        return so_far >= total
    echoed = lookup((rules.size,), body)[1]
    is_echo = isinstance(echoed, int) and not isinstance(echoed, bool) and echoed > 0
    return count < (echoed if is_echo else min(size, rules.default_size))


def _broken(job: Job, reading: Reading) -> Reading:
    """A part of a list is never taken for the whole."""
    message = f"{job.provider.title} answered a further page of {job.operation.name} with something else than a list"
    problem = Problem("http.broken-list", message, hint='try again later: "onboard resume"')
    return replace(reading, reply=Reply.LOST, problem=problem)


def _merged(job: Job, got: Response, items: list[Any]) -> Answer:
    rules = job.operation.pages
    assert rules is not None
    body: Any = items
    for name in reversed(rules.items):
        outer = dict(got.body) if isinstance(got.body, Mapping) and len(rules.items) == 1 else {}
        body = {**outer, name: body}
    return Answer(unwrap(job.operation, body), got.status, got.headers)
