"""Countries and assets: small lists with one of every special case."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Country:
    """A country and the fields of a client that accept it."""

    id: str
    name: str
    residency: bool = True
    citizenship: bool = True
    place_of_birth: bool = True
    legal_age: int = 18

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "residency_allowed": self.residency,
            "citizenship_allowed": self.citizenship,
            "place_of_birth_allowed": self.place_of_birth,
        }


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset, its flags and its price in US dollars."""

    id: str
    name: str
    usd: Decimal
    type: str = "fiat"
    published: bool = True
    depositable: bool = True
    withdrawable: bool = True

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "published": self.published,
            "depositable": self.depositable,
            "withdrawable": self.withdrawable,
        }


COUNTRIES = (
    Country("ae", "United Arab Emirates"),
    Country("bd", "Bangladesh"),
    Country("bh", "Bahrain"),
    Country("de", "Germany"),
    Country("eg", "Egypt"),
    Country("fr", "France"),
    Country("gb", "United Kingdom"),
    Country("in", "India"),
    Country("jo", "Jordan"),
    Country("jp", "Japan", legal_age=20),
    Country("kp", "North Korea", residency=False, citizenship=False, place_of_birth=False),
    Country("kw", "Kuwait", legal_age=21),
    Country("lb", "Lebanon"),
    Country("ma", "Morocco"),
    Country("om", "Oman"),
    Country("ph", "Philippines"),
    Country("pk", "Pakistan"),
    Country("qa", "Qatar"),
    Country("sa", "Saudi Arabia"),
    Country("sy", "Syria", residency=False, citizenship=False),
    Country("tr", "Turkey"),
    Country("us", "United States", residency=False),
)

ASSETS = (
    Asset("AED", "UAE Dirham", Decimal("0.27229408")),
    Asset("BHD", "Bahraini Dinar", Decimal("2.65251989")),
    Asset("BTC", "Bitcoin", Decimal("64000"), "crypto", depositable=False, withdrawable=False),
    Asset("ETH", "Ethereum", Decimal("3200"), "crypto", depositable=False, withdrawable=False),
    Asset("EUR", "Euro", Decimal("1.08"), published=False),
    Asset("KWD", "Kuwaiti Dinar", Decimal("3.25"), withdrawable=False),
    Asset("QAR", "Qatari Riyal", Decimal("0.27472527"), depositable=False),
    Asset("SAR", "Saudi Riyal", Decimal("0.26666667")),
    Asset("USD", "US Dollar", Decimal("1")),
    Asset("USDT", "Tether", Decimal("1"), "crypto", depositable=False, withdrawable=False),
)
