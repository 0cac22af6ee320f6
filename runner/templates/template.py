"""Compile an author's text once; render it for every client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from runner.templates import quick, scan
from runner.templates.bounds import Run
from runner.templates.lookup import Names, look_up
from runner.templates.nodes import At, Filter, Node, Path
from runner.templates.references import Reference, references
from runner.templates.values import (
    MAX_SIZE,
    OMIT,
    Later,
    Missing,
    TemplateError,
    Unknown,
    settled,
    size,
    to_text,
    too_large,
    unknown_in,
)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with its expressions read. It never changes, so threads may share it.

    `references` are the name chains that are read; `is_whole` says that the text is exactly one expression
    (white space around it aside), whose value then keeps its type.
    """

    text: str
    references: tuple[Reference, ...]
    is_whole: bool
    _pieces: tuple[str | Node, ...] = field(repr=False)
    _chooses: bool = field(default=False, repr=False)  # not all that it names is read in every case
    _names: Names = field(default=(), repr=False)  # a whole template that is a plain chain: read without a Run

    def render(self, scope: Mapping[str, object]) -> object:
        """The value in `scope`; `OMIT` when it is to be left out; the `Unknown` when it rests on one.

        A value is data: braces in it stay as they are. A whole chain gives the scope's own object, not a
        copy.
        """
        value: object = scope
        for name in self._names:
            if type(value) is not dict or name not in value:
                break
            value = value[name]
        else:
            if self._names:
                return value
        try:
            return self._whole(scope) if self.is_whole else self._mixed(scope)
        except Later as later:
            return later.unknown
        except RecursionError:
            raise _too_deep() from None

    def holds(self, scope: Mapping[str, object]) -> bool:
        """Is it true of a `scope` in which all is known, but something may be absent? For a bare expression."""
        from runner.templates.holding import holds  # most playbooks never choose

        node = self._pieces[0]
        assert not isinstance(node, str)
        try:
            return holds(node, Run(scope))
        except RecursionError:
            raise _too_deep() from None

    def _whole(self, scope: Mapping[str, object]) -> object:
        node = self._pieces[0]
        assert not isinstance(node, str)
        if isinstance(node, Path):
            return _present(node.find(scope))
        run = Run(scope)
        self._look_ahead(run)
        value = node.evaluate(run)
        if type(value) is Unknown or value is OMIT:
            return value
        if run.holes:
            with At(node.offset if isinstance(node, Filter) else None):
                _no_holes(value)
        size(value)
        return _present(value)

    def _mixed(self, scope: Mapping[str, object]) -> object:
        texts: list[str] = []
        for piece in self._pieces:
            found = piece if isinstance(piece, str) else piece.find(scope) if type(piece) is Path else None
            if type(found) is not str:
                return self._mixed_with_care(scope)
            texts.append(found)
        return _joined(texts)

    def _mixed_with_care(self, scope: Mapping[str, object]) -> object:
        run = Run(scope)
        self._look_ahead(run)
        texts: list[str] = []
        for piece in self._pieces:
            value = piece if isinstance(piece, str) else piece.evaluate(run)
            if value is OMIT:
                return OMIT
            texts.append(to_text(settled(value)))
        return _joined(texts)

    def _look_ahead(self, run: Run) -> None:
        """Stop at the first reference that leads to an `Unknown`, before anything is evaluated."""
        for names in self._read_names(run):
            value: object = run.scope
            for name in names:
                value = look_up(value, name)
            if type(value) is Unknown:
                raise Later(value)
            if not run.unknowns and isinstance(value, Mapping | list | tuple) and unknown_in(value):
                run.unknowns = True

    def _read_names(self, run: Run) -> Iterator[Names]:
        if not self._chooses:
            yield from (reference.names for reference in self.references)
            return
        for piece in self._pieces:
            if not isinstance(piece, str):
                yield from (path.names for path in piece.live(run))


def has_template(text: str) -> bool:
    """Whether `text` holds an expression."""
    return "{{" in text


@lru_cache(maxsize=4096)
def compile_text(text: str) -> Template:
    """The author's `text` with its `{{ }}` expressions read; complains about what can't be read."""
    cut = [
        piece if isinstance(piece, str) else _expression(text, *piece)
        for piece in scan.pieces(text)
    ]  # fmt: skip
    spoken = [piece for piece in cut if not isinstance(piece, str) or piece.strip()]
    is_whole = len(spoken) == 1 and not isinstance(spoken[0], str)
    return _template(text, tuple(spoken if is_whole else cut), is_whole)


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Template:
    """A bare expression, without braces around it."""
    if len(text) > MAX_SIZE:
        raise too_large("the expression")
    if text.lstrip().startswith("{{"):
        raise TemplateError("template.syntax", "the braces are not needed here", 0, "write the expression alone")
    return _template(text, (_expression(text, 0, scan.closing(text, 0)),), is_whole=True)


def render(value: object, scope: Mapping[str, object]) -> object:
    """An author's value (mappings, lists, texts, numbers) with every text rendered.

    Keys and items that come out as `OMIT` are dropped, and so is a mapping that has nothing left because of
    that; then `OMIT` is what comes out. A mapping that the author wrote empty stays. What comes from the
    scope is not rendered again.
    """
    if isinstance(value, str):
        return compile_text(value).render(scope) if "{{" in value or "{%" in value else value
    if isinstance(value, Mapping):
        made: dict[object, object] = {}
        for key, entry in value.items():
            rendered = _render_inside(key, entry, scope)
            if rendered is not OMIT:
                made[key] = rendered
        return OMIT if value and not made else made
    if isinstance(value, list | tuple):
        rendered_items = (_render_inside(at, item, scope) for at, item in enumerate(value))
        return [item for item in rendered_items if item is not OMIT]
    return value


def _render_inside(key: object, value: object, scope: Mapping[str, object]) -> object:
    try:
        return render(value, scope)
    except TemplateError as error:
        error.path = (key if isinstance(key, int) else str(key), *error.path)
        raise


def _expression(text: str, start: int, end: int) -> Node:
    inner = text[start:end]
    if not inner.strip():
        raise TemplateError(
            "template.syntax", "there is no expression", start, 'write a name, e.g. "{{ client.name }}"'
        )
    if node := quick.parse(inner, start):
        return node
    from runner.templates.grammar import parse  # brings jinja2, which most playbooks never need

    return parse(inner, start)


def _template(text: str, pieces: tuple[str | Node, ...], is_whole: bool) -> Template:
    try:
        read = tuple(found for piece in pieces if not isinstance(piece, str) for found in references(piece))
    except RecursionError:
        raise _too_deep() from None
    only = pieces[0] if is_whole else None
    chooses = any(_has_choice(piece) for piece in pieces if not isinstance(piece, str))
    return Template(text, read, is_whole, pieces, chooses, only.names if isinstance(only, Path) else ())


def _has_choice(node: Node) -> bool:
    return node.chooses or any(_has_choice(part) for part in node.parts())


def _present(value: object) -> object:
    return value if type(value) is Unknown or value is OMIT else settled(value)


def _too_deep() -> TemplateError:
    return TemplateError("template.too-large", "the expression is nested too deeply")


def _joined(texts: list[str]) -> str:
    if sum(map(len, texts)) > MAX_SIZE:
        raise too_large("the text")
    return "".join(texts)


def _no_holes(value: object) -> None:
    """Complain about an item that was read by an absent name and never sieved out."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if type(found) is Missing:
            raise found.error()
        if isinstance(found, Mapping):
            waiting.extend(found.values())
        elif isinstance(found, list | tuple):
            waiting.extend(found)
