"""What `for_each` goes over, as far as the playbook itself says it: its kind, its entries, the keys of an item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.checks import CheckError, parse_path
from runner.load.reviewed import Review, Where
from runner.templates import Template, TemplateError, compile_expression, compile_text, has_template

KINDS = {
    "boolean": "true or false",
    "integer": "a number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
LISTS = ("documents", "funding")
# `funding`, or `funding | selectattr('deposit', 'defined')`: loops whose entries are known while validating.
_PLAIN = re.compile(
    r"""(documents|funding)\s*(?:\|\s*selectattr\(\s*(['"])(?P<has>\w+)\2\s*,\s*(['"])defined\4\s*\)\s*)?(?:\|\s*list)?"""
)
_ATTRIBUTE = re.compile(r"""\b(documents|funding)\s*\|\s*(?:select|reject)attr\(\s*(['"])(\w+)(?:\.[\w.]*)?\2""")


def read_loop(text: str) -> Template:
    """`for_each` is a name or expression without braces, or one template. Raises TemplateError."""
    return compile_text(text) if has_template(text) else compile_expression(text)


def expression_of(text: str) -> str:
    """The expression without its braces."""
    stripped = text.strip()
    return stripped[2:-2].strip("-+ \t\n") if stripped.startswith("{{") and stripped.endswith("}}") else stripped


def chain_of(text: str) -> Sequence[str | int]:
    """The names of a template or expression that is one plain chain, `client.address.city`; else nothing."""
    try:
        template = read_loop(text)
    except TemplateError:
        return ()
    is_chain = template.is_whole and len(template.references) == 1
    return template.references[0].names if is_chain and template.references[0].text == expression_of(text) else ()


def entries_of(review: Review, loop: object) -> list[tuple[Where, Mapping[str, Any]]]:
    """The entries of `documents` or `funding` that this loop goes over, when that is plain to see."""
    match = _PLAIN.fullmatch(expression_of(loop)) if isinstance(loop, str) else None
    if not match:
        return []
    entries = [((match[1], number), entry) for number, entry in enumerate(review.items(match[1]))]
    return [
        (where, entry)
        for where, entry in entries
        if isinstance(entry, Mapping) and (not match["has"] or match["has"] in entry)
    ]


def written(review: Review, step: Mapping[str, Any], value: object) -> Iterator[tuple[Where, Any]]:
    """The literal values, each with its place, that a template such as `{{ item.asset }}` can stand for."""
    names = chain_of(value) if isinstance(value, str) and has_template(value) else ()
    if len(names) != 2:
        return
    root, name = names
    if root == "inputs":
        rule = review.mapping("inputs").get(str(name))
        if isinstance(rule, Mapping) and "default" in rule:
            yield ("inputs", str(name), "default"), rule["default"]
    elif root == "item":
        for where, entry in entries_of(review, step.get("for_each")):
            if name in entry:
                found = entry[str(name)]
                if isinstance(found, str) and has_template(found):
                    yield from written(review, {}, found)
                else:
                    yield (*where, name), found


def item_keys(review: Review, loop: str, outputs: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """What an item is known to hold: in loops over what the playbook writes, or over outputs of looped steps."""
    try:
        template = read_loop(loop)
    except TemplateError:
        return ()
    roots = [reference.names for reference in template.references]
    if len(roots) == 1 and len(roots[0]) == 1 and roots[0][0] in LISTS:
        if "map(" in loop:
            return ()
        return entry_keys(review, str(roots[0][0]))
    if roots and re.fullmatch(r"steps\.\w+(\s*\+\s*steps\.\w+)*", expression_of(loop)):
        return sorted({name for names in roots for name in outputs.get(str(names[1]), ())})
    return ()


def entry_keys(review: Review, name: str) -> Sequence[str]:
    """The keys that the entries of `documents` or `funding` have."""
    return sorted({str(key) for entry in review.items(name) if isinstance(entry, Mapping) for key in entry})


def unknown_attributes(review: Review, text: str) -> Iterator[tuple[str, str, int, Sequence[str]]]:
    """`selectattr` with a name that no entry has passes nothing on: the list, the name, its offset, the known ones."""
    for match in _ATTRIBUTE.finditer(text):
        known = entry_keys(review, match[1])
        if known and match[3] not in known:
            yield match[1], match[3], match.start(3), known


def kind_of_chain(review: Review, names: Sequence[str | int], loops: frozenset[str]) -> str:
    """Why these names can't be a list, in a word such as "text"; empty when they are one, or nobody knows."""
    root = names[0]
    if len(names) == 1:
        return {"batch": "text", "client": "a mapping", "inputs": "a mapping", "steps": "a mapping"}.get(str(root), "")
    if root == "inputs" and len(names) == 2:
        rule = review.mapping("inputs").get(str(names[1]))
        return _kind_of(rule if rule is None or "type" in rule else {"type": "string"})
    if root == "client":
        return _kind_at(review.clients_schema, names[1:])
    if root == "steps":
        return _kind_of_output(review, names, loops)
    return ""


def _kind_of_output(review: Review, names: Sequence[str | int], loops: frozenset[str]) -> str:
    step = next((step for _, step in review.steps() if step.get("id") == names[1]), {})
    if len(names) == 2:
        return "" if names[1] in loops else "a mapping of outputs"
    operation, outputs = review.operation(step), step.get("outputs")
    path = outputs.get(names[-1]) if isinstance(outputs, Mapping) else None
    if operation is None or not isinstance(path, str) or len(names) > 4 - (names[1] not in loops):
        return ""
    try:
        return _kind_at(operation.response, parse_path(path))
    except CheckError:
        return ""


def _kind_at(schema: Any, path: Sequence[str | int]) -> str:
    for step in path:
        inner = schema.get("items" if isinstance(step, int) else "properties") if isinstance(schema, Mapping) else None
        schema = inner.get(step) if isinstance(step, str) and isinstance(inner, Mapping) else inner
    return _kind_of(schema)


def _kind_of(schema: Any) -> str:
    declared = schema.get("type", ()) if isinstance(schema, Mapping) else ()
    kinds = [declared] if isinstance(declared, str) else list(declared)
    return "" if not kinds or "array" in kinds else " or ".join(KINDS.get(str(kind), str(kind)) for kind in kinds)
