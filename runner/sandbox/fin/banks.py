"""Where money can be sent: countries, banks, branches, and what an account looks like there.

(docs: beneficiaries/list-available-countries, list-bank-identifiers, list-bank-branch-identifiers; the patterns:
/bank-account-and-routing-validation-rules, of which only the part below is known)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.sandbox.base import Answer, Call, answer
from runner.sandbox.fin import checks
from runner.sandbox.fin.book import Book
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.errors import invalid, refused
from runner.sandbox.fin.geography import COUNTRIES

METHODS = ("BANK", "E_WALLET")
SCHEMES = ("LOCAL", "SWIFT")
IDENTIFIER = r"[1-9]\d*"
SWIFT = r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?"


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank or an e-wallet; its id goes into `bank_routing` as BANK_IDENTIFIER. Names and ids are chosen."""

    id: int
    country: str
    name: str
    method: str = "BANK"
    branches: Mapping[int, tuple[str, str]] | None = None
    """Id to name and code."""

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "method": self.method, "has_branch": self.branches is not None}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a country asks of an account: its currencies, its number, and its routing by account scheme."""

    currencies: tuple[str, ...]
    number: str = r"[A-Za-z0-9]{4,34}"
    routing: Mapping[str, Mapping[str, str]] | None = None
    """Account scheme to routing scheme to its pattern; all of them are required."""
    identified: bool = True
    """Whether a BANK_IDENTIFIER is required."""
    wallets: bool = False


# Known: AUS, BGD, CAN, the countries of the euro, and the account number of GBR. The others are chosen, and mild.
_EURO = Rules(("EUR",), r"[A-Z0-9]{8}([A-Z0-9]{3})?", {"LOCAL": {"IBAN": r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}"}})
RULES: dict[str, Rules] = {
    "ARE": Rules(("AED", "USD"), identified=False),
    "AUS": Rules(("AUD", "USD"), r"\d{4,9}", {"LOCAL": {"BSB": r"\d{6}"}, "SWIFT": {"SWIFT": SWIFT}}),
    "BGD": Rules(("BDT",), r"\d{6,20}", wallets=True),
    "BHR": Rules(("BHD", "USD"), identified=False),
    "CAN": Rules(("CAD",), r"\d{7,12}", {"LOCAL": {"TRANSIT_NUMBER": r"\d{5}"}}),
    "DEU": _EURO,
    "ESP": _EURO,
    "FRA": _EURO,
    "GBR": Rules(("GBP", "USD"), r"\d{4,9}", identified=False),
    "IND": Rules(("INR",), r"\d{9,18}", identified=False),
    "MEX": Rules(("MXN",), r"\d{18}", identified=False),
    "PRT": _EURO,
    "USA": Rules(("USD",), r"\d{4,17}", identified=False),
}

BANKS: dict[int, Bank] = {
    bank.id: bank
    for bank in (
        Bank(12, "CAN", "ROYAL BANK OF CANADA"),
        Bank(14, "DEU", "DEUTSCHE BANK AG"),
        Bank(15, "ESP", "BANCO SANTANDER"),
        Bank(16, "FRA", "BNP PARIBAS"),
        Bank(17, "PRT", "CAIXA GERAL DE DEPOSITOS"),
        Bank(21, "GBR", "BARCLAYS BANK PLC"),
        Bank(22, "USA", "JPMORGAN CHASE BANK"),
        Bank(23, "IND", "STATE BANK OF INDIA"),
        Bank(24, "MEX", "BBVA MEXICO"),
        Bank(25, "ARE", "EMIRATES NBD"),
        Bank(26, "BHR", "NATIONAL BANK OF BAHRAIN"),
        Bank(31, "AUS", "COMMONWEALTH BANK OF AUSTRALIA"),
        # 160 with 8, 1461 and 21513 are in the provider's examples.
        Bank(160, "BGD", "DUTCH-BANGLA BANK LTD.", branches={8: ("DHANMONDI", "090261180")}),
        Bank(
            1461, "BGD", "AB BANK LTD.", branches={21513: ("SITAKUNDA", "020157391"), 21514: ("GULSHAN", "020261726")}
        ),
        Bank(1490, "BGD", "BKASH", "E_WALLET"),
    )
}


def named(identifier: object) -> Bank | None:
    """By its id, as a number or as text."""
    return next((bank for bank in BANKS.values() if str(bank.id) == str(identifier)), None)


def countries(book: Book, call: Call) -> Answer:
    return answer(200, {"data": [_country(index, code) for index, code in enumerate(RULES, 1)]})


def methods(book: Book, call: Call) -> Answer:
    """Both are required; the guide asks for `scheme` and `currency` as well, the reference does not."""
    given = Fields(checks.query(call))
    code = given.country("country_code")
    method = given.one_of("method", METHODS)
    given.refuse(invalid)
    return answer(
        200, {"data": [bank.to_json() for bank in BANKS.values() if (bank.country, bank.method) == (code, method)]}
    )


def branches(book: Book, call: Call) -> Answer:
    bank = named(call.params["method_id"])
    if bank is None:
        raise refused(404, "Resource not found")
    rows = [{"id": key, "name": name, "branch_code": code} for key, (name, code) in (bank.branches or {}).items()]
    return answer(200, {"data": rows})


def _country(number: int, code: str) -> dict[str, Any]:
    country, rules = COUNTRIES[code], RULES[code]
    return {
        "id": number,
        "code": code,
        "name": country.name,
        "currency_code": rules.currencies[0],
        "phone": {"code": f"+{country.phone}", "min_length": 6, "max_length": 12},
        "available_methods": [*METHODS] if rules.wallets else ["BANK"],
        "flag": f"https://flagcdn.com/{country.alpha2.lower()}.svg",
    }
