"""Problems for every reader: people, scripts, GitHub, code scanning, CI."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TextIO
from urllib.parse import quote

from runner.drawing import clean, draw_all
from runner.model.problem import Location, Problem
from runner.version import VERSION

SCHEMA = "onboard/problems/1"
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"

Write = Callable[[Sequence[Problem], Sequence[str], TextIO, bool], None]


def as_text(problems: Sequence[Problem], files: Sequence[str], out: TextIO, color: bool) -> None:
    out.write(draw_all(problems, color))


def as_json(problems: Sequence[Problem], files: Sequence[str], out: TextIO, color: bool) -> None:
    body = {"schema": SCHEMA, "problems": [problem_json(problem) for problem in _ordered(problems)]}
    out.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")


def problem_json(problem: Problem) -> dict[str, Any]:
    place = problem.location or Location("")
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_column": place.end_column or place.column,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }


def as_github(problems: Sequence[Problem], files: Sequence[str], out: TextIO, color: bool) -> None:
    """Workflow commands: they become annotations in the pull request."""
    for problem in _ordered(problems):
        place = problem.location
        where = ""
        if place:
            line, column = max(1, place.line), max(1, place.column)
            where = f"file={_property(place.path)},line={line},col={column},endColumn={max(column, place.end_column)},"
        text = f"{problem.message}. {problem.hint}" if problem.hint else problem.message
        out.write(f"::{problem.severity} {where}title={_property(problem.code)}::{_data(text)}\n")


def as_sarif(problems: Sequence[Problem], files: Sequence[str], out: TextIO, color: bool) -> None:
    rules = [{"id": code, "name": code} for code in sorted({problem.code for problem in problems})]
    body = {
        "$schema": SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "onboard", "version": VERSION, "rules": rules}},
                "results": [_sarif_result(problem) for problem in _ordered(problems)],
            }
        ],
    }
    out.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")


def _sarif_result(problem: Problem) -> dict[str, Any]:
    text = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
    result: dict[str, Any] = {"ruleId": problem.code, "level": problem.severity, "message": {"text": text}}
    if place := problem.location:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path)}}
        if place.line:
            physical["region"] = {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": max(place.end_column, place.column + 1),
            }
        result["locations"] = [{"physicalLocation": physical}]
    return result


def as_junit(problems: Sequence[Problem], files: Sequence[str], out: TextIO, color: bool) -> None:
    """One test case a file; its errors are its failures."""
    # Imported late: it brings a whole HTTP client along, and `validate` seldom writes XML.
    from xml.sax.saxutils import quoteattr

    wrong: dict[str, list[Problem]] = {file: [] for file in files}
    for problem in _ordered(problems):
        if problem.is_error:
            wrong.setdefault(problem.location.path if problem.location else "onboard", []).append(problem)
    failures = sum(bool(found) for found in wrong.values())
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(
        f'<testsuite name="onboard validate" tests="{len(wrong)}" failures="{failures}" errors="0" skipped="0">\n'
    )
    for file, found in wrong.items():
        inner = "".join(_failure(problem, file) for problem in found)
        out.write(f'<testcase classname="playbook" name={quoteattr(clean(file))}>{inner}</testcase>\n')
    out.write("</testsuite>\n")


def _failure(problem: Problem, file: str) -> str:
    from xml.sax.saxutils import escape, quoteattr

    attributes = f"message={quoteattr(clean(problem.message))} type={quoteattr(problem.code)}"
    return f"<failure {attributes}>{escape(clean(f'{problem.location or file} {problem.hint}'))}</failure>"


FORMATS: dict[str, Write] = {
    "github": as_github,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
    "text": as_text,
}


def _ordered(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(
        problems,
        key=lambda problem: (
            problem.location is None,
            problem.location.path if problem.location else "",
            problem.location.line if problem.location else 0,
            problem.location.column if problem.location else 0,
        ),
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
