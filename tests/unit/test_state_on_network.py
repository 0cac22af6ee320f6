"""Where the journal lies: a network file system is told, a disk of this machine is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.state_folder import on_network

MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/export /mnt/share nfs4 rw,vers=4.2 0 0
/dev/sdb1 /mnt/share/local ext4 rw 0 0
//server/more /mnt/with\\040space cifs rw 0 0
nonsense
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mounts"
    path.write_text(MOUNTS, "utf-8")
    return path


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/share/.onboard", "nfs4"),
        ("/mnt/share", "nfs4"),
        ("/mnt/with space/state", "cifs"),
        ("/mnt/share/local/.onboard", ""),
        ("/mnt/shared/.onboard", ""),
        ("/home/me/.onboard", ""),
    ],
)
def test_the_deepest_mount_counts(mounts: Path, folder: str, kind: str) -> None:
    problem = on_network(Path(folder), mounts)

    assert bool(kind) == (problem is not None)
    if problem:
        assert ("state.network", "warning") == (problem.code, problem.severity)
        assert f"({kind})" in problem.message


def test_where_mounts_are_not_listed_nobody_can_tell(tmp_path: Path) -> None:
    assert on_network(Path("/mnt/share"), tmp_path / "absent") is None
