"""Fin.com's sandbox over real sockets: tokens, the catalogue, customers, seed data, faults."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import fin_partner
import httpx
import pytest
from fin_partner import CLIENT, KEYS, MARIA, PDF, Partner, errors, person

from runner.sandbox.fin import credentials

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def shared() -> Iterator[Partner]:
    with fin_partner.serving() as partner:
        yield partner


@pytest.fixture
def partner(shared: Partner) -> Partner:
    """A fresh sandbox on the shared socket, and a token."""
    shared.reset()
    return shared


# ------------------------------------------------------------------------------------------------ tokens


def test_a_token_tells_when_it_dies_by_the_servers_clock(partner: Partner) -> None:
    partner.clock.offset = 3600.0
    found = partner.log_in()
    access, renewal, now = (
        datetime.fromisoformat(found[name]) for name in ("access_token_ttl", "refresh_token_ttl", "current_time")
    )

    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00", found["access_token_ttl"])
    assert (24 * 3600, 7 * 24 * 3600) == ((access - now).total_seconds(), (renewal - now).total_seconds())
    assert abs(now.timestamp() - partner.clock.now()) < 5
    assert {"issued": 2, "refreshed": 0, "live": 2} == partner.state["tokens"]


def test_an_expired_token_is_refused_until_it_is_refreshed(partner: Partner) -> None:
    partner.load(settings={"token_ttl": 10})
    pair = partner.log_in()
    partner.clock.offset = 11.0
    refused = partner.http.get("/v1/occupations")
    renewed = partner.http.post("/v1/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]}).json()
    again = partner.http.post("/v1/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
    partner.http.headers["Authorization"] = f"Bearer {renewed['access_token']}"

    assert (401, {"message": "Authentication failed"}) == (refused.status_code, refused.json())
    assert 200 == partner.http.get("/v1/occupations").status_code
    assert (401, {"message": "Authentication failed"}) == (again.status_code, again.json())
    state = partner.state
    assert ["expired bearer token", "unknown refresh token"] == [one["cause"] for one in state["refusals"]]
    assert (1, 2) == (state["tokens"]["refreshed"], state["requests"]["token.refresh"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("token", {}, 422),
        ("token", {**CLIENT, "client_secret": 7}, 422),
        ("token", {**CLIENT, "client_secret": "wrong"}, 401),
        ("token", {**CLIENT, "client_id": "wrong"}, 401),
        ("refresh-token", {}, 422),
        ("refresh-token", {"refresh_token": "made up"}, 401),
    ],
)
def test_no_token_for_the_wrong_words(partner: Partner, path: str, body: Any, status: int) -> None:
    assert status == partner.http.post(f"/v1/oauth/{path}", json=body).status_code


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer made.up.token", "Basic abc"])
def test_whoever_has_no_token_gets_nothing(partner: Partner, header: str) -> None:
    found = partner.http.get("/v1/purposes?type=INDIVIDUAL", headers={"Authorization": header})

    assert (401, {"message": "Authentication failed"}) == (found.status_code, found.json())


def test_tokens_can_be_taken_away_and_wrapped(partner: Partner) -> None:
    assert {"issued": 1, "refreshed": 0, "live": 0} == partner.act("expire").json()
    assert 401 == partner.http.get("/v1/occupations").status_code
    partner.load(settings={"token_in_data": True})

    assert "access_token" in partner.log_in()["data"]
    assert 200 == partner.http.get("/v1/occupations").status_code
    assert 400 == partner.act("expire", everything=True).status_code


# --------------------------------------------------------------------------------------------- catalogue


def test_occupations_fill_more_than_one_page(partner: Partner) -> None:
    first = partner.get("/v1/occupations")
    everything = partner.get("/v1/occupations?per_page=512")
    last = partner.get(f"/v1/occupations?current_page={first['pagination']['total_page']}&per_page=10")
    titles = {one["id"]: one["title"] for one in everything["occupations"]}

    assert 10 == len(first["occupations"])
    assert len(titles) == first["pagination"]["total"] > 100
    assert ("Software Engineer", "Software quality assurance analyst and tester") == (titles[1], titles[504])
    assert everything["occupations"][-1] == last["occupations"][-1]


@pytest.mark.parametrize(
    ("path", "name", "title"),
    [
        ("purposes", "purposes", "Send to Family & Friends"),
        ("source-of-funds", "source_of_funds", "Salary/Wages"),
        ("transaction-purposes", "transaction_purposes", "Send to Family & Friends"),
    ],
)
def test_what_depends_on_the_type_needs_one(partner: Partner, path: str, name: str, title: str) -> None:
    found = partner.get(f"/v1/{path}?type=INDIVIDUAL")

    assert {"id": 1, "title": title} == found[name][0]
    assert found[name] != partner.get(f"/v1/{path}?type=BUSINESS")[name]
    assert (422, {"type": "type is required"}) == errors(partner.http.get(f"/v1/{path}"))
    assert 422 == partner.http.get(f"/v1/{path}?type=PERSON").status_code


@pytest.mark.parametrize("query", ["per_page=513", "per_page=0", "per_page=x", "current_page=0"])
def test_a_page_that_cannot_be(partner: Partner, query: str) -> None:
    field = query.partition("=")[0]

    assert [field] == list(errors(partner.http.get(f"/v1/countries?{query}"))[1])


def test_countries_and_their_subdivisions(partner: Partner) -> None:
    found = {one["code"]: one for one in partner.get("/v1/countries?per_page=512")["countries"]}
    postal = found["USA"]["postal_code"]

    assert postal["required"]
    assert re.match(postal["regex"], "94103")
    assert not re.match(postal["regex"], "9410")
    assert {"required": False, "regex": None} == found["ARE"]["postal_code"]
    for country in ("USA", "GBR", "BHR", "DEU", "FRA", "MEX", "BGD", "CAN", "IND", "ARE", "ESP", "PRT"):
        codes = {one["code"] for one in partner.get(f"/v1/countries/{country}/subdivisions")["subdivisions"]}
        assert all(re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", code) for code in codes)
        assert codes
    assert {"code": "US-CA", "name": "California"} in partner.get("/v1/countries/USA/subdivisions")["subdivisions"]
    assert 404 == partner.http.get("/v1/countries/XYZ/subdivisions").status_code


# ---------------------------------------------------------------------------------------------- creating


def test_a_new_customer_is_incomplete(partner: Partner) -> None:
    customer, terms = partner.create()
    found = partner.customer(customer)

    assert "INCOMPLETE" == found["customer_status"]
    assert found["tos_policies_url"].endswith(f"?customer_id={customer}&tos_policies_value={terms}")
    assert (MARIA, None, []) == (found["email"], found["rejection_reason"], found["request_for_information"])
    assert not {"meta_data", "address", "documents"} & set(found)
    assert customer != partner.create()[0]  # nobody is recognised


@pytest.mark.parametrize(
    ("path", "text", "changes"),
    [
        ("basic_info.email", "Email must be all lowercase", {"basic_info__email": "Maria@example.com"}),
        ("address.country", "Must match basic_info.country_of_residence", {"address__country": "GBR"}),
        ("basic_info.first_name_en", None, {"basic_info__first_name": "María"}),
        ("address.street_line_2_en", None, {"address__street_line_2": "2º"}),
        ("basic_info.last_name_en", None, {"basic_info__last_name": "Ó", "basic_info__last_name_en": "Ó"}),
        ("address.city", None, {"address__city": "São Paulo"}),
        ("financial_profile.occupation_id", "occupation_id is required", {"financial_profile__occupation_id": None}),
        ("financial_profile.occupation_id", None, {"financial_profile__occupation_id": 503}),
        ("financial_profile.occupation_id", None, {"financial_profile__occupation_id": "1"}),
        ("financial_profile.source_of_fund_ids", None, {"financial_profile__source_of_fund_ids": []}),
        ("financial_profile.source_of_fund_ids", None, {"financial_profile__source_of_fund_ids": [99]}),
        ("financial_profile.monthly_volume_usd", None, {"financial_profile__monthly_volume_usd": -1}),
        ("financial_profile.monthly_volume_usd", None, {"financial_profile__monthly_volume_usd": 3400.5}),
        ("financial_profile.employment_status", None, {"financial_profile__employment_status": "BUSY"}),
        ("basic_info.dob", None, {"basic_info__dob": "2020-01-01"}),
        ("basic_info.dob", None, {"basic_info__dob": "1890-01-01"}),
        ("basic_info.dob", None, {"basic_info__dob": "15/04/1990"}),
        ("basic_info.phone", None, {"basic_info__phone": "(415) 555-2671"}),
        ("basic_info.primary_nationality", None, {"basic_info__primary_nationality": "US"}),
        ("basic_info.gender", None, {"basic_info__gender": "male"}),
        ("basic_info.tax_info", "tax_info is required", {"basic_info__tax_info": []}),
        ("basic_info.tax_info.0.document_id", None, {"basic_info__tax_info__0__document_id": "123456789"}),
        ("address.subdivision_code", None, {"address__subdivision_code": "CA"}),
        ("address.postal_code", None, {"address__postal_code": "M5V 2T6"}),
        ("address", "address is required", {"address": None}),
        ("verification_type", "verification_type is required", {"verification_type": None}),
        ("meta_data", None, {"meta_data": "x"}),
        ("basic_info", None, {"basic_info": []}),
        ("basic_info.email", None, {"basic_info__email": "maria"}),
        ("basic_info.first_name", None, {"basic_info__first_name": 7}),
        ("financial_profile.source_of_fund_ids", None, {"financial_profile__source_of_fund_ids": ["1"]}),
        ("financial_profile.monthly_volume_usd", None, {"financial_profile__monthly_volume_usd": 10**13}),
    ],
)
def test_a_wrong_field_is_named_by_its_path(partner: Partner, path: str, text: str | None, changes: Any) -> None:
    status, found = errors(partner.http.post("/v2/customers/individual", json=person(**changes)))

    assert (422, [path]) == (status, list(found))
    assert text in (None, found[path])
    assert [] == partner.state["customers"]


def test_all_wrong_fields_are_named_at_once_in_either_form(partner: Partner) -> None:
    twice = [{"country_code": "GBR", "document_type": "TIN", "document_id": "1"}] * 2
    body = person(basic_info__tax_info=twice, basic_info__phone="1", address__city=None)
    paths = {"basic_info.phone", "basic_info.tax_info.1.document_id", "address.city"}
    as_object = partner.http.post("/v2/customers/individual", json=body).json()["errors"]
    partner.load(settings={"errors_as_list": True})
    as_list = partner.http.post("/v2/customers/individual", json=body).json()["errors"]

    assert paths == set(as_object)
    assert as_object == {path: [text] for one in as_list for path, text in one.items()}


def test_other_letters_need_a_twin(partner: Partner) -> None:
    spelled = {"basic_info__first_name": "María", "basic_info__first_name_en": "Maria"}

    assert partner.create(**spelled, address__street_line_1="Ñ 1", address__street_line_1_en="N 1")


def test_a_country_without_a_list_takes_what_looks_like_a_code(partner: Partner) -> None:
    swiss = {"address__country": "CHE", "basic_info__country_of_residence": "CHE", "address__postal_code": "8001"}
    refused = partner.http.post("/v2/customers/individual", json=person(**swiss, address__subdivision_code="ZH"))

    assert ["address.subdivision_code"] == list(errors(refused)[1])
    assert partner.create(**swiss, address__subdivision_code="CH-ZH")


def test_reliance_is_locked_until_it_is_switched_on(partner: Partner) -> None:
    for path, body in (("v2", person()), ("v1", fin_partner.person_v1())):
        found = partner.http.post(f"/{path}/customers/individual", json={**body, "verification_type": "RELIANCE"})
        assert (423, {"message": "RELIANCE is not available for your client"}) == (found.status_code, found.json())
    partner.load(settings={"reliance": True})

    assert "RELIANCE" == partner.customer(partner.create(verification_type="RELIANCE")[0])["verification_type"]


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("basic_info.email", {"basic_info__email": "John@example.com"}),
        ("basic_info.tin", {"basic_info__tin": "123456789"}),
        ("basic_info.first_name", {"basic_info__first_name": "José"}),
        ("address.state", {"address__state": "ON"}),
        ("financial_profile.source_of_fund_id", {"financial_profile__source_of_fund_id": None}),
    ],
)
def test_v1_has_rules_of_its_own(partner: Partner, path: str, changes: Any) -> None:
    found = partner.http.post("/v1/customers/individual", json=fin_partner.person_v1(**changes))

    assert (422, [path]) == (errors(found)[0], list(errors(found)[1]))


def test_v1_looks_at_no_residence(partner: Partner) -> None:
    customer, _ = partner.create_v1()
    found = partner.get(f"/v1/customers/{customer}")

    assert "STANDARD" == found["verification_type"]
    assert "Customer is under review" == found["capabilities"]["off_ramp"][0]["reason"]["for_developer"]


def test_a_body_that_is_no_object_is_malformed(partner: Partner) -> None:
    headers = {"Content-Type": "application/json"}
    found = partner.http.post("/v2/customers/individual", content=b"{", headers=headers)

    assert (400, {"status": 400, "message": "Malformed request body"}) == (found.status_code, found.json())
    assert 415 == partner.http.post("/v2/customers/individual", content=b"{}").status_code


def test_customers_are_read_and_listed(partner: Partner) -> None:
    ids = [partner.create(f"c{number}@example.com")[0] for number in range(12)]
    first = partner.get("/v2/customers?type=INDIVIDUAL")
    second = partner.get("/v2/customers?type=INDIVIDUAL&current_page=2")

    assert ids[::-1] == [one["customer_id"] for page in (first, second) for one in page["customers"]]
    assert {"current_page": 1, "per_page": 10, "total_page": 2, "total": 12} == first["pagination"]
    assert [] == partner.get("/v2/customers?type=BUSINESS")["customers"]
    assert 422 == partner.http.get("/v2/customers").status_code
    unknown = [partner.http.get(f"/{version}/customers/{NOBODY}") for version in ("v1", "v2")]
    assert [(404, "Customer not found"), (404, "Resource not found")] == [
        (found.status_code, found.json()["message"]) for found in unknown
    ]
    assert 422 == partner.http.get("/v1/customers/nobody").status_code
    assert 404 == partner.http.get(f"/v2/customers/{NOBODY}/capabilities").status_code


# ---------------------------------------------------------------------------------------------- the rest


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"people": []}, 'unknown key "people"'),
        ({"settings": {"token_ttl": "1"}}, "settings: "),
        ({"settings": {"colour": 1}}, 'settings: unknown key "colour"'),
        ({"settings": {"paused_status": "PAUSED"}}, "paused_status"),
        ({"settings": {"reliance": 1}}, "reliance"),
        ({"reviews": {"by_email": {MARIA: "maybe"}}}, f"reviews: {MARIA}: "),
        ({"reviews": {"default": {"rfis": [[{"section": "proof_of_identity", "fields": ["face"]}]]}}}, "face"),
        ({"reviews": {"default": {"delay": -1}}}, "delay"),
        ({"reviews": {"default": {"mood": "bad"}}}, 'unknown key "mood"'),
        ({"reviews": {"default": 7}}, "reviews: "),
        ({"reviews": {"default": {"rfis": 1}}}, "rfis"),
        ({"reviews": {"default": {"rfis": [{"request": [], "status": "go"}]}}}, "reviews: "),
        ({"reviews": {"everyone": "approved"}}, 'unknown key "everyone"'),
        ({"settings": []}, "settings: "),
        ({"webhook_secret": ""}, "webhook_secret: "),
        ({"customers": {}}, "customers: "),
        ({"customers": ["x"]}, "customers: [0]: "),
        ({"customers": [{"email": MARIA}], "beneficiaries": [{"email": MARIA}]}, "beneficiaries: [0]: country: "),
        ({"customers": [{"email": MARIA}], "beneficiaries": [{"email": MARIA, "status": "NEW"}]}, "ACTIVE"),
        ({"beneficiary_reviews": {"default": "approved"}}, "beneficiary_reviews: "),
        ({"payouts": {"default": {"status": "lost"}}}, "payouts: "),
        ({"balance": -1}, "balance: "),
        ({"webhook_url": "ftp://x"}, "webhook_url: "),
        ({"customers": [{"email": "Upper@example.com"}]}, "customers: [0]: basic_info.email: "),
        ({"customers": [{"email": MARIA, "status": "NEW"}]}, "customers: [0]: "),
        ({"beneficiaries": [{"email": MARIA}]}, "beneficiaries: [0]: "),
    ],
)
def test_wrong_seed_data_has_a_place_and_changes_nothing(partner: Partner, data: Any, place: str) -> None:
    found = partner.http.post("/_sandbox/data", json={"balance": 7, **data})

    assert 400 == found.status_code
    assert place in found.json()["error"]
    assert 1_000_000_00 == partner.state["balance"]


def test_the_scenario_on_the_page_can_be_played(partner: Partner) -> None:
    page = Path(__file__).parents[2] / "runner" / "sandbox" / "fin" / "README.md"
    (block,) = re.findall(r"^```json\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    partner.load(**json.loads(block)["fin"])

    assert (250000, ["APPROVED"]) == (
        partner.state["balance"],
        [one["customer_status"] for one in partner.state["customers"]],
    )


def test_reads_can_lag_behind() -> None:
    with fin_partner.serving(visible_after=100.0) as partner:
        partner.log_in()
        customer, _ = partner.create()
        hidden = partner.http.get(f"/v2/customers/{customer}")
        listed = partner.get("/v2/customers?type=INDIVIDUAL")
        partner.clock.offset = 101.0

        assert (404, []) == (hidden.status_code, listed["customers"])
        assert customer == partner.customer(customer)["customer_id"]


def test_faults_strike_by_operation_and_customer(partner: Partner) -> None:
    partner.plan(f"customers.create=drop-after:x1:client={MARIA}", f"documents.upload=503-before:x1:client={MARIA}")
    partner.create("other@example.com")
    with pytest.raises(httpx.RemoteProtocolError):
        partner.http.post("/v2/customers/individual", json=person())
    found = [one["customer_id"] for one in partner.get("/v2/customers?type=INDIVIDUAL")["customers"]]
    tired = partner.http.post("/v1/customers/upload", data={"customer_id": found[0]}, files={"a": PDF})

    assert [MARIA, "other@example.com"] == [partner.customer(one)["email"] for one in found]
    assert (503, "Internal server error") == (tired.status_code, tired.json()["message"])
    assert (
        200 == partner.http.post("/v1/customers/upload", data={"customer_id": found[0]}, files={"a": PDF}).status_code
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/nothing", 404, "Resource not found"),
        ("DELETE", "/v2/customers", 405, "Method not allowed"),
        ("GET", "/v1/customers", 404, "Resource not found"),  # retired
    ],
)
def test_what_is_not_there(partner: Partner, method: str, path: str, status: int, message: str) -> None:
    found = partner.http.request(method, path)

    assert (status, {"message": message}) == (found.status_code, found.json())


@pytest.mark.parametrize("brought", [{}, {"FIN_CLIENT_SECRET": "mine"}])
def test_the_command_line_shows_what_a_client_needs(brought: dict[str, str]) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FIN_")}
    command = [sys.executable, "-m", "runner.sandbox", "fin", "--exit-with-stdin", "--seed", "7"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**clean, **brought}) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        found = json.loads(process.stdout.readline())["fin"]
        process.stdin.close()

    expected = {name: value for name, value in credentials(7).items() if name not in brought}
    assert {"FIN_BASE_URL": found["url"], **expected} == found["env"]
    assert KEYS != credentials(7)
