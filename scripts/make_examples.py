"""Write the invented people of examples/coinmena and the specimen documents they show.

    python scripts/make_examples.py            write everything again
    python scripts/make_examples.py --check    exit 1 when a committed file differs, and name it

Standard library only, no clock, no chance: the same bytes on every machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from example_files import EXAMPLES, card, csv_text, jpeg, main, pdf, png

HOME = EXAMPLES / "coinmena"

COLUMNS = (
    "partner_client_id", "name", "email", "phone", "residency_id", "citizenship_id", "place_of_birth_id",
    "birth_date", "government_id_number", "government_id_doe", "residency_visa_number", "residency_visa_doe",
    "address.street", "address.city", "address.postal_code", "address.unit",
    "employment.status", "employment.company", "employment.job_industry", "employment.job_level",
    "employment.job_title", "trading_volume", "account_purpose",
    "id_front", "id_back", "address_proof", "visa_file", "funds_file", "statement_file",
    "deposit", "withdrawal",
)  # fmt: skip

Row = dict[str, str]


# ---------------------------------------------------------------------------------------------- people


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person; pairs and groups are written as a reader would say them."""

    key: str
    name: str
    email: str
    phone: str
    countries: str  # residency, citizenship, place of birth
    born: str
    government_id: str  # number, expiry
    address: tuple[str, str, str, str]  # street, city, postal code, unit
    work: tuple[str, ...]  # status, or status, company, industry, level, title
    trading_volume: str
    purpose: str
    documents: dict[str, str]
    deposit: str
    withdrawal: str = ""
    visa: str = ""  # number, expiry

    def row(self) -> Row:
        residency, citizenship, birthplace = self.countries.split()
        id_number, id_expiry = self.government_id.split()
        visa_number, visa_expiry = self.visa.split() if self.visa else ("", "")
        status, company, industry, level, title = (*self.work, "", "", "", "")[:5]
        street, city, postal_code, unit = self.address
        head = (
            self.key, self.name, self.email, self.phone, residency, citizenship, birthplace,
            self.born, id_number, id_expiry, visa_number, visa_expiry,
            street, city, postal_code, unit,
            status, company, industry, level, title, self.trading_volume, self.purpose,
        )  # fmt: skip
        tail = {"deposit": self.deposit, "withdrawal": self.withdrawal}
        files = {column: f"documents/{name}" for column, name in self.documents.items()}
        return dict.fromkeys(COLUMNS, "") | dict(zip(COLUMNS, head, strict=False)) | files | tail


CARD = {"id_front": "id_front.jpg", "id_back": "id_back.jpg"}
PASSPORT = {"id_front": "passport.png"}
BILL = {"address_proof": "utility_bill.pdf"}
VISA = {"visa_file": "visa.png"}
SALARY = {"funds_file": "salary.pdf"}
STATEMENT = {"statement_file": "bank_statement.pdf"}

IT, FINANCE, HEALTH = "information_technology_telco", "financial_services", "healthcare"
SHORT, CASH_OUT, LONG = "short_term_trading", "converting_crypto_to_fiat", "long_term_investment"

# Names say "example" or "specimen" in their own language. Phones are from ranges nobody is given:
# +973 0000 …, +44 7700 900… and +33 1 99 00 … (kept free for fiction), +1 202 555 01….
PEOPLE = (
    Person(
        "user_1001", "Amina Al-Mithal", "amina.almithal@example.com", "+97300001001",
        "bh bh bh", "1990-01-15", "0000010001 2031-01-15",
        ("123 Specimen Street", "Manama", "0317", "4A"),
        ("employed", "Acme Specimen Corp", IT, "senior", "Software Engineer"),
        "10001_25000", f"{SHORT};{CASH_OUT}",
        {"id_front": "user_1001/id_front.jpg", "id_back": "user_1001/id_back.jpg", **BILL, **SALARY},
        "1000.00", "250.00",
    ),
    Person(
        "user_1002", "عيّنة بنت مثال", "ayyina.mithal@example.org", "+97300001002",
        "bh bh bh", "1985-11-03", "0000010002 2030-11-03",
        ("طريق العيّنات ٠٠، مجمع ٩٩", "المحرق", "0202", "شقة ٧"),
        ("self_employed", "مؤسسة النموذج", IT, "senior", "مديرة"),
        "25001_50000", SHORT, {**CARD, **BILL, **STATEMENT},
        "2500.00", "1000.00",
    ),
    Person(
        "user_1003", "José Ejemplo Núñez", "jose.ejemplo@example.net", "+97300001003",
        "bh es es", "1979-06-30", "00000003X 2032-06-30",
        ("Building 0, Road 0000, Block 000", "Riffa", "0428", ""),
        ("employed", "Muestra y Compañía, S.L.", IT, "senior", "Arquitecto de datos"),
        "10001_25000", CASH_OUT, {**PASSPORT, **BILL, **VISA},
        "750.50", "100.25", visa="V-0000-1003 2028-06-30",
    ),
    Person(
        "user_1004", 'Zoë "Zed" Probe-Müller', "zoe.probe+kyc@example.com", "+97300001004",
        "ae de de", "1992-02-29", "L0000004 2033-02-28",
        ('Tower "B", Level 12', "Dubai", "00000", "12-04"),
        ("employed", 'Muster & Söhne "Test", GmbH', FINANCE, "manager", "Head of Examples, EMEA"),
        "50001_100000", f"{SHORT};{CASH_OUT};{LONG}",
        {"id_front": "user_1004/id front.png", **BILL, **VISA, **SALARY, **STATEMENT},
        "1200.125", "200.125", visa="0000041004 2027-12-31",
    ),
    Person(
        "user_1005", "見本 太郎", "mihon.taro@example.org", "+97300001005",
        "bh jp jp", "1968-04-01", "TZ0000005 2034-04-01",
        ("1 Specimen Pearl Court", "Manama", "0055", "八階"),
        ("employed", "株式会社サンプル", IT, "senior", "部長"),
        "50001_100000", LONG, {**PASSPORT, **VISA},
        "5000.00", visa="0000051005 2029-03-31",
    ),
    Person(
        "user_1006", "Örnek Şahıs Çığır", "ornek.sahis@example.com", "+97300001006",
        "qa tr tr", "1995-09-09", "00000000006 2030-09-09",
        ("Numune Sokağı No:0", "Doha", "00006", "İç Kapı 3"),
        ("employed", "Deneme Yazılım A.Ş.", IT, "senior", "Yazılım Geliştirici"),
        "10001_25000", f"{CASH_OUT};{SHORT}", {**PASSPORT, **VISA, **SALARY},
        "10.00000001", "10", visa="QV0000001006 2028-01-01",
    ),
    Person(
        "user_1007", "Siobhán O'Sample", "siobhan.osample@example.net", "+447700900107",
        "bh ie ie", "2001-08-17", "PT0000007 2029-08-17",
        ("=Equal House, Specimen Lane", "Saar", "0515", ""),
        ("student",),
        "1_10000", SHORT, {**PASSPORT, **VISA},
        "300.00", visa="0000071007 2027-08-17",
    ),
    Person(
        "user_1008", "Fahad bin Namoothaj", "fahad.namoothaj@example.com", "+97300001008",
        "sa sa sa", "1983-12-12", "0000000008 2031-12-12",
        ("Specimen Road; second gate", "Riyadh", "01008", "-1B"),
        ("self_employed", "+Plus Interiors", "construction_real_estate", "executive", "Owner"),
        "25001_50000", f"{SHORT};{LONG}",
        {"id_front": "user_1008/ID-FRONT.JPG", "id_back": "user_1008/ID-BACK.JPG", **BILL},
        "4999.99", "0.01",
    ),
    Person(
        "user_1009", "Namuna Udaharan", "namuna.udaharan@example.org", "+97300001009",
        "bh in in", "1988-02-29", "Z0000009 2032-02-28",
        ("Flat 0, Building 0, Road 0000", "Isa Town", "0809", "09"),
        ("employed", "Specimen Clinic", HEALTH, "senior", "Nurse"),
        "10001_25000", CASH_OUT, {**PASSPORT, **BILL, **VISA, **SALARY},
        "150.00", "149.99", visa="0000091009 2028-02-28",
    ),
    Person(
        "user_1010", "Ola Prøve-Nordmann", "ola.prove@example.net", "+97300001010",
        "om no no", "1941-05-17", "00000000010 2029-05-17",
        ("Prøvegata 0", "Muscat", "0110", "H0101"),
        ("retired",),
        "1_10000", CASH_OUT, {**PASSPORT, **VISA},
        "0.01", visa="0000101010 2027-05-17",
    ),
    Person(
        "user_1011", "홍길동 견본", "gildong.gyeonbon@example.com", "+97300001011",
        "ae kr kr", "1997-10-10", "M00000011 2033-10-10",
        ("11 Specimen Marina Walk", "Abu Dhabi", "00000", "1101"),
        ("employed", "견본전자", IT, "senior", "엔지니어"),
        "25001_50000", SHORT, {**PASSPORT, **VISA, **STATEMENT},
        "880.1234", "80.1234", visa="0000111011 2028-10-10",
    ),
    Person(
        "user_1012", "Yusuf Tajriba", "yusuf.tajriba@example.org", "+97300001012",
        "kw kw kw", "1974-07-07", "000000000012 2030-07-07",
        ("Block 0, Street 00, House 000", "Kuwait City", "01012", ""),
        ("employed", "{{ Brackets }} Studio", IT, "senior", "Designer"),
        "10001_25000", f"{SHORT};{CASH_OUT}",
        {**CARD, "address_proof": "user_1012/water-bill.2025.pdf"},
        "425.00", "25.00",
    ),
    Person(
        "user_1013", "Noura Mithaliya", "noura.mithaliya@example.com", "+97300001013",
        "bh bh bh", "2003-03-21", "0000010013 2029-03-21",
        ("13 Specimen Street", "Muharraq", "0221", "13"),
        ("student",),
        "1_10000", SHORT, CARD,
        "640.00",
    ),
    Person(
        "user_1014", "Zoé d'Exemple-Çédille", "zoe.exemple@example.net", "+33199000014",
        "ae fr bh", "1981-01-01", "00FX00014 2031-01-01",
        ('Résidence "L\'Échantillon", bât. 0', "Sharjah", "00014", "3e étage"),
        ("employed", "Société Spécimen, SARL", FINANCE, "executive", "Directrice générale adjointe"),
        "50001_100000", f"{LONG};{CASH_OUT}", {**PASSPORT, **BILL, **VISA, **SALARY, **STATEMENT},
        "3333.33333333", "1111.11111111", visa="0000141014 2027-10-01",
    ),
    Person(
        "user_1015", "Halima Ayyinah", "halima@example.org", "+97300001015",
        "bh bh sa", "1999-12-31", "0000010015 2029-12-31",
        ("15 Specimen Street", "Hamad Town", "1205", ""),
        ("unemployed",),
        "1_10000", CASH_OUT, {**CARD, **BILL},
        "99.99", "9.99",
    ),
    Person(
        "user_1016", "样本 小明", "yangben.xiaoming@example.com", "+97300001016",
        "sa cn cn", "1987-08-08", "E00000016 2032-08-08",
        ("16 Specimen Avenue", "Jeddah", "02016", "B-16"),
        ("employed", "样本科技有限公司", IT, "senior", "产品经理"),
        "25001_50000", SHORT, {**PASSPORT, **VISA, **SALARY},
        "2000.00", "500.00", visa="0000161016 2028-08-08",
    ),
    Person(
        "user_1017", "Khalid Null", "khalid.null@example.net", "+97300001017",
        "bh bh bh", "1970-01-01", "0000010017 2030-01-01",
        ("NULL Street 0", "Sitra", "0601", "N/A"),
        ("self_employed", "None & Nil Trading", "retail_trade", "executive", "True Owner"),
        "10001_25000", f"{CASH_OUT};{LONG}", {**CARD, **STATEMENT},
        "1750.75",
    ),
    Person(
        "user_1018", "Maria Halimbawa-Santísima", "maria.halimbawa@example.com", "+97300001018",
        "qa ph ph", "1993-04-18", "P0000018A 2030-04-18",
        ("Zone 00, Street 000, Villa 18", "Al Wakrah", "00018", "GF"),
        ("employed", "@Work Specimen Hotel", "hospitality_tourism", "junior", "Concierge"),
        "1_10000", CASH_OUT, {**PASSPORT, **VISA},
        "60.00", "59.99999999", visa="0000181018 2027-04-18",
    ),
    Person(
        "user_1019", "Layla Mithal", "layla.mithal@example.org", "+97300001019",
        "bh jo jo", "1989-09-19", "0000000019 2031-09-19",
        ("19 Specimen Circle", "A'ali", "0732", "5"),
        ("employed", "Specimen University", "education", "senior", "Lecturer"),
        "10001_25000", LONG, {**PASSPORT, **BILL, **VISA, **SALARY},
        "512.50", "12.50", visa="0000191019 2029-09-19",
    ),
    Person(
        "user_1020", "J. Q. Sample III", "jq.sample@example.com", "+12025550120",
        "bh ca ca", "1959-07-04", "000000020 2028-07-04",
        ("Villa 20, Specimen Gardens", "Budaiya", "0555", "#20"),
        ("retired",),
        "1_10000", f"{CASH_OUT};{SHORT}", {**PASSPORT, **BILL, **VISA},
        "1.00", "0.5", visa="0000201020 2028-07-04",
    ),
    Person(
        "user_1021", "Pieter van 't Voorbeeld", "pieter.voorbeeld@example.net", "+97300001021",
        "bh nl nl", "1976-03-05", "NX0000021 2033-03-05",
        ("21 Specimen Quay", "Manama", "0346", "21"),
        ("employed", "'s-Voorbeeld Trading B.V.", FINANCE, "senior", "Treasurer"),
        "50001_100000", f"{SHORT};{LONG}", {**PASSPORT, **BILL, **VISA, **STATEMENT},
        "2750.00", "2000.00", visa="0000211021 2029-03-05",
    ),
    Person(
        "user_1022", "مثال عبد العيّنة", "mithal.abdulayyina@example.com", "+97300001022",
        "sa eg eg", "1996-06-06", "00000000000022 2030-06-06",
        ("٢٢ شارع النموذج، الدور ٣", "الدمام", "02022", ""),
        ("employed", "شركة العيّنة «التجريبية»", IT, "junior", "محاسب"),
        "1_10000", SHORT, {**CARD, **VISA},
        "175.000", visa="0000221022 2028-06-06",
    ),
    Person(
        "user_1023", "Björk Prófsdóttir Ægis", "bjork.profs@example.org", "+97300001023",
        "bh dk no", "1990-10-23", "000000023 2031-10-23",
        ("23, Specimen Street, \"Garden\" entrance", "Juffair", "0340", "2/3"),
        ("self_employed", "Prófun ehf.", IT, "senior", "Ráðgjafi"),
        "10001_25000", CASH_OUT, {**PASSPORT, **VISA, **SALARY},
        "845.60", "45.60", visa="0000231023 2028-10-23",
    ),
    Person(
        "user_1024", "Dana Specimen", "dana.specimen@example.net", "+97300001024",
        "kw kw bh", "1964-11-24", "000000000024 2029-11-24",
        ("24 Specimen Street", "Salmiya", "02024", "24"),
        ("unemployed",),
        "1_10000", CASH_OUT, CARD,
        "1499.95",
    ),
    Person(
        "user_1025", "Gwen Enghraifft", "gwen.enghraifft@example.com", "+447700900125",
        "bh gb gb", "1986-03-01", "000000025 2032-03-01",
        ("-25 Lower Ground, Specimen Mews", "Manama", "0025", "LG"),
        ("employed", "Enghraifft Cyf", IT, "senior", "QA Lead"),
        "10001_25000", f"{SHORT};{CASH_OUT}", {**PASSPORT, **BILL, **VISA},
        "500", "125", visa="0000251025 2029-03-01",
    ),
)  # fmt: skip

NESTED_PEOPLE = (
    Person(
        "user_2001", "Salma Jsonia", "salma.jsonia@example.com", "+97300002001",
        "bh bh bh", "1991-05-20", "0000020001 2031-05-20",
        ("1 Nested Street", "Manama", "0301", "1"),
        ("employed", "Curly Brackets W.L.L.", IT, "senior", "Analyst"),
        "10001_25000", f"{SHORT};{CASH_OUT}", {**CARD, **BILL},
        "1200.00", "200.00",
    ),
    Person(
        "user_2002", "Žofie Vzorová", "zofie.vzorova@example.org", "+97300002002",
        "ae de de", "1984-02-02", "L0002002 2030-02-02",
        ("2 Nested Street", "Dubai", "00000", "22"),
        ("self_employed", 'Vzor "a syn"', FINANCE, "executive", "Founder"),
        "25001_50000", LONG, {**PASSPORT, **VISA, **SALARY},
        "333.333", visa="0000202002 2028-02-02",
    ),
    Person(
        "user_2003", "سامي نموذج", "sami.namoothaj@example.net", "+97300002003",
        "sa sa sa", "1956-09-30", "0000002003 2029-09-30",
        ("٣ شارع المثال", "الرياض", "02003", ""),
        ("retired",),
        "1_10000", CASH_OUT, CARD,
        "75.00", "74.99",
    ),
)  # fmt: skip


def plain_person(number: int, name: str) -> Row:
    """Somebody without a single difficulty, for the files in which something else is wrong."""
    person = Person(
        f"user_{number}", name, f"user{number}@example.com", f"+9730000{number}",
        "bh bh bh", "1990-01-15", f"00000{number} 2031-01-15",
        (f"Specimen Street {number}", "Manama", "0317", ""),
        ("employed", "Acme Specimen Corp", IT, "senior", "Engineer"),
        "10001_25000", SHORT, {"id_front": "id_front.jpg"},
        "100.00", "10.00",
    )  # fmt: skip
    return person.row()


# ---------------------------------------------------------------------------------------- clients files


def nested(row: Row) -> dict[str, object]:
    """The same person as JSON: dotted columns nest, the list is a list, what is empty is absent."""
    tree: dict[str, object] = {}
    for column, cell in row.items():
        if not cell:
            continue
        branch = tree
        *parents, leaf = column.split(".")
        for parent in parents:
            branch = branch.setdefault(parent, {})  # type: ignore[assignment]
        branch[leaf] = cell.split(";") if column == "account_purpose" else cell
    return tree


def jsonl_text(rows: Iterable[Row]) -> str:
    return "".join(json.dumps(nested(row), ensure_ascii=False) + "\n" for row in rows)


def broken_files() -> Iterator[tuple[str, bytes]]:
    """One mistake a file, so that a message about anything else is our mistake."""
    first, second, third = (
        plain_person(3001, "Wanda Wrong"),
        plain_person(3002, "Otto Oddity"),
        plain_person(3003, "Mina Mistake"),
    )
    good = csv_text([first, second, third], COLUMNS)
    yield "ragged.csv", good.replace("Specimen Street 3002", "Specimen Street, 3002").encode()
    again = third | {"partner_client_id": first["partner_client_id"]}
    yield "duplicate-key.csv", csv_text([first, second, again], COLUMNS).encode()
    yield "latin1.csv", good.replace("Otto Oddity", "José Oddité").encode("latin-1")
    yield "unclosed-quote.csv", good.replace("Specimen Street 3002", '"Specimen Street 3002').encode()
    yield "missing-column.csv", csv_text([first, second], [c for c in COLUMNS if c != "email"]).encode()
    yield "empty.csv", csv_text([], COLUMNS).encode()
    yield "documents/id_front.jpg", jpeg(card("GOVERNMENT ID", "FRONT"))


def total(rows: Iterable[Row], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column]), Decimal(0))


def totals_table() -> str:
    """What the README says about money, added up exactly."""
    lines = ["| File | People | Deposits (USD) | Withdrawals (USD) |", "|---|---|---|---|"]
    files = (("clients.csv", PEOPLE), ("funding.csv", PEOPLE), ("clients.jsonl", NESTED_PEOPLE))
    for name, people in files:
        rows = [person.row() for person in people]
        cells = [
            f"{total(rows, column):f} in {sum(bool(row[column]) for row in rows)}"
            for column in ("deposit", "withdrawal")
        ]
        lines.append(f"| `{name}` | {len(rows)} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def with_totals(readme: str) -> str:
    """The README's own words around a table that is never typed by hand."""
    before, start, rest = readme.partition("<!-- totals -->\n")
    _, end, after = rest.partition("<!-- /totals -->")
    if not (start and end):
        raise SystemExit("examples/coinmena/README.md: add <!-- totals --> and <!-- /totals --> around the table")
    return f"{before}{start}{totals_table()}\n{end}{after}"


# ------------------------------------------------------------------------------------------- all of it


def specimens() -> Iterator[tuple[str, bytes]]:
    """Every document that a row may name: a few shared ones, a few that belong to one person."""
    yield "id_front.jpg", jpeg(card("GOVERNMENT ID", "FRONT"))
    yield "id_back.jpg", jpeg(card("GOVERNMENT ID", "BACK"))
    yield "passport.png", png(card("PASSPORT", "PHOTO PAGE"))
    yield "visa.png", png(card("RESIDENCY VISA", "FRONT"))
    yield "utility_bill.pdf", pdf("UTILITY BILL", "Proof of address")
    yield "salary.pdf", pdf("SALARY CERTIFICATE", "Source of funds")
    yield "bank_statement.pdf", pdf("BANK STATEMENT", "Three months")
    yield "user_1001/id_front.jpg", jpeg(card("GOVERNMENT ID", "USER 1001 FRONT"))
    yield "user_1001/id_back.jpg", jpeg(card("GOVERNMENT ID", "USER 1001 BACK"))
    yield "user_1004/id front.png", png(card("PASSPORT", "USER 1004"))
    yield "user_1008/ID-FRONT.JPG", jpeg(card("GOVERNMENT ID", "USER 1008 FRONT"))
    yield "user_1008/ID-BACK.JPG", jpeg(card("GOVERNMENT ID", "USER 1008 BACK"))
    yield "user_1012/water-bill.2025.pdf", pdf("WATER BILL", "user_1012")


def files() -> dict[Path, bytes]:
    """Everything this script answers for, and what must be in it."""
    people = [person.row() for person in PEOPLE]
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    money = ("partner_client_id", "deposit", "withdrawal")
    return {
        HOME / "README.md": with_totals(readme).encode(),
        HOME / "clients.csv": csv_text(people, COLUMNS).encode(),
        HOME / "clients.jsonl": jsonl_text(person.row() for person in NESTED_PEOPLE).encode(),
        HOME / "funding.csv": csv_text(people, money).encode(),
        **{HOME / "bad" / name: data for name, data in broken_files()},
        **{HOME / "documents" / name: data for name, data in specimens()},
    }


if __name__ == "__main__":
    sys.exit(main(__doc__, files()))
