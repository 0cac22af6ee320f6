"""Clients are created once, read as sent, and (de)activated."""

from __future__ import annotations

import json
from typing import Any

import pytest

PATH = "/v1/partner/clients/user_1/"


def test_a_new_client_is_verified_and_active_at_once(partner: Any) -> None:
    made = partner.client()

    assert made.status == 201
    assert made.result["status"] == "verified"
    assert made.result["active"] is True
    assert isinstance(made.result["id"], int)
    assert made.result["created_at"] == made.result["verified_at"] == "2024-06-01T10:00:00Z"
    assert made.result["address"] == {
        "street": "123 Main St",
        "city": "Manama",
        "postal_code": "12345",
        "unit": "4A",
    }
    assert made.result == partner.get(PATH).result


def test_ids_are_sequential_and_follow_from_the_seed(start: Any) -> None:
    first = start()
    ids = [first.client(name).result["id"] for name in ("a", "b", "c")]

    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    assert ids[0] == start().client().result["id"]


def test_fields_nobody_knows_and_nulls_are_dropped(partner: Any) -> None:
    made = partner.client(
        nickname="J",
        residency_visa_number=None,
        address={"street": "a", "city": "b", "postal_code": "c", "unit": None, "floor": "1"},
    )

    assert "nickname" not in made.result
    assert "residency_visa_number" not in made.result
    assert made.result["address"] == {"street": "a", "city": "b", "postal_code": "c"}


@pytest.mark.parametrize(
    "field",
    [
        *("partner_client_id", "account_type", "name", "email", "phone", "birth_date", "place_of_birth_id"),
        *("residency_id", "citizenship_id", "government_id_number", "government_id_doe"),
        *("address", "employment", "trading_volume", "account_purpose"),
    ],
)
def test_every_required_field_is_missed(partner: Any, field: str) -> None:
    found = partner.client(**{field: None})

    assert found.code == (422, 422)
    assert found.json["msg_detail"] == {field: ["This field is required."]}
    assert partner.state["clients"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("partner_client_id", " x"),
        ("partner_client_id", "x" * 129),
        ("partner_client_id", 7),
        ("account_type", "corporate"),
        ("name", "  "),
        ("email", "nobody"),
        ("phone", "97312345678"),
        ("phone", "+0123456789"),
        ("birth_date", "15/01/1990"),
        ("birth_date", "1990-02-30"),
        ("government_id_doe", "20280115"),
        ("residency_visa_doe", "soon"),
        ("account_purpose", []),
        ("account_purpose", "trading"),
        ("account_purpose", [""]),
        ("address", "Manama"),
        ("trading_volume", 10001),
    ],
)
def test_a_malformed_field_is_named(partner: Any, field: str, value: Any) -> None:
    found = partner.client(**{field: value})

    assert found.code == (422, 422)
    assert [field] == list(found.json["msg_detail"])


def test_nested_fields_are_named_where_they_are(partner: Any) -> None:
    found = partner.client(address={"street": "a"}, employment={"status": "employed", "company": ""})

    assert found.json["msg_detail"] == {
        "address": {"city": ["This field is required."], "postal_code": ["This field is required."]},
        "employment": {
            "company": ["May not be blank."],
            "job_industry": ["This field is required."],
            "job_level": ["This field is required."],
            "job_title": ["This field is required."],
        },
    }


def test_someone_without_a_job_has_no_employer(partner: Any) -> None:
    assert partner.client(employment={"status": "unemployed"}).status == 201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"residency_id": "xx"}, 2022),
        ({"residency_id": "BH"}, 2022),
        ({"residency_id": "us"}, 2022),
        ({"citizenship_id": "sy"}, 2023),
        ({"place_of_birth_id": "kp"}, 2024),
        ({"birth_date": "2006-06-02"}, 2021),
        ({"citizenship_id": "ae"}, 2025),
        ({"citizenship_id": "ae", "residency_visa_number": "V1"}, 2025),
        ({"citizenship_id": "ae", "residency_visa_doe": "2030-01-01"}, 2025),
        ({"residency_id": "kw", "birth_date": "2004-01-01"}, 2021),
    ],
)
def test_a_rule_of_the_business_has_its_own_code(partner: Any, changes: dict[str, str], code: int) -> None:
    assert partner.client(**changes).code == (400, code)


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_date": "2006-06-01"},
        {"place_of_birth_id": "us"},
        {"citizenship_id": "ae", "residency_visa_number": "V1", "residency_visa_doe": "2030-01-01"},
        {"government_id_doe": "2001-01-01"},
    ],
)
def test_what_is_just_allowed_is_allowed(partner: Any, changes: dict[str, str]) -> None:
    assert partner.client(**changes).status == 201


@pytest.mark.parametrize(
    ("field", "code"),
    [("partner_client_id", 2026), ("email", 2027), ("phone", 2028), ("government_id_number", 2016)],
)
def test_a_value_of_another_client_is_refused(partner: Any, field: str, code: int) -> None:
    first = partner.client().result

    assert partner.client("other", **{field: first[field]}).code == (409, code)
    assert len(partner.state["clients"]) == 1


def test_of_several_duplicates_the_client_id_is_told(partner: Any) -> None:
    partner.client()

    assert partner.client().code == (409, 2026)


def test_email_is_compared_without_case(partner: Any) -> None:
    partner.client()

    assert partner.client("other", email="USER_1@Example.com").code == (409, 2027)


def test_an_unknown_client_is_2008_on_every_path(partner: Any) -> None:
    partner.client()

    assert partner.get("/v1/partner/clients/nobody/").json == {
        "code": 2008,
        "msg": "Invalid client ID",
        "msg_detail": None,
    }
    assert partner.get("/v1/partner/clients/nobody/documents").code == (404, 2008)
    assert partner.upload("nobody", {}, {}).code == (404, 2008)
    assert partner.put("/v1/partner/clients/nobody/activation", {"active": True}).code == (404, 2008)
    assert partner.get("/v1/partner/balances?partner_client_id=nobody").code == (404, 2008)


def test_deactivation_blocks_and_is_undone(funded: Any) -> None:
    path = "/v1/partner/clients/user_1/activation"

    assert funded.put(path, {"active": False}).result["active"] is False
    assert funded.get(PATH).result["active"] is False
    assert funded.fund("deposits", "1", "r1").code == (400, 2010)
    assert funded.put(path, {"active": True}).result["active"] is True
    assert funded.put(path, {"active": True}).status == 200
    assert funded.fund("deposits", "1", "r1").status == 200
    assert funded.put(path, {"active": "yes"}).json["msg_detail"] == {"active": ["Must be true or false."]}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"name": "\\ud800"}'])
def test_a_body_that_is_no_json_object_is_refused(partner: Any, body: bytes) -> None:
    path = "/v1/partner/clients"
    headers = {**partner.signed("POST", path, body), "Content-Type": "application/json; charset=utf-8"}

    found = partner.send("POST", path, body, headers)

    assert found.code == (422, 422)
    assert list(found.json["msg_detail"]) == ["body"]


def test_json_must_be_called_json(partner: Any) -> None:
    path, body = "/v1/partner/clients", json.dumps({}).encode()

    assert partner.send("POST", path, body, partner.signed("POST", path, body)).code == (415, 415)


def test_a_new_client_may_show_late(start: Any) -> None:
    partner = start(visible_after=2)
    partner.client()

    assert partner.get(PATH).code == (404, 2008)
    assert partner.client().code == (409, 2026)
    assert partner.fund("deposits", "1", "r1").status == 200
    partner.clock.seconds += 2
    assert partner.get(PATH).status == 200
