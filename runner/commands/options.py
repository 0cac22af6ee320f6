"""Options that several verbs share, each written once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from runner.commands.say import say_problems
from runner.load.clients import Choice
from runner.prepare import Wish
from runner.state_folder import on_network, tighten

F = TypeVar("F", bound=Callable[..., Any])


class Pair(click.ParamType[tuple[str, str]]):
    """`name=value`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not equals or not name:
            self.fail(f'"{value}" is not of the form name=value', param, ctx)
        return name, rest


class Rate(click.ParamType[float]):
    """`15/s`, `600/m`, or a plain number per second."""

    name = "N/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        number, _, unit = str(value).partition("/")
        per = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}.get(unit)
        try:
            rate = float(number) / per if per else 0.0
        except ValueError:
            rate = 0.0
        if rate <= 0:
            self.fail(f'"{value}" is not a rate such as 15/s', param, ctx)
        return rate


class Duration(click.ParamType[float]):
    """`30s`, `10m`."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from runner.duration import seconds

        if isinstance(value, float):
            return value
        try:
            return 0.0 if value == "0" else seconds(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _add(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def planning(function: F) -> F:
    """What plan, run and rehearse have in common: who, with what, where."""
    return _add(
        click.option(
            "--clients", default="", metavar="FILE", help="Clients: csv, jsonl, json or yaml; - for standard input."
        ),
        click.option(
            "--key", default="", metavar="FIELD", help="The field that names a client; default: the playbook's."
        ),
        click.option(
            "--input",
            "inputs",
            type=Pair(),
            multiple=True,
            help="A value for one of the playbook's inputs; repeat for more.",
        ),
        click.option(
            "--env",
            "environment",
            default="sandbox",
            metavar="NAME",
            show_default=True,
            help="Environment of the provider pack.",
        ),
        click.option("--base-url", default="", metavar="URL", help="Overrides the environment's address."),
        click.option(
            "--batch", default="", metavar="NAME", help="A new name means new payments; default: the playbook's name."
        ),
        click.option(
            "--select",
            default="",
            metavar="EXPR",
            help="Only clients for which this holds, e.g. \"client.residency_id == 'bh'\".",
        ),
        click.option("--limit", type=click.IntRange(0), default=None, metavar="N", help="Only the first N of them."),
        click.option(
            "--cap",
            "caps",
            type=Pair(),
            multiple=True,
            metavar="ASSET=AMOUNT",
            help="The most that the run may move; repeat for more.",
        ),
        click.option(
            "--documents",
            default="",
            metavar="DIR",
            help="Folder that document paths are relative to; default: the clients file's.",
        ),
        click.option(
            "--provider-file",
            default="",
            metavar="FILE",
            help="A provider pack of your own, or changes to a shipped one.",
        ),
        click.option("--skip-invalid", is_flag=True, help="Leave wrong rows out as rejected instead of stopping."),
        click.option(
            "--rejects",
            default="",
            metavar="FILE",
            help="Write rows that were left out, with line, field, reason and hint.",
        ),
    )(function)


def running(function: F) -> F:
    """What run and rehearse have in common: how fast, how far, and where it is told."""
    return _add(
        click.option(
            "--jobs", type=click.IntRange(1, 1000), default=8, show_default=True, metavar="N", help="Clients at once."
        ),
        click.option(
            "--rate",
            type=Rate(),
            default=None,
            help="Requests per second at most, e.g. 15/s; default: the provider's limit.",
        ),
        click.option(
            "--waves", default="", metavar="1,10,100%", help="Start with few; go on only when all of them ended well."
        ),
        click.option("--max-fail", default="", metavar="10%", help="Start nobody any more beyond so many failures."),
        click.option("--fail-fast", is_flag=True, help="Start nobody any more after the first failure."),
        click.option(
            "--wait",
            type=Duration(),
            default="60s",
            show_default=True,
            help="How long to stay once only waiting clients are left.",
        ),
        click.option(
            "--listen",
            default="",
            metavar="ADDR",
            help="Take webhooks at HOST:PORT, POST /webhooks/PROVIDER, while this lasts.",
        ),
        state,
        click.option(
            "--report-json", default="", metavar="FILE", help="Report for machines (schemas/report.schema.json)."
        ),
        click.option("--report-junit", default="", metavar="FILE", help="Report for CI."),
        click.option("-q", "--quiet", is_flag=True, help="Nothing but errors."),
        click.option("-v", "--verbose", is_flag=True, help="Tell every client, not only the failures."),
        click.option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same."),
    )(function)


def _of_its_owner(ctx: click.Context, param: click.Parameter, folder: Path) -> Path:
    """Every verb that uses a state folder finds it closed to others, or says that it is not."""
    say_problems(problem for problem in (tighten(folder), on_network(folder)) if problem)
    return folder


def state(function: F) -> F:
    return click.option(
        "--state",
        default=".onboard",
        envvar="ONBOARD_STATE",
        show_default=True,
        metavar="DIR",
        type=click.Path(path_type=Path),
        callback=_of_its_owner,
        help="State folder: journal and lock.",
    )(function)


def wish_of(playbook: Path, options: dict[str, Any]) -> Wish:
    """The wish that these options spell."""
    clients = options["clients"]
    return Wish(
        playbook=playbook,
        clients=clients,
        stdin=sys.stdin.buffer.read() if clients == "-" else None,
        inputs=dict(options["inputs"]),
        choice=Choice(options["key"], options["select"], options["limit"]),
        environment=options["environment"],
        base_url=options["base_url"],
        batch=options["batch"],
        caps=dict(options["caps"]),
        documents=options["documents"],
        provider_file=options["provider_file"],
        skip_invalid=options["skip_invalid"],
    )


def waves_of(text: str, clients: int) -> tuple[int, ...]:
    """`1,10,100%` as cumulative counts; the last always reaches everybody."""
    if not text:
        return ()
    return (*(share_of(part.strip(), clients, "--waves", least=1) for part in text.split(",")), clients)


def share_of(text: str, clients: int, option: str, *, least: int = 0) -> int:
    """`10%` of the clients, or a plain count."""
    number = text.removesuffix("%")
    if not number.isdecimal() or (text.endswith("%") and int(number) > 100):
        raise click.UsageError(f'{option}: "{text}" is neither a count nor a share such as 10%')
    value = int(number) * clients // 100 if text.endswith("%") else int(number)
    return max(least, value)
