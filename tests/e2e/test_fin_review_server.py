"""Fin.com's sandbox over real sockets: files, attach in both generations, reviews, questions and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import fin_partner
import pytest
from fin_partner import JPEG, MARIA, PDF, PNG, Partner, attachment, attachment_v1, errors, until

NOBODY = "00000000-0000-4000-8000-000000000000"
FORBIDDEN = {"error": {"code": "forbidden", "message": "Customer is not eligible for this operation"}}


@pytest.fixture(scope="module")
def shared() -> Iterator[Partner]:
    with fin_partner.serving() as partner:
        yield partner


@pytest.fixture
def partner(shared: Partner) -> Partner:
    """A fresh sandbox on the shared socket, and a token."""
    shared.reset()
    return shared


# -------------------------------------------------------------------------------------------- documents


def test_files_come_back_under_their_names_in_their_order(partner: Partner) -> None:
    customer, _ = partner.create()
    sent = {"z": ("a.txt", PDF), "a": ("b.pdf", JPEG), "m": ("c", PNG)}
    found = partner.http.post("/v1/customers/upload", data={"customer_id": customer}, files=sent).json()["data"]
    partner.load(settings={"files_in_one_object": True})
    other = partner.http.post("/v1/customers/upload", data={"customer_id": customer}, files=sent).json()["data"]

    assert ["z", "a", "m"] == [name for one in found["files"] for name in one]
    assert ["pdf", "jpg", "png"] == [uri.rpartition(".")[2] for one in found["files"] for uri in one.values()]
    assert all(re.fullmatch(r"/\w{8}_\d{13}\.\w+", uri) for uri in other["files"].values())
    assert 6 == len({file["uri"] for file in partner.state["files"]})


@pytest.mark.parametrize(
    ("data", "files", "path"),
    [
        ({}, {"a": PDF}, "customer_id"),
        ({"customer_id": NOBODY}, {"a": PDF}, "customer_id"),
        ({"customer_id": ""}, {"a": b"GIF89a"}, "a"),
        ({"customer_id": ""}, {"a": b""}, "a"),
        ({"customer_id": ""}, {"a": PDF.ljust(10 * 1024 * 1024 + 1)}, "a"),
        ({"customer_id": "", "note": "no file"}, {"a": PDF}, "note"),
    ],
)
def test_what_is_not_taken(partner: Partner, data: dict[str, str], files: Any, path: str) -> None:
    if data.get("customer_id") == "":
        data = {**data, "customer_id": partner.create()[0]}
    sent = {name: (name, content) for name, content in files.items()}
    found = partner.http.post("/v1/customers/upload", data=data, files=sent)

    assert (422, [path]) == (found.status_code, list(errors(found)[1]))
    assert [] == partner.state["files"]


def test_an_upload_is_multipart_and_has_files(partner: Partner) -> None:
    customer, _ = partner.create()
    nothing = {"customer_id": (None, customer)}
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    assert 415 == partner.http.post("/v1/customers/upload", json={"customer_id": customer}).status_code
    assert 400 == partner.http.post("/v1/customers/upload", content=b"--x", headers=headers).status_code
    assert ["files"] == list(errors(partner.http.post("/v1/customers/upload", files=nothing))[1])


def test_an_attach_is_queued_and_worked_on_later(partner: Partner) -> None:
    partner.load(reviews={"default": {"delay": 0.9}})
    customer, terms = partner.create()
    body = partner.documents(customer, terms)
    found = partner.attach(customer, body)
    second = partner.attach(customer, body)

    assert (200, {"data": {"customer_id": customer}, "meta": None}) == (found.status_code, found.json())
    assert "INCOMPLETE" == partner.customer(customer)["customer_status"]
    assert (409, "conflict") == (second.status_code, second.json()["error"]["code"])
    partner.waits_for(customer, "PROCESSING")
    third = partner.attach(customer, body)
    assert (403, FORBIDDEN) == (third.status_code, third.json())
    partner.waits_for(customer, "REVIEWING")
    partner.waits_for(customer, "APPROVED")
    assert partner.get(f"/v1/customers/{customer}")["capabilities"]["off_ramp"][0]["status"]
    assert "ACTIVE" == partner.get(f"/v2/customers/{customer}/capabilities")["on_ramp"][0]["status"]


def test_who_may_not_attach(partner: Partner) -> None:
    customer, terms = partner.create()
    other, _ = partner.create("other@example.com")
    foreign = attachment(partner.upload(other, passport=JPEG, bill=PDF), terms)
    old, old_terms = partner.create_v1()

    assert 404 == partner.attach(NOBODY, foreign).status_code
    assert (403, FORBIDDEN) == (partner.attach(customer, foreign).status_code, partner.attach(customer, foreign).json())
    assert 403 == partner.attach(old, partner.documents(old, old_terms)).status_code
    headers = {"Content-Type": "application/json"}
    path = f"/v2/customers/{customer}/individual/attach"
    assert 400 == partner.http.post(path, content=b"[]", headers=headers).status_code


IDENTITY = "identifying_documents"
CARD = {"type": "NATIONAL_ID", "number": "1", "country": "USA", "expiry_date": "2099-01-15"}
SELFIE = {"type": "SELFIE", "files": [{"uri": "passport"}]}
LETTER = {"type": "GOVERNMENT_LETTER", "country": "USA", "files": [{"uri": "bill"}]}
BOTH = [{"side": "FRONT", "uri": "front"}, {"side": "BACK", "uri": "back"}]


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        (f"{IDENTITY}.0.files", {IDENTITY: [{**CARD, "files": BOTH[:1]}]}),
        (f"{IDENTITY}.0.files", {IDENTITY: [{**CARD, "files": [BOTH[0], {**BOTH[1], "side": "FRONT"}]}]}),
        (f"{IDENTITY}.0.state", {IDENTITY: [{**CARD, "state": "US-CA", "files": BOTH}]}),
        (f"{IDENTITY}.0.state", {IDENTITY: [{**CARD, "type": "DRIVERS_LICENSE", "files": BOTH}]}),
        (f"{IDENTITY}.0.expiry_date", {f"{IDENTITY}__0__expiry_date": "2020-01-15"}),
        (f"{IDENTITY}.0.expiry_date", {f"{IDENTITY}__0__expiry_date": None}),
        (f"{IDENTITY}.0.expiry_date", {f"{IDENTITY}__0__issue_date": "2099-01-15"}),
        (f"{IDENTITY}.0.number", {f"{IDENTITY}__0__number": None}),
        (f"{IDENTITY}.0.country", {f"{IDENTITY}__0__country": None}),
        (f"{IDENTITY}.0.type", {f"{IDENTITY}__0__type": "LIBRARY_CARD"}),
        (f"{IDENTITY}.0.files", {f"{IDENTITY}__0__files": BOTH}),
        (IDENTITY, {IDENTITY: []}),
        (IDENTITY, {IDENTITY: [SELFIE]}),
        (IDENTITY, {IDENTITY: [{**CARD, "files": BOTH}, SELFIE, SELFIE]}),
        (IDENTITY, {IDENTITY: "passport"}),
        ("address_documents", {"address_documents": [LETTER, {**LETTER, "files": [{"uri": "front"}]}]}),
        ("address_documents.0.files", {"address_documents__0__files": BOTH}),
        (IDENTITY, {IDENTITY: [{**CARD, "files": BOTH}, {**CARD, "type": "PASSPORT", "files": [{"uri": "passport"}]}]}),
        ("address_documents.0.country", {"address_documents__0__country": "GBR"}),
        ("address_documents.0.type", {"address_documents__0__type": "PASSPORT"}),
        ("address_documents.0.files.0.uri", {"address_documents__0__files__0__uri": "passport"}),
        ("address_documents", {"address_documents": None}),
        ("tos_policies_value", {"tos_policies_value": None}),
        ("tos_policies_value", {"tos_policies_value": NOBODY}),
    ],
)
def test_the_rules_of_attach(partner: Partner, path: str, changes: Any) -> None:
    customer, terms = partner.create()
    uris = partner.upload(customer, passport=JPEG, bill=PDF, front=PNG, back=PNG)
    body = json.loads(json.dumps(fin_partner.changed(attachment(uris, terms), changes)))
    documents = [one for one in [*body[IDENTITY], *body.get("address_documents", [])] if isinstance(one, dict)]
    for document in documents:
        for file in document["files"]:
            file["uri"] = uris.get(file["uri"], file["uri"])

    assert (422, [path]) == (errors(partner.attach(customer, body))[0], list(errors(partner.attach(customer, body))[1]))


def test_a_licence_with_a_selfie_that_is_used_twice(partner: Partner) -> None:
    partner.load(settings={"selfie_required": True})
    customer, terms = partner.create()
    uris = partner.upload(customer, passport=JPEG, bill=PDF, back=PNG)
    body = attachment(uris, terms)
    without = partner.attach(customer, body)
    sides = [{"side": "FRONT", "uri": uris["passport"]}, {"side": "BACK", "uri": uris["back"]}]
    licence = {**CARD, "type": "DRIVERS_LICENSE", "state": "US-CA", "files": sides}
    body[IDENTITY] = [licence, {"type": "SELFIE", "files": [{"uri": uris["passport"]}]}]

    assert [IDENTITY] == list(errors(without)[1])
    assert 200 == partner.attach(customer, body).status_code


def test_v1_attach_is_worked_on_at_once(partner: Partner) -> None:
    partner.load(reviews={"default": {"delay": 0.9, "hold": 0.3}})
    customer, terms = partner.create_v1()
    uris = partner.upload(customer, passport=JPEG, bill=PDF)
    found = partner.http.post("/v1/customers/individual/attach", json=attachment_v1(customer, uris, terms))

    assert (200, {"data": {"customer_id": customer}}) == (found.status_code, found.json())
    assert "QUEUED" == partner.customer(customer)["customer_status"]
    for status in ("REVIEWING", "ON_HOLD", "APPROVED"):
        partner.waits_for(customer, status)
    second = partner.http.post("/v1/customers/individual/attach", json=attachment_v1(customer, uris, terms))
    assert (422, ["customer_id"]) == (second.status_code, list(errors(second)[1]))


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("proof_of_identity.issue_date", {"proof_of_identity__issue_date": None}),
        ("proof_of_identity.files", {"proof_of_identity__type": "NATIONAL_ID"}),
        ("proof_of_identity.type", {"proof_of_identity__type": "SELFIE"}),
        ("proof_of_address.type", {"proof_of_address__type": "LETTER"}),
        ("proof_of_address.files.0.uri", {"proof_of_address__files__0__uri": "/foreign_1.pdf"}),
        ("proof_of_address", {"proof_of_address": None}),
        ("tos_policies_value", {"tos_policies_value": "x"}),
        ("customer_id", {"customer_id": NOBODY}),
    ],
)
def test_the_rules_of_v1_attach(partner: Partner, path: str, changes: Any) -> None:
    customer, terms = partner.create_v1()
    body = attachment_v1(customer, partner.upload(customer, passport=JPEG, bill=PDF), terms, **changes)
    found = partner.http.post("/v1/customers/individual/attach", json=body)

    assert (422, [path]) == (errors(found)[0], list(errors(found)[1]))


def test_v1_attach_knows_only_its_own(partner: Partner) -> None:
    customer, terms = partner.create()
    body = attachment_v1(customer, partner.upload(customer, passport=JPEG, bill=PDF), terms)

    assert ["customer_id"] == list(errors(partner.http.post("/v1/customers/individual/attach", json=body))[1])


# ---------------------------------------------------------------------------------- reviews and questions


def test_a_rejection_has_reasons(partner: Partner) -> None:
    review = {"verdict": "rejected", "reject_labels": ["LOW_QUALITY"], "document_labels": ["EXPIRATION_DATE"]}
    partner.load(reviews={"by_email": {MARIA: {**review, "moderation_comment": "too dark"}}})
    customer, _ = partner.attached()
    reason = partner.waits_for(customer, "REJECTED")["rejection_reason"]

    assert {"moderation_comment": "too dark", "reject_labels": ["LOW_QUALITY"]} == reason["applicant"]
    assert [["EXPIRATION_DATE"]] == [one["reject_labels"] for one in reason["documents"]]
    assert reason == partner.get(f"/v1/customers/{customer}")["rejection_reason"]


@pytest.mark.parametrize("word", ["IN_COMPLIANCE", "ON_HOLD"])
def test_a_pause_has_two_names(partner: Partner, word: str) -> None:
    partner.load(settings={"paused_status": word}, reviews={"default": {"hold": 0.3}})
    customer, _ = partner.attached()

    partner.waits_for(customer, word)
    partner.waits_for(customer, "APPROVED")


PASSPORT_AGAIN = {
    "section": "proof_of_identity",
    "document_type": "PASSPORT",
    "fields": [
        {"field_name": "files", "status": "EXPIRED", "side": "FRONT", "reason": "expired"},
        {"field_name": "expiry_date", "status": "MISSING"},
    ],
}


def test_questions_are_answered_with_exactly_what_was_asked(partner: Partner) -> None:
    partner.load(reviews={"default": {"rfis": [[PASSPORT_AGAIN], ["proof_of_address"]]}})
    customer, _ = partner.attached()
    asked = partner.waits_for(customer, "ACTION_REQUIRED")
    uri = partner.upload(customer, again=PNG)["again"]
    path = f"/v1/customers/{customer}"
    exact = {"files": [{"uri": uri, "side": "FRONT"}], "expiry_date": "2099-01-01"}

    (item,) = asked["request_for_information"]
    assert ("proof_of_identity", "CUSTOMER") == (item["section"], item["scope"])
    assert [
        {
            "field_name": "files",
            "data_type": "URI",
            "status": "EXPIRED",
            "side": "FRONT",
            "reason": "expired",
            "options": [],
        },
        {"field_name": "expiry_date", "data_type": "DATE", "status": "MISSING", "reason": None, "options": []},
    ] == item["categories"][0]["fields"]
    wrong = {
        "proof_of_identity.number": {"proof_of_identity": {**exact, "number": "1"}},
        "proof_of_identity.expiry_date": {"proof_of_identity": {"files": exact["files"]}},
        "proof_of_identity.files": {"proof_of_identity": {**exact, "files": [{"uri": uri}]}},
        "proof_of_identity.files.0.uri": {
            "proof_of_identity": {**exact, "files": [{"uri": "/foreign.png", "side": "FRONT"}]}
        },
        "proof_of_identity": {},
        "proof_of_address": {"proof_of_identity": exact, "proof_of_address": {"files": [{"uri": uri}]}},
        "proof_of_identity.type": {"proof_of_identity": {**exact, "type": "NATIONAL_ID"}},
    }
    for where, body in wrong.items():
        found = partner.http.patch(path, json=body)
        assert (400, 400, [where]) == (found.status_code, found.json()["status"], list(found.json()["data"]))
    answered = partner.http.patch(path, json={"proof_of_identity": {"type": "PASSPORT", **exact}})
    assert (200, {"data": {"customer_id": customer}}) == (answered.status_code, answered.json())
    again = until(lambda: partner.customer(customer), lambda found: found["request_for_information"])
    assert ("ACTION_REQUIRED", "proof_of_address") == (
        again["customer_status"],
        again["request_for_information"][0]["section"],
    )
    bill = {"uri": partner.upload(customer, bill=PDF)["bill"]}
    body = {"proof_of_address": {"files": [bill]}}
    for name in ("side", "page"):
        found = partner.http.patch(path, json={"proof_of_address": {"files": [{**bill, name: "FRONT"}]}})
        assert (400, [f"proof_of_address.files.0.{name}"]) == (found.status_code, list(found.json()["data"]))
    assert 200 == partner.http.patch(path, json=body).status_code
    approved = partner.waits_for(customer, "APPROVED")
    assert ([], None) == (approved["request_for_information"], approved["rejection_reason"])
    assert 400 == partner.http.patch(path, json=body).status_code
    assert 404 == partner.http.patch(f"/v1/customers/{NOBODY}", json=body).status_code


def test_attaching_again_is_an_answer_too(partner: Partner) -> None:
    partner.load(reviews={"default": {"rfis": [["proof_of_identity"], []]}})
    customer, terms = partner.attached()
    asked = partner.waits_for(customer, "ACTION_REQUIRED")
    partner.attach(customer, partner.documents(customer, terms))
    again = until(
        lambda: partner.state["customers"][0],
        lambda found: found["customer_status"] == "ACTION_REQUIRED" and not found["in_flight"],
    )
    partner.attach(customer, partner.documents(customer, terms))

    assert ["proof_of_identity"] == [one["section"] for one in asked["request_for_information"]]
    assert [] == again["request_for_information"]  # the guide's way: attach again, whatever it is
    assert again["rejection_reason"] is not None
    partner.waits_for(customer, "APPROVED")


def test_a_v1_customer_is_asked_in_its_own_words(partner: Partner) -> None:
    held = {"request": ["tos_policies_value"], "status": "hold"}
    partner.load(reviews={"default": {"rfis": [["proof_of_address"], held]}})
    customer, terms = partner.create_v1()
    body = attachment_v1(customer, partner.upload(customer, passport=JPEG, bill=PDF), terms)
    partner.http.post("/v1/customers/individual/attach", json=body).raise_for_status()
    partner.waits_for(customer, "REINITIATE")
    partner.http.post("/v1/customers/individual/attach", json=body).raise_for_status()
    partner.waits_for(customer, "ON_HOLD")
    path = f"/v1/customers/{customer}"

    assert 400 == partner.http.patch(path, json={"tos_policies_value": NOBODY}).status_code
    assert 200 == partner.http.patch(path, json={"tos_policies_value": terms}).status_code
    partner.waits_for(customer, "APPROVED")


def test_a_verdict_and_a_question_by_hand(partner: Partner) -> None:
    partner.load(reviews={"default": "never"})
    customer, _ = partner.attached()
    partner.waits_for(customer, "REVIEWING")
    asked = partner.act("rfi", email=MARIA, request=[PASSPORT_AGAIN]).json()

    assert "ACTION_REQUIRED" == asked["customer_status"]
    assert "APPROVED" == partner.act("verdict", customer_id=customer, status="approved").json()["customer_status"]
    more = partner.act("rfi", customer_id=customer, request=["proof_of_address"]).json()
    assert ("APPROVED", 1) == (more["customer_status"], len(more["request_for_information"]))
    bill = {"proof_of_address": {"files": [{"uri": partner.upload(customer, bill=PDF)["bill"]}]}}
    assert 200 == partner.http.patch(f"/v1/customers/{customer}", json=bill).status_code
    assert "APPROVED" == partner.customer(customer)["customer_status"]
    rejected = partner.act("verdict", email=MARIA, status="REJECTED", document_labels=["UNFILLED_ID"]).json()
    assert ["UNFILLED_ID"] == rejected["rejection_reason"]["documents"][0]["reject_labels"]
    paused = partner.act("verdict", email=MARIA, status="ON_HOLD").json()
    assert "IN_COMPLIANCE" == paused["customer_status"]  # the word of its generation
    held = partner.act("rfi", email=MARIA, request=["tos_policies_value"], status="hold").json()
    assert ("IN_COMPLIANCE", 1) == (held["customer_status"], len(held["request_for_information"]))
    assert {400} == {
        partner.act("verdict", email=MARIA, status="QUEUED").status_code,
        partner.act("verdict", email=MARIA, status="REJECTED", reject_labels="LOW_QUALITY").status_code,
        partner.act("verdict", email=MARIA, status="REJECTED", why="no").status_code,
        partner.act("rfi", email=MARIA, request=[], status="later").status_code,
        partner.act("verdict", email="nobody@example.com", status="APPROVED").status_code,
        partner.act("rfi", email=MARIA, request=[{"section": "face"}]).status_code,
    }


def test_a_question_can_be_written_as_the_provider_does(partner: Partner) -> None:
    customer, _ = partner.create()
    side = {"field_name": "files", "data_type": "URI", "status": "INVALID", "reason": "blurred"}
    fields = [{**side, "side": "FRONT"}, {**side, "side": "BACK"}, {"field_name": "type", "data_type": "ENUM"}]
    written = {
        "section": "proof_of_identity",
        "categories": [{"document_type": "GOVERNMENT_ID", "fields": fields}],
    }
    asked = partner.act("rfi", customer_id=customer, request=[written]).json()["request_for_information"]
    uris = partner.upload(customer, a=PNG, b=PNG)
    files = [{"uri": uris["b"], "side": "BACK"}, {"uri": uris["a"], "side": "FRONT"}]
    path = f"/v1/customers/{customer}"
    without = partner.http.patch(path, json={"proof_of_identity": {"files": files}})
    wrong = partner.http.patch(path, json={"proof_of_identity": {"type": "LIBRARY_CARD", "files": files}})
    answered = partner.http.patch(path, json={"proof_of_identity": {"type": "NATIONAL_ID", "files": files}})

    assert ["DRIVERS_LICENSE", "NATIONAL_ID", "PASSPORT", "RESIDENCE_PERMIT"] == (
        asked[0]["categories"][0]["fields"][2]["options"]
    )
    assert [["proof_of_identity.type"]] * 2 == [list(found.json()["data"]) for found in (without, wrong)]
    assert 200 == answered.status_code
    partner.waits_for(customer, "APPROVED")


def test_every_field_of_an_answer_is_looked_at(partner: Partner) -> None:
    customer, _ = partner.create()
    fields = ["number", "country", "issue_date", "expiry_date"]
    partner.act("rfi", customer_id=customer, request=[{"section": "proof_of_identity", "fields": fields}])
    right = {"number": "1", "country": "USA", "issue_date": "2020-01-01", "expiry_date": "2099-01-01"}
    path = f"/v1/customers/{customer}"
    for name, value in {"number": 1, "country": "US", "issue_date": "2020", "expiry_date": "2020-01-01"}.items():
        found = partner.http.patch(path, json={"proof_of_identity": {**right, name: value}})
        assert (400, [f"proof_of_identity.{name}"]) == (found.status_code, list(found.json()["data"]))

    assert ["proof_of_identity"] == list(partner.http.patch(path, json={"proof_of_identity": 1}).json()["data"])
    assert 200 == partner.http.patch(path, json={"proof_of_identity": right}).status_code


@pytest.mark.parametrize(
    "request_",
    [
        "proof_of_address",
        [7],
        [{"section": "proof_of_address", "categories": []}],
        [{"section": "proof_of_address", "categories": ["files"]}],
        [{"section": "proof_of_address", "colour": "red"}],
        [{"section": "proof_of_address", "document_type": "PASSPORT"}],
        [{"section": "proof_of_address", "fields": []}],
        [{"section": "proof_of_address", "fields": [7]}],
        [{"section": "proof_of_address", "status": "LOST"}],
        [{"section": "proof_of_address", "side": "FRONT"}],
        [{"section": "proof_of_identity", "side": "LEFT"}],
    ],
)
def test_a_question_that_makes_no_sense_is_not_asked(partner: Partner, request_: Any) -> None:
    customer, _ = partner.create()

    assert 400 == partner.act("rfi", customer_id=customer, request=request_).status_code
    assert "INCOMPLETE" == partner.customer(customer)["customer_status"]
