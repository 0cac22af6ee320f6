"""The expression as a tree, and what each node is worth in a scope. Nodes compare by value.

The grammar is Jinja's; the evaluation is ours, here, in `structure` and in `operators`. No code is generated and
no attribute of a Python object is read, so there is no way out of the data that would need a guard. `offset`
is where in the author's text a complaint about the node points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from runner.templates import apply
from runner.templates.bounds import Run
from runner.templates.lookup import ABSENT, Names, explain_root, look_up, member
from runner.templates.values import Later, Missing, TemplateError, Unknown


class Node:
    """One part of an expression."""

    __slots__ = ()

    def evaluate(self, run: Run) -> object:
        raise NotImplementedError

    def parts(self) -> Iterator[Node]:
        """The nodes inside."""
        return iter(())

    def live(self, run: Run) -> Iterator[Path]:
        """The chains that will be read, in order; what is read only in some cases is decided on the way."""
        for part in self.parts():
            yield from part.live(run)

    @property
    def chooses(self) -> bool:
        """Whether it reads one of its parts or the other."""
        return False

    @property
    def forgives(self) -> bool:
        """Whether the author reckons with the absence of the first part."""
        return False


@dataclass(frozen=True, slots=True)
class Const(Node):
    """A text, number, true, false or null that the author wrote."""

    value: object

    def evaluate(self, run: Run) -> object:
        return self.value


@dataclass(frozen=True, slots=True)
class Path(Node):
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

    def live(self, run: Run) -> Iterator[Path]:
        yield self

    def evaluate(self, run: Run) -> object:
        found = self.find(run.scope)
        if type(found) is Unknown:
            raise Later(found)
        return found


@dataclass(frozen=True, slots=True)
class Filter(Node):
    of: Node
    name: str
    args: tuple[Node, ...]
    kwargs: tuple[tuple[str, Node], ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return chain((self.of,), self.args, (value for _, value in self.kwargs))

    @property
    def forgives(self) -> bool:
        return self.name in apply.TOLERANT

    def evaluate(self, run: Run) -> object:
        of = _tolerant(self.of, run) if self.forgives else self.of.evaluate(run)
        args, kwargs = arguments(self.args, self.kwargs, run)
        with At(self.offset):
            found = apply.apply_filter(run, self.name, of, args, kwargs)
        if type(found) is Missing and found.offset is None:
            found.offset = self.offset
        return found


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


def arguments(
    args: tuple[Node, ...], kwargs: tuple[tuple[str, Node], ...], run: Run
) -> tuple[list[object], dict[str, object]]:
    """What is given to a filter, a test or a method, by place and by name."""
    return [arg.evaluate(run) for arg in args], {name: value.evaluate(run) for name, value in kwargs}


def _tolerant(node: Node, run: Run) -> object:
    """The node's value, where an undefined name deeper inside makes the whole value undefined."""
    try:
        return node.evaluate(run)
    except TemplateError as error:
        if error.code != "template.undefined":
            raise
        message, hint = error.message, error.hint
        return Missing(lambda: (message, hint), error.offset)
