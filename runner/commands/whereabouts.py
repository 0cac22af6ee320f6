"""A run goes on from another folder: what it named by a relative path is looked for where it began."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import chdir, contextmanager
from dataclasses import replace
from pathlib import Path

from runner.journal.base import RunState
from runner.prepare import Wish


@contextmanager
def its_folder(run: RunState, wish: Wish, anew: Collection[str]) -> Iterator[Wish]:
    """While this lasts, paths mean what they meant when the run began, unless they are there from here.

    Yields the wish with what has to be found later or was given `anew` named for good.
    """
    folder = run.header.get("folder", "")
    files = {"playbook": str(wish.playbook), "clients": wish.clients, "documents": wish.documents}
    files["provider_file"] = wish.provider_file
    named = [Path(path) for name, path in files.items() if name not in anew and path not in ("", "-")]
    is_here = any(not path.is_absolute() for path in named) and all(path.exists() for path in named)
    by_here = wish.clients == "-" and not wish.documents
    if not folder or (is_here and not by_here) or Path(folder) == Path.cwd() or not Path(folder).is_dir():
        yield wish
        return
    files |= {name: str(Path(path).absolute()) for name, path in files.items() if name in anew and path != "-"}
    with chdir(folder):
        beside = Path() if files["clients"] == "-" else Path(files["clients"] or files["playbook"]).parent
        documents = Path(files["documents"] or beside).absolute()
        yield replace(wish, clients=files["clients"], documents=str(documents), provider_file=files["provider_file"])
