"""Credentials: from the environment or a file it names, secret at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.load.credentials import read_credentials
from runner.load.pack import find_pack
from runner.model.secret import Secret


def codes(environ: dict[str, str]) -> list[str]:
    return [problem.code for problem in read_credentials(find_pack("coinmena"), environ)[1]]


def test_what_is_not_set_is_told_with_its_names() -> None:
    found, problems = read_credentials(find_pack("coinmena"), {"COINMENA_PARTNER_ID": "  "})
    assert {} == found
    assert [
        "CoinMENA needs COINMENA_PARTNER_ID, and it is not set",
        "CoinMENA needs COINMENA_PRIVATE_KEY or COINMENA_PRIVATE_KEY_FILE, and it is not set",
    ] == [problem.message for problem in problems]
    assert all("rehearse" in problem.hint for problem in problems)


def test_a_key_in_one_line_gets_its_breaks_back() -> None:
    environ = {"COINMENA_PARTNER_ID": "p-1", "COINMENA_PRIVATE_KEY": "-----BEGIN X-----\\nabc\\n-----END X-----"}
    found, problems = read_credentials(find_pack("coinmena"), environ)
    assert [] == problems
    assert "p-1" == found["partner_id"]
    key = found["private_key"]
    assert isinstance(key, Secret)
    assert "abc" not in repr(found)
    assert "-----BEGIN X-----\nabc\n-----END X-----" == key.reveal()


def test_a_key_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("pem\n")
    environ = {"COINMENA_PARTNER_ID": "p", "COINMENA_PRIVATE_KEY_FILE": str(file)}
    key = read_credentials(find_pack("coinmena"), environ)[0]["private_key"]
    assert isinstance(key, Secret)
    assert "pem" == key.reveal()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_can_not_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    environ = {"COINMENA_PARTNER_ID": "p", "COINMENA_PRIVATE_KEY_FILE": str(file)}
    assert ["credentials.unreadable"] == codes(environ)
