"""A company that uses CryptoMate: its key, its clients, and an ear for what it is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from runner.sandbox import cryptomate
from runner.sandbox.base import Heard, Letter

PASSPORT = {
    "document_type": "passport",
    "image_front": "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8\xffphoto").decode(),
    "metadata": {"number": "AB1234567"},
}
PEOPLE = "/management/clients/individuals"


class Company:
    """Calls a local CryptoMate with its key; time passes when told, and letters are answered as told."""

    def __init__(self, line: Any) -> None:
        """`line` is the Partner of conftest.py: its socket-less line to an application, and its clock."""
        self.line, self.app, self.clock = line, line.app, line.clock
        self.send, self.control, self.postponed = line.send, line.control, line.postponed
        self.key_given = cryptomate.credentials(1)["CRYPTOMATE_API_KEY"]
        self.letters: list[Letter] = []
        self.heard: list[Heard] = []
        self.app.post = self._post

    def _post(self, letter: Letter, timeout: float, then: Callable[[Heard], None]) -> None:
        self.letters.append(letter)
        then(self.heard.pop(0) if self.heard else Heard(200, b'{"response_code":"OK"}'))

    @property
    def state(self) -> Any:
        return self.line.state

    def ask(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        body = b"" if data is None else json.dumps(data).encode()
        given = {"x-api-key": self.key_given, "Content-Type": "application/json"}
        return self.send(method, path, body, {**given, **headers})

    def pass_time(self) -> list[float]:
        """Let everything that was postponed happen, in its order; gives the seconds each had to wait."""
        waited = []
        while self.postponed:
            self.postponed.sort(key=lambda each: each[0])
            seconds, action = self.postponed.pop(0)
            waited.append(seconds)
            action()
        return waited

    def data(self, **given: Any) -> Any:
        return self.control("POST", "data", given)

    def create(self, email: str = "maria@example.com", **changes: Any) -> str:
        return str(self.ask("POST", PEOPLE, human(email) | changes).json["id"])

    def request(self, client: str) -> Any:
        return self.ask("POST", f"{PEOPLE}/{client}/products", {"subproduct": "cards_individuals"})

    def upload(self, client: str, request: str, **changes: Any) -> Any:
        path = f"{PEOPLE}/{client}/products/{request}/documentation"
        document = {name: value for name, value in (PASSPORT | changes).items() if value is not None}
        return self.ask("POST", path, {"document": document})

    def submit(self, client: str, request: str) -> Any:
        return self.ask("POST", f"{PEOPLE}/{client}/products/{request}/submit")

    def submitted(self, email: str = "maria@example.com") -> tuple[str, str]:
        """A client with a phone number whose request is complete and handed over."""
        client = self.create(email, phone_country_code=54, phone_number=1168860622)
        request = str(self.request(client).json["id"])
        self.upload(client, request)
        assert self.submit(client, request).json["product"]["status"] == "in_kyc"
        return client, request

    def product(self, client: str) -> Any:
        return self.ask("GET", f"{PEOPLE}/{client}/products").json[0]

    def listen(self, url: str = "http://127.0.0.1:9/hook") -> Any:
        return self.ask("POST", "/management/companies/webhook/subscribe", {"url": url, "webhook_key": "0123456789"})


def human(email: str) -> dict[str, Any]:
    return {
        "first_name": "Maria",
        "last_name": "Barber",
        "email": email,
        "birth_date": "1984-11-21",
        "address": {
            "street_line1": "Florida 9860",
            "city": "Del Viso",
            "postal_code": "1669",
            "state": "ARG-B",
            "country": "ARG",
        },
    }
