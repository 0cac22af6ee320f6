"""Fixtures of the kill matrix: one process that forks victims, and providers of three tempers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from matrix import IGNORES, LATE, REFUSES, TEMPERS, Matrix, Victims
from stage import Sandbox


@pytest.fixture(scope="session")
def victims() -> Iterator[Victims]:
    started = Victims()
    yield started
    started.stop()


@pytest.fixture(scope="module", params=[REFUSES, IGNORES])
def matrix(
    request: pytest.FixtureRequest, victims: Victims, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Matrix]:
    repeat, options = TEMPERS[request.param]
    home = tmp_path_factory.mktemp("matrix")
    sandbox = Sandbox(home, *options, measured=False)
    yield Matrix(home, victims, sandbox, repeat, has_reads=request.param != LATE)
    sandbox.stop()
