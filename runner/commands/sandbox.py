"""`onboard sandbox`: local providers over real HTTP."""

from __future__ import annotations

import click


@click.command(
    "sandbox", add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(words: tuple[str, ...]) -> int:
    """Serve local providers until stopped."""
    from runner.sandbox.__main__ import main

    try:
        return main(list(words), program="onboard sandbox")
    except SystemExit as stop:
        # The sandbox reads its own arguments, because it imports nothing of the runner.
        return stop.code if isinstance(stop.code, int) else 2
