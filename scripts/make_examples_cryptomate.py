"""Writes examples/cryptomate: twenty invented people whom CryptoMate asks for different things.

    python scripts/make_examples_cryptomate.py           write everything
    python scripts/make_examples_cryptomate.py --check   write nothing; exit 1 when a file differs

What is asked of whom, and how each is judged, stands in sandbox.json; the clients file knows nothing of it.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

from make_examples import card, different, jpeg, png, put

HOME = Path(__file__).resolve().parent.parent / "examples" / "cryptomate"

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
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(person(number) for number in range(1, len(NAMES) + 1))
    return {
        HOME / "clients.csv": out.getvalue().encode(),
        HOME / "sandbox.json": (json.dumps(scenario(), indent=2) + "\n").encode(),
        HOME / "documents" / "passport.jpg": jpeg(card("PASSPORT", "PHOTO PAGE")),
        HOME / "documents" / "id_front.png": png(card("NATIONAL ID", "FRONT")),
        HOME / "documents" / "id_back.png": png(card("NATIONAL ID", "BACK")),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    wanted = files()
    if not parser.parse_args().check:
        put(wanted)
        return 0
    stale = different(wanted)
    for path in stale:
        print(f"{path.relative_to(HOME.parent.parent)}: differs, run python scripts/make_examples_cryptomate.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
