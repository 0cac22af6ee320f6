"""A partner of the local Fin.com: its token, its customers with their documents, and an ear for what it is told."""

from __future__ import annotations

import copy
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from runner.sandbox.fin import credentials
from runner.sandbox.launch import applications
from runner.sandbox.options import Options
from runner.sandbox.server import background

JPEG, PNG, PDF = b"\xff\xd8\xff\xe0 a photo", b"\x89PNG\r\n\x1a\n a photo", b"%PDF-1.7 a bill"
MARIA = "maria@example.com"
KEYS = credentials(1)
CLIENT = {"client_id": KEYS["FIN_CLIENT_ID"], "client_secret": KEYS["FIN_CLIENT_SECRET"]}


class Clock:
    """The machine's clock, which can be set forward while the server runs."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset


class Partner:
    """Calls one server with its bearer token."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.clock = clock
        self.http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def log_in(self) -> Any:
        found = self.http.post("/v1/oauth/token", json=CLIENT).json()
        self.http.headers["Authorization"] = f"Bearer {found.get('data', found)['access_token']}"
        return found

    def reset(self) -> None:
        self.clock.offset = 0.0
        self.http.post("/_sandbox/reset").raise_for_status()
        self.log_in()

    def load(self, **data: Any) -> None:
        found = self.http.post("/_sandbox/data", json=data)
        assert found.status_code == 200, found.text

    def plan(self, *faults: str) -> None:
        self.http.post("/_sandbox/faults", json={"faults": faults}).raise_for_status()

    def act(self, name: str, **given: Any) -> httpx.Response:
        return self.http.post(f"/_sandbox/act/{name}", json=given)

    @property
    def state(self) -> Any:
        return self.http.get("/_sandbox/state").json()

    @property
    def ledger(self) -> Any:
        return self.http.get("/_sandbox/ledger").json()["items"]

    def get(self, path: str) -> Any:
        """What is in `data`."""
        return self.http.get(path).raise_for_status().json()["data"]

    def create(self, email: str = MARIA, **changes: Any) -> tuple[str, str]:
        """A V2 customer; gives its id and the value of the terms. Changes are dotted paths with __ for a dot."""
        found = self.http.post("/v2/customers/individual", json=person(email, **changes))
        assert found.status_code == 200, found.text
        return named(found)

    def create_v1(self, email: str = MARIA, **changes: Any) -> tuple[str, str]:
        found = self.http.post("/v1/customers/individual", json=person_v1(email, **changes))
        assert found.status_code == 200, found.text
        return named(found)

    def upload(self, customer: str, **files: bytes) -> dict[str, str]:
        """Field name to URI."""
        sent = {name: (f"{name}.bin", content) for name, content in files.items()}
        found = self.http.post("/v1/customers/upload", data={"customer_id": customer}, files=sent)
        assert found.status_code == 200, found.text
        return {name: uri for one in found.json()["data"]["files"] for name, uri in one.items()}

    def documents(self, customer: str, terms: str) -> dict[str, Any]:
        """A body for attach, whose files are uploaded."""
        return attachment(self.upload(customer, passport=JPEG, bill=PDF), terms)

    def attach(self, customer: str, body: Any) -> httpx.Response:
        return self.http.post(f"/v2/customers/{customer}/individual/attach", json=body)

    def attached(self, email: str = MARIA) -> tuple[str, str]:
        customer, terms = self.create(email)
        found = self.attach(customer, self.documents(customer, terms))
        assert found.status_code == 200, found.text
        return customer, terms

    def customer(self, customer: str) -> Any:
        return self.get(f"/v2/customers/{customer}")

    def waits_for(self, customer: str, status: str) -> Any:
        return until(lambda: self.customer(customer), lambda found: found["customer_status"] == status)

    def approved(self, email: str = MARIA) -> str:
        """A customer who needs no review."""
        self.load(customers=[{"email": email, "status": "APPROVED"}])
        return str(next(one for one in self.get("/v2/customers?type=INDIVIDUAL")["customers"])["customer_id"])


class Listener(http.server.ThreadingHTTPServer):
    """Hears what it is told; answers the statuses given beforehand, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"

    def events(self, kind: str) -> list[Any]:
        found = [json.loads(body) for _, body in self.heard]
        return [one for one in found if one["event"]["type"] == kind]


class _Receiver(http.server.BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""


@contextmanager
def listening() -> Iterator[Listener]:
    with Listener() as found:
        threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        found.shutdown()


@contextmanager
def serving(**options: Any) -> Iterator[Partner]:
    """A sandbox of its own, with a partner who has no token yet."""
    clock = Clock()
    chosen = {"kyc_delay": 0.03, "webhook_retry_first": 0.001, **options}
    with background(applications(Options(providers=("fin",), **chosen), {}, clock)) as urls:
        partner = Partner(urls["fin"], clock)
        with partner.http:
            yield partner


def until(look: Any, is_it: Any) -> Any:
    """What is seen, once it is as it should be."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if is_it(found := look()):
            return found
        time.sleep(0.005)
    raise AssertionError(found)


def beneficiary(partner: Partner, customer: str, status: str = "ACTIVE", **changes: Any) -> str:
    found = partner.http.post("/v3/beneficiaries", json=receiver(customer, **changes))
    assert found.status_code == 200, found.text
    made = str(found.json()["data"]["beneficiary_id"])
    path = f"/v2/beneficiaries/details?customer_id={customer}&beneficiary_id={made}"
    until(lambda: partner.get(path), lambda shown: shown["status"] == status)
    return made


def transfer(partner: Partner, made: str, amount: int = 10000, reference: str = "ref-1", **more: Any) -> httpx.Response:
    body = {"beneficiary_id": made, "reference_id": reference, "amount": amount, "remarks": "salary", **more}
    return partner.http.post("/v1/transactions/transfer-payout", json=body)


def settle(partner: Partner, transfer_id: str) -> httpx.Response:
    return partner.http.post("/v1/transactions/transfer-payout/settle", json={"transfer_id": transfer_id})


def transferred(partner: Partner, made: str, **changes: Any) -> str:
    found = transfer(partner, made, **changes)
    assert found.status_code == 200, found.text
    return str(found.json()["data"]["transfer_id"])


def errors(found: httpx.Response) -> Any:
    """Status, and the paths that are wrong with their first text."""
    assert found.json()["message"] == "Validation failed"
    return found.status_code, {path: texts[0] for path, texts in found.json()["errors"].items()}


def named(found: httpx.Response) -> tuple[str, str]:
    data = found.json()["data"]
    terms = httpx.URL(data["tos_policies_url"]).params
    assert terms["customer_id"] == data["customer_id"]
    return data["customer_id"], terms["tos_policies_value"]


def changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with `a__b=1` put at a.b; None takes away."""
    body = copy.deepcopy(body)
    for path, value in changes.items():
        *way, last = path.split("__")
        at: Any = body
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return body


def person(email: str = MARIA, **changes: Any) -> dict[str, Any]:
    body = {
        "verification_type": "STANDARD",
        "basic_info": {
            "first_name": "Maria",
            "last_name": "Garcia",
            "dob": "1990-04-15",
            "email": email,
            "phone": "+14155552671",
            "country_of_residence": "USA",
            "primary_nationality": "USA",
            "tax_info": [{"country_code": "USA", "document_type": "SSN", "document_id": "123-45-6789"}],
        },
        "address": {
            "street_line_1": "123 Market Street",
            "city": "San Francisco",
            "subdivision_code": "US-CA",
            "postal_code": "94103",
            "country": "USA",
        },
        "financial_profile": {
            "employment_status": "EMPLOYED",
            "occupation_id": 42,
            "purpose_id": 3,
            "source_of_fund_ids": [1, 5],
            "monthly_volume_usd": 5000,
        },
        "meta_data": {"reference": "client-1"},
    }
    return changed(body, changes)


def person_v1(email: str = MARIA, **changes: Any) -> dict[str, Any]:
    body = {
        "basic_info": {
            "first_name": "John",
            "last_name": "Doe",
            "dob": "1990-01-15",
            "email": email,
            "phone": "+14155552671",
            "country_of_residence": "USA",
            "nationality": "USA",
            "tin": "123-45-6789",
        },
        "address": {
            "street": "123 Main St",
            "city": "Toronto",
            "state": "CA-ON",
            "postal_code": "M5V 2T6",
            "country": "CAN",
        },
        "financial_profile": {
            "occupation_id": 504,
            "source_of_fund_id": 1,
            "purpose_id": 1,
            "monthly_volume_usd": 0,
        },
    }
    return changed(body, changes)


def attachment(uris: dict[str, str], terms: str) -> dict[str, Any]:
    return {
        "identifying_documents": [
            {
                "type": "PASSPORT",
                "number": "A12345678",
                "country": "USA",
                "issue_date": "2020-01-15",
                "expiry_date": "2099-01-15",
                "files": [{"uri": uris["passport"]}],
            }
        ],
        "address_documents": [{"type": "UTILITY_BILL", "country": "USA", "files": [{"uri": uris["bill"]}]}],
        "tos_policies_value": terms,
    }


def attachment_v1(customer: str, uris: dict[str, str], terms: str, **changes: Any) -> dict[str, Any]:
    body = {
        "customer_id": customer,
        "proof_of_identity": {
            "type": "PASSPORT",
            "number": "A12345678",
            "country": "USA",
            "issue_date": "2020-01-15",
            "expiry_date": "2099-01-15",
            "files": [{"uri": uris["passport"]}],
        },
        "proof_of_address": {"type": "UTILITY_BILL", "country": "USA", "files": [{"uri": uris["bill"]}]},
        "tos_policies_value": terms,
    }
    return changed(body, changes)


def receiver(customer: str, **changes: Any) -> dict[str, Any]:
    """A bank account in Bangladesh: the documented example, but for its author's mixture of countries."""
    address = {
        "street_line_1": "42 Road 2",
        "city": "Dhaka",
        "state": "BD-13",
        "postcode": "1212",
        "country": "BGD",
    }
    body = {
        "customer_id": customer,
        "country": "BGD",
        "currency": "BDT",
        "counter_party": "FIRST_PARTY",
        "account_holder": {
            "type": "INDIVIDUAL",
            "first_name": "John",
            "last_name": "Doe",
            "email": "john@example.com",
            "phone": "+8801912244626",
        },
        "account_holder_address": address,
        "receiver_meta_data": {"transaction_purpose_id": 1, "relationship": "SELF", "nationality": "BGD"},
        "developer_fee": {"fixed": 0.5, "percentage": 1},
        "bank_account": {"bank_name": "AB Bank", "number": "1234572211", "scheme": "LOCAL", "type": "SAVINGS"},
        "bank_address": address,
        "bank_routing": [
            {"scheme": "BANK_IDENTIFIER", "number": 1461},
            {"scheme": "BRANCH_IDENTIFIER", "number": "21513"},
        ],
        "deposit_instruction": {"currency": "USDC", "rail": "POLYGON"},
        "refund_instruction": {"wallet_address": "0x1b57", "currency": "USDC", "rail": "POLYGON"},
        "settlement_config": {"auto_settlement": True},
    }
    return changed(body, changes)
