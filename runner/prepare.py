"""From what a person typed to a plan that could run: all that can be known wrong is known here, nothing is sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from runner.client import is_loopback
from runner.load import yaml
from runner.load.clients import Choice, Clients, Rejected, field_of, read_clients
from runner.load.files import Documents
from runner.load.names import required_client_fields
from runner.load.planning import Planned, make_plan
from runner.load.playbook import Loaded, load
from runner.load.schema import Schema
from runner.model.plan import Setting
from runner.model.playbook import Cap, Playbook
from runner.model.problem import GuardError, Location, Problem, ProblemError
from runner.model.provider import Environment, Provider
from runner.money import MoneyError, parse_amount
from runner.nearest import did_you_mean
from runner.redact import is_classified


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for: files, choices and overrides, as typed. `stdin` is the content of `--clients -`."""

    playbook: Path
    clients: str = ""
    stdin: bytes | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    choice: Choice = field(default_factory=Choice)
    environment: str = "sandbox"
    base_url: str = ""
    batch: str = ""
    caps: Mapping[str, str] = field(default_factory=dict)
    documents: str = ""
    provider_file: str = ""
    skip_invalid: bool = False
    approved: bool = False

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Wish:
        return cls(
            playbook=Path(body["playbook"]),
            clients=body["clients"],
            inputs=body["inputs"],
            choice=Choice(body["key"], body["select"], body["limit"]),
            environment=body["environment"],
            base_url=body["base_url"],
            batch=body["batch"],
            caps=body["caps"],
            documents=body["documents"],
            provider_file=body["provider_file"],
            skip_invalid=body["skip_invalid"],
            approved=body["approved"],
        )

    def to_json(self) -> dict[str, Any]:
        """What a run remembers, so that `resume` needs no arguments."""
        return {
            "playbook": str(self.playbook),
            "clients": self.clients,
            "inputs": dict(self.inputs),
            "key": self.choice.key,
            "select": self.choice.select,
            "limit": self.choice.limit,
            "environment": self.environment,
            "base_url": self.base_url,
            "batch": self.batch,
            "caps": dict(self.caps),
            "documents": self.documents,
            "provider_file": self.provider_file,
            "skip_invalid": self.skip_invalid,
            "approved": self.approved,
        }


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ready to plan or run. `warnings` don't stop anything; `rejected` rows were left out by --skip-invalid."""

    wish: Wish
    loaded: Loaded
    provider: Provider
    setting: Setting
    clients: Clients
    planned: Planned
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[Problem, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)


def prepare(wish: Wish, environ: Mapping[str, str], today: date | None = None) -> Prepared:
    """Read, check and plan everything. Raises ProblemError with every problem found (exit 2).

    Dates in clients' rows are held against `today`: for a run that goes on, the day on which it began; else not.
    """
    loaded = load(wish.playbook, Path(wish.provider_file) if wish.provider_file else None)
    problems = [problem for problem in loaded.problems if problem.is_error]
    playbook, provider = loaded.playbook, loaded.provider
    if playbook is None or provider is None:
        raise ProblemError(problems)
    inputs, wrong = _inputs(playbook, wish.inputs)
    problems += wrong
    environment = _environment(provider, wish.environment, problems)
    base_url = _base_url(provider, environment, wish, environ, problems)
    caps = _caps(playbook, wish.caps, problems)
    if problems:
        raise ProblemError(problems)
    batch = wish.batch or playbook.name
    root = _documents_root(playbook, wish)
    documents = Documents(root, provider.limits.files, provider.title)
    setting = Setting(playbook, provider, environment, base_url, batch, inputs, caps, root, today, documents.stamp)
    data, digest = _clients_data(wish)
    clients = read_clients(playbook, inputs, batch, wish.choice, wish.clients, data, today)
    if clients.fatal:
        raise ProblemError(clients.problems)
    planned = make_plan(setting, clients.clients, documents)
    found = [*clients.problems, *planned.all_problems()]
    if found and not wish.skip_invalid:
        raise ProblemError(missing_columns(playbook, clients) or found)
    rejected = clients.rejected
    if planned.problems:
        planned, rejected = _skip(setting, clients, planned, documents)
    rejected = _apart(rejected, clients.columns, {entry.client.key for entry in planned.plan.clients})
    warnings = tuple(problem for problem in loaded.problems if not problem.is_error)
    warnings += tuple(_personal_key(playbook, wish.choice.key))
    digests = {"playbook": playbook.digest, "provider": provider.digest, "clients": digest}
    digests |= {"documents": documents.digest(planned.files)}
    return Prepared(wish, loaded, provider, setting, clients, planned, rejected, warnings, digests)


def _personal_key(playbook: Playbook, key: str) -> Iterator[Problem]:
    """What a playbook's own key is warned of while validating, for one that is given with --key."""
    if key and is_classified(key.split("."), playbook.clients.schema):
        message = f'the client key "{key}" is personal data: it stands in reports, references and the journal as it is'
        yield Problem("clients.personal-key", message, hint="choose an id of your own", severity="warning")


def _skip(
    setting: Setting, clients: Clients, planned: Planned, documents: Documents
) -> tuple[Planned, tuple[Rejected, ...]]:
    """Leave out the rows whose rendered values are wrong, and plan the others."""
    rejected = list(clients.rejected)
    rejected += [
        Rejected(clients.row_of[key], key, found[0], field_of(found[0])) for key, found in planned.problems.items()
    ]
    kept = tuple(client for client in clients.clients if client.key not in planned.problems)
    return make_plan(setting, kept, documents), tuple(sorted(rejected, key=lambda entry: entry.row.line))


def _apart(rejected: Sequence[Rejected], columns: Sequence[str], taken: set[str]) -> tuple[Rejected, ...]:
    """Left-out rows, each under its own name: a second row of one name must not hide the first; with their field."""
    found: list[Rejected] = []
    for entry in sorted(rejected, key=lambda entry: entry.row.line):
        key = entry.key if entry.key not in taken else f"{entry.key} (again on line {entry.row.line})"
        taken.add(key)
        named = (name for name in re.findall('"([^"]+)"', entry.problem.message) if name in columns)
        found.append(replace(entry, key=key, field=entry.field or next(named, "")))
    return tuple(found)


def require_address(prepared: Prepared) -> None:
    """A run needs an address that may be asked. Raises ProblemError (exit 2)."""
    setting = prepared.setting
    environment, provider = setting.environment, setting.provider
    if not setting.base_url:
        hint = environment.hint or f"set {provider.base_url_env}, or give --base-url URL"
        raise ProblemError(
            [
                Problem(
                    "provider.no-address",
                    f'environment "{environment.name}" of {provider.title} has no address',
                    hint=hint,
                )
            ]
        )


def require_approval(prepared: Prepared, *, is_approved: bool) -> None:
    """Real money needs a second look. Raises GuardError (exit 3)."""
    if is_live(prepared.setting) and not is_approved:
        message = f'environment "{prepared.setting.environment.name}" of {prepared.setting.provider.title} is live'
        raise GuardError(
            [
                Problem(
                    "run.live",
                    message,
                    hint='look at "onboard plan" first; then give --yes, or run a saved plan',
                )
            ]
        )
    if prepared.planned.guards:
        raise GuardError(prepared.planned.guards)


def is_live(setting: Setting) -> bool:
    """By name, or because the address is a live environment's after all."""
    host = urlsplit(setting.base_url).hostname
    live = [environment for environment in setting.provider.environments.values() if environment.live]
    return setting.environment.live or any(
        urlsplit(environment.base_url).hostname == host for environment in live if host
    )


def _inputs(playbook: Playbook, given: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """Inputs with their types: defaults, then --input name=value read by the declared type."""
    values: dict[str, Any] = {name: rule["default"] for name, rule in playbook.inputs.items() if "default" in rule}
    problems: list[Problem] = []
    for name, text in given.items():
        if name not in playbook.inputs:
            hint = (
                did_you_mean(name, playbook.inputs)
                or f"inputs of this playbook: {', '.join(playbook.inputs) or 'none'}"
            )
            problems.append(Problem("input.unknown", f'the playbook has no input "{name}"', hint=hint))
            continue
        rule = playbook.inputs[name]
        value: Any = text if rule.get("type", "string") == "string" else yaml.read("--input", text).value
        schema = Schema({key: entry for key, entry in rule.items() if key != "default"}, stage="input")
        for problem in schema.problems(value, lambda path, key: None):
            problems.append(replace(problem, message=problem.message.replace('"value"', f'input "{name}"')))
        values[name] = value
    for name in playbook.inputs:
        if name not in values and name not in given:
            problems.append(Problem("input.missing", f'input "{name}" has no value', hint=f"give --input {name}=VALUE"))
    return values, problems


def _environment(provider: Provider, name: str, problems: list[Problem]) -> Environment:
    found = provider.environments.get(name)
    if found is None:
        known = list(provider.environments)
        hint = did_you_mean(name, known) or f"environments: {', '.join(known)}"
        problems.append(
            Problem("provider.unknown-environment", f'{provider.title} has no environment "{name}"', hint=hint)
        )
        return Environment(name, "")
    return found


def _base_url(
    provider: Provider,
    environment: Environment,
    wish: Wish,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> str:
    """`--base-url` over the provider's variable over the environment's own."""
    url = wish.base_url or environ.get(provider.base_url_env, "") or environment.base_url
    if not url:
        return ""
    parts = _address(url)
    if parts is None:
        problems.append(
            Problem(
                "provider.address",
                f"the base URL of {provider.title} is not an address",
                hint="write it like https://api.example.com",
            )
        )
    elif parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        problems.append(
            Problem(
                "provider.plain-http",
                f'the base URL "{parts.scheme}://{parts.netloc}" is not encrypted',
                hint="use https; plain http is for this machine only",
            )
        )
    return url.rstrip("/")


def _address(url: str) -> SplitResult | None:
    """The parts of a base URL, None when it is none: no scheme we speak, no host, or more than an address."""
    try:
        parts = urlsplit(url)
        is_whole = parts.port is None or parts.port > 0
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_whole:
        return None
    return None if parts.query or parts.fragment or parts.username else parts


def _caps(playbook: Playbook, given: Mapping[str, str], problems: list[Problem]) -> dict[str, Cap]:
    """The playbook's caps; `--cap USD=5000` sets how much the run may move."""
    caps = dict(playbook.caps)
    for asset, text in given.items():
        try:
            amount: Decimal = parse_amount(text)
        except MoneyError as error:
            problems.append(
                Problem(error.code, f"--cap {asset}: {error.message}", hint=error.hint or f"e.g. --cap {asset}=5000.00")
            )
            continue
        known = caps.get(asset, Cap())
        caps[asset] = Cap(known.per_client, amount)
    return caps


def _documents_root(playbook: Playbook, wish: Wish) -> Path:
    if wish.documents:
        return Path(wish.documents)
    if wish.clients == "-":
        return Path.cwd()
    return (Path(wish.clients) if wish.clients else Path(playbook.path)).parent


def _clients_data(wish: Wish) -> tuple[bytes | None, str]:
    if not wish.clients:
        return None, ""
    if wish.clients == "-":
        data = wish.stdin or b""
    else:
        try:
            data = Path(wish.clients).read_bytes()
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "is not there" if missing else f"can't be read: {(error.strerror or 'no reason given').lower()}"
            raise ProblemError(
                [
                    Problem(
                        "clients.unreadable",
                        f'clients file "{wish.clients}" {reason}',
                        hint="correct the path given with --clients",
                    )
                ]
            ) from None
    return data, hashlib.sha256(data).hexdigest()


def missing_columns(playbook: Playbook, clients: Clients) -> list[Problem]:
    """Columns that the playbook reads from every row and the file does not have: one problem each, not one a row."""
    if clients.kind != "csv" or not clients.columns or not clients.rows:
        return []
    path = clients.rows[0].path
    found = []
    for name in required_client_fields(playbook):
        if not any(
            column == name or column.startswith(f"{name}.") or name.startswith(f"{column}.")
            for column in clients.columns
        ):
            hint = did_you_mean(name, clients.columns) or "add the column, or mark it | optional in the playbook"
            found.append(
                Problem(
                    "clients.missing-column",
                    f'column "{name}" is missing, and the playbook reads it',
                    Location(path, 1, 1),
                    hint,
                )
            )
    return found
