"""Fin.com's sandbox over real sockets: beneficiaries, and payouts that happen once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import fin_partner
import httpx
import pytest
from fin_partner import MARIA, Partner, beneficiary, errors, receiver, settle, transfer, transferred, until

NOBODY = "00000000-0000-4000-8000-000000000000"
PLENTY = 1_000_000_00


@pytest.fixture(scope="module")
def shared() -> Iterator[Partner]:
    with fin_partner.serving() as partner:
        yield partner


@pytest.fixture
def partner(shared: Partner) -> Partner:
    """A fresh sandbox on the shared socket, and a token."""
    shared.reset()
    return shared


@pytest.fixture
def customer(partner: Partner) -> str:
    return partner.approved()


def rows(partner: Partner, made: str, query: str = "") -> Any:
    return partner.get(f"/v1/beneficiaries/{made}/transactions{query}")["transactions"]


def balance(partner: Partner) -> int:
    (found,) = partner.get("/v1/wallet/balances")
    assert "USD" == found["currency"]
    return int(found["amount"])


# ------------------------------------------------------------------------------------------ beneficiaries


def test_the_look_ups_lead_to_a_branch(partner: Partner) -> None:
    countries = {one["code"]: one for one in partner.get("/v1/beneficiaries/countries")}
    banks = partner.get("/v1/beneficiaries/methods?country_code=BGD&method=BANK")
    wallets = partner.get("/v1/beneficiaries/methods?country_code=BGD&method=E_WALLET&scheme=LOCAL&currency=BDT")
    branches = partner.get("/v1/beneficiaries/methods/1461/branches")

    assert (["BANK", "E_WALLET"], "BDT") == (countries["BGD"]["available_methods"], countries["BGD"]["currency_code"])
    assert {"id": 1461, "name": "AB BANK LTD.", "method": "BANK", "has_branch": True} in banks
    assert ["BKASH"] == [one["name"] for one in wallets]
    assert {"id": 21513, "name": "SITAKUNDA", "branch_code": "020157391"} in branches
    assert [] == partner.get("/v1/beneficiaries/methods/31/branches")
    assert 404 == partner.http.get("/v1/beneficiaries/methods/x/branches").status_code
    assert 422 == partner.http.get("/v1/beneficiaries/methods?country_code=BGD").status_code


def test_a_beneficiary_becomes_active(partner: Partner, customer: str) -> None:
    partner.load(beneficiary_reviews={"default": {"status": "active", "delay": 0.3}})
    made = partner.http.post("/v3/beneficiaries", json=receiver(customer)).json()["data"]["beneficiary_id"]
    path = f"/v2/beneficiaries/details?customer_id={customer}&beneficiary_id={made}"
    first = partner.get(path)
    found = until(lambda: partner.get(path), lambda shown: shown["active"])

    assert ("PROCESSING", False, "ACTIVE") == (first["status"], first["active"], found["status"])
    assert "BANK" == found["bank_account"]["type"]
    routing = [{"scheme": "BANK_IDENTIFIER", "name": "AB BANK LTD."}, {"scheme": "BRANCH_IDENTIFIER", "name": "21513"}]
    assert routing == found["bank_routing"]
    assert found["deposit_instruction"]["liquidation_address"].startswith("0x")
    (row,) = partner.get(f"/v1/customers/{customer}/beneficiaries")
    assert (made, "******2211", True, "BANK") == (
        row["id"],
        row["account_number"],
        row["auto_settlement"],
        row["method"],
    )
    assert [] == partner.get(f"/v1/customers/{NOBODY}/beneficiaries")
    foreign = f"/v2/beneficiaries/details?customer_id={NOBODY}&beneficiary_id={made}"
    assert 404 == partner.http.get(foreign).status_code


def test_a_known_account_is_answered_with_its_beneficiary(partner: Partner, customer: str) -> None:
    made = beneficiary(partner, customer)
    turned = receiver(customer)["bank_routing"][::-1]
    again = partner.http.post("/v3/beneficiaries", json=receiver(customer, bank_routing=turned))

    assert 409 == again.status_code
    assert {
        "message": "A beneficiary with the same account details already exists.",
        "error": {"beneficiary_id": made},
    } == again.json()
    assert made != beneficiary(partner, customer, bank_account__number="99999999")
    assert made != beneficiary(partner, partner.approved("other@example.com"))


def test_wallets_are_beneficiaries_too(partner: Partner, customer: str) -> None:
    bank = {"bank_account": None, "bank_address": None, "bank_routing": None}
    mobile = beneficiary(partner, customer, **bank, e_wallet={"scheme": "BKASH", "number": "+8801688502814"})
    fiat = {"deposit_instruction": None, "refund_instruction": None, "settlement_config": None}
    wallet = {"address": "0xD2Ba", "rail": "SOLANA", "currency": "USDC"}
    crypto = beneficiary(partner, customer, **bank, **fiat, destination_wallet=wallet, currency="USDC")
    found = {one["id"]: one for one in partner.state["beneficiaries"]}

    assert "E_WALLET" == found[mobile]["bank_account"]["type"]
    assert (wallet, None, "") == (
        found[crypto]["destination_wallet"],
        found[crypto]["bank_routing"],
        found[crypto]["deposit_instruction"]["liquidation_address"],
    )
    refused = transfer(partner, crypto)
    assert (422, "Beneficiary does not have auto_settlement") == (
        refused.status_code,
        errors(refused)[1]["beneficiary_id"],
    )


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("customer_id", {"customer_id": "x"}),
        ("counter_party", {"counter_party": None}),
        ("currency", {"currency": "USD"}),
        ("country", {"country": "ATA"}),
        ("country", {"country": "ZAF"}),
        (
            "account_holder.business_name",
            {"account_holder__type": "BUSINESS", "receiver_meta_data__relationship": "VENDOR"},
        ),
        ("account_holder.phone", {"account_holder__phone": "1912244626"}),
        ("account_holder_address.state", {"account_holder_address__state": "13"}),
        ("receiver_meta_data.relationship", {"receiver_meta_data__relationship": "VENDOR"}),
        ("receiver_meta_data.transaction_purpose_id", {"receiver_meta_data__transaction_purpose_id": 8}),
        ("developer_fee", {"developer_fee": None}),
        ("developer_fee.fixed", {"developer_fee__fixed": "1"}),
        ("bank_account", {"bank_account": None}),
        ("bank_account", {"e_wallet": {"scheme": "BKASH", "number": "1"}}),
        ("bank_account.number", {"bank_account__number": "12-34"}),
        ("bank_account.type", {"bank_account__type": "BANK"}),
        ("bank_address", {"bank_address": None}),
        ("bank_routing", {"bank_routing": [{"scheme": "BRANCH_IDENTIFIER", "number": 21513}]}),
        ("bank_routing", {"bank_routing__0__number": 31}),
        ("bank_routing", {"bank_routing__1__number": 8}),
        ("bank_routing.0.scheme", {"bank_routing": [{"scheme": "SORT", "number": 1461}]}),
        ("deposit_instruction.rail", {"deposit_instruction__rail": "SOLANA"}),
        ("settlement_config.auto_settlement", {"settlement_config__auto_settlement": "yes"}),
    ],
)
def test_a_wrong_field_of_a_beneficiary(partner: Partner, customer: str, path: str, changes: Any) -> None:
    found = partner.http.post("/v3/beneficiaries", json=receiver(customer, **changes))

    assert (400, "Validation failed!") == (found.status_code, found.json()["message"])
    assert path in {name for one in found.json()["errors"] for name in one}
    assert [] == partner.state["beneficiaries"]


EURO = {
    "country": "DEU",
    "currency": "EUR",
    "bank_account__number": "COBADEFF",
    "bank_routing": [
        {"scheme": "IBAN", "number": "DE89370400440532013000"},
        {"scheme": "BANK_IDENTIFIER", "number": 14},
    ],
}


def test_each_country_has_rules_of_its_own(partner: Partner, customer: str) -> None:
    short = [{"scheme": "IBAN", "number": "DE89"}, EURO["bank_routing"][1]]
    without = EURO["bank_routing"][1:]
    mobile = {"bank_account": None, "e_wallet": {"scheme": "BKASH", "number": "1"}}
    for changes, path in (
        ({"bank_routing": short}, "bank_routing"),
        ({"bank_routing": without}, "bank_routing"),
        ({"bank_routing": [*EURO["bank_routing"], {"scheme": "SWIFT", "number": ""}]}, "bank_routing.2.number"),
        (mobile, "e_wallet"),
    ):
        found = partner.http.post("/v3/beneficiaries", json=receiver(customer, **{**EURO, **changes}))
        assert (400, [path]) == (found.status_code, [name for one in found.json()["errors"] for name in one])

    assert beneficiary(partner, customer, **EURO)
    british = {"country": "GBR", "currency": "GBP", "bank_account__number": "12345678"}
    assert beneficiary(partner, customer, **british, bank_routing=[{"scheme": "SWIFT", "number": "BARCGB22"}])


def test_only_an_approved_customer_has_beneficiaries(partner: Partner) -> None:
    customer, _ = partner.create()
    for who in (customer, NOBODY):
        found = partner.http.post("/v3/beneficiaries", json=receiver(who))
        assert (422, ["customer_id"]) == (found.status_code, list(errors(found)[1]))


def test_a_beneficiary_can_be_switched_off(partner: Partner, customer: str) -> None:
    made = beneficiary(partner, customer)
    off = partner.http.patch("/v1/beneficiaries", json={"beneficiary_id": made, "active": False})
    refused = transfer(partner, made)
    on = partner.http.patch("/v1/beneficiaries", json={"beneficiary_id": made, "active": True})

    assert {"data": {"message": "Beneficiary updated successfully"}} == off.json() == on.json()
    assert (422, "Beneficiary is not active") == (refused.status_code, errors(refused)[1]["beneficiary_id"])
    assert 200 == transfer(partner, made).status_code
    assert 422 == partner.http.patch("/v1/beneficiaries", json={"beneficiary_id": made}).status_code
    assert 422 == partner.http.patch("/v1/beneficiaries", json={"beneficiary_id": NOBODY, "active": True}).status_code
    partner.act("verdict", customer_id=customer, status="IN_COMPLIANCE")
    assert {"beneficiary_id": "Customer is not approved"} == errors(transfer(partner, made))[1]


def test_a_beneficiary_can_be_rejected(partner: Partner, customer: str) -> None:
    partner.load(beneficiary_reviews={"by_email": {MARIA: "rejected"}})
    made = beneficiary(partner, customer, "REJECTED")
    switched = partner.http.patch("/v1/beneficiaries", json={"beneficiary_id": made, "active": True})
    by_hand = partner.act("beneficiary", beneficiary_id=made, status="ACTIVE")

    assert (422, "Beneficiary is REJECTED") == (switched.status_code, errors(switched)[1]["beneficiary_id"])
    assert by_hand.json()["active"]
    assert 400 == partner.act("beneficiary", beneficiary_id=made).status_code
    assert 400 == partner.act("beneficiary", beneficiary_id=made, status="INITIATED").status_code


def test_beneficiaries_can_be_there_from_the_start(partner: Partner) -> None:
    given = receiver("")
    del given["customer_id"]
    partner.load(customers=[{"email": MARIA, "status": "APPROVED"}], beneficiaries=[{"email": MARIA, **given}])
    (made,) = partner.state["beneficiaries"]

    assert made["active"]
    assert 200 == transfer(partner, made["id"]).status_code


# ------------------------------------------------------------------------------------------------- payouts


def test_a_payout_happens_once(partner: Partner, customer: str) -> None:
    made = beneficiary(partner, customer)
    quoted = transfer(partner, made, amount=10000).json()["data"]
    before = rows(partner, made)
    settled = settle(partner, quoted["transfer_id"])
    second = settle(partner, quoted["transfer_id"])

    lasts = datetime.fromisoformat(quoted["expire_at"]) - datetime.fromisoformat(quoted["created_at"])
    assert 600 == lasts.total_seconds()
    assert {"currency": "BDT", "to_amount": round(9850 * 117.19), "developer_fee": 150} == quoted["quotation"]
    assert [("CREATED", "ref-1", 100.0, quoted["transfer_id"])] == [
        (row["status"], row["transaction_ref_id"], row["from_amount"], row["id"]) for row in before
    ]
    assert {"data": {"transaction_id": quoted["transfer_id"]}} == settled.json()
    assert (422, {"message": "Transfer is already settled"}) == (second.status_code, second.json())
    path = f"/v2/transactions/{quoted['transfer_id']}"
    found = until(lambda: partner.get(path), lambda shown: shown["status"] == "COMPLETED")
    assert (100.0, "BDT", "OFFRAMP") == (
        found["fiat_details"]["source_amount"],
        found["fiat_details"]["destination_currency"],
        found["transaction_type"],
    )
    assert ["COMPLETED"] == [row["status"] for row in rows(partner, made)]
    (line,) = partner.ledger
    assert ({"payout": 10000}, 10000, 1, ["ref-1"], MARIA) == tuple(
        line[name] for name in ("moved", "balance", "settled", "references", "email")
    )
    assert PLENTY - 10000 == balance(partner)


def test_a_reference_is_no_protection(partner: Partner, customer: str) -> None:
    made = beneficiary(partner, customer)
    for _ in range(2):
        settle(partner, transferred(partner, made))

    (line,) = partner.ledger
    assert (2, ["ref-1", "ref-1"]) == (line["settled"], line["references"])
    partner.load(settings={"refuse_used_references": True})
    refused = transfer(partner, made)
    assert (422, ["reference_id"]) == (refused.status_code, list(errors(refused)[1]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 499),
        ("amount", 500.5),
        ("amount", None),
        ("remarks", ""),
        ("reference_id", ""),
        ("beneficiary_id", NOBODY),
        ("attachments", []),
        ("attachments.0.uri", [{"remark": "invoice"}]),
    ],
)
def test_a_transfer_that_cannot_be(partner: Partner, customer: str, field: str, value: Any) -> None:
    made = beneficiary(partner, customer)
    found = transfer(partner, made, **{"reference": "r", field.partition(".")[0]: value})

    assert (422, [field]) == (found.status_code, list(errors(found)[1]))
    assert [] == partner.state["transfers"]


def test_a_transfer_waits_ten_minutes(partner: Partner, customer: str) -> None:
    made = beneficiary(partner, customer)
    late = transferred(partner, made)
    unsettled = partner.http.get(f"/v2/transactions/{late}")
    partner.clock.offset = 601.0
    found = settle(partner, late)

    assert 404 == unsettled.status_code
    assert (422, {"message": "Transfer is expired"}) == (found.status_code, found.json())
    assert ([], PLENTY) == (partner.ledger, balance(partner))
    assert (422, ["transfer_id"]) == (settle(partner, NOBODY).status_code, list(errors(settle(partner, NOBODY))[1]))


def test_no_money_no_payout(partner: Partner, customer: str) -> None:
    partner.load(balance=9999)
    made = beneficiary(partner, customer)
    waiting = transferred(partner, made)
    poor = settle(partner, waiting)

    assert (422, {"message": "Insufficient balance"}) == (poor.status_code, poor.json())
    assert {"balance": 10000} == partner.act("fund", amount=1).json()
    assert 200 == settle(partner, waiting).status_code
    assert 0 == balance(partner)
    assert 400 == partner.act("fund", amount=-1).status_code


@pytest.mark.parametrize("way", ["fault", "scenario"])
def test_a_payout_that_fails_gives_the_money_back(partner: Partner, customer: str, way: str) -> None:
    made = beneficiary(partner, customer)
    if way == "fault":
        partner.plan(f"transfers.settle=failed:client={MARIA}")
    else:
        partner.load(payouts={"by_email": {MARIA: "failed"}})
    settled = settle(partner, transferred(partner, made))
    until(lambda: rows(partner, made)[0]["status"], lambda status: status == "FAILED")

    assert 200 == settled.status_code
    (line,) = partner.ledger
    assert ({"payout": 10000, "refund": -10000}, 0) == (line["moved"], line["balance"])
    assert PLENTY == balance(partner)


def test_a_lost_answer_has_its_effect(partner: Partner, customer: str) -> None:
    made = beneficiary(partner, customer)
    partner.plan("transfers.create=drop-after:x1", "transfers.settle=500-after:x1", "transfers.settle=hang:0:x1")
    with pytest.raises(httpx.RemoteProtocolError):
        transfer(partner, made)
    (row,) = rows(partner, made)
    tired = settle(partner, row["id"])
    with pytest.raises(httpx.RemoteProtocolError):
        settle(partner, row["id"])

    assert ("CREATED", "ref-1") == (row["status"], row["transaction_ref_id"])
    assert (500, {"status": 500, "message": "Internal server error"}) == (tired.status_code, tired.json())
    assert "Transfer is already settled" == settle(partner, row["id"]).json()["message"]
    assert [1] == [line["settled"] for line in partner.ledger]


def test_payouts_are_listed_page_by_page(partner: Partner, customer: str) -> None:
    partner.load(payouts={"default": {"status": "never", "delay": 0.02}})
    made = beneficiary(partner, customer)
    ids = [transferred(partner, made, reference=f"ref-{number}", amount=500 + number) for number in range(3)]
    settle(partner, ids[0])
    until(lambda: partner.get(f"/v2/transactions/{ids[0]}"), lambda shown: shown["status"] == "PROCESSING")
    page = partner.get(f"/v1/beneficiaries/{made}/transactions?page=2&limit=2")
    of_customer = partner.get(f"/v2/transactions?customer_id={customer}&type=OFFRAMP")["transactions"]

    assert [("ref-2", 5.02, "CREATED"), ("ref-1", 5.01, "CREATED")] == [
        (row["transaction_ref_id"], row["from_amount"], row["status"]) for row in rows(partner, made, "?limit=2")
    ]
    assert [(ids[0], "PENDING")] == [(row["id"], row["status"]) for row in page["transactions"]]
    assert {"current_page": 2, "per_page": 2, "total_page": 2, "total": 3} == page["pagination"]
    assert [(ids[0], "PROCESSING")] == [(row["id"], row["status"]) for row in of_customer]
    assert [] == partner.get(f"/v2/transactions?customer_id={customer}&type=ONRAMP")["transactions"]
    assert ["limit"] == list(errors(partner.http.get(f"/v1/beneficiaries/{made}/transactions?limit=101"))[1])
    assert ["customer_id"] == list(errors(partner.http.get("/v2/transactions"))[1])
    assert 404 == partner.http.get(f"/v2/transactions/{NOBODY}").status_code
