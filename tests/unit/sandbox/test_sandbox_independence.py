"""The sandbox shares nothing with the runner, so that a wrong belief cannot confirm itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import runner.sandbox
from runner.sandbox import SANDBOXES

FILES = sorted(Path(runner.sandbox.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_of_the_runner_is_imported(file: Path) -> None:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.append(node.module or "")

    ours = [name for name in names if name.split(".")[0] == "runner"]
    assert [name for name in ours if not f"{name}.".startswith("runner.sandbox.")] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_shared_part_knows_no_provider(file: Path) -> None:
    shared = file.parent.name == "sandbox" and file.name not in ("__init__.py", "arguments.py")
    text = file.read_text("utf-8").lower().replace("python -m", "")
    assert not shared or not [name for name in SANDBOXES if re.search(rf"\b{name}\b", text)]
