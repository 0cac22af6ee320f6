"""A new beneficiary: who it is, and exactly one way to be paid. (docs: beneficiaries/create-beneficiary-v3)"""

from __future__ import annotations

import re
from typing import Any

from runner.sandbox.fin import banks, catalogue
from runner.sandbox.fin.banks import RULES
from runner.sandbox.fin.checks import Fields

PARTIES = ("FIRST_PARTY", "THIRD_PARTY")
WAYS = ("bank_account", "destination_wallet", "e_wallet")
ROUTING = frozenset(
    (
        "ACH",
        "BANK_CODE",
        "BANK_IDENTIFIER",
        "BRANCH_CODE",
        "BRANCH_IDENTIFIER",
        "BSB",
        "IBAN",
        "IFSC",
        "SWIFT",
        "TRANSIT_NUMBER",
        "WIRE",
    )
)
ACCOUNTS = ("CHECKING", "CURRENT", "SAVINGS")
RAILS = ("ETHEREUM", "POLYGON", "SOLANA")
# (docs: /onboarding-beneficiaries; the list for businesses was cut off, so it is the rest of the reference's)
OF_PEOPLE = frozenset(
    (
        "EMPLOYEE",
        "FREELANCER",
        "GIG_WORKER",
        "CONTRACTOR",
        "FAMILY_MEMBER",
        "FRIEND",
        "SELF",
        "OTHER",
        "CUSTOMER",
        "AFFILIATE",
    )
)
OF_BUSINESSES = frozenset(
    (
        "SUPPLIER",
        "VENDOR",
        "SERVICE_PROVIDER",
        "MERCHANT",
        "SUBSIDIARY",
        "PARENT_COMPANY",
        "AFFILIATE_BUSINESS",
        "BANK_ACCOUNT",
        "BROKER",
        "EXCHANGE",
        "WALLET",
        "CONTRACTOR",
        "CUSTOMER",
        "AFFILIATE",
        "OTHER",
    )
)


def check(given: Fields) -> None:
    """Note whatever is wrong."""
    given.uuid("customer_id")
    country = given.country("country")
    given.text("currency")
    given.one_of("counter_party", PARTIES)
    kind = _holder(given.inner("account_holder"))
    _address(given.inner("account_holder_address"))
    _receiver(given.inner("receiver_meta_data"), kind)
    fee = given.inner("developer_fee")
    fee.number("fixed")
    fee.number("percentage")
    ways = [way for way in WAYS if given.has(way)]
    if len(ways) != 1:
        given.wrong("bank_account", f"Exactly one of {', '.join(WAYS)} is required")
    elif ways[0] == "destination_wallet":
        wallet = given.inner("destination_wallet")
        wallet.text("address")
        wallet.one_of("rail", RAILS)
        wallet.one_of("currency", ("USDC",))
    else:
        _fiat(given, country)
        if ways[0] == "bank_account":
            _bank(given, country)
        else:
            wallet = given.inner("e_wallet")
            wallet.text("scheme")
            wallet.text("number")
            if country and not RULES.get(country, RULES["USA"]).wallets:
                given.wrong("e_wallet", f"E_WALLET is not available in {country}")


def key(customer_id: str, data: dict[str, Any]) -> tuple[str, ...]:
    """Two beneficiaries of one customer (our choice) with the same key are one. Routing in any order."""
    if wallet := data.get("destination_wallet"):
        return customer_id, "wallet", wallet["address"], wallet["rail"]
    if wallet := data.get("e_wallet"):
        return customer_id, "e_wallet", wallet["scheme"], wallet["number"]
    account = data["bank_account"]
    routing = sorted(f"{route['scheme']}={route['number']}" for route in data["bank_routing"])
    return customer_id, "bank", account["scheme"], account["number"], *routing


def method(data: dict[str, Any]) -> str:
    return "E_WALLET" if data.get("e_wallet") else "BANK"


def _holder(holder: Fields) -> str:
    kind = holder.one_of("type", catalogue.TYPES)
    if kind == "BUSINESS":
        holder.text("business_name")
    else:
        holder.text("first_name")
        holder.text("last_name")
    holder.email("email")
    holder.phone("phone")
    return kind


def _address(address: Fields) -> None:
    """Here it is `postcode`; whether it fits the country is not checked."""
    address.text("street_line_1")
    address.text("city")
    country = address.country("country")
    address.subdivision("state", country)
    address.text("postcode")


def _receiver(receiver: Fields, kind: str) -> None:
    receiver.choice("transaction_purpose_id", catalogue.TRANSACTION_PURPOSES)
    known = OF_BUSINESSES if kind == "BUSINESS" else OF_PEOPLE
    receiver.one_of("relationship", known)
    receiver.country("nationality")
    if receiver.has("occupation_id"):
        receiver.whole("occupation_id", 1)
    for name in ("govt_id_issue_date", "govt_id_expire_date"):
        receiver.day(name, required=False)


def _fiat(given: Fields, country: str) -> None:
    """What a bank account and an e-wallet have in common."""
    if country and country not in RULES:
        given.wrong("country", f"{country} is not available")
    elif country and given.given.get("currency") not in RULES[country].currencies:
        given.wrong("currency", f"currency must be one of: {', '.join(RULES[country].currencies)}")
    deposit, refund = given.inner("deposit_instruction"), given.inner("refund_instruction")
    refund.text("wallet_address")
    for part in (deposit, refund):
        part.one_of("currency", ("USDC",))
        part.one_of("rail", ("POLYGON",))
    given.inner("settlement_config", required=False).flag("auto_settlement")


def _bank(given: Fields, country: str) -> None:
    account = given.inner("bank_account")
    account.text("bank_name")
    number = account.text("number")
    scheme = account.one_of("scheme", banks.SCHEMES)
    account.one_of("type", ACCOUNTS)
    _address(given.inner("bank_address"))
    routing = {}
    for route in given.many("bank_routing"):
        route.one_of("scheme", ROUTING)
        value = route.given.get("number")
        if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
            route.wrong("number", "number is required")
        else:
            routing[str(route.given.get("scheme"))] = str(value)
    if (rules := RULES.get(country)) is None:
        return
    if number and not re.fullmatch(rules.number, number):
        account.wrong("number", f"number is not an account number of {country}")
    wanted = dict((rules.routing or {}).get(scheme, {}))
    if rules.identified:
        wanted["BANK_IDENTIFIER"] = banks.IDENTIFIER
    for name, pattern in wanted.items():
        if name not in routing:
            given.wrong("bank_routing", f"{name} is required")
        elif not re.fullmatch(pattern, routing[name]):
            given.wrong("bank_routing", f"{name} has the wrong format")
    _identified(given, country, routing)


def _identified(given: Fields, country: str, routing: dict[str, str]) -> None:
    """An identifier is an id of the look-ups; a bank that has branches needs one of its own."""
    if "BANK_IDENTIFIER" not in routing:
        return
    bank = banks.named(routing["BANK_IDENTIFIER"])
    if bank is None or (bank.country, bank.method) != (country, "BANK"):
        given.wrong("bank_routing", "BANK_IDENTIFIER is not a bank of this country")
    elif bank.branches is not None and routing.get("BRANCH_IDENTIFIER") not in {
        str(branch) for branch in bank.branches
    }:
        given.wrong("bank_routing", "BRANCH_IDENTIFIER is not a branch of this bank")
