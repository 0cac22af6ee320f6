"""Cards: who gets one, exact virtual balances, idempotency keys, and the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

CARDS = "/cards/individual-cards"


def refusal(reply: Any) -> tuple[int, str, str]:
    return reply.status, reply.json["code"], reply.json["message"]


def issue(company: Any, client: str, **changes: Any) -> Any:
    return company.ask("POST", f"{CARDS}/create", {"client_id": client, "card_holder_name": "Maria Barber"} | changes)


def move(company: Any, card: str, way: str, amount: Any, key: str | None) -> Any:
    headers = {} if key is None else {"x-idempotency-key": key}
    return company.ask("POST", f"{CARDS}/{card}/virtual-balance/{way}", {"amount": amount}, **headers)


@pytest.fixture
def client(company: Any) -> str:
    """An active client."""
    made, _ = company.submitted()
    company.pass_time()
    return str(made)


@pytest.fixture
def card(company: Any, client: str) -> str:
    return str(issue(company, client).json["id"])


def test_a_card_for_an_active_client(company: Any, client: str) -> None:
    made = issue(company, client, daily_limit=100.10, per_transaction_limit=50)

    assert made.status == 201
    assert made.json == {
        "id": made.json["id"],
        "rain_card_id": made.json["rain_card_id"],
        "client_id": client,
        "type": "Virtual",
        "status": "ACTIVE",
        "last4": made.json["last4"],
        "expiration_month": 6,
        "expiration_year": 2027,
        "card_holder_name": "MARIA BARBER",
        "approval_method": "TOPUP",
        "daily_limit": 100.1,
        "per_transaction_limit": 50,
        "forwarded_3ds_type": "sms",
    }
    assert made.json["id"].startswith("icard_")
    assert len(made.json["last4"]) == 4
    assert made.json == company.ask("GET", f"{CARDS}/{made.json['id']}").json


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_no_card_for_anybody_else(company: Any, status: str) -> None:
    company.data(clients=[{"email": "a@b.c", "status": status, "product": "enabled"}])
    client = company.state["clients"][0]["id"]

    assert (412, "VAL", "The client is not active") == refusal(issue(company, client))
    unknown = (404, "NOT_FOUND", "Company client not found with id: nobody")
    assert unknown == refusal(issue(company, "nobody"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_id": None}, (400, "BAD_REQUEST", "client_id must not be null")),
        (
            {"card_holder_name": "M" * 28},
            (400, "BAD_REQUEST", "card_holder_name must have at most 27 letters and spaces"),
        ),
        (
            {"card_holder_name": "R2D2"},
            (400, "BAD_REQUEST", "card_holder_name must have at most 27 letters and spaces"),
        ),
        (
            {"approval_method": "TOP_UP"},
            (400, "VALUE_NOT_ALLOWED", "approval_method must be one of TOPUP, WEBHOOK"),
        ),
        ({"daily_limit": "100"}, (400, "BAD_REQUEST", "daily_limit must be a number")),
        ({"daily_limit": 1.001}, (412, "VAL", "daily_limit must have at most 2 decimal places")),
    ],
)
def test_a_card_of_the_wrong_form(company: Any, client: str, changes: dict[str, Any], expected: Any) -> None:
    assert expected == refusal(issue(company, client, **changes))


@pytest.mark.parametrize("most", [3, 5])
def test_a_client_has_only_so_many_cards(company: Any, client: str, most: int) -> None:
    if most != 5:
        company.data(limits={"cards_per_client": most})
    for _ in range(most):
        assert issue(company, client).status == 201

    message = f"This client already has the maximum of {most} cards. Cancel one of them to create a new one."
    assert (412, "VAL", message) == refusal(issue(company, client))


def test_a_company_has_only_so_many_cards(company: Any, client: str, card: str) -> None:
    company.data(limits={"cards": 1})
    quota = "The current limit for this product has been reached. Please increase the limit."

    assert (412, "VAL", quota) == refusal(issue(company, client))


def test_issuing_is_idempotent_when_asked(company: Any, client: str) -> None:
    data = {"client_id": client, "card_holder_name": "Maria Barber"}
    first, second = (company.ask("POST", f"{CARDS}/create", data, **{"Idempotency-Key": "k"}) for _ in range(2))
    other = company.ask("POST", f"{CARDS}/create", data | {"daily_limit": 1}, **{"Idempotency-Key": "k"})

    assert (first.status, first.json) == (second.status, second.json)
    assert len(company.state["cards"]) == 1
    assert other.status == 409


def test_cards_come_in_pages_from_zero(company: Any, client: str) -> None:
    made = [issue(company, client).json for _ in range(3)]
    found = company.ask("GET", f"{CARDS}/list/search?size=2&page=1&status=ACTIVE&client_id={client}").json

    assert found == {"content": made[2:], "page": 1, "size": 2, "total_elements": 3, "total_pages": 2}
    by_number = company.ask("GET", f"{CARDS}/list/search?search_type=LAST4&search_text={made[0]['last4']}").json
    assert made[0] in by_number["content"]
    assert company.ask("GET", f"{CARDS}/list/search?status=FROZEN&status=DELETED").json["content"] == []
    assert (400, "BAD_REQUEST", "size must be a whole number from 1") == refusal(
        company.ask("GET", f"{CARDS}/list/search?size=0")
    )


@pytest.mark.parametrize("path", ["", "/top-up", "/balance"])
def test_an_unknown_card(company: Any, path: str) -> None:
    assert (404, "NOT_FOUND", "Card not found") == refusal(company.ask("GET", f"{CARDS}/nothing{path}"))


def test_where_to_send_money(company: Any, card: str) -> None:
    (wallet,) = company.ask("GET", f"{CARDS}/{card}/top-up").json

    assert (wallet["blockchain"], len(wallet["address"])) == ("POLYGON", 42)
    assert set(wallet["tokens"][0]) == {"symbol", "name", "decimals", "address", "blockchain"}
    assert wallet["tokens"][0]["decimals"] == "6"
    (ramp,) = wallet["ramps"]
    assert (ramp["blockchain"], len(ramp["address"]), ramp["memo"].isdigit()) == ("STELLAR", 56, True)
    assert not set(ramp["address"]) & set("0189")


def test_a_balance_moves_exactly_and_is_a_bare_number(company: Any, card: str) -> None:
    assert b"0.10" == move(company, card, "add", 0.1, "a").body
    assert b"0.30" == move(company, card, "add", 0.2, "b").body
    assert b"0.25" == move(company, card, "subtract", 0.05, "c").body
    shown = company.ask("GET", f"{CARDS}/{card}/balance")

    assert shown.body == b'{"available_credit":0.25}'
    path = f"{CARDS}/{card}/virtual-balance"
    assert b"2500.00" == company.ask("PATCH", path, {"virtual_balance": 2500}).body
    assert b"0.00" == company.ask("PATCH", path, {"virtual_balance": 0}).body
    (row,) = company.control("GET", "ledger").json["items"]
    assert row["moved"] == {"add": "0.30", "set": "-0.25", "subtract": "-0.05"}
    assert (row["card_id"], row["email"], row["operations"]) == (card, "maria@example.com", 5)
    assert sum(map(Decimal, row["moved"].values())) == Decimal(row["balance"]) == 0


def test_more_than_there_is_cannot_be_taken(company: Any, card: str) -> None:
    move(company, card, "add", 10, "a")
    poor = (412, "VAL", "Error subtracting virtual balances, insufficient funds")

    assert poor == refusal(move(company, card, "subtract", 10.01, "b"))
    assert b"0.00" == move(company, card, "subtract", 10, "b").body  # a refusal used the key not up


@pytest.mark.parametrize("way", ["add", "subtract"])
@pytest.mark.parametrize("key", [None, " "])
def test_a_move_needs_its_key(company: Any, card: str, way: str, key: str | None) -> None:
    expected = (412, "VAL", "x-idempotency-key header is required")

    assert expected == refusal(move(company, card, way, 1, key))
    assert expected == refusal(move(company, "nothing", way, 1, key))


def test_a_key_repeats_its_first_result_and_stands_for_nothing_else(company: Any, card: str) -> None:
    move(company, card, "add", 10, "k")
    move(company, card, "add", 5, "other")

    assert b"10.00" == move(company, card, "add", 10.0, "k").body
    used = (409, "VAL", "The idempotency key was already used with a different request")
    assert used == refusal(move(company, card, "add", 11, "k"))
    assert used == refusal(move(company, card, "subtract", 10, "k"))
    company.clock.seconds += 24 * 3600
    assert b"26.00" == move(company, card, "add", 11, "k").body


def test_a_lost_answer_is_repeated_by_its_key(company: Any, card: str) -> None:
    company.control("POST", "faults", {"faults": ["cards.balance_add=drop-after:x1:client=maria@example.com"]})

    assert move(company, card, "add", 10, "k").dropped
    assert b"10.00" == move(company, card, "add", 10, "k").body
    assert company.control("GET", "ledger").json["items"][0]["balance"] == "10.00"


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (None, (400, "BAD_REQUEST", "amount must not be null")),
        ("10", (400, "BAD_REQUEST", "amount must be a number")),
        (True, (400, "BAD_REQUEST", "amount must be a number")),
        (0, (412, "VAL", "amount must be greater than 0")),
        (-1, (412, "VAL", "amount must be greater than 0")),
        (1.005, (412, "VAL", "amount must have at most 2 decimal places")),
        (10**9, (412, "VAL", "amount must be less than 1000000000")),
    ],
)
def test_an_amount_that_is_none(company: Any, card: str, amount: Any, expected: Any) -> None:
    assert expected == refusal(move(company, card, "add", amount, "k"))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (-0.01, "The provided virtual balance amount cannot be negative. Please enter a valid non-negative value."),
        (10**9, "virtual_balance must be less than 1000000000"),
        (0.001, "virtual_balance must have at most 2 decimal places"),
    ],
)
def test_a_balance_that_cannot_be_set(company: Any, card: str, wanted: float, message: str) -> None:
    found = company.ask("PATCH", f"{CARDS}/{card}/virtual-balance", {"virtual_balance": wanted})

    assert (412, "VAL", message) == refusal(found)


def test_a_deleted_client_takes_its_cards_along(company: Any, client: str, card: str) -> None:
    company.ask("DELETE", f"/management/clients/individuals/{client}")

    assert company.ask("GET", f"{CARDS}/{card}").status == 404
    assert company.control("GET", "ledger").json["items"] == []
