"""The report for CI: a test suite per run, a test case per client and step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import IO, TextIO
from xml.sax.saxutils import escape, quoteattr

from runner.drawing import clean
from runner.model.outcome import ClientResult, Ending, StepResult, StepStatus
from runner.model.problem import Problem
from runner.model.run import RunResult
from runner.times import rfc3339

# XML 1.0 knows neither; everything else that it refuses is escaped by `clean`.
_ILLEGAL = str.maketrans(dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd"))
IN_MEMORY = 4 * 1024 * 1024


async def write(result: RunResult, clients: AsyncIterator[ClientResult], out: TextIO) -> None:
    """The counts stand in the suite's head, so the cases wait for them: in memory, or on disk when they are many."""
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    with tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="") as cases:
        async for client in clients:
            for name, case in _cases(client):
                counts["tests"] += 1
                if name:
                    counts[name] += 1
                cases.write(case)
        cases.seek(0)
        _write(result, counts, cases, out)


def _write(result: RunResult, counts: Mapping[str, int], cases: IO[str], out: TextIO) -> None:
    head = result.head
    seconds = (head.finished_at or head.started_at) - head.started_at
    attributes = " ".join(f'{name}="{count}"' for name, count in counts.items())
    suite = f"{head.playbook} run {head.id}"
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites name={quoteattr("onboard")} {attributes} time="{seconds:.3f}">\n')
    out.write(
        f'<testsuite name={quoteattr(suite)} {attributes} time="{seconds:.3f}" '
        f'timestamp="{rfc3339(head.started_at)}">\n'
    )
    shutil.copyfileobj(cases, out)
    out.write("</testsuite>\n</testsuites>\n")


def _cases(client: ClientResult) -> Iterator[tuple[str, str]]:
    """(which count, the test case as XML)."""
    for step in client.steps:
        yield _case(client, step)
    if not client.steps:
        kind = "skipped" if client.outcome is Ending.NOT_STARTED else "failures"
        yield kind, _xml(client.key, "client", 0, _element(kind, client.outcome.value, client.problem))


def _case(client: ClientResult, step: StepResult) -> tuple[str, str]:
    match step.status:
        case StepStatus.PASSED:
            return "", _xml(client.key, step.id, step.duration_ms, "")
        case StepStatus.SKIPPED:
            return "skipped", _xml(client.key, step.id, 0, "<skipped/>")
        case StepStatus.FAILED:
            return "failures", _xml(
                client.key, step.id, step.duration_ms, _element("failures", step.status.value, step.problem)
            )
        case _:
            return "errors", _xml(
                client.key, step.id, step.duration_ms, _element("errors", step.status.value, step.problem)
            )


def _element(kind: str, word: str, problem: Problem | None) -> str:
    tag = {"failures": "failure", "errors": "error", "skipped": "skipped"}[kind]
    if problem is None:
        return f"<{tag} message={quoteattr(word)}/>"
    text = _legal(f"{problem.location or ''} {problem.message}. {problem.hint}".strip())
    return f"<{tag} message={quoteattr(_legal(problem.message))} type={quoteattr(problem.code)}>{escape(text)}</{tag}>"


def _xml(classname: str, name: str, milliseconds: int, inner: str) -> str:
    head = f'<testcase classname={quoteattr(_legal(classname))} name={quoteattr(name)} time="{milliseconds / 1000:.3f}"'
    return f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n"


def _legal(text: str) -> str:
    return clean(text).translate(_ILLEGAL)
