"""What can be wrong with a check, and where in its text: offsets count characters from 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from runner.model.problem import RunnerError


class CheckError(RunnerError):
    """The text is not a check. `code`, `message`, `hint` as in a Problem; `offset` to `end` for carets."""

    def __init__(self, code: str, message: str, offset: int = 0, hint: str = "", end: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset
        self.hint = hint
        self.end = max(end, offset + 1)

    def moved(self, by: int) -> CheckError:
        """The same error in a longer text, of which ours starts at `by`."""
        return CheckError(self.code, self.message, self.offset + by, self.hint, self.end + by)


@dataclass(frozen=True, slots=True)
class Finding:
    """A well-formed check that a schema contradicts. `near`: a similar right word exists, so it is a slip."""

    code: str
    message: str
    hint: str = ""
    offset: int = 0
    end: int = 0
    near: bool = False


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, if any."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str) -> str:
    return f'did you mean "{word}"?'


def listed(words: Iterable[object], most: int = 8) -> str:
    """`a, b, c`, or the first few and an ellipsis."""
    texts = [str(word) for word in words]
    return ", ".join(texts[:most]) + (", …" if len(texts) > most else "")
