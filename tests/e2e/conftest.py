"""Fixtures of the end-to-end tests: a sandbox process a worker, fresh for each test, and the runner beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stage import Onboard, Sandbox


@pytest.fixture(scope="session")
def _shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(_shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox that remembers nothing of other tests: the process is shared, its memory is not."""
    _shared_sandbox.reset()
    return _shared_sandbox


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """A sandbox with options of its own."""
    started: list[Sandbox] = []

    def start(*options: str) -> Sandbox:
        started.append(Sandbox(tmp_path, *options))
        return started[-1]

    yield start
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working folder of a person at the keyboard."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def onboard(folder: Path, sandbox: Sandbox) -> Onboard:
    """The runner, with the shared sandbox's address and credentials in its environment."""
    return Onboard(folder, dict(sandbox.env))
