"""Invented people for measuring: the same bytes on every machine, no two alike, documents of the examples."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ROOT / "examples" / "coinmena" / "documents"


def person(number: int) -> dict[str, str]:
    """One client with two documents, a deposit, and for every second one a withdrawal."""
    cents = number * 7919 % 100_000
    return {
        "partner_client_id": f"bench_{number:06d}",
        "name": f"Specimen Person {number}",
        "email": f"specimen.person.{number}@example.com",
        "phone": f"+973{number:08d}",
        "residency_id": "bh",
        "citizenship_id": "bh",
        "place_of_birth_id": "bh",
        "birth_date": f"19{60 + number % 40}-{1 + number % 12:02d}-{1 + number % 28:02d}",
        "government_id_number": f"B{number:09d}",
        "government_id_doe": "2035-01-15",
        "address.street": f"{number} Specimen Street",
        "address.city": "Manama",
        "address.postal_code": f"{number % 10_000:04d}",
        "employment.status": "employed",
        "employment.company": "Acme Specimen Corp",
        "employment.job_industry": "information_technology_telco",
        "employment.job_level": "senior",
        "employment.job_title": "Engineer",
        "trading_volume": "10001_25000",
        "account_purpose": "short_term_trading",
        "id_front": "documents/id_front.jpg",
        "id_back": "documents/id_back.jpg",
        "address_proof": "documents/utility_bill.pdf",
        "deposit": f"{100 + cents // 100}.{cents % 100:02d}",
        "withdrawal": f"{1 + number % 90}.{number % 100:02d}" if number % 2 == 0 else "",
    }


def write(folder: Path, count: int) -> Path:
    """A clients file of so many people, the documents beside it; returns the file."""
    people = [person(number) for number in range(1, count + 1)]
    shutil.copytree(DOCUMENTS, folder / "documents", dirs_exist_ok=True)
    path = folder / "clients.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, people[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(people)
    return path


def ledger(path: Path) -> dict[str, tuple[Decimal, Decimal]]:
    """What the file says each client has to have moved: deposit, withdrawal."""
    with path.open(encoding="utf-8", newline="") as rows:
        return {
            row["partner_client_id"]: (Decimal(row["deposit"]), Decimal(row["withdrawal"] or 0))
            for row in csv.DictReader(rows)
        }
