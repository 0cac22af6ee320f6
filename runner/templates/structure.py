"""The nodes that read into values, build them, and call by name: what only the full grammar has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from runner.templates import apply, methods
from runner.templates.bounds import Run
from runner.templates.lookup import member
from runner.templates.nodes import At, Const, Node, Path, arguments
from runner.templates.values import OMIT, Later, Missing, TemplateError, Unknown, a_kind, settled


@dataclass(frozen=True, slots=True)
class Member(Node):
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
class Slice(Node):
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
class ListOf(Node):
    items: tuple[Node, ...]

    def parts(self) -> Iterator[Node]:
        return iter(self.items)

    def evaluate(self, run: Run) -> object:
        return run.made([_entry(run, found) for item in self.items if (found := item.evaluate(run)) is not OMIT])


@dataclass(frozen=True, slots=True)
class MappingOf(Node):
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
class Test(Node):
    of: Node
    name: str
    args: tuple[Node, ...]
    kwargs: tuple[tuple[str, Node], ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return chain((self.of,), self.args, (value for _, value in self.kwargs))

    @property
    def forgives(self) -> bool:
        return self.name in apply.ABOUT_ABSENCE

    def evaluate(self, run: Run) -> object:
        of = self.of.evaluate(run)
        args, kwargs = arguments(self.args, self.kwargs, run)
        with At(self.offset):
            return apply.apply_test(run, self.name, of, args, kwargs)


@dataclass(frozen=True, slots=True)
class Method(Node):
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
        args, kwargs = arguments(self.args, self.kwargs, run)
        with At(self.offset):
            return methods.call_method(run, self.name, of, args, kwargs)


@dataclass(frozen=True, slots=True)
class Range(Node):
    args: tuple[Node, ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return iter(self.args)

    def evaluate(self, run: Run) -> object:
        with At(self.offset):
            return methods.call_range(run, [arg.evaluate(run) for arg in self.args])
