"""Replace secrets and personal values by `***`, in whatever encoding they got into a text."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from runner.redact.decoding import Decoded, Span, decode

MASK = "***"
SHORTEST = 4
"""A shorter value would take half of every sentence with it; a credential of three characters is none."""
_SHORTEST_ENCODED = 6
_SHORTEST_LINE = 16
_GENERIC = frozenset({"true", "false", "null", "none", "male", "female", "other", "unknown"})
_LAYERS = 3
"""A URL in JSON in JSON is three encodings deep."""

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Redactor:
    """Replaces what it was given by `***`. Build it once: it is asked for every line we write."""

    def __init__(
        self,
        secrets: Iterable[str],
        personal: Iterable[str] = (),
        later: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`later` gives the secrets that are known by then: a token that was fetched on the way."""
        needles: set[str] = set()
        mails: set[str] = set()
        for secret in secrets:
            if len(secret.strip()) >= SHORTEST:
                needles |= _secret_forms(secret)
        for value in personal:
            if _is_telling(value.strip()):
                forms = _written_forms(value.strip())
                mails |= {form.translate(_LOWER) for form in forms if "@" in value}
                needles |= forms if "@" not in value else set()
        self._needles = tuple(sorted(needles, key=len, reverse=True))
        self._mails = tuple(sorted(mails, key=len, reverse=True))
        self._later = later

    def text(self, text: str) -> str:
        """The text without any of them."""
        spans = [*self._spans(text), *self._encoded_spans(text)]
        return _replaced(text, spans) if spans else text

    def value(self, value: Any) -> Any:
        """The JSON value without any of them; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            written = str(value)
            return value if self.text(written) == written else MASK
        return value

    def _spans(self, text: str) -> list[Span]:
        needles = (*self._needles, *(form for secret in self._later() for form in _later_forms(secret)))
        spans = [span for needle in needles if needle in text for span in _occurrences(needle, text)]
        if self._mails and ("@" in text or "%40" in text):
            lower = text.translate(_LOWER)
            spans += [span for mail in self._mails if mail in lower for span in _occurrences(mail, lower)]
        return spans

    def _encoded_spans(self, text: str) -> Iterator[Span]:
        """What shows only once decoded: `\\u0041`, `%41` or `&#65;` for any letter, and mixtures of them."""
        decodings: list[Decoded] = []
        for _ in range(_LAYERS):
            decoded = decode(text)
            if decoded is None:
                return
            decodings.append(decoded)
            text = decoded.text
            for start, end in self._spans(text):
                for layer in reversed(decodings):
                    start, end = layer.origin(start, end)
                yield start, end


def _occurrences(needle: str, text: str) -> Iterator[Span]:
    at = text.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = text.find(needle, at + 1)


def _replaced(text: str, spans: list[Span]) -> str:
    pieces: list[str] = []
    copied = 0
    for start, end in sorted(spans):
        if start >= copied:
            pieces += text[copied:start], MASK
        copied = max(copied, end)
    return "".join((*pieces, text[copied:]))


def _is_telling(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in _GENERIC


def _written_forms(value: str) -> set[str]:
    """How people's tools write a text: as it is, in a URL, in a form, in JSON, in HTML."""
    forms = {
        value,
        value.replace(" ", "+"),
        quote(value, errors="surrogatepass"),
        quote(value, safe="", errors="surrogatepass"),
        quote_plus(value, errors="surrogatepass"),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
    }
    # A value that looks encoded itself ("100%25") is decoded along with its surroundings.
    while (decoded := decode(value)) and len(decoded.text) >= SHORTEST:
        value = decoded.text
        forms.add(value)
    return forms


def _secret_forms(secret: str) -> set[str]:
    bare = secret.strip()
    forms = _written_forms(bare)
    # A PEM may be quoted in part, re-indented or wrapped: each of its lines is as secret as the whole.
    forms |= {line.strip() for line in bare.splitlines() if len(line.strip()) >= _SHORTEST_LINE and line[0] != "-"}
    for text in {secret, bare}:
        raw = text.encode("utf-8", "surrogatepass")
        encoded = {raw.hex(), raw.hex().upper(), *_base64_forms(raw)}
        forms |= {form for form in encoded if len(form) >= _SHORTEST_ENCODED}
    return forms


@lru_cache(maxsize=1024)
def _later_forms(secret: str) -> frozenset[str]:
    return frozenset(_secret_forms(secret)) if len(secret.strip()) >= SHORTEST else frozenset()


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What stays the same of its base64 wherever it stands in a longer text, `user:secret` for one."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw).decode()
        begin = (0, 2, 3)[before]
        end = (before + len(raw)) * 8 // 6
        yield whole[begin:end]
        yield whole[begin:end].replace("+", "-").replace("/", "_")
