"""A connection that can be closed without an answer, which plain ASGI cannot ask for."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

STATE_KEY = "connection"


class Connection(H11Protocol):
    """uvicorn's own protocol; it hands itself to the application under `scope["state"]`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, STATE_KEY: self}, _loop)

    def drop(self) -> None:
        """Close the socket after the bytes already written; whatever is missing never comes."""
        # Otherwise uvicorn complains about the missing answer and sends a 500.
        self.cycle.disconnected = True
        self.transport.close()

    def shutdown(self) -> None:
        """A call that hangs must not keep the server from ending."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.drop()
        else:
            super().shutdown()
