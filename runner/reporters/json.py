"""The report for machines: schemas/report.schema.json, written client by client so that a million fit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, TextIO

from runner.model.outcome import ClientResult
from runner.model.run import RunResult
from runner.times import rfc3339

SCHEMA = "onboard/report/1"


async def write(result: RunResult, clients: AsyncIterator[ClientResult], out: TextIO) -> None:
    head = {"schema": SCHEMA, "run": run_json(result), "totals": result.totals.to_json()}
    out.write(_dump(head)[:-1] + ', "clients": [')
    separator = "\n"
    async for client in clients:
        out.write(separator + _dump(client_json(client)))
        separator = ",\n"
    out.write("\n]}\n")


def run_json(result: RunResult) -> dict[str, Any]:
    head = result.head
    return {
        "id": head.id,
        "playbook": head.playbook,
        "provider": head.provider,
        "environment": head.environment,
        "batch": head.batch,
        "status": result.status,
        "started_at": rfc3339(head.started_at),
        "finished_at": rfc3339(head.finished_at) if head.finished_at is not None else None,
        "exit_code": result.exit_code,
    }


def client_json(client: ClientResult) -> dict[str, Any]:
    """As in the journal, less what only the runner needs."""
    return {name: value for name, value in client.to_json().items() if name not in ("fault", "retry_at")}


def _dump(body: Any) -> str:
    text = json.dumps(body, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a character (a lone surrogate) can come out of a provider's JSON; only as an escape can it be written.
        return json.dumps(body)
    return text
