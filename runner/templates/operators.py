"""The nodes that compute: operators, comparisons, logic, choice, and joining as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from runner.templates import arithmetic
from runner.templates.bounds import Run
from runner.templates.nodes import At, Node, Path
from runner.templates.values import MAX_SIZE, Later, TemplateError, nothing, settled, to_text, too_large, unknown_in


@dataclass(frozen=True, slots=True)
class Binary(Node):
    symbol: str
    left: Node
    right: Node
    offset: int

    def parts(self) -> Iterator[Node]:
        return iter((self.left, self.right))

    def evaluate(self, run: Run) -> object:
        left, right = self.left.evaluate(run), self.right.evaluate(run)
        run.tick()
        with At(self.offset):
            return run.made(arithmetic.binary(self.symbol, left, right))


@dataclass(frozen=True, slots=True)
class Sign(Node):
    symbol: str
    of: Node
    offset: int

    def parts(self) -> Iterator[Node]:
        return iter((self.of,))

    def evaluate(self, run: Run) -> object:
        with At(self.offset):
            return (arithmetic.negative if self.symbol == "-" else arithmetic.positive)(self.of.evaluate(run))


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`a < b <= c`: each neighbour pair must hold."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    offset: int

    def parts(self) -> Iterator[Node]:
        return chain((self.first,), (node for _, node in self.rest))

    def evaluate(self, run: Run) -> object:
        left = _whole(run, self.first.evaluate(run))
        for symbol, node in self.rest:
            right = _whole(run, node.evaluate(run))
            run.tick()
            with At(self.offset):
                if not arithmetic.compare(symbol, left, right):
                    return False
            left = right
        return True


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`a and b`, `a or b`; like Jinja's, they give one of their two sides."""

    symbol: str
    left: Node
    right: Node

    def parts(self) -> Iterator[Node]:
        return iter((self.left, self.right))

    def evaluate(self, run: Run) -> object:
        left = settled(self.left.evaluate(run))
        return self.right.evaluate(run) if bool(left) is (self.symbol == "and") else left


@dataclass(frozen=True, slots=True)
class Not(Node):
    of: Node

    def parts(self) -> Iterator[Node]:
        return iter((self.of,))

    def evaluate(self, run: Run) -> object:
        return not settled(self.of.evaluate(run))


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """`yes if test else no`; without `else` it may be undefined."""

    test: Node
    yes: Node
    no: Node | None
    offset: int

    def parts(self) -> Iterator[Node]:
        return iter((self.test, self.yes, self.no) if self.no else (self.test, self.yes))

    @property
    def chooses(self) -> bool:
        return True

    def live(self, run: Run) -> Iterator[Path]:
        yield from self.test.live(run)
        try:
            chosen = self.yes if settled(self.test.evaluate(run)) else self.no
        except TemplateError:
            # Whether that is wrong is told where it is read: it may be forgiven there, or never be read at all.
            return
        if chosen:
            yield from chosen.live(run)

    def evaluate(self, run: Run) -> object:
        if settled(self.test.evaluate(run)):
            return self.yes.evaluate(run)
        if self.no:
            return self.no.evaluate(run)
        missing = nothing(
            'the condition does not hold and there is no "else"', "add else …, or | optional in parentheses"
        )
        missing.offset = self.offset
        return missing


@dataclass(frozen=True, slots=True)
class Concat(Node):
    """`a ~ b`: the two as one text."""

    items: tuple[Node, ...]

    def parts(self) -> Iterator[Node]:
        return iter(self.items)

    def evaluate(self, run: Run) -> object:
        pieces: list[str] = []
        total = 0
        for item in self.items:
            run.tick()
            pieces.append(to_text(_whole(run, item.evaluate(run))))
            total += len(pieces[-1])
            if total > MAX_SIZE:
                raise too_large("a text")
        return run.made("".join(pieces))


def _whole(run: Run, value: object) -> object:
    settled(value)
    if run.unknowns and (unknown := unknown_in(value)):
        raise Later(unknown)
    return value
