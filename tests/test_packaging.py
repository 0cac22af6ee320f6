"""What is installed is whole: a wheel, built away from here, holds the code and everything it reads at run time."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("runner", "schemas", "playbooks")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: a build leaves folders behind, and an old one would hide what is missing."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, source)
    words = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(out), "."]
    ran = subprocess.run([sys.executable, *words], cwd=source, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return next(out.glob("onboarding_runner-*.whl"))


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    wanted = set()
    for part in PARTS:
        inside = part if part == "runner" else f"runner/{part}"
        for path in (ROOT / part).rglob("*"):
            if path.suffix in (".json", ".md", ".py", ".yaml") or path.name == "py.typed":
                wanted.add(f"{inside}/{path.relative_to(ROOT / part).as_posix()}")

    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert wanted == found


def test_what_is_installed_finds_its_data(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    words = ["validate", str(tmp_path / "site" / "runner" / "playbooks"), "--format", "json"]
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\nfrom runner.cli import main, __file__ as ours\n"
    )
    code += f"print(ours, file=sys.stderr)\nsys.exit(main({words!r}))"

    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": ""}
    )

    assert str(tmp_path / "site" / "runner" / "cli.py") == ran.stderr.splitlines()[0]
    assert (0, '"problems": []') == (ran.returncode, ran.stdout.strip("{}\n ").split("\n")[-1].strip())


def test_every_dependency_is_pinned_by_name_and_number_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    names = [_canonical(pin.partition("==")[0]) for pin in pins]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["test"]]
    wanted += project["build-system"]["requires"]

    assert [] == [pin for pin in pins if pin.count("==") != 1 or not set(pin).isdisjoint(" @/;:#")]
    assert sorted(set(names)) == sorted(names)
    assert set() == {_canonical(_name(text)) for text in wanted} - set(names)


def test_what_the_dependencies_need_is_pinned_too() -> None:
    pins = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {_canonical(pin.partition("==")[0]) for pin in pins if "==" in pin}

    needed = set()
    for name in pinned:
        for text in metadata.requires(name) or []:
            # An extra or another platform's need may be missing; what is here was installed for somebody.
            if "extra ==" not in text and _is_installed(_name(text)):
                needed.add(_canonical(_name(text)))

    assert set() == needed - pinned


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _name(requirement: str) -> str:
    end = next((at for at, letter in enumerate(requirement) if not (letter.isalnum() or letter in "-_.")), None)
    return requirement[:end]


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
