"""Beneficiaries: create, wait until active, read, list, switch off. (docs: /api-reference/beneficiaries)"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import banks, checks, destinations
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import ApiError, invalid, refused, refused_beneficiary
from runner.sandbox.fin.records import Beneficiary, fine

DUPLICATE = "A beneficiary with the same account details already exists."
NOT_APPROVED = "Customer is not approved"
FINAL = {"active": "ACTIVE", "rejected": "REJECTED"}


def create(book: Book, call: Call) -> Answer:
    """Field rules are 400, as on this page; the customer's own state is 422, the known account 409 (our choice)."""
    data = checks.json_object(call)
    given = Fields(data)
    destinations.check(given)
    given.refuse(refused_beneficiary)
    customer = book.customers.get(data["customer_id"])
    if customer is None:
        raise invalid({"customer_id": ["Customer not found"]})
    if customer.status != "APPROVED":
        raise invalid({"customer_id": [NOT_APPROVED]})
    key = destinations.key(customer.id, data)
    if known := book.destinations.get(key):
        raise ApiError(409, {"message": DUPLICATE, "error": {"beneficiary_id": known}})
    made = add(book, customer.id, data, "PROCESSING")
    book.tell("beneficiary.created", made.id, customer.email, _told(made) | {"active": True})
    book.tell("beneficiary.status", made.id, customer.email, _told(made) | {"status": made.status})
    outcome = book.approval_for(customer)
    if outcome.what in FINAL:
        delay = book.kyc_delay if outcome.delay is None else outcome.delay
        book.promise(delay, partial(_decide, made.id, FINAL[outcome.what]))
    return answer(200, {"data": {"beneficiary_id": made.id}})


def add(book: Book, customer_id: str, data: dict[str, Any], status: str) -> Beneficiary:
    """Store a beneficiary whose data was checked."""
    now = book.now()
    address = "" if data.get("destination_wallet") else f"0x{book.new_hex('address')[:40]}"
    made = Beneficiary(book.new_uuid("beneficiary"), customer_id, data, status, address, now, now)
    book.beneficiaries[made.id] = made
    book.destinations[destinations.key(customer_id, data)] = made.id
    return made


def get(book: Book, call: Call) -> Answer:
    query = checks.query(call)
    made = book.beneficiaries.get(query.get("beneficiary_id", ""))
    if made is None or made.customer_id != query.get("customer_id") or not book.visible(made.created):
        raise refused(404, "Resource not found")
    return answer(200, {"data": shown(made)})


def listed(book: Book, call: Call) -> Answer:
    """A bare list, not paged; of a customer nobody knows it is empty (our choice)."""
    customer_id = call.params["customer_id"]
    found = [made for made in book.beneficiaries.values() if made.customer_id == customer_id]
    return answer(200, {"data": [_row(made) for made in found if book.visible(made.created)]})


def activate(book: Book, call: Call) -> Answer:
    given = Fields(checks.json_object(call))
    made = book.beneficiaries.get(given.uuid("beneficiary_id"))
    wish = given.flag("active")
    if not given.has("active"):
        given.wrong("active", "active is required")
    given.refuse()
    if made is None:
        raise invalid({"beneficiary_id": ["Beneficiary not found"]})
    if made.status not in ("ACTIVE", "INACTIVE"):
        raise invalid({"beneficiary_id": [f"Beneficiary is {made.status}"]})
    move(book, made, "ACTIVE" if wish else "INACTIVE")
    return answer(200, {"data": {"message": "Beneficiary updated successfully"}})


def move(book: Book, made: Beneficiary, status: str) -> None:
    """Store a status, then tell it."""
    if made.status == status:
        return
    changed = replace(made, status=status, updated=book.now())
    book.beneficiaries[made.id] = changed
    email = book.customers[made.customer_id].email
    book.tell("beneficiary.status", made.id, email, _told(changed) | {"status": status})


def by_hand(book: Book, given: dict[str, Any]) -> dict[str, Any]:
    """`POST /_sandbox/act/beneficiary`."""
    made = book.beneficiaries.get(str(given.get("beneficiary_id")))
    if set(given) != {"beneficiary_id", "status"} or made is None:
        raise ValueError('expected the "beneficiary_id" of a beneficiary, and a "status"')
    if given["status"] not in ("ACTIVE", "INACTIVE", "PROCESSING", "REJECTED"):
        raise ValueError('"status" must be ACTIVE, INACTIVE, PROCESSING or REJECTED')
    move(book, made, given["status"])
    return shown(book.beneficiaries[made.id])


def shown(made: Beneficiary) -> dict[str, Any]:
    """As it was sent, with two traps of the page: the account's type is the method, and routing has names."""
    data = made.data
    account, deposit = data.get("bank_account"), data.get("deposit_instruction") or {}
    fiat = bool(made.address)
    return {
        "id": made.id,
        "customer_id": made.customer_id,
        "active": made.active,
        "status": made.status,
        **{name: data[name] for name in ("counter_party", "currency", "country", "account_holder")},
        "bank_account": {
            **{name: account[name] if account else "" for name in ("bank_name", "number", "scheme")},
            "type": destinations.method(dict(data)) if fiat else "",
        },
        "bank_routing": [_route(route) for route in data["bank_routing"]] if account else None,
        "receiver_meta_data": data["receiver_meta_data"],
        "bank_address": data.get("bank_address"),
        "account_holder_address": data["account_holder_address"],
        "developer_fee": data["developer_fee"],
        "deposit_instruction": {
            **{name: deposit.get(name, "") for name in ("currency", "rail")},
            "liquidation_address": made.address,
        },
        "refund_instruction": data.get("refund_instruction") or {"wallet_address": "", "currency": "", "rail": ""},
        "e_wallet": data.get("e_wallet"),
        "settlement_config": {"auto_settlement": made.settles_by_itself},
        "destination_wallet": data.get("destination_wallet"),
        "created_at": fine(made.created),
        "updated_at": fine(made.updated),
    }


def _row(made: Beneficiary) -> dict[str, Any]:
    """The list has no status, and hides account numbers but for their end."""
    data, holder = made.data, made.data["account_holder"]
    number = str((data.get("bank_account") or data.get("e_wallet") or {}).get("number", ""))
    names = ("first_name", "last_name", "business_name")
    return {
        "id": made.id,
        "customer_id": made.customer_id,
        "active": made.active,
        "country_code": data["country"],
        **{name: holder[name] for name in names if name in holder},
        "type": holder["type"],
        "nationality": data["receiver_meta_data"]["nationality"],
        "email": holder["email"],
        "phone": holder["phone"],
        "method": destinations.method(dict(data)),
        "currency": data["currency"],
        "account_number": "*" * max(len(number) - 4, 0) + number[-4:],
        "refund_wallet_address": (data.get("refund_instruction") or {}).get("wallet_address", ""),
        "developer_fee_fixed": data["developer_fee"]["fixed"],
        "developer_fee_percentage": data["developer_fee"]["percentage"],
        "liquidation_address": made.address,
        "auto_settlement": made.settles_by_itself,
        "source_currency": "USDC",
        "source_chain": "POLYGON",
        "created_at": fine(made.created),
        "updated_at": fine(made.updated),
    }


def _route(route: dict[str, Any]) -> dict[str, Any]:
    bank = banks.named(route["number"]) if route["scheme"] == "BANK_IDENTIFIER" else None
    return {"scheme": route["scheme"], "name": bank.name if bank else str(route["number"])}


def _decide(beneficiary_id: str, status: str, book: Book) -> None:
    made = book.beneficiaries.get(beneficiary_id)
    if made is not None and made.status == "PROCESSING":
        move(book, made, status)


def _told(made: Beneficiary) -> dict[str, Any]:
    holder = made.data["account_holder"]
    return {"beneficiary_id": made.id, "customer_id": made.customer_id, "type": holder["type"], "active": made.active}
