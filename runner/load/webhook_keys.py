"""Who may send webhooks: the packs that know them, with the credential that proves each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from runner import resources
from runner.load.credentials import read_credentials
from runner.load.pack import find_pack
from runner.model.problem import Problem, ProblemError
from runner.model.provider import Provider
from runner.model.secret import Secret


def webhook_keys(
    names: Sequence[str], environ: Mapping[str, str], file: Path | None = None
) -> tuple[dict[str, Provider], dict[str, Secret | str]]:
    """Packs and keys by name; without names, every shipped pack whose key is set. Raises ProblemError."""
    packs: dict[str, Provider] = {}
    keys: dict[str, Secret | str] = {}
    lacking: list[str] = []
    for name in names or resources.provider_names():
        pack = find_pack(name, file)
        if pack.webhooks is None:
            if names:
                hint = "poll instead: a step with await asks by itself"
                raise ProblemError(
                    [Problem("listen.no-webhooks", f"{pack.title} sends no webhooks we know of", hint=hint)]
                )
            continue
        key = read_credentials(pack, environ)[0].get(pack.webhooks.key)
        if key is None:
            lacking.append(pack.credentials[pack.webhooks.key].env)
        else:
            packs[name], keys[name] = pack, key
    if lacking and (names or not packs):
        message = f"webhooks can't be proved without {' or '.join(lacking)}, and it is not set"
        raise ProblemError([Problem("listen.no-key", message, hint="set it to the key that the provider sends along")])
    return packs, keys
