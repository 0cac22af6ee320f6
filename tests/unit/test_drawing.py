"""What a person sees when something is wrong; and which word they probably meant."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.drawing import clean, count_line, draw, draw_all
from runner.model.problem import Location, Problem
from runner.nearest import did_you_mean, nearest

LINE = "      - status == verfied"


def test_the_picture_of_the_design() -> None:
    place = Location("fin/pay.playbook.yaml", 41, 19, 26, LINE)
    message = '"verfied" is not a status of a CoinMENA client'
    assert """\
fin/pay.playbook.yaml:41:19: error: "verfied" is not a status of a CoinMENA client [check.unknown-value]
   |
41 |       - status == verfied
   |                   ^^^^^^^ did you mean "verified"?""" == draw(
        Problem("check.unknown-value", message, place, 'did you mean "verified"?')
    )


def test_without_the_line_the_hint_follows() -> None:
    problem = Problem("clients.ragged", "found 3 cells, expected 5", Location("c.csv", 7, 1), "add the missing cells")
    assert "c.csv:7:1: error: found 3 cells, expected 5 [clients.ragged]\n   = add the missing cells" == draw(problem)


def test_without_line_place_or_hint_one_line_is_enough() -> None:
    assert "a.yaml: warning: careful [a.b]" == draw(Problem("a.b", "careful", Location("a.yaml"), severity="warning"))
    assert "error: careful [a.b]" == draw(Problem("a.b", "careful"))


@pytest.mark.parametrize(
    ("line", "column", "end", "shown", "carets"),
    [
        ("a: b", 4, 0, "a: b", "   ^"),
        ("a: b", 5, 6, "a: b", "    ^"),
        ("a: bcd", 4, 99, "a: bcd", "   ^^^"),
        ("\ta: b", 5, 6, "    a: b", "       ^"),
        ("x\ty", 3, 4, "x   y", "    ^"),
        ("漢字: b", 1, 3, "漢字: b", "^^^^"),
        ("漢字: b", 5, 6, "漢字: b", "      ^"),
        ("cafe\u0301: b", 8, 9, "cafe\u0301: b", "      ^"),
        ("اسم: b", 6, 7, "اسم: b", "     ^"),
        ("a\x1b: b", 5, 6, "a\\x1b: b", "       ^"),
        ("a\u202e: b", 5, 6, "a\\u202e: b", "         ^"),
    ],
)
def test_carets_stand_under_what_they_mean(line: str, column: int, end: int, shown: str, carets: str) -> None:
    drawn = draw(Problem("a.b", "c", Location("f", 1, column, end, line))).split("\n")
    assert ["  |", f"1 | {shown}", f"  | {carets}"] == drawn[1:]


@pytest.mark.parametrize("column", [1, 60, 200, 381])
def test_a_long_line_is_cut_around_the_place(column: int) -> None:
    line = "".join(f"{number:03}_" for number in range(96))
    _, _, shown, under = draw(Problem("a.b", "c", Location("f", 1, column, column + 4, line))).split("\n")
    assert len(shown) <= 4 + 121
    assert "^^^^" == under.strip(" |")
    assert line[column - 1 : column + 3] == shown[under.index("^") : under.index("^") + 4]


def test_a_hostile_file_writes_no_terminal_escapes() -> None:
    problem = Problem("a.b", 'key "\x1b]0;x\x07\n\u202e"', Location("f\x1b[2J", 1, 1, 2, "a\x9b31m"), "\rhint\ud800")
    assert {"\n"} == {character for character in draw(problem) if not character.isprintable()}
    assert draw(problem).encode("utf-8")


def test_color_paints_and_leaves_the_words() -> None:
    painted = draw(Problem("a.b", "c", Location("f", 1, 1, 2, "x"), "h"), color=True)
    assert "\x1b[1;31merror:\x1b[0m" in painted
    assert "\x1b[1;31m^ h\x1b[0m" in painted


def test_all_problems_come_in_order_with_their_count() -> None:
    last, first, second = (
        Problem("d.d", "d"),
        Problem("a.a", "a", Location("a", 2, 1)),
        Problem("b.b", "b", Location("a", 10)),
    )
    assert """\
a:2:1: error: a [a.a]

a:10:0: error: b [b.b]

error: d [d.d]

3 problems in 1 file
""" == draw_all([last, second, first])
    assert "" == draw_all([])


def test_the_count_line_tells_warnings_apart() -> None:
    error, warning = (
        Problem("a.b", "c", Location("f")),
        Problem("a.b", "c", Location("g"), severity="warning"),
    )
    assert "1 problem in 1 file" == count_line([error])
    assert "2 problems and 1 warning in 2 files" == count_line([error, warning, error])
    assert "1 warning in 1 file" == count_line([warning])
    assert "1 problem" == count_line([Problem("a.b", "c")])
    assert "no problems" == count_line([])


@given(st.text(), st.text(), st.integers(0, 300), st.integers(0, 300))
def test_anything_can_be_drawn_and_printed(message: str, line: str, column: int, end: int) -> None:
    drawn = draw(Problem("a.b", message, Location("f", 1, column, end, line), message))
    drawn.encode("utf-8")
    assert not {unicodedata.category(character) for character in drawn.replace("\n", "")} & {
        "Cc",
        "Cs",
        "Zl",
        "Zp",
    }
    assert drawn.count("\n") in (1, 3, 0)


def test_clean_leaves_scripts_alone() -> None:
    assert "José 漢字 مرحبا 👩‍👩‍👧" == clean("José 漢字 مرحبا 👩‍👩‍👧")


STEP_KEYS = [
    "id",
    "call",
    "with",
    "request",
    "when",
    "for_each",
    "expect",
    "outputs",
    "retry",
    "limits",
    "satisfy",
]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("retyr", "retry"), ("expct", "expect"), ("satsify", "satisfy"), ("foreach", "for_each"),
        ("for-each", "for_each"),
        ("wiht", "with"), ("ouputs", "outputs"), ("Limits", "limits"), ("reques", "request"), ("ID", "id"),
        ("xyz", None), ("name", None), ("", None), ("a" * 5000, None), ("retry", None),
    ],
)  # fmt: skip
def test_the_nearest_word(word: str, expected: str | None) -> None:
    assert expected == nearest(word, STEP_KEYS)


def test_of_equally_near_words_the_shortest_is_meant() -> None:
    lines = ["street_line_1_en", "street_line_2_en", "street_line_2", "street_line_1"]
    assert "street_line_1" == nearest("street", lines)


def test_the_hint_asks() -> None:
    assert 'did you mean "verified"?' == did_you_mean("verfied", ["pending", "verified"])
    assert "" == did_you_mean("verfied", [])
