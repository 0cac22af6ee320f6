"""Is a raw request a create or money call of the pack in other clothes? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from runner.model.problem import Location, Problem
from runner.model.provider import Operation


def effect_behind(operations: Iterable[Operation], method: str, path: str) -> Operation | None:
    """The operation that must not happen twice, if this is one: by its method and path, however they are written."""
    asked = _segments(path)
    for operation in operations:
        if operation.is_effect and operation.method == method.upper():
            known = _segments(operation.path)
            if len(known) == len(asked) and all(
                one.startswith("{") or one == two for one, two in zip(known, asked, strict=True)
            ):
                return operation
    return None


def disguised(operation: Operation, location: Location | None) -> Problem:
    """Money needs an operation of the pack; something that is made twice is only a nuisance, and is warned of."""
    is_money = operation.effect == "money"
    lacks = "has no look-up and no cap" if is_money else "is not looked up after a lost answer"
    message = f'this request is "{operation.name}", which must not happen twice: a raw one {lacks}'
    hint = f'write "call: {operation.name}" with its values in "with"'
    return Problem("request.is-operation", message, location, hint, "error" if is_money else "warning")


def _segments(path: str) -> list[str]:
    """Without what a server may read over: the query, doubled slashes, capitals, and letters that are encoded."""
    whole = unquote(path.partition("?")[0].partition("#")[0]).casefold()
    return [segment for segment in whole.split("/") if segment not in ("", ".")]
