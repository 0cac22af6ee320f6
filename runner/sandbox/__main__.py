"""`python -m runner.sandbox [PROVIDER…]`: the door of the local providers; only this file prints."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from runner.sandbox.arguments import HELP, options, parser
from runner.sandbox.options import Options

__all__ = ["HELP", "main", "parser"]


def main(argv: Sequence[str] | None = None, program: str = "python -m runner.sandbox") -> int:
    """0 after a stop, 2 when the command line or the seed data is wrong, 6 when a port cannot be had."""
    chosen = options(sys.argv[1:] if argv is None else argv, program)
    from runner.sandbox.launch import applications
    from runner.sandbox.server import ports_from, serve

    try:
        apps = applications(chosen, os.environ)
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"sandbox: {problem}\n")
        return 2

    def ready(found: list[tuple[str, str]]) -> None:
        env = {app.name: app.provider.environment(url) for app, (_, url) in zip(apps, found, strict=True)}
        sys.stdout.write(_written(chosen, found, env))
        sys.stdout.flush()

    ports = ports_from(chosen.port, len(apps))
    try:
        serve(apps, chosen.host, ports, ready, _until_stdin_closes if chosen.exit_with_stdin else None)
    except OSError as problem:
        sys.stderr.write(f"sandbox: cannot listen on {chosen.host}, port {chosen.port}: {problem}\n")
        return 6
    return 0


def _written(chosen: Options, found: list[tuple[str, str]], env: Mapping[str, Mapping[str, str]]) -> str:
    if chosen.format == "env" or (chosen.format == "auto" and sys.stdout.isatty()):
        return "".join(f"export {key}={_quoted(value)}\n" for one in env.values() for key, value in one.items())
    listening: dict[str, Any] = {name: {"url": url, "env": env[name]} for name, url in found}
    return json.dumps(listening) + "\n"


def _quoted(text: str) -> str:
    """For any POSIX shell; a key keeps its line breaks."""
    return "'" + text.replace("'", "'\\''") + "'"


def _until_stdin_closes() -> None:
    while os.read(0, 65536):
        pass


if __name__ == "__main__":
    sys.exit(main())
