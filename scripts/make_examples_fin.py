"""Writes examples/fin: fifteen invented people for each generation of Fin.com's API, and fifteen to be paid.

    python scripts/make_examples_fin.py           write everything
    python scripts/make_examples_fin.py --check   write nothing; exit 1 when a file differs

How each is judged stands in sandbox.json; the clients files know nothing of it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

from example_files import EXAMPLES, card, csv_text, jpeg, json_text, main, pdf, png

HOME = EXAMPLES / "fin"
Row = dict[str, str]

# ----------------------------------------------------------------------------------------------- places


class Place(NamedTuple):
    """Where somebody lives. Phones are from ranges that nobody is given, as far as a country has one."""

    country: str
    street: str
    city: str
    subdivision: str
    postal_code: str
    phone: str
    tax_type: str
    tax_id: str

    def row(self, number: int) -> Row:
        return {
            "phone": f"{self.phone}{number:02}",
            "nationality": self.country,
            "tax_country": self.country,
            "tax_type": self.tax_type,
            "tax_id": f"{self.tax_id}{number:02}",
            "address.street_line_1": f"{number} {self.street}",
            "address.city": self.city,
            "address.subdivision_code": self.subdivision,
            "address.postal_code": self.postal_code,
            "address.country": self.country,
            "id_country": self.country,
        }


PLACES = {
    place.country: place
    for place in (
        # Social security numbers that begin with 9 belong to nobody.
        Place("USA", "Specimen Street", "San Francisco", "US-CA", "94103", "+120255501", "SSN", "987-65-43"),
        Place("GBR", "Specimen Road", "London", "GB-ENG", "SW1A 1AA", "+4477009001", "UTR", "00000001"),
        Place("DEU", "Musterweg", "Berlin", "DE-BE", "10115", "+4930231250", "TIN", "000000000"),
        Place("MEX", "Calle Ejemplo", "Guadalajara", "MX-JAL", "44100", "+5200000000", "RFC", "XAXX0101010"),
        Place("BGD", "Sample Road", "Dhaka", "BD-13", "1212", "+8800000000", "TIN", "0000000000"),
        Place("BHR", "Road 0000", "Manama", "BH-13", "317", "+973000000", "CPR", "0000000"),
        Place("FRA", "Rue du Specimen", "Paris", "FR-75C", "75001", "+331990000", "TIN", "00000000000"),
        Place("IND", "Namuna Marg", "Mumbai", "IN-MH", "400001", "+9100000000", "PAN", "AAAAA00"),
        Place("CAN", "Specimen Avenue", "Toronto", "CA-ON", "M5V 2T6", "+141655501", "SIN", "0000000"),
        Place("AUS", "Sample Lane", "Sydney", "AU-NSW", "2000", "+614915700", "TFN", "0000000"),
        Place("ESP", "Calle Muestra", "Madrid", "ES-MD", "28001", "+340000000", "NIF", "000000"),
        Place("ARE", "Specimen Marina", "Dubai", "AE-DU", "00000", "+971000000", "TIN", "0000000000000"),
        Place("BRA", "Rua Exemplo", "Recife", "BR-PE", "50000-000", "+5500000000", "CPF", "000000000"),
    )
}

# ----------------------------------------------------------------------------------------------- people

PAPERS: dict[str, Row] = {
    "PASSPORT": {"id_front": "passport.jpg"},
    "NATIONAL_ID": {"id_front": "id_front.png", "id_back": "id_back.png"},
    "DRIVERS_LICENSE": {"id_front": "license_front.jpg", "id_back": "license_back.jpg"},
    "RESIDENCE_PERMIT": {"id_front": "permit_front.png", "id_back": "permit_back.png"},
}
BILL = {"address_type": "UTILITY_BILL", "address_front": "documents/utility_bill.pdf"}
STATEMENT = {"address_type": "BANK_STATEMENT", "address_front": "documents/bank_statement.pdf"}
LETTER = {"address_type": "GOVERNMENT_LETTER", "address_front": "documents/letter.pdf"}
NEW_PASSPORT = {
    "more_type": "PASSPORT",
    "more_front": "documents/passport_new.jpg",
    "more_number": "SPECIMEN0909",
    "more_issue_date": "2024-09-09",
    "more_expiry_date": "2034-09-09",
}
COLUMNS = (
    "id", "first_name", "first_name_en", "middle_name", "last_name", "last_name_en", "birth_date", "gender", "email",
    "phone", "nationality", "second_nationality", "tax_country", "tax_type", "tax_id",
    "address.street_line_1", "address.street_line_1_en", "address.street_line_2", "address.city",
    "address.subdivision_code", "address.postal_code", "address.country",
    "employment_status", "occupation", "purpose", "source_of_funds", "monthly_volume_usd",
    "id_type", "id_number", "id_country", "id_state", "id_issue_date", "id_expiry_date", "id_front", "id_back",
    "selfie", "address_type", "address_front",
    "more_type", "more_front", "more_number", "more_issue_date", "more_expiry_date",
)  # fmt: skip
ONLY_V2 = ("middle_name", "gender", "second_nationality", "tax_country", "tax_type", "employment_status", "id_state")
COLUMNS_V1 = tuple(name for name in COLUMNS if name not in (*ONLY_V2, "address.street_line_2", "selfie"))
WORK = (
    ("EMPLOYED", "Software Engineer", "Receive Income", "Salary/Wages", "5000"),
    ("SELF_EMPLOYED", "Photographer", "Pay for Goods/Services", "Business Income;Savings", "12000"),
    ("STUDENT", "Student", "Educational Expense", "Gifts", "0"),
    ("RETIRED", "Teacher", "Send to Family & Friends", "Retirement/Pension;Investment Returns", "800"),
    ("UNEMPLOYED", "Home maker", "Charity & Donations", "Inheritance", "250"),
)
FIRST, FIRST_V1, FIRST_PAID = 3001, 3101, 3201
RENEWED, REJECTED, PAUSED = 9, 12, 13


def person(first_key: int, number: int, name: str, country: str, id_type: str, proof: Row, **special: str) -> Row:
    """Row `number`, counted from 1; `special` are columns with __ for a dot."""
    first, last = name.split()
    email = f"{special.get('first_name_en', first)}.{special.get('last_name_en', last)}@example.com"
    work = ("employment_status", "occupation", "purpose", "source_of_funds", "monthly_volume_usd")
    row = {
        "id": f"client_{first_key + number - 1}",
        "first_name": first,
        "last_name": last,
        "birth_date": f"{1960 + 3 * (number % 14)}-{1 + number % 12:02}-{10 + number}",
        "gender": "FEMALE" if number % 2 else "",
        "email": email.lower(),
        **PLACES[country].row(number),
        **dict(zip(work, WORK[number % len(WORK)], strict=True)),
        "id_type": id_type,
        "id_number": f"SPECIMEN{number:04}",
        "id_issue_date": f"20{18 + number % 6}-0{1 + number % 9}-15",
        "id_expiry_date": f"20{34 + number % 6}-0{1 + number % 9}-14",
        **{column: f"documents/{file}" for column, file in PAPERS[id_type].items()},
        **proof,
    }
    return row | {column.replace("__", "."): cell for column, cell in special.items()}


def people_v2() -> list[Row]:
    """Every kind of identity document; what is special about whom stands in the README."""
    listed: tuple[tuple[str, str, str, Row, Row], ...] = (
        ("Sam Specimen", "USA", "DRIVERS_LICENSE", BILL,
         {"id_state": "US-CA", "email": "Sam.Specimen@Example.com", "phone": "+1 (202) 555-0101"}),
        ("Ella Sample", "USA", "PASSPORT", STATEMENT, {"selfie": "documents/selfie.jpg"}),
        ("Gwen Enghraifft", "GBR", "PASSPORT", BILL, {"address__street_line_2": "Flat 3"}),
        ("Jörg Müster", "DEU", "NATIONAL_ID", LETTER,
         {"gender": "MALE", "first_name_en": "Joerg", "last_name_en": "Muester",
          "address__street_line_1": "4 Musterstraße", "address__street_line_1_en": "4 Musterstrasse"}),
        ("María Ejemplo", "MEX", "NATIONAL_ID", BILL,
         {"first_name_en": "Maria", "middle_name": "Elena", "second_nationality": "USA"}),
        ("নমুনা উদাহরণ", "BGD", "NATIONAL_ID", BILL, {"first_name_en": "Namuna", "last_name_en": "Udaharan"}),
        ("عيّنة مثال", "BHR", "NATIONAL_ID", STATEMENT,
         {"first_name_en": "Ayyina", "last_name_en": "Mithal", "phone": "00973 0000 0007"}),
        ("Bruna Exemplo", "FRA", "RESIDENCE_PERMIT", LETTER, {"nationality": "BRA"}),
        ("Iris Example", "USA", "PASSPORT", BILL, NEW_PASSPORT),
        ("Asha Namuna", "IND", "PASSPORT", STATEMENT, {}),
        ("Zoé Spécimen", "CAN", "DRIVERS_LICENSE", BILL, {"first_name_en": "Zoe", "last_name_en": "Specimen"}),
        ("Bruce Sample", "AUS", "PASSPORT", STATEMENT, {"selfie": "documents/selfie.jpg"}),
        ("Clara Muestra", "ESP", "RESIDENCE_PERMIT", BILL, {"nationality": "COL"}),
        ("Omar Mithal", "ARE", "PASSPORT", LETTER, {"nationality": "BHR"}),
        ("Rui Modelo", "BRA", "NATIONAL_ID", BILL, {"gender": "MALE", "email": "Rui.MODELO@example.com"}),
    )  # fmt: skip
    return [
        person(FIRST, number, name, country, paper, proof, **special)
        for number, (name, country, paper, proof, special) in enumerate(listed, 1)
    ]


def people_v1() -> list[Row]:
    """The first generation takes English letters alone, and more kinds of proofs of address."""
    listed: tuple[tuple[str, str, str, Row, Row], ...] = (
        ("Ann Specimen", "USA", "PASSPORT", BILL, {"email": "Ann.Specimen@Example.com", "phone": "+1 202 555-0101"}),
        ("Ben Sample", "USA", "DRIVERS_LICENSE", STATEMENT, {}),
        ("Cara Example", "GBR", "PASSPORT", LETTER, {}),
        ("Jürgen Muster", "DEU", "NATIONAL_ID", BILL, {"first_name_en": "Juergen"}),
        ("Diego Ejemplo", "MEX", "NATIONAL_ID", STATEMENT, {}),
        ("Farah Udaharan", "BGD", "NATIONAL_ID", BILL, {}),
        ("Ghada Mithal", "BHR", "NATIONAL_ID", BILL | {"address_type": "COMPANY_DOC"}, {}),
        ("Hugo Exemple", "FRA", "PASSPORT", BILL, {"phone": "+33 1 99 00 00 08"}),
        ("Ines Example", "USA", "PASSPORT", BILL, NEW_PASSPORT),
        ("Jaya Namuna", "IND", "PASSPORT", STATEMENT, {}),
        ("Kim Specimen", "CAN", "DRIVERS_LICENSE", LETTER, {}),
        ("Liam Sample", "AUS", "PASSPORT", BILL, {}),
        ("Mara Muestra", "ESP", "NATIONAL_ID", STATEMENT, {}),
        ("Nora Namuthaj", "ARE", "PASSPORT", BILL, {}),
        ("Otto Modelo", "BRA", "NATIONAL_ID", BILL, {}),
    )
    return [
        person(FIRST_V1, number, name, country, paper, proof, **special)
        for number, (name, country, paper, proof, special) in enumerate(listed, 1)
    ]


# ---------------------------------------------------------------------------------------------- payouts

PAID = (
    "Abel", "Bea", "Cleo", "Dora", "Emil", "Fay", "Gil", "Hana", "Ivo", "Jana", "Kurt", "Lena", "Milo", "Nina", "Olaf",
)  # fmt: skip
AMOUNTS = (
    "5.00", "250.00", "12.34", "99.99", "100", "20.5", "7.01", "249.99", "33.33", "150.00", "64.00", "5.01", "180.75",
    "42", "218.60",
)  # fmt: skip
BANKS = {
    "USA": ("Specimen Bank", "ACH", "000000000", "1 Bank Street", "New York", "US-NY", "10001"),
    "GBR": ("Sample Bank", "BANK_CODE", "000000", "1 Bank Road", "London", "GB-ENG", "EC2R 8AH"),
    "BHR": ("Example Bank", "SWIFT", "XXXXBHBM", "1 Bank Avenue", "Manama", "BH-13", "317"),
    "ARE": ("Model Bank", "SWIFT", "XXXXAEAD", "1 Bank Square", "Dubai", "AE-DU", "00000"),
}
PAID_COLUMNS = (
    "id", "first_name", "last_name", "email", "phone", "nationality",
    "address.street_line_1", "address.city", "address.subdivision_code", "address.postal_code", "address.country",
    "bank_name", "account_number", "account_type", "routing_scheme", "routing_number",
    "bank_address.street_line_1", "bank_address.city", "bank_address.state", "bank_address.postcode",
    "bank_address.country", "refund_wallet", "payout", "payout_purpose",
)  # fmt: skip


def paid(number: int) -> Row:
    country = list(BANKS)[number % len(BANKS)]
    bank, scheme, routing, street, city, state, postcode = BANKS[country]
    first = PAID[number - 1]
    return {
        "id": f"client_{FIRST_PAID + number - 1}",
        "first_name": first,
        "last_name": "Specimen",
        "email": f"{first}.specimen@example.com".lower(),
        **PLACES[country].row(number),
        "bank_name": bank,
        "account_number": f"{1000 + number:08}",
        "account_type": ("CHECKING", "SAVINGS", "CURRENT")[number % 3],
        "routing_scheme": scheme,
        "routing_number": routing,
        "bank_address.street_line_1": street,
        "bank_address.city": city,
        "bank_address.state": state,
        "bank_address.postcode": postcode,
        "bank_address.country": country,
        "refund_wallet": f"0x{number:040x}",
        "payout": AMOUNTS[number - 1],
        "payout_purpose": ("Receive Income", "Paying Self")[number % 2],
    }


# ---------------------------------------------------------------------------------------------- scripts


def reviews() -> dict[str, Any]:
    """What the local Fin.com asks of whom, and how it judges. Both generations have the same three cases."""
    expired = {
        "section": "proof_of_identity",
        "document_type": "PASSPORT",
        "status": "EXPIRED",
        "fields": ["number", "issue_date", "expiry_date", "files"],
    }
    refused = {
        "verdict": "rejected",
        "reject_labels": ["PROBLEMATIC_APPLICANT_DATA"],
        "moderation_comment": "the applicant could not be verified",
    }
    found: dict[str, Any] = {}
    for rows in (people_v2(), people_v1()):
        emails = [row["email"].lower() for row in rows]
        found[emails[RENEWED - 1]] = {"rfis": [[expired]]}
        found[emails[REJECTED - 1]] = refused
        found[emails[PAUSED - 1]] = {"hold": 1}
    return {"fin": {"reviews": {"by_email": found}}}


def approved() -> dict[str, Any]:
    """Customers who may be paid, and a balance that covers all of them."""
    names = ("first_name", "last_name")
    rows = [paid(number) for number in range(1, len(PAID) + 1)]
    customers = [
        {"email": row["email"], "status": "APPROVED", "basic_info": {name: row[name] for name in names}} for row in rows
    ]
    return {"fin": {"balance": 200_000, "customers": customers}}


def files() -> dict[Path, bytes]:
    papers = {
        "passport.jpg": jpeg(card("PASSPORT", "PHOTO PAGE")),
        "passport_new.jpg": jpeg(card("PASSPORT", "RENEWED")),
        "id_front.png": png(card("NATIONAL ID", "FRONT")),
        "id_back.png": png(card("NATIONAL ID", "BACK")),
        "license_front.jpg": jpeg(card("DRIVERS LICENSE", "FRONT")),
        "license_back.jpg": jpeg(card("DRIVERS LICENSE", "BACK")),
        "permit_front.png": png(card("RESIDENCE PERMIT", "FRONT")),
        "permit_back.png": png(card("RESIDENCE PERMIT", "BACK")),
        "selfie.jpg": jpeg(card("SELFIE", "NOBODY")),
        "utility_bill.pdf": pdf("UTILITY BILL", "Proof of address"),
        "bank_statement.pdf": pdf("BANK STATEMENT", "Proof of address"),
        "letter.pdf": pdf("GOVERNMENT LETTER", "Proof of address"),
    }
    return {
        HOME / "clients.csv": csv_text(people_v2(), COLUMNS).encode(),
        HOME / "clients-v1.csv": csv_text(people_v1(), COLUMNS_V1).encode(),
        HOME / "payouts.csv": csv_text(map(paid, range(1, len(PAID) + 1)), PAID_COLUMNS).encode(),
        HOME / "sandbox.json": json_text(reviews()).encode(),
        HOME / "sandbox-payouts.json": json_text(approved()).encode(),
        **{HOME / "documents" / name: data for name, data in papers.items()},
    }


if __name__ == "__main__":
    sys.exit(main(__doc__, files()))
