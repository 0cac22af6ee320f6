"""YAML 1.2 core meaning, and words a person can act on."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.load.source import Path
from runner.load.yaml import Document, read


def told(text: str | bytes) -> list[tuple[str, int, int, str]]:
    places = [(problem, problem.location) for problem in read("p.yaml", text).problems]
    return [(problem.code, place.line, place.column, problem.message) for problem, place in places if place]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None), ("Null", None), ("NULL", None), ("~", None),
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
        ("NO", "NO"), ("no", "no"), ("on", "on"), ("yes", "yes"), ("y", "y"), ("tRUE", "tRUE"),
        ("0", 0), ("-0", 0), ("12", 12), ("+12", 12), ("-7", -7), ("0o17", 15), ("0x1F", 31),
        ("012", "012"), ("00", "00"), ("1_000", "1_000"), ("13:00", "13:00"), ("190:20:30", "190:20:30"),
        ("2024-01-31", "2024-01-31"), ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("1.50", Decimal("1.50")), ("1e3", Decimal("1E+3")), (".5", Decimal("0.5")), ("-1.", Decimal("-1")),
        (".inf", ".inf"), ("-.inf", "-.inf"), (".nan", ".nan"), ("1e99999", "1e99999"), ("012.5", "012.5"),
        ("9" * 4300, int("9" * 4300)), ("9" * 4301, "9" * 4301), ("0x" + "f" * 4000, "0x" + "f" * 4000),
        ("1.2.3", "1.2.3"), ("0b11", "0b11"), ("1 000", "1 000"), ("١٢", "١٢"), ("=", "="),
        ('"12"', "12"), ("'true'", "true"), ("'it''s'", "it's"), ("|\n  12\n", "12\n"),
        (">-\n  1\n  2\n", "1 2"),
        ("!!str 12", "12"), ('!!int "12"', 12), ("!!int 012", 12), ("!!float 1", Decimal(1)), ("! 12", "12"),
        ('!!bool "true"', True), ("!!null ''", None), ("!!seq [1]", [1]), ("!!map {a: 1}", {"a": 1}),
        ('"a\u2028 b"', "a\u2028 b"), ("a\x85b", "a\x85b"), ("\U0001f600", "\U0001f600"),
    ],
)  # fmt: skip
def test_a_scalar_means_what_yaml_1_2_says(text: str, expected: object) -> None:
    document = read("p.yaml", f"a: {text}\n")
    assert () == document.problems
    assert {"a": expected} == document.value
    assert type(expected) is type(document.value["a"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x b\n*x : 2", {"a": "b", "b": 2}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("d: {c: 3, <<: [{b: 1, c: 1}, {b: 2, e: 2}]}", {"d": {"b": 1, "c": 3, "e": 2}}),
        ('"<<": 1', {"<<": 1}),
        ("- {}\n- []\n-", [{}, [], None]),
        ("\ufeffa: 1", {"a": 1}),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
        ("null", None),
    ],
)
def test_collections_aliases_and_merges(text: str, expected: object) -> None:
    assert expected == read("p.yaml", text).value


def test_what_an_alias_gives_is_its_own_copy() -> None:
    value = read("p.yaml", "a: &x [1]\nb: *x").value
    assert isinstance(value, dict)
    assert value["a"] is not value["b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [("yaml.duplicate-key", 3, 1, 'duplicate key "a", first given on line 1')]),
        ("a: !!binary x", [("yaml.tag", 1, 4, 'unknown tag "!!binary"')]),
        ("a: !thing {b: 1}", [("yaml.tag", 1, 4, 'unknown tag "!thing"')]),
        ("a: !e!x 1", [("yaml.tag", 1, 4, 'unknown tag "!e!x"')]),
        ("a: !!int x", [("yaml.tag", 1, 4, 'tag "!!int" does not fit this value')]),
        ("a: !!seq {}", [("yaml.tag", 1, 4, 'tag "!!seq" does not fit a mapping')]),
        ("a: !!map 1", [("yaml.tag", 1, 4, 'tag "!!map" does not fit text')]),
        ("a: 1\n---\nb: 1", [("yaml.several-documents", 2, 1, "found a second document, expected one")]),
        ("a: &x [*x]", [("yaml.recursive-alias", 1, 8, 'alias "*x" stands inside itself')]),
        ("a: &x {<<: *x}", [("yaml.recursive-alias", 1, 12, 'alias "*x" stands inside itself')]),
        ("a: *x", [("yaml.unknown-alias", 1, 4, 'alias "*x" names nothing above it')]),
        ("<<: 1", [("yaml.merge", 1, 5, '"<<" merges a mapping or a list of mappings, found a number')]),
        ("200: x", [("yaml.key", 1, 1, "key 200 is a number, keys are text")]),
        ("{true: x, ~: y}", [("yaml.key", 1, 2, "key true is a boolean, keys are text"),
                             ("yaml.key", 1, 11, "key ~ is null, keys are text")]),
        ("?\n: b", [("yaml.key", 1, 2, "key is null, keys are text")]),
        ("? [a]\n: b", [("yaml.key", 1, 3, "key is a list, keys are text")]),
        ("{{a: 1}: 2}",
         [("yaml.unquoted-template", 1, 1, "found a template without quotes, expected quoted text")]),
        ("{ {a: 1}: 2}", [("yaml.key", 1, 3, "key is a mapping, keys are text")]),
        ("", [("yaml.empty", 0, 0, "found an empty file, expected a mapping")]),
        ("# only words\n", [("yaml.empty", 0, 0, "found an empty file, expected a mapping")]),
        (b"a: 1\nb\xc3\xa9: \xff\n",
         [("yaml.encoding", 2, 5, "found byte 0xff at offset 10, expected UTF-8")]),
        ("a: b\x00", [("yaml.control-character", 1, 5, "found the control character U+0000, expected text")]),
        ("a: b\n# \x1b[2J",
         [("yaml.control-character", 2, 3, "found the control character U+001B, expected text")]),
        ("a: \ud800", [("yaml.control-character", 1, 4, "found the half of a pair U+D800, expected text")]),
        ("a" * (1024 * 1024 + 1),
         [("yaml.too-large", 0, 0, "found a file of 1,048,577 bytes, expected at most 1,048,576")]),
        ("[" * 65, [("yaml.too-deep", 1, 65, "found more than 64 levels")]),
        ("- 1\n" * 100_000,
         [("yaml.too-many", 100_000, 3, "found more than 100,000 values, aliases followed")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, expected: list[tuple[str, int, int, str]]) -> None:
    assert expected == told(text)


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a: {{ x }}", (1, 4, 11), 'put quotes around it: "{{ x }}"'),
        ("a: {{ x[0] }}\nb: 1", (1, 4, 14), 'put quotes around it: "{{ x[0] }}"'),
        ('a: {{ x | default("y") }}', (1, 4, 26), "put quotes around it: '{{ x | default(\"y\") }}'"),
        ("a: {{ x }} and {{ y }}\nb: 1", (1, 4, 11), "put quotes around the whole value"),
        ("a: {{ x }}/{{ y }}", (1, 4, 11), "put quotes around the whole value"),
        ("- {{ x }}", (1, 3, 10), 'put quotes around it: "{{ x }}"'),
        ("a: [s == {{ x }}]", (1, 10, 17), "put quotes around the whole value"),
        ("a: [{{ x }}]", (1, 5, 12), 'put quotes around it: "{{ x }}"'),
        ("{{ x }}: 1", (1, 1, 8), "put quotes around the whole value"),
        ("a:\n  {{ x }}", (2, 3, 10), 'put quotes around it: "{{ x }}"'),
    ],
)
def test_a_template_without_quotes_is_told_once(text: str, place: tuple[int, int, int], hint: str) -> None:
    (problem,) = read("p.yaml", text).problems
    assert problem.location is not None
    assert "yaml.unquoted-template" == problem.code
    assert place == (problem.location.line, problem.location.column, problem.location.end_column)
    assert hint == problem.hint


def test_a_template_inside_plain_text_is_fine() -> None:
    assert () == read("p.yaml", "a: hello {{ x }}\nb: |\n  {{ y }}\n").problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 1", (2, 1, "found a tab, expected spaces")),
        (
            'a: "x\nb: 1',
            (1, 4, 'found the end of the file, expected a closing " for the quote that opens here'),
        ),
        (
            'a: "x\n---\nb: 1',
            (1, 4, 'found the end of the document, expected a closing " for the quote that opens here'),
        ),
        ("a:\n  b: 1\n c: 2", (3, 2, "found an indentation of 1, expected 0 or 2")),
        ("a:\n  - b: 1\n   c: 2", (3, 4, "found an indentation of 3, expected 2 or 4")),
        ("a: |\n   x\n  y\n", (3, 3, "found an indentation of 2, expected 0 or 3")),
        ("  a: 1\nb: 2\n", (2, 1, "found an indentation of 0, expected 2")),
        ("a: b: c", (1, 5, 'found a second ":" in this line, expected one')),
        ("a: b\n  c: d", (2, 4, "found a key inside the text that begins on line 1")),
        ("a:1\nb: 2", (2, 2, 'found a key, expected the line before to be "key: value"')),
        ("a: 1\nfoo\nb: 2", (2, 1, 'found "foo", expected "key: value"')),
        ('a: 1\n"foo"\nb: 2', (2, 1, 'found quoted text, expected "key: value"')),
        ("x" * 2000 + ": 1", (1, 2001, 'found a second ":" in this line, expected one')),
        ("a: [1, 2\nb: 3", (1, 4, 'found no closing "]" for the list that opens here')),
        ("a: {b: 1", (1, 4, 'found no closing "}" for the mapping that opens here')),
        ('a: ["b" "c"]', (1, 9, 'found """, expected "," or "]"')),
        ("a: {b: 1}}", (1, 10, 'found "}" after the value, expected the end of the line')),
        ("a: ]", (1, 4, 'found "]", expected a value')),
        ("[[", (1, 3, "found the end of the file, expected a value")),
        ("- a\nb: 1", (2, 1, 'found a key, expected "- " like the items above')),
        ("a: 1\n- b", (2, 1, 'found a list item ("- "), expected a key')),
        ("a: - b", (1, 4, 'found a list item ("- ") on the line of its key, expected a new line')),
        ("a: @x", (1, 4, 'found "@", which cannot begin a value')),
        ("a: 'it's'", (1, 8, 'found "s" after the closing quote, expected the end of the line')),
        (
            'a: "b\nc: "d"',
            (1, 4, "found a quote that closes on line 2, expected it to close on its own line"),
        ),
        ('a: "\\q"', (1, 5, 'found "\\q", which is no escape, inside double quotes')),
        ('a: "\\ud83c\\udf89"', (1, 5, "found an escape that names no character")),
        ('a: "\\xzz"', (1, 5, "found an escape that names no character")),
        ("a: *", (1, 4, 'found "*" without a name, expected an alias')),
        ("a: |x\n b", (1, 5, 'found "x" after "|", expected the text on the next line')),
        ("%YAML 3.0\n---\na: 1", (1, 1, "found another YAML version, expected 1.2")),
        ("a: 1\n%b: 2", (2, 1, 'found "%" at the beginning of a line, which is for directives')),
        ("%a b\n---\n", (1, 1, 'found "%" at the beginning of a line, which is for directives')),
        ("a: b ? c\nd: ? e", (2, 4, 'found "? " after other text, expected it at the beginning of a line')),
        ("a: 1\n...\nfoo", (3, 1, 'found "foo" after the end of the document, expected nothing more')),
    ],
)
def test_a_syntax_error_says_what_was_found_and_what_was_expected(text: str, expected: tuple[int, int, str]) -> None:
    document = read("p.yaml", text)
    (problem,) = document.problems
    assert problem.location is not None
    assert document.value is None
    assert "yaml.syntax" == problem.code
    assert expected == (problem.location.line, problem.location.column, problem.message)


def test_libyaml_s_own_words_are_the_last_resort() -> None:
    assert [("yaml.syntax", 1, 5, "did not find expected '!'")] == told("%TAG\n---\na: 1")


def test_one_read_tells_everything_up_to_the_first_syntax_error() -> None:
    assert ["yaml.key", "yaml.duplicate-key", "yaml.tag", "yaml.unquoted-template", "yaml.syntax"] == [
        code for code, *_ in told("1: x\na: 1\na: !x 2\nb: {{ c }}\nd: @\n")
    ]


def test_a_hundred_problems_are_enough() -> None:
    problems = read("p.yaml", "- {{ x }}\n" * 5000).problems
    assert 101 == len(problems)
    assert "yaml.too-many" == problems[-1].code


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500_000, "{a: " * 200_000, "- " * 500_000, "? " * 400_000, "a: 1\n" * 170_000, "\t" * 1_000_000,
        '"' + "a\n" * 400_000, "a: " + "1" * 900_000, ": " * 300_000, "{{" * 300_000, "- *a\n" * 150_000,
        "".join(f"- &a{number} x\n" for number in range(60_000)) + "- *b\n" * 200,
        "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)),
        "{" + ", ".join(f'"k{number}": 1' for number in range(49_000)) + "}",
        "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300)),
    ],
)  # fmt: skip
def test_a_hostile_file_is_answered_quickly(text: str) -> None:
    started = time.perf_counter()
    read("p.yaml", text)
    assert time.perf_counter() - started < 5


YAML_LIKE = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("abc01 \n\n\t:-?,[]{}#&*!|>'\"%@`\\/<.~+\r\x85\u2028é漢\U0001f600")),
        st.characters(),
    )
)


def paths_of(value: object, path: Path = ()) -> list[Path]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for step, child in inner for found in paths_of(child, (*path, step)))]


def assert_inside(document: Document, path: Path, key: bool) -> None:
    place = document.source.locate(path, key)
    lines = document.source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert place.line_text == lines[place.line - 1]
    assert 1 <= place.column <= len(place.line_text) + 1
    assert place.column < place.end_column <= len(place.line_text) + 2


@given(YAML_LIKE)
@settings(max_examples=400, deadline=2000)
def test_any_text_gives_a_document_or_problems_and_every_place_lies_inside_the_file(text: str) -> None:
    document = read("p.yaml", text)
    for problem in document.problems:
        assert problem.location is not None
        assert problem.location.line <= text.count("\n") + text.count("\r") + 1
    for path in paths_of(document.value) if document.source.places else []:
        for key in (False, True):
            assert_inside(document, path, key)
            assert_inside(document, (*path, "no such key"), key)


@given(st.binary())
def test_any_bytes_give_a_document_or_problems(data: bytes) -> None:
    document = read("p.yaml", data)
    assert document.problems or document.source.places


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"))
KEY = TEXT.filter(lambda key: len(key) < 100)  # libyaml looks 1,024 characters ahead for the colon
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 2, "\t"]))
def test_json_reads_back_equal(value: object, indent: int | str | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    document = read("p.json", text)
    assert () == document.problems
    assert json.loads(text, parse_float=Decimal) == document.value


PRINTABLE = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=8)


@given(PRINTABLE, PRINTABLE, st.sampled_from(["'", '"', "|"]))
def test_every_word_is_found_where_it_is_written(before: str, word: str, style: str) -> None:
    value, word = f"({before} <{word}>)", f"<{word}>"
    ways = {"'": lambda text: text.replace("'", "''"), '"': lambda text: json.dumps(text)[1:-1], "|": str}
    text = f"|\n    {value}" if style == "|" else style + ways[style](value) + style
    source = read("p.yaml", f"a:\n  b: {text}\n").source
    place = source.locate_slice(("a", "b"), value, len(before) + 2, len(value) - 1)
    assert ways[style](word) == place.line_text[place.column - 1 : place.end_column - 1]
    assert place.end_column == len(place.line_text) + (0 if style == "|" else -1)


@given(st.text(min_size=1), st.sampled_from(["'", '"']))
def test_asking_for_any_text_gives_a_place(needle: str, style: str) -> None:
    source = read("p.yaml", f"a: {style}b c{style}\n").source
    assert 1 == source.locate_text(("a",), needle).line
