"""A list, every page of it: merged under the list's own name, so that checks see one answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.actions.base import Exchange, Job, outside_path, path_of, query_of
from runner.answers import Reading, read, unwrap
from runner.checks import Answer, lookup
from runner.effects import Reply
from runner.model.http import Request, Response
from runner.model.problem import Problem
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
    is_single = rules.page in values
    number = int(values.get(rules.page, rules.first))
    size = int(values.get(rules.size, rules.default_size))
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
            return reading
        merged.extend(items)
        if _is_last(rules, got.body, number, size, len(items)):
            return replace(reading, answer=_merged(job, got, merged))
        number += 1
    message = f"{job.operation.name} did not end after {MAX_PAGES} pages"
    return Reading(
        Reply.REFUSED,
        Answer(None),
        problem=Problem("http.endless-list", message, hint="narrow the list with its filters"),
    )


def _is_last(rules: Pages, body: Any, number: int, size: int, count: int) -> bool:
    """The provider may give fewer than we asked for: its own page size, when it echoes one, is what counts."""
    echoed = lookup((rules.size,), body)[1]
    size = echoed if isinstance(echoed, int) and not isinstance(echoed, bool) and echoed > 0 else size
    total = lookup(rules.total, body)[1] if rules.total else None
    if isinstance(total, int) and not isinstance(total, bool):
        return count == 0 or number - rules.first + 1 >= math.ceil(total / size)
    return count < size


def _merged(job: Job, got: Response, items: list[Any]) -> Answer:
    rules = job.operation.pages
    assert rules is not None
    body: Any = items
    for name in reversed(rules.items):
        outer = dict(got.body) if isinstance(got.body, Mapping) and len(rules.items) == 1 else {}
        body = {**outer, name: body}
    return Answer(unwrap(job.operation, body), got.status, got.headers)
