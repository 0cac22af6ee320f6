"""The common expressions, read without Jinja: name chains, and filters with plain arguments.

Most of what playbooks say is `client.name` or `client.back | optional`; importing jinja2 for that would
cost more than reading the playbook. What this file does not recognise at once, it leaves to `grammar`; what
it does, it must read exactly alike (a property test compares the two).
"""

from __future__ import annotations

import re
from typing import Final

from runner.templates import apply
from runner.templates.nodes import Const, Filter, Node, Path
from runner.templates.values import TemplateError

_NAME: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)")
_LINK: Final = re.compile(
    r"\.(?P<attr>[A-Za-z_][A-Za-z0-9_]*)|\[(?:'(?P<single>[^'\\\r\n]*)'|\"(?P<double>[^\"\\\r\n]*)\"|(?P<item>0|[1-9][0-9]{0,8}))\]"
)
_PIPE: Final = re.compile(r"\s*\|\s*([A-Za-z_][A-Za-z0-9_]*)(?!\s*[.\w])")
_ARGUMENT: Final = re.compile(r"\s*(?:'([^'\\\r\n]*)'|\"([^\"\\\r\n]*)\"|(0|[1-9][0-9]{0,8}))\s*([,)])")
_END: Final = re.compile(r"\s*\Z")
_RESERVED: Final = frozenset(
    ["and", "else", "if", "in", "is", "not", "or", "true", "false", "none", "True", "False", "None"]
)
_MOST: Final = 30


def parse(text: str, base: int = 0) -> Node | None:
    """The expression as a node, or None when it is not one of the common ones."""
    name = _NAME.match(text)
    if not name or name[1] in _RESERVED:
        return None
    names: list[str | int] = [name[1]]
    offsets = [base + name.start(1)]
    at = name.end()
    while link := _LINK.match(text, at):
        attr, single, double, item = link.groups()
        names.append(int(item) if item else attr or single or double or "")
        # A quoted key's place is its opening quote, as in Jinja's tree.
        offsets.append(base + at + 1)
        at = link.end()
    node: Node = Path(tuple(names), tuple(offsets))
    filters = 0
    while pipe := _PIPE.match(text, at):
        at = pipe.end()
        arguments: list[Const] = []
        if text.startswith("(", at):
            at += 1
            ended = False
            while not ended:
                argument = _ARGUMENT.match(text, at)
                if not argument:
                    return None
                single, double, number, follows = argument.groups()
                arguments.append(Const(int(number) if number else single or double or ""))
                at = argument.end()
                ended = follows == ")"
        try:
            apply.check_filter(pipe[1], [argument.value for argument in arguments])
        except TemplateError:
            return None  # the other reader finds the words
        node = Filter(node, pipe[1], tuple(arguments), (), base + pipe.start(1))
        filters += 1
    if len(names) + filters > _MOST or not _END.match(text, at):
        return None
    return node
