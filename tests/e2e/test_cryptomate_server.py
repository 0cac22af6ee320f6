"""CryptoMate's sandbox over real sockets: a review takes its time, and somebody listens for its end."""

from __future__ import annotations

import base64
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from runner.sandbox.base import Heard, Letter
from runner.sandbox.cryptomate import credentials
from runner.sandbox.launch import applications
from runner.sandbox.options import Options
from runner.sandbox.post import post
from runner.sandbox.server import background

PEOPLE = "/management/clients/individuals"
PERSON = {
    "first_name": "Maria",
    "last_name": "Barber",
    "email": "maria@example.com",
    "birth_date": "1984-11-21",
    "address": {
        "street_line1": "Florida 1",
        "city": "Pilar",
        "postal_code": "1629",
        "state": "ARG-B",
        "country": "ARG",
    },
    "phone_country_code": 54,
    "phone_number": 1168860622,
}
PASSPORT = {
    "document_type": "passport",
    "image_front": "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8\xffphoto").decode(),
    "metadata": {"number": "A1"},
}
TAKEN = b'{"response_code":"OK"}'


class Listener(http.server.ThreadingHTTPServer):
    """A receiver on a port of its own; what it answers is told beforehand."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.heard: list[tuple[dict[str, str], Any]] = []
        self.answers: list[Callable[[http.server.BaseHTTPRequestHandler], None]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook?x=1"


class Receiver(http.server.BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/hook?x=1"
        self.server.heard.append((dict(self.headers), json.loads(body)))
        (self.server.answers.pop(0) if self.server.answers else plain)(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""


def plain(to: http.server.BaseHTTPRequestHandler, status: int = 200) -> None:
    to.send_response(status)
    to.send_header("Content-Length", str(len(TAKEN)))
    to.end_headers()
    to.wfile.write(TAKEN)


def chunked(to: http.server.BaseHTTPRequestHandler) -> None:
    to.send_response(200)
    to.send_header("Transfer-Encoding", "chunked")
    to.end_headers()
    to.wfile.write(b"5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (TAKEN[:5], len(TAKEN) - 5, TAKEN[5:]))


def until_closed(to: http.server.BaseHTTPRequestHandler) -> None:
    to.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + TAKEN)
    to.close_connection = True


def nothing(to: http.server.BaseHTTPRequestHandler) -> None:
    to.close_connection = True


def nonsense(to: http.server.BaseHTTPRequestHandler) -> None:
    to.wfile.write(b"nonsense\r\n\r\n")
    to.close_connection = True


def endless(to: http.server.BaseHTTPRequestHandler) -> None:
    to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    to.close_connection = True


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as found:
        threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        found.shutdown()


class Company:
    def __init__(self, url: str) -> None:
        key = credentials(1)["CRYPTOMATE_API_KEY"]
        self.http = httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=10, trust_env=False)

    def listen(self, url: str) -> None:
        given = {"url": url, "webhook_key": "0123456789"}
        self.http.post("/management/companies/webhook/subscribe", json=given).raise_for_status()

    def submit(self) -> str:
        """A client whose request is handed over; gives the client's id."""
        client = str(self.http.post(PEOPLE, json=PERSON).json()["id"])
        path = f"{PEOPLE}/{client}/products"
        request = self.http.post(path, json={"subproduct": "cards_individuals"}).json()["id"]
        self.http.post(f"{path}/{request}/documentation", json={"document": PASSPORT}).raise_for_status()
        assert self.http.post(f"{path}/{request}/submit").json()["product"]["status"] == "in_kyc"
        return client

    @property
    def state(self) -> Any:
        return self.http.get("/_sandbox/state").json()

    def delivered(self) -> Any:
        """The one delivery, once it is over."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            found = self.state["deliveries"]
            if found and found[0]["status"] in ("delivered", "failed"):
                return found[0]
            time.sleep(0.01)
        raise AssertionError(found)


@pytest.fixture
def company() -> Iterator[Company]:
    options = Options(providers=("cryptomate",), kyc_delay=0.05, webhook_retry_first=0.001)
    with background(applications(options, {})) as urls:
        found = Company(urls["cryptomate"])
        with closing(found.http):
            yield found


@pytest.mark.parametrize("answer", [plain, chunked, until_closed])
def test_a_verdict_is_heard_of(company: Company, listener: Listener, answer: Any) -> None:
    listener.answers = [answer]
    company.listen(listener.url)
    client = company.submit()
    delivery = company.delivered()

    ((headers, body),) = listener.heard
    assert (body["operation_id"], body["data"]["status"]) == (client, "active")
    assert headers["X-Webhook-Key"] == "0123456789"
    assert abs(int(headers["X-Request-Timestamp"]) / 1000 - time.time()) < 10
    assert (headers["Content-Type"], headers["Host"]) == ("application/json", f"127.0.0.1:{listener.server_port}")
    (attempt,) = delivery["attempts"]
    assert (attempt["url"], attempt["status"], attempt["answer"]) == (listener.url, 200, TAKEN.decode())
    assert company.http.get(f"{PEOPLE}/{client}").json()["status"] == "active"


def test_what_is_not_taken_is_brought_again(company: Company, listener: Listener) -> None:
    listener.answers = [nothing, nonsense, endless, lambda to: plain(to, 202), plain]
    company.listen(listener.url)
    company.submit()
    delivery = company.delivered()

    assert delivery["status"] == "delivered"
    assert [None, None, None, 202, 200] == [attempt["status"] for attempt in delivery["attempts"]]
    assert "longer than 64 KiB" in delivery["attempts"][2]["problem"]
    assert len({json.dumps(body) for _, body in listener.heard}) == 1


def test_ten_attempts_where_nobody_is_at_home(company: Company) -> None:
    company.listen("http://127.0.0.1:1/hook?x=1")
    company.submit()
    delivery = company.delivered()

    assert (delivery["status"], len(delivery["attempts"])) == ("failed", 10)
    assert "ConnectionRefusedError" in delivery["attempts"][0]["problem"]


def test_another_machine_is_never_called(company: Company) -> None:
    company.listen("https://example.com/hook")
    company.submit()

    problems = {attempt["problem"] for attempt in company.delivered()["attempts"]}
    assert problems == {"not sent: a local sandbox delivers only by http to this machine (127.0.0.1, [::1])"}


def test_a_listener_that_never_answers_does_not_keep_the_server_alive(listener: Listener) -> None:
    waiting = threading.Event()
    listener.answers = [lambda to: waiting.wait(10) and None]
    options = Options(providers=("cryptomate",), kyc_delay=0)
    with background(applications(options, {})) as urls:
        company = Company(urls["cryptomate"])
        with closing(company.http):
            company.listen(listener.url)
            company.submit()
            while not listener.heard:
                time.sleep(0.01)
        before = time.monotonic()

    assert time.monotonic() - before < 2
    waiting.set()


def test_a_review_that_is_still_open_does_not_keep_the_server_alive() -> None:
    with background(applications(Options(providers=("cryptomate",), kyc_delay=3600), {})) as urls:
        company = Company(urls["cryptomate"])
        with closing(company.http):
            company.submit()
        before = time.monotonic()

    assert time.monotonic() - before < 2


@pytest.mark.anyio
async def test_a_listener_gets_only_so_much_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        heard = await post(Letter(f"http://127.0.0.1:{mute.getsockname()[1]}/", (), b"{}"), 0.05)

    assert heard == Heard(problem="no answer within 0.05 s")


@pytest.mark.parametrize("words", [["cryptomate"], []])
def test_the_command_line_serves_it_alone_and_with_the_others(words: list[str]) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CRYPTOMATE_")}
    command = [sys.executable, "-m", "runner.sandbox", *words, "--exit-with-stdin", "--seed", "7"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        found = json.loads(process.stdout.readline())
        process.stdin.close()

    assert found["cryptomate"]["env"] == {"CRYPTOMATE_BASE_URL": found["cryptomate"]["url"], **credentials(7)}
    assert ({"cryptomate"} if words else {"coinmena", "cryptomate", "fin"}) == set(found)
