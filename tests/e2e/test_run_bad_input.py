"""Whatever is wrong before the first request: the right exit code, a place, words, a way out, and nothing sent."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from stage import BOTH, EXAMPLES, FUND, JPEG, ONBOARD, Onboard, Ran, Sandbox, csv_text, person

BAD = EXAMPLES / "bad"

# A complaint: "path:line:col: error: words [stage.code]", then a hint behind "=" or the carets.
COMPLAINT = re.compile(
    r"^(?:(?P<path>[^\n:]+)(?::(?P<line>\d+):(?P<column>\d+))?: )?error: .+ \[[a-z][a-z0-9_.-]+\]$", re.M
)


SHORT = "playbook: 1\nname: a\nprovider: coinmena\nsteps: [{id: a, call: public.assets}]\n"


def complaints(ran: Ran) -> list[str]:
    return [found.group(0) for found in COMPLAINT.finditer(ran.err)]


def nothing_was_sent(ran: Ran, sandbox: Sandbox, code: int, *words: str) -> None:
    assert code == ran.code, ran.story
    for word in words:
        assert word in ran.err, ran.story
    assert complaints(ran), ran.story
    assert "" == ran.out
    assert 0 == sandbox.requests
    assert "Traceback" not in ran.err
    assert re.search(r"^\s*(=|\|.*\^|\d* *\| *\^+) ?\S", ran.err, re.M), f"no hint in {ran.story}"


# -- the playbook --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("playbook: 1\nname: [unclosed\n", ("yaml.syntax", "wrong.playbook.yaml:")),
        ("playbook: 1\nname: a\nname: b\nprovider: coinmena\nsteps: []\n", ("yaml.duplicate-key", ":3:1")),
        ("playbook: 1\n\tname: a\n", ("yaml.syntax", ":2:1")),
        ("just text\n", ("wrong.playbook.yaml",)),
        ("", ("wrong.playbook.yaml",)),
        (SHORT.replace("coinmena", "coinmnea"), ("provider.unknown", 'did you mean "coinmena"?')),
        (SHORT.replace("public.assets", "clients.crate"), ('did you mean "clients.create"?',)),
        (SHORT.replace("}]", ", with: {x: {{ y }}}}]"), ("yaml.unquoted-template",)),
    ],
)  # fmt: skip
def test_a_broken_playbook(onboard: Onboard, sandbox: Sandbox, text: str, words: tuple[str, ...]) -> None:
    ran = onboard.run(onboard.write("wrong.playbook.yaml", text), "--clients", onboard.clients(person(1)))

    nothing_was_sent(ran, sandbox, 2, *words)


TEN_MISTAKES = """\
playbook: 1
name: ten-mistakes
provider: coinmena
inputs:
  asset: {type: string, default: USD}
clients: {schema: coinmena/client, key: partner_client_id}
limits:
  money: {USD: {per_client: 5000.00}}
steps:
  - id: create
    call: clients.create
    with:
      partner_client_id: "{{ client.partner_client_id }}"
      account_type: corporate
      nmae: "{{ client.name }}"
    retry: {attempts: 3}
    expect:
      - status == verfied
  - id: create
    call: clients.get
    with: {partner_client_id: "{{ steps.later.id }}"}
  - id: deposit
    call: deposits.create
    with: {partner_client_id: "{{ cleint.partner_client_id }}", asset_id: "{{ inputs.aset }}", amount: 100.00}
    wen: []
  - id: later
    call: orders.gt
"""


def test_ten_mistakes_are_ten_complaints_each_in_its_place(onboard: Onboard, sandbox: Sandbox) -> None:
    playbook = onboard.write("ten.playbook.yaml", TEN_MISTAKES)

    ran = onboard.run(playbook, "--clients", onboard.clients(person(1)))

    nothing_was_sent(ran, sandbox, 2)
    lines = {int(found["line"]) for found in COMPLAINT.finditer(ran.err) if found["line"]}
    assert {8, 14, 15, 16, 18, 19, 21, 24, 25, 27} <= lines, ran.story
    for word in ('"verfied"', '"nmae"', '"corporate"', '"cleint"', '"aset"', '"wen"', '"orders.gt"', "quote"):
        assert word in ran.err, ran.story


@pytest.mark.parametrize("name", ["absent.playbook.yaml", "."])
def test_a_playbook_that_can_not_be_read(onboard: Onboard, sandbox: Sandbox, name: str) -> None:
    nothing_was_sent(onboard.run(name, "--clients", onboard.clients(person(1))), sandbox, 2, name)


# -- the clients file ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ragged.csv", ("ragged.csv:3",)),
        ("latin1.csv", ("latin1.csv", "UTF-8")),
        ("unclosed-quote.csv", ("unclosed-quote.csv:3", "quote")),
        ("empty.csv", ("clients.empty",)),
        ("missing-column.csv", ('"email"',)),
        ("duplicate-key.csv", ('"user_3001"', "duplicate-key.csv:4", "line 2")),
        ("not-there.csv", ("not-there.csv", "--clients")),
    ],
)
def test_a_broken_clients_file(onboard: Onboard, sandbox: Sandbox, name: str, words: tuple[str, ...]) -> None:
    ran = onboard.run(ONBOARD, "--clients", BAD / name)

    nothing_was_sent(ran, sandbox, 2, *words)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("people.csv", b"", ("people.csv",)),
        ("people.csv", b"a,a\n1,2\n", ('"a"',)),
        ("people.csv", b"\xff\xfep\x00a\x00", ("people.csv",)),
        ("people.csv", b"name\nAda\n", ('"partner_client_id"',)),
        ("people.csv", b"partner_client_id,name\n,Ada\n", ("people.csv:2", '"partner_client_id"')),
        ("people.xlsx", b"PK\x03\x04", ("people.xlsx", ".csv")),
        ("people.json", b'[{"partner_client_id": "a"', ("people.json:1",)),
        ("people.json", b"[]", ("clients.empty",)),
        ("people.json", b'{"partner_client_id": "a"}', ("people.json",)),
        ("people.json", b"[1]", ("people.json:1",)),
        ("people.jsonl", b'{"partner_client_id": "a"}\nnot json\n', ("people.jsonl:2",)),
        ("people.jsonl", b'{"partner_client_id": "a"}\n[1, 2]\n', ("people.jsonl:2",)),
        ("people.yaml", b"- {partner_client_id: [unclosed\n", ("people.yaml",)),
        ("people.yaml", b"partner_client_id: a\n", ("people.yaml",)),
        ("people.yaml", b"", ("people.yaml",)),
    ],
)
def test_a_clients_file_that_is_no_clients_file(
    onboard: Onboard, sandbox: Sandbox, name: str, content: bytes, words: tuple[str, ...]
) -> None:
    ran = onboard.run(FUND, "--clients", onboard.write(name, content))

    nothing_was_sent(ran, sandbox, 2, *words)


def test_a_playbook_that_needs_clients_says_so(onboard: Onboard, sandbox: Sandbox) -> None:
    nothing_was_sent(onboard.run(ONBOARD), sandbox, 2, "--clients")


def test_nothing_on_standard_input(onboard: Onboard, sandbox: Sandbox) -> None:
    nothing_was_sent(onboard.run(ONBOARD, "--clients", "-", stdin=""), sandbox, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": "nobody"}, ('"email"', ":3")),
        ({"birth_date": "15/01/1990"}, ('"birth_date"', ":3")),
        ({"phone": "not a phone"}, ("phone", ":3")),
        ({"name": ""}, ("name", ":3")),
        ({"deposit": "1e3"}, ('"deposit"', ":3")),
        ({"deposit": "0.00"}, ('"deposit"', ":3")),
        ({"deposit": "1.123456789"}, ('"deposit"', ":3")),
    ],
)
def test_a_wrong_cell_is_named_with_its_column_and_line(
    onboard: Onboard, sandbox: Sandbox, changes: dict[str, str], words: tuple[str, ...]
) -> None:
    ran = onboard.run(BOTH, "--clients", onboard.clients(person(1), person(2, **changes)))

    nothing_was_sent(ran, sandbox, 2, "clients.csv:3", *words)
    (cell,) = changes.values()
    if len(cell) > 4:
        assert cell not in ran.err, "a cell is somebody's data"


# -- documents -----------------------------------------------------------------------------------------------------


def _missing(onboard: Onboard, path: Path) -> str:
    return "documents/none.jpg"


def _too_large(onboard: Onboard, path: Path) -> str:
    onboard.write("documents/large.jpg", JPEG + b"\0" * 6_000_000)
    return "documents/large.jpg"


def _text(onboard: Onboard, path: Path) -> str:
    onboard.write("documents/text.jpg", "this is no picture")
    return "documents/text.jpg"


def _empty(onboard: Onboard, path: Path) -> str:
    onboard.write("documents/empty.jpg", b"")
    return "documents/empty.jpg"


def _folder(onboard: Onboard, path: Path) -> str:
    onboard.write("documents/inner/file.jpg", JPEG)
    return "documents/inner"


def _above(onboard: Onboard, path: Path) -> str:
    (path / "secret.jpg").write_bytes(JPEG)
    return "../secret.jpg"


def _roundabout(onboard: Onboard, path: Path) -> str:
    onboard.write("documents/fine.jpg", JPEG)
    return "documents/../documents/fine.jpg"


def _absolute(onboard: Onboard, path: Path) -> str:
    return str(onboard.write("documents/fine.jpg", JPEG))


def _link(onboard: Onboard, path: Path) -> str:
    (path / "secret.jpg").write_bytes(JPEG)
    onboard.write("documents/fine.jpg", JPEG)
    os.symlink(path / "secret.jpg", onboard.folder / "documents" / "link.jpg")
    return "documents/link.jpg"


def _pipe(onboard: Onboard, path: Path) -> str:
    os.mkfifo(onboard.folder / "pipe.jpg")
    return "pipe.jpg"


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (_missing, "documents.missing"),
        (_too_large, "documents.too-large"),
        (_text, "documents.format"),
        (_empty, "documents.empty"),
        (_folder, "documents.not-a-file"),
        (_above, "documents.outside"),
        (_roundabout, "documents.outside"),
        (_absolute, "documents.outside"),
        (_link, "documents.outside"),
        (_pipe, "documents.not-a-file"),
    ],
)
def test_a_document_that_can_not_be_sent(
    onboard: Onboard, sandbox: Sandbox, tmp_path: Path, make: Callable[[Onboard, Path], str], word: str
) -> None:
    people = [person(1), person(2)]
    onboard.clients(person(1))
    people[1]["id_front"] = make(onboard, tmp_path)

    ran = onboard.run(ONBOARD, "--clients", onboard.write("clients.csv", csv_text(people)))

    nothing_was_sent(ran, sandbox, 2, word, "clients.csv:3")
    assert 1 == len(complaints(ran))


# -- credentials and addresses -------------------------------------------------------------------------------------


def pem(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


@pytest.mark.parametrize(
    ("name", "value"), [("COINMENA_PARTNER_ID", None), ("COINMENA_PRIVATE_KEY", None), ("COINMENA_PRIVATE_KEY", "  ")]
)
def test_a_missing_credential(onboard: Onboard, sandbox: Sandbox, name: str, value: str | None) -> None:
    del onboard.env[name]
    env = {} if value is None else {name: value}

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), env=env)

    nothing_was_sent(ran, sandbox, 2, name, "credentials.missing")


@pytest.mark.parametrize("kind", ["text", "rsa", "public", "cut", "absent file"])
def test_a_key_that_is_no_key(onboard: Onboard, sandbox: Sandbox, kind: str) -> None:
    good = onboard.env.pop("COINMENA_PRIVATE_KEY")
    own = ed25519.Ed25519PrivateKey.generate()
    public = own.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    keys = {
        "text": "hunter2hunter2hunter2",
        "rsa": pem(rsa.generate_private_key(65537, 2048)) if kind == "rsa" else "",
        "public": public.decode(),
        "cut": good[: len(good) // 2],
    }
    env = {"COINMENA_PRIVATE_KEY": keys[kind]} if kind in keys else {"COINMENA_PRIVATE_KEY_FILE": "none.pem"}

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), env=env)

    nothing_was_sent(ran, sandbox, 2, "credentials.")
    assert "hunter2" not in ran.err


def test_a_wrong_key_is_refused_and_leaves_no_doubt(onboard: Onboard, sandbox: Sandbox) -> None:
    wrong = pem(ed25519.Ed25519PrivateKey.generate())
    clients = onboard.clients(person(1), person(2))

    ran = onboard.run(BOTH, "--clients", clients, env={"COINMENA_PRIVATE_KEY": wrong})

    assert 6 == ran.code, ran.story
    assert {"not_started": 2} == ran.totals
    assert "coinmena.unauthorized" in ran.out
    assert "doctor" in ran.out
    assert {} == sandbox.clients
    assert 0 == onboard.run(BOTH, "--clients", clients).code


def test_nobody_listens(onboard: Onboard, sandbox: Sandbox) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    people = [person(number) for number in range(1, 11)]

    ran = onboard.run(BOTH, "--clients", onboard.clients(*people), "--base-url", url, "--jobs", 10)

    assert 6 == ran.code, ran.story
    assert {"not_started": 10} == ran.totals
    assert "http.no-connection" in ran.out or "no connection" in ran.out
    assert 0 == sandbox.requests


def test_no_address_at_all(onboard: Onboard, sandbox: Sandbox) -> None:
    del onboard.env["COINMENA_BASE_URL"]

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)))

    nothing_was_sent(ran, sandbox, 2, "provider.no-address", "COINMENA_BASE_URL")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://192.0.2.1", "provider.plain-http"),
        ("http://example.com:8080/v1", "provider.plain-http"),
        ("ftp://127.0.0.1", "provider.address"),
        ("127.0.0.1:8700", "provider.address"),
        ("https://", "provider.address"),
        ("https://user:hunter2hunter2@example.com", "provider.address"),
        ("https://example.com/?a=b", "provider.address"),
        ("http://[::1", "provider.address"),
        ("http://127.0.0.1:port", "provider.address"),
    ],
)
def test_an_address_that_must_not_be_asked(onboard: Onboard, sandbox: Sandbox, url: str, word: str) -> None:
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), "--base-url", url)

    nothing_was_sent(ran, sandbox, 2, word)
    assert "hunter2" not in ran.err


# -- the command line ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rnu",), 'did you mean "run"?'),
        (("run",), "playbook"),
        (("run", ONBOARD, "--cleints", "x"), "--clients"),
        (("run", ONBOARD, "--jobs", "0"), "--jobs"),
        (("run", ONBOARD, "--jobs", "many"), "--jobs"),
        (("run", ONBOARD, "--rate", "fast"), "15/s"),
        (("run", ONBOARD, "--limit", "-1"), "--limit"),
        (("run", ONBOARD, "--wait", "soon"), "--wait"),
        (("run", ONBOARD, "--input", "asset"), "name=value"),
        (("plan", ONBOARD, "--format", "pdf"), "--format"),
        (("validate",), "PATH"),
        (("status", "--format", "xml"), "--format"),
    ],
)  # fmt: skip
def test_a_wrong_command_line(onboard: Onboard, sandbox: Sandbox, words: tuple[object, ...], told: str) -> None:
    ran = onboard(*words)

    assert (2, "") == (ran.code, ran.out), ran.story
    assert told.lower() in ran.err.lower()
    assert ran.err.startswith("error: ")
    assert 0 == sandbox.requests


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--env", "sandbax"), ("provider.unknown-environment", 'did you mean "sandbox"?')),
        (("--input", "aset=USD"), ("input.unknown", 'did you mean "asset"?')),
        (("--cap", "USD=lots"), ("--cap USD", "money.")),
        (("--cap", "USD=-1"), ("--cap USD", "money.")),
        (("--select", "client.residency_id =="), ("clients.select",)),
        (("--select", "inputs.asset == 'USD'"), ("clients.select",)),
        (("--select", "client.__class__"), ("clients.select",)),
        (("--max-fail", "some"), ("--max-fail",)),
        (("--max-fail", "101%"), ("--max-fail",)),
        (("--waves", "1,x"), ("--waves",)),
        (("--key", "nickname"), ('"nickname"',)),
        (("--provider-file", "none.yaml"), ("none.yaml",)),
        (("--report-json", "/proc/nowhere/report.json"), ("/proc/nowhere",)),
        (("--rejects", "/proc/nowhere/rejects.csv"), ("/proc/nowhere",)),
        (("--state", "/proc/nowhere"), ("/proc/nowhere",)),
    ],
)
def test_a_wrong_choice(onboard: Onboard, sandbox: Sandbox, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    ran = onboard("run", BOTH, "--clients", onboard.clients(person(1)), *words)

    assert ran.code in ((2, 3) if "--state" in words else (2,)), ran.story
    for word in told:
        assert word in ran.err, ran.story
    assert 0 == sandbox.requests
    assert "Traceback" not in ran.err


# -- guards --------------------------------------------------------------------------------------------------------


def test_a_live_environment_needs_a_yes(onboard: Onboard, sandbox: Sandbox) -> None:
    words = ("--clients", onboard.clients(person(1)), "--env", "production")

    ran = onboard.run(ONBOARD, *words)
    nothing_was_sent(ran, sandbox, 3, "run.live", "--yes")

    # The sandbox's address stands in for the live one: COINMENA_BASE_URL is set.
    assert 0 == onboard.run(ONBOARD, *words, "--yes").code


def test_the_live_address_needs_a_yes_under_any_name(onboard: Onboard, sandbox: Sandbox) -> None:
    live = "https://external-api.coinmena.com"

    for words in (("--base-url", live), ("--base-url", live.upper().replace("HTTPS", "https") + ":443/")):
        ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), *words)
        nothing_was_sent(ran, sandbox, 3, "run.live")


def test_more_than_a_client_may_move(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1), person(2, deposit="5000.01"))

    for verb in ("plan", "run"):
        ran = onboard(verb, BOTH, "--clients", clients)
        assert 3 == ran.code, ran.story
        for word in ("money.cap", "5000.01", "5000.00", "clients.csv:3"):
            assert word in ran.err, ran.story
        assert 0 == sandbox.requests


def test_more_than_the_run_may_move(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1), person(2))

    for verb in ("plan", "run", "rehearse"):
        ran = onboard(verb, BOTH, "--clients", clients, "--cap", "USD=199.99")
        assert 3 == ran.code, ran.story
        for word in ("money.cap", "200.00", "199.99"):
            assert word in ran.err, ran.story
        assert 0 == sandbox.requests
    assert 0 == onboard("run", BOTH, "--clients", clients, "--cap", "USD=200").code


def test_an_asset_without_a_cap(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(BOTH, "--clients", onboard.clients(person(1)), "--input", "asset=AED")

    assert ran.code in (2, 3), ran.story
    assert '"AED"' in ran.err
    assert 0 == sandbox.requests


def test_a_second_process_on_the_same_state_folder(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1))
    sandbox.fault("clients.create=slow:1.5:x1")
    first = onboard.start("run", ONBOARD, "--clients", clients)
    wait_for(lambda: sandbox.asked("clients.create") == 1)

    second = onboard.run(ONBOARD, "--clients", clients)

    assert 3 == second.code, second
    assert "run.locked" in second.err
    assert f"pid {first.pid}" in second.err
    assert "wait for it to end" in second.err
    assert 0 == onboard.finish(first).code
    assert 1 == sandbox.asked("clients.create")


# -- Ctrl-C --------------------------------------------------------------------------------------------------------


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_finishes_what_is_in_flight_and_remembers(
    onboard: Onboard, sandbox: Sandbox, kind: signal.Signals
) -> None:
    people = [person(number) for number in range(1, 9)]
    sandbox.fault("clients.create=slow:0.5")
    clients = onboard.clients(*people)
    process = onboard.start("run", BOTH, "--clients", clients, "--jobs", 2, "--report-json", "report.json")
    wait_for(lambda: sandbox.asked("clients.create") == 2)

    process.send_signal(kind)
    ran = onboard.finish(process)

    assert 130 == ran.code, ran.story
    assert "interrupted" == ran.report["run"]["status"]
    assert 130 == ran.report["run"]["exit_code"]
    assert 2 == len(sandbox.clients)
    assert {"waiting": 2, "not_started": 6} == ran.totals
    assert "run.interrupted" == ran.problem("user_8")["code"]
    assert "passed" == ran.step("user_1", "create")["status"]
    assert "onboard resume" in ran.out
    assert "130" in onboard("status", "--format", "json").out
    assert {} == sandbox.ledger


def test_a_second_interrupt_stops_at_once(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("clients.create=slow:5")
    process = onboard.start("run", ONBOARD, "--clients", onboard.clients(person(1)))
    wait_for(lambda: sandbox.asked("clients.create") == 1)

    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    began = time.monotonic()
    ran = onboard.interrupt(process)

    assert 130 == ran.code, ran.story
    assert time.monotonic() - began < 2
