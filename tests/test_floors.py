"""The order of the house: imports go down, each outside package has one home, and only the door prints or exits."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "runner"

# From the ground up. A room may import what lies below its floor and itself; rooms on one floor don't know each other.
FLOORS: list[set[str]] = [
    {"model", "clock", "duration", "file_fields", "nearest", "resources", "rules", "tasks", "times", "version"},
    {"checks", "drawing", "effects", "exit_codes", "money", "raw_calls", "redact", "references"}
    | {"state_folder", "templates"},
    {"shortage"},
    {"answering", "loop_ends"},
    {"satisfying"},
    {"answers", "conductor", "reconcile", "verdict"},
    {"judging"},
    {"looking"},
    {"actions", "auth", "client", "journal", "limiter"},
    {"effect_words", "load", "movements", "performer"},
    {"standing", "unfinished", "webhooks"},
    {"effect"},
    {"awaiting", "prepare", "reconciling", "reporters", "settle"},
    {"reconcile_step", "saved"},
    {"advance"},
    {"drivers"},
    {"execute", "inbox"},
    {"listener"},
    {"reconcile_run"},
    {"commands"},
    {"cli"},
    {"__main__"},
]

# Rooms that stand apart: who may import them, and that they import nothing of the house.
ANNEXES = {"sandbox": {"commands"}, "providers": set[str]()}

# Outside packages and the files they may be imported in.
HOMES = {
    "click": ["commands/*"],
    "cryptography": ["auth/signature.py", "journal/cipher.py", "sandbox/*"],
    "fcntl": ["execute.py"],
    "httpx": ["client.py"],
    "jinja2": ["templates/grammar.py"],
    "jsonschema": ["load/schema.py", "load/schema_words.py"],
    "jsonschema_specifications": ["load/schema.py"],
    "python_multipart": ["sandbox/*"],
    "referencing": ["load/schema.py"],
    "rich": ["commands/progress.py"],
    "sqlite3": ["journal/sqlite.py", "journal/tables.py"],
    "starlette": ["sandbox/*"],
    "uvicorn": ["listener.py", "sandbox/*"],
    "yaml": ["load/yaml*.py"],
}
# At home wherever something waits.
EVERYWHERE = {"anyio"}

# Who may print or end the process.
DOOR = ["__main__.py", "cli.py", "commands/*", "sandbox/__main__.py"]

SOURCES = sorted(path for path in HOUSE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).with_suffix("").parts[0]


def is_in(path: Path, places: list[str]) -> bool:
    return any(fnmatch(name_of(path), place) for place in places)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports anywhere in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno} imports relatively"
            assert node.module is not None
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_stands_on_one_floor() -> None:
    rooms = {room_of(path) for path in SOURCES} - {"__init__"}
    assert sorted(rooms) == sorted([room for floor in FLOORS for room in floor] + list(ANNEXES))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    if room in ANNEXES or room == "__init__":
        return
    wrong = []
    for line, module in imports(path):
        parts = module.split(".")
        if parts[0] != "runner" or parts[1] == room:
            continue
        is_fine = room in ANNEXES[parts[1]] if parts[1] in ANNEXES else floor_of(parts[1]) < floor_of(room)
        if not is_fine:
            wrong.append(f"{name_of(path)}:{line} imports {module}")
    assert [] == wrong


@pytest.mark.parametrize("path", [path for path in SOURCES if room_of(path) in ANNEXES], ids=name_of)
def test_an_annex_imports_nothing_of_the_house(path: Path) -> None:
    own = f"runner.{room_of(path)}."
    wrong = [f"{line}: {name}" for line, name in imports(path) if f"{name}.".startswith("runner.")]
    assert [] == [entry for entry in wrong if own not in f"{entry}."]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_an_outside_package_has_one_home(path: Path) -> None:
    wrong = []
    for line, module in imports(path):
        package = module.split(".")[0]
        if package in HOMES and not is_in(path, HOMES[package]):
            wrong.append(f"{name_of(path)}:{line} imports {package}")
        is_known = package in HOMES or package in EVERYWHERE or package in sys.stdlib_module_names
        assert is_known or package == "runner", f"{name_of(path)}:{line} imports {package}, which has no home"
    assert [] == wrong


def test_no_home_stands_empty() -> None:
    used = {module.split(".")[0] for path in SOURCES for _, module in imports(path)}
    assert set() == set(HOMES) - used


@pytest.mark.parametrize("path", [path for path in SOURCES if not is_in(path, DOOR)], ids=name_of)
def test_only_the_door_prints_or_exits(path: Path) -> None:
    wrong = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Name) and node.id in ("print", "input", "SystemExit", "exit", "quit"):
            wrong.append(f"{name_of(path)}:{node.lineno} {node.id}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            told = f"{node.value.id}.{node.attr}"
            if told in ("sys.exit", "sys.stdout", "sys.stderr", "sys.stdin", "sys.argv", "os._exit"):
                wrong.append(f"{name_of(path)}:{node.lineno} {told}")
    assert [] == wrong


def docstrings(tree: ast.AST) -> set[int]:
    """The texts that explain: an example in them may name a provider."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr)
    }


@pytest.mark.parametrize("path", [path for path in SOURCES if room_of(path) not in ANNEXES], ids=name_of)
def test_no_provider_is_named_in_code(path: Path) -> None:
    """What differs between providers is data of their packs."""
    providers = {folder.name for folder in (HOUSE / "providers").iterdir() if (folder / "provider.yaml").is_file()}
    named = re.compile(rf"(?<![a-z])({'|'.join(sorted(providers))})(?![a-z])", re.IGNORECASE)
    tree = ast.parse(path.read_text("utf-8"))
    explaining = docstrings(tree)
    wrong = []
    for node in ast.walk(tree):
        texts: list[str] = []
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explaining:
            texts = [node.value]
        elif isinstance(node, ast.Name):
            texts = [node.id]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            texts = [node.name]
        wrong += [f"{name_of(path)}:{getattr(node, 'lineno', 0)} {text}" for text in texts if named.search(text)]
    assert [] == wrong
