"""Credentials: from environment variables or files they name; the values become Secrets at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.model.problem import Problem
from runner.model.provider import Provider
from runner.model.secret import Secret, SecretRef


def read_credentials(provider: Provider, environ: Mapping[str, str]) -> tuple[dict[str, Secret | str], list[Problem]]:
    """Every credential of the pack, and a problem for each that is missing or can't be read."""
    found: dict[str, Secret | str] = {}
    problems: list[Problem] = []
    for name, ref in provider.credentials.items():
        value, problem = _read(provider, ref, environ)
        if problem:
            # What is optional is asked for by who needs it; a file that can't be read is a mistake in any case.
            if not (ref.optional and problem.code == "credentials.missing"):
                problems.append(problem)
        else:
            found[name] = Secret(value) if ref.secret else value
    return found, problems


def _read(provider: Provider, ref: SecretRef, environ: Mapping[str, str]) -> tuple[str, Problem | None]:
    if value := environ.get(ref.env, "").strip():
        # A PEM in one line, as CI systems keep it, has its line breaks written out.
        return value.replace("\\n", "\n"), None
    if ref.file_env and (path := environ.get(ref.file_env, "")):
        try:
            return Path(path).read_text().strip(), None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            message = f"the file that {ref.file_env} names can't be read: {str(reason).lower()}"
            return "", Problem("credentials.unreadable", message, hint="correct the path or the file's permissions")
    names = f"{ref.env} or {ref.file_env}" if ref.file_env else ref.env
    return "", Problem(
        "credentials.missing",
        f"{provider.title} needs {names}, and it is not set",
        hint='set it, or try everything without credentials: "onboard rehearse PLAYBOOK"',
    )
