"""Uploaded documents: what is refused with 400, what is told with 200, and what is kept."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from company import PASSPORT

from runner.sandbox.cryptomate import documents


def refusal(reply: Any) -> tuple[int, str, str]:
    return reply.status, reply.json["code"], reply.json["message"]


def rejected(reply: Any) -> list[str]:
    """The reasons of a 200 that took nothing."""
    assert reply.status == 200
    assert {"document"} >= {item["type"] for item in reply.json["rejected_items"]}
    return [item["reason"] for item in reply.json["rejected_items"]]


def picture(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"document_type": None}, "document.document_type must not be null"),
        ({"image_front": None}, "document.image_front must not be null"),
        ({"image_front": 5}, "document.image_front must be a base64 string"),
        ({"image_back": ""}, "document.image_back must be a base64 string"),
        ({"replace": "yes"}, "replace must be true or false"),
        ({"metadata": []}, "metadata must be an object"),
        ({"metadata": {"number": {"a": 1}}}, "metadata must be flat"),
    ],
)
def test_a_document_of_the_wrong_form_is_400(company: Any, changes: dict[str, Any], message: str) -> None:
    client = company.create()
    request = company.request(client).json["id"]

    assert (400, "BAD_REQUEST", message) == refusal(company.upload(client, request, **changes))


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"image_front": "data:application/pdf;base64,JVBERi0="}, ["image_front must be JPG or PNG"]),
        ({"image_front": picture(b"GIF89a")}, ["image_front must be JPG or PNG"]),
        ({"image_front": "data:image/jpeg;base64,%%%"}, ["image_front is not valid base64"]),
        ({"image_front": "data:image/png;base64,"}, ["image_front is empty"]),
        ({"image_back": picture(b"no")}, ["image_back must be JPG or PNG"]),
        ({"metadata": {}}, ["metadata number is required"]),
        ({"metadata": None}, ["metadata number is required"]),
        ({"metadata": {"number": " "}}, ["metadata number is required"]),
        ({"document_type": "ssn"}, ["ssn is not asked for"]),
        (
            {"image_front": picture(b"no"), "metadata": {}},
            ["image_front must be JPG or PNG", "metadata number is required"],
        ),
    ],
)
def test_a_document_of_the_wrong_content_is_told_with_200(
    company: Any, changes: dict[str, Any], reasons: list[str]
) -> None:
    client = company.create()
    request = company.request(client).json["id"]
    reply = company.upload(client, request, **changes)

    assert reasons == rejected(reply)
    assert {item["key"] for item in reply.json["rejected_items"]} == {changes.get("document_type", "passport")}
    assert reply.json["product"]["missing_requirements"]["documents"]
    assert company.state["products"][0]["documents"] == []


def test_the_size_of_an_image_counts_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert documents.LARGEST_IMAGE == 10_485_760
    monkeypatch.setattr(documents, "LARGEST_IMAGE", 8)

    assert isinstance(documents.image(picture(b"\xff\xd8\xff45678")), documents.Image)
    assert documents.image(picture(b"\xff\xd8\xff456789")) == "is larger than 10 MB"
    monkeypatch.setattr(documents, "LARGEST_TEXT", 8)
    assert documents.image(picture(b"\xff\xd8\xff456789")) == "is larger than 10 MB"


@pytest.mark.parametrize("head", ["", "data:image/png;base64,", "data:IMAGE/PNG;charset=x;base64,", "data:;base64,"])
def test_an_image_is_a_data_uri_or_plain_base64(company: Any, head: str) -> None:
    client = company.create()
    request = company.request(client).json["id"]
    taken = company.upload(client, request, image_front=head + picture(b"\x89PNG\r\n\x1a\nx"))

    # A data URI without a media type is text by its own rules.
    assert rejected(taken) == (["image_front must be JPG or PNG"] if head == "data:;base64," else [])


def test_a_stored_document_is_replaced_only_when_asked(company: Any) -> None:
    client = company.create()
    request = company.request(client).json["id"]
    company.upload(client, request)

    assert rejected(company.upload(client, request)) == ["A document of type passport already exists"]
    other = PASSPORT["metadata"] | {"number": "new", "issuing_country": "ARG"}  # extra metadata is tolerated
    assert rejected(company.upload(client, request, metadata=other, replace=True)) == []
    (kept,) = company.state["products"][0]["documents"]
    assert kept["metadata"] == other


def test_one_of_several_documents_satisfies_a_group(company: Any) -> None:
    company.data(requirements={"by_email": {"Maria@example.com": "passport-or-id"}})
    client = company.create()
    request = company.request(client).json["id"]

    front = PASSPORT["image_front"]
    assert rejected(company.upload(client, request, document_type="national_id")) == ["image_back is required"]
    assert rejected(company.upload(client, request, document_type="national_id", image_back=front)) == []
    assert company.product(client)["missing_requirements"]["documents"] == []
    assert rejected(company.upload(client, request)) == ["passport is not missing"]
