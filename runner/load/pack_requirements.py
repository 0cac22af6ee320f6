"""The `requirements` of a pack: the recipe of `satisfy`, and the step described like any operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.checks import parse_path
from runner.duration import seconds
from runner.model.check import Path
from runner.model.provider import Operation
from runner.model.requirements import AnswerRule, DocumentsRule, Requirements, Supply


def requirements_of(body: Mapping[str, Any], operations: Mapping[str, Operation]) -> Requirements:
    """The nouns of a `requirements` mapping that is known to fit its schema. Raises KeyError for an unknown call."""
    ask, data, documents = body["ask"], body.get("data"), body.get("documents")
    return Requirements(
        ask=_supply(ask),
        state=_path(ask["state"]),
        missing=_path(ask["missing"]),
        reason=_path(ask.get("reason")),
        where=ask.get("where", {}),
        open=tuple(body["open"]),
        done=tuple(body["done"]),
        dead=tuple(body.get("dead", ())),
        pending=tuple(body.get("pending", ())),
        asks_while=tuple(body.get("asks_while", ())),
        pending_every=seconds(body.get("pending_every", "5s")),
        pending_at_most=seconds(body.get("pending_at_most", "50s")),
        pending_deadline=seconds(body.get("pending_deadline", "10m")),
        data=_supply(data) if data else None,
        data_groups=_path(data["groups"]) if data else (),
        data_fields=_path(data.get("fields")) if data else (),
        data_key=_path(data.get("key", "key")) if data else (),
        meets={name: tuple(parts) for name, parts in (data or {}).get("meets", {}).items()},
        documents=_documents(documents) if documents else None,
        submit=_supply(body["submit"]) if "submit" in body else None,
        answer=_answer(body["answer"], ask) if "answer" in body else None,
        operation=_operation(body, operations),
    )


def _documents(body: Mapping[str, Any]) -> DocumentsRule:
    refused = body.get("refused", {})
    return DocumentsRule(
        supply=_supply(body),
        groups=_path(body["groups"]),
        any_of=_path(body["any_of"]),
        group_id=_path(body.get("id", "id")),
        type=_path(body.get("type", "id")),
        needs_back=_path(body.get("needs_back")),
        metadata=_path(body.get("metadata")),
        metadata_id=_path(body.get("metadata_id", "id")),
        refused=_path(refused.get("items")),
        refused_key=_path(refused.get("key", "key")),
        refused_reason=_path(refused.get("reason", "reason")),
    )


def _answer(body: Mapping[str, Any], ask: Mapping[str, Any]) -> AnswerRule:
    return AnswerRule(
        supply=_supply(body),
        upload=_supply(body["upload"]),
        uris=_path(body["upload"]["uris"]),
        section=_path(body["section"]),
        kinds=_path(body["kinds"]),
        kind=_path(body["kind"]),
        fields=_path(body["fields"]),
        field=_path(body["field"]),
        documents={name: tuple(kinds) for name, kinds in body["documents"].items()},
        side=_path(body.get("side")),
        status=_path(body.get("status")),
        reason=_path(body.get("reason")),
        worn=tuple(body.get("worn", ())),
        files=body.get("files", "files"),
        sided=tuple(body.get("sided", ())),
        since=_path(ask.get("since")),
    )


def _operation(body: Mapping[str, Any], operations: Mapping[str, Operation]) -> Operation:
    """What `with` may hold: the names that the recipe reads, and every field that the data call can carry."""
    ask = operations[body["ask"]["call"]]
    data = operations[body["data"]["call"]] if "data" in body else None
    own = {name: {"type": ["string", "integer"], "minLength": 1} for name in body["with"]}
    own |= {name: {"type": ["string", "integer"]} for name in body.get("accepts", ())}
    properties = {**(data.request.get("properties", {}) if data else {}), **own}
    # Of a list, checks look at the one entry that is meant.
    response = ask.response.get("items", {}) if body["ask"].get("where") else ask.response
    return Operation(
        name="satisfy",
        method=ask.method,
        path=ask.path,
        effect="read",
        request={
            "type": "object",
            "additionalProperties": False,
            "required": list(body["with"]),
            "properties": properties,
        },
        response=response,
        subject=body.get("subject", "what is asked for"),
    )


def _supply(body: Mapping[str, Any]) -> Supply:
    return Supply(body["call"], body.get("with", {}))


def _path(text: str | None) -> Path:
    return parse_path(text) if text else ()
