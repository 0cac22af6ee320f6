"""Docs run: playbooks on the pages validate, commands give the output shown, links lead somewhere.

In a page, `file=NAME` after the language of a block writes the block into the folder where the page's commands run.
Each ```console block runs alone, in a fresh copy of examples and playbooks, in one shell: lines that begin with `$ `
are commands, what follows is their output, both streams together. `…` stands for any text within a line, and alone on
a line for any number of lines. ```console install blocks are run by CI, not here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.load import yaml
from runner.load.pack import read_pack
from runner.load.playbook import load

HOME = Path(__file__).resolve().parent.parent
PAGES = sorted([*HOME.glob("*.md"), *HOME.glob("docs/**/*.md"), *HOME.glob("runner/providers/*/README.md")])
# Its samples are wrong on purpose, and have tests of their own.
SAMPLES = HOME / "docs" / "reference" / "problems.md"
NEEDED = ("examples", "playbooks")
FENCE = re.compile(r"^(```+)([^\n]*)\n(.*?)^\1 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
END_OF_COMMAND = "--- end of command ---"


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; `line` is the fence's own."""

    page: Path
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def file(self) -> str:
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), "")

    def __str__(self) -> str:
        return f"{self.page.relative_to(HOME)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 1, tuple(found[2].split()), found[3])


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


BLOCKS = [block for page in PAGES if page != SAMPLES for block in blocks(page)]
PLAYBOOKS = [block for block in BLOCKS if block.language == "yaml" and re.search(r"^playbook:", block.text, re.M)]
PACKS = [
    block for block in BLOCKS if block.language == "yaml" and re.search(r"^(extends|provider: 1)", block.text, re.M)
]
DATA = [block for block in BLOCKS if block.language in ("json", "yaml")]
CONSOLES = [block for block in BLOCKS if block.language == "console" and "install" not in block.words]


def write_files(page: Path, folder: Path) -> None:
    for block in blocks(page):
        if block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")


@pytest.mark.parametrize("block", DATA, ids=str)
def test_data_on_a_page_can_be_read(block: Block) -> None:
    if block.language == "json":
        json.loads(block.text)
    else:
        assert () == yaml.read(str(block), block.text).problems


@pytest.mark.parametrize("block", PACKS, ids=str)
def test_a_pack_on_a_page_is_right(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text(block.text, "utf-8")
    assert read_pack(path).operations


@pytest.mark.parametrize("block", PLAYBOOKS, ids=str)
def test_a_playbook_on_a_page_validates(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(block.page, tmp_path)
    monkeypatch.chdir(tmp_path)
    path = Path(block.file or "page.playbook.yaml")
    path.write_text(block.text, "utf-8")
    pack = next((word.removeprefix("pack=") for word in block.words if word.startswith("pack=")), None)
    expected = {word.removeprefix("wrong=") for word in block.words if word.startswith("wrong=")}
    assert expected == {problem.code for problem in load(path, Path(pack) if pack else None).problems}


@pytest.fixture
def shell_environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of the developer's but the search path; `onboard` is this checkout, run by this Python."""
    tools = tmp_path / "bin"
    tools.mkdir()
    onboard = tools / "onboard"
    onboard.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n')
    onboard.chmod(0o755)
    (tools / "python").symlink_to(sys.executable)
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {
        **kept,
        "COLUMNS": "80",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(HOME),
        "TZ": "UTC",
    }


@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_commands_on_a_page_give_the_output_shown(
    block: Block, tmp_path: Path, shell_environment: dict[str, str]
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in NEEDED:
        shutil.copytree(HOME / name, folder / name)
    write_files(block.page, folder)
    commands = list(_commands(block.text))
    said = _run([command for command, _ in commands], folder, shell_environment)
    for (command, expected), actual in zip(commands, said, strict=True):
        assert _pattern(expected).fullmatch(actual), f"{block}: $ {command}\nexpected:\n{expected}\nactual:\n{actual}"


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command with its expected output; a command goes on after a backslash."""
    for piece in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, rest = piece.partition("\n")
        while command.endswith("\\"):
            more, _, rest = rest.partition("\n")
            command += "\n" + more
        yield command, rest


def _run(commands: list[str], folder: Path, environment: dict[str, str]) -> list[str]:
    """What each command wrote, all of them in one shell. What they left running is stopped at the end."""
    script = "".join(f"{command}\ncode=$?; echo '{END_OF_COMMAND}'; (exit $code)\n" for command in commands)
    output = folder.parent / "output"
    with output.open("wb") as out:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            shell.wait(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
            shell.wait(timeout=10)
    *said, rest = output.read_text("utf-8").split(f"{END_OF_COMMAND}\n")
    return [*said, rest] if len(said) < len(commands) else said


def _pattern(expected: str) -> re.Pattern[str]:
    """`…` is any text within a line; a line of its own is any number of lines."""
    lines = expected.rstrip("\n").splitlines()
    pieces = [r"(?:[^\n]*\n)*" if line == "…" else re.escape(line).replace("…", r"[^\n]*") + r"\n" for line in lines]
    return re.compile("".join(pieces))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOME)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(prose(page)) if not _leads_somewhere(page, link)]
    assert [] == broken


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists() or not target.is_relative_to(HOME):
        return False
    return not anchor or anchor in {_anchor(title) for title in HEADING.findall(prose(target))}


def _anchor(title: str) -> str:
    """As the usual Markdown renderers make it: lower case, punctuation gone, blanks to dashes."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def test_every_page_is_reached_from_the_index() -> None:
    index = (HOME / "docs" / "index.md").read_text("utf-8")
    linked = {(HOME / "docs" / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    assert set() == {page for page in HOME.glob("docs/**/*.md") if page.name != "index.md"} - linked


def test_generated_pages_say_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"], cwd=HOME, capture_output=True, text=True, timeout=60
    )
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_the_readme_names_the_two_commands_that_ci_runs() -> None:
    text = (HOME / "README.md").read_text("utf-8")
    for name in ("main-command", "test-command"):
        assert re.search(rf"<!-- {name} -->\n```console install\n\$ [^\n]+\n```\n<!-- /{name} -->", text)
