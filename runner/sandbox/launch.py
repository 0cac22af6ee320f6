"""From Options to applications, ready to be served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runner.sandbox import SANDBOXES, faults
from runner.sandbox.app import App
from runner.sandbox.clock import Clock, SystemClock
from runner.sandbox.options import Options


def applications(options: Options, env: Mapping[str, str], clock: Clock | None = None) -> list[App]:
    """One application per provider; raises ValueError when a name, a fault or the seed data is wrong."""
    names = options.providers or tuple(SANDBOXES)
    for name in names:
        if name not in SANDBOXES:
            raise ValueError(f'unknown provider "{name}", known are {", ".join(SANDBOXES)}')
    ticking = clock or SystemClock(options.clock_offset)
    data = _data(options)
    providers = [SANDBOXES[name].build(options, ticking, env) for name in names]
    faults.check(
        options.faults,
        [operation for provider in providers for operation in provider.routes.operations],
        [operation for provider in providers for operation in provider.outcomes],
        [event for provider in providers for event in provider.events],
    )
    return [App(provider, options, ticking, data.get(provider.name)) for provider in providers]


def _data(options: Options) -> dict[str, Any]:
    if options.data is None:
        return {}
    try:
        data = json.loads(options.data.read_text("utf-8"))
    except json.JSONDecodeError as problem:
        raise ValueError(f"{options.data}:{problem.lineno}: not JSON: {problem.msg}") from None
    if not isinstance(data, dict) or not set(data) <= set(SANDBOXES):
        raise ValueError(f"{options.data}: expected an object with the keys {', '.join(SANDBOXES)}")
    return data
