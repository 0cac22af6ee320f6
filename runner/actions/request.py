"""The escape hatch: a request as the playbook writes it, signed like any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

from runner.actions import upload
from runner.actions.base import Exchange, Job, json_bytes, query_of
from runner.answers import read
from runner.model.http import Request, wire_text
from runner.model.problem import Problem, ProblemError
from runner.model.provider import Operation
from runner.raw_calls import disguised, effect_behind


def request(job: Job) -> Exchange:
    """Yields the raw request of `{method, path, query, headers, json, form, files}`; returns its reading."""
    return read(job.provider, job.operation, (yield request_of(job)))


def operation_of(raw: Mapping[str, Any], effect: str) -> Operation:
    """A raw request dressed as an operation, so that one code path carries everything. Any 2xx is a success."""
    properties = {name: {"x-file": True} for name in raw.get("files", {})}
    return Operation(
        name=f"{raw['method']} {raw['path']}",
        method=str(raw["method"]),
        path=str(raw["path"]),
        effect="write" if effect == "write" else "read",
        body="multipart" if "files" in raw else "none",
        request={"properties": properties},
    )


def _path(text: str) -> str:
    """Percent-encoded, under the base URL for certain: what a row holds must not lead anywhere else."""
    segments = unquote(text).split("/")
    if not text.startswith("/") or ".." in segments or "." in segments:
        message = f'"{text}" is no path under the base URL, expected one that starts with "/"'
        raise ProblemError([Problem("request.path", message, hint="write it without . and .. between the slashes")])
    return quote(text, safe="/%~:@!$&'()*+,;=-._")


def request_of(job: Job) -> Request:
    raw = job.values
    path = _path(str(raw["path"]))
    behind = effect_behind(job.provider.operations.values(), str(raw["method"]), path)
    if behind and (problem := disguised(behind, None)).is_error:
        raise ProblemError([problem])
    headers = {"accept": "application/json"} | {
        str(name).lower(): wire_text(value) for name, value in raw.get("headers", {}).items()
    }
    if "files" in raw:
        bare = Operation(
            job.operation.name,
            job.operation.method,
            path,
            job.operation.effect,
            request=job.operation.request,
        )
        parts = {**raw.get("form", {}), **raw["files"]}
        built = upload.request_of(Job(job.provider, bare, parts, job.read_file))
        return Request(
            built.method,
            path,
            query_of(raw.get("query", {})),
            headers | dict(built.headers),
            built.body,
            is_multipart=True,
        )
    body = b""
    if "json" in raw:
        headers.setdefault("content-type", "application/json")
        body = json_bytes(raw["json"])
    elif "form" in raw:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
        body = urlencode(query_of(raw["form"])).encode()
    return Request(job.operation.method, path, query_of(raw.get("query", {})), headers, body)
