"""Jinja's grammar, read into our own nodes. The only file that imports jinja2; imported only when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from jinja2 import nodes as jinja
from jinja2.environment import Environment
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import Token, TokenStream
from jinja2.lexer import operators as tokens_of_operators
from jinja2.parser import Parser

from runner.templates import apply, methods, nodes, operators, structure
from runner.templates.bounds import Run
from runner.templates.nodes import Node
from runner.templates.values import MAX_DIGITS, TemplateError, size

MAX_DEPTH: Final = 100
"""How many nodes may stand inside each other."""

_ENVIRONMENT: Final = Environment()


def parse(text: str, base: int = 0) -> Node:
    """The expression `text` as a node; `base` is where it starts in the author's text."""
    parser = Parser(_ENVIRONMENT, "", state="variable")
    end = base + len(text)
    try:
        parser.stream = TokenStream(_tokens(text, base), None, None)
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise _unexpected(parser.stream.current, end)
        return _read(tree, 0)
    except TemplateSyntaxError:
        raise _unexpected(parser.stream.current, end) from None
    except RecursionError:
        raise _too_deep(base) from None


def _tokens(text: str, base: int) -> Iterator[Token]:
    """The words of the expression.

    Jinja carries one number per token, the line, into its tree. We give it the offset instead, so that
    every node knows its place; a dot and a bracket carry the offset of the word behind them, which is the
    name that may fail.
    """
    run = Run({})
    held: Token | None = None
    for token in _plain_tokens(text, base):
        run.tick()
        if held:
            yield Token(token.lineno, held.type, held.value)
        held = token if token.type in ("dot", "lbracket") else None
        if not held:
            yield token
    if held:
        yield held


def _plain_tokens(text: str, base: int) -> Iterator[Token]:
    start = base
    try:
        for _, kind, word in _ENVIRONMENT.lexer.tokeniter(text, None, None, "variable"):
            if kind == "operator":
                yield Token(start, tokens_of_operators[word], word)
            elif kind != "whitespace":
                yield Token(start, kind, _VALUES[kind](word, start))
            start += len(word)
    except TemplateSyntaxError:
        raise _syntax(f'unexpected "{text[start - base : start - base + 1]}"', start) from None


def _name(word: str, offset: int) -> object:
    if not word.isidentifier():
        raise _syntax("a name has letters, digits and underscores, and starts with no digit", offset)
    return word


def _string(word: str, offset: int) -> object:
    try:
        return word[1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")
    except ValueError:
        raise _syntax(
            "a quoted text has a backslash that means nothing", offset, r'write "\\" for a backslash'
        ) from None


def _integer(word: str, offset: int) -> object:
    digits = word.replace("_", "")
    if len(digits) > MAX_DIGITS:
        raise TemplateError("template.too-large", f"a number has more than {MAX_DIGITS} digits", offset)
    return int(digits, 0)


def _decimal(word: str, offset: int) -> object:
    try:
        number = Decimal(word.replace("_", ""))
        size(number)
    except (ArithmeticError, TemplateError):
        raise TemplateError("template.too-large", f"a number has more than {MAX_DIGITS} digits", offset) from None
    return number


_VALUES: Final[dict[str, Callable[[str, int], Any]]] = {
    "float": _decimal, "integer": _integer, "name": _name, "string": _string,
}  # fmt: skip

_SYMBOLS: Final = {
    jinja.Add: "+", jinja.Sub: "-", jinja.Mul: "*", jinja.Div: "/", jinja.FloorDiv: "//", jinja.Mod: "%",
    jinja.Pow: "**", jinja.And: "and", jinja.Or: "or", jinja.Neg: "-", jinja.Pos: "+",
}  # fmt: skip
_COMPARISONS: Final = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip


def _read(tree: jinja.Expr, depth: int) -> Node:
    """Jinja's node as ours."""
    at = tree.lineno
    if (depth := depth + 1) > MAX_DEPTH:
        raise _too_deep(at)
    match tree:
        case jinja.Const():
            return nodes.Const(tree.value)
        case jinja.Name() | jinja.Getattr() | jinja.Getitem():
            return _chain(tree, depth)
        case jinja.Filter():
            written = [arg.value if isinstance(arg, jinja.Const) else None for arg in tree.args]
            with nodes.At(at):
                apply.check_filter(tree.name, written)
            return nodes.Filter(_read(_present(tree.node), depth), tree.name, *_arguments(tree, depth), at)
        case jinja.Test():
            with nodes.At(at):
                apply.check_test(tree.name)
            return structure.Test(_read(tree.node, depth), tree.name, *_arguments(tree, depth), at)
        case jinja.Call():
            return _call(tree, depth)
        case jinja.Compare():
            rest = tuple((_COMPARISONS[operand.op], _read(operand.expr, depth)) for operand in tree.ops)
            return operators.Compare(_read(tree.expr, depth), rest, tree.expr.lineno)
        case jinja.And() | jinja.Or():
            return operators.Logic(_SYMBOLS[type(tree)], _read(tree.left, depth), _read(tree.right, depth))
        case jinja.BinExpr():
            return operators.Binary(_SYMBOLS[type(tree)], _read(tree.left, depth), _read(tree.right, depth), at)
        case jinja.Not():
            return operators.Not(_read(tree.node, depth))
        case jinja.UnaryExpr():
            return operators.Sign(_SYMBOLS[type(tree)], _read(tree.node, depth), at)
        case jinja.Concat():
            return operators.Concat(_all(tree.nodes, depth))
        case jinja.CondExpr():
            otherwise = _read(tree.expr2, depth) if tree.expr2 else None
            return operators.Choice(_read(tree.test, depth), _read(tree.expr1, depth), otherwise, at)
        case jinja.List() | jinja.Tuple():
            return structure.ListOf(_all(tree.items, depth))
        case jinja.Dict():
            return structure.MappingOf(tuple((_read(pair.key, depth), _read(pair.value, depth)) for pair in tree.items))
    raise _syntax("this can't be used in an expression here", at)


def _chain(tree: jinja.Expr, depth: int) -> Node:
    """A name with its fields: one `Path` as far as the keys are constant, `Member` and `Slice` from there."""
    links: list[jinja.Getattr | jinja.Getitem] = []
    while isinstance(tree, jinja.Getattr | jinja.Getitem):
        links.append(tree)
        tree = tree.node
    links.reverse()
    if len(links) > MAX_DEPTH:
        raise _too_deep(tree.lineno)
    node: Node = nodes.Path((tree.name,), (tree.lineno,)) if isinstance(tree, jinja.Name) else _read(tree, depth)
    for link in links:
        if isinstance(link, jinja.Getitem) and isinstance(link.arg, jinja.Slice):
            start, stop, step = (
                _read(part, depth) if part else None for part in (link.arg.start, link.arg.stop, link.arg.step)
            )
            node = structure.Slice(node, (start, stop, step), link.lineno)
            continue
        if isinstance(link, jinja.Getitem) and isinstance(link.arg, jinja.Tuple):
            raise _syntax("a field is read by one key", link.lineno)
        key = nodes.Const(link.attr) if isinstance(link, jinja.Getattr) else _read(link.arg, depth)
        key = _constant(key)
        if isinstance(node, nodes.Path) and isinstance(key, nodes.Const) and type(key.value) in (str, int):
            node = nodes.Path((*node.names, key.value), (*node.offsets, link.lineno))  # type: ignore[arg-type]
        else:
            node = structure.Member(node, key, link.lineno)
    return node


def _constant(key: Node) -> Node:
    """`-1` is read as a sign before a number; as a key it is one constant."""
    if (
        isinstance(key, operators.Sign)
        and key.symbol == "-"
        and isinstance(key.of, nodes.Const)
        and type(key.of.value) is int
    ):
        return nodes.Const(-key.of.value)
    return key


def _call(tree: jinja.Call, depth: int) -> Node:
    args, kwargs = _arguments(tree, depth)
    target = tree.node
    if isinstance(target, jinja.Name) and target.name == "range" and not kwargs:
        return structure.Range(args, target.lineno)
    if isinstance(target, jinja.Getattr) and target.attr in methods.METHODS:
        return structure.Method(_read(target.node, depth), target.attr, args, kwargs, target.lineno)
    called = f'"{target.name}" ' if isinstance(target, jinja.Name) else ""
    called = f'"{target.attr}" ' if isinstance(target, jinja.Getattr) else called
    raise TemplateError(
        "template.forbidden",
        f"{called or 'this '}can't be called",
        target.lineno,
        'use a filter, e.g. "x | upper"',
    )


def _arguments(
    tree: jinja.Filter | jinja.Test | jinja.Call, depth: int
) -> tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]:
    if tree.dyn_args or tree.dyn_kwargs:
        raise _syntax("arguments can't be spread with * here", tree.lineno)
    keywords: list[Any] = tree.kwargs
    return _all(tree.args, depth), tuple((keyword.key, _read(keyword.value, depth)) for keyword in keywords)


def _all(trees: Sequence[jinja.Expr], depth: int) -> tuple[Node, ...]:
    return tuple(_read(tree, depth) for tree in trees)


def _present(tree: jinja.Expr | None) -> jinja.Expr:
    assert tree, "only filter blocks have no subject, and there are no blocks"
    return tree


def _unexpected(token: Token, end: int) -> TemplateError:
    if token.type == "eof":
        return _syntax("the expression ends too early", end)
    return _syntax(f'unexpected "{str(token.value)[:40]}"', token.lineno)


def _syntax(message: str, offset: int, hint: str = "") -> TemplateError:
    return TemplateError("template.syntax", message, offset, hint)


def _too_deep(offset: int) -> TemplateError:
    return TemplateError("template.too-large", "the expression is nested too deeply", offset)
