"""`onboard providers`: what the packs know - operations, what they take, what refusals mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from runner import resources
from runner.load.pack import find_pack
from runner.model.provider import Operation, Provider


@click.command("providers")
@click.argument("name", required=False)
@click.argument("operation", required=False)
@click.option(
    "--provider-file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="A pack of your own, or changes to a shipped one.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(name: str | None, operation: str | None, provider_file: Path | None, form: str) -> int:
    """List provider packs; with NAME its operations, credentials and error codes; with OPERATION its fields."""
    if name is None:
        packs = [find_pack(each) for each in resources.provider_names()]
        if form == "json":
            click.echo(json.dumps([_json(pack) for pack in packs], indent=2))
        else:
            for pack in packs:
                click.echo(f"{pack.name:<12} {pack.title}, {len(pack.operations)} operations")
        return 0
    pack = find_pack(name, provider_file)
    if operation is not None:
        return _operation(pack, operation, form)
    if form == "json":
        click.echo(json.dumps(_json(pack), indent=2))
    else:
        click.echo("\n".join(_text(pack)))
    return 0


def _operation(pack: Provider, name: str, form: str) -> int:
    from runner.model.problem import Problem, ProblemError
    from runner.nearest import did_you_mean

    found = pack.operations.get(name)
    if found is None:
        raise ProblemError(
            [
                Problem(
                    "call.unknown-operation",
                    f'{pack.title} has no operation "{name}"',
                    hint=did_you_mean(name, pack.operations) or f'see "onboard providers {pack.name}"',
                )
            ]
        )
    if form == "json":
        click.echo(json.dumps(_operation_json(found), indent=2))
        return 0
    click.echo(
        f"{found.name}: {found.title}\n{found.method} {found.path}, effect {found.effect}"
        + (" (form not documented by the provider)" if found.invented else "")
    )
    required = found.request.get("required", ())
    for label, schema in (("with", found.request), ("answer", found.response)):
        fields = schema.get("properties", {})
        if fields:
            click.echo(f"\n{label}:")
        for field, rule in fields.items():
            click.echo(f"  {field:<24} {_kind(rule)}{'  required' if label == 'with' and field in required else ''}")
    return 0


def _kind(rule: Any) -> str:
    if not isinstance(rule, dict):
        return "anything"
    if rule.get("x-file"):
        return "file"
    if "enum" in rule:
        return " | ".join(map(str, rule["enum"]))
    kind = rule.get("type", "anything")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _text(pack: Provider) -> list[str]:
    lines = [f"{pack.title} ({pack.name})", "", "environments:"]
    for environment in pack.environments.values():
        address = environment.base_url or f"set {pack.base_url_env}"
        lines.append(f"  {environment.name:<12} {address}{'  live' if environment.live else ''}")
    lines += ["", "credentials:"]
    lines += [f"  {ref.env}{f' or {ref.file_env}' if ref.file_env else ''}" for ref in pack.credentials.values()]
    lines += ["", "operations:"]
    width = max(map(len, pack.operations))
    for operation in pack.operations.values():
        lines.append(f"  {operation.name:<{width}}  {operation.effect:<6}  {operation.title}")
    lines += ["", "errors:"]
    for rule in pack.errors.rules:
        code = " ".join(str(part) for part in (rule.code, f"HTTP {rule.status}" if rule.status else None) if part)
        lines.append(f"  {code:<14} {rule.meaning:<10} {rule.text}")
        lines.append(f"  {'':<14} {'':<10} = {rule.hint}")
    return lines


def _json(pack: Provider) -> dict[str, Any]:
    return {
        "name": pack.name,
        "title": pack.title,
        "environments": {
            entry.name: {"base_url": entry.base_url, "live": entry.live} for entry in pack.environments.values()
        },
        "credentials": [
            {"name": ref.name, "env": ref.env, "file_env": ref.file_env or None} for ref in pack.credentials.values()
        ],
        "operations": [_operation_json(operation) for operation in pack.operations.values()],
        "errors": [
            {
                "code": rule.code,
                "status": rule.status,
                "name": rule.name,
                "meaning": rule.meaning,
                "text": rule.text,
                "hint": rule.hint,
            }
            for rule in pack.errors.rules
        ],
    }


def _operation_json(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "title": operation.title,
        "method": operation.method,
        "path": operation.path,
        "effect": operation.effect,
        "invented": operation.invented,
        "request": operation.request,
        "response": operation.response,
    }
