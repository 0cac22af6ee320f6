"""The command line becomes Options."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.sandbox.arguments import options
from runner.sandbox.faults import Fault, parse
from runner.sandbox.options import Options


def test_nothing_said_means_the_defaults() -> None:
    assert Options() == options([])


def test_everything_said() -> None:
    words = """coinmena --host ::1 --port 8700 --seed 7 --data d.json --fault *=401:x1 --fault *=hang --rate 5
        --clock-offset -2.5 --allow-ip 10.0.0.0/8 --refuse-used-references no --visible-after 1.5
        --kyc-delay 2.5 --webhook-retry-first 0.1
        --hang-seconds 3 --signing separator=dot --signing {"hash":"base64"} --public-key KEY
        --exit-with-stdin --format env"""

    assert options(words.split()) == Options(
        providers=("coinmena",),
        host="::1",
        port=8700,
        seed=7,
        data=Path("d.json"),
        faults=(parse("*=401:x1"), Fault("*", "hang")),
        rate=5,
        clock_offset=-2.5,
        allow_ip=("10.0.0.0/8",),
        refuse_used_references=False,
        visible_after=1.5,
        kyc_delay=2.5,
        webhook_retry_first=0.1,
        hang_seconds=3,
        signing={"separator": "dot", "hash": "base64"},
        public_key="KEY",
        exit_with_stdin=True,
        format="env",
    )


def test_a_time_to_start_at_becomes_an_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.sandbox.arguments.time", lambda: 1_717_236_000.0)

    assert options(["--now", "2024-06-01T11:00:00Z"]).clock_offset == 3600


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--fault explode", "expected OPERATION=KIND"),
        ("--fault *=explode", 'unknown kind "explode"'),
        ("--signing dot", "expected KEY=VALUE"),
        ("--signing {", "invalid _signing value"),
        ("--rate 0", "expected one or more"),
        ("--port -1", "expected zero or more"),
        ("--visible-after -1", "expected zero or more"),
        ("--kyc-delay -1", "expected zero or more"),
        ("--refuse-used-references maybe", "expected yes or no"),
        ("--now 2024-06-01", "expected a zone"),
    ],
)
def test_wrong_words_end_with_2_and_a_reason(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options(words.split())

    assert ended.value.code == 2
    assert message in capsys.readouterr().err
