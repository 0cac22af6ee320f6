"""Countries and assets, with one of every special case."""

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


# Every other ISO 3166-1 country is there with nothing special about it; it goes by its code.
_CODES = """
ad af ag ai al am ao ar as at au aw ax az ba bb be bf bg bi bj bl bm bn bo bq br bs bt bw by bz ca cc
cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz dj dk dm do dz ec ee eh er es et fi fj fk fm fo ga
gd ge gf gg gh gi gl gm gn gp gq gr gt gu gw gy hk hn hr ht hu id ie il im iq ir is it je jm ke kg kh
ki km kn kr ky kz la lc li lk lr ls lt lu lv ly mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv
mw mx my mz na nc ne nf ng ni nl no np nr nu nz pa pe pf pg pl pm pr ps pt pw py re ro rs ru rw sb sc
sd se sg sh si sj sk sl sm sn so sr ss st sv sx sz tc td tf tg th tj tk tl tm tn to tt tv tw tz ua ug
uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""
OTHERS = tuple(Country(code, code.upper()) for code in _CODES.split())

SPECIAL = (
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

COUNTRIES = tuple(sorted((*SPECIAL, *OTHERS), key=lambda country: country.id))

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
