"""Fill the templates of an operand, scalar by scalar, so that data can't become part of the check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from runner.checks.operators import word
from runner.checks.parsing import unquoted_pattern
from runner.checks.paths import is_list
from runner.checks.patterns import pattern
from runner.checks.values import is_template, plain, read
from runner.model.check import Check

Fill = Callable[[str], Any]


def resolve(check: Check, fill: Fill) -> Any:
    """The operand to evaluate with. `fill` renders a template text and keeps the type of a lone `{{ … }}`.

    A list is taken apart before it is filled: a comma or a bracket in somebody's data stays data. When `fill`
    gives something that is no JSON value, a placeholder for what isn't known yet, that is the operand.
    Raises CheckError when the filled text is not a usable regular expression, and whatever `fill` raises.
    """
    if not check.is_template:
        return check.operand
    if check.operator not in ("matches", "not matches"):
        return _known(read(check.operand, lambda text, quoted: _filled(text, quoted, fill)))
    filled = _filled(unquoted_pattern(check.operand), True, fill)
    if isinstance(filled, str):
        pattern(filled)
    return filled


def _filled(text: str, quoted: bool, fill: Fill) -> Any:
    if not is_template(text):
        return plain(text, quoted)
    filled = fill(text)
    return word(filled) if quoted and _is_scalar(filled) else filled


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, Decimal, str))


def _is_json(value: object) -> bool:
    return _is_scalar(value) or is_list(value) or isinstance(value, Mapping)


def _known(value: Any) -> Any:
    """The list, or the first placeholder in it: a list with something unknown is itself unknown."""
    if not is_list(value):
        return value
    items = [_known(item) for item in value]
    return next((item for item in items if not _is_json(item)), value)
