"""One call: path and query from the values, the rest as a JSON or form body."""

from __future__ import annotations

from urllib.parse import urlencode

from runner.actions.base import (
    Exchange,
    Job,
    json_bytes,
    on_the_wire,
    outside_path,
    path_of,
    query_of,
    refuse_broken,
)
from runner.answers import read
from runner.model.http import Request, wire_text


def call(job: Job) -> Exchange:
    """Yields the one request of the operation; returns its reading."""
    return read(job.provider, job.operation, (yield request_of(job)))


def request_of(job: Job) -> Request:
    operation = job.operation
    refuse_broken(job)
    rest = outside_path(operation, job.values)
    path = path_of(operation, job.values)
    headers = {"accept": "application/json"}
    headers |= {name.lower(): wire_text(rest.pop(name)) for name in operation.header_fields if name in rest}
    match operation.body:
        case "json":
            headers["content-type"] = "application/json"
            body = json_bytes(on_the_wire(job, rest))
            return Request(operation.method, path, (), headers, body, signed=operation.signed)
        case "form":
            headers["content-type"] = "application/x-www-form-urlencoded"
            form = urlencode(query_of(rest)).encode()
            return Request(operation.method, path, (), headers, form, signed=operation.signed)
        case _:
            return Request(operation.method, path, query_of(rest), headers, signed=operation.signed)
