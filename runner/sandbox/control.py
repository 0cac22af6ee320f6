"""The unsigned, loopback-only side of a sandbox: look inside, plan faults, seed data, start over."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from runner.sandbox import faults
from runner.sandbox.clock import iso

if TYPE_CHECKING:
    from runner.sandbox.app import App


class Control:
    """`/_sandbox/state`, `/ledger`, `/faults`, `/data`, `/act/NAME` and `/reset` of one application."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._pages = Starlette(
            routes=[
                Route("/_sandbox/state", self.state),
                Route("/_sandbox/ledger", self.ledger),
                Route("/_sandbox/faults", self.list_faults),
                Route("/_sandbox/faults", self.add_faults, methods=["POST"]),
                Route("/_sandbox/data", self.add_data, methods=["POST"]),
                Route("/_sandbox/act/{name}", self.act, methods=["POST"]),
                Route("/_sandbox/reset", self.reset, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_local(scope):
            await _no("only this machine may look inside", 403)(scope, receive, send)
            return
        await self._pages(scope, receive, send)

    async def state(self, request: Request) -> Response:
        app, traffic, options = self.app, self.app.traffic, self.app.options
        return JSONResponse(
            {
                "provider": app.name,
                "now": iso(app.clock.now()),
                "config": {
                    "seed": options.seed,
                    "rate": traffic.rate,
                    "clock_offset": options.clock_offset,
                    "allow_ip": list(options.allow_ip),
                    "refuse_used_references": options.refuse_used_references,
                    "visible_after": options.visible_after,
                    "kyc_delay": options.kyc_delay,
                    "webhook_retry_first": options.webhook_retry_first,
                    "signing": dict(options.signing),
                },
                "requests": dict(sorted(traffic.requests.items())),
                "answers": dict(sorted(traffic.answers.items())),
                "worst_second": traffic.worst_second,
                "refusals": [
                    {"at": iso(one.at), "operation": one.operation, "cause": one.cause} for one in traffic.refusals
                ],
                "faults": app.faults.report(),
                "pending": app.pending,
                "deliveries": app.outbox.report(),
                **app.provider.state(),
            }
        )

    async def ledger(self, request: Request) -> Response:
        return JSONResponse({"items": self.app.provider.ledger()})

    async def list_faults(self, request: Request) -> Response:
        return JSONResponse({"items": self.app.faults.report()})

    async def add_faults(self, request: Request) -> Response:
        try:
            given = await _object(request)
            wanted = given.get("faults", [])
            if not isinstance(wanted, list) or not all(isinstance(text, str) for text in wanted):
                raise ValueError('"faults" must be a list of texts such as "deposits.create=drop-after:x1"')
            parsed = [faults.parse(text) for text in wanted]
            provider = self.app.provider
            faults.check(parsed, provider.routes.operations, provider.outcomes, provider.events)
        except ValueError as problem:
            return _no(str(problem), 400)
        if given.get("replace") is True:
            self.app.faults.clear()
        self.app.faults.add(parsed)
        return JSONResponse({"items": self.app.faults.report()})

    async def add_data(self, request: Request) -> Response:
        try:
            self.app.provider.load(await _object(request))
        except ValueError as problem:
            return _no(str(problem), 400)
        return JSONResponse({"loaded": True})

    async def act(self, request: Request) -> Response:
        """Something only this provider's sandbox can do, such as the verdict of a reviewer."""
        name, acts = request.path_params["name"], self.app.provider.acts
        if name not in acts:
            return _no(f'{self.app.name} has no act "{name}", known are: {", ".join(sorted(acts)) or "none"}', 404)
        try:
            return JSONResponse(acts[name](await _object(request)))
        except ValueError as problem:
            return _no(str(problem), 400)

    async def reset(self, request: Request) -> Response:
        self.app.reset()
        return JSONResponse({"reset": True})


async def _object(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.body() or b"{}")
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body must be a JSON object")
    return given


def _no(message: str, status: int) -> JSONResponse:
    return JSONResponse({"error": message}, status)


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False
