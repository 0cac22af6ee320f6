"""Reviewers as seed data describes them, verdicts by hand, and seed data that is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from company import PEOPLE

from runner.sandbox import cryptomate
from runner.sandbox.cryptomate import requirements, reviews


def test_a_review_takes_the_time_of_its_client_or_of_the_server(open_company: Any) -> None:
    company = open_company(kyc_delay=7)
    company.data(reviews={"by_email": {"slow@example.com": {"delay": 60}}})
    company.submitted()
    company.submitted("slow@example.com")

    assert company.pass_time() == [7, 60]


def test_never_leaves_it_to_a_verdict_by_hand(company: Any) -> None:
    company.data(reviews={"default": "never"})
    client, request = company.submitted()
    assert company.pass_time() == []
    given = {"email": "Maria@example.com", "status": "rejected", "code": "X", "description": "why"}
    told = company.control("POST", "act/verdict", given)

    assert (told.status, told.json["id"], told.json["status"]) == (200, request, "rejected")
    assert company.product(client)["rejection_code"] == "X"
    assert company.product(client)["rejection_description"] == "why"


@pytest.mark.parametrize("by", ["client_id", "product_request_id"])
def test_a_verdict_names_the_client_or_the_request(company: Any, by: str) -> None:
    company.data(reviews={"default": {"delay": 60}})
    client, request = company.submitted()
    who = client if by == "client_id" else request

    assert company.control("POST", "act/verdict", {by: who, "status": "enabled"}).status == 200
    company.data(reviews={"default": "rejected"})
    company.pass_time()  # the review comes too late to decide anything
    assert company.product(client)["status"] == "enabled"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"email": "maria@example.com"}, '"status" must be enabled or rejected'),
        ({"status": "enabled"}, 'expected the "email" or "client_id" of a client, or a "product_request_id"'),
        ({"status": "enabled", "email": "x@y.z"}, 'expected the "email"'),
        ({"status": "enabled", "product_request_id": "x"}, 'unknown product request "x"'),
        ({"status": "enabled", "mail": "x"}, 'unknown key "mail"'),
        ({"status": "enabled", "email": "idle@example.com"}, "idle@example.com has no product request"),
        ({"status": "enabled", "email": "maria@example.com"}, "is pending_documentation, only one that is in_kyc"),
        ({"status": "enabled", "email": "maria@example.com", "client_status": "x"}, '"client_status" must be'),
    ],
)
def test_a_verdict_that_cannot_be_given(company: Any, given: dict[str, Any], message: str) -> None:
    company.request(company.create())
    company.create("idle@example.com")
    told = company.control("POST", "act/verdict", given)

    assert told.status == 400
    assert message in told.json["error"]


def test_only_known_acts_and_only_from_this_machine(company: Any, partner: Any) -> None:
    unknown = company.control("POST", "act/nothing", {})
    assert (404, 'cryptomate has no act "nothing", known are: verdict') == (unknown.status, unknown.json["error"])
    assert partner.control("POST", "act/verdict", {}).json["error"].endswith("known are: none")
    assert company.send("POST", "/_sandbox/act/verdict", b"{}", peer="192.0.2.1").status == 403
    assert company.send("POST", "/_sandbox/act/verdict", b"[").status == 400


def test_an_image_is_disliked_as_often_as_told(company: Any) -> None:
    company.data(
        reviews={
            "default": {"reject_images": {"passport": {"reason": "glare", "times": 2}}},
            "by_email": {"always@example.com": {"reject_images": {"passport": "blurry"}}},
        }
    )
    for email, expected in (("maria@example.com", ["glare", "glare", None]), ("always@example.com", ["blurry"] * 4)):
        client = company.create(email)
        request = company.request(client).json["id"]
        found = [company.upload(client, request).json["rejected_items"] for _ in expected]
        assert expected == [items[0]["reason"] if items else None for items in found]


def test_a_reviewer_who_wants_more_asks_once(company: Any) -> None:
    company.data(reviews={"default": {"verdict": "enabled", "after_requested_more": "passport-only"}})
    client, request = company.submitted()
    company.pass_time()
    asked = company.product(client)

    assert asked["status"] == "pending_documentation"
    assert [group["id"] for group in asked["missing_requirements"]["documents"]] == ["identity_document"]
    assert company.submit(client, request).json["product"]["status"] == "pending_documentation"
    assert company.upload(client, request).json["rejected_items"] == []
    assert company.submit(client, request).json["product"]["status"] == "in_kyc"
    company.pass_time()
    assert company.product(client)["status"] == "enabled"


def test_a_reviewer_who_wants_more_and_then_never_decides(company: Any) -> None:
    company.data(reviews={"default": {"verdict": "never", "after_requested_more": "nothing"}})
    client, request = company.submitted()
    company.pass_time()

    assert company.submit(client, request).json["product"]["status"] == "in_kyc"
    assert company.pass_time() == []


def test_a_request_can_stay_requested_for_a_while(company: Any) -> None:
    company.data(reviews={"default": {"requested_for": 3}})
    client = company.create()
    made = company.request(client).json

    assert (made["status"], made["missing_requirements"]) == ("requested", {"data": [], "documents": []})
    assert company.upload(client, made["id"]).status == 409
    assert company.pass_time() == [3]
    assert company.product(client)["status"] == "pending_documentation"


def test_the_client_can_be_kept_apart_from_the_product(company: Any) -> None:
    company.data(reviews={"default": {"client_status": "pending"}})
    client, _ = company.submitted()
    company.listen()
    company.pass_time()

    assert company.product(client)["status"] == "enabled"
    assert company.ask("GET", f"{PEOPLE}/{client}").json["status"] == "pending"
    assert company.letters == []


@pytest.mark.parametrize("how", ["delete", "reset"])
def test_a_review_of_something_that_is_gone_decides_nothing(company: Any, how: str) -> None:
    client, _ = company.submitted()
    if how == "delete":
        company.ask("DELETE", f"{PEOPLE}/{client}")
    else:
        company.control("POST", "reset")
    company.pass_time()

    assert company.state["products"] == []
    assert company.state["pending"] == 0


def test_seeded_clients_are_there_from_the_start_and_after_a_reset(open_company: Any, tmp_path: Path) -> None:
    file = tmp_path / "data.json"
    seed = {
        "clients": [
            {"email": "a@example.com", "status": "active", "product": "enabled", "first_name": "Ana"},
            {"email": "b@example.com", "status": "rejected", "product": "rejected"},
            {"email": "c@example.com", "product": "in_kyc"},
        ],
        "cards": [{"email": "a@example.com", "balance": "25.5"}],
        "limits": {"cards_per_client": 3},
    }
    file.write_text(json.dumps({"cryptomate": seed}), "utf-8")
    company = open_company(data=file)
    before = company.state

    assert [("a@example.com", "active"), ("b@example.com", "rejected"), ("c@example.com", "pending")] == [
        (each["email"], each["status"]) for each in before["clients"]
    ]
    assert ["enabled", "rejected", "in_kyc"] == [each["status"] for each in before["products"]]
    assert before["products"][1]["rejection_code"] == "REJECTED_BY_PROVIDER"
    assert company.control("GET", "ledger").json["items"][0]["moved"] == {"seed": "25.50"}
    company.create()
    company.control("POST", "reset")
    assert before == company.state


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"people": []}, 'seed data: unknown key "people"'),
        ({"requirements": "nothing"}, "requirements: expected an object"),
        ({"requirements": {"default": "all"}}, 'unknown requirements "all", known are phone-and-passport'),
        ({"requirements": {"by_email": {"a@b.c": {"papers": []}}}}, 'a@b.c: requirements: unknown key "papers"'),
        ({"requirements": {"default": {"data": {}}}}, '"data" must be a list'),
        ({"requirements": {"default": {"data": [{"id": "x"}]}}}, 'data "x": "fields" must name at least one'),
        ({"requirements": {"default": {"data": [{"id": "x", "fields": [{}]}]}}}, '"key" must be a text'),
        ({"requirements": {"default": {"documents": [{"id": "x"}]}}}, 'documents "x": "valid_documents" must name'),
        ({"requirements": {"default": {"documents": ["passport"]}}}, "documents: expected an object with id"),
        (
            {
                "requirements": {
                    "default": {"documents": [{"id": "x", "required": 1, "valid_documents": [{"id": "y"}]}]}
                }
            },
            '"required" must be true or false',
        ),
        ({"reviews": {"default": "maybe"}}, '"verdict" must be one of enabled, rejected, never'),
        ({"reviews": {"default": 5}}, "a review is one of enabled, rejected, never, or an object"),
        ({"reviews": {"default": {"wait": 1}}}, 'unknown key "wait"'),
        ({"reviews": {"default": {"delay": -1}}}, '"delay" must be seconds, zero or more'),
        ({"reviews": {"default": {"rejection_code": 5}}}, '"rejection_code" must be a text'),
        ({"reviews": {"default": {"client_status": "gone"}}}, '"client_status" must be active, pending or rejected'),
        ({"reviews": {"default": {"reject_images": []}}}, '"reject_images" must be an object'),
        ({"reviews": {"default": {"reject_images": {"p": {"times": 1}}}}}, 'reject_images "p": expected a reason'),
        ({"reviews": {"default": {"reject_images": {"p": {"reason": "x", "times": 0}}}}}, '"times" must be a whole'),
        ({"clients": {}}, "clients: expected a list"),
        ({"clients": [{}]}, "clients: [0]: email must not be null"),
        ({"clients": [{"email": "a@b.c", "status": "new"}]}, '"status" must be one of active, pending, rejected'),
        ({"clients": [{"email": "a@b.c", "product": "x"}]}, '"product" must be one of requested'),
        ({"clients": [{"email": "a@b.c"}, {"email": "A@b.c"}]}, "[1]: A@b.c is already there"),
        ({"cards": [{"email": "x@y.z"}]}, 'unknown client "x@y.z"'),
        ({"clients": [{"email": "a@b.c"}], "cards": [{"email": "a@b.c", "balance": 1}]}, "must be a text such as"),
        ({"clients": [{"email": "a@b.c"}], "cards": [{"email": "a@b.c", "approval_method": "X"}]}, "approval_method"),
        ({"keys": {"k": 9}}, "k: a level is 1, 2 or 3"),
        ({"limits": {"cards": -1}}, "a limit is a whole number"),
        ({"webhook": {"url": "ftp://x"}}, '"url" must be an http or https address'),
    ],
)
def test_wrong_data_is_explained_and_nothing_of_it_stays(company: Any, given: dict[str, Any], message: str) -> None:
    before = company.state
    found = company.control("POST", "data", {"webhook": {"url": "http://localhost:1"}} | given)

    assert found.status == 400
    assert message in found.json["error"]
    assert before == company.state


def test_the_scenarios_of_the_readme_are_understood(company: Any) -> None:
    text = (Path(cryptomate.__file__).parent / "README.md").read_text("utf-8")
    scenario, shape = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL))

    assert company.data(**scenario["cryptomate"]).status == 200
    assert company.data(requirements={"default": shape}).status == 200
    for name in (*requirements.NAMES, *reviews.KEYS):
        assert f"`{name}`" in text
