"""Which operation a method and a path mean."""

from __future__ import annotations

from typing import Any

import pytest

from runner.sandbox.base import Routes
from runner.sandbox.coinmena.provider import ROUTES

FOUND = Routes(*ROUTES)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v1/partner/orders", "orders.list"),
        ("GET", "/v1/partner/orders/", "orders.list"),
        ("GET", "/v1/partner/orders/7", "orders.get"),
        ("GET", "/v1/partner/orders/ref", "orders.get"),
        ("GET", "/v1/partner/orders/ref/7", "orders.by_reference"),
        ("GET", "/v1/partner/clients/a", "clients.get"),
        ("GET", "/v1/partner/clients/a/", "clients.get"),
        ("GET", "/v1/partner/clients/a/documents/", "documents.list"),
        ("POST", "/v1/partner/clients/a/documents", "documents.upload"),
        ("PUT", "/v1/partner/clients/a/activation", "clients.activate"),
        ("POST", "/v1/partner/clients", "clients.create"),
        ("POST", "/v1/partner/clients/", None),
        ("POST", "/v1/partner/deposits/", None),
        ("GET", "/v1/partner//orders", None),
        ("GET", "/v1/partner/clients//", None),
        ("GET", "/", None),
        ("DELETE", "/v1/partner/clients", None),
    ],
)
def test_a_path_means_one_operation(method: str, path: str, operation: str | None) -> None:
    found = FOUND.find(method, path)

    assert operation == (found[0].operation if found else None)


def test_parameters_are_decoded() -> None:
    found = FOUND.find("GET", "/v1/partner/orders/ref/a%2Fb%20c")

    assert found is not None
    assert found[1] == {"partner_order_ref": "a/b c"}


def test_a_wrong_method_and_a_wrong_path_are_told_apart(partner: Any) -> None:
    wrong = partner.send("DELETE", "/v1/partner/clients/a")

    assert (wrong.status, wrong.headers["allow"]) == (405, "GET")
    assert partner.send("GET", "/v2/partner/clients").code == (404, 404)
    assert partner.state["requests"] == {"unknown": 2}


def test_a_body_beyond_reason_is_413(partner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.sandbox.app.LARGEST_BODY", 10)

    assert partner.send("POST", "/v1/partner/clients", b"x" * 11).code == (413, 413)


def test_every_answer_carries_the_servers_own_date(partner: Any) -> None:
    assert partner.send("GET", "/v1/public/assets").headers["date"] == "Sat, 01 Jun 2024 10:00:00 GMT"
