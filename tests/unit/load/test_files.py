"""Documents: judged by place, size and content, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.load.files import Documents, resolve, sniff
from runner.model.problem import ProblemError
from runner.model.provider import FileLimits

JPEG = b"\xff\xd8\xff\xe0" + b"0" * 60


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents(tmp_path, FileLimits(("jpeg", "pdf"), 1000), "CoinMENA")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (JPEG, "jpeg"),
        (b"\x89PNG\r\n\x1a\n...", "png"),
        (b"%PDF-1.7", "pdf"),
        (b"\0\0\0\x18ftypheic", "heic"),
        (b"\0\0\0\x18ftypmif1", "heif"),
        (b"\0\0\0\x18ftypmp42", ""),
        (b"GIF89a", ""),
        (b"", ""),
    ],
)
def test_a_format_is_known_by_its_content(head: bytes, expected: str) -> None:
    assert expected == sniff(head)


def test_a_document_travels_under_a_neutral_name(documents: Documents) -> None:
    (documents.root / "ada-lovelace-passport.png").write_bytes(JPEG)
    content = documents.read("ada-lovelace-passport.png")
    assert (JPEG, "document.jpg", "image/jpeg") == (content.content, content.filename, content.media_type)
    assert documents.check("ada-lovelace-passport.png") is None


def test_without_limits_any_content_may_travel(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"text")
    content = Documents(tmp_path, FileLimits()).read("note")
    assert ("document", "application/octet-stream") == (content.filename, content.media_type)


def code_of(documents: Documents, name: str) -> str:
    problem = documents.check(name)
    assert problem is not None
    assert problem.hint
    return problem.code


def test_what_can_not_travel_is_told(documents: Documents, tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(JPEG + b"0" * 1000)
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "gif.jpg").write_bytes(b"GIF89a")
    (tmp_path / "png.jpg").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "folder").mkdir()
    assert "documents.too-large" == code_of(documents, "large.jpg")
    assert "documents.empty" == code_of(documents, "empty.jpg")
    assert "documents.format" == code_of(documents, "gif.jpg")
    assert "documents.format" == code_of(documents, "png.jpg")
    assert "documents.not-a-file" == code_of(documents, "folder")
    assert "documents.missing" == code_of(documents, "nowhere.jpg")
    assert "documents.missing" == code_of(documents, "")
    assert "documents.missing" == code_of(documents, "a\0b")


def test_a_file_that_can_not_be_opened_is_told(documents: Documents, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(JPEG)
    assert "documents.unreadable" == code_of(documents, "file/inside.jpg")


def test_no_path_leaves_the_folder(documents: Documents, tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(JPEG)
    (tmp_path / "inner").symlink_to(tmp_path / "in.jpg")
    (tmp_path / "outer").symlink_to("/etc/hostname")
    (tmp_path / "loop").symlink_to("loop")
    assert tmp_path / "inner" == resolve(tmp_path, "inner")
    for name in ("/etc/hostname", "../x", "a/../../x", "outer", "loop"):
        with pytest.raises(ProblemError) as raised:
            resolve(tmp_path, name)
        assert ["documents.outside"] == [problem.code for problem in raised.value.problems]


def test_a_digest_knows_content_and_what_is_missing(documents: Documents, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    before = documents.digest(["a.jpg", "nowhere.jpg", "../x"])
    assert before == documents.digest(["a.jpg", "nowhere.jpg", "../x"])
    (tmp_path / "a.jpg").write_bytes(JPEG + b"1")
    assert before != documents.digest(["a.jpg", "nowhere.jpg", "../x"])
