"""What the template stage promises, one line per promise."""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from decimal import Decimal
from types import MappingProxyType

import pytest

from runner.templates import (
    OMIT,
    Reference,
    TemplateError,
    Unknown,
    compile_expression,
    compile_text,
    has_template,
    render,
)

SCOPE = {
    "client": {
        "name": "Ann Lee",
        "braces": "{{ 7*7 }}",
        "code": "1_000",
        "phone": "+973 3300-0000",
        "score": Decimal("1.10"),
        "tiny": Decimal("1E-7"),
        "age": 30,
        "active": True,
        "middle": None,
        "items": ["a", "b"],
        "address": {"city": "Manama", "zip": "012"},
    },
    "inputs": {"asset": "USD"},
    "documents": [{"type": "passport", "front": "a.jpg"}, {"type": "id", "front": "b.jpg", "back": "c.jpg"}],
    "steps": {"create": {"id": 12}, "upload": [{"id": "d1"}, {"id": "d2"}]},
    "index": 0,
    "url": "https://x.test/cb?code=a%20b&empty=",
}


def value_of(text: str, scope: object = SCOPE) -> object:
    return compile_text(text).render(scope)  # type: ignore[arg-type]


def refusal_of(text: str, scope: object = SCOPE) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        value_of(text, scope)
    return caught.value


# ---- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{# text #}", "{# text #}"),
        ("a }} b", "a }} b"),
        ("{{ client.code }}", "1_000"),
        ("  {{ client.age }}\n", 30),
        ("{{ client.score }}", Decimal("1.10")),
        ("{{ client.items }}", ["a", "b"]),
        ("{{ client['items'][-1] }}", "b"),
        ("{{ client.items.0 }}", "a"),
        ("{{ client.items[1:] }}", ["b"]),
        ("{{ client.middle }}", None),
        ("{{ client.middle | optional }}", None),
        ("{{ client }}", SCOPE["client"]),
        ("{{ '{{' }} is {{ '{%' }}", "{{ is {%"),
        ("{{- client.age -}}", 30),
        ("a {{- client.age -}} b", "a30b"),
        ("{{ {'a': [1, 2], 'b': {}} }}", {"a": [1, 2], "b": {}}),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ 'a' 'b' }}", "ab"),
        ("{{ 'a' if client.active else 'b' }}", "a"),
        ("{{ client.middle or 'none' }}", "none"),
        ("{{ client.age > 18 and not client.middle }}", True),
        ("{{ 1 < 2 <= 2 != 3 }}", True),
        ("{{ 'a' in client.items }}", True),
        ("{{ 'zip' not in client.address }}", False),
        ("{{ range(2, 5) }}", [2, 3, 4]),
    ],
)
def test_an_expression_gives_its_value(text: str, expected: object) -> None:
    assert expected == value_of(text)
    assert type(expected) is type(value_of(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is {{ client.active }}", "is true"),
        ("is {{ client.middle }}", "is null"),
        ("is {{ client.score }}", "is 1.10"),
        ("is {{ client.tiny }}", "is 0.0000001"),
        ("is {{ client.age }}", "is 30"),
        ("is {{ client.items }}", 'is ["a","b"]'),
        ("{{ {'a': client.score, 'b': none} }}!", '{"a":1.10,"b":null}!'),
        ("{{ client.name ~ '/' ~ client.active }}", "Ann Lee/true"),
        ("{{ client.name }} {{ inputs.asset }}", "Ann Lee USD"),
        ("é{{ client.items | tojson }}", 'é["a","b"]'),
    ],
)
def test_mixed_text_speaks_yaml(text: str, expected: str) -> None:
    assert expected == value_of(text)


@pytest.mark.parametrize("text", ["{{ client.braces }}", "x {{ client.braces }}", "{{ client.braces | trim }}"])
def test_braces_in_data_are_never_rendered_again(text: str) -> None:
    assert str(value_of(text)).endswith("{{ 7*7 }}")
    assert "{{ 7*7 }}" in str(render({"a": [text]}, SCOPE))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ 1 / 4 }}", Decimal("0.25")),
        ("{{ 4 / 2 }}", Decimal(2)),
        ("{{ 0.1 + 0.2 }}", Decimal("0.3")),
        ("{{ client.score * 3 }}", Decimal("3.30")),
        ("{{ 123456789012.123456789012345678 + 1 }}", Decimal("123456789013.123456789012345678")),
        ("{{ 7 // 2 }}", 3),
        ("{{ -7 // 2 }}", -4),
        ("{{ -7.0 // 2 }}", Decimal(-4)),
        ("{{ -7 % 3 }}", 2),
        ("{{ -7.5 % 3 }}", Decimal("1.5")),
        ("{{ 2 ** 10 }}", 1024),
        ("{{ 2 ** -1 }}", Decimal("0.5")),
        ("{{ -client.score }}", Decimal("-1.10")),
        ("{{ 'ab' * 2 }}", "abab"),
        ("{{ [1] + [2] }}", [1, 2]),
        ("{{ '%s is %05.2f of %d' % ('x', 1.005, 3) }}", "x is 01.00 of 3"),
        ("{{ '%-4s|%4s|%%' % ('a', 'b') }}", "a   |   b|%"),
        ("{{ '%(n)s' % {'n': true} }}", "true"),
    ],
)
def test_numbers_are_exact(text: str, expected: object) -> None:
    assert expected == value_of(text)
    assert not isinstance(value_of(text), float)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ client.address | only('city', 'street') }}", {"city": "Manama"}),
        ("{{ client.address | without('city') }}", {"zip": "012"}),
        ("{{ '1250.00' | decimal }}", Decimal("1250.00")),
        ("{{ 5 | decimal }}", Decimal(5)),
        ("{{ ' -0.5 ' | decimal }}", Decimal("-0.5")),
        ("{{ client.phone | e164 }}", "+97333000000"),
        ("{{ '0044 (20) 7946.0000' | e164 }}", "+442079460000"),
        ("{{ url | query('code') }}", "a b"),
        ("{{ url | query('empty') }}", ""),
        ("{{ url | query('no') | optional }}", OMIT),
        ("{{ url | query('no') | default('x') }}", "x"),
        ("{{ client.name | upper | replace(' ', '_') }}", "ANN_LEE"),
        ("{{ client.name.upper().split(' ') }}", ["ANN", "LEE"]),
        ("{{ client.name.startswith('Ann') }}", True),
        ("{{ client.address.get('street', 'none') }}", "none"),
        ("{{ client.address.items() }}", [["city", "Manama"], ["zip", "012"]]),
        ("{{ documents | map(attribute='type') | join(', ') }}", "passport, id"),
        ("{{ documents | selectattr('back', 'defined') | map(attribute='back') }}", ["c.jpg"]),
        ("{{ documents | map(attribute='back') | select('defined') }}", ["c.jpg"]),
        ("{{ documents | map(attribute='back', default='-') }}", ["-", "c.jpg"]),
        ("{{ documents | rejectattr('type', 'eq', 'id') | length }}", 1),
        ("{{ documents | sort(attribute='type') | first }}", SCOPE["documents"][1]),
        ("{{ documents | groupby('type') | map(attribute='grouper') }}", ["id", "passport"]),
        ("{{ [3, 1, 2] | sort(reverse=true) }}", [3, 2, 1]),
        ("{{ [1, 1, 2] | unique }}", [1, 2]),
        ("{{ [1, 2.5] | sum }}", Decimal("3.5")),
        ("{{ documents | map('only', 'type') | last }}", {"type": "id"}),
        ("{{ 2.345 | round(2) }}", Decimal("2.34")),
        ("{{ 1250 | round(-2, 'ceil') }}", Decimal(1300)),
        ("{{ '12' | int + 1 }}", 13),
        ("{{ 'x' | int(0) }}", 0),
        ("{{ 'ff' | int(0, 16) }}", 255),
        ("{{ 'xyz' | int(0, 16) }}", 0),
        ("{{ true | int }}", 1),
        ("{{ 'x' | float(none) | default('no') if false else 'x' | float(0) }}", 0),
        ("{{ '1.5' | float }}", Decimal("1.5")),
        ("{{ '' | default('x', true) }}", "x"),
        ("{{ {'b': 1, 'a': 2} | dictsort }}", [["a", 2], ["b", 1]]),
        ("{{ range(5) | batch(2) }}", [[0, 1], [2, 3], [4]]),
        ("{{ range(5) | slice(2) }}", [[0, 1, 2], [3, 4]]),
        ("{{ '<\"&' | e }}", "&lt;&#34;&amp;"),
        ("{{ 'a&b c/d' | urlencode }}", "a%26b%20c/d"),
        ("{{ {'a': 'x y', 'b': 1} | urlencode }}", "a=x+y&b=1"),
        ("{{ {'a': [1, 2.50]} | tojson(1) }}", '{\n "a": [\n  1,\n  2.50\n ]\n}'),
        ("{{ 'foo bar baz qux' | truncate(9) }}", "foo..."),
        ("{{ client.age is divisibleby 3 and client.age is not none }}", True),
        ("{{ client.middle is none and client.address is mapping }}", True),
    ],
)
def test_a_filter_does_what_its_name_says(text: str, expected: object) -> None:
    assert expected == value_of(text)


# ---- absence


@pytest.mark.parametrize(
    "expression",
    [
        "client.fax | optional",
        "client.a.b.c | optional",
        "nobody.at.all | optional",
        "client.fax | e164 | optional",
        "client.fax | lower | replace('a', 'b') | optional",
        "client.fax.upper() | optional",
        "('+' ~ client.fax) | optional",
        "(client.age + client.fax) | optional",
        "steps.create.nothing | optional",
        "documents[7].type | optional",
        "('x' if false) | optional",
        "[] | first | optional",
        "client.fax | optional | upper",
    ],
)
def test_optional_leaves_out_what_is_undefined(expression: str) -> None:
    assert OMIT is value_of("{{ " + expression + " }}")
    assert OMIT is value_of("+{{ " + expression + " }}")


def test_a_key_left_out_takes_its_emptied_mapping_along() -> None:
    author = {
        "name": "{{ client.name }}",
        "fax": "{{ client.fax | optional }}",
        "work": {"fax": "{{ client.fax | optional }}", "more": {"fax": "{{ client.fax | optional }}"}},
        "empty": {},
        "list": ["{{ client.fax | optional }}", "x", {"fax": "{{ client.fax | optional }}"}],
        "number": 5,
    }
    assert {"name": "Ann Lee", "empty": {}, "list": ["x"], "number": 5} == render(author, SCOPE)
    assert OMIT is render({"fax": "{{ client.fax | optional }}"}, SCOPE)


@pytest.mark.parametrize(
    ("text", "message", "hint", "offset"),
    [
        ("{{ clinet.name }}", 'unknown name "clinet"', 'did you mean "client"?', 3),
        ("{{ client.nmae }}", '"client" has no field "nmae"', 'did you mean "name"?', 10),
        ("a {{ client.adress.city }}", '"client" has no field "adress"', 'did you mean "address"?', 12),
        ("{{ client.address['ctiy'] }}", '"client.address" has no field "ctiy"', 'did you mean "city"?', 18),
        ("{{ inputs.aset }}", 'input "aset" has no value', 'did you mean "asset"?', 10),
        ("{{ steps.creat.id }}", 'step "creat" has no outputs', 'did you mean "create"?', 9),
        ("{{ steps.create.idd }}", 'step "create" has no output "idd"', 'did you mean "id"?', 16),
        (
            "{{ steps.upload.id }}",
            '"steps.upload" is a list and has no field "id"',
            'pick one item (steps.upload[0].id) or read it from all: steps.upload | map(attribute="id")',
            16,
        ),
        ("{{ documents[9].type }}", '"documents" has no item 9', "", 13),
        ("{{ client.name.first }}", '"client.name" is text and has no field "first"', "", 15),
        ("{{ client.middle.x }}", '"client.middle" is null and has no field "x"', "", 17),
        ("{{ (documents | first).bak }}", 'this value has no field "bak"', "", 23),
        ("{{ documents | map(attribute='back') }}", "this value has no such field", "", 15),
        ("{{ 1 if false }}", 'the condition does not hold and there is no "else"', None, 3),
        ("{{ client.fax | upper }}", '"client" has no field "fax"', "", 10),
        ("{{ client.fax == 1 }}", '"client" has no field "fax"', "", 10),
        ("{{ [client.fax] }}", '"client" has no field "fax"', "", 11),
        ("{{ not client.fax }}", '"client" has no field "fax"', "", 14),
    ],
)
def test_a_missing_name_is_told_with_its_place(text: str, message: str, hint: str | None, offset: int | None) -> None:
    error = refusal_of(text)
    assert ("template.undefined", message, offset) == (error.code, error.message, error.offset)
    assert hint is None or hint == error.hint


def test_render_says_where_in_the_value_it_failed() -> None:
    with pytest.raises(TemplateError) as caught:
        render({"a": [{"b": 1}, {"c": "{{ client.nope }}"}]}, SCOPE)
    assert ("a", 1, "c") == caught.value.path


# ---- what is known later

LATER = Unknown("create")


@pytest.mark.parametrize(
    "text",
    [
        "{{ steps.create.id }}",
        "{{ steps.create }}",
        "{{ steps.create.a.b }}",
        "id-{{ steps.create.id }}",
        "{{ steps.create.id | upper | optional }}",
        "{{ true or steps.create.id }}",
        "{{ steps.create.id is defined }}",
        "{{ steps.partly.id + 1 }}",
        "{{ steps.partly | tojson }}",
        "x {{ steps.partly }}",
        "{{ steps.partly == {} }}",
        "{{ steps.partly | only('id') | tojson }}",
        "{{ client.nope }} {{ steps.create.id }}",
        "{{ rows | map(attribute='id') | join }}",
        "{{ steps['partly']['id'] }}",
        "{{ steps[client.which].id }}",
    ],
)
def test_what_rests_on_an_unknown_is_that_unknown(text: str) -> None:
    scope = {
        "steps": {"create": LATER, "partly": {"id": LATER, "ok": 1}},
        "client": {"which": "partly"},
        "rows": [{"id": LATER}],
    }
    assert LATER == value_of(text, scope)
    assert "(known after create)" == str(value_of(text, scope))


def test_what_only_moves_an_unknown_about_keeps_the_rest() -> None:
    scope = {"rows": [{"id": LATER, "kind": "a"}, {"kind": "b"}]}
    assert [{"id": LATER, "kind": "a"}] == value_of("{{ rows | selectattr('id', 'defined') }}", scope)
    assert 2 == value_of("{{ rows | length }}", scope)
    assert "a" == value_of("{{ rows[0].kind }}", scope)
    assert {"x": LATER} == render({"x": "{{ rows[0].id }}"}, scope)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ steps.create.id if client.yes else 'no' }}", LATER),
        ("{{ steps.create.id if client.no else 'no' }}", "no"),
        ("{{ 'yes' if client.yes else steps.create.id }}", "yes"),
        ("x-{{ 'yes' if client.yes else steps.create.id }}", "x-yes"),
        ("x-{{ steps.create.id if client.yes }}", LATER),
        ("{{ (steps.create.id if client.no else 'no') | upper }}", "NO"),
        ("{{ ('a' if client.yes else steps.create.id) if client.yes else steps.create.id }}", "a"),
        ("{{ 'a' if client.yes else ('b' if steps.create.id else 'c') }}", "a"),
        ("{{ 'a' if steps.create.id else 'b' }}", LATER),
        ("{{ ('a' if client.yes else 'b') ~ steps.create.id }}", LATER),
        ("{{ (steps.create.id if client.no) | optional }}", OMIT),
        ("{{ {'id': steps.create.id if client.yes else 1} }}", LATER),
        ("{{ [steps.create.id if client.no else 1] }}", [1]),
    ],
)
def test_a_choice_that_is_known_needs_only_what_it_chooses(text: str, value: object) -> None:
    scope = {"steps": {"create": LATER}, "client": {"yes": True, "no": False}}
    assert value == value_of(text, scope)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ (client.x if client.nope else 'n') | optional }}", OMIT),
        ("{{ (client.x if client.nope else 'n') | default('d') }}", "d"),
        ("a {{ (client.x if client.nope else 'n') | optional }}", OMIT),
        ("{{ true or (client.x if client.nope else 'n') }}", True),
        ("{{ false and (client.x if client.nope else 'n') }}", False),
        ("{{ 'a' if client.yes else ('b' if client.nope else 'c') }}", "a"),
    ],
)
def test_looking_ahead_at_a_choice_complains_of_nothing_that_is_forgiven_or_never_read(
    text: str, value: object
) -> None:
    assert value == value_of(text, {"client": {"yes": True}})


def test_a_choice_by_what_is_absent_is_told_where_it_is_read() -> None:
    with pytest.raises(TemplateError) as caught:
        value_of("{{ 'a' if client.nope else 'b' }}", {"client": {}})
    assert ("template.undefined", True) == (caught.value.code, "nope" in caught.value.message)


# ---- what is refused


@pytest.mark.parametrize(
    ("text", "code", "offset"),
    [
        ("{% if x %}", "template.statement", 0),
        ("{{ a }} {% set x = 1 %}", "template.statement", 8),
        ("a {{ client.name", "template.syntax", 2),
        ("{{ }}", "template.syntax", 2),
        ("{{ client. }}", "template.syntax", 11),
        ("{{ client name }}", "template.syntax", 10),
        ("{{ (1 }}", "template.syntax", 6),
        ("{{ 1) }}", "template.syntax", 4),
        ("{{ 'abc }}", "template.syntax", 3),
        ("{{ 1 + }}", "template.syntax", 7),
        ("{{ a $ b }}", "template.syntax", 5),
        ("{{ a, b }}", "template.syntax", 4),
        ("{{ client[1, 2] }}", "template.syntax", 10),
        ("{{ client.name | uper }}", "template.unknown-filter", 17),
        ("{{ client.name is strng }}", "template.unknown-filter", None),
        ("{{ ''.__class__ }}", "template.forbidden", 6),
        ("{{ ''['__class__'] }}", "template.forbidden", 6),
        ("{{ ''['__cl' ~ 'ass__'] }}", "template.forbidden", 6),
        ("{{ client.__class__.__mro__ }}", "template.forbidden", 10),
        ("{{ __import__ }}", "template.forbidden", 3),
        ("{{ ''.__class__ | optional }}", "template.forbidden", 6),
        ("{{ [''] | map(attribute='__class__') }}", "template.forbidden", None),
        ("{{ [''] | map('attr', '__class__') }}", "template.forbidden", 10),
        ("{{ '' | attr('__class__') }}", "template.forbidden", 8),
        ("{{ '{0.__class__}'.format(1) }}", "template.forbidden", None),
        ("{{ '{0.__class__}'.format_map({}) }}", "template.forbidden", None),
        ("{{ client.items() }}", "template.forbidden", None),
        ("{{ client.address.pop('city') }}", "template.forbidden", None),
        ("{{ lipsum() }}", "template.forbidden", 3),
        ("{{ cycler('a') }}", "template.forbidden", 3),
        ("{{ client.name() }}", "template.forbidden", None),
        ("{{ [1] | random }}", "template.forbidden", 9),
        ("{{ x | pprint }}", "template.forbidden", 7),
        ("{{ 'a' + 1 }}", "template.value", 3),
        ("{{ client.score + '1' }}", "template.value", 3),
        ("{{ true + 1 }}", "template.value", 3),
        ("{{ 'a' < 1 }}", "template.value", 3),
        ("{{ 1 in 2 }}", "template.value", 3),
        ("{{ 1 / 0 }}", "template.value", 3),
        ("{{ 1.0 % 0 }}", "template.value", 3),
        ("{{ 'x' | int }}", "template.value", 9),
        ("{{ 0.0 ** 0 }}", "template.value", 3),
        ("{{ (-8) ** 0.5 }}", "template.value", None),
        ("{{ 1.1111111111 ** 7 * 1.1111111111 ** 7 + 10.0 ** 58 }}", "template.too-large", None),
        ("{{ -'a' }}", "template.value", 3),
        ("{{ 'a' | round }}", "template.value", 9),
        ("{{ 1 | round(0, 'up') }}", "template.value", 7),
        ("{{ 1 | round('a') }}", "template.value", 7),
        ("{{ 'a' | dictsort }}", "template.value", 9),
        ("{{ 'a' | format(1, a=2) }}", "template.value", 9),
        ("{{ 'a' | truncate(1, leeway=-1) }}", "template.value", 9),
        ("{{ 5 | query('a') }}", "template.value", 7),
        ("{{ 'http://[' | query('a') }}", "template.value", 16),
        ("{{ range() }}", "template.value", 3),
        ("{{ range('a') }}", "template.value", 3),
        ("{{ range(1, 2, 0) }}", "template.value", 3),
        ("{{ 'a'[::0] }}", "template.value", 7),
        ("{{ 'a'['b':] }}", "template.value", 7),
        ("{{ client[1:] }}", "template.value", 10),
        ("{{ {[]: 1} }}", "template.value", None),
        ("{{ client.age.upper() }}", "template.forbidden", None),
        ("{{ 'a'.replace('a') }}", "template.value", None),
        ("{{ 'a' is callable }}", "template.forbidden", None),
        ("{{ 'a' is odd }}", "template.value", None),
        ("{{ 1 is divisibleby }}", "template.value", None),
        ("{{ [1, 'a'] | sort }}", "template.value", 14),
        ("{{ 'a' | replace }}", "template.value", 9),
        ("{{ 'a' | upper(1) }}", "template.value", 9),
        ("{{ '%d' % 'x' }}", "template.value", 3),
        ("{{ '%s %s' % 'x' }}", "template.value", 3),
        ("{{ '%' % 1 }}", "template.value", 3),
        ("{{ '%s' % (1, 2) }}", "template.value", 3),
        ("{{ '1,000' | decimal }}", "template.value", 13),
        ("{{ 'NaN' | decimal }}", "template.value", 11),
        ("{{ '1e3' | decimal }}", "template.value", 11),
        ("{{ '1_000' | decimal }}", "template.value", 13),
        ("{{ true | decimal }}", "template.value", 10),
        ("{{ [] | decimal }}", "template.value", 8),
        ("{{ '33000000' | e164 }}", "template.value", 16),
        ("{{ '+44 (0)20 7946 0000' | e164 }}", "template.value", 27),
        ("{{ '+1234567' | e164 }}", "template.value", 16),
        ("{{ '+1234567890123456' | e164 }}", "template.value", 25),
        ("{{ '+٩٧٣٣٣٠٠٠٠٠٠' | e164 }}", "template.value", None),
        ("{{ 97333000000 | e164 }}", "template.value", 17),
        ("{{ 5 | only('a') }}", "template.value", 7),
    ],
)
def test_what_is_refused_and_where(text: str, code: str, offset: int | None) -> None:
    error = refusal_of(text)
    assert code == error.code
    assert offset is None or offset == error.offset


def test_a_data_field_may_have_the_name_of_a_method_or_two_underscores() -> None:
    assert "v" == value_of("{{ c.__typename }}", {"c": {"__typename": "v"}})
    assert [1, 2] == value_of("{{ c.keys }}", {"c": MappingProxyType({"keys": [1, 2]})})


@pytest.mark.parametrize(
    "text",
    [
        "{{ client.phone | decimal }}",
        "{{ client.name | e164 }}",
        "{{ client.name + 1 }}",
        "{{ client.name < 1 }}",
        "{{ client.name | int }}",
        "{{ client.name | sum }}",
        "{{ client.name | query }}",
        "{{ client.name.nope }}",
        "{{ [client.name, 1] | sort }}",
        "{{ {client.name: 1}[client.phone] }}",
        "{{ client.name | batch(client.phone) }}",
        "{{ documents | map(client.name) }}",
        "{{ documents | map(attribute=client.phone) }}",
        "{{ documents | select(client.name) }}",
        "{{ documents[client.name] }}",
        "{{ client[client.name].x }}",
        "{{ steps[client.name].x }}",
        "{{ url | query(client.name) }}",
        "{{ ('%(' ~ client.name ~ ')s') % {} }}",
        "{{ '%d' % client.name }}",
    ],
)
def test_no_complaint_tells_a_value(text: str) -> None:
    error = refusal_of(text)
    told = " ".join([error.message, error.hint, str(error), repr(error)])
    assert "Ann" not in told
    assert "3300" not in told
    assert error.__cause__ is None


def test_the_nearest_filter_is_offered() -> None:
    assert ('unknown filter "e146"', 'did you mean "e164"?') == (
        (error := refusal_of("{{ client.phone | e146 }}")).message,
        error.hint,
    )


# ---- bounds

LARGE = "'a' * 1000000"
BOMBS = [
    "'a' * 10**9",
    "10**9 * 'a'",
    "range(10**9)",
    "9**9**9",
    "10**5000",
    "9" * 5000,
    "0x" + "f" * 5000,
    "1e999999",
    "'%1000000000d' % 1",
    "'%.1000000000f' % 1",
    "'x' | center(10**9)",
    "[0] * 10**9",
    f"({LARGE}) | replace('a', {LARGE})",
    f"({LARGE}).replace('a', {LARGE})",
    f"({LARGE}) ~ ({LARGE})",
    f"({LARGE}) + ({LARGE})",
    f"[{LARGE}] * 1000000",
    "[" + f"{LARGE}, " * 100 + "]",
    "range(100000) | select('in', range(100000) | list) | list",
    "range(100000) | map('center', 1000) | list",
    "range(100000) | map('string') | join('a' * 1000)",
    "range(1000) | map('string') | join('a' * 1000) | list | join('b' * 1000)",
    "'a\\n' | indent(10**9)",
    f"({LARGE}) | wordwrap(1)",
    f"({LARGE}) | list",
    f"('<' ~ {LARGE}) | map('e') | list",
    "('&' * 1000000) | urlencode",
    "range(10) | batch(10**9, 'x')",
    "range(10) | slice(10**9)",
    "range(10) | slice(90000) | map('join') | map('center', 90000)",
    "(1.5 ** 1000000)",
    "(" * 500 + "1" + ")" * 500,
    "[" * 500 + "]" * 500,
    "not " * 5000 + "1",
    "-" * 5000 + "1",
    "1" + " + 1" * 5000,
    "a" + ".b" * 5000,
    "client" + " | default(1)" * 5000,
    "1 + " * 200_000 + "1",
    "'" + "a" * 1_100_000 + "'",
]


@pytest.mark.parametrize("expression", BOMBS, ids=lambda text: text[:40])
def test_a_bomb_is_refused_and_never_run(expression: str) -> None:
    began = time.monotonic()
    error = refusal_of("{{ " + expression + " }}")
    assert time.monotonic() - began < 10
    assert error.code in ("template.too-large", "template.too-slow")


def test_mixed_text_is_bounded_as_a_whole() -> None:
    assert "template.too-large" == refusal_of("x{{ 'a' * 600000 }}{{ 'a' * 600000 }}").code
    assert "template.too-large" == refusal_of("x{{ a }}{{ a }}", {"a": "a" * 600_000}).code


# ---- what a template tells about itself


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", []),
        ("{{ steps.create.id }}", [("steps.create.id", 3, False)]),
        ("{{ steps['create'].id }}", [("steps.create.id", 3, False)]),
        ("{{ xs[0].a }} and {{ b }}", [("xs[0].a", 3, False), ("b", 21, False)]),
        ("{{ a.b | upper | optional }}", [("a.b", 3, True)]),
        ("{{ a | default(b.c) }}", [("a", 3, True), ("b.c", 15, False)]),
        ("{{ a is defined and b }}", [("a", 3, True), ("b", 20, False)]),
        ("{{ a.name.upper() }}", [("a.name", 3, False)]),
        ("{{ range(n) | map('upper') }}", [("n", 9, False)]),
        ("{{ steps[key].id }}", [("steps", 3, False), ("key", 9, False)]),
        ("{{ a['x-y'] }}", [("a['x-y']", 3, False)]),
        (
            "{{ x if y else [z, {'k': w}] }}",
            [("y", 8, False), ("x", 3, False), ("z", 16, False), ("w", 25, False)],
        ),
    ],
)
def test_references_are_the_names_that_are_read(text: str, expected: list[tuple[str, int, bool]]) -> None:
    found = compile_text(text).references
    assert sorted(expected, key=lambda each: each[1]) == sorted(
        [(each.text, each.offset, each.optional) for each in found], key=lambda each: each[1]
    )


def test_a_reference_knows_each_of_its_names() -> None:
    (found,) = compile_text("{{ steps.create['id'] }}").references
    assert Reference(("steps", "create", "id"), 3, "steps.create.id", (3, 9, 16)) == found


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("{{ a }}", True),
        (" {{ a }}\n", True),
        ("x{{ a }}", False),
        ("{{ a }}{{ b }}", False),
        ("a", False),
        ("", False),
    ],
)
def test_whole_is_one_expression_and_nothing_else(text: str, whole: bool) -> None:
    assert whole is compile_text(text).is_whole


def test_a_bare_expression_needs_no_braces() -> None:
    assert SCOPE["documents"] == compile_expression("documents").render(SCOPE)
    assert True is compile_expression(" client.age >= 18 ").render(SCOPE)
    for wrong in ("{{ client }}", "", "a }}", "a b"):
        with pytest.raises(TemplateError) as caught:
            compile_expression(wrong)
        assert "template.syntax" == caught.value.code


def test_has_template_sees_braces() -> None:
    assert has_template("a {{ b }}")
    assert not has_template("{ a }")


def test_a_text_is_compiled_once() -> None:
    assert compile_text("{{ once }}") is compile_text("{{ once }}")


def test_common_expressions_do_not_import_jinja() -> None:
    code = (
        "import sys; from runner.templates import render\n"
        "render({'a': '{{ c.d }} {{ c[\"e\"] | e164 | optional }}'}, {'c': {'d': 1}})\n"
        "sys.exit('jinja2' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_what_is_not_data_passes_whole_and_never_as_text() -> None:
    from runner.model.secret import Secret

    scope = {"key": Secret("hunter2")}
    assert scope["key"] is compile_text("{{ key }}").render(scope)
    for text in ("k={{ key }}", "{{ key ~ '' }}", "{{ [key] | tojson }}", "{{ key | upper }}", "{{ key.reveal() }}"):
        error = refusal_of(text, scope)
        assert error.code in ("template.value", "template.forbidden")
        assert "hunter2" not in f"{error!r} {error.message} {error.hint}"


def test_a_float_from_outside_is_taken_at_its_word() -> None:
    assert "0.1" == compile_text("{{ x }}{{ '' }}").render({"x": 0.1})
    assert Decimal("0.3") == compile_text("{{ x + 0.2 }}").render({"x": 0.1})
    assert "template.value" == refusal_of("{{ x + 1 }}", {"x": float("nan")}).code


def test_a_text_that_nests_deeper_than_python_can_is_refused() -> None:
    def deep(left: int, text: str) -> TemplateError:
        return deep(left - 1, text) if left else refusal_of(text)

    frames = sys.getrecursionlimit() - len(inspect.stack()) - 120
    assert "template.too-large" == deep(frames, "{{ " + "not " * 95 + "1 }}").code
