"""Know where everything stands in a file: from a path such as ("steps", 0, "id") to line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from runner.model.problem import Location

Path = tuple[str | int, ...]
LINE_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True)
class Place:
    """Where one value stands: offsets into the text, its style, and the places of what it holds.

    `style` is YAML's indicator: "" plain, "'" or '"' quoted, "|" or ">" block, "{" or "[" flow, ":" or "-"
    block collection, "*" an alias. An alias stands where `*name` stands, shares `keys` and `values` with what
    it names, and is `written` there.
    """

    start: int
    end: int
    style: str = ""
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    values: dict[str | int, Place] = field(default_factory=dict)
    written: Place | None = None

    @property
    def is_empty(self) -> bool:
        return self.start == self.end


@dataclass(frozen=True)
class Source:
    """A text and the places of everything in it. Columns count characters; `end_column` is exclusive."""

    path: str
    text: str
    places: Place | None = None

    def locate(self, path: Path = (), key: bool = False) -> Location:
        """Where the value at `path` stands, or its key. What is missing is placed on what should hold it."""
        if self.places is None:
            return self.at(0, 0) if self.text else Location(self.path)
        found = self._walk(path)
        last = len(found) - 1
        name = path[last - 1] if last else None
        # A missing key is its owner's matter, and an owner is known by its own key.
        if last < len(path) or key or found[last].is_empty:
            owner = found[last - 1] if last else None
            if owner is not None and isinstance(name, str) and name in owner.keys:
                return self.at(*owner.keys[name])
            if found[last].keys and (last < len(path) or key):
                return self.at(*next(iter(found[last].keys.values())))
        return self._of(found[last])

    def locate_text(self, path: Path, needle: str, occurrence: int = 0) -> Location:
        """Where `needle` stands inside the scalar at `path`, as written there: quoted, escaped or folded."""
        found = self._walk(path) if self.places else []
        wanted = _squeezed(needle).strip()
        if not wanted or len(found) != len(path) + 1:
            return self.locate(path)
        characters, spans = self._content(found[-1].written or found[-1])
        for count, index in enumerate(_occurrences(characters, wanted)):
            if count == occurrence:
                return self.at(spans[index][0], spans[index + len(wanted) - 1][1])
        return self.locate(path)

    def locate_slice(self, path: Path, value: str, start: int, end: int) -> Location:
        """Where `value[start:end]` stands, `value` being the scalar at `path` as read."""
        needle = value[start:end]
        begins = len(_squeezed(value[: start + len(needle) - len(needle.lstrip())]))
        wanted = _squeezed(needle).strip()
        before = sum(index < begins for index in _occurrences(_squeezed(value), wanted))
        return self.locate_text(path, needle, before)

    def _content(self, place: Place) -> tuple[str, list[tuple[int, int]]]:
        """The characters of a scalar, any space between them as one, and where each is written."""
        start, end = place.start, max(place.start, place.end)
        if place.style in ("|", ">"):
            start = self._line_end(start) + 1  # the content of a block scalar begins on the next line
        elif place.style:
            start, end = self.text.find(place.style, start) + 1, end - 1
        characters: list[str] = []
        spans: list[tuple[int, int]] = []
        for match in WRITTEN.get(place.style, WRITTEN[""]).finditer(self.text, start, end):
            character = _meant(match[0], place.style)
            if character == " " and characters and characters[-1] == " ":
                spans[-1] = spans[-1][0], match.end()
            elif character:
                characters.append(character)
                spans.append(match.span())
        return "".join(characters), spans

    def at(self, start: int, end: int | None = None) -> Location:
        """The location of a stretch of the text; one that runs over several lines ends with its first."""
        start = min(max(start, 0), len(self.text))
        line = bisect_right(self._starts, start) - 1
        begins, stops = self._starts[line], self._line_end(start)
        start = min(start, stops)
        end = min(max(start + 1, start if end is None else end), max(stops, start + 1))
        return Location(self.path, line + 1, start - begins + 1, end - begins + 1, self.text[begins:stops])

    def line(self, number: int) -> Location:
        """A whole line, without its indentation."""
        number = min(max(number, 1), len(self._starts))
        begins = self._starts[number - 1]
        text = self.text[begins : self._line_end(begins)]
        indentation = len(text) - len(text.lstrip())
        return self.at(begins + indentation, begins + len(text.rstrip()))

    def line_of(self, path: Path) -> int:
        """The line of the value at `path`; for those who ask ten thousand times, and need no text."""
        found = self._walk(path) if self.places else []
        return bisect_right(self._starts, found[-1].start) if found else 1

    def line_start(self, number: int) -> int:
        """The offset at which a line begins."""
        return self._starts[number - 1]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in LINE_BREAK.finditer(self.text))]

    def _line_end(self, offset: int) -> int:
        line = bisect_right(self._starts, offset)
        if line == len(self._starts):
            return len(self.text)
        end = self._starts[line]
        return end - (2 if self.text[end - 2 : end] == "\r\n" else 1)

    def _walk(self, path: Path) -> list[Place]:
        """The places along `path`, from the root as far as they exist."""
        assert self.places is not None
        found = [self.places]
        for step in path:
            child = found[-1].values.get(step)
            if child is None:
                break
            found.append(child)
        return found

    def _of(self, place: Place) -> Location:
        if place.style == ":" and place.written is None and place.keys:
            return self.at(*next(iter(place.keys.values())))
        if place.style in ("-", "|", ">") and place.written is None:
            return self.at(place.start, place.start + 1)
        return self.at(place.start, place.end)


# One character of a scalar as written, by style.
WRITTEN = {
    "": re.compile(r"(?s)."),
    "'": re.compile(r"(?s)''|."),
    '"': re.compile(r"(?s)\\x..|\\u.{4}|\\U.{8}|\\\r?\n[ \t]*|\\.|."),
}
SPACES = re.compile(r"[ \t\r\n]+")
SHORT_ESCAPES = dict(zip("0abefvN_LPnrt\t", "\0\a\b\x1b\f\v\x85\xa0\u2028\u2029\n\r\t\t", strict=True))


def _squeezed(text: str) -> str:
    return SPACES.sub(" ", text)


def _meant(written: str, style: str) -> str:
    """The character that a piece of a scalar stands for; every space and line break is one space."""
    if style == "'" and written == "''":
        return "'"
    if style == '"' and written[0] == "\\" and len(written) > 1:
        if written[1] in "\r\n":
            return ""
        code = written[2:]
        character = chr(int(code, 16)) if code else SHORT_ESCAPES.get(written[1], written[1])
    else:
        character = written
    return " " if character in " \t\r\n" else character


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    index = text.find(wanted) if wanted else -1
    while index >= 0:
        yield index
        index = text.find(wanted, index + 1)
