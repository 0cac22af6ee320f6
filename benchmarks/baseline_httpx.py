"""What one would write by hand: the same requests in the same order with asyncio and one httpx.AsyncClient.

    python benchmarks/baseline_httpx.py clients.csv --jobs 32

No journal, no retries, no look-up after a lost answer, no report: the least that gets the work done. It knows the
provider by heart, where the runner reads a pack. Measured against the runner by throughput.py.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import csv
import hashlib
import mimetypes
import os
import time
from collections.abc import Generator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

DOCUMENTS = (("government_id", "id_front", "id_back"), ("proof_of_address", "address_proof", ""))
RANGE = {"from_datetime": "2024-01-01T00:00:00Z", "to_datetime": "2099-12-31T23:59:59Z"}
Row = dict[str, str]


class Signature(httpx.Auth):
    """Signs each request over the bytes that leave."""

    requires_request_body = True

    def __init__(self, partner: str, pem: str) -> None:
        key = load_pem_private_key(pem.encode(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        self._partner, self._key = partner, key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        at = str(int(time.time() * 1000) - 1000)
        digest = hashlib.sha256(request.content).hexdigest()
        message = f"{at}\n{request.method}\n{request.url.raw_path.partition(b'?')[0].decode()}\n{digest}"
        request.headers["X-Partner-ID"] = self._partner
        request.headers["X-Timestamp"] = at
        request.headers["X-Signature"] = base64.b64encode(self._key.sign(message.encode())).decode()
        yield request


class Partner:
    """The provider's API for one folder of documents."""

    def __init__(self, http: httpx.AsyncClient, folder: Path) -> None:
        self._http, self._folder = http, folder
        self.requests = 0

    async def onboard(self, row: Row) -> None:
        """One client from nothing to funded and audited."""
        key = row["partner_client_id"]
        path = f"/v1/partner/clients/{key}"
        made = (await self._call("POST", "/v1/partner/clients", json=body_of(row)))["result"]
        assert made["status"] == "verified"
        assert made["active"]
        for kind, front, back in DOCUMENTS:
            # Whether a second upload makes a second document is not documented: look before.
            await self._call("GET", f"{path}/documents")
            files = {"front_file": self._file(row[front])} | ({"back_file": self._file(row[back])} if back else {})
            sent = await self._call("POST", f"{path}/documents", data={"type": kind}, files=files)
            assert sent["result"]["type"] == kind
        assert len((await self._call("GET", f"{path}/documents"))["items"]) >= len(DOCUMENTS)
        assert (await self._call("GET", f"{path}/"))["result"]["status"] == "verified"
        orders = [await self._move("deposit", key, row["deposit"])]
        assert (await self._call("GET", "/v1/partner/balances", params={"partner_client_id": key}))["items"]
        if row["withdrawal"]:
            found = await self._call("GET", "/v1/partner/balances/USD", params={"partner_client_id": key})
            assert Decimal(found["result"]["available_balance"]) >= Decimal(row["withdrawal"])
            orders.append(await self._move("withdrawal", key, row["withdrawal"]))
        for order in orders:
            found = await self._call("GET", f"/v1/partner/orders/ref/{order['partner_order_ref']}")
            assert found["result"]["id"] == order["id"]
        for order in orders:
            assert (await self._call("GET", f"/v1/partner/orders/{order['id']}"))["result"]["status"] == "completed"
        query = {"partner_client_id": key, **RANGE, "status": "completed", "page": "1", "page_size": "100"}
        assert len((await self._call("GET", "/v1/partner/orders", params=query))["items"]) >= len(orders)

    async def _move(self, kind: str, key: str, amount: str) -> dict[str, Any]:
        name = hashlib.sha256(f"{kind} {key}".encode()).hexdigest()[:32]
        body = {"partner_client_id": key, "asset_id": "USD", "amount": amount, "partner_order_ref": name}
        order: dict[str, Any] = (await self._call("POST", f"/v1/partner/{kind}s", json=body))["result"]
        assert order["status"] == "completed"
        assert Decimal(order["debit" if kind == "deposit" else "credit"]) == Decimal(amount)
        return order

    def _file(self, name: str) -> tuple[str, bytes, str]:
        path = self._folder / name
        return path.name, path.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream"

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        self.requests += 1
        answer = await self._http.request(method, path, **more)
        answer.raise_for_status()
        return answer.json()


def body_of(row: Row) -> dict[str, Any]:
    """The row as the provider wants it."""
    names = (
        "partner_client_id", "name", "email", "phone", "residency_id", "citizenship_id", "place_of_birth_id",
        "birth_date", "government_id_number", "government_id_doe", "trading_volume",
    )  # fmt: skip
    body: dict[str, Any] = {name: row[name] for name in names}
    for name in ("address", "employment"):
        cells = {column.partition(".")[2]: cell for column, cell in row.items() if column.startswith(f"{name}.")}
        body[name] = {field: cell for field, cell in cells.items() if cell}
    return body | {"account_type": "personal", "account_purpose": row["account_purpose"].split(";")}


async def main(path: Path, jobs: int) -> int:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    auth = Signature(os.environ["COINMENA_PARTNER_ID"], os.environ["COINMENA_PRIVATE_KEY"])
    limits = httpx.Limits(max_connections=jobs, max_keepalive_connections=jobs)
    base = os.environ["COINMENA_BASE_URL"]
    async with httpx.AsyncClient(base_url=base, auth=auth, limits=limits, timeout=30) as http:
        partner = Partner(http, path.parent)
        rest: Iterator[Row] = iter(rows)

        async def work() -> None:
            for row in rest:
                await partner.onboard(row)

        async with asyncio.TaskGroup() as group:
            for _ in range(jobs):
                group.create_task(work())
    return partner.requests


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("clients", type=Path)
    parser.add_argument("--jobs", type=int, default=8)
    words = parser.parse_args()
    print(asyncio.run(main(words.clients, words.jobs)), "requests")
