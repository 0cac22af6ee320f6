"""Read YAML 1.2 into plain values, knowing where each stands; the only file that imports `yaml`.

PyYAML speaks 1.1 and builds its trees by recursion, so only the C parser's events are used. Building,
resolving, merging and counting happen here, on a stack of our own that no hostile file exhausts.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from runner.load.source import LINE_BREAK, Place, Source
from runner.model.problem import Location, Problem, ProblemError
from runner.nearest import did_you_mean

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_PROBLEMS = 100  # whoever has a hundred has one, many times
MAX_DIGITS = 4300  # more than Python turns back into text (sys.get_int_max_str_digits)

PREFIX = "tag:yaml.org,2002:"
CONSTANTS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")
TAGGED_INTEGER = re.compile(r"[-+]?[0-9]+")
TAGGED_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")

FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]",
)
# YAML 1.1 broke lines at these; 1.2 and every editor do not. libyaml is shown stand-ins of the same length.
OLD_BREAKS = "\x85\u2028\u2029"
STAND_INS = "\U0010fffb\U0010fffc\U0010fffd"
HIDE, SHOW = str.maketrans(OLD_BREAKS, STAND_INS), str.maketrans(STAND_INS, OLD_BREAKS)

MERGE = "<<"


@dataclass(frozen=True)
class Document:
    """What a file holds. With problems, the value is the best that could be read or None."""

    value: object
    source: Source
    problems: tuple[Problem, ...] = ()


def read(path: str, text: str | bytes) -> Document:
    """Read one YAML document. Never raises for what the text says: everything wrong is in `problems`."""
    if isinstance(text, bytes):
        if problem := _too_large(path, len(text)):
            return Document(None, Source(path, ""), (problem,))
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            return Document(None, Source(path, ""), (_not_utf8(path, error),))
    elif problem := _too_large(path, len(text.encode("utf-8", "surrogatepass"))):
        return Document(None, Source(path, ""), (problem,))

    source = Source(path, text.removeprefix("\ufeff"))
    if forbidden := tuple(_forbidden(source)):
        return Document(None, source, forbidden)

    builder = _Builder(source)
    try:
        for event in yaml.parse(builder.shown, Loader=yaml.CLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        return Document(None, source, _with(builder.problems, _explain(error, builder)))
    except ProblemError as stop:
        return Document(None, source, (*builder.problems, *stop.problems))

    if builder.root is None or builder.is_blank:
        problem = Problem("yaml.empty", "found an empty file, expected a mapping", Location(path))
        return Document(None, source, (*builder.problems, problem))
    return Document(builder.root.value, Source(path, source.text, builder.root.place), tuple(builder.problems))


def _with(problems: list[Problem], syntax: Problem) -> tuple[Problem, ...]:
    """A template without quotes may be seen twice: as a strange key, and as what broke the syntax."""
    seen = any(_line(each) == _line(syntax) and each.code == syntax.code for each in problems)
    return tuple(problems) if seen else (*problems, syntax)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _line(problem: Problem) -> int:
    return problem.location.line if problem.location else 0


# --- characters ------------------------------------------------------------------------------------------


def _too_large(path: str, size: int) -> Problem | None:
    if size <= MAX_BYTES:
        return None
    message = f"found a file of {size:,} bytes, expected at most {MAX_BYTES:,}"
    return Problem("yaml.too-large", message, Location(path), "split the file")


def _not_utf8(path: str, error: UnicodeDecodeError) -> Problem:
    data = bytes(error.object)
    start = max(data.rfind(b"\n", 0, error.start), data.rfind(b"\r", 0, error.start)) + 1
    before = LINE_BREAK.split(data[: error.start].decode("utf-8"))
    line = LINE_BREAK.split(data[start:].decode("utf-8", "replace"), maxsplit=1)[0]
    column = len(before[-1]) + 1
    found = f"found byte 0x{data[error.start]:02x} at offset {error.start}, expected UTF-8"
    return Problem(
        "yaml.encoding",
        found,
        Location(path, len(before), column, column + 1, line),
        "save the file as UTF-8",
    )


def _forbidden(source: Source) -> Iterator[Problem]:
    for count, match in enumerate(FORBIDDEN.finditer(source.text)):
        if count == 10:  # a binary file; ten say it as well as ten thousand
            return
        code = ord(match[0])
        kind = "half of a pair" if 0xD800 <= code <= 0xDFFF else "control character"
        yield Problem(
            "yaml.control-character",
            f"found the {kind} U+{code:04X}, expected text",
            source.at(*match.span()),
            f'remove it, or write "\\x{code:02x}" inside double quotes' if 0 < code <= 0xFF else "remove it",
        )


# --- the tree --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    """A finished value. `size` and `height` count what it holds, aliases too; `text` is a scalar's own."""

    value: Any
    place: Place
    size: int = 1
    height: int = 0
    text: str | None = None
    is_merge: bool = False


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet. `name` is the key that waits for its value."""

    value: Any
    place: Place
    anchor: str | None
    before: int
    height: int = 1
    name: str | None = None
    awaits: str = "key"  # then: value, merge, or nothing (the value of a key that is no key)
    merges: list[_Node] = field(default_factory=list)


class _Builder:
    """Builds the tree from events, one at a time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.root: _Node | None = None
        self.open: list[_Open] = []
        self.anchors: dict[str, _Node | None] = {}
        self.nodes = 0
        self.last = Place(0, 0)
        self.last_closed = Place(0, 0)
        self.is_blank = False
        self.ended = False
        self.hides = not source.text.isascii() and not any(mark in source.text for mark in STAND_INS)
        self.shown = source.text.translate(HIDE) if self.hides else source.text

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent() if self.ended:
                hint = "keep one document in a file"
                self._stop("yaml.several-documents", "found a second document, expected one", event, hint)
            case yaml.DocumentEndEvent():
                self.ended = True

    def _tell(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) == MAX_PROBLEMS:
            message = f"found {MAX_PROBLEMS} problems, reading stopped here"
            raise ProblemError([Problem("yaml.too-many", message, problem.location, "mend these first")])

    def _scalar(self, event: Any) -> None:
        place = Place(event.start_mark.index, event.end_mark.index, event.style or "")
        self.last = place
        text = event.value.translate(SHOW) if self.hides else event.value
        if event.tag is None:
            value = resolve(text) if event.implicit[0] else text
            is_merge = text == MERGE and bool(event.implicit[0])
        else:
            value, is_merge = self._tagged_scalar(event, text), False
        node = _Node(value, place, text=text, is_merge=is_merge)
        self.is_blank = not self.open and place.is_empty
        self._count(1, event)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._add(node)

    def _alias(self, event: Any) -> None:
        place = Place(event.start_mark.index, event.end_mark.index, "*")
        self.last = place
        node = _Node(None, place)
        target = self.anchors.get(event.anchor)
        if target is not None:
            if len(self.open) + target.height > MAX_DEPTH:
                self._too_deep(event)
            self._count(target.size, event)
            place.keys, place.values = target.place.keys, target.place.values
            place.written = target.place.written or target.place
            value = copy.deepcopy(target.value) if target.height else target.value
            node = _Node(value, place, target.size, target.height, target.text)
        elif event.anchor in self.anchors:
            hint = f'take "*{event.anchor}" out of what "&{event.anchor}" names'
            self._complain("yaml.recursive-alias", f'alias "*{event.anchor}" stands inside itself', event, hint)
        else:
            hint = (
                did_you_mean(event.anchor, list(self.anchors)[-MAX_PROBLEMS:])
                or "put quotes around the value if it is no alias"
            )
            self._complain("yaml.unknown-alias", f'alias "*{event.anchor}" names nothing above it', event, hint)
        self._add(node)

    def _begin(self, event: Any) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if len(self.open) >= MAX_DEPTH:
            self._too_deep(event)
        self._count(1, event)
        if event.tag not in (None, "!", PREFIX + ("map" if is_mapping else "seq")):
            self._wrong_tag(event, "a mapping" if is_mapping else "a list")
        style = ("{" if is_mapping else "[") if event.flow_style else (":" if is_mapping else "-")
        place = Place(event.start_mark.index, event.end_mark.index, style)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.open.append(_Open({} if is_mapping else [], place, event.anchor, self.nodes - 1))

    def _end(self, event: Any) -> None:
        ended = self.open.pop()
        self.last_closed = ended.place
        ended.place.end = max(ended.place.start + 1, event.end_mark.index)
        if ended.merges:
            self._merge(ended)
        node = _Node(ended.value, ended.place, self.nodes - ended.before, ended.height)
        if ended.anchor is not None:
            self.anchors[ended.anchor] = node
        self._add(node)

    def _add(self, node: _Node) -> None:
        if not self.open:
            self.root = self.root or node
            return
        parent = self.open[-1]
        parent.height = max(parent.height, node.height + 1)
        if isinstance(parent.value, list):
            parent.place.values[len(parent.value)] = node.place
            parent.value.append(node.value)
        elif parent.awaits == "key":
            self._key(parent, node)
        else:
            if parent.awaits == "value" and parent.name is not None:
                parent.value[parent.name] = node.value
                parent.place.values[parent.name] = node.place
            elif parent.awaits == "merge":
                parent.merges.append(node)
            parent.awaits = "key"

    def _key(self, parent: _Open, node: _Node) -> None:
        parent.awaits = "nothing"
        name = node.text
        if name is None:
            self._key_is_collection(parent, node)
            return
        if not isinstance(node.value, str):
            shown = _short(name) or "null"
            message = f"{f'key {shown}' if name else 'key'} is {kind_of(node.value)}, keys are text"
            place = self.source.at(node.place.start, node.place.end)
            self._tell(Problem("yaml.key", message, place, f'quote it: "{shown}"'))
        if name in parent.place.keys:
            first = self.source.at(*parent.place.keys[name])
            message = f'duplicate key "{_short(name)}", first given on line {first.line}'
            place = self.source.at(node.place.start, node.place.end)
            self._tell(Problem("yaml.duplicate-key", message, place, "remove one of the two"))
            return
        parent.place.keys[name] = (node.place.start, node.place.end)
        parent.name = name
        parent.awaits = "merge" if node.is_merge else "value"

    def _key_is_collection(self, parent: _Open, node: _Node) -> None:
        text = self.source.text
        if parent.place.style == "{" and text.startswith("{{", parent.place.start):
            self._tell(_unquoted_template(self.source, parent.place.start))
        elif not text.startswith("{{", node.place.start):  # else the mapping inside has told
            place = self.source.at(node.place.start, node.place.end)
            message = f"key is {kind_of(node.value)}, keys are text"
            self._tell(Problem("yaml.key", message, place, "put quotes around it if it is text"))

    def _merge(self, ended: _Open) -> None:
        """Explicit keys win over merged ones, earlier merged mappings over later ones."""
        sources: list[tuple[dict[str, Any], Place]] = []
        for node in ended.merges:
            listed = node.value if isinstance(node.value, list) else [node.value]
            places = list(node.place.values.values()) if isinstance(node.value, list) else [node.place]
            for value, place in zip(listed, places, strict=True):
                if isinstance(value, dict):
                    sources.append((value, place))
                elif node.place.style != "*" or node.value is not None:  # else the alias has been told
                    message = f'"<<" merges a mapping or a list of mappings, found {kind_of(value)}'
                    self._tell(Problem("yaml.merge", message, self.source.at(place.start, place.end)))
        merged: dict[str, Any] = {}
        keys, values = ended.place.keys, ended.place.values
        keys.pop(MERGE, None)
        for value, place in sources:
            for name in value:
                merged.setdefault(name, value[name])
                if name in place.keys:
                    keys.setdefault(name, place.keys[name])
                    values.setdefault(name, place.values[name])
        ended.value = merged | ended.value

    def _tagged_scalar(self, event: Any, text: str) -> object:
        if event.tag == "!":
            return text
        name = event.tag.removeprefix(PREFIX)
        convert = TAGS.get(name) if event.tag.startswith(PREFIX) else None
        if convert is None:
            self._wrong_tag(event, "text")
            return text
        try:
            return convert(text)
        except ValueError:
            self._complain("yaml.tag", f'tag "!!{name}" does not fit this value', event, "remove the tag")
            return text

    def _wrong_tag(self, event: Any, kind: str) -> None:
        tag = str(event.tag)
        shown = f"!!{tag.removeprefix(PREFIX)}" if tag.startswith(PREFIX) else tag
        known = tag in {PREFIX + name for name in (*TAGS, "map", "seq")}
        message = f'tag "{shown}" does not fit {kind}' if known else f'unknown tag "{shown}"'
        self._complain("yaml.tag", message, event, "remove the tag")

    def _count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            message = f"found more than {MAX_NODES:,} values, aliases followed"
            self._stop("yaml.too-many", message, event, "split the file, or use fewer aliases")

    def _too_deep(self, event: Any) -> None:
        self._stop("yaml.too-deep", f"found more than {MAX_DEPTH} levels", event, "nest less deeply")

    def _complain(self, code: str, message: str, event: Any, hint: str) -> None:
        self._tell(Problem(code, message, self._place(event), hint))

    def _stop(self, code: str, message: str, event: Any, hint: str) -> None:
        raise ProblemError([Problem(code, message, self._place(event), hint)])

    def _place(self, event: Any) -> Location:
        return self.source.at(event.start_mark.index, event.end_mark.index)


# --- meaning ---------------------------------------------------------------------------------------------


def resolve(text: str) -> object:
    """The meaning of plain text in YAML 1.2; leading zeros, underscores, dates, .inf and .nan stay text."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return text
    if INTEGER.fullmatch(text):
        return int(text)
    if NUMBER.fullmatch(text):
        return Decimal(text)
    if OTHER_BASE.fullmatch(text):
        return _other_base(text)
    return text


def kind_of(value: object) -> str:
    """What YAML calls a value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return "a number"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return "text"


def _other_base(text: str) -> object:
    value = int(text, 0)
    return value if value.bit_length() < MAX_DIGITS * 3 else text


def _as_bool(text: str) -> bool:
    value = CONSTANTS.get(text)
    if not isinstance(value, bool):
        raise ValueError(text)
    return value


def _as_integer(text: str) -> object:
    if OTHER_BASE.fullmatch(text):
        return _other_base(text)
    if not TAGGED_INTEGER.fullmatch(text) or len(text) > MAX_DIGITS:
        raise ValueError(text)
    return int(text)


def _as_null(text: str) -> None:
    if CONSTANTS.get(text, text) is not None:
        raise ValueError(text)


def _as_number(text: str) -> Decimal:
    if not TAGGED_NUMBER.fullmatch(text) or len(text) > MAX_DIGITS:
        raise ValueError(text)
    return Decimal(text)


TAGS: dict[str, Callable[[str], object]] = {
    "bool": _as_bool,
    "float": _as_number,
    "int": _as_integer,
    "null": _as_null,
    "str": str,
}


# --- words for syntax errors -----------------------------------------------------------------------------

# An unquoted template begins a value; or stands in a flow list, where its brace ends the text before it.
TEMPLATE_AT = re.compile(r"(?:^[ \t]*|[:?,\[{-][ \t]+|\[)(\{\{)")
SPACE = " \t\r\n"
OPENINGS = {"[": ("list", "]"), "{": ("mapping", "}")}


def _unquoted_template(source: Source, start: int) -> Problem:
    place = source.at(start)
    rest = place.line_text[place.column - 1 :]
    end = rest.find("}}") + 2
    template = rest[:end] if end > 2 else rest.rstrip()
    whole = rest.rstrip() == template
    quote = "'" if '"' in template else '"'
    example = f": {quote}{template}{quote}" if whole and quote not in template else ""
    return Problem(
        "yaml.unquoted-template",
        "found a template without quotes, expected quoted text",
        source.at(start, start + len(template)),
        f"put quotes around {'it' if whole else 'the whole value'}{example}",
    )


def _explain(error: yaml.MarkedYAMLError, builder: _Builder) -> Problem:
    """libyaml's complaint in our words: what was found, what was expected, what to do."""
    return _Explanation(error, builder).problem()


class _Explanation:
    def __init__(self, error: yaml.MarkedYAMLError, builder: _Builder) -> None:
        self.source, self.builder = builder.source, builder
        self.text = builder.source.text
        self.words = str(error.problem or "")
        self.context = str(error.context or "")
        self.at = self._offset(error.problem_mark)
        self.from_ = self._offset(error.context_mark) if error.context_mark else self.at
        self.found = self.text[self.at : self.at + 1]
        place = self.source.at(self.at)
        self.line = place.line
        self.is_first_on_line = not place.line_text[: place.column - 1].strip(SPACE)
        self.is_at_end = not self.text[self.at :].strip(SPACE)

    def problem(self) -> Problem:
        if "quoted scalar" not in self.context:
            template = self._template()
            if template is not None:
                return _unquoted_template(self.source, template)
        for words, explain in EXPLANATIONS.items():
            if words in self.words:
                return explain(self)
        return self._say(self.words[:1].lower() + self.words[1:])

    def _offset(self, mark: Any) -> int:
        return min(int(mark.index), len(self.text)) if mark else 0

    def _say(self, message: str, hint: str = "", start: int | None = None, end: int | None = None) -> Problem:
        start = self.at if start is None else start
        return Problem("yaml.syntax", message, self.source.at(start, end), hint)

    def _token(self) -> tuple[str, int]:
        """What stands at the place of the error, and where it ends."""
        match = re.compile(r"[\w.$@/-]+|\S").match(self.text, self.at)
        return (match[0][:40], match.end()) if match else ("the end of the file", self.at)

    def _shown(self) -> str:
        token, _ = self._token()
        return f'"{token}"' if not self.is_at_end else token

    def _template(self) -> int | None:
        """The unquoted template that this error comes from, if any: on its own line or the one before."""
        if self.text.startswith("{{", self.at):
            return self.at
        for number in dict.fromkeys((self.line, max(1, self.line - 1), self.source.at(self.from_).line)):
            line = self.source.line(number)
            begins = self.source.line_start(number)
            for match in TEMPLATE_AT.finditer(line.line_text):
                if begins + match.start(1) <= self.at and number >= self.source.at(self.from_).line:
                    return begins + match.start(1)
        return None

    def _mapping_value(self) -> Problem:
        previous = self.source.at(self.builder.last.start)
        if previous.line == self.line:
            return self._say('found a second ":" in this line, expected one', "put quotes around the value")
        if re.search(r"^\s*(- )?[\w-]+:[^\s/]", previous.line_text):
            hint = f'write a space after the ":" in line {previous.line}'
            return self._say('found a key, expected the line before to be "key: value"', hint)
        hint = f"indent it like line {previous.line}, or give that line no value of its own"
        return self._say(f"found a key inside the text that begins on line {previous.line}", hint)

    def _no_token(self) -> Problem:
        if self.found == "\t":
            end = self.at + len(self.text[self.at :]) - len(self.text[self.at :].lstrip("\t"))
            return self._say("found a tab, expected spaces", "indent with spaces", end=end)
        message = f'found "{self.found}", which cannot begin a value'
        return self._say(message, "put quotes around the value")

    def _tab(self) -> Problem:
        return self._say("found a tab, expected spaces", "indent with spaces")

    def _unclosed_quote(self) -> Problem:
        what = "the end of the file" if self.is_at_end else "the end of the document"
        quote = self.text[self.from_ : self.from_ + 1]
        message = f"found {what}, expected a closing {quote} for the quote that opens here"
        return self._say(message, "close the quote", self.from_, self.from_ + 1)

    def _expected_key(self) -> Problem:
        last, token = self.builder.last, self._token()
        if last.style in ("'", '"') and last.end <= self.at and not self.text[last.end : self.at].strip(SPACE):
            return self._after_quote(last)
        if not self.is_first_on_line:
            message = f"found {self._shown()} after the value, expected the end of the line"
            return self._say(message, "put quotes around the whole value", end=token[1])
        column = self.source.at(self.at).column - 1
        if column != self._column(self.from_):
            return self._indentation(column)
        if re.match(r"-\s", self.text[self.at :]):
            return self._say('found a list item ("- "), expected a key', "indent the list under its key")
        return self._say(f"found {self._shown()}, expected a key", end=token[1])

    def _after_quote(self, last: Place) -> Problem:
        opened = self.source.at(last.start, last.end)
        if opened.line != self.source.at(last.end).line:
            message = f"found a quote that closes on line {self.line}, expected it to close on its own line"
            return self._say(message, "close the quote", last.start, last.start + 1)
        message = f"found {self._shown()} after the closing quote, expected the end of the line"
        if last.style == "'":
            hint = "write '' for an apostrophe inside single quotes, or use double quotes"
        else:
            hint = 'write \\" for a quote inside double quotes, or use single quotes'
        return self._say(message, hint, end=self._token()[1])

    def _expected_dash(self) -> Problem:
        column = self.source.at(self.at).column - 1
        if self.is_first_on_line and column == self._column(self.from_):
            hint = "indent it, or begin it with a dash"
            return self._say('found a key, expected "- " like the items above', hint)
        if self.is_first_on_line:
            return self._indentation(column)
        return self._expected_key()

    def _indentation(self, column: int) -> Problem:
        known = {self._column(self.from_), self._column(self.builder.last_closed.start)}
        last = self.builder.last
        if last.style in ("|", ">"):
            known.add(self.source.line(self.source.at(last.start).line + 1).column - 1)
        columns = sorted(known - {column})
        expected = " or ".join(str(each) for each in columns)
        message = f"found an indentation of {column}, expected {expected}"
        return self._say(message, "line it up with the lines above", end=self._token()[1])

    def _column(self, offset: int) -> int:
        return self.source.at(offset).column - 1

    def _no_colon(self) -> Problem:
        line = self.source.at(self.from_)
        hint = "write a colon and a space after the key, or indent the line"
        if self.at - self.from_ > 1024 and line.line == self.line:
            return self._say("found a key of more than 1,024 characters", start=self.from_)
        name = line.line_text[line.column - 1 :].strip()
        end = self.from_ + len(name)
        if name[:1] in ("'", '"'):
            return self._say('found quoted text, expected "key: value"', "indent it under its key", self.from_, end)
        shown = name if len(name) <= 40 else name[:39] + "…"
        message = f'found "{shown}", expected "key: value"'
        return self._say(message, hint, self.from_, end)

    def _unclosed_flow(self) -> Problem:
        what, closing = OPENINGS.get(self.text[self.from_ : self.from_ + 1], ("list", "]"))
        opened = self.source.at(self.from_)
        if self.is_at_end or opened.line != self.line:
            message = f'found no closing "{closing}" for the {what} that opens here'
            return self._say(message, f'close the {what} with "{closing}"', self.from_, self.from_ + 1)
        message = f'found {self._shown()}, expected "," or "{closing}"'
        hint = "put quotes around text that holds brackets, quotes or commas"
        return self._say(message, hint, end=self._token()[1])

    def _no_content(self) -> Problem:
        if self.is_at_end:
            return self._say("found the end of the file, expected a value", "close the brackets that are open")
        return self._say(f"found {self._shown()}, expected a value", "put quotes around it if it is text")

    def _no_document(self) -> Problem:
        column = self._column(self.at)
        first = self._column(self.builder.root.place.start) if self.builder.root else 0
        if self.is_first_on_line and column < first:
            message = f"found an indentation of {column}, expected {first}"
            return self._say(message, "line it up with the first line", end=self._token()[1])
        message = f"found {self._shown()} after the end of the document, expected nothing more"
        return self._say(message, end=self._token()[1])

    def _dash_on_key_line(self) -> Problem:
        hint = "begin the list on the next line, or put quotes around the value"
        return self._say('found a list item ("- ") on the line of its key, expected a new line', hint)

    def _escape(self) -> Problem:
        escape = self.text[self.at : self.at + 2]
        hint = 'write "\\\\" for a backslash, or use single quotes'
        return self._say(f'found "{escape}", which is no escape, inside double quotes', hint, end=self.at + 2)

    def _escape_code(self) -> Problem:
        start = max(self.text.rfind("\\", 0, self.at), 0)
        hint = "write the character itself; halves of a pair (\\ud83c\\udf89) are JSON's, not YAML's"
        return self._say("found an escape that names no character", hint, start, self.at + 4)

    def _tag_handle(self) -> Problem:
        tag, end = re.compile(r"\S+").match(self.text, self.from_), self.from_ + 1
        shown = tag[0] if tag else "!"
        end = tag.end() if tag else end
        return Problem("yaml.tag", f'unknown tag "{shown}"', self.source.at(self.from_, end), "remove the tag")

    def _block_header(self) -> Problem:
        style = self.text[self.from_ : self.from_ + 1]
        message = f'found {self._shown()} after "{style}", expected the text on the next line'
        return self._say(message, f'put quotes around the value if it begins with "{style}"', end=self._token()[1])

    def _no_name(self) -> Problem:
        sign = self.text[self.from_ : self.from_ + 1]
        what = "an alias" if sign == "*" else "an anchor"
        message = f'found "{sign}" without a name, expected {what}'
        return self._say(message, "put quotes around the value", self.from_, self.from_ + 1)

    def _version(self) -> Problem:
        return self._say("found another YAML version, expected 1.2", "remove the %YAML line")

    def _directive(self) -> Problem:
        line = self.source.line(self.line)
        message = 'found "%" at the beginning of a line, which is for directives'
        return self._say(message, "put quotes around the value", self.source.line_start(line.line) + line.column - 1)

    def _unseparated(self) -> Problem:
        message = f"found {self._shown()} right after a tag, expected a space"
        return self._say(message, 'put quotes around text that begins with "!"', end=self._token()[1])

    def _colon_in_flow(self) -> Problem:
        message = 'found a ":" inside plain text in brackets, expected a space after it'
        return self._say(message, "put quotes around the text")

    def _question(self) -> Problem:
        message = 'found "? " after other text, expected it at the beginning of a line'
        return self._say(message, "put quotes around the text")

    def _deep(self) -> Problem:
        message = f"found more than {MAX_DEPTH} levels"
        return Problem("yaml.too-deep", message, self.source.at(self.at), "nest less deeply")


EXPLANATIONS: dict[str, Callable[[_Explanation], Problem]] = {
    "block sequence entries are not allowed": _Explanation._dash_on_key_line,
    "could not find expected ':'": _Explanation._no_colon,
    "depth": _Explanation._deep,
    "did not find expected ',' or": _Explanation._unclosed_flow,
    "did not find expected '-' indicator": _Explanation._expected_dash,
    "did not find expected <document start>": _Explanation._no_document,
    "did not find expected alphabetic or numeric character": _Explanation._no_name,
    "did not find expected comment or line break": _Explanation._block_header,
    "did not find expected hexdecimal number": _Explanation._escape_code,
    "could not find expected directive name": _Explanation._directive,
    "did not find expected key": _Explanation._expected_key,
    "did not find expected node content": _Explanation._no_content,
    "did not find expected whitespace or line break": _Explanation._unseparated,
    "found a tab": _Explanation._tab,
    "found character that cannot start any token": _Explanation._no_token,
    "found incompatible YAML document": _Explanation._version,
    "found invalid Unicode character escape code": _Explanation._escape_code,
    "found undefined tag handle": _Explanation._tag_handle,
    "found unexpected document indicator": _Explanation._unclosed_quote,
    "found unexpected end of stream": _Explanation._unclosed_quote,
    "found unexpected ':'": _Explanation._colon_in_flow,
    "found unexpected non-alphabetical character": _Explanation._directive,
    "found unknown directive name": _Explanation._directive,
    "found unknown escape character": _Explanation._escape,
    "mapping keys are not allowed": _Explanation._question,
    "mapping values are not allowed": _Explanation._mapping_value,
}
