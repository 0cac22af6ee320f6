"""The sandbox as its users meet it: a process, a socket, a signature."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import IO, Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from runner.sandbox.coinmena import credentials
from runner.sandbox.launch import applications
from runner.sandbox.options import Options
from runner.sandbox.server import background

DEPOSIT = {"partner_client_id": "user_1", "asset_id": "USD", "amount": "5.00"}
DATA = {"clients": [{"partner_client_id": "user_1"}]}


class Partner:
    """Signs and sends with httpx; `behind` moves its clock back."""

    def __init__(self, url: str, env: dict[str, str], behind: float = 0.0) -> None:
        key = load_pem_private_key(env["COINMENA_PRIVATE_KEY"].encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self.key, self.partner, self.behind = key, env["COINMENA_PARTNER_ID"], behind
        self.http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def send(self, method: str, path: str, data: Any = None, timeout: float = 10) -> httpx.Response:
        body = b"" if data is None else json.dumps(data).encode()
        stamp = str(int((time.time() - self.behind) * 1000))
        text = "\n".join((stamp, method, path.partition("?")[0], hashlib.sha256(body).hexdigest()))
        headers = {
            "X-Partner-ID": self.partner,
            "X-Timestamp": stamp,
            "X-Signature": base64.b64encode(self.key.sign(text.encode())).decode(),
            "Content-Type": "application/json",
        }
        return self.http.request(method, path, content=body, headers=headers, timeout=timeout)

    def deposit(self, reference: str, timeout: float = 10) -> httpx.Response:
        return self.send("POST", "/v1/partner/deposits", DEPOSIT | {"partner_order_ref": reference}, timeout)

    def plan(self, *faults: str) -> None:
        self.http.post("/_sandbox/faults", json={"faults": faults, "replace": True}).raise_for_status()

    def applied(self, reference: str) -> bool:
        return self.send("GET", f"/v1/partner/orders/ref/{reference}").status_code == 200

    @property
    def state(self) -> Any:
        return self.http.get("/_sandbox/state").json()


@pytest.fixture(scope="module")
def shared() -> Iterator[Partner]:
    with background(applications(Options(), {})) as urls:
        partner = Partner(urls["coinmena"], credentials(1))
        with partner.http:
            yield partner


@pytest.fixture
def partner(shared: Partner) -> Partner:
    """A fresh sandbox on the shared socket, with the client "user_1"."""
    shared.http.post("/_sandbox/reset").raise_for_status()
    shared.http.post("/_sandbox/data", json=DATA).raise_for_status()
    return shared


@pytest.fixture
def launch() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `python -m runner.sandbox` and end it with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def launched(*words: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COINMENA_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "runner.sandbox", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean | (env or {}),
        )
        started.append(process)
        return process

    yield launched
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def pipe(found: IO[bytes] | None) -> IO[bytes]:
    assert found is not None
    return found


def listening(process: subprocess.Popen[bytes]) -> Any:
    return json.loads(pipe(process.stdout).readline())


def test_a_deposit_over_a_real_socket(partner: Partner) -> None:
    made = partner.deposit("r1")

    assert made.status_code == 200
    assert made.json()["result"]["debit"] == "5.00"
    assert partner.state["balances"] == {"user_1": {"USD": "5.00"}}
    assert partner.state["requests"] == {"deposits.create": 1}


def test_a_document_uploaded_by_an_ordinary_client(partner: Partner) -> None:
    path = "/v1/partner/clients/user_1/documents"
    files = {"front_file": ("id.jpg", b"\xff\xd8\xff\r\n--x\r\n" * 1000, "image/jpeg")}
    form = partner.http.build_request("POST", path, data={"type": "government_id"}, files=files)
    body = form.read()
    stamp = str(int(time.time() * 1000))
    text = f"{stamp}\nPOST\n{path}\n{hashlib.sha256(body).hexdigest()}"
    signature = base64.b64encode(partner.key.sign(text.encode())).decode()
    form.headers.update({"X-Partner-ID": partner.partner, "X-Timestamp": stamp, "X-Signature": signature})

    assert partner.http.send(form).status_code == 201
    (document,) = partner.state["documents"]
    assert document["front_file"]["sha256"] == hashlib.sha256(b"\xff\xd8\xff\r\n--x\r\n" * 1000).hexdigest()


@pytest.mark.parametrize(("kind", "applied"), [("drop-before", False), ("drop-after", True), ("late:9", False)])
def test_a_dropped_connection_is_a_close_without_one_byte(partner: Partner, kind: str, applied: bool) -> None:
    partner.plan(f"deposits.create={kind}:x1")
    body = json.dumps(DEPOSIT | {"partner_order_ref": "r1"}).encode()
    request = partner.http.build_request("POST", "/v1/partner/deposits", content=body)
    stamp = str(int(time.time() * 1000))
    text = f"{stamp}\nPOST\n/v1/partner/deposits\n{hashlib.sha256(body).hexdigest()}"
    signature = base64.b64encode(partner.key.sign(text.encode())).decode()
    head = (
        f"POST /v1/partner/deposits HTTP/1.1\r\nHost: x\r\nX-Partner-ID: {partner.partner}\r\n"
        f"X-Timestamp: {stamp}\r\nX-Signature: {signature}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    with socket.create_connection((request.url.host, request.url.port or 80), timeout=5) as peer:
        peer.sendall(head.encode() + body)
        assert peer.recv(1) == b""

    assert applied == partner.applied("r1")


@pytest.mark.parametrize(
    ("kind", "error", "applied"),
    [
        ("drop-before", httpx.RemoteProtocolError, False),
        ("drop-after", httpx.RemoteProtocolError, True),
        ("truncated", httpx.RemoteProtocolError, True),
        ("hang", httpx.ReadTimeout, False),
        ("hang-after", httpx.ReadTimeout, True),
        ("hang:0.05", httpx.RemoteProtocolError, False),
        ("slow:9", httpx.ReadTimeout, True),
    ],
)
def test_what_an_http_client_makes_of_it(partner: Partner, kind: str, error: type[Exception], applied: bool) -> None:
    partner.plan(f"deposits.create={kind}:x1")

    with pytest.raises(error):
        partner.deposit("r1", timeout=0.2)

    assert applied == partner.applied("r1")


def test_a_late_effect_lands_by_itself(partner: Partner) -> None:
    partner.plan("deposits.create=late:0.1:x1")
    with pytest.raises(httpx.RemoteProtocolError):
        partner.deposit("r1")

    assert not partner.applied("r1")
    while partner.state["pending"]:
        time.sleep(0.01)
    assert partner.applied("r1")


def test_slow_is_slow_and_true(partner: Partner) -> None:
    partner.plan("deposits.create=slow:0.1:x1")
    before = time.monotonic()

    assert partner.deposit("r1").status_code == 200
    assert time.monotonic() - before >= 0.1


def test_calls_at_the_same_time_are_applied_once_each(partner: Partner) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda number: partner.deposit(f"r{number % 20}").status_code, range(100)))

    assert (codes.count(200), codes.count(409)) == (20, 80)
    assert partner.state["balances"] == {"user_1": {"USD": "100.00"}}


def test_a_request_that_never_ends_was_never_made(partner: Partner) -> None:
    host, port = partner.http.base_url.host, partner.http.base_url.port or 80
    head = b"POST /v1/partner/deposits HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    with socket.create_connection((host, port), timeout=5) as peer:
        peer.sendall(head + b"half")
    with socket.create_connection((host, port), timeout=5) as peer:
        peer.sendall(head + b"first")
        time.sleep(0.02)
        peer.sendall(b"later")
        assert peer.recv(12) == b"HTTP/1.1 401"

    assert partner.state["requests"] == {"deposits.create": 1}


def test_an_idle_connection_does_not_keep_the_server_alive() -> None:
    with httpx.Client(trust_env=False) as idle:
        with background(applications(Options(), {})) as urls:
            assert idle.get(f"{urls['coinmena']}/v1/public/assets").status_code == 200
            before = time.monotonic()

        assert time.monotonic() - before < 1


@pytest.mark.parametrize(("offset", "status"), [(-5, 401), (5, 200), (59, 200), (61, 401)])
def test_a_clock_that_is_off_shows_in_the_date_and_in_the_timestamp_check(offset: float, status: int) -> None:
    with background(applications(Options(clock_offset=offset), {})) as urls:
        partner = Partner(urls["coinmena"], credentials(1))
        with partner.http:
            answer = partner.send("GET", "/v1/partner/orders")

    assert status == answer.status_code
    ahead = parsedate_to_datetime(answer.headers["date"]) - datetime.now().astimezone()
    assert abs(ahead - timedelta(seconds=offset)) < timedelta(seconds=2)
    assert len(answer.headers.get_list("date")) == 1


def test_a_hanging_call_does_not_keep_the_server_alive() -> None:
    with background(applications(Options(), {})) as urls:
        partner = Partner(urls["coinmena"], credentials(1))
        partner.plan("*=hang")
        with pytest.raises(httpx.ReadTimeout):
            partner.send("GET", "/v1/partner/orders", timeout=0.05)
        waiting = ThreadPoolExecutor(1)
        answer = waiting.submit(partner.send, "GET", "/v1/partner/orders")
        while partner_calls(urls["coinmena"]) < 2:
            time.sleep(0.01)
        ended = time.monotonic()

    assert isinstance(answer.exception(5), httpx.RemoteProtocolError)
    assert time.monotonic() - ended < 2
    waiting.shutdown()
    partner.http.close()


def partner_calls(url: str) -> int:
    return int(httpx.get(f"{url}/_sandbox/state", trust_env=False).json()["requests"]["orders.list"])


def test_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), background(applications(Options(), {}), port=port):
            pass


def test_one_line_of_json_says_everything_a_client_needs(
    launch: Callable[..., subprocess.Popen[bytes]],
) -> None:
    process = launch("coinmena", "--port", "0", "--seed", "7")
    found = listening(process)["coinmena"]
    partner = Partner(found["env"]["COINMENA_BASE_URL"], found["env"])
    with partner.http:
        assert partner.send("GET", "/v1/partner/orders").status_code == 200

    assert found["url"] == found["env"]["COINMENA_BASE_URL"]
    assert found["env"]["COINMENA_PRIVATE_KEY"] == credentials(7)["COINMENA_PRIVATE_KEY"]


def test_it_ends_with_its_stdin(launch: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = launch("--exit-with-stdin")
    listening(process)
    pipe(process.stdin).close()

    assert process.wait(5) == 0
    assert pipe(process.stderr).read() == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal(launch: Callable[..., subprocess.Popen[bytes]], number: signal.Signals) -> None:
    process = launch()
    listening(process)
    process.send_signal(number)

    assert process.wait(5) == 0
    assert pipe(process.stderr).read() == b""


def test_it_does_not_outlive_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-m', 'runner.sandbox', '--exit-with-stdin'],"
            " stdin=subprocess.PIPE)\n"
            "child.wait()\n",
        ],
        stdout=subprocess.PIPE,
    )
    with parent, pipe(parent.stdout) as out:
        url = json.loads(out.readline())["coinmena"]["url"]
        parent.kill()
        assert out.read() == b""  # ends only when the sandbox has closed its stdout

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_sandbox/state", trust_env=False)


def test_shell_lines_hold_a_key_with_line_breaks(launch: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = launch("--format", "env", "--exit-with-stdin")
    pipe(process.stdin).close()
    lines = pipe(process.stdout).read().decode()
    shown = subprocess.run(["sh", "-c", f'{lines}printf %s "$COINMENA_PRIVATE_KEY"'], capture_output=True, check=True)

    assert shown.stdout.decode() == credentials(1)["COINMENA_PRIVATE_KEY"]
    assert "export COINMENA_PARTNER_ID='sandbox-partner'\n" in lines


def test_somebody_elses_key_is_accepted_and_not_shown(launch: Callable[..., subprocess.Popen[bytes]]) -> None:
    theirs = {**credentials(3), "COINMENA_PARTNER_ID": "acme"}
    found = listening(launch(env=theirs))["coinmena"]
    partner = Partner(found["url"], theirs)
    with partner.http:
        assert partner.send("GET", "/v1/partner/orders").status_code == 200

    assert found["env"] == {"COINMENA_BASE_URL": found["url"], "COINMENA_PARTNER_ID": "acme"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nobody"], 2, b'sandbox: unknown provider "nobody", known are coinmena'),
        (["--fault", "nothing=401"], 2, b"unknown operation"),
        (["--data", "missing.json"], 2, b"missing.json"),
        (["--signing", "hash=md5"], 2, b'hash is "md5"'),
        (["--public-key", "AAAA"], 2, b"the public key is neither PEM"),
        (["--allow-ip", "here"], 2, b"'here' does not appear to be"),
    ],
)
def test_what_is_wrong_is_said_before_listening(
    launch: Callable[..., subprocess.Popen[bytes]], words: list[str], code: int, message: bytes
) -> None:
    process = launch(*words)
    out, error = process.communicate(timeout=10)

    assert (code, b"") == (process.returncode, out)
    assert message in error


def test_a_taken_port_ends_the_process_with_6(launch: Callable[..., subprocess.Popen[bytes]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = launch("--port", str(taken.getsockname()[1]))
        _, error = process.communicate(timeout=10)

    assert process.returncode == 6
    assert b"cannot listen on 127.0.0.1" in error
