"""Read a check: `path operator value`. No `eval`, no `and`; a slip is told together with the right form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from runner.checks import slips
from runner.checks.errors import CheckError
from runner.checks.operators import FOR_COUNT, OPERATORS, ORDERINGS, WITHOUT_VALUE, is_orderable, number
from runner.checks.paths import read_path
from runner.checks.patterns import pattern
from runner.checks.values import is_template, parse_value, read, template_end
from runner.model.check import Check, Path

_COUNT = re.compile(r"count\s*\(\s*")
_CLOSE = re.compile(r"\s*\)")
_SYMBOLS = re.compile(r"[=!<>~&|]+")
# The longest first: "is not empty" before "is null", "not in" before "in".
_WORDS = re.compile(
    "|".join(
        name.replace(" ", r"\s+") + r"(?![\w-])"
        for name in sorted(OPERATORS, key=len, reverse=True)
        if name[0].isalpha()
    )
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A check taken apart, with the offsets that carets need."""

    path: Path
    path_at: int
    path_end: int
    count: bool
    operator: str
    operator_at: int
    operator_end: int
    value: str
    value_at: int


def parse(text: str) -> Check:
    """The check that `text` writes; raises CheckError and nothing else."""
    parts = split(text)
    if parts.count and parts.operator not in FOR_COUNT:
        hint = 'compare it with a number, e.g. "count(items) > 0"'
        raise CheckError("check.syntax", f'"count" and "{parts.operator}" do not go together', 0, hint, len(text))
    if parts.operator in WITHOUT_VALUE:
        if parts.value:
            slips.refuse_extra(text, parts.operator, parts.value_at)
        return Check(text, parts.path, parts.operator)
    if not parts.value:
        hint = f'e.g. "{text.strip()} {slips.example(parts.operator)}"'
        message = f'nothing after "{parts.operator}", expected a value'
        raise CheckError("check.missing-value", message, parts.operator_at, hint, parts.operator_end)
    if parts.operator in ("matches", "not matches"):
        return _match(text, parts)
    return _comparison(text, parts)


def split(text: str) -> Parts:
    """Path, operator and value as text; raises CheckError when the first two are not right."""
    at = len(text) - len(text.lstrip())
    path_at, count = at, False
    if opening := _COUNT.match(text, at):
        count, path_at = True, opening.end()
    path, path_end = read_path(text, path_at)
    at = path_end
    if count:
        closing = _CLOSE.match(text, at)
        if not closing:
            raise CheckError("check.syntax", '"count(" has no ")"', 0, 'e.g. "count(items) > 0"', at)
        at = closing.end()
    operator, operator_at, operator_end = _operator(text, at, text[path_at:path_end])
    value = text[operator_end:].strip()
    value_at = text.index(value, operator_end)
    return Parts(path, path_at, path_end, count, operator, operator_at, operator_end, value, value_at)


def _operator(text: str, path_end: int, path: str) -> tuple[str, int, int]:
    rest = text[path_end:].lstrip()
    at = len(text) - len(rest)
    if not rest:
        hint = f'e.g. "{path} == verified" or "{path} exists"'
        raise CheckError("check.syntax", f'nothing after "{path}", expected an operator', 0, hint, len(text))
    if symbols := _SYMBOLS.match(text, at):
        if symbols[0] in OPERATORS:
            return symbols[0], at, symbols.end()
        raise slips.wrong_operator(text, path, at, symbols.end())
    word = _WORDS.match(text, at)
    if word and at > path_end:
        slips.refuse_other_reading(text, path, word.start(), word.end())
        return " ".join(word[0].split()), at, word.end()
    raise slips.wrong_operator(text, path, at, slips.word_end(text, at))


def _match(text: str, parts: Parts) -> Check:
    template = is_template(parts.value)
    operand = parts.value if template else unquoted_pattern(parts.value)
    if not template:
        try:
            pattern(operand)
        except CheckError as error:
            raise error.moved(parts.value_at + (operand != parts.value)) from None
    return Check(text, parts.path, parts.operator, operand, is_template=template)


def unquoted_pattern(value: str) -> str:
    """A regular expression may stand in quotes; its backslashes stay as written."""
    quote = value[:1]
    if len(value) < 2 or quote not in ("'", '"') or value[-1] != quote:
        return value
    inner = value[1:-1]
    if quote == "'":
        return value if "'" in inner.replace("''", "") else inner.replace("''", "'")
    return value if re.search(r'(?<!\\)(\\\\)*"', inner) else inner


def _comparison(text: str, parts: Parts) -> Check:
    slips.refuse_two_checks(text, parts.value, parts.value_at)
    template = is_template(parts.value)
    try:
        value = _shape(parts.value) if template else parse_value(parts.value)
    except CheckError as error:
        slips.refuse_list_without_brackets(parts.operator, parts.value, parts.value_at)
        raise error.moved(parts.value_at) from None
    if template and not isinstance(value, list):
        if parts.operator in ("in", "not in") and not _is_whole(parts.value):
            slips.refuse_no_list(parts.operator, parts.value, parts.value_at)
    else:
        _refuse_hopeless(parts, value)
    operand = parts.value if template else value
    return Check(text, parts.path, parts.operator, operand, parts.count, template)


def _shape(value: str) -> Any:
    """A template taken apart but not filled: this raises what filling it would raise."""
    return read(value, lambda scalar, _quoted: scalar)


def _is_whole(value: str) -> bool:
    return value.startswith("{{") and template_end(value, 0) == len(value) and value.endswith("}}")


def _refuse_hopeless(parts: Parts, value: Any) -> None:
    """Refuse what could only ever fail, or ever pass, whatever the answer says."""
    end = parts.value_at + len(parts.value)
    if parts.operator in ("in", "not in"):
        if not isinstance(value, list):
            slips.refuse_no_list(parts.operator, parts.value, parts.value_at)
        if not value:
            raise CheckError("check.missing-value", "the list is empty", parts.value_at, "name the values", end)
    elif parts.operator in ("contains", "not contains"):
        if isinstance(value, list):
            message = f'found a list, "{parts.operator}" takes one value'
            raise CheckError("check.wrong-type", message, parts.value_at, "write one check per value", end)
        if value == "":
            raise CheckError("check.missing-value", "every text contains the empty text", parts.value_at, "", end)
    elif parts.operator in ORDERINGS and not is_orderable(value):
        found = slips.described(value, parts.value)
        message = f'"{parts.operator}" compares numbers, dates or times, found {found}'
        raise CheckError("check.wrong-type", message, parts.value_at, "", end)
    values = value if isinstance(value, list) else [value]
    if parts.count and not is_template(parts.value) and any(number(item) is None for item in values):
        message = f"a count is a number, found {slips.described(value, parts.value)}"
        raise CheckError("check.wrong-type", message, parts.value_at, 'e.g. "count(items) > 0"', end)
