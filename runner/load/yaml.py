"""Read YAML 1.2 into plain values, knowing where each stands; the only file that imports `yaml`.

PyYAML speaks 1.1 and builds its trees by recursion, so only the C parser's events are used. Building,
resolving, merging and counting happen here, on a stack of our own that no hostile file exhausts.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import yaml

from runner.load.source import Place, Source
from runner.load.yaml_text import forbidden, not_utf8, too_large
from runner.load.yaml_values import TAGS, kind_of, resolve
from runner.load.yaml_words import MAX_DEPTH, Seen, explain, unquoted_template
from runner.model.problem import Location, Problem, ProblemError
from runner.nearest import did_you_mean

MAX_NODES = 100_000
MAX_PROBLEMS = 100  # whoever has a hundred has one, many times

PREFIX = "tag:yaml.org,2002:"

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
        if problem := too_large(path, len(text)):
            return Document(None, Source(path, ""), (problem,))
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            return Document(None, Source(path, ""), (not_utf8(path, error),))
    elif problem := too_large(path, len(text.encode("utf-8", "surrogatepass"))):
        return Document(None, Source(path, ""), (problem,))

    source = Source(path, text.removeprefix("\ufeff"))
    if refused := tuple(forbidden(source)):
        return Document(None, source, refused)

    builder = _Builder(source)
    try:
        for event in yaml.parse(builder.shown, Loader=yaml.CLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        return Document(None, source, _with(builder.problems, explain(error, builder.seen())))
    except ProblemError as stop:
        return Document(None, source, (*builder.problems, *stop.problems))

    if builder.root is None or builder.is_blank:
        hint = "write something into it, or name another file"
        problem = Problem("yaml.empty", "found an empty file, expected a mapping", Location(path), hint)
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

    def seen(self) -> Seen:
        return Seen(self.source, self.last, self.last_closed, self.root.place if self.root else None)

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
            self._tell(unquoted_template(self.source, parent.place.start))
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
                    self._tell(
                        Problem("yaml.merge", message, self.source.at(place.start, place.end), 'write "<<: *name"')
                    )
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
