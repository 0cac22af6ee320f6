"""Find what is shipped beside the code: schemas, playbooks, provider packs. In a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def schemas() -> Path:
    """The folder of JSON Schemas."""
    return _folder("schemas")


def playbooks() -> Path:
    """The folder of ready playbooks."""
    return _folder("playbooks")


def providers() -> Path:
    """The folder of shipped provider packs, one folder each."""
    return _PACKAGE / "providers"


def provider_names() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in providers().glob("*/provider.yaml")))


def _folder(name: str) -> Path:
    # Installed, they lie inside the package; in a checkout, at the top where people look for them.
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
