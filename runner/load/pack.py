"""A provider pack: from YAML to nouns. Shipped, changed by an overlay in the project, or brought whole by the user.

Looked for in this order: `--provider-file FILE`; `providers/<name>/provider.yaml` in the current folder; then the
shipped pack.
A file with `extends: NAME` needs to hold only what it changes: mappings are merged key by key, null removes a key,
anything else replaces. A pack may stand in several files: `parts` names the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runner import resources
from runner.checks import CheckError, parse_path
from runner.duration import seconds
from runner.load.pack_files import label, merged, read_files, shipped_file
from runner.load.pack_requirements import requirements_of
from runner.model.check import Path as FieldPath
from runner.model.problem import Location, Problem, ProblemError
from runner.model.provider import (
    Environment,
    ErrorFormat,
    ErrorRule,
    FileLimits,
    Lifecycle,
    Limits,
    LookUp,
    MoneyRule,
    Operation,
    Pages,
    Provider,
    ReconciledKind,
    ReconcileRule,
    ReferenceRule,
    Webhooks,
)
from runner.model.secret import SecretRef
from runner.nearest import did_you_mean
from runner.templates import TemplateError, compile_text


def find_pack(name: str, file: Path | None = None) -> Provider:
    """The pack of this name. Raises ProblemError when there is none or it is wrong."""
    path = file or _project_file(name) or shipped_file(name)
    if path is None:
        known = resources.provider_names()
        raise ProblemError(
            [
                Problem(
                    "provider.unknown",
                    f'there is no provider "{name}"',
                    hint=did_you_mean(name, known)
                    or f"known providers: {', '.join(known)}; or bring one with --provider-file",
                )
            ]
        )
    provider = read_pack(path)
    if provider.name != name:
        message = f'the pack is for provider "{provider.name}", the playbook asks for "{name}"'
        raise ProblemError(
            [
                Problem(
                    "provider.other",
                    message,
                    Location(str(path)),
                    "correct the pack's name or the playbook's provider",
                )
            ]
        )
    return provider


def _project_file(name: str) -> Path | None:
    path = Path("providers") / name / "provider.yaml"
    return path if path.is_file() else None


def read_pack(path: Path) -> Provider:
    """Read, merge, check and build one pack. Raises ProblemError with every problem found."""
    files = read_files(path)
    if not path.is_relative_to(resources.providers()):
        # Shipped packs are held against the schema by our own tests; checking them on each start would only cost time.
        from runner.load.schema import Schema

        schema = Schema.read(resources.schemas() / "provider.schema.json")
        problems = schema.problems(files.body, files.locate)
        problems += _template_problems(files.body.get("auth", {}), files.locate)
        if problems:
            raise ProblemError(problems)
    try:
        return build_pack(files.body, files.digest)
    except CheckError as error:
        raise ProblemError([Problem(error.code, error.message, Location(label(path)), error.hint)]) from None


def _template_problems(auth: Mapping[str, Any], locate: Callable[[tuple[str | int, ...]], Location]) -> list[Problem]:
    """A recipe whose templates can't be read would only show when the first request is signed."""
    texts: list[tuple[tuple[str | int, ...], Any]] = [(("auth", "message"), auth.get("message"))]
    texts += [(("auth", "headers", name), text) for name, text in auth.get("headers", {}).items()]
    found: list[Problem] = []
    for where, text in texts:
        try:
            compile_text(str(text))
        except TemplateError as error:
            found.append(Problem(error.code, error.message, locate(where), error.hint))
    return found


def build_pack(body: Mapping[str, Any], digest: str) -> Provider:
    """The nouns of a pack that is known to fit its schema."""
    pages = body.get("pages", {})
    operations = {name: _operation(name, entry, pages) for name, entry in body["operations"].items()}
    limits = body.get("limits", {})
    files = limits.get("files", {})
    return Provider(
        name=body["name"],
        title=body["title"],
        digest=digest,
        environments={
            name: Environment(name, entry["base_url"], entry.get("live", False), entry.get("hint", ""))
            for name, entry in body["environments"].items()
        },
        operations=operations,
        credentials={
            name: SecretRef(
                name, entry["env"], entry.get("file_env", ""), entry.get("secret", True), entry.get("optional", False)
            )
            for name, entry in body.get("credentials", {}).items()
        },
        base_url_env=body.get("base_url_env", ""),
        auth=body.get("auth", {}),
        limits=Limits(
            float(limits.get("requests_per_second", 0)),
            limits.get("concurrency", 0),
            FileLimits(tuple(files.get("formats", ())), files.get("max_bytes", 0)),
        ),
        errors=_errors(body.get("errors", {})),
        lifecycles={name: _lifecycle(name, entry) for name, entry in body.get("lifecycles", {}).items()},
        timeout=seconds(body.get("timeout", "30s")),
        send_window=seconds(body.get("send_window", "30s")),
        links=body.get("links", {}),
        reconcile=_reconcile(body["reconcile"]) if "reconcile" in body else None,
        webhooks=_webhooks(body["webhooks"]) if "webhooks" in body else None,
        requirements=requirements_of(body["requirements"], operations) if "requirements" in body else None,
    )


def _path(text: str | None) -> FieldPath:
    return parse_path(text) if text else ()


def _errors(body: Mapping[str, Any]) -> ErrorFormat:
    rules = tuple(
        ErrorRule(
            name=rule["name"],
            meaning=rule["meaning"],
            text=rule["text"],
            hint=rule["hint"],
            status=rule.get("status"),
            code=str(rule["code"]) if "code" in rule else None,
            of=rule.get("of", ""),
            operations=tuple(rule.get("operations", ())),
        )
        for rule in body.get("rules", ())
    )
    return ErrorFormat(
        _paths(body.get("code", ())), _paths(body.get("message", ())), _paths(body.get("detail", ())), rules
    )


def _paths(given: str | Sequence[str]) -> tuple[FieldPath, ...]:
    return tuple(map(_path, [given] if isinstance(given, str) else given))


def _lifecycle(name: str, body: Mapping[str, Any]) -> Lifecycle:
    moves = {state: tuple(after) for state, after in body.get("moves", {}).items()}
    return Lifecycle(
        name,
        tuple(body["states"]),
        tuple(body.get("dead", ())),
        tuple(body.get("final", ())),
        moves,
        _path(body.get("reason")),
    )


def _pages(body: Mapping[str, Any]) -> Pages:
    return Pages(
        page=body.get("page", "page"),
        size=body.get("size", "page_size"),
        items=_path(body.get("items", "items")),
        total=_path(body.get("total", "total")),
        first=body.get("first", 1),
        default_size=body.get("default_size", 100),
    )


def _operation(name: str, body: Mapping[str, Any], pages: Mapping[str, Any]) -> Operation:
    paged = body.get("paged")
    reference = body.get("reference")
    money = body.get("money")
    return Operation(
        name=name,
        method=body["method"],
        path=body["path"],
        effect=body["effect"],
        title=body.get("title", ""),
        body=body.get("body", "none"),
        request=body.get("request", {}),
        response=body.get("response", {}),
        subject=body.get("subject", f"an answer of {name}"),
        success=tuple(body.get("success", ())),
        unwrap=_path(body.get("unwrap")),
        signed=body.get("signed", True),
        identity=tuple(body.get("identity", ())),
        header_fields=tuple(body.get("headers", ())),
        repeat=body.get("repeat", "unknown"),
        replays=seconds(body.get("replays", "0s")),
        look_up=_look_up(body["look_up"]) if "look_up" in body else None,
        reference=ReferenceRule(reference["field"], reference.get("max_length", 64)) if reference else None,
        money=MoneyRule(
            money["kind"],
            money.get("amount", ""),
            money.get("asset", ""),
            money.get("fixed_asset", ""),
            money.get("places", 0),
            money.get("settled_by", ""),
            money.get("pledge", ""),
        )
        if money
        else None,
        lifecycle=body.get("lifecycle", ""),
        state=_path(body.get("state")),
        settle=seconds(body.get("settle", "120s")),
        attempts=body.get("attempts", 3),
        pages=_pages(merged(pages, {} if paged is True else paged)) if paged else None,
        shared=body.get("shared", False),
        invented=body.get("invented", False),
        harmless=body.get("harmless", False),
        gathered={name: _path(text) for name, text in body.get("gathered", {}).items()},
    )


def _webhooks(body: Mapping[str, Any]) -> Webhooks:
    verify, timestamp, told = body["verify"], body.get("timestamp", {}), body.get("acknowledge", {})
    return Webhooks(
        scheme=verify["scheme"],
        header=verify["header"],
        key=verify["key"],
        event=_path(body["event"]),
        id=tuple(map(_path, body["id"])),
        about=tuple(map(_path, body["about"])),
        events=tuple(body.get("events", ())),
        timestamp_header=timestamp.get("header", ""),
        timestamp_unit={"ms": 0.001, "s": 1.0}[timestamp.get("unit", "s")],
        max_age=seconds(timestamp.get("max_age", "0s")),
        status=told.get("status", 200),
        answer=told.get("body"),
        algorithm_header=verify.get("algorithm_header", ""),
        algorithms=tuple(verify.get("algorithms", ())),
    )


def _reconcile(body: Mapping[str, Any]) -> ReconcileRule:
    return ReconcileRule(
        call=body["call"],
        values=body.get("with", {}),
        items=_path(body["items"]),
        reference=_path(body["reference"]),
        client=_path(body["client"]),
        status=_path(body["status"]),
        good=tuple(body["good"]),
        kind=_path(body["kind"]),
        kinds={
            name: ReconciledKind(entry["is"], _path(entry["amount"]), _path(entry["asset"]))
            for name, entry in body["kinds"].items()
        },
        id=_path(body["id"]),
        one=body.get("one", ""),
        one_values=body.get("one_with", {}),
        owner=body.get("owner", ""),
    )


def _look_up(body: Mapping[str, Any]) -> LookUp:
    return LookUp(
        call=body["call"],
        values=body["with"],
        items=_path(body.get("items")),
        where=body.get("where", {}),
        equal=body.get("equal", {}),
        fold_case=tuple(body.get("fold_case", ())),
        claim=_path(body.get("claim")),
        is_list=body.get("list", False),
        there=body.get("there", ""),
        or_else=(one,) if isinstance(one := body.get("or_else", ()), str) else tuple(one),
        maybe=body.get("maybe", ""),
        earlier=seconds(body.get("earlier", "0s")),
        told=_path(body.get("told")),
        named={name: _path(text) for name, text in body.get("named", {}).items()},
        fresh=seconds(body.get("fresh", "0s")),
    )
