"""Looking inside, planning faults, seeding data and starting over."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.sandbox.launch import applications
from runner.sandbox.options import Options

SEED = {
    "clients": [{"partner_client_id": "old"}, {"partner_client_id": "off", "active": False}],
    "orders": [
        {
            "partner_client_id": "old",
            "type": "deposit",
            "asset_id": "USD",
            "amount": "50.00",
            "partner_order_ref": "a",
        },
        {
            "partner_client_id": "old",
            "type": "withdrawal",
            "asset_id": "USD",
            "amount": "20.00",
            "status": "failed",
            "created_at": "2020-01-01T00:00:00Z",
        },
    ],
    "balances": [{"partner_client_id": "old", "asset_id": "AED", "balance": "7.50"}],
}


def test_only_this_machine_may_look_inside(partner: Any) -> None:
    assert partner.send("GET", "/_sandbox/state", peer="192.0.2.1").status == 403
    assert partner.send("GET", "/_sandbox/state", peer="").status == 403
    assert partner.send("GET", "/_sandbox/state", peer="::1").status == 200
    assert partner.control("GET", "nothing").status == 404


def test_the_state_of_a_new_sandbox(partner: Any) -> None:
    assert partner.state == {
        "provider": "coinmena",
        "now": "2024-06-01T10:00:00Z",
        "config": {
            "seed": 1,
            "rate": None,
            "clock_offset": 0.0,
            "allow_ip": [],
            "refuse_used_references": True,
            "visible_after": 0.0,
            "kyc_delay": 0.5,
            "webhook_retry_first": 1.0,
            "signing": {},
        },
        "requests": {},
        "answers": {},
        "worst_second": 0,
        "refusals": [],
        "faults": [],
        "pending": 0,
        "deliveries": [],
        "clients": [],
        "documents": [],
        "orders": [],
        "balances": {},
    }


def test_seed_data_is_there_from_the_start_and_after_a_reset(tmp_path: Path, start: Any) -> None:
    file = tmp_path / "data.json"
    file.write_text(json.dumps({"coinmena": SEED}), "utf-8")
    partner = start(data=file)
    before = partner.state

    assert [client["partner_client_id"] for client in before["clients"]] == ["old", "off"]
    assert before["balances"] == {"old": {"AED": "7.50", "USD": "50.00"}}
    assert [order["created_at"] for order in partner.get("/v1/partner/orders").json["items"]] == [
        "2020-01-01T00:00:00Z",
        "2024-06-01T10:00:00Z",
    ]
    assert partner.fund("deposits", "1", "r1", "off").code == (400, 2010)
    partner.fund("deposits", "1", "r1", "old")
    partner.control("POST", "reset")
    assert before == partner.state


def test_data_can_be_added_while_running(funded: Any) -> None:
    assert funded.control("POST", "data", SEED).json == {"loaded": True}
    assert {"user_1", "old", "off"} == {client["partner_client_id"] for client in funded.state["clients"]}
    funded.clock.seconds += 1
    assert funded.state["now"] == "2024-06-01T10:00:01Z"
    assert funded.client("later").result["created_at"] == "2024-06-01T10:00:01Z"


def test_assets_and_countries_can_be_changed_and_added(funded: Any) -> None:
    added = {
        "assets": [{"id": "USD", "depositable": False}, {"id": "OMR", "usd": "2.6"}],
        "countries": [{"id": "bh", "residency": False}, {"id": "zz", "legal_age": 40}],
    }
    assert funded.control("POST", "data", added).status == 200
    assets = {item["id"]: item for item in funded.get("/v1/public/assets").json["items"]}
    countries = {item["id"]: item for item in funded.get("/v1/public/countries").json["items"]}

    assert assets["USD"]["depositable"] is False
    assert assets["OMR"]["published"] is True
    assert countries["bh"]["residency_allowed"] is False
    assert funded.fund("deposits", "1", "r", asset="USD").code == (400, 2012)
    assert funded.client("b").code == (400, 2022)
    assert funded.client("b", residency_id="zz").code == (400, 2021)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"people": []}, 'seed data: unknown key "people"'),
        ({"clients": [{}]}, "clients[0]: missing key 'partner_client_id'"),
        ({"clients": [{"partner_client_id": "x", "colour": 1}]}, 'clients[0]: unknown key "colour"'),
        ({"clients": [{"partner_client_id": "x"}, {"partner_client_id": "x"}]}, "clients[1]: 2026"),
        ({"clients": [{"partner_client_id": "x", "active": "no"}]}, 'clients[0]: "status" must be a text'),
        ({"clients": ["x"]}, "clients[0]: "),
        ({"balances": [{"partner_client_id": "x", "asset_id": "USD", "balance": "1"}]}, 'unknown client "x"'),
        (
            {"balances": [{"partner_client_id": "user_1", "asset_id": "USD", "balance": 1.5}]},
            "must be a text",
        ),
        ({"balances": [{"partner_client_id": "user_1", "asset_id": "USD", "balance": "-1"}]}, "zero or more"),
        (
            {
                "balances": [
                    {
                        "partner_client_id": "user_1",
                        "asset_id": "USD",
                        "balance": "1",
                        "available_balance": "2",
                    }
                ]
            },
            "is more than",
        ),
        (
            {"orders": [{"partner_client_id": "user_1", "type": "buy", "asset_id": "USD", "amount": "1"}]},
            '"type" is',
        ),
    ],
)
def test_wrong_data_is_explained_and_nothing_of_it_stays(funded: Any, data: Any, message: str) -> None:
    before = funded.state
    found = funded.control("POST", "data", {"clients": [{"partner_client_id": "good"}]} | data)

    assert found.status == 400
    assert message in found.json["error"]
    assert before == funded.state


def test_faults_are_added_listed_replaced_and_refused(partner: Any) -> None:
    one, two = "deposits.create=drop-after:x1", "*=503-before:p0.5"

    assert partner.control("POST", "faults", {"faults": [one]}).json == {
        "items": [{"fault": one, "met": 0, "struck": 0}]
    }
    assert len(partner.control("POST", "faults", {"faults": [two]}).json["items"]) == 2
    assert partner.control("POST", "faults", {"faults": ["nothing=401"]}).status == 400
    assert partner.control("POST", "faults", {"faults": "x"}).status == 400
    assert partner.control("POST", "faults", []).status == 400
    assert partner.send("POST", "/_sandbox/faults", b"{").json == {"error": "the body is not JSON"}
    assert len(partner.control("GET", "faults").json["items"]) == 2
    assert partner.control("POST", "faults", {"faults": [], "replace": True}).json == {"items": []}


def test_the_ledger_explains_every_balance(funded: Any) -> None:
    funded.fund("withdrawals", "30.00", "w1")
    funded.control(
        "POST", "data", {"balances": [{"partner_client_id": "user_1", "asset_id": "USD", "balance": "69.00"}]}
    )
    (row,) = funded.control("GET", "ledger").json["items"]

    assert row == {
        "partner_client_id": "user_1",
        "asset_id": "USD",
        "moved": {"adjustment": "-1.00", "deposit": "100.00", "withdrawal": "-30.00"},
        "balance": "69.00",
        "orders": 2,
    }
    assert sum(map(Decimal, row["moved"].values())) == Decimal(row["balance"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object with the keys coinmena"),
        ('{"other": {}}', "with the keys"),
    ],
)
def test_a_wrong_data_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "data.json"
    file.write_text(text, "utf-8")

    with pytest.raises(ValueError, match=message):
        applications(Options(data=file), {})


def test_a_wrong_provider_or_fault_is_explained(start: Any) -> None:
    with pytest.raises(ValueError, match='unknown provider "nobody", known are coinmena'):
        applications(Options(providers=("nobody",)), {})
