"""`onboard listen`: an inbox for webhooks beside the runs; takes no run lock."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import anyio
import click

from runner.commands.options import state
from runner.commands.say import hush, say, say_refused
from runner.journal.cipher import cipher_of
from runner.journal.sqlite import open_journal
from runner.webhooks import Received, Refused


@click.command("listen")
@click.argument("providers", nargs=-1, metavar="[PROVIDER]...")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--provider-file", default="", metavar="FILE", help="A provider pack of your own.")
@state
def command(providers: tuple[str, ...], port: int, host: str, provider_file: str, **options: Any) -> int:
    """Take webhooks at POST /webhooks/PROVIDER until stopped, for runs that wait on the same state folder.

    Without PROVIDER, those whose webhook key is set. Each one that is taken is a line of JSON on standard output;
    what is refused is told on standard error. A webhook is only a reason to look: the provider's answer decides.
    """
    from runner.clock import SystemClock
    from runner.listener import Listener, bind, listening, url_of
    from runner.load.webhook_keys import webhook_keys

    packs, keys = webhook_keys(providers, os.environ, Path(provider_file) if provider_file else None)
    folder: Path = options["state"]

    async def serve() -> int:
        found = bind(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        journal = open_journal(folder, cipher=cipher_of(os.environ))
        try:
            listener = Listener(journal, SystemClock(), packs, keys, told)
            async with listening(listener, found):
                for name in packs:
                    say(f"listening: {url_of(found)}/webhooks/{name}")
                with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                    async for _ in signals:
                        break
        finally:
            with anyio.CancelScope(shield=True):
                await journal.close()
        return 0

    return anyio.run(serve)


def told(provider: str, got: Received | Refused, is_new: bool) -> None:
    """One line for each webhook."""
    if isinstance(got, Refused):
        say_refused(provider, got.why)
        return
    body = {"provider": provider, "event": got.event, "about": list(got.about), "new": is_new}
    try:
        sys.stdout.write(json.dumps(body) + "\n")
        sys.stdout.flush()
    except OSError:
        # It is written down; that nobody reads along must not make the provider send it again.
        hush(sys.stdout)
