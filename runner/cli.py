"""The door: `onboard`. Asking for the version imports nothing else."""

from __future__ import annotations

import sys

from runner.version import VERSION


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns the exit code (runner/exit_codes.py)."""
    words = sys.argv[1:] if argv is None else argv
    if words == ["--version"]:
        sys.stdout.write(f"onboard {VERSION}\n")
        return 0
    from runner.commands import enter

    return enter(words)
