"""The report for CI: a test suite per run, a test case per client and step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from runner.drawing import clean
from runner.model.outcome import ClientResult, Ending, StepResult, StepStatus
from runner.model.problem import Problem
from runner.model.run import RunResult
from runner.times import rfc3339


async def write(result: RunResult, clients: AsyncIterator[ClientResult], out: TextIO) -> None:
    """Written client by client: the counts stand in the suite's head and come from a first pass over the totals."""
    cases: list[str] = []
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    async for client in clients:
        for name, case in _cases(client):
            counts["tests"] += 1
            if name:
                counts[name] += 1
            cases.append(case)
    head = result.head
    seconds = (head.finished_at or head.started_at) - head.started_at
    attributes = " ".join(f'{name}="{count}"' for name, count in counts.items())
    suite = f"{head.playbook} run {head.id}"
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites name={quoteattr("onboard")} {attributes} time="{seconds:.3f}">\n')
    out.write(
        f'<testsuite name={quoteattr(suite)} {attributes} time="{seconds:.3f}" timestamp="{rfc3339(head.started_at)}">\n'
    )
    out.writelines(cases)
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
    text = clean(f"{problem.location or ''} {problem.message}. {problem.hint}".strip())
    return f"<{tag} message={quoteattr(clean(problem.message))} type={quoteattr(problem.code)}>{escape(text)}</{tag}>"


def _xml(classname: str, name: str, milliseconds: int, inner: str) -> str:
    head = f'<testcase classname={quoteattr(clean(classname))} name={quoteattr(name)} time="{milliseconds / 1000:.3f}"'
    return f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n"
