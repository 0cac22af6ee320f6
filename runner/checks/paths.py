"""Name a place in an answer: `status`, `items[0].id`, `[-1].status`, `header.Retry-After`, `["odd key"]`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from runner.checks.errors import CheckError, did_you_mean
from runner.checks.values import quoted
from runner.model.check import Path

_NAME = re.compile(r"\w[\w-]*")
_FOREIGN = re.compile(r"\$?\.|\$(?=\[)")
"""How JSONPath and jq begin a path."""
_INDEX = re.compile(r"\[\s*(-?[0-9]{1,9})\s*\]", re.ASCII)


def parse_path(text: str) -> Path:
    """The path that `text` is, all of it; raises CheckError."""
    stripped = text.strip()
    shift = text.index(stripped)
    path, at = read_path(text, shift)
    if text[at:].strip():
        message = f'found "{text[at:].strip()}" after the path "{text[shift:at]}"'
        raise CheckError("check.syntax", message, at, end=len(text))
    return path


def read_path(text: str, at: int = 0) -> tuple[Path, int]:
    """The path that starts at `at`, and where it ends."""
    start = at
    steps: list[str | int] = []
    while True:
        if text.startswith("[", at):
            step, at = _bracket(text, at)
        elif (not steps or text.startswith(".", at)) and (name := _NAME.match(text, at + bool(steps))):
            step, at = _checked(text, start, name), name.end()
        elif not steps or text.startswith(".", at):
            raise _no_name(text, at)
        else:
            return tuple(steps), at
        steps.append(step)


def _checked(text: str, start: int, name: re.Match[str]) -> str:
    if not name[0].isdigit():
        return name[0]
    dotted = text[max(start, name.start() - 1)] == "."
    right = f"{text[start : name.start() - dotted]}[{name[0]}]"
    raise CheckError("check.syntax", f'"{name[0]}" is not a name', name.start(), did_you_mean(right), name.end())


def _bracket(text: str, at: int) -> tuple[str | int, int]:
    if index := _INDEX.match(text, at):
        return int(index[1]), index.end()
    inside = at + 1
    if text[inside : inside + 1] in ('"', "'"):
        key, end = quoted(text, inside)
        if text.startswith("]", end) and "{{" not in key:
            return key, end + 1
    end = text.find("]", at) + 1 or len(text)
    found = text[at:end]
    if found.startswith("[*"):
        raise CheckError("check.syntax", f'"{found}" is not an index', at, 'name one item, e.g. "[0]" or "[-1]"', end)
    if "{{" in text[at:]:
        raise CheckError("check.syntax", "a path has no templates", at, "put the template in the value", end)
    hint = 'write a whole number, e.g. "[0]", or a quoted key, e.g. ["odd key"]'
    raise CheckError("check.syntax", f'"{found}" is not an index or a quoted key', at, hint, end)


def _no_name(text: str, at: int) -> CheckError:
    rest = text[at:].strip()
    if not rest:
        return CheckError("check.syntax", "nothing here, expected a path", at, 'e.g. "status == verified"')
    if rest.startswith("{{"):
        hint = 'a check is "path operator value"'
        return CheckError("check.syntax", "found a template, expected a path", at, hint, len(text))
    if (prefix := _FOREIGN.match(rest)) and at == 0:
        hint = did_you_mean(rest[prefix.end() :] or "status")
        return CheckError("check.syntax", f'a path does not start with "{prefix[0]}"', at, hint, prefix.end())
    hint = 'e.g. "status", "items[0].id" or "[\'odd key\']"'
    return CheckError("check.syntax", f'found "{rest[:20]}", expected a name', at, hint)


def path_text(path: Path) -> str:
    """How the path is written; `parse_path` reads it back."""
    return "".join(_step_text(step, first=at == 0) for at, step in enumerate(path))


def _step_text(step: str | int, first: bool) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _NAME.fullmatch(step) and not step.isdigit():
        return step if first else f".{step}"
    return f"[{json.dumps(step, ensure_ascii=False)}]"


def lookup(path: Path, body: object) -> tuple[bool, Any]:
    """Whether the path is there, and what it leads to. A null on the spot is there."""
    for step in path:
        if isinstance(step, str):
            if not isinstance(body, Mapping) or step not in body:
                return False, None
            body = body[step]
        else:
            if not is_list(body) or not -len(body) <= step < len(body):
                return False, None
            body = body[step]
    return True, body


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))
