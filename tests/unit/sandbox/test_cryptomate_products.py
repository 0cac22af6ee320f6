"""Product requests: what is missing, what is refused, what a reviewer says and when."""

from __future__ import annotations

from typing import Any

import pytest
from company import PEOPLE, human

NONE = {"data": [], "documents": []}
NOT_PENDING = "The enablement request is not pending documentation"


def refusal(reply: Any) -> tuple[int, str, str]:
    return reply.status, reply.json["code"], reply.json["message"]


def rejected(reply: Any) -> list[str]:
    """The reasons of a 200 that took nothing."""
    assert reply.status == 200
    assert {"document"} >= {item["type"] for item in reply.json["rejected_items"]}
    return [item["reason"] for item in reply.json["rejected_items"]]


def test_a_new_request_says_what_is_missing_in_the_documented_form(company: Any) -> None:
    client = company.create()
    made = company.request(client)

    assert made.status == 201
    assert (made.json["client_id"], made.json["product"]) == (client, "cards_individuals")
    assert made.json["status"] == "pending_documentation"
    assert made.json["missing_requirements"] == {
        "data": [
            {
                "id": "personal_information",
                "name": "Personal information",
                "required": True,
                "fields": [{"key": "phone", "data_type": "PHONE", "required": True}],
            }
        ],
        "documents": [
            {
                "id": "identity_document",
                "name": "Identity document",
                "required": True,
                "valid_documents": [
                    {
                        "id": "passport",
                        "name": "Passport",
                        "require_image": True,
                        "require_back_image": False,
                        "metadata": [
                            {"id": "number", "name": "Document Number", "data_type": "STRING", "required": True}
                        ],
                    }
                ],
            }
        ],
    }
    assert not {"rejection_code", "rejection_description"} & set(made.json)
    assert [made.json] == company.ask("GET", f"{PEOPLE}/{client}/products").json


def test_the_way_to_enabled(company: Any) -> None:
    client = company.create()
    request = company.request(client).json["id"]

    early = company.submit(client, request)
    assert (200, "pending_documentation") == (early.status, early.json["product"]["status"])
    company.ask("PUT", f"{PEOPLE}/{client}", human("maria@example.com") | {"phone_country_code": 54})
    assert company.product(client)["missing_requirements"]["data"]  # half a phone is no phone
    phone = {"phone_country_code": 54, "phone_number": 1168860622}
    answered = company.ask("PUT", f"{PEOPLE}/{client}", human("maria@example.com") | phone)
    assert "missing_requirements" not in answered.json
    assert company.product(client)["missing_requirements"]["data"] == []

    uploaded = company.upload(client, request)
    assert uploaded.json["product"]["missing_requirements"] == NONE
    assert uploaded.json["product"]["status"] == "pending_documentation"  # only a submission moves it on
    submitted = company.submit(client, request)
    assert (submitted.json["product"]["status"], submitted.json["rejected_items"]) == ("in_kyc", [])
    assert company.state["pending"] == 1

    assert company.pass_time() == [0.5]
    assert company.product(client)["status"] == "enabled"
    assert company.ask("GET", f"{PEOPLE}/{client}").json["status"] == "active"
    assert company.state["pending"] == 0


@pytest.mark.parametrize("what", ["documentation", "submit"])
def test_outside_of_pending_documentation_nothing_is_taken(company: Any, what: str) -> None:
    client, request = company.submitted()
    for _ in range(2):  # in_kyc, then enabled
        again = company.submit(client, request) if what == "submit" else company.upload(client, request)
        assert (409, "VAL", NOT_PENDING) == refusal(again)
        company.pass_time()


def test_one_active_request_for_a_product_and_only_this_product(company: Any) -> None:
    client = company.create()
    company.request(client)

    active = "An enablement request is already active for this product"
    assert (409, "VAL", active) == refusal(company.request(client))
    for wrong in ("ramps_pix", "nonsense"):
        other = company.ask("POST", f"{PEOPLE}/{client}/products", {"subproduct": wrong})
        assert (412, "VAL", "Invalid product") == refusal(other)
    none = company.ask("POST", f"{PEOPLE}/{client}/products", {})
    assert (400, "BAD_REQUEST", "subproduct must not be null") == refusal(none)


def test_a_rejected_request_stays_in_the_history_and_a_new_one_comes_first(company: Any) -> None:
    company.data(reviews={"default": {"verdict": "rejected", "rejection_description": "Sanctions match"}})
    client, first = company.submitted()
    company.pass_time()
    found = company.product(client)

    assert (found["status"], found["rejection_code"]) == ("rejected", "REJECTED_BY_PROVIDER")
    assert found["rejection_description"] == "Sanctions match"
    assert found["missing_requirements"] == NONE
    assert company.ask("GET", f"{PEOPLE}/{client}").json["status"] == "rejected"
    second = company.request(client)
    assert second.status == 201
    assert second.json["missing_requirements"]["documents"]
    history = company.ask("GET", f"{PEOPLE}/{client}/products").json
    assert [second.json["id"], first] == [each["id"] for each in history]


def test_unknown_clients_and_requests_of_others(company: Any) -> None:
    mine, other = company.create(), company.create("other@example.com")
    theirs = company.request(other).json["id"]

    assert (404, "NOT_FOUND", "Company client not found with id: x") == refusal(company.request("x"))
    assert company.ask("GET", f"{PEOPLE}/x/products").status == 404
    for request in (theirs, "nonsense"):
        expected = (404, "NOT_FOUND", f"Product request not found with id: {request}")
        assert expected == refusal(company.upload(mine, request))
        assert expected == refusal(company.submit(mine, request))


@pytest.mark.parametrize(
    ("name", "data", "accepted"),
    [
        ("phone-and-passport", ["phone"], [["passport"]]),
        ("passport-only", [], [["passport"]]),
        ("id-both-sides", ["phone"], [["national_id"]]),
        ("passport-or-id", ["phone"], [["passport", "national_id"]]),
        ("nothing", [], []),
        ("unknown-data", ["phone", "occupation"], [["passport"]]),
    ],
)
def test_requirements_go_by_name(company: Any, name: str, data: list[str], accepted: list[list[str]]) -> None:
    company.data(requirements={"default": name})
    left = company.request(company.create()).json["missing_requirements"]

    assert data == [field["key"] for group in left["data"] for field in group["fields"]]
    assert accepted == [[each["id"] for each in group["valid_documents"]] for group in left["documents"]]


def test_nothing_missing_still_waits_for_the_submission(company: Any) -> None:
    company.data(requirements={"default": "nothing"})
    client = company.create()
    made = company.request(client).json

    assert (made["status"], made["missing_requirements"]) == ("pending_documentation", NONE)
    assert company.submit(client, made["id"]).json["product"]["status"] == "in_kyc"


def test_what_nobody_can_send_stays_missing(company: Any) -> None:
    company.data(requirements={"default": "unknown-data"})
    client = company.create(phone_country_code=54, phone_number=1, occupation="11-1011")
    request = company.request(client).json["id"]
    company.upload(client, request)

    stuck = company.submit(client, request).json["product"]
    assert stuck["status"] == "pending_documentation"
    (group,) = stuck["missing_requirements"]["data"]
    assert group["fields"] == [{"key": "occupation", "data_type": "STRING", "required": True}]


def test_a_shape_in_full_with_an_extension_key_and_optional_parts(company: Any) -> None:
    shape = {
        "data": [
            {"id": "more", "description": "why", "fields": [{"key": "tax_id"}, {"key": "job", "required": False}]}
        ],
        "documents": [
            {"id": "proof", "required": False, "valid_documents": [{"id": "bill"}]},
            {
                "id": "number",
                "valid_documents": [{"id": "ssn", "require_image": False, "metadata": [{"id": "number"}]}],
            },
        ],
    }
    company.data(requirements={"default": shape})
    client = company.create(tax_id="20-1")
    request = company.request(client).json["id"]

    taken = company.upload(client, request, document_type="ssn", image_front=None)
    assert rejected(taken) == []
    left = company.submit(client, request).json["product"]
    assert left["status"] == "in_kyc"  # the optional field and the optional document stop nothing
    assert left["missing_requirements"] == NONE
    assert taken.json["product"]["missing_requirements"]["data"] == [
        {
            "id": "more",
            "name": "more",
            "description": "why",
            "required": True,
            "fields": [{"key": "job", "data_type": "STRING", "required": False}],
        }
    ]
    assert [group["id"] for group in taken.json["product"]["missing_requirements"]["documents"]] == ["proof"]


def test_a_submission_takes_no_body_or_an_object(company: Any) -> None:
    client = company.create()
    request = company.request(client).json["id"]

    path = f"{PEOPLE}/{client}/products/{request}/submit"
    assert [200, 200, 400] == [company.ask("POST", path, body).status for body in (None, {}, [])]
