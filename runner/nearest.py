"""Find the word somebody meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

# Below this, suggestions start to amuse instead of help: "date" for "template".
ALIKE = 0.7
LONGEST = 100  # longer words are data, not slips; comparing them costs the square of their length


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when nothing is close."""
    return next(iter(_ranked(word, known)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint for a misspelt word; empty when nothing is close."""
    meant = nearest(word, known)
    return f'did you mean "{meant}"?' if meant is not None else ""


def did_you_mean_one_of(word: str, known: Iterable[str], most: int = 3) -> str:
    """The hint for one of many words that nobody knows by heart; empty when none is close."""
    close = _ranked(word, known)[:most]
    quoted = " or ".join(f'"{one}"' for one in close)
    return f"did you mean {quoted}?" if close else ""


def _ranked(word: str, known: Iterable[str]) -> list[str]:
    """The known words that are like `word`, most alike first; of equals the shortest, as it says least beyond."""
    if len(word) > LONGEST:
        return []
    asked = _plain(word)
    scores = {one: _likeness(asked, _plain(one)) for one in sorted(known) if one != word}
    return sorted((one for one, score in scores.items() if score >= ALIKE), key=lambda one: (-scores[one], len(one)))


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def _likeness(asked: str, candidate: str) -> float:
    if not asked or not candidate or len(candidate) > LONGEST:
        return 0.0
    if asked == candidate:
        return 1.0
    matcher = SequenceMatcher(None, asked, candidate, autojunk=False)
    ratio = matcher.ratio() if matcher.quick_ratio() >= ALIKE else 0.0
    # "stat" for "status": whoever stops typing early shares the whole beginning, which the ratio undervalues.
    shorter, longer = sorted((asked, candidate), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        ratio = max(ratio, ALIKE + 0.05)
    # Two letters changing places cost two edits to the ratio, but they are one slip.
    if len(asked) == len(candidate) and sorted(asked) == sorted(candidate):
        ratio = max(ratio, ALIKE + 0.1)
    return ratio
