"""Individual clients and those of the older API, keys, countries: what is refused and with which words."""

from __future__ import annotations

from typing import Any

import pytest
from company import PEOPLE, human

from runner.sandbox import cryptomate

OLD = "/management/clients"
PERSON = human("maria@example.com")


def told(reply: Any) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which also carries its trace id twice."""
    assert reply.json["trace_id"] == reply.headers["X-Trace-Id"]
    return reply.status, reply.json["code"], reply.json["message"]


def test_a_client_is_created_pending_and_shown_as_sent(company: Any) -> None:
    made = company.ask("POST", PEOPLE, PERSON | {"second_name": "Julia", "phone_country_code": 54, "colour": "red"})

    assert made.status == 201
    assert made.json == {
        "id": made.json["id"],
        "type": "individual",
        "status": "pending",
        "first_name": "Maria",
        "second_name": "Julia",
        "last_name": "Barber",
        "email": "maria@example.com",
        "birth_date": "1984-11-21",
        "address": PERSON["address"],
        "phone_country_code": 54,
        "created_at": "2024-06-01T10:00:00",
        "updated_at": "2024-06-01T10:00:00",
    }
    assert len(made.json["id"]) == 32
    assert made.headers["X-Trace-Id"]
    assert made.json == company.ask("GET", f"{PEOPLE}/{made.json['id']}").json
    assert [made.json] == company.ask("GET", PEOPLE).json


def test_the_same_address_is_a_duplicate_until_its_client_is_deleted(company: Any) -> None:
    client = company.create()
    again = company.ask("POST", PEOPLE, human("MARIA@example.com"))

    assert (400, "VAL", "Company client already exists for this company") == told(again)
    gone = company.ask("DELETE", f"{PEOPLE}/{client}")
    assert (204, b"") == (gone.status, gone.body)
    assert "content-length" not in gone.headers
    assert company.ask("POST", PEOPLE, PERSON).status == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_client_is_named(company: Any, method: str) -> None:
    found = company.ask(method, f"{PEOPLE}/nobody", PERSON if method == "PUT" else None)

    assert (404, "NOT_FOUND", "Company client not found with id: nobody") == told(found)


def test_an_update_replaces_everything_and_keeps_the_status(company: Any) -> None:
    client = company.create(phone_country_code=54, phone_number=1168860622, second_name="Julia")
    company.clock.seconds += 60
    changed = company.ask("PUT", f"{PEOPLE}/{client}", human("other@example.com"))

    assert changed.status == 200
    assert not {"second_name", "phone_number", "phone_country_code"} & set(changed.json)
    assert (changed.json["status"], changed.json["email"]) == ("pending", "other@example.com")
    assert (changed.json["created_at"], changed.json["updated_at"]) == ("2024-06-01T10:00:00", "2024-06-01T10:01:00")
    assert company.ask("POST", PEOPLE, PERSON).status == 201  # the first address is free again


def test_an_update_validates_required_fields_and_the_address_of_another(company: Any) -> None:
    client = company.create()
    company.create("taken@example.com")

    missing = company.ask("PUT", f"{PEOPLE}/{client}", {"phone_number": 1})
    assert (400, "BAD_REQUEST", "first_name must not be null") == told(missing)
    taken = company.ask("PUT", f"{PEOPLE}/{client}", human("taken@example.com"))
    assert (400, "VAL", "Company client already exists for this company") == told(taken)
    assert company.ask("PUT", f"{PEOPLE}/{client}", PERSON).status == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first_name": None}, "first_name must not be null"),
        ({"last_name": " "}, "last_name must not be blank"),
        ({"first_name": 5}, "first_name must be a string"),
        ({"email": "maria"}, "email must be a valid email"),
        ({"birth_date": "21/11/1984"}, "birth_date must be a date such as 1990-01-31"),
        ({"birth_date": "1984-02-30"}, "birth_date must be a date such as 1990-01-31"),
        ({"address": None}, "address must not be null"),
        ({"address": "here"}, "address must be an object"),
        ({"address": {"street_line_1": "x"}}, "address.street_line1 must not be null"),
        ({"address": PERSON["address"] | {"country": "AR"}}, "address.country: AR is not a supported country"),
        ({"address": PERSON["address"] | {"state": "B"}}, "address.state: B is not a subdivision of ARG"),
        ({"phone_country_code": "54"}, "phone_country_code must be a whole number from 1 to 999"),
        ({"phone_country_code": True}, "phone_country_code must be a whole number from 1 to 999"),
        ({"phone_number": 1.5}, "phone_number must be a whole number from 1 to 999999999999999"),
        ({"first_name": "x" * 256}, "first_name must have at most 255 characters"),
    ],
)
def test_the_first_bad_field_is_named(company: Any, changes: dict[str, Any], message: str) -> None:
    assert (400, "BAD_REQUEST", message) == told(company.ask("POST", PEOPLE, PERSON | changes))


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"{", "application/json", (400, "BAD_REQUEST", "Malformed JSON request")),
        (b'{"a": NaN}', "application/json", (400, "BAD_REQUEST", "Malformed JSON request")),
        (b"[]", "application/json", (400, "BAD_REQUEST", "The request body must be a JSON object")),
        (b"{}", "text/plain", (415, "BAD_REQUEST", "Content-Type must be application/json")),
    ],
)
def test_a_body_that_is_no_json_object(company: Any, body: bytes, kind: str, expected: Any) -> None:
    headers = {"x-api-key": company.key_given, "Content-Type": kind}

    assert expected == told(company.send("POST", PEOPLE, body, headers))


def test_keys_missing_unknown_and_too_weak(company: Any) -> None:
    company.data(keys={"weak": 1, "middle": 2})

    for key in (None, "nonsense"):
        headers = {} if key is None else {"x-api-key": key}
        assert (401, "AUTH", "Invalid API key") == told(company.send("GET", PEOPLE, b"", headers))
    assert ["no x-api-key", "unknown x-api-key"] == [each["cause"] for each in company.state["refusals"]]
    company.key_given = "weak"
    client = company.create()
    denied = "Access denied. The API Key is not authorized to do this operation."
    assert (401, "API_ERROR", denied) == told(company.request(client))
    company.key_given = "middle"
    assert company.ask("PUT", f"{PEOPLE}/{client}", PERSON).status == 401


def test_the_keys_follow_from_the_seed_unless_somebody_brings_their_own(open_company: Any, tmp_path: Any) -> None:
    assert open_company(seed=7).app.provider.environment("http://x") == {
        "CRYPTOMATE_BASE_URL": "http://x",
        **cryptomate.credentials(7),
    }
    file = tmp_path / "key"
    file.write_text("from-a-file\n", "utf-8")
    theirs = open_company(env={"CRYPTOMATE_API_KEY_FILE": str(file), "CRYPTOMATE_WEBHOOK_KEY": "their-own-key"})
    theirs.key_given = "from-a-file"
    assert theirs.ask("GET", PEOPLE).status == 200
    assert theirs.app.provider.environment("http://x") == {"CRYPTOMATE_BASE_URL": "http://x"}


def test_every_country_has_codes_that_an_address_takes(company: Any) -> None:
    found = company.ask("GET", f"{PEOPLE}/countries").json
    by_code = {country["alpha3"]: country for country in found["data"]}

    assert found["count"] == len(found["data"]) == len(by_code) >= 15
    assert set(by_code["ARG"]) == {"name", "alpha3", "postal_code_format", "subdivisions"}
    assert {"name": "Buenos Aires", "code": "ARG-B"} in by_code["ARG"]["subdivisions"]
    assert {"name": "California", "code": "CA"} in by_code["USA"]["subdivisions"]
    assert (24, 27, 32, 51) == tuple(len(by_code[code]["subdivisions"]) for code in ("ARG", "BRA", "MEX", "USA"))
    for number, country in enumerate(found["data"]):
        address = PERSON["address"] | {"country": country["alpha3"], "state": country["subdivisions"][-1]["code"]}
        assert company.ask("POST", PEOPLE, human(f"{number}@example.com") | {"address": address}).status == 201


def test_identifications_go_by_two_letters(company: Any) -> None:
    assert "SSN" in [each["type"] for each in company.ask("GET", f"{PEOPLE}/identifications/US").json]
    none = company.ask("GET", f"{PEOPLE}/identifications/USA")
    assert (404, "NOT_FOUND", "Country not found or no identification types available") == told(none)


def test_an_old_client_has_other_names_and_other_words(company: Any) -> None:
    given = {
        "phone_country_code": 1,
        "phone_number": 4155551234,
        "first_name": "John",
        "otp": True,
        "email": "john@example.com",
        "address": {"street_line_1": "123 Main Street", "state": "CA", "country": "US"},
    }
    made = company.ask("POST", OLD, given)

    assert made.status == 200
    assert made.json["id"].startswith("client_")
    assert made.json["company_id"].startswith("comp_")
    assert (made.json["type"], made.json["status"]) == ("individual", "PENDING")
    assert company.ask("POST", OLD, {}).status == 200  # nothing is required
    duplicate = "Company client already exists for this company and phone number"
    assert (412, "VAL", duplicate) == told(company.ask("POST", OLD, given | {"email": "other@example.com"}))
    assert [made.json] == company.ask("GET", f"{OLD}?otp=true").json
    assert len(company.ask("GET", OLD).json) == 2
    assert company.ask("GET", PEOPLE).json == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"otp": "yes"}, "otp must be true or false"),
        ({"birth_date": "soon"}, "birth_date must be a date such as 1990-01-31"),
        ({"address": {"city": 5}}, "address.city must be a string"),
        ({"documents": {}}, "documents must be an array"),
    ],
)
def test_an_old_client_of_the_wrong_form(company: Any, given: dict[str, Any], message: str) -> None:
    assert (400, "BAD_REQUEST", message) == told(company.ask("POST", OLD, given))


def test_contracted_products_count_cards(company: Any) -> None:
    assert company.ask("GET", "/management/contracted-product").json["virtual_cards"] == 1000
    assert company.ask("GET", "/management/contracted-product/used").json["virtual_cards"] == {"total": 1000, "used": 0}


def test_statuses_of_the_server_itself_have_the_same_form(company: Any) -> None:
    assert (404, "NOT_FOUND", "Not found") == told(company.ask("GET", "/management/nothing"))
    wrong = company.ask("PATCH", PEOPLE)
    assert (405, "API_ERROR", "Method not allowed") == told(wrong)
    assert wrong.headers["allow"] == "GET, POST"
    company.control("POST", "faults", {"faults": ["clients.list=503-before"]})
    assert (503, "SERVER_ERROR", "Internal server error") == told(company.ask("GET", PEOPLE))


def test_reads_lag_behind_when_told_to(open_company: Any) -> None:
    company = open_company(visible_after=5)
    client = company.create()

    assert company.ask("GET", PEOPLE).json == []
    assert company.ask("GET", f"{PEOPLE}/{client}").status == 404
    company.clock.seconds += 5
    assert company.ask("GET", f"{PEOPLE}/{client}").status == 200


@pytest.mark.parametrize("how", ["path", "body"])
def test_a_fault_singles_a_client_out_by_its_address(company: Any, how: str) -> None:
    client, other = company.create(), company.create("other@example.com")
    operation = "clients.get" if how == "path" else "clients.create"
    company.control("POST", "faults", {"faults": [f"{operation}=500-before:client=maria@example.com"]})
    if how == "path":
        replies = [company.ask("GET", f"{PEOPLE}/{each}").status for each in (client, other)]
        assert [500, 200] == replies
    else:
        replies = [company.ask("POST", PEOPLE, human(each)).status for each in ("maria@example.com", "x@example.com")]
        assert [500, 201] == replies


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"client_id": "nobody"}'])
def test_a_fault_for_one_client_leaves_calls_about_nobody_alone(company: Any, body: bytes) -> None:
    company.control("POST", "faults", {"faults": ["*=500-before:client=maria@example.com"]})
    headers = {"x-api-key": company.key_given, "Content-Type": "application/json"}

    assert company.send("POST", "/cards/individual-cards/create", body, headers).status < 500
