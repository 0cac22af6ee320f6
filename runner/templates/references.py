"""Which names an expression reads: what a check before the run compares with the names that will be there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.templates.lookup import Names, chain_text
from runner.templates.nodes import Node, Path


@dataclass(frozen=True, slots=True)
class Reference:
    """A name chain that a template reads.

    `names` are the constant keys (`("steps", "create", "id")`, `("xs", 0, "a")`), `offset` is where the
    chain starts in the text, `text` is the chain as one writes it, `offsets` is where each name stands.
    `optional` says that the author reckons with its absence: it stands before `optional` or `default`, or
    in `is defined`.
    """

    names: Names
    offset: int
    text: str
    offsets: tuple[int, ...] = ()
    optional: bool = False


def references(node: Node, optional: bool = False) -> Iterator[Reference]:
    """Every name chain below `node`, in the order of evaluation's parts."""
    if isinstance(node, Path):
        yield Reference(node.names, node.offsets[0], chain_text(node.names), node.offsets, optional)
        return
    for at, part in enumerate(node.parts()):
        yield from references(part, optional or (at == 0 and node.forgives))
