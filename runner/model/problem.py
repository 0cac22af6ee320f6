"""What is wrong, where it stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file the user wrote. Lines and columns count from 1; 0 means "the file as a whole".

    `line_text` is the source line for the drawing; it stays empty for clients files, whose lines are people's data.
    """

    path: str
    line: int = 0
    column: int = 0
    end_column: int = 0
    line_text: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "line": self.line, "column": self.column}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Location:
        return cls(str(body["path"]), int(body["line"]), int(body["column"]))


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint: a code that never changes meaning, a sentence, a place, and a hint that is an action."""

    code: str
    message: str
    location: Location | None = None
    hint: str = ""
    severity: Severity = "error"
    shortage: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def at(self, location: Location | None) -> Problem:
        """The same complaint at `location`, unless it already has a place."""
        return self if self.location else replace(self, location=location)

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "location": self.location.to_json() if self.location else None,
        }
        if self.shortage:
            body["shortage"] = [dict(entry) for entry in self.shortage]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Problem:
        place = body.get("location")
        return cls(
            code=str(body["code"]),
            message=str(body["message"]),
            location=Location.from_json(place) if place else None,
            hint=str(body.get("hint", "")),
            shortage=tuple(body.get("shortage", ())),
        )


class RunnerError(Exception):
    """The root of every exception this package raises on purpose."""


class ProblemError(RunnerError):
    """The user's text is wrong: carries every problem found, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


class GuardError(ProblemError):
    """A guard refused: a cap, a lock, a stale plan, a live environment without approval (exit 3)."""


class JournalError(RunnerError):
    """The book of record can't be written; nothing may be sent."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)
