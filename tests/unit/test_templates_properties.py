"""What holds for every text: a value or a `TemplateError`, in time, and nothing of Python to be seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner.templates import (
    OMIT,
    TemplateError,
    Unknown,
    compile_expression,
    compile_text,
    grammar,
    quick,
    render,
)
from runner.templates.apply import FILTERS
from runner.templates.methods import METHODS
from runner.templates.predicates import PREDICATES
from runner.templates.scan import closing

LIMIT = 2.0  # the second of the bounds, and the last act that was under way when it ended

DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcxy"), inner, max_size=4),
    max_leaves=8,
)
SCOPES = st.fixed_dictionaries(
    {"client": st.dictionaries(st.sampled_from("abcxy"), DATA), "xs": st.lists(DATA, max_size=4)}
)

WORDS = st.sampled_from(
    [
        *FILTERS, *PREDICATES, *METHODS, "client", "xs", "steps", "a", "b", "__class__", "__mro__",
        "__globals__", "format",
        "range", "dict", "lipsum", "self", "attr", "if", "else", "is", "in", "not", "and", "or", "true",
        "none",
        "attribute=", "0", "1", "-1", "7", "100000", "1000000", "10**9", "1.5", "1e9", "0x1f", "1_0",
        "''", "'a'", '"%s"',
        "'%(a)s'", "'{0.__class__}'", "'__class__'", "(", ")", "[", "]", "{", "}", ".", ",", ":", "|",
        "~", "+", "-", "*",
        "/", "//", "%", "**", "==", "<", ">=", "!=", "=", " ", "\n", "'", '"', "\\", "{{", "}}", "{%",
        "{#", "é", "٣", "\x00",
    ]
)  # fmt: skip
SOUP = st.lists(WORDS, max_size=14).map(" ".join)
TIGHT_SOUP = st.lists(WORDS, max_size=10).map("".join)

# Expressions that parse, made of everything the language has.
ATOMS = st.sampled_from(
    ["client", "client.a", "client['x'].b", "xs", "xs[0]", "xs[-1].a", "nobody", "1", "0", "2.5", "-3",
     "'a b'", "''",
     "'%s-%5d'", "true", "none", "[]", "[1, 'a', 2]", "{}", "{'a': 1, 'b': [2]}", "range(5)", "10**20",
     "'x' * 999"]
)  # fmt: skip
OPERATORS = st.sampled_from(
    ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(inner, max_size=3).map(", ".join)
    filters = st.sampled_from(sorted(FILTERS))
    return st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, filters).map(lambda t: f"{t[0]} | {t[1]}"),
        st.tuples(inner, filters, arguments).map(lambda t: f"({t[0]} | {t[1]}({t[2]}))"),
        st.tuples(inner, st.sampled_from(sorted(PREDICATES)), arguments).map(lambda t: f"({t[0]} is {t[1]}({t[2]}))"),
        st.tuples(
            inner,
            st.sampled_from(["map", "select", "reject"]),
            st.sampled_from(sorted({*FILTERS, *PREDICATES})),
        ).map(lambda t: f"({t[0]} | {t[1]}('{t[2]}'))"),
        st.tuples(inner, st.sampled_from(sorted(METHODS)), arguments).map(lambda t: f"({t[0]}).{t[1]}({t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})[{t[1]}]"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]})[{t[1]}:{t[2]}]"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"[{t[0]}, {t[1]}]"),
        st.tuples(inner, inner).map(lambda t: f"{{{t[0]}: {t[1]}}}"),
    )


EXPRESSIONS = st.recursive(ATOMS, _compound, max_leaves=10)


def is_data(value: object) -> bool:
    if isinstance(value, dict):
        return all(is_data(key) and is_data(entry) for key, entry in value.items())
    if isinstance(value, list):
        return all(is_data(item) for item in value)
    return value is None or type(value) in (str, bool, int, Decimal)


def tried(act: Callable[[], object]) -> tuple[object, Exception | None]:
    try:
        return act(), None
    except Exception as error:
        return None, error


def settles(text: str, scope: dict[str, object]) -> None:
    began = time.monotonic()
    value, error = tried(lambda: compile_text(text).render(scope))
    if error is None:
        assert value is OMIT or is_data(value), type(value)
    else:
        assert isinstance(error, TemplateError), repr(error)
        assert error.message
        assert error.code.startswith("template.")
        assert error.offset is None or 0 <= error.offset <= len(text)
    assert time.monotonic() - began < LIMIT


RELAXED = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(st.text(max_size=200), SCOPES)
@example("{{", {})
@example("{{ 'a\\x' }}", {})
@example("{{ a.\u0663 }}", {})
def test_any_text_gives_a_value_or_a_complaint(text: str, scope: dict[str, object]) -> None:
    settles(text, scope)
    settles("{{" + text + "}}", scope)


@RELAXED
@given(SOUP | TIGHT_SOUP, SCOPES)
def test_any_soup_of_words_gives_a_value_or_a_complaint(soup: str, scope: dict[str, object]) -> None:
    settles("{{ " + soup + " }}", scope)
    settles(soup, scope)


@RELAXED
@given(EXPRESSIONS, SCOPES)
def test_any_expression_gives_data_or_a_complaint(expression: str, scope: dict[str, object]) -> None:
    settles("{{ " + expression + " }}", scope)
    settles("x {{ " + expression + " }}", scope)


@RELAXED
@given(SOUP)
def test_a_bare_expression_gives_a_value_or_a_complaint(soup: str) -> None:
    _, error = tried(lambda: compile_expression(soup).render({"client": {}}))
    assert error is None or isinstance(error, TemplateError), repr(error)


@given(st.text(), st.text())
def test_data_comes_out_as_it_went_in(value: str, around: str) -> None:
    around = around.replace("{", "(")
    scope = {"client": {"name": value}}
    assert value == compile_text("{{ client.name }}").render(scope)
    assert value == compile_text("{{ client.name | string }}").render(scope)
    assert around + "x" + value == compile_text(around + "x{{ client.name }}").render(scope)
    assert {"a": [value]} == render({"a": ["{{ client.name }}"]}, scope)


CHAINS = st.tuples(
    st.sampled_from([" ", "", "\n"]),
    st.sampled_from(["client", "a", "_x", "none", "not", "notx", "in", "True", "x1", "e1"]),
    st.lists(
        st.sampled_from(
            [".b", ".not", "['c']", '["d e"]', "[0]", "[12]", ".0", "[-1]", "['']", "['\\n']", " .b",
             "[ 0 ]", "[00]", "[1_0]",
             "['é']", ".é", "['a' 'b']"]
        ),
        max_size=4,
    ).map("".join),
    st.lists(
        st.sampled_from(
            [" | upper", "|optional", " | replace('a', \"b\")", " | default(5)", " | nope", " | e164 ",
             "| d ('x')", "|round(2,)",
             " | upper.x", "|only('a')", "|map('upper')", "|map('nope')", "|selectattr('a', 'defined')",
             "|first.x", " if a", "|int(01)"]
        ),
        max_size=4,
    ).map("".join),
)  # fmt: skip


@settings(max_examples=1000)
@given(CHAINS.map("".join))
def test_the_quick_reader_reads_like_the_full_one(text: str) -> None:
    found = quick.parse(text, 3)
    if found is not None:
        assert closing(text, 0) == len(text)
        assert grammar.parse(text, 3) == found


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5),
        st.sampled_from(["{{ c.gone | optional }}", "{{ c.here }}", "x", 1, None]),
    )
)
def test_only_what_is_optional_and_gone_is_left_out(author: dict[str, object]) -> None:
    made = render(author, {"c": {"here": "y"}})
    left = {
        key: "y" if value == "{{ c.here }}" else value
        for key, value in author.items()
        if value != "{{ c.gone | optional }}"
    }
    assert made == (OMIT if author and not left else left)


@given(EXPRESSIONS)
def test_an_unknown_step_never_shows_in_a_text(expression: str) -> None:
    unknown = Unknown("create")
    try:
        made = compile_text("x {{ " + expression + " }} {{ steps.create.id }}").render(
            {"client": {"a": unknown}, "xs": [unknown], "steps": {"create": unknown}}
        )
    except TemplateError:
        return
    assert made in (unknown, OMIT)
