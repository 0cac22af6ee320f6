"""What `onboard doctor` says of a provider's refusal: its own words, without anything that we handed in."""

from __future__ import annotations

import pytest
from stand_ins import DROPPED, answer

from runner import exit_codes
from runner.commands.doctor import _signature
from runner.load.pack import find_pack
from runner.redact import Redactor

FIN = find_pack("fin")
BALANCES = FIN.operations["balances.list"]
NOBODY = Redactor(["the-secret-of-7"], later=lambda: ["token-number-1"])


def test_a_refusal_that_repeats_the_credentials_is_told_without_them(capsys: pytest.CaptureFixture[str]) -> None:
    got = answer(401, {"message": "the-secret-of-7 and token-number-1 are wrong"})
    assert exit_codes.UNREACHABLE == _signature(FIN, BALANCES, got, NOBODY)
    assert '"*** and *** are wrong"' in capsys.readouterr().out


def test_no_answer_is_no_proof(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_codes.UNREACHABLE == _signature(FIN, BALANCES, DROPPED, NOBODY)
    assert "signature    wrong" in capsys.readouterr().out


@pytest.mark.parametrize("status", [200, 404, 422])
def test_whatever_comes_after_the_proof_shows_that_it_was_accepted(status: int) -> None:
    assert exit_codes.OK == _signature(FIN, BALANCES, answer(status, {"data": []}), NOBODY)
