"""Choose clients by an expression: `--select`. A column that nobody has is a slip of the pen, an empty cell is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.model.plan import Client
from runner.nearest import did_you_mean
from runner.templates import TemplateError, compile_expression

Names = tuple[str | int, ...]
Values = Mapping[str, Any]


def selected(
    text: str, clients: Sequence[Client], rows: Iterable[Values], columns: Sequence[str], schema: Values
) -> list[Client]:
    """The clients for which `text` holds. Raises TemplateError for what can't be read or is no field at all.

    A field is known when one of all `rows` has it, chosen or not, or `columns` or the clients `schema` name it.
    """
    wanted = compile_expression(text)
    if any(reference.names[0] != "client" for reference in wanted.references):
        raise TemplateError("template.unknown-name", 'only "client" is in scope of --select')
    everybody = list(rows)
    for reference in wanted.references:
        if not reference.optional:
            _require_known(reference.names[1:], everybody, [column.split(".") for column in columns], schema)
    return [client for client in clients if wanted.holds({"client": client.values})]


def _require_known(names: Names, values: Sequence[Any], columns: Sequence[Sequence[str]], schema: Any) -> None:
    for at, name in enumerate(names):
        if not isinstance(name, str):
            return  # an item of a list: each row has its own
        mappings = [value for value in values if isinstance(value, Mapping)]
        told = set(schema.get("properties", {})) if isinstance(schema, Mapping) else set()
        told |= {parts[0] for parts in columns if parts}
        if name not in told and not any(name in value for value in mappings):
            known = told | {key for value in mappings for key in value}
            path = ".".join(map(str, names[: at + 1]))
            hint = did_you_mean(name, known) or (f"known here: {', '.join(sorted(known))}" if known else "")
            raise TemplateError("template.undefined", f'no client has a field "{path}"', hint=hint)
        values = [value[name] for value in mappings if name in value]
        columns = [parts[1:] for parts in columns if parts[:1] == [name]]
        schema = schema.get("properties", {}).get(name) if isinstance(schema, Mapping) else None
