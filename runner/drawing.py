"""Draw a problem for a person: the sentence, the source line, carets under the place, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from runner.model.problem import Location, Problem

WIDEST = 120  # cells of a source line that are shown
TAB = 4

BOLD, RED, YELLOW, BLUE, PLAIN = "\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[0m"

# Joiners change how neighbours look (families of emoji, Persian words) and can't hide anything; every other
# format character could: U+202E turns the rest of the line around.
JOINERS = "\u200c\u200d"
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def draw(problem: Problem, color: bool = False) -> str:
    """One problem, without a line break at the end."""
    paint = _paint if color else _unpainted
    tint = RED if problem.is_error else YELLOW
    place = problem.location
    where = paint(f"{clean(str(place))}:", BOLD) + " " if place else ""
    head = f"{where}{paint(problem.severity + ':', tint)} {clean(problem.message)} [{clean(problem.code)}]"
    hint = clean(problem.hint)
    if place is None or not place.line or not place.line_text.strip():
        return f"{head}\n   {paint('=', BLUE)} {hint}" if hint else head
    shown, before, width = _window(place)
    number = str(place.line)
    blank = paint(" " * (len(number) + 1) + "|", BLUE)
    carets = paint("^" * width + (f" {hint}" if hint else ""), tint)
    return f"{head}\n{blank}\n{paint(number + ' |', BLUE)} {shown}\n{blank} {' ' * before}{carets}"


def draw_all(problems: Iterable[Problem], color: bool = False) -> str:
    """All problems by file and line, and how many there are; empty when there are none."""
    ordered = sorted(problems, key=_order)
    if not ordered:
        return ""
    return "\n\n".join([*(draw(problem, color) for problem in ordered), count_line(ordered)]) + "\n"


def count_line(problems: Iterable[Problem]) -> str:
    """How many problems and warnings, in how many files: `3 problems in 1 file`."""
    told = list(problems)
    errors = sum(problem.is_error for problem in told)
    kinds = [(errors, "problem"), (len(told) - errors, "warning")]
    counts = [_plural(count, word) for count, word in kinds if count] or ["no problems"]
    files = len({problem.location.path for problem in told if problem.location})
    return " and ".join(counts) + (f" in {_plural(files, 'file')}" if files else "")


def clean(text: str) -> str:
    """Text that may reach a terminal: whatever could steer it or hide something is written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_cell(character)[0] for character in text)


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _order(problem: Problem) -> tuple[bool, str, int, int]:
    place = problem.location
    return (False, place.path, place.line, place.column) if place else (True, "", 0, 0)


def _paint(text: str, style: str) -> str:
    return f"{style}{text}{PLAIN}"


def _unpainted(text: str, _style: str) -> str:
    return text


def _cell(character: str) -> tuple[str, int]:
    """How a character is shown, and how many cells of the terminal that takes."""
    category = unicodedata.category(character)
    if category in UNSEEN and character not in JOINERS:
        escape = character.encode("unicode_escape").decode()
        return escape, len(escape)
    if category in ("Mn", "Me") or character in JOINERS:
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cells(line: str) -> list[tuple[str, int]]:
    cells, column = [], 0
    for character in line:
        if character == "\t":
            spaces = TAB - column % TAB
            cell = " " * spaces, spaces
        else:
            cell = _cell(character)
        column += cell[1]
        cells.append(cell)
    return cells


def _window(place: Location) -> tuple[str, int, int]:
    """The line as shown (cut around the place when long), the cells before the carets, how many carets."""
    cells = _cells(place.line_text)
    start = min(max(place.column - 1, 0), len(cells))
    end = min(max(place.end_column - 1, start + 1), len(cells))
    first, last = 0, len(cells)
    if _width(cells) > WIDEST:
        first = start
        while first > 0 and _width(cells[first - 1 : start]) <= WIDEST // 3:
            first -= 1
        last, room = first, WIDEST - (first > 0)
        while last < len(cells) and _width(cells[first : last + 1]) < room:
            last += 1
        if last == len(cells):  # the end is near: show more of what stands before
            while first > 0 and _width(cells[first - 1 :]) < WIDEST:
                first -= 1
    head, tail = "…" if first > 0 else "", "…" if last < len(cells) else ""
    shown = head + "".join(text for text, _ in cells[first:last]) + tail
    before = len(head) + _width(cells[first:start])
    return shown.rstrip(" "), before, max(1, _width(cells[start : min(end, last)]))


def _width(cells: list[tuple[str, int]]) -> int:
    return sum(width for _, width in cells)
