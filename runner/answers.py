"""Read an answer by the provider's own rules: accepted, dead, refused, duplicate, lost. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runner.checks import Answer, lookup
from runner.effects import Reply
from runner.model.check import Path
from runner.model.http import NoAnswer, Response, Trouble
from runner.model.outcome import Fault
from runner.model.problem import Problem
from runner.model.provider import ErrorRule, Operation, Provider

# Only against endless answers. For people it is cut once nobody's data is in it (`judging.placed`): half a name would
# not be recognised any more.
_DETAIL_LIMIT = 20_000


# Replies that say nothing about the client's own data: resume tries again.
FAULTS = {
    Reply.LOST: Fault.UNREACHABLE,
    Reply.NOT_SENT: Fault.UNREACHABLE,
    Reply.THROTTLED: Fault.THROTTLED,
    Reply.DENIED: Fault.CREDENTIALS,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer means. `answer` is unwrapped; `meaning` is the error rule's word, empty when accepted."""

    reply: Reply
    answer: Answer = field(default_factory=lambda: Answer(None))
    meaning: str = ""
    problem: Problem | None = None
    is_own: bool = True
    retry_after: str = ""


def read(provider: Provider, operation: Operation, got: Response | NoAnswer) -> Reading:
    """The one place where an HTTP answer gets its meaning. Ambiguity is LOST, never a guess."""
    if isinstance(got, NoAnswer):
        return _no_answer(provider, operation, got)
    if rule := _rule(provider, operation, got):
        return _refused(provider, operation, got, rule)
    if not 200 <= got.status < 300:
        return _undocumented(provider, operation, got)
    if not got.is_json and (got.body or operation.is_effect):
        message = f"{provider.title} answered {operation.name} with something that is not JSON (HTTP {got.status})"
        return Reading(Reply.LOST, _answer(operation, got), problem=Problem("http.not-json", message, hint=_LOST_HINT))
    if operation.success and got.status not in operation.success:
        wanted = " or ".join(map(str, operation.success))
        message = f"{provider.title} answered {operation.name} with HTTP {got.status}, expected {wanted}"
        problem = Problem(
            "http.unexpected-status",
            message,
            hint="read the provider's change log, or name the status in expect: http == …",
        )
        return Reading(Reply.LOST if operation.is_effect else Reply.REFUSED, _answer(operation, got), problem=problem)
    if operation.unwrap and not lookup(operation.unwrap, got.body)[0] and _code(provider, got) not in (None, "", "0"):
        # A good status, but an error code that nobody documented where the result should be.
        message = f"{provider.title} answered {operation.name} with code {_code(provider, got)} (HTTP {got.status})"
        problem = Problem("http.unknown-code", message + _said(provider, got), hint=_LOST_HINT)
        return Reading(Reply.LOST if operation.is_effect else Reply.REFUSED, _answer(operation, got), problem=problem)
    return _accepted(provider, operation, got)


_LOST_HINT = "the effect may or may not have happened; it is looked up before anything is sent again"


def _accepted(provider: Provider, operation: Operation, got: Response) -> Reading:
    answer = _answer(operation, got)
    lifecycle = provider.lifecycles.get(operation.lifecycle)
    if lifecycle and operation.state:
        state = lookup(operation.state, answer.body)[1]
        if state in lifecycle.dead:
            return Reading(Reply.DEAD, answer, problem=dead_problem(provider, operation, str(state), answer.body))
    return Reading(Reply.ACCEPTED, answer)


def dead_problem(provider: Provider, operation: Operation, state: str, body: Any) -> Problem:
    lifecycle = provider.lifecycles[operation.lifecycle]
    reason = lookup(lifecycle.reason, body)[1] if lifecycle.reason else None
    said = f": {_short(reason)}" if reason else ""
    message = f'{provider.title} ended the {operation.lifecycle} of {operation.name} as "{state}"{said}'
    hint = "the provider's verdict is final for this attempt; find out why before you try again"
    if operation.effect == "money":
        hint = 'nothing was moved; find out why with the provider, then "onboard retry" sends it with a new reference'
    return Problem(f"{provider.name}.{operation.lifecycle}-{state}", message, hint=hint)


def _answer(operation: Operation, got: Response) -> Answer:
    body = got.body if got.is_json else None
    return Answer(unwrap(operation, body), got.status, got.headers)


def unwrap(operation: Operation, body: Any) -> Any:
    """The operation's own object out of its envelope; the body itself when the envelope is not there."""
    found, inner = lookup(operation.unwrap, body) if operation.unwrap else (False, None)
    inner = inner if found else body
    if operation.gathered and isinstance(inner, Mapping):
        return {**inner, **{name: _gathered(lookup(path, inner)[1]) for name, path in operation.gathered.items()}}
    return inner


def _gathered(value: Any) -> dict[str, Any]:
    """One mapping of a list of them; or of one, for a provider that writes it in both ways."""
    entries = value if isinstance(value, list) else [value]
    return {name: inner for entry in entries if isinstance(entry, Mapping) for name, inner in entry.items()}


def _code(provider: Provider, got: Response) -> str | None:
    """The provider's own error code, None when the answer holds none."""
    codes = (lookup(path, got.body)[1] for path in provider.errors.codes) if got.is_json else ()
    code = next((code for code in codes if code is not None), None)
    return None if code is None or isinstance(code, dict | list | bool) else str(code)


def _rule(provider: Provider, operation: Operation, got: Response) -> ErrorRule | None:
    errors = provider.errors
    code = _code(provider, got)
    failed = not 200 <= got.status < 300
    best: ErrorRule | None = None
    for rule in errors.rules:
        if rule.operations and operation.name not in rule.operations:
            continue
        if rule.code is not None and rule.code != code:
            continue
        if rule.status is not None and rule.status != got.status:
            continue
        if rule.code is None and not failed:
            continue
        if best is None or _exactness(rule) > _exactness(best):
            best = rule
    return best


def _exactness(rule: ErrorRule) -> int:
    return 4 * bool(rule.operations) + 2 * (rule.code is not None) + (rule.status is not None)


_REPLY_OF_MEANING = {
    "auth": Reply.DENIED,
    "conflict": Reply.DUPLICATE,
    "duplicate": Reply.DUPLICATE,
    "invalid": Reply.REFUSED,
    "not-found": Reply.REFUSED,
    "refused": Reply.REFUSED,
    "throttled": Reply.THROTTLED,
    "transient": Reply.LOST,
}


def _refused(provider: Provider, operation: Operation, got: Response, rule: ErrorRule) -> Reading:
    code = f"code {rule.code}, " if rule.code is not None else ""
    message = f"{provider.title} refused {operation.name}: {rule.text} ({code}HTTP {got.status})"
    problem = Problem(f"{provider.name}.{rule.name}", message + _said(provider, got), hint=rule.hint)
    # A server that failed may have failed after the fact, whatever it says of the cause.
    is_failure = got.status >= 500 and rule.status is None and operation.is_effect
    return Reading(
        Reply.LOST if is_failure else _REPLY_OF_MEANING[rule.meaning],
        Answer(got.body if got.is_json else None, got.status, got.headers),
        rule.meaning,
        problem,
        is_own=rule.of != "other",
        retry_after=got.retry_after,
    )


def _said(provider: Provider, got: Response) -> str:
    """The provider's own words and field details; the caller redacts them."""
    if not got.is_json:
        return ""
    errors = provider.errors
    said = (
        next(filter(None, (lookup(path, got.body)[1] for path in paths)), None)
        for paths in (errors.messages, errors.details)
    )
    parts = [_short(part) for part in said if part]
    return f"; provider said: {', '.join(parts)}" if parts else ""


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = f'"{text}"' if isinstance(value, str) else text
    return text if len(text) <= _DETAIL_LIMIT else text[:_DETAIL_LIMIT] + "…"


def _undocumented(provider: Provider, operation: Operation, got: Response) -> Reading:
    answer = Answer(got.body if got.is_json else None, got.status, got.headers)
    said = _said(provider, got)
    if got.status >= 500 or got.status in (408, 425):
        message = f"{provider.title} failed on {operation.name} (HTTP {got.status}){said}"
        hint = _LOST_HINT if operation.is_effect else 'try again later: "onboard resume"'
        return Reading(
            Reply.LOST,
            answer,
            "transient",
            Problem("http.server-error", message, hint=hint),
            retry_after=got.retry_after,
        )
    if got.status == 429:
        problem = Problem(
            "http.throttled",
            f"{provider.title} throttled {operation.name} (HTTP 429)",
            hint="lower --rate or --jobs",
        )
        return Reading(Reply.THROTTLED, answer, "throttled", problem, retry_after=got.retry_after)
    if got.status == 401:
        problem = Problem(
            "http.unauthorized",
            f"{provider.title} refused our credentials (HTTP 401){said}",
            hint=f'run "onboard doctor {provider.name}"',
        )
        return Reading(Reply.DENIED, answer, "auth", problem)
    if 300 <= got.status < 400:
        hint = "redirects are not followed, a signature would not survive; correct the base URL"
        return Reading(
            Reply.REFUSED,
            answer,
            "refused",
            Problem(
                "http.redirect",
                f"{provider.title} redirected {operation.name} (HTTP {got.status})",
                hint=hint,
            ),
        )
    meaning = {404: "not-found", 409: "conflict"}.get(got.status, "refused")
    reply = Reply.DUPLICATE if meaning == "conflict" and operation.is_effect else Reply.REFUSED
    message = f"{provider.title} refused {operation.name} (HTTP {got.status}){said}"
    return Reading(
        reply,
        answer,
        meaning,
        Problem("http.refused", message, hint="the provider documents no such answer here; read what it said"),
    )


_CODES = {
    Trouble.DROPPED: "http.dropped",
    Trouble.EXPIRED: "http.expired",
    Trouble.NOT_CONNECTED: "http.not-connected",
    Trouble.TIMEOUT: "http.timeout",
    Trouble.TOO_LARGE: "http.too-large",
}


def _no_answer(provider: Provider, operation: Operation, got: NoAnswer) -> Reading:
    problem = Problem(
        _CODES[got.trouble],
        f"{provider.title} did not answer {operation.name}: {got.message}",
        hint=got.hint,
    )
    proven = got.trouble in (Trouble.NOT_CONNECTED, Trouble.EXPIRED)
    return Reading(Reply.NOT_SENT if proven else Reply.LOST, Answer(None), "transient", problem)


def is_absent(reading: Reading) -> bool:
    """Does this refusal of a read say that the thing is not there? A page of somebody on the way does not."""
    return reading.meaning == "not-found" and isinstance(reading.answer.body, Mapping)


def fields_of(answer: Answer, outputs: Mapping[str, Path]) -> tuple[dict[str, Any], str]:
    """The outputs found in the answer, and the name of the first that is absent ("" when none is)."""
    found = {name: lookup(path, answer.body) for name, path in outputs.items()}
    values = {name: value for name, (is_there, value) in found.items() if is_there}
    return values, next((name for name in outputs if name not in values), "")


def plain(value: Any) -> Any:
    """An answer's value as it is kept: decimals as text, so that no digit is lost on the way through JSON."""
    if isinstance(value, Decimal):
        # Amounts are written out, an exponent is none; but an endless row of zeros helps nobody.
        return f"{value:f}" if abs(value.adjusted()) < 100 else str(value)
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value
