"""Writes examples/cryptomate: twenty invented people whom CryptoMate asks for different things.

    python scripts/make_examples_cryptomate.py           write everything
    python scripts/make_examples_cryptomate.py --check   write nothing; exit 1 when a file differs

What is asked of whom, and how each is judged, stands in sandbox.json; the clients file knows nothing of it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from example_files import EXAMPLES, card, csv_text, jpeg, json_text, main, png

HOME = EXAMPLES / "cryptomate"

NAMES = (
    "Alma Specimen", "Bruno Muestra", "Carla Ejemplo", "Dario Prueba", "Elena Modelo", "Fausto Patron", "Gala Molde",
    "Hugo Plantilla", "Iris Borrador", "Julio Ensayo", "Kiara Copia", "Leon Simulacro", "Mora Ficticia", "Nico Caso",
    "Olga Inventada", "Pablo Imaginario", "Rita Irreal", "Saul Teorico", "Tania Abstracta", "Ugo Ilusorio",
)  # fmt: skip
COLUMNS = (
    "id", "email", "first_name", "last_name", "birth_date", "address.street_line1", "address.city",
    "address.postal_code", "address.state", "address.country", "phone_country_code", "phone_number", "passport_front",
    "passport_number", "id_front", "id_back", "id_number",
)  # fmt: skip

# Four shapes of requirements, five people each.
SHAPES = ("phone-and-passport", "passport-only", "id-both-sides", "passport-or-id")
UNSATISFIABLE, BAD_IMAGE, REFUSED, LAST_CHANCE = 3, 7, 12, 16


def person(number: int) -> dict[str, str]:
    """Row `number`, counted from 1. Everybody has what he is asked for, but for number 3."""
    first, last = NAMES[number - 1].split()
    shape = SHAPES[(number - 1) % len(SHAPES)]
    row = {
        "id": f"client_{2000 + number}",
        "email": f"{first.lower()}.{last.lower()}@example.com",
        "first_name": first,
        "last_name": last,
        "birth_date": f"{1970 + number}-0{1 + number % 9}-1{number % 9}",
        "address.street_line1": f"Calle Falsa {100 + number}",
        "address.city": "Del Viso",
        "address.postal_code": "1669",
        "address.state": "ARG-B",
        "address.country": "ARG",
        "phone_country_code": "54",
        "phone_number": str(1_100_000_000 + number),
    }
    if shape != "id-both-sides":
        row |= {"passport_front": "documents/passport.jpg", "passport_number": f"AB{1_000_000 + number}"}
    if shape in ("id-both-sides", "passport-or-id"):
        row |= {"id_front": "documents/id_front.png", "id_back": "documents/id_back.png"}
        row |= {"id_number": str(20_000_000 + number)}
    if number == UNSATISFIABLE:
        # Asked for both sides of an identity card, he has a passport, and no phone.
        row |= {"id_front": "", "id_back": "", "id_number": "", "phone_country_code": "", "phone_number": ""}
        row |= {"passport_front": "documents/passport.jpg", "passport_number": "AB1000003"}
    return row


def scenario() -> dict[str, Any]:
    """What the local CryptoMate asks of whom, and how it judges."""
    emails = {number: person(number)["email"] for number in range(1, len(NAMES) + 1)}
    reviews = {
        # Five pictures of the only document that is there: each is turned down.
        emails[BAD_IMAGE]: {"reject_images": {"national_id": "the picture is blurred"}},
        # The first document is turned down, the second will do.
        emails[LAST_CHANCE]: {"reject_images": {"passport": "the document has expired"}},
        emails[REFUSED]: {
            "verdict": "rejected",
            "rejection_code": "REJECTED_BY_PROVIDER",
            "rejection_description": "the provider could not confirm the identity",
        },
    }
    requirements = {email: SHAPES[(number - 1) % len(SHAPES)] for number, email in emails.items()}
    return {"cryptomate": {"requirements": {"by_email": requirements}, "reviews": {"by_email": reviews}}}


def files() -> dict[Path, bytes]:
    people = [person(number) for number in range(1, len(NAMES) + 1)]
    return {
        HOME / "clients.csv": csv_text(people, COLUMNS).encode(),
        HOME / "sandbox.json": json_text(scenario()).encode(),
        HOME / "documents" / "passport.jpg": jpeg(card("PASSPORT", "PHOTO PAGE")),
        HOME / "documents" / "id_front.png": png(card("NATIONAL ID", "FRONT")),
        HOME / "documents" / "id_back.png": png(card("NATIONAL ID", "BACK")),
    }


if __name__ == "__main__":
    sys.exit(main(__doc__, files()))
