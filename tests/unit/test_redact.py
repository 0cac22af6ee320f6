"""Nothing that must not be seen can be seen, in whatever encoding."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.redact import Redactor, classified, is_classified, mask

PEM = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(letter * 64 for letter in "ABC") + "\n-----END PRIVATE KEY-----\n"


def _b64(before: int, url: bool) -> Callable[[str], str]:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return lambda text: encode(b"u:x"[:before] + text.encode() + b"tail").decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "quote": quote,
    "quote_all": lambda text: quote(text, safe=""),
    "quote_lower": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "quote_plus": quote_plus,
    "quoted_twice": lambda text: quote(quote(text, safe=""), safe=""),
    "json": lambda text: json.dumps(text)[1:-1],
    "json_utf8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json_all": lambda text: "".join(
        f"\\u{unit:04X}" for unit in memoryview(text.encode("utf-16-le")).cast("H").tolist()
    ),
    "json_slash": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json_in_json": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "html": html.escape,
    "html_all": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "html_hex": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "hex": lambda text: text.encode().hex(),
    "hex_upper": lambda text: text.encode().hex().upper(),
    **{f"base64_{before}": _b64(before, url=False) for before in range(3)},
    **{f"base64url_{before}": _b64(before, url=True) for before in range(3)},
    "base64_in_url": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}
_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30).filter(
    lambda text: len(text.strip()) >= 8 and "*" not in text
)
_around = st.text(st.sampled_from(" abc:/,="), max_size=8)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", ["s3cr3t-Value", 'p"a\\ss/w+o=r d&<>', "пароль-密码-😀-key", "line\nbreak\tkey"])
def test_a_secret_is_hidden_in_every_encoding(encoding: str, secret: str) -> None:
    encoded = ENCODINGS[encoding](secret)
    redacted = Redactor([secret], []).text(f"before {encoded} after")
    assert encoded not in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    if not encoding.startswith("base64"):
        assert redacted == "before *** after"


@given(_texts, st.sampled_from(sorted(ENCODINGS)), _around, _around)
def test_no_planted_secret_survives(secret: str, encoding: str, before: str, after: str) -> None:
    encoded = ENCODINGS[encoding](secret.strip())
    redacted = Redactor([secret], []).text(before + encoded + after)
    assert "***" in redacted
    if not encoding.startswith("base64"):
        assert encoded not in redacted


@given(_texts, st.data())
def test_a_mixture_of_encodings_hides_nothing_from_us(secret: str, data: st.DataObject) -> None:
    # No encoder leaves a backslash, percent or ampersand as it is and then encodes its neighbours.
    encoded = ["quote_lower", "json_all", "html_all", "html_hex"]
    mixed = "".join(
        ENCODINGS[data.draw(st.sampled_from(encoded if char in "\\%&" else ["raw", *encoded]))](char)
        for char in secret.strip()
    )
    assert Redactor([secret], []).text(f"({mixed})") == "(***)"


@given(st.lists(_texts, max_size=4), st.lists(_texts, max_size=4), st.text(max_size=40))
def test_several_values_may_overlap(secrets: list[str], personal: list[str], text: str) -> None:
    redacted = Redactor(secrets, personal).text(text + "".join(secrets) + text + "".join(personal))
    assert not [value for value in [*secrets, *personal] if value.strip() in redacted and value.strip() not in "***"]


def test_the_longest_wins_and_overlaps_are_one() -> None:
    redactor = Redactor(["abcd", "cdef", "abcdefgh"], [])
    assert redactor.text("<abcdef>") == "<***>"
    assert redactor.text("<abcdefgh>") == "<***>"
    assert Redactor(["aaaa"], []).text("<aaaaaa>") == "<***>"


def test_a_key_file_is_hidden_as_a_whole_and_in_part() -> None:
    redactor = Redactor([PEM], [])
    assert redactor.text(f"key: {PEM.strip()}") == "key: ***"
    assert "A" * 64 not in redactor.text("    " + "A" * 64)
    assert "B" * 64 not in redactor.text(PEM.replace("\n", "\r\n"))
    assert "C" * 64 not in redactor.text(json.dumps({"key": PEM}))


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("Zoë O'Hara", "dear Zoë O'Hara,", "dear ***,"),
        ("Zoë O'Hara", r'{"name": "Zo\u00eb O' + "'Hara\"}", '{"name": "***"}'),
        ("Zoë O'Hara", "?name=Zo%C3%AB+O%27Hara&x", "?name=***&x"),
        ("Zoë O'Hara", "<b>Zoë O&#x27;Hara</b>", "<b>***</b>"),
        ("a@example.com", "to A@Example.COM and a%40EXAMPLE.com", "to *** and ***"),
        ("A@Example.com", "to a@example.com", "to ***"),
        ("+97312345678", "tel %2B97312345678", "tel ***"),
        ("Bob", "Bob", "Bob"),
        ("true", "true", "true"),
        ("BH", "BH", "BH"),
        ("Zayed", "zayed", "zayed"),
    ],
)
def test_peoples_data_is_hidden(value: str, text: str, expected: str) -> None:
    assert expected == Redactor([], [value]).text(text)


def test_a_value_is_walked_and_its_keys_stay() -> None:
    redactor = Redactor(["s3cr3t-Value"], ["12345678", "Manama"])
    value = {
        "Manama": ["in Manama", 12345678, 5, True, None, Decimal("12345678.5"), {"k": "s3cr3t-Value"}],
        "t": (1,),
    }
    assert redactor.value(value) == {
        "Manama": ["in ***", "***", 5, True, None, "***", {"k": "***"}],
        "t": [1],
    }


def test_nothing_to_hide_changes_nothing() -> None:
    text = 'x \\u0041 %41 &amp; "quoted\\"'
    assert text == Redactor([], []).text(text)
    assert text == Redactor(["", "abc"], ["", "ab"]).text(text)


SCHEMA: dict[str, Any] = {
    "properties": {
        "id": {},
        "name": {"x-data-class": "identity"},
        "pep": {"type": "boolean", "x-data-class": "identity"},
        "address": {"x-data-class": "contact", "properties": {"city": {}, "lines": {"items": {}}}},
        "owners": {"items": {"$ref": "#/$defs/owner"}},
        "pair": {"prefixItems": [{}, {"x-data-class": "document"}]},
        "either": {"anyOf": [{"properties": {"iban": {"x-data-class": "financial"}}}, {"$ref": "#/$defs/loop"}]},
        "more": {"additionalProperties": {"x-data-class": "financial"}},
        "some": {"patternProperties": {"^card": {"x-data-class": "financial"}}},
    },
    "$defs": {
        "owner": {"properties": {"email": {"x-data-class": "contact"}, "owners": {"$ref": "#/properties/owners"}}},
        "loop": {"$ref": "#/$defs/loop"},
    },
}
PERSON: dict[str, Any] = {
    "id": "c1",
    "name": "Zayed",
    "pep": True,
    "address": {"city": "Manama", "lines": ["Road 1", 42], "zip": None},
    "owners": [{"email": "a@b.co", "share": 5, "owners": [{"email": "c@d.co"}]}],
    "pair": ["open", "P123"],
    "either": {"iban": "BH12", "x": 1},
    "more": {"anything": Decimal("1.50")},
    "some": {"card_number": "4111", "cart": "9"},
}


def test_classified_texts_are_found_wherever_they_nest() -> None:
    assert list(classified(PERSON, SCHEMA)) == [
        "Zayed",
        "Manama",
        "Road 1",
        "42",
        "a@b.co",
        "c@d.co",
        "P123",
        "BH12",
        "1.50",
        "4111",
    ]


def test_classified_values_are_masked_and_the_shape_stays() -> None:
    assert mask(PERSON, SCHEMA) == {
        "id": "c1",
        "name": "***",
        "pep": "***",
        "address": {"city": "***", "lines": ["***", "***"], "zip": None},
        "owners": [{"email": "***", "share": 5, "owners": [{"email": "***"}]}],
        "pair": ["open", "***"],
        "either": {"iban": "***", "x": 1},
        "more": {"anything": "***"},
        "some": {"card_number": "***", "cart": "9"},
    }


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ((), True),
        (("id",), False),
        (("name",), True),
        (("address", "lines", 0), True),
        (("owners",), True),
        (("owners", 3, "share"), False),
        (("owners", 3, "owners", 0, "email"), True),
        (("pair", 0), False),
        (("pair", 1), True),
        (("either", "iban"), True),
        (("either", "x"), False),
        (("some",), True),
        (("http",), False),
    ],
)
def test_a_path_is_classified_when_it_could_show_a_classified_value(path: tuple[str | int, ...], hidden: bool) -> None:
    assert is_classified(path, SCHEMA) is hidden
    assert not is_classified(path, {})


def test_only_the_asked_classes_are_masked() -> None:
    masked = mask(PERSON, SCHEMA, {"financial"})
    assert masked == {**PERSON, "either": {"iban": "***", "x": 1}, "more": {"anything": "***"}} | {
        "some": {"card_number": "***", "cart": "9"}
    }


def test_it_is_fast_enough_for_every_line_we_write() -> None:
    redactor = Redactor([PEM, "s3cr3t-Value", "another-secret-1"], [f"value number {at}" for at in range(27)])
    line = json.dumps({"message": "created client with status verified", "at": "2026-01-31T10:00:00Z"}) * 5
    started = time.perf_counter()
    for _ in range(1000):
        redactor.text(line)
    assert time.perf_counter() - started < 1
