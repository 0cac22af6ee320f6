"""The expression as a tree, and what each node is worth in a scope. Nodes compare by value.

The grammar is Jinja's; the evaluation is this file. No code is generated and no attribute of a Python object is read,
so there is no way out of the data to guard. `offset` is where in the author's text a complaint about the node points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from runner.templates import apply, methods
from runner.templates.bounds import Run
from runner.templates.lookup import ABSENT, Names, explain_root, look_up, member
from runner.templates.values import OMIT, Later, Missing, TemplateError, Unknown, a_kind, settled


class Node(Protocol):
    def evaluate(self, run: Run) -> object: ...
    def parts(self) -> Iterator[Node]: ...


class _Leaf:
    __slots__ = ()

    def parts(self) -> Iterator[Node]:
        return iter(())


@dataclass(frozen=True, slots=True)
class Const(_Leaf):
    """A text, number, true, false or null that the author wrote."""

    value: object

    def evaluate(self, run: Run) -> object:
        return self.value


@dataclass(frozen=True, slots=True)
class Path(_Leaf):
    """A name and the fields read from it by constant keys: `steps.create.id`, `xs[0].a`."""

    names: Names
    offsets: tuple[int, ...]

    def find(self, scope: Mapping[str, object]) -> object:
        """What stands there; an `Unknown` met on the way; or a `Missing`."""
        value: object = scope
        for at, name in enumerate(self.names):
            found = look_up(value, name)
            if found is ABSENT:
                return self._missing(scope, value, at)
            value = found
        return value

    def _missing(self, scope: Mapping[str, object], value: object, at: int) -> object:
        name, offset = self.names[at], self.offsets[at]
        if at or (isinstance(name, str) and name.startswith("__")):
            return member(value, name, self.names[:at], offset, name)
        return Missing(lambda: explain_root(scope, str(name)), offset)

    def evaluate(self, run: Run) -> object:
        found = self.find(run.scope)
        if type(found) is Unknown:
            raise Later(found)
        return found


@dataclass(frozen=True, slots=True)
class Member:
    """A field by a computed key, or of a computed value."""

    of: Node
    key: Node
    offset: int

    def parts(self) -> Iterator[Node]:
        return iter((self.of, self.key))

    def evaluate(self, run: Run) -> object:
        of = self.of.evaluate(run)
        if type(of) is Missing or of is OMIT:
            return of
        names = self.of.names if isinstance(self.of, Path) else ()
        key = settled(self.key.evaluate(run))
        told = key if isinstance(self.key, Const) and isinstance(key, str | int) else None
        found = member(settled(of), key, names, self.offset, told)
        if type(found) is Unknown:
            raise Later(found)
        return found


@dataclass(frozen=True, slots=True)
class Slice:
    """`of[start:stop:step]`."""

    of: Node
    bounds: tuple[Node | None, Node | None, Node | None]
    offset: int

    def parts(self) -> Iterator[Node]:
        return chain((self.of,), (bound for bound in self.bounds if bound))

    def evaluate(self, run: Run) -> object:
        of = self.of.evaluate(run)
        if type(of) is Missing or of is OMIT:
            return of
        start, stop, step = (self._bound(bound.evaluate(run)) if bound else None for bound in self.bounds)
        if not isinstance(of, str | list | tuple):
            raise TemplateError("template.value", f"{a_kind(settled(of))} can't be sliced", self.offset)
        if step == 0:
            raise TemplateError("template.value", "a slice can't step by zero", self.offset)
        return run.made(of[start:stop:step])

    def _bound(self, value: object) -> int | None:
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise TemplateError(
            "template.value", f"a slice needs whole numbers, found {a_kind(settled(value))}", self.offset
        )


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Node, ...]

    def parts(self) -> Iterator[Node]:
        return iter(self.items)

    def evaluate(self, run: Run) -> object:
        return run.made(
            [_entry(run, found) for item in self.items if (found := item.evaluate(run)) is not OMIT]
        )


@dataclass(frozen=True, slots=True)
class MappingOf:
    pairs: tuple[tuple[Node, Node], ...]

    def parts(self) -> Iterator[Node]:
        return chain.from_iterable(self.pairs)

    def evaluate(self, run: Run) -> object:
        made: dict[object, object] = {}
        for left, right in self.pairs:
            key = settled(left.evaluate(run))
            if isinstance(key, list | Mapping):
                raise TemplateError("template.value", "a key is a text or a number")
            if (found := right.evaluate(run)) is not OMIT:
                made[key] = _entry(run, found)
        return run.made(made)


def _entry(run: Run, value: object) -> object:
    run.tick()
    if type(value) is Missing:
        raise value.error()
    return value


@dataclass(frozen=True, slots=True)
class Filter:
    of: Node
    name: str
    args: tuple[Node, ...]
    kwargs: tuple[tuple[str, Node], ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return chain((self.of,), self.args, (value for _, value in self.kwargs))

    def evaluate(self, run: Run) -> object:
        of = _tolerant(self.of, run) if self.name in apply.TOLERANT else self.of.evaluate(run)
        args, kwargs = _arguments(self, run)
        with At(self.offset):
            found = apply.apply_filter(run, self.name, of, args, kwargs)
        if type(found) is Missing and found.offset is None:
            found.offset = self.offset
        return found


@dataclass(frozen=True, slots=True)
class Test:
    of: Node
    name: str
    args: tuple[Node, ...]
    kwargs: tuple[tuple[str, Node], ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return chain((self.of,), self.args, (value for _, value in self.kwargs))

    def evaluate(self, run: Run) -> object:
        of = self.of.evaluate(run)
        args, kwargs = _arguments(self, run)
        with At(self.offset):
            return apply.apply_test(run, self.name, of, args, kwargs)


@dataclass(frozen=True, slots=True)
class Method:
    """`of.name(args)`, for the few names in `methods.METHODS`."""

    of: Node
    name: str
    args: tuple[Node, ...]
    kwargs: tuple[tuple[str, Node], ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return chain((self.of,), self.args, (value for _, value in self.kwargs))

    def evaluate(self, run: Run) -> object:
        of = self.of.evaluate(run)
        args, kwargs = _arguments(self, run)
        with At(self.offset):
            return methods.call_method(run, self.name, of, args, kwargs)


@dataclass(frozen=True, slots=True)
class Range:
    args: tuple[Node, ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return iter(self.args)

    def evaluate(self, run: Run) -> object:
        with At(self.offset):
            return methods.call_range(run, [arg.evaluate(run) for arg in self.args])


class At:
    """Gives a complaint that passes through the place of the node, unless it already has one."""

    __slots__ = ("offset",)

    def __init__(self, offset: int | None) -> None:
        self.offset = offset

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: object, __: object) -> None:
        if isinstance(error, TemplateError) and error.offset is None:
            error.offset = self.offset


def _arguments(node: Filter | Test | Method, run: Run) -> tuple[list[object], dict[str, object]]:
    return [arg.evaluate(run) for arg in node.args], {
        name: value.evaluate(run) for name, value in node.kwargs
    }


def _tolerant(node: Node, run: Run) -> object:
    """The node's value, where an undefined name deeper inside makes the whole value undefined."""
    try:
        return node.evaluate(run)
    except TemplateError as error:
        if error.code != "template.undefined":
            raise
        message, hint = error.message, error.hint
        return Missing(lambda: (message, hint), error.offset)
