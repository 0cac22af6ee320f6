"""A provider pack: from YAML to nouns. Shipped, changed by an overlay in the project, or brought whole by the user.

Looked for in this order: `--provider-file FILE`; `providers/<name>/provider.yaml` in the current folder; then the
shipped pack.
A file with `extends: NAME` needs to hold only what it changes: mappings are merged key by key, null removes a key,
anything else replaces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner import resources
from runner.checks import CheckError, parse_path
from runner.duration import seconds
from runner.load import yaml
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
    path = file or _project_file(name) or _shipped(name)
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


def _shipped(name: str) -> Path | None:
    return resources.providers() / name / "provider.yaml" if name in resources.provider_names() else None


def read_pack(path: Path) -> Provider:
    """Read, merge, check and build one pack. Raises ProblemError with every problem found."""
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise ProblemError(
            [
                Problem(
                    "provider.unreadable",
                    f'the provider file "{path}" can\'t be read: {reason}',
                    hint="correct the path",
                )
            ]
        ) from None
    document = yaml.read(_label(path), text)
    errors = [problem for problem in document.problems if problem.is_error]
    if errors or not isinstance(document.value, Mapping):
        raise ProblemError(
            errors
            or [
                Problem(
                    "provider.empty",
                    "the pack is not a mapping",
                    Location(str(path)),
                    'start with "extends: NAME"',
                )
            ]
        )
    body: Mapping[str, Any] = document.value
    digest = hashlib.sha256(text)
    is_shipped = path.is_relative_to(resources.providers())
    if base := body.get("extends"):
        shipped = _shipped(str(base))
        if shipped is None:
            problem = Problem(
                "provider.unknown",
                f'there is no shipped provider "{base}" to extend',
                document.source.locate(("extends",)),
                did_you_mean(str(base), resources.provider_names()),
            )
            raise ProblemError([problem])
        below = shipped.read_bytes()
        digest.update(below)
        body = merged(
            yaml.read(_label(shipped), below).value,
            {name: value for name, value in body.items() if name != "extends"},
        )
    if not is_shipped:
        # Shipped packs are held against the schema by our own tests; checking them on each start would only cost time.
        from runner.load.schema import Schema

        schema = Schema.read(resources.schemas() / "provider.schema.json")
        problems = schema.problems(body, lambda where, key: document.source.locate(where, key=key))
        problems += _template_problems(body.get("auth", {}), document.source.locate)
        if problems:
            raise ProblemError(problems)
    try:
        return build_pack(body, digest.hexdigest())
    except CheckError as error:
        raise ProblemError([Problem(error.code, error.message, Location(_label(path)), error.hint)]) from None


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


def _label(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def merged(below: Any, above: Any) -> Any:
    """`above` laid over `below`: mappings key by key, null removes, anything else replaces."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    result = dict(below)
    for name, value in above.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def build_pack(body: Mapping[str, Any], digest: str) -> Provider:
    """The nouns of a pack that is known to fit its schema."""
    pages = _pages(body.get("pages", {}))
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
    given = body.get("code", ())
    codes = tuple(map(_path, [given] if isinstance(given, str) else given))
    return ErrorFormat(codes, _path(body.get("message")), _path(body.get("detail")), rules)


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


def _operation(name: str, body: Mapping[str, Any], pages: Pages) -> Operation:
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
            money["amount"],
            money.get("asset", ""),
            money.get("fixed_asset", ""),
            money.get("places", 0),
        )
        if money
        else None,
        lifecycle=body.get("lifecycle", ""),
        state=_path(body.get("state")),
        settle=seconds(body.get("settle", "120s")),
        attempts=body.get("attempts", 3),
        pages=pages if body.get("paged") else None,
        shared=body.get("shared", False),
        invented=body.get("invented", False),
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
    )
