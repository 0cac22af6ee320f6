"""What webhooks call for: the ids that came in since a run began, whoever wrote them down."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio

from runner.clock import Clock
from runner.journal.base import Journal

# How often the journal is asked for what another process has taken in.
_EVERY = 1.0


class Bell:
    """Rung for each webhook that this process takes in, so that nobody has to wait for the next look."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = anyio.Event()

    async def wait(self) -> None:
        await self._event.wait()


async def calls(journal: Journal, clock: Clock, bell: Bell) -> AsyncIterator[str]:
    """The ids that webhooks are about, as they come in. Never ends."""
    last = await journal.last_event()
    while True:
        for event in await journal.events(last):
            last = event.number
            for name in event.about:
                yield name
        async with anyio.create_task_group() as group:

            async def rung(scope: anyio.CancelScope = group.cancel_scope) -> None:
                await bell.wait()
                scope.cancel()

            group.start_soon(rung)
            await clock.sleep(_EVERY)
            group.cancel_scope.cancel()
