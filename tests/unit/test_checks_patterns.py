"""No regular expression hangs us, and ordinary ones are welcome."""

from __future__ import annotations

import time

import pytest

from runner.checks import Answer, CheckError, evaluate, parse


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+$",
        "(a*)*",
        "(a|aa)+$",
        "(a|a)*b",
        "([a-z]+)*x",
        "((ab)*c*){3,}",
        "(a?){30}a{30}",
        "(.*a){20}",
        "(?:a|b|ab)*c",
    ],
)
def test_a_pattern_that_could_take_forever_is_refused(text: str) -> None:
    with pytest.raises(CheckError, match="can take forever"):
        parse(f"a matches {text}")


@pytest.mark.parametrize(
    "text",
    [
        r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
        r"^\d{4}-\d{2}-\d{2}$",
        r"^(USD|AED)$",
        r"^(\d{2}){3}$",
        r"(?i)^abc(def)?$",
        r"^(a|b)+$",
        r"^[A-Z]{2}[0-9]{2}(?: [0-9]{4})?",
        r"^(?P<x>a)(?P=x)\b(?=c)c(?<!d)(?>e+)f++\Z",
        r"(a)?(?(1)b|c)",
    ],
)
def test_an_ordinary_pattern_is_fine(text: str) -> None:
    assert parse(f"a matches {text}").operand == text


@pytest.mark.parametrize(
    "text",
    [
        ".*.*.*x",
        r"\d+\d+\d+\d+x",
        "^.*foo.*bar.*x",
        r"(a+b?)a*c",
        "a.*b.*c.*d",
        r"\s+\w*\s*x",
        "[ab]*[bc]*[ca]*x",
    ],
)
@pytest.mark.parametrize("letters", ["a", "1", "foo", "ab", " ", "abc"])
def test_no_answer_can_hang_a_pattern(text: str, letters: str) -> None:
    check = parse(f"a matches {text}")
    started = time.perf_counter()
    for size in (40, 100, 464, 10_000):
        subject = (letters * size)[:size]
        evaluate(check, Answer({"a": subject}), check.operand)
    assert time.perf_counter() - started < 5


def test_a_text_too_long_to_search_fails_either_way() -> None:
    long = {"a": "x" * 10_001}
    assert not evaluate(parse("a matches x"), Answer(long), "x").passed
    assert not evaluate(parse("a not matches y"), Answer(long), "y").passed
    assert evaluate(parse("a matches x$"), Answer({"a": "x" * 10_000}), "x$").passed
