"""Recognisable secrets and personal data are planted; then every byte that was written is searched for them."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from stage import BOTH, ONBOARD, Onboard, Ran, Sandbox, clean_environment, csv_text, person

PERSONAL = {
    "name": "Zebulon Quillfeather",
    "email": "zebulon.quillfeather@canary.example.com",
    "phone": "+97366554433",
    "government_id_number": "CANARY-ID-90210",
    "birth_date": "1987-06-05",
    "address.street": "77 Peregrine Öre Lane",
    "address.city": "Canaryville",
    "address.postal_code": "CNRY-0042",
    "employment.company": "Feathers & Sons <Ltd>",
    "employment.job_title": "Chief Featherer",
}
ARABIC = {**PERSONAL, "name": "زيبولون ريشة", "email": "z2@canary.example.org", "phone": "+97366554434"} | {
    "government_id_number": "CANARY-ID-90211"
}
PARTNER = "canary-partner-31337"


def forms(value: str) -> set[str]:
    """How a value may be written: as it is, in a URL, in JSON, in HTML, in base64 at any offset, in hex."""
    raw = value.encode()
    found = {value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], html.escape(value)}
    found |= {raw.hex(), raw.hex().upper()}
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw).decode()
        middle = whole[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        found |= {middle, middle.replace("+", "-").replace("/", "_")}
    return {form for form in found if len(form) >= 6}


def secrets_of(env: Mapping[str, str]) -> list[str]:
    """The private key: the PEM, each of its lines, and the 32 bytes themselves in hex."""
    lines = env["COINMENA_PRIVATE_KEY"].split("-----")[2].split()
    seed = base64.b64decode("".join(lines))[-32:]
    return [env["COINMENA_PRIVATE_KEY"].strip(), *lines, base64.b64encode(seed).decode(), seed.hex()]


def found_in(text: bytes, values: list[str]) -> list[str]:
    return [value for value in values if any(form.encode() in text for form in forms(value))]


def written(onboard: Onboard, ran: list[Ran]) -> dict[str, bytes]:
    """Everything that a person or a file got, but what was given to the runner."""
    given = ("clients", "documents/", "providers/", "bad")
    files = {str(path.relative_to(onboard.folder)): path for path in onboard.folder.rglob("*") if path.is_file()}
    texts = {name: path.read_bytes() for name, path in files.items() if not name.startswith(given)}
    for number, one in enumerate(ran):
        texts[f"stdout {number}"], texts[f"stderr {number}"] = one.out.encode(), one.err.encode()
    return texts


def assert_nothing_leaked(onboard: Onboard, ran: list[Ran], *people: Mapping[str, str]) -> None:
    personal = list({value for one in people for value in one.values()})
    searched = written(onboard, ran)
    assert any(searched.values())
    leaked = {name: found_in(text, [*personal, *secrets_of(onboard.env)]) for name, text in searched.items()}
    assert {} == {name: values for name, values in leaked.items() if values}
    for name, text in searched.items():
        assert b"PRIVATE KEY" not in text, name


def canaries(onboard: Onboard) -> Path:
    return onboard.clients({**person(1), **PERSONAL}, {**person(2), **ARABIC}, person(3))


REPORTS = ("--report-json", "report.json", "--report-junit", "junit.xml", "-v")


def test_the_search_finds_what_is_there(onboard: Onboard) -> None:
    for value in (*PERSONAL.values(), *secrets_of(onboard.env)):
        for form in forms(value):
            assert [value] == found_in(f"before {form} after".encode(), [value])


def test_a_run_that_ends_well_tells_nobody_anything(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = canaries(onboard)
    ran = [onboard("run", BOTH, "--clients", clients, *REPORTS)]
    assert 0 == ran[0].code, ran[0].story
    assert PERSONAL["name"] == sandbox.clients["user_1"]["name"]

    ran += [
        onboard("plan", BOTH, "--clients", clients, "--format", form, "-v") for form in ("text", "json", "markdown")
    ]
    ran += [onboard("plan", BOTH, "--clients", clients, "--out", "plan.json")]
    ran += [onboard("status", "-v"), onboard("status", "--format", "json"), onboard("explain", "1", "user_1")]
    ran += [onboard("runs", "--format", "json"), onboard("reconcile"), onboard("doctor", "coinmena")]

    assert {0} == {one.code for one in ran}
    assert_nothing_leaked(onboard, ran, PERSONAL, ARABIC)


def test_a_run_that_ends_badly_tells_nobody_anything(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.load(clients=[{"partner_client_id": "user_2", "name": "Somebody Else"}])
    clients = onboard.clients(
        {**person(1), **PERSONAL, "citizenship_id": "es"},
        {**person(2), **ARABIC},
        {**person(3), **PERSONAL, "email": "zebulon@canary"},
    )
    words = ("run", BOTH, "--clients", clients)

    ran = [onboard(*words, *REPORTS), onboard(*words, "-v", env={"COINMENA_PARTNER_ID": "nobody"})]
    ran += [onboard(*words, "-v", "--base-url", "http://127.0.0.1:9")]
    ran += [onboard("explain", "1", f"user_{number}") for number in (1, 2, 3)]

    assert [1, 6, 6, 0, 0, 0] == [one.code for one in ran]
    assert_nothing_leaked(onboard, ran, PERSONAL, ARABIC, {"email": "zebulon@canary"})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email", "zebulon-without-a-sign"),
        ("birth_date", "5 June 1987 in Canaryville"),
        ("phone", "call me at the nest"),
        ("address.unit", "\x00Canaryville"),
        ("deposit", "all-of-my-feathers"),
    ],
)
def test_a_complaint_about_a_row_does_not_repeat_it(
    onboard: Onboard, sandbox: Sandbox, column: str, value: str
) -> None:
    clients = onboard.clients({**person(1), **PERSONAL, column: value}, {**person(1), **ARABIC})

    ran = [onboard(verb, BOTH, "--clients", clients) for verb in ("run", "plan")]

    assert [2, 2] == [one.code for one in ran]
    assert_nothing_leaked(onboard, ran, PERSONAL, ARABIC, {column: value.strip("\0")})


def test_a_broken_file_is_not_quoted(onboard: Onboard, sandbox: Sandbox) -> None:
    row = {**person(1), **PERSONAL}
    text = csv_text([row])
    for content in (text + text.splitlines()[1] + ",more\n", text.replace("77 ", '"77 '), text.encode("utf-16")):
        ran = onboard("run", BOTH, "--clients", onboard.write("clients.csv", content))

        assert 2 == ran.code, ran.story
        assert_nothing_leaked(onboard, [ran], PERSONAL)


# -- a provider that repeats everything it was told ----------------------------------------------------------------


class Echo(BaseHTTPRequestHandler):
    """Refuses everything, and says in many encodings what it was asked, headers included."""

    status = 422
    padding = ""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = body.decode("utf-8", "replace")
        said = {"code": self.status, "msg": self.padding + asked, "msg_detail": self.detail(asked)}
        data = json.dumps(said).encode()
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names are the library's

    def detail(self, asked: str) -> Any:
        try:
            values = json.loads(asked)
        except ValueError:
            values = {}
        name = str(values.get("name", ""))
        return {
            "who": [self.headers.get("x-partner-id"), name, quote(name), json.dumps(name), html.escape(name)],
            "values": list(values.values()),
        }

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        return None


@pytest.fixture
def echo(request: pytest.FixtureRequest) -> Iterator[str]:
    kind = type("Echo", (Echo,), getattr(request, "param", {}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("echo", [{"status": 422}, {"status": 400}, {"status": 404}], indirect=True)
def test_a_provider_that_repeats_what_it_was_told(onboard: Onboard, echo: str) -> None:
    onboard.env["COINMENA_PARTNER_ID"] = PARTNER
    ran = [onboard("run", BOTH, "--clients", canaries(onboard), *REPORTS, "--base-url", echo)]
    ran += [onboard("explain", "1", "user_1"), onboard("status", "-v")]

    assert 1 == ran[0].code, ran[0].story
    assert "***" in ran[0].out
    assert_nothing_leaked(onboard, ran, PERSONAL, ARABIC, {"partner": PARTNER})


@pytest.mark.parametrize("echo", [{"padding": "x" * at} for at in (190, 232, 270, 640, 690)], indirect=True)
def test_a_long_story_is_not_cut_in_the_middle_of_a_name(onboard: Onboard, echo: str) -> None:
    ran = onboard("run", ONBOARD, "--clients", canaries(onboard), *REPORTS, "--base-url", echo)

    assert 1 == ran.code, ran.story
    for name, text in written(onboard, [ran]).items():
        for value in PERSONAL.values():
            for length in range(7, len(value)):
                assert value[:length].encode() not in text, (name, value[:length])


# -- our own bugs --------------------------------------------------------------------------------------------------


def test_the_page_of_a_bug_holds_no_secrets(onboard: Onboard) -> None:
    crash = """
import os, sys
import runner.commands.run as verb
def broken(*words): raise RuntimeError("broke with " + os.environ["COINMENA_PRIVATE_KEY"] + repr(dict(os.environ)))
verb.prepare = broken
from runner.cli import main
sys.exit(main(["run", "any.playbook.yaml"]))
"""
    process = subprocess.run(
        [sys.executable, "-c", crash],
        cwd=onboard.folder,
        env=clean_environment(onboard.folder, **onboard.env),
        capture_output=True,
        text=True,
        check=False,
    )
    ran = Ran(process.returncode, process.stdout, process.stderr, onboard.folder, 0.0)

    assert 70 == ran.code, ran.story
    assert "RuntimeError" in ran.err
    assert re.search(r"^version \S+, Python 3", ran.err, re.M)
    assert [] == found_in(ran.err.encode(), secrets_of(onboard.env))
