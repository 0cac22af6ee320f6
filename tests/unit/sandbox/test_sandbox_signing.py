"""Who is let in: the signature, the clock, the partner and the address."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from runner.sandbox.coinmena.signing import recipe

ORDERS = "/v1/partner/orders"
UNAUTHORIZED = {"code": 401, "msg": "Unauthorized", "msg_detail": None}


def call(partner: Any, text: str, path: str = ORDERS, method: str = "GET", body: bytes = b"", **headers: str) -> Any:
    given = {
        "X-Partner-ID": "sandbox-partner",
        "X-Timestamp": str(int(partner.clock.now() * 1000)),
        "X-Signature": partner.signature(text.encode()),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return partner.send(method, path, body, given)


EMPTY = hashlib.sha256(b"").hexdigest()
STAMP = "1717236000000"


@pytest.mark.parametrize(
    ("signing", "text"),
    [
        ({}, f"{STAMP}\nGET\n{ORDERS}\n{EMPTY}"),
        ({"separator": "dot"}, f"{STAMP}.GET.{ORDERS}.{EMPTY}"),
        ({"separator": "none"}, f"{STAMP}GET{ORDERS}{EMPTY}"),
        ({"separator": "|"}, f"{STAMP}|GET|{ORDERS}|{EMPTY}"),
        ({"method": "lower"}, f"{STAMP}\nget\n{ORDERS}\n{EMPTY}"),
        ({"hash": "hex-upper"}, f"{STAMP}\nGET\n{ORDERS}\n{EMPTY.upper()}"),
        (
            {"hash": "base64"},
            f"{STAMP}\nGET\n{ORDERS}\n{base64.b64encode(hashlib.sha256(b'').digest()).decode()}",
        ),
        ({"query": "yes"}, f"{STAMP}\nGET\n{ORDERS}?page=1\n{EMPTY}"),
        ({"empty": "empty"}, f"{STAMP}\nGET\n{ORDERS}\n"),
    ],
)
def test_each_recipe_accepts_its_own_text_and_no_other(start: Any, signing: dict[str, str], text: str) -> None:
    partner = start(signing=signing)

    assert call(partner, text, f"{ORDERS}?page=1").status == 200
    assert call(partner, text + " ", f"{ORDERS}?page=1").status == 401


def test_a_multipart_body_is_hashed_as_it_arrived(partner: Any) -> None:
    partner.client()

    assert partner.upload("user_1", {"type": "government_id"}, {"front_file": b"%PDF-1"}).status == 201


def test_a_recipe_may_leave_the_multipart_body_out(start: Any) -> None:
    partner = start(signing={"multipart": "empty"})
    partner.client()
    path = "/v1/partner/clients/user_1/documents"

    found = call(
        partner,
        f"{STAMP}\nPOST\n{path}\n{EMPTY}",
        path,
        "POST",
        b"x",
        Content_Type="multipart/form-data; boundary=b",
    )

    assert found.status == 422  # let in, then not a whole form


def test_the_path_counts_as_sent_with_its_slash_and_its_escapes(partner: Any) -> None:
    partner.client("a b", email="a@example.com")
    path = "/v1/partner/clients/a%20b/"

    assert partner.get(path).status == 200
    assert partner.get(path.rstrip("/")).status == 200
    assert call(partner, f"{STAMP}\nGET\n{path.rstrip('/')}\n{EMPTY}", path).status == 401
    assert call(partner, f"{STAMP}\nGET\n/v1/partner/clients/a b/\n{EMPTY}", path).status == 401


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({"X_Signature": ""}, "missing header x-signature"),
        ({"X_Timestamp": ""}, "missing header x-timestamp"),
        ({"X_Partner_ID": ""}, "missing header x-partner-id"),
        ({"X_Partner_ID": "someone"}, "unknown partner"),
        ({"X_Timestamp": "soon"}, "timestamp is not a number of milliseconds"),
        ({"X_Timestamp": "1717236000001"}, "timestamp is 1 ms in the future"),
        ({"X_Timestamp": "1717235939999"}, "timestamp is 60001 ms old"),
        ({"X_Timestamp": "1717236000"}, "timestamp is 1715518764000 ms old"),
        ({"X_Signature": "_-__"}, "signature is not standard Base64"),
        ({"X_Signature": "AAAA"}, "signature does not match"),
    ],
)
def test_every_refusal_looks_the_same_outside_and_is_told_inside(
    partner: Any, headers: dict[str, str], cause: str
) -> None:
    found = call(partner, f"{STAMP}\nGET\n{ORDERS}\n{EMPTY}", **headers)

    assert found.status == 401
    assert found.json == UNAUTHORIZED
    assert partner.state["refusals"] == [{"at": "2024-06-01T10:00:00Z", "operation": "orders.list", "cause": cause}]


def test_a_timestamp_exactly_sixty_seconds_old_is_still_good(partner: Any) -> None:
    headers = partner.signed("GET", ORDERS, b"")
    partner.clock.seconds += 60

    assert partner.send("GET", ORDERS, b"", headers).status == 200


def test_a_signature_may_be_used_twice(partner: Any) -> None:
    headers = partner.signed("GET", ORDERS, b"")

    assert partner.send("GET", ORDERS, b"", headers).status == 200
    assert partner.send("GET", ORDERS, b"", headers).status == 200


def test_only_listed_addresses_may_call(start: Any) -> None:
    partner = start(allow_ip=("10.0.0.0/8", "192.0.2.1"))
    headers = partner.signed("GET", ORDERS, b"")

    assert partner.send("GET", ORDERS, b"", headers, peer="10.1.2.3").status == 200
    assert partner.send("GET", ORDERS, b"", headers, peer="192.0.2.1").status == 200
    assert partner.send("GET", ORDERS, b"", headers, peer="127.0.0.1").json == UNAUTHORIZED
    assert partner.state["refusals"][0]["cause"] == "address not on the allow list"


def test_public_data_needs_no_signature(partner: Any) -> None:
    assert partner.send("GET", "/v1/public/assets").status == 200
    assert partner.send("GET", "/v1/public/countries").status == 200


def test_another_partner_id_comes_from_the_environment(start: Any) -> None:
    partner = start(env={"COINMENA_PARTNER_ID": "acme"})

    assert call(partner, f"{STAMP}\nGET\n{ORDERS}\n{EMPTY}").status == 401
    assert call(partner, f"{STAMP}\nGET\n{ORDERS}\n{EMPTY}", X_Partner_ID="acme").status == 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seperator": "dot"}, 'signing: unknown key "seperator", known are'),
        ({"hash": "md5"}, 'signing: hash is "md5", expected hex or hex-upper or base64'),
    ],
)
def test_a_wrong_recipe_says_what_is_known(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe(settings)
