"""Read one field of a value. Data only: no attribute of a Python object is ever reached from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from runner.templates.values import Missing, TemplateError, Unknown, a_kind, did_you_mean

Names = tuple[str | int, ...]


class _Absent:
    pass


ABSENT: Final = _Absent()


def look_up(value: object, key: object) -> object:
    """The field or item `key` of `value`, or `ABSENT`. Anything read from an `Unknown` is that `Unknown`."""
    if type(value) is dict:
        try:
            return value.get(key, ABSENT)
        except TypeError:
            return ABSENT
    if isinstance(value, Mapping):
        try:
            return value[key]
        except (KeyError, TypeError):
            return ABSENT
    if isinstance(value, str | list | tuple) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if -len(value) <= key < len(value) else ABSENT
    if type(value) is Unknown:
        return value
    return ABSENT


def member(
    value: object, key: object, of: Names = (), offset: int | None = None, key_told: str | int | None = None
) -> object:
    """`look_up`, where an absent key gives a `Missing` that knows how to complain.

    `of` are the names that led to `value`; `key_told` is the key if the author wrote it: a computed one is
    data.
    """
    found = look_up(value, key)
    if found is not ABSENT:
        return found
    if isinstance(key, str) and key.startswith("__"):
        raise TemplateError(
            "template.forbidden", "a name that starts with two underscores can't be read", offset,
            "templates read data, nothing else",
        )  # fmt: skip
    return Missing(lambda: explain(value, key_told, of), offset)


def explain(value: object, key: str | int | None, of: Names) -> tuple[str, str]:
    """Why `value`, called `of` in the template, has no `key`; and what to do about it."""
    match of:
        case _ if key is None or not of:
            name = f'"{chain_text(of)}"' if of else "this value"
            return name + _lacks(value, key), _hint(value, key)
        case ("inputs",) if isinstance(value, Mapping):
            return f'input "{key}" has no value', _hint(value, key)
        case ("steps",) if isinstance(value, Mapping):
            return f'step "{key}" has no outputs', _hint(value, key)
        case ("steps", step) if isinstance(value, Mapping):
            return f'step "{step}" has no output "{key}"', _hint(value, key)
        case _:
            return f'"{chain_text(of)}"' + _lacks(value, key), _hint(value, key, of)


def explain_root(scope: Mapping[str, object], name: str) -> tuple[str, str]:
    """Why nothing in scope is called `name`."""
    return f'unknown name "{name}"', did_you_mean(name, scope) or "in scope: " + ", ".join(sorted(scope))


def chain_text(names: Sequence[str | int]) -> str:
    """`("items", 0, "id")` as the author would write it: `items[0].id`."""
    text = ""
    for name in names:
        if isinstance(name, int):
            text += f"[{name}]"
        elif name.isidentifier():
            text += f".{name}" if text else name
        else:
            text += f"['{name}']"
    return text


def _lacks(value: object, key: str | int | None) -> str:
    wanted = f"item {key}" if isinstance(key, int) else f'field "{key}"' if key is not None else "such field"
    if isinstance(value, Mapping) or (isinstance(value, list | tuple) and not isinstance(key, str)):
        return f" has no {wanted}"
    return f" is {a_kind(value)} and has no {wanted}"


def _hint(value: object, key: str | int | None, of: Names = ()) -> str:
    if isinstance(value, Mapping) and key is not None:
        return did_you_mean(key, value)
    if isinstance(value, list | tuple) and isinstance(key, str) and of:
        here = chain_text(of)
        return f'pick one item ({here}[0].{key}) or read it from all: {here} | map(attribute="{key}")'
    return ""
