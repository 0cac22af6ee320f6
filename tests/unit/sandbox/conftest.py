"""A partner who signs by hand, a clock that stands still, and an application without a socket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from company import Company
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from runner.sandbox.app import App
from runner.sandbox.coinmena import credentials
from runner.sandbox.launch import applications
from runner.sandbox.options import Options

START = 1_717_236_000.0  # 2024-06-01T10:00:00Z


@dataclass
class ManualClock:
    seconds: float = START

    def now(self) -> float:
        return self.seconds


@dataclass
class Reply:
    """What a peer would see: an answer, a part of one, or only a closed connection."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    dropped: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        return self.json["result"]

    @property
    def code(self) -> tuple[int | None, int]:
        """HTTP status and application code."""
        return self.status, self.json["code"]


class Partner:
    """Calls one application, signed as providers/coinmena.md says."""

    def __init__(self, app: App, clock: ManualClock) -> None:
        self.app, self.clock = app, clock
        self.slept: list[float] = []
        self.postponed: list[tuple[float, Callable[[], None]]] = []
        app.sleep, app.later = self._sleep, self._later
        key = load_pem_private_key(credentials(1)["COINMENA_PRIVATE_KEY"].encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self.key = key

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self.postponed.append((seconds, action))

    def signature(self, text: bytes) -> str:
        return base64.b64encode(self.key.sign(text)).decode()

    def signed(self, method: str, path: str, body: bytes) -> dict[str, str]:
        stamp = str(int(self.clock.now() * 1000))
        text = "\n".join((stamp, method, path.partition("?")[0], hashlib.sha256(body).hexdigest()))
        return {
            "X-Partner-ID": "sandbox-partner",
            "X-Timestamp": stamp,
            "X-Signature": self.signature(text.encode()),
        }

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        peer: str = "127.0.0.1",
    ) -> Reply:
        """One request exactly as given, unsigned."""
        reply = Reply()
        raw, _, query = path.partition("?")

        class Connection:
            def drop(self) -> None:
                reply.dropped = True

        async def receive() -> dict[str, Any]:
            if asked:
                await asyncio.Event().wait()
            asked.append(True)
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                reply.body += message["body"]

        asked: list[bool] = []
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "client": (peer, 40000),
            "state": {"connection": Connection()},
        }
        asyncio.run(self.app(scope, receive, send))
        return reply

    def get(self, path: str) -> Reply:
        return self.send("GET", path, b"", self.signed("GET", path, b""))

    def post(self, path: str, data: Any, method: str = "POST") -> Reply:
        body = json.dumps(data).encode()
        return self.send(method, path, body, {**self.signed(method, path, body), "Content-Type": "application/json"})

    def put(self, path: str, data: Any) -> Reply:
        return self.post(path, data, "PUT")

    def upload(self, client: str, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Reply:
        path = f"/v1/partner/clients/{client}/documents"
        body = b"".join(
            b'--line\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value.encode())
            for name, value in fields.items()
        )
        body += b"".join(
            b'--line\r\nContent-Disposition: form-data; name="%s"; filename="a.bin"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % (name.encode(), content)
            for name, content in files.items()
        )
        body += b"--line--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=line"}
        return self.send("POST", path, body, {**self.signed("POST", path, body), **headers})

    def control(self, method: str, path: str, data: Any = None) -> Reply:
        return self.send(method, f"/_sandbox/{path}", b"" if data is None else json.dumps(data).encode())

    @property
    def state(self) -> Any:
        return self.control("GET", "state").json

    def client(self, name: str = "user_1", /, **changes: Any) -> Reply:
        """Create a client whose values nobody else has."""
        return self.post("/v1/partner/clients", person(name) | changes)

    def fund(self, kind: str, amount: str, reference: str, client: str = "user_1", asset: str = "USD") -> Reply:
        return self.post(
            f"/v1/partner/{kind}",
            {
                "partner_client_id": client,
                "asset_id": asset,
                "amount": amount,
                "partner_order_ref": reference,
            },
        )


def person(name: str) -> dict[str, Any]:
    digits = f"{sum(ord(letter) * (place + 7) for place, letter in enumerate(name)):07d}"
    return {
        "partner_client_id": name,
        "account_type": "personal",
        "name": "John Doe",
        "email": f"{name}@example.com",
        "phone": f"+9733{digits}",
        "residency_id": "bh",
        "citizenship_id": "bh",
        "place_of_birth_id": "bh",
        "birth_date": "1990-01-15",
        "government_id_number": f"90{digits}",
        "government_id_doe": "2028-01-15",
        "address": {"street": "123 Main St", "city": "Manama", "postal_code": "12345", "unit": "4A"},
        "employment": {
            "status": "employed",
            "company": "Acme Corp",
            "job_industry": "information_technology_telco",
            "job_level": "senior",
            "job_title": "Software Engineer",
        },
        "trading_volume": "10001_25000",
        "account_purpose": ["short_term_trading", "converting_crypto_to_fiat"],
    }


@pytest.fixture
def open_company(clock: ManualClock) -> Callable[..., Company]:
    """A local CryptoMate with these options, and the company that calls it."""

    def opened(*, env: Mapping[str, str] | None = None, rate: int = 1000, **options: Any) -> Company:
        (app,) = applications(Options(providers=("cryptomate",), rate=rate or None, **options), env or {}, clock)
        return Company(Partner(app, clock))

    return opened


@pytest.fixture
def company(open_company: Callable[..., Company]) -> Company:
    return open_company()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def start(clock: ManualClock) -> Callable[..., Partner]:
    """A sandbox with these options, and the partner who calls it."""

    def started(*, env: Mapping[str, str] | None = None, **options: Any) -> Partner:
        (app,) = applications(Options(providers=("coinmena",), **options), env or {}, clock)
        return Partner(app, clock)

    return started


@pytest.fixture
def partner(start: Callable[..., Partner]) -> Partner:
    return start()


@pytest.fixture
def funded(partner: Partner) -> Partner:
    """A partner with the client "user_1" who has 100.00 USD."""
    partner.client()
    partner.fund("deposits", "100.00", "first")
    return partner
