"""Find the word somebody meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

# Below this, suggestions start to amuse instead of help: "date" for "template".
ALIKE = 0.7
LONGEST = 100  # longer words are data, not slips; comparing them costs the square of their length


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when nothing is close."""
    if len(word) > LONGEST:
        return None
    asked = _plain(word)
    best, best_score = None, 0.0
    for candidate in sorted(known):
        score = _likeness(asked, _plain(candidate))
        if candidate != word and score > best_score:
            best, best_score = candidate, score
    return best if best_score >= ALIKE else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint for a misspelt word; empty when nothing is close."""
    meant = nearest(word, known)
    return f'did you mean "{meant}"?' if meant is not None else ""


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
