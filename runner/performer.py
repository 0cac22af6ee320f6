"""Make one attempt of one step real: build, sign, send, read, check, collect. Knows the world, decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import anyio

from runner.actions import FileContent, Job, action_of, raw_operation
from runner.answers import FAULTS, Reading
from runner.auth import Auth
from runner.checks import lookup
from runner.client import HttpClient, Leave
from runner.clock import Clock
from runner.conductor import filled
from runner.effects import Reply, Sight
from runner.file_fields import file_fields
from runner.judging import collect, placed
from runner.limiter import Limiter
from runner.looking import Seen, claim_of, differences, see
from runner.model.command import Perform
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import Ending, Outcome, StepStatus
from runner.model.playbook import RetryPolicy, Step
from runner.model.problem import Problem, ProblemError
from runner.model.provider import LookUp, Operation, Provider
from runner.redact import Redactor
from runner.templates import TemplateError
from runner.times import from_http

DEFAULT_READ_RETRY = RetryPolicy()
# A refusal for speed says that nothing was applied; anything else may have been.
DEFAULT_WRITE_RETRY = RetryPolicy(on=frozenset({"throttled"}))
# Without an explicit Retry-After, a refusal for speed holds everyone back this long.
_PAUSE = 1.0
# Seconds that a process waits when a provider asks for it; who asks for more is asked again by a later process.
LONGEST_PAUSE = 300.0
_WRITTEN_HINT = 'it may or may not have been applied; "onboard resume" sends it again, which does no harm'


@dataclass(slots=True)
class Tally:
    """What one command cost: requests that left, and when it began."""

    started: float
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt to send an effect: what the reply means, and the finished outcome if it decides the step."""

    reply: Reply
    outcome: Outcome
    is_own: bool = True
    retry_after: float | None = None
    told: Any = None


class Performer:
    """Carries out commands against one provider. Shared by all clients of a run."""

    def __init__(
        self,
        provider: Provider,
        http: HttpClient,
        auth: Auth,
        clock: Clock,
        limiter: Limiter,
        read_file: Callable[[str], FileContent],
        random: Random,
    ) -> None:
        self._provider = provider
        self._http = http
        self._auth = auth
        self._clock = clock
        self._limiter = limiter
        self._read_file = read_file
        self._random = random
        self.requests = 0
        self._shared: dict[str, Reading] = {}
        self._asking: dict[str, anyio.Lock] = {}
        self._looked: dict[str, tuple[float, Reading]] = {}
        self.sent: set[str] = set()
        self._guessed: dict[tuple[str, str], str] = {}
        self.ours, self.not_ours = frozenset[str](), frozenset[str]()

    def operation(self, command: Perform) -> Operation:
        if command.step.request is not None:
            return raw_operation(command.values, command.step.effect)
        return self._provider.operations[command.step.call]

    async def slot(self, gives_up: Callable[[], bool] | None = None) -> None:
        """Wait for a turn at the provider. Before an intent, so that waiting for one does not make the intent old."""
        await self._limiter.slot(gives_up)

    def tally(self) -> Tally:
        return Tally(self._clock.monotonic())

    # -- reads and writes --------------------------------------------------------------------------------------------

    async def perform(self, command: Perform, redactor: Redactor) -> Outcome:
        """A read or an idempotent write, repeated by its retry policy. The outcome is complete."""
        operation = self.operation(command)
        is_free = operation.effect == "read" or operation.harmless
        policy = command.step.retry or (DEFAULT_READ_RETRY if is_free else DEFAULT_WRITE_RETRY)
        tally = self.tally()
        reading, attempts = await self._repeat(operation, command, policy, tally)
        outcome = self._judge(command, operation, reading, redactor)
        return self.timed(replace(outcome, attempts=attempts, files=self._stamps(operation, command, reading)), tally)

    async def ask_step(self, command: Perform, tally: Tally) -> Reading:
        """What is true now, for a step that waits: repeated only where nothing answered, shared with nobody."""
        operation = replace(self.operation(command), shared=False)
        policy = command.step.retry or DEFAULT_READ_RETRY
        return (await self._repeat(operation, command, policy, tally))[0]

    def pause_told(self, reading: Reading) -> float:
        """Seconds that the provider asked us to wait, 0 when it did not."""
        return self._retry_after(reading) or 0.0

    def spread(self, seconds: float) -> float:
        """Up to a quarter longer, so that those who began together do not come back together."""
        return seconds * self._random.uniform(1.0, 1.25)

    def failed(self, command: Perform, reading: Reading, redactor: Redactor) -> Outcome:
        """The outcome of a reading that is nothing to judge."""
        problem = placed(reading.problem, command, redactor)
        return Outcome(StepStatus.FAILED, Ending.REJECTED, problem=problem, fault=FAULTS.get(reading.reply))

    async def _read(self, operation: Operation, command: Perform, tally: Tally) -> Reading:
        """One reading; of a shared operation the same for everybody who asks the same, asked once at a time."""
        if not operation.shared:
            return await self._exchange(operation, command, command.values, tally)
        key = f"{operation.name} {command.values!r}"
        async with self._asking.setdefault(key, anyio.Lock()):
            if key in self._shared:
                return self._shared[key]
            reading = await self._exchange(operation, command, command.values, tally)
            if reading.reply is Reply.ACCEPTED:
                self._shared[key] = reading
            return reading

    def _pause(self, reading: Reading, policy: RetryPolicy, attempts: int) -> float | None:
        """How long to wait before asking again, None when there is nothing to repeat."""
        why = _retry_word(reading)
        if not why or why not in policy.on or attempts >= policy.attempts:
            return None
        told = self._retry_after(reading)
        if told is not None:
            return told if told <= LONGEST_PAUSE else None
        growing: float = min(policy.first * 2.0 ** (attempts - 1), policy.at_most)
        return growing * self._random.uniform(0.7, 1.0)

    def _judge(self, command: Perform, operation: Operation, reading: Reading, redactor: Redactor) -> Outcome:
        judges_status = any(bound.check.path == ("http",) for bound in command.expect)
        if reading.reply not in (Reply.ACCEPTED, Reply.DEAD) and not (
            judges_status and reading.answer.http is not None
        ):
            failed = self.failed(command, reading, redactor)
            if reading.reply is Reply.LOST and operation.effect != "read" and failed.problem:
                # Not "not started": it may have been applied, and is asked for again when the run goes on.
                problem = replace(failed.problem, hint=_WRITTEN_HINT)
                return replace(failed, ending=Ending.WAITING, problem=problem)
            return failed
        return collect(command, operation, reading.answer, redactor)

    # -- effects -----------------------------------------------------------------------------------------------------

    async def send(
        self, command: Perform, values: Mapping[str, Any], redactor: Redactor, tally: Tally, leave: Leave
    ) -> Sent:
        """One attempt of a create or money call, with its reference in `values`. Never repeated here."""
        operation = self.operation(command)
        reading = await self._exchange(operation, command, values, tally, leave)
        match reading.reply:
            case Reply.ACCEPTED:
                outcome = collect(command, operation, reading.answer, redactor)
                files = self._stamps(operation, command, reading)
                outcome = replace(outcome, claim=claim_of(operation, reading.answer.body), files=files)
                if _is_of_another(operation, values, reading):
                    # The first answer under this reference, and it was asked for something else then.
                    return Sent(Reply.DUPLICATE, outcome)
            case Reply.DEAD:
                collected = collect(command, operation, reading.answer, redactor)
                problem = placed(reading.problem, command, redactor)
                outcome = replace(collected, status=StepStatus.FAILED, ending=Ending.REJECTED, problem=problem)
            case _:
                outcome = self.failed(command, reading, redactor)
        told = self._retry_after(reading)
        return Sent(reading.reply, outcome, reading.is_own, told, _named_in(operation, reading))

    async def ask(self, name: str, values: Mapping[str, Any], step: Step, tally: Tally) -> Reading:
        """A read of the pack on behalf of `step`, repeated as reads are."""
        asking = Perform(replace(step, call=name, request=None, retry=None), values=values)
        # Never what somebody else was told earlier: this asks what is true now.
        operation = replace(self._provider.operations[name], shared=False)
        return (await self._repeat(operation, asking, DEFAULT_READ_RETRY, tally))[0]

    def _stamps(self, operation: Operation, command: Perform, reading: Reading) -> tuple[str, ...]:
        """Of every document that the provider took with this call: which content it has on file now."""
        if reading.reply is not Reply.ACCEPTED:
            return ()
        names = [value for _, value in file_fields(operation.request, command.values) if isinstance(value, str)]
        return tuple(hashlib.sha256(self._read_file(name).content).hexdigest() for name in names)

    async def _repeat(
        self, operation: Operation, command: Perform, policy: RetryPolicy, tally: Tally
    ) -> tuple[Reading, int]:
        """The last reading, and how many attempts it took."""
        attempts = 1
        while True:
            reading = await self._read(operation, command, tally)
            pause = self._pause(reading, policy, attempts)
            if pause is None:
                return reading, attempts
            await self._clock.sleep(pause)
            attempts += 1

    async def look_up(
        self,
        command: Perform,
        scope: Mapping[str, Any],
        taken: frozenset[str],
        redactor: Redactor,
        tally: Tally,
        mark: str = "",
    ) -> Seen:
        """Is what we may have made there? Things that other steps of this client hold (`taken`) don't count.

        `scope` is what the pack's templates may use: `with`, `reference`, `pledge`, `since` and `told`. `mark` names
        what was never asked for before: unless this process has sent it, what somebody else was told a moment ago will
        do.
        """
        operation = self.operation(command)
        rule = operation.look_up
        if rule is None:
            problem = Problem(
                "effect.no-look-up",
                f"{operation.name} can't be looked up",
                command.step.location,
                "ask the provider",
            )
            return Seen(Sight.FAILED, problem=problem)
        if rule.told and scope.get("told") is None:
            # Only the provider's refusal names it, and it refused nothing yet.
            return Seen(Sight.ABSENT)
        try:
            values = filled(rule.values, scope)
            ask = self._ask_once if rule.fresh and mark and mark not in self.sent else self._ask_anew
            reading = await ask(rule, values, command.step, tally)
            held = taken | self.not_ours
            return see(self._provider, command, operation, rule, scope, reading, held, redactor, self.ours)
        except TemplateError as error:
            # The row left out what the pack looks for.
            problem = Problem(error.code, error.message, command.step.location, error.hint)
            return Seen(Sight.FAILED, problem=problem)

    def guess(self, operation: Operation, mark: str, claim: str) -> None:
        """This is taken for what goes by `mark`, by amount and time alone."""
        self._guessed[operation.name, claim] = mark

    def guessed_by_others(self, operation: Operation, mark: str) -> frozenset[str]:
        """What this process has taken for others of the same operation."""
        return frozenset(
            claim for (name, claim), owner in self._guessed.items() if name == operation.name and owner != mark
        )

    def remember(self, operation: Operation, mark: str) -> None:
        """This process sends what goes by `mark`: from here on, what was told before is too old for it."""
        if operation.look_up is not None and operation.look_up.fresh:
            self.sent.add(mark)

    async def _ask_anew(self, rule: LookUp, values: Mapping[str, Any], step: Step, tally: Tally) -> Reading:
        return await self.ask(rule.call, values, step, tally)

    async def _ask_once(self, rule: LookUp, values: Mapping[str, Any], step: Step, tally: Tally) -> Reading:
        """One answer for everybody who asks within `fresh`."""
        key = f"{rule.call} {values!r}"
        async with self._asking.setdefault(f"look {key}", anyio.Lock()):
            began = self._clock.elapsed()
            if key in self._looked and began - self._looked[key][0] < rule.fresh:
                return self._looked[key][1]
            reading = await self.ask(rule.call, values, step, tally)
            if reading.reply is Reply.ACCEPTED:
                self._looked[key] = (began, reading)
            return reading

    # -- shared ------------------------------------------------------------------------------------------------------

    def timed(self, outcome: Outcome, tally: Tally) -> Outcome:
        duration = round((self._clock.monotonic() - tally.started) * 1000)
        return replace(outcome, duration_ms=duration, requests=tally.requests)

    async def _exchange(
        self,
        operation: Operation,
        command: Perform,
        values: Mapping[str, Any],
        tally: Tally,
        leave: Leave | None = None,
    ) -> Reading:
        job = Job(self._provider, operation, values, self._read_file)
        flow = action_of(command, operation)(job)
        try:
            request = next(flow)
            while True:
                request = flow.send(await self._attempt(request, tally, leave))
        except StopIteration as stop:
            reading: Reading = stop.value
        except ProblemError as error:
            # The values make no request: a document is gone, an id is empty. Nothing was sent.
            return Reading(Reply.REFUSED, problem=error.problems[0])
        if reading.reply is Reply.THROTTLED:
            self._limiter.pause(min(self._retry_after(reading) or _PAUSE, LONGEST_PAUSE))
        return reading

    async def _attempt(self, request: Request, tally: Tally, leave: Leave | None) -> Response | NoAnswer:
        before = self._auth.corrections
        got = await self._signed(request, tally, leave)
        if isinstance(got, Response):
            self._auth.learn(got.headers.get("date", ""))
            # A 401 proves that nothing was applied. When our idea of the server's clock has moved since this request
            # was signed, by this answer or another's, its timestamp may be all that was wrong; a token may have ended
            # early: prove it once more.
            if got.status == 401 and self._auth.corrections != before:
                got = await self._signed(request, tally, leave)
        return got

    async def _signed(self, request: Request, tally: Tally, leave: Leave | None) -> Response | NoAnswer:
        if request.signed:
            missing = await self._auth.ready(lambda asked: self._send(asked, tally, None))
            if missing is not None:
                return missing
        return await self._send(request, tally, leave)

    async def _send(self, request: Request, tally: Tally, leave: Leave | None) -> Response | NoAnswer:
        if leave is None:
            await self._limiter.slot()
        async with self._limiter.leaving() as gone:

            def going() -> NoAnswer | None:
                refusal = leave() if leave else None
                if refusal is None:
                    gone()
                return refusal

            tally.requests += 1
            self.requests += 1
            headers = self._auth.headers(request) if request.signed else {}
            got = await self._http.send(request, headers, leave=going)
        if request.signed and isinstance(got, Response) and got.status == 401:
            self._auth.refused(headers)
        return got

    def _retry_after(self, reading: Reading) -> float | None:
        """Seconds until the provider wants to be asked again: a number or an HTTP date."""
        told = reading.retry_after
        if not told:
            return None
        if told.strip().isdecimal():
            return float(told)
        at = from_http(told)
        return None if at is None else max(0.0, at - self._clock.now())


def _named_in(operation: Operation, reading: Reading) -> Any:
    """What a refusal as duplicate names: the id of what is there already."""
    if reading.reply is not Reply.DUPLICATE or operation.look_up is None or not operation.look_up.told:
        return None
    return lookup(operation.look_up.told, reading.answer.body)[1]


def _is_of_another(operation: Operation, values: Mapping[str, Any], reading: Reading) -> bool:
    """Does a provider that replays its answers answer about another body than this one?"""
    if operation.repeat != "replayed" or operation.look_up is None or operation.reference is None:
        return False
    scope = {"with": values, "reference": values.get(operation.reference.field, "")}
    return bool(differences(operation.look_up, scope, reading.answer.body))


def _retry_word(reading: Reading) -> str:
    if reading.reply is Reply.THROTTLED:
        return "throttled"
    if reading.reply is Reply.LOST and reading.answer.http is not None and reading.answer.http >= 500:
        return "http 5xx"
    if reading.problem is not None and reading.problem.code == "http.not-json":
        # Cut or garbled on the way, like a connection that broke.
        return "connection"
    if reading.reply in (Reply.LOST, Reply.NOT_SENT) and reading.answer.http is None:
        is_timeout = reading.problem is not None and reading.problem.code == "http.timeout"
        return "timeout" if is_timeout else "connection"
    return ""
