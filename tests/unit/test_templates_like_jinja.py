"""Our evaluation beside Jinja's own: where both have a value, it is the same one.

Types are kept apart on purpose: a list or a truth that becomes text speaks YAML here and Python there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import jinja2.sandbox
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.templates import TemplateError, compile_text

JINJA = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined)
SCOPE = {
    "n": 7,
    "t": "ab Cd-e\nfoo",
    "ns": [3, 1, 2, 3],
    "ts": ["b", "A", "c x"],
    "ms": [{"k": 2, "t": "b"}, {"k": 1, "t": "B"}, {"t": "a"}],
}


# A number, a text, lists of the two, and a condition: their simplest forms, and forms with holes for others.
FORMS = {
    "N": (
        [
            "n", "1", "12", "ns[0]", "-4", "ms[0].k",
        ],
        [
            "<N> + <N>", "<N> - <N>", "<N> * <N>", "<N> // <N>", "<N> % <N>", "-<N>",
            "<N> if <B> else <N>", "<N>|abs", "<X>|length", "<T>|count", "<L>|sum", "<L>|max", "<L>|min",
            "<L>|first", "<L>|last", "<T>|wordcount", "<L>[<N>]", "<N> and <N>", "<N> or <N>",
            "<T>|int(0)", "<N>|default(1)", "nobody|default(<N>)",
        ],
    ),
    "T": (
        [
            "t", "ts[0]", "'q r'", '\'a<b>&"c"\'', "''", "ms[1].t",
        ],
        [
            "<T> ~ <T>", "<T> + <T>", "<T> ~ <N>", "<T> if <B> else <T>", "<T>|upper", "<T>|lower",
            "<T>|title", "<T>|capitalize", "<T>|trim", "<T>|trim('ab')", "<T>|center(9)",
            "<T>|replace('a', <T>)", "<T>|truncate(6)", "<T>|replace('', '.', 2)",
            "<T>|truncate(4, true, '.', 0)", "<T>|urlencode", "<T>|indent(2)", "<T>|reverse",
            "<T>|indent(3, true, true)", "<T>|indent('>', blank=true)", "<T>|wordwrap(3)",
            "<X>|join", "<T>|wordwrap(5, false)", "<X>|join('-')", "<L>|join(',')", "<X>|first", "<X>|max",
            "<T>[1:]", "<T>[<N>]", "<X>|min(case_sensitive=true)", "<N>|string", "'%s+%d' % (<T>, <N>)",
            "'%5s|%-5s|%05d' % (<T>, <T>, <N>)", "'%x'|format(<N>)", "<T>.upper()", "<T>.strip()",
            "<T>.title()", "{'a': <T>, 'b': <N>}|urlencode", "ms|map(attribute='t')|join", "'ab' * <N>",
        ],
    ),
    "L": (
        [
            "ns", "[4, 5]", "range(4)|list",
        ],
        [
            "<L> + <L>", "<L>|sort", "<L>|sort(reverse=true)", "<L>|unique|list", "<L>|reverse|list",
            "<L>[1:]", "<L>[::-1]", "<L>|select('odd')|list", "<L>|reject('gt', <N>)|list",
            "<L>|map('abs')|list", "[<N>, <N>]", "<L>|list", "ms|map(attribute='k', default=5)|list",
            "<L>|batch(2)|map('sum')|list", "<L>|batch(3, 0)|map('first')|list",
            "<L>|slice(2)|map('sum')|list", "<L>|slice(3, 9)|map('length')|list",
            "ms|selectattr('k', 'defined')|map(attribute='k')|list", "[1, 2] * 2",
        ],
    ),
    "X": (
        [
            "ts", "['x']", "[]",
        ],
        [
            "<X> + <X>", "<X>|sort", "<X>|sort(true, true)", "<X>|unique|list", "<X>|unique(true)|list",
            "<X>|select|list", "<X>|map('upper')|list", "<X>|reject('in', <X>)|list", "<T>.split('b')",
            "<T>.split()", "<T>|list", "[<T>, <T>]", "ms|sort(attribute='t')|map(attribute='t')|list",
            "ms|groupby('t')|map(attribute='grouper')|list",
            "ms|rejectattr('k', 'defined')|map(attribute='t')|list",
            "ms|groupby('t')|map(attribute='list')|map('length')|list",
            "ms|unique(attribute='t')|map(attribute='t')|list",
            "{'b': <N>, 'A': <N>}|dictsort|map('first')|list",
        ],
    ),
    "B": (
        [
            "true", "false", "nobody is defined", "n is defined", "ms[2].k is undefined",
        ],
        [
            "<N> == <N>", "<N> < <N> <= <N>", "<T> != <T>", "<T> in <X>", "<N> not in <L>", "<T> in <T>",
            "not <B>", "<B> and <B>", "<B> or <B>", "<N> is odd", "<N> is even", "<N> is divisibleby 3",
            "<T> is lower", "<T> is string", "<L> is sequence", "<N> is number", "<N> is not none",
            "<L> == <L>", "<T> < <T>", "<N> is eq <N>", "<T> is in <X>",
        ],
    ),
}  # fmt: skip
HOLE = re.compile("<([NTLXB])>")


def expression(random: Random, kind: str, depth: int) -> str:
    """An expression of `kind` that is at most `depth` forms deep."""
    simplest, forms = FORMS[kind]
    if not depth or random.random() < 0.2:
        return random.choice(simplest)
    form = HOLE.sub(lambda hole: expression(random, hole[1], depth - 1), random.choice(forms))
    return f"({form})"


@settings(max_examples=1500, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from("NTLXB"))
def test_where_both_have_a_value_it_is_the_same(random: Random, kind: str) -> None:
    text = expression(random, kind, 3)
    theirs, their_error = tried(lambda: plain(JINJA.compile_expression(text, undefined_to_none=False)(SCOPE)))
    ours, our_error = tried(lambda: compile_text("{{ " + text + " }}").render(SCOPE))
    if our_error:
        assert isinstance(our_error, TemplateError), text
        if not their_error and not isinstance(theirs, jinja2.Undefined):
            assert our_error.code == "template.undefined", text  # Jinja lets some undefined values pass unseen
    elif not their_error:
        assert theirs == ours, text


def tried(act: Callable[[], object]) -> tuple[object, Exception | None]:
    try:
        return act(), None
    except Exception as error:
        return None, error


def plain(value: object) -> object:
    """Jinja's generators and tuples as lists."""
    if isinstance(value, str | int | jinja2.Undefined):
        return value
    assert hasattr(value, "__iter__")
    return [plain(item) for item in value]
