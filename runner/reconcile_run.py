"""Reconcile a whole run with the provider's own list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from runner.auth import make_auth
from runner.client import HttpClient
from runner.execute import Tools
from runner.journal.base import RunState
from runner.limiter import Limiter
from runner.load.files import Documents
from runner.model.playbook import Step
from runner.model.problem import Location, Problem, ProblemError
from runner.model.provider import Provider
from runner.model.secret import Secret
from runner.performer import Performer
from runner.reconcile import Difference, compare
from runner.reconciling import ListUnreachableError, Range, our_side, their_side
from runner.redact import Redactor
from runner.version import VERSION


@dataclass(frozen=True, slots=True)
class Reconciled:
    ours: int
    theirs: int
    differences: tuple[Difference, ...]
    range: Range


async def reconcile(provider: Provider, base_url: str, tools: Tools, run: RunState, span: Range) -> Reconciled:
    """Both ways. Raises ProblemError when the pack can't, Unreachable when the provider can't be asked."""
    rule = provider.reconcile
    if rule is None:
        hint = 'add "reconcile" to the pack; docs/how-to/add-a-provider.md shows it'
        raise ProblemError(
            [Problem("reconcile.no-rule", f"the pack of {provider.title} has no reconcile rule", hint=hint)]
        )
    side = await our_side(tools.journal, run.id, run.header["base_url"])
    auth = make_auth(provider, tools.credentials, tools.clock)
    documents = Documents(Path(), provider.limits.files, provider.title)
    limiter = Limiter(tools.clock, tools.rate or provider.limits.requests_per_second)
    agent = f"onboarding-runner/{VERSION}"
    async with HttpClient(base_url, timeout=provider.timeout, user_agent=agent) as http:
        performer = Performer(provider, http, auth, tools.clock, limiter, documents.read, Random())
        step = Step("reconcile", Location("reconcile"))
        try:
            theirs = await their_side(performer, rule, side.ours, span, step, performer.tally())
        except ListUnreachableError as error:
            # A provider may repeat what it was handed in.
            secrets = [value.reveal() if isinstance(value, Secret) else value for value in tools.credentials.values()]
            told = Redactor(secrets, later=auth.secrets).text(error.problem.message)
            raise ListUnreachableError(replace(error.problem, message=told)) from None
    if not span.everyone:
        owners, asked = {entry.owner for entry in side.ours}, {entry.reference for entry in side.ours}
        theirs = [order for order in theirs if order.client in owners or order.reference in asked]
    return Reconciled(len(side.ours), len(theirs), tuple(compare(rule, side.ours, theirs, side.known)), span)
