"""Durations as people write them."""

from __future__ import annotations

import pytest

from runner.duration import in_words, seconds


@pytest.mark.parametrize(
    ("text", "found"), [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("72h", 259_200), ("3d", 259_200), ("0s", 0)]
)
def test_a_number_with_a_unit(text: str, found: float) -> None:
    assert found == seconds(text)


@pytest.mark.parametrize("text", ["", "30", "s", "-1s", "1 s", "1s\n", "1e3s", "1w", ".5s", "1.s", "١s", "1S"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (0.04, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_in_words(duration: float, words: str) -> None:
    assert words == in_words(duration)
