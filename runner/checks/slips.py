"""What people write instead of a check, and how to tell them the right form."""

from __future__ import annotations

import re
from typing import NoReturn

from runner.checks.errors import CheckError, did_you_mean, nearest
from runner.checks.operators import OPERATORS, WITHOUT_VALUE, number
from runner.checks.paths import read_path
from runner.checks.values import template_end

INSTEAD = {
    "!": "!=",
    "!==": "!=",
    "!~": "not matches",
    "<>": "!=",
    "=": "==",
    "=!": "!=",
    "=<": "<=",
    "==!": "!=",
    "===": "==",
    "=>": ">=",
    "=~": "matches",
    ":": "==",
    "absent": "not exists",
    "after": ">",
    "before": "<",
    "does not contain": "not contains",
    "does not equal": "!=",
    "does not exist": "not exists",
    "does not match": "not matches",
    "doesn't contain": "not contains",
    "doesn't exist": "not exists",
    "empty": "is empty",
    "endswith": "matches",
    "eq": "==",
    "equal": "==",
    "equal to": "==",
    "ends with": "matches",
    "equals": "==",
    "ge": ">=",
    "greater than": ">",
    "gt": ">",
    "gte": ">=",
    "has": "contains",
    "includes": "contains",
    "is absent": "not exists",
    "is at least": ">=",
    "is at most": "<=",
    "is equal to": "==",
    "is greater than": ">",
    "is in": "in",
    "is less than": "<",
    "is missing": "not exists",
    "is none": "is null",
    "is not in": "not in",
    "is not none": "is not null",
    "is not one of": "not in",
    "is not present": "not exists",
    "is one of": "in",
    "isn't": "!=",
    "isnt": "!=",
    "is present": "exists",
    "le": "<=",
    "less than": "<",
    "like": "matches",
    "lt": "<",
    "lte": "<=",
    "matching": "matches",
    "missing": "not exists",
    "ne": "!=",
    "neq": "!=",
    "not empty": "is not empty",
    "not equal": "!=",
    "not equals": "!=",
    "not null": "is not null",
    "null": "is null",
    "one of": "in",
    "present": "exists",
    "starts with": "matches",
    "startswith": "matches",
    "~": "matches",
    "~=": "matches",
}
_FAMILIAR = re.compile(
    "|".join(re.escape(words) for words in sorted(INSTEAD, key=len, reverse=True) if words[0].isalpha()),
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\s=!<>~&|]+")
_JOIN = re.compile(r"\s+(and|or)\s+|\s*(&&|\|\|)\s*", re.IGNORECASE)
_COMPARES = re.compile(
    r"\s*(==|!=|<=?|>=?|=)|\s+(not\s+)?(in|contains|matches|exists)\b|\s+is\s+(not\s+)?(empty|null)\b"
)
_ONE_EACH = "write one check per line"


def example(operator: str) -> str:
    if operator in ("in", "not in"):
        return "[USD, AED]"
    if operator in ("matches", "not matches"):
        return "^[A-Z]{2}$"
    return "100" if operator[0] in "<>" else "verified"


def described(value: object, written: str) -> str:
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool) or (number(value) is not None and not isinstance(value, str)):
        return written
    return f'text "{value}"'


def word_end(text: str, at: int) -> int:
    """Where the words that were meant as an operator end."""
    if (familiar := _FAMILIAR.match(text, at)) and not text[familiar.end() : familiar.end() + 1].isalnum():
        return familiar.end()
    word = _WORD.match(text, at)
    return word.end() if word else at + 1


def wrong_operator(text: str, path: str, at: int, end: int) -> CheckError:
    found, rest = text[at:end], text[end:].strip()
    message = f'"{found}" is not an operator'
    if path == "is":
        return CheckError("check.syntax", "the path is missing", 0, 'e.g. "errors is empty"', end)
    if found.lower() == "is":
        return _is_something(text, path, at, rest)
    if found.lower() in ("and", "or") or found in ("&&", "||"):
        return CheckError("check.syntax", f'found "{found}": a check is one comparison', at, _ONE_EACH, end)
    if found == "not" and rest.split(" ")[0] in OPERATORS:
        return CheckError("check.unknown-operator", message, at, did_you_mean(f"{path} != …"), end)
    right = INSTEAD.get(found.lower()) or nearest(found, OPERATORS)
    if path in ("not", "exists") and right is None:
        right_text = _prefix_form(path, text[at:].strip())
        return CheckError("check.unknown-operator", message, at, did_you_mean(right_text), end)
    if right:
        rest = f"^{rest}" if found.startswith("start") else f"{rest}$" if found.startswith("end") else rest
        whole = f"{path} {right}" if right in WITHOUT_VALUE else f"{path} {right} {rest}".rstrip()
        return CheckError("check.unknown-operator", message, at, did_you_mean(whole), end)
    if found[0] == "(":
        items = text[at:end].strip("()") or path.rpartition(".")[0]
        return CheckError("check.syntax", f'"{path}{found}" is not a path', 0, did_you_mean(f"count({items})"), end)
    hint = f"the operators are {', '.join(sorted(OPERATORS))}"
    return CheckError("check.unknown-operator", message, at, hint, end)


def _is_something(text: str, path: str, at: int, rest: str) -> CheckError:
    negated = rest.lower().startswith("not ")
    value = rest[4:].strip() if negated else rest
    if not value:
        return CheckError("check.missing-value", 'nothing after "is"', at, f'e.g. "{path} == verified"', len(text))
    hint = did_you_mean(f"{path} {'!=' if negated else '=='} {value}")
    return CheckError("check.unknown-operator", f'"is {rest}" is not an operator', at, hint, len(text))


def _prefix_form(word: str, rest: str) -> str:
    """`exists status` and `not status == x`, the other way round."""
    if word == "exists":
        return f"{rest} exists"
    for operator in ("in", "contains", "matches"):
        if f" {operator} " in rest:
            return rest.replace(f" {operator} ", f" not {operator} ", 1)
    if " is " in rest:
        return rest.replace(" is ", " is not ", 1)
    if "==" in rest:
        return rest.replace("==", "!=", 1)
    return f"{rest} == false"


def refuse_other_reading(text: str, path: str, at: int, end: int) -> None:
    """`not exists status` reads as the field "not" that exists; nobody means that."""
    rest = text[end:].strip()
    if path == "not" and rest and text[at:end].split()[0] in ("exists", "is"):
        hint = did_you_mean(f"{rest} not exists")
        raise CheckError("check.syntax", "the path comes first", 0, hint, len(text))


def refuse_extra(text: str, operator: str, at: int) -> NoReturn:
    refuse_two_checks(text, text[at - 1 :], at - 1)
    message = f'found "{text[at:].strip()}" after "{operator}", which takes no value'
    raise CheckError("check.syntax", message, at, "take it out, or choose another operator", len(text.rstrip()))


def refuse_two_checks(text: str, value: str, at: int) -> None:
    """`status == verified and active == true` is two checks; `country == Trinidad and Tobago` is one."""
    bare = _blanked(value)
    for join in _JOIN.finditer(bare):
        word = (join[1] or join[2]).strip()
        tail = value[join.end() :]
        ended = bare[: join.start()].rstrip()[-1:] in ("'", '"', "]", "}") or not bare[: join.start()].strip()
        if not (_is_check(tail) or (ended and _is_path(tail)) or (join[2] and _is_path(tail))):
            continue
        first = text[: at + join.start()].strip()
        way = f'{_ONE_EACH}: "{first}", then "{tail.strip()}"'
        hint = way if word.lower() in ("and", "&&") else 'use "in [a, b]" for one of several values'
        start = at + join.start() + len(join[0]) - len(join[0].lstrip())
        message = f'found "{word}": a check is one comparison'
        raise CheckError("check.syntax", message, start, hint, start + len(word))


def _blanked(value: str) -> str:
    """The value with its templates and quoted texts overwritten, so that words inside don't count."""
    chars = list(value)
    at = 0
    while at < len(value):
        end = at + 1
        if value.startswith("{{", at):
            end = template_end(value, at)
        elif value[at] in "\"'" and (at == 0 or value[at - 1] in "[, "):
            end = (value.find(value[at], at + 1) + 1) or at + 1
        chars[at + 1 : end - 1] = "x" * max(0, end - at - 2)
        at = end
    return "".join(chars)


def _path_end(text: str) -> int:
    try:
        return read_path(text)[1]
    except CheckError:
        return 0


def _is_path(text: str) -> bool:
    return _path_end(text) == len(text.rstrip()) > 0


def _is_check(text: str) -> bool:
    end = _path_end(text)
    return bool(end and _COMPARES.match(text, end))


def refuse_list_without_brackets(operator: str, value: str, at: int) -> None:
    if operator in ("in", "not in") and not value.startswith("["):
        refuse_no_list(operator, value, at)


def refuse_no_list(operator: str, value: str, at: int) -> NoReturn:
    inside = value[1:-1] if value[:1] == "(" and value[-1:] == ")" else value
    hint = did_you_mean(f"{operator} [{inside}]")
    raise CheckError("check.wrong-type", f'"{operator}" takes a list, found "{value}"', at, hint, at + len(value))
