"""Documents: what they may be, and how they are listed."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

JPEG = b"\xff\xd8\xff\xe0 a photo"
PNG = b"\x89PNG\r\n\x1a\n a photo"
PDF = b"%PDF-1.7 a bill"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00"
HEIF = b"\x00\x00\x00\x18ftypmif1\x00\x00"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00"
LIMIT = 5 * 1024 * 1024


@pytest.fixture
def known(partner: Any) -> Any:
    partner.client()
    return partner


def upload(partner: Any, kind: str | None = "government_id", **files: bytes) -> Any:
    return partner.upload("user_1", {} if kind is None else {"type": kind}, files)


@pytest.mark.parametrize(
    ("content", "ending"), [(JPEG, "jpg"), (PNG, "png"), (PDF, "pdf"), (HEIC, "heic"), (HEIF, "heif")]
)
def test_the_content_says_the_format(known: Any, content: bytes, ending: str) -> None:
    made = upload(known, front_file=content)

    assert made.status == 201
    assert made.result["type"] == "government_id"
    assert made.result["created_at"] == "2024-06-01T10:00:00Z"
    assert f".{ending}?" in made.result["front_file"]
    assert made.result["back_file"] is None


def test_both_sides_are_kept_to_the_byte(known: Any) -> None:
    made = upload(known, front_file=JPEG + b"\r\n--lin", back_file=PNG)

    assert made.result["back_file"] != made.result["front_file"]
    assert known.state["documents"] == [
        {
            "id": made.result["id"],
            "partner_client_id": "user_1",
            "type": "government_id",
            "front_file": {
                "name": "a.bin",
                "kind": "jpg",
                "size": len(JPEG) + 7,
                "sha256": hashlib.sha256(JPEG + b"\r\n--lin").hexdigest(),
            },
            "back_file": {
                "name": "a.bin",
                "kind": "png",
                "size": len(PNG),
                "sha256": hashlib.sha256(PNG).hexdigest(),
            },
        }
    ]


@pytest.mark.parametrize(
    ("kind", "files", "fields"),
    [
        (None, {"front_file": PDF}, ["type"]),
        ("passport", {"front_file": PDF}, ["type"]),
        ("government_id", {}, ["front_file"]),
        ("government_id", {"back_file": PDF}, ["front_file"]),
        ("government_id", {"front_file": b""}, ["front_file"]),
        ("government_id", {"front_file": b"plain text"}, ["front_file"]),
        ("government_id", {"front_file": MP4}, ["front_file"]),
        ("government_id", {"front_file": PDF, "back_file": b"GIF89a"}, ["back_file"]),
        ("government_id", {"front_file": PDF.ljust(LIMIT + 1)}, ["front_file"]),
        ("", {"front_file": b"x", "back_file": b"x"}, ["type", "front_file", "back_file"]),
    ],
)
def test_what_is_wrong_is_named(known: Any, kind: str | None, files: dict[str, bytes], fields: list[str]) -> None:
    found = upload(known, kind, **files)

    assert found.code == (422, 422)
    assert fields == list(found.json["msg_detail"])
    assert known.state["documents"] == []


def test_exactly_five_mebibytes_are_fine(known: Any) -> None:
    assert upload(known, front_file=PDF.ljust(LIMIT)).status == 201


def test_a_text_part_is_no_file(known: Any) -> None:
    found = known.upload("user_1", {"type": "government_id", "front_file": "%PDF-1.7"}, {})

    assert found.json["msg_detail"] == {"front_file": ["Must be a file."]}


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 422),
        ("multipart/form-data; boundary=line", b"", 422),
        (
            "multipart/form-data; boundary=line",
            b"--line\r\nContent-Disposition: form-data\r\n\r\nx\r\n--line--",
            422,
        ),
        (
            "multipart/form-data; boundary=line",
            b'--line\r\nContent-Disposition: form-data; name="type"\r\n\r\nx',
            422,
        ),
        ("multipart/form-data; boundary=line", b"no form at all", 422),
    ],
)
def test_a_form_must_be_whole(known: Any, kind: str, body: bytes, code: int) -> None:
    path = "/v1/partner/clients/user_1/documents"

    assert known.send("POST", path, body, {**known.signed("POST", path, body), "Content-Type": kind}).code == (
        code,
        code,
    )


def test_a_part_may_not_come_twice(known: Any) -> None:
    path = "/v1/partner/clients/user_1/documents"
    part = b'--line\r\nContent-Disposition: form-data; name="type"\r\n\r\ngovernment_id\r\n'
    body = part + part + b"--line--\r\n"
    headers = {**known.signed("POST", path, body), "Content-Type": "multipart/form-data; boundary=line"}

    assert known.send("POST", path, body, headers).code == (422, 422)


def test_a_second_upload_is_added_and_urls_are_new_on_every_read(known: Any) -> None:
    path = "/v1/partner/clients/user_1/documents"
    upload(known, front_file=PDF)
    upload(known, front_file=JPEG)

    before = known.get(path).json["items"]
    known.clock.seconds += 5
    after = known.get(path).json["items"]

    assert [item["type"] for item in before] == ["government_id", "government_id"]
    assert [item["id"] for item in before] == [item["id"] for item in after]
    assert before[0]["front_file"] != after[0]["front_file"]
    assert "X-Amz-Expires=900" in before[0]["front_file"]


def test_a_document_may_show_late(start: Any) -> None:
    partner = start(visible_after=3)
    partner.client()
    partner.clock.seconds += 3
    upload(partner, front_file=PDF)

    assert partner.get("/v1/partner/clients/user_1/documents").json == {"items": []}
    partner.clock.seconds += 3
    assert len(partner.get("/v1/partner/clients/user_1/documents").json["items"]) == 1
