"""Does an expression hold for data that may lack what it names? For choosing among many, where nobody is wrong."""

from __future__ import annotations

from runner.templates.bounds import Run
from runner.templates.nodes import Node
from runner.templates.operators import Choice, Compare, Logic, Not
from runner.templates.values import TemplateError, settled


def holds(node: Node, run: Run) -> bool:
    """Like its value as yes or no, but absence is only where it stands, not a complaint about the whole.

    What is absent is equal to nothing, in nothing, before and after nothing: so `!=` and `not in` hold of it, as they
    must where `not` can be written, and no other comparison does.
    """
    match node:
        case Logic(symbol="and"):
            return holds(node.left, run) and holds(node.right, run)
        case Logic():
            return holds(node.left, run) or holds(node.right, run)
        case Not():
            return not holds(node.of, run)
        case Choice() if node.no:
            return holds(node.yes if holds(node.test, run) else node.no, run)
    try:
        return bool(settled(node.evaluate(run)))
    except TemplateError as error:
        if error.code != "template.undefined":
            raise
    return isinstance(node, Compare) and all(symbol in ("!=", "not in") for symbol, _ in node.rest)
