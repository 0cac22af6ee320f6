"""The files of one pack: `provider.yaml`, the parts beside it, and the shipped pack that it changes, as one mapping."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner import resources
from runner.load import yaml
from runner.load.source import Source
from runner.model.problem import Location, Problem, ProblemError
from runner.nearest import did_you_mean


@dataclass(slots=True)
class PackFiles:
    """`body` is everything laid together; `digest` changes when any of the files does."""

    body: Mapping[str, Any] = field(default_factory=dict)
    sources: list[tuple[Mapping[str, Any], Source]] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return hashlib.sha256(b"\0".join(self.texts)).hexdigest()

    def locate(self, where: tuple[str | int, ...], key: bool = False) -> Location:
        """The place in whichever file holds it; the first file for what none holds."""
        for body, source in self.sources:
            if _reaches(body, where):
                return source.locate(where, key=key)
        return self.sources[0][1].locate(where, key=key)


def read_files(path: Path) -> PackFiles:
    """Raises ProblemError for what can't be read."""
    files = PackFiles()
    own = _with_parts(path, files)
    files.body = {name: value for name, value in own.items() if name != "extends"}
    if base := own.get("extends"):
        shipped = shipped_file(str(base))
        if shipped is None:
            hint = did_you_mean(str(base), resources.provider_names())
            message = f'there is no shipped provider "{base}" to extend'
            raise ProblemError([Problem("provider.unknown", message, files.locate(("extends",)), hint)])
        below = PackFiles()
        files.body = merged(_with_parts(shipped, below), files.body)
        files.texts += below.texts
    return files


def shipped_file(name: str) -> Path | None:
    """The shipped pack of this name."""
    return resources.providers() / name / "provider.yaml" if name in resources.provider_names() else None


def _with_parts(path: Path, files: PackFiles) -> Mapping[str, Any]:
    body = _read(path, files)
    names = body.get("parts", ())
    merging = body
    for name in names if isinstance(names, list) else ():
        # The schema refuses a name that leads elsewhere; here it leads nowhere.
        merging = merged(merging, _read(path.parent / Path(str(name)).name, files))
    return merging


def _read(path: Path, files: PackFiles) -> Mapping[str, Any]:
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        message = f'the provider file "{path}" can\'t be read: {reason}'
        raise ProblemError([Problem("provider.unreadable", message, hint="correct the path")]) from None
    document = yaml.read(label(path), text)
    errors = [problem for problem in document.problems if problem.is_error]
    if errors or not isinstance(document.value, Mapping):
        empty = Problem(
            "provider.empty", "the pack is not a mapping", Location(str(path)), 'start with "extends: NAME"'
        )
        raise ProblemError(errors or [empty])
    files.sources.append((document.value, document.source))
    files.texts.append(text)
    return document.value


def label(path: Path) -> str:
    """The path as people know it: from the current folder where it lies in there."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def merged(below: Any, above: Any) -> Any:
    """`above` laid over `below`: mappings key by key, null removes, anything else replaces."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    result = dict(below)
    for name, value in above.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _reaches(value: Any, where: tuple[str | int, ...]) -> bool:
    for step in where:
        try:
            value = value[step]
        except (IndexError, KeyError, TypeError):
            return False
    return bool(where)
