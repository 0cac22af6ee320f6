"""The very bytes that leave: nothing is escaped twice, rounded, dropped, or led astray by what a row holds."""

from __future__ import annotations

import email.parser
import email.policy
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart import FormParser
from stand_ins import DROPPED, PACK, answer, error, read_file, step

from runner.actions import ACTIONS, FileContent, Job, action_of, raw_operation
from runner.actions.base import json_bytes
from runner.actions.pages import MAX_PAGES
from runner.answers import Reading
from runner.conductor import bind
from runner.effects import Reply
from runner.file_fields import file_fields, with_files
from runner.model.http import NoAnswer, Request, Response, wire_text
from runner.model.problem import ProblemError
from runner.model.provider import MoneyRule, Operation, Pages
from runner.money import MoneyError

ITEM = Operation("things.get", "GET", "/v1/things/{thing}/of/{owner}", "read")
POST = Operation("things.make", "POST", "/v1/things/{thing}", "write", body="json")
FORM = replace(POST, body="form")
FILES = replace(POST, body="multipart", request={"properties": {"front": {"x-file": True}, "back": {"x-file": True}}})
LIST = Operation("things.list", "GET", "/v1/things", "read", pages=Pages())


def flow_of(operation: Operation, values: Mapping[str, Any], read: Any = read_file) -> Any:
    command = bind(step("s", operation.name, {}), -1, {})
    return action_of(command, operation)(Job(PACK, operation, values, read))


def request_of(operation: Operation, read: Any = read_file, /, **values: Any) -> Request:
    request = next(flow_of(operation, values, read))
    assert isinstance(request, Request)
    return request


def raw(effect: str = "read", /, **request: Any) -> Request:
    command = bind(replace(step("s", "", {}), request=request, effect=effect), -1, {})
    operation = raw_operation(command.values, effect)
    found = next(action_of(command, operation)(Job(PACK, operation, command.values, read_file)))
    assert isinstance(found, Request)
    return found


def test_the_registry_is_alphabetical() -> None:
    assert sorted(ACTIONS) == list(ACTIONS)


# -- path and query -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("user_1", "user_1"),
        ("a/b", "a%2Fb"),
        ("../admin", "..%2Fadmin"),
        ("a b", "a%20b"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("100%", "100%25"),
        ("ünï", "%C3%BCn%C3%AF"),
        ("محمد", "%D9%85%D8%AD%D9%85%D8%AF"),
        ("{owner}", "%7Bowner%7D"),
        ("a;b,c=d&e+f", "a%3Bb%2Cc%3Dd%26e%2Bf"),
        ("a~b-c.d_e", "a~b-c.d_e"),
        ("...", "..."),
        (12, "12"),
        (True, "true"),
        (Decimal("10.50"), "10.50"),
        (Decimal("1E+3"), "1000"),
    ],
)
def test_a_value_stays_inside_its_segment(value: Any, shown: str) -> None:
    assert f"/v1/things/{shown}/of/x" == request_of(ITEM, thing=value, owner="x").path


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text not in (".", "..")))
def test_any_text_comes_back_out_of_a_path(value: str) -> None:
    path = request_of(ITEM, thing=value, owner="x").path
    assert ["", "v1", "things", value, "of", "x"] == [unquote(part) for part in path.split("/")]
    assert path.isascii()


@pytest.mark.parametrize("value", [None, "", ".", ".."])
def test_a_value_that_would_make_another_path_is_refused(value: Any) -> None:
    with pytest.raises(ProblemError, match=r'"thing" is a part of the path of things\.get') as caught:
        request_of(ITEM, thing=value, owner="x")
    assert "request.path" == caught.value.problems[0].code


def test_a_value_that_is_absent_is_refused() -> None:
    with pytest.raises(ProblemError, match="found nothing"):
        request_of(ITEM, owner="x")


def test_what_is_not_in_the_path_is_the_query_in_its_order() -> None:
    request = request_of(ITEM, thing=1, z="1 2", owner="x", a=["x", "y&"], none=None, flag=False, n=Decimal("1.10"))
    assert (("z", "1 2"), ("a", "x"), ("a", "y&"), ("flag", "false"), ("n", "1.10")) == request.query
    assert "/v1/things/1/of/x?z=1%202&a=x&a=y%26&flag=false&n=1.10" == request.target
    assert (b"", "GET", True) == (request.body, request.method, request.signed)
    assert {"accept": "application/json"} == request.headers


def test_without_a_query_there_is_no_question_mark() -> None:
    assert "/v1/things/1/of/x" == request_of(ITEM, thing=1, owner="x").target


def test_an_operation_says_whether_it_is_signed() -> None:
    assert not request_of(PACK.operations["public.countries"]).signed


# -- JSON and forms -----------------------------------------------------------------------------------------------


def test_json_is_written_once_and_exactly() -> None:
    values = {
        "thing": "t",
        "amount": Decimal("1000.10"),
        "big": Decimal("1E+2"),
        "name": 'José "J"\n',
        "tags": ["a", None],
    }
    request = request_of(POST, **values, nested={"a": {"b": True}}, count=12)
    body = (
        '{"amount":1000.10,"big":100,"name":"José \\"J\\"\\n","tags":["a",null],"nested":{"a":{"b":true}},"count":12}'
    )
    assert body.encode() == request.body
    assert "application/json" == request.headers["content-type"]
    assert () == request.query


def test_an_empty_body_is_an_empty_mapping() -> None:
    assert b"{}" == request_of(POST, thing="t").body


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    assert value == json.loads(json_bytes(value), parse_float=Decimal)


def test_a_tuple_is_a_list() -> None:
    assert b'[1,"a"]' == json_bytes((1, "a"))


def test_a_form_is_encoded_as_forms_are() -> None:
    request = request_of(FORM, thing="t", a="1 2", b="ä&", c=["x", "y"], none=None, yes=True)
    assert b"a=1+2&b=%C3%A4%26&c=x&c=y&yes=true" == request.body
    assert [("a", "1 2"), ("b", "ä&"), ("c", "x"), ("c", "y"), ("yes", "true")] == parse_qsl(request.body.decode())
    assert "application/x-www-form-urlencoded" == request.headers["content-type"]


@pytest.mark.parametrize(
    ("value", "shown"), [(True, "true"), (False, "false"), (1, "1"), (Decimal("1E-8"), "0.00000001"), ("x", "x")]
)
def test_a_scalar_on_the_wire(value: Any, shown: str) -> None:
    assert shown == wire_text(value)


# -- multipart ----------------------------------------------------------------------------------------------------


def parts_by_email(request: Request) -> list[tuple[str, str, str, bytes]]:
    """Name, file name, media type and content of each part, as the standard library reads them."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    found = []
    for part in message.iter_parts():
        disposition = part["content-disposition"]
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        media_type = part.get_content_type() if part["content-type"] else ""
        found.append((disposition.params["name"], disposition.params.get("filename", ""), media_type, content))
    return found


def parts_by_server(request: Request) -> list[tuple[str, bytes]]:
    """Name and content of each part, as a server's parser reads them."""
    found: list[tuple[str, bytes]] = []
    boundary = request.headers["content-type"].partition("boundary=")[2]

    def on_field(field: Any) -> None:
        found.append((field.field_name.decode(), field.value or b""))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        found.append((file.field_name.decode(), file.file_object.read()))

    parser = FormParser("multipart/form-data", on_field, on_file, boundary=boundary)
    parser.write(request.body)
    parser.finalize()
    return found


def test_an_upload_carries_texts_and_documents_in_their_order() -> None:
    request = request_of(FILES, type="government_id", front="a.jpg", note="mañana", back=None, thing="t")
    assert request.is_multipart
    image = b"\xff\xd8\xffa.jpg"
    assert [
        ("type", "", "", b"government_id"),
        ("front", "front.jpg", "image/jpeg", image),
        ("note", "", "", "mañana".encode()),
    ] == parts_by_email(request)
    assert [("type", b"government_id"), ("front", image), ("note", "mañana".encode())] == parts_by_server(request)


def test_the_same_parts_are_the_same_bytes() -> None:
    one = request_of(FILES, thing="t", front="a.jpg")
    assert one == request_of(FILES, thing="t", front="a.jpg")
    assert one.headers != request_of(FILES, thing="t", front="b.jpg").headers


@pytest.mark.parametrize("content", [b"", b"\r\n--", b"--\r\n\r\n", b"\x00" * 100, b"\r\n", b'Content-Type: x"'])
def test_no_content_can_break_out_of_its_part(content: bytes) -> None:
    def read(name: str) -> FileContent:
        return FileContent(content, "front.bin", "application/octet-stream")

    assert [("a", b"1"), ("front", content), ("b", b"2")] == parts_by_server(
        request_of(FILES, read, thing="t", a="1", front="x", b="2")
    )


def test_a_name_can_not_end_the_header_early() -> None:
    def read(name: str) -> FileContent:
        return FileContent(b"x", 'a"; x="\r\nEvil: 1', "image/png")

    request = request_of(FILES, read, thing="t", front="x")
    assert b'filename="a%22; x=%22%0D%0AEvil: 1"' in request.body
    assert [("front", b"x")] == parts_by_server(request)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "front"]), st.binary(max_size=200)), min_size=1, max_size=4))
def test_any_content_comes_back(entries: list[tuple[str, bytes]]) -> None:
    names = {f"front{index}": content for index, (_, content) in enumerate(entries)}
    operation = replace(FILES, request={"properties": {name: {"x-file": True} for name in names}})
    request = request_of(
        operation, lambda name: FileContent(names[name], "x", "a/b"), thing="t", **{n: n for n in names}
    )
    assert list(names.items()) == parts_by_server(request)


def test_a_list_repeats_its_part() -> None:
    request = request_of(FILES, thing="t", tag=["x", "y"])
    assert [("tag", b"x"), ("tag", b"y")] == parts_by_server(request)


# -- raw requests -------------------------------------------------------------------------------------------------


def test_a_raw_request_is_sent_as_written() -> None:
    request = raw(
        "write",
        method="PATCH",
        path="/v1/x y/ü/%2F:@!",
        query={"q": "a b"},
        headers={"X-Thing": 5, "Content-Type": "application/merge-patch+json"},
        json={"a": Decimal("1.0")},
    )
    assert "/v1/x%20y/%C3%BC/%2F:@!?q=a%20b" == request.target
    assert ("PATCH", b'{"a":1.0}', True) == (request.method, request.body, request.signed)
    assert {
        "accept": "application/json",
        "x-thing": "5",
        "content-type": "application/merge-patch+json",
    } == request.headers


def test_a_raw_request_without_a_body_has_none() -> None:
    request = raw(method="GET", path="/v1/x")
    assert (b"", "/v1/x") == (request.body, request.target)


def test_a_raw_form_and_raw_files() -> None:
    form = raw("write", method="POST", path="/v1/x", form={"a": "1 2", "none": None})
    assert (b"a=1+2", "application/x-www-form-urlencoded") == (form.body, form.headers["content-type"])
    both = raw("write", method="POST", path="/v1/x", query={"q": 1}, form={"a": "1"}, files={"front": "a.jpg"})
    assert [("a", b"1"), ("front", b"\xff\xd8\xffa.jpg")] == parts_by_server(both)
    assert "/v1/x?q=1" == both.target
    assert both.is_multipart


@pytest.mark.parametrize("path", ["v1/x", "@evil.example/x", "", "/a/../b", "/a/%2e%2e/b", "/./a", "//../a"])
def test_a_raw_path_can_not_lead_elsewhere(path: str) -> None:
    with pytest.raises(ProblemError, match="is no path under the base URL"):
        raw(method="GET", path=path)


@pytest.mark.parametrize(("effect", "kept"), [("read", "read"), ("write", "write")])
def test_a_raw_request_is_an_operation_of_its_effect(effect: str, kept: str) -> None:
    operation = raw_operation({"method": "GET", "path": "/x"}, effect)
    assert (kept, "GET /x", "none", False) == (operation.effect, operation.name, operation.body, operation.is_effect)


# -- pages --------------------------------------------------------------------------------------------------------


class Shelf:
    """A list of `count` things in pages, told in one of the ways providers do."""

    def __init__(self, count: int, *, total: bool = True, most: int = 1000, echo: bool = True) -> None:
        self.things = list(range(count))
        self.total, self.most, self.echo = total, most, echo
        self.asked: list[tuple[int, int]] = []

    def answer(self, request: Request) -> Response:
        query = dict(request.query)
        page, size = int(query["page"]), int(query["page_size"])
        self.asked.append((page, size))
        size = min(size, self.most)
        body: dict[str, Any] = {"items": self.things[(page - 1) * size : page * size]}
        body |= {"total": len(self.things)} if self.total else {}
        body |= {"page": page, "page_size": size} if self.echo else {}
        return answer(200, body)


def read_all(shelf: Shelf, **values: Any) -> Reading:
    flow = flow_of(LIST, values)
    request = next(flow)
    while True:
        try:
            request = flow.send(shelf.answer(request))
        except StopIteration as stop:
            reading: Reading = stop.value
            return reading


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (99, 1), (101, 2), (250, 3)])
def test_every_page_is_read_and_merged(count: int, pages: int, total: bool) -> None:
    shelf = Shelf(count, total=total)
    reading = read_all(shelf)
    assert isinstance(reading.answer.body, dict)
    assert list(range(count)) == reading.answer.body["items"]
    assert [(page, 100) for page in range(1, pages + 1)] == shelf.asked


def test_a_full_last_page_needs_one_more_look_only_without_a_total() -> None:
    assert 2 == len((shelf := Shelf(200)).asked or (read_all(shelf) and shelf.asked))
    assert 3 == len((shelf := Shelf(200, total=False)).asked or (read_all(shelf) and shelf.asked))


def test_a_provider_may_give_fewer_than_asked_for() -> None:
    shelf = Shelf(25, most=10)
    reading = read_all(shelf, page_size=1000)
    assert list(range(25)) == reading.answer.body["items"]  # type: ignore[index]
    assert 3 == len(shelf.asked)


def test_fewer_than_asked_for_and_nothing_said_still_reads_all_when_there_is_a_total() -> None:
    """The total says how many there are; what came so far says whether that is all."""
    shelf = Shelf(25, most=10, echo=False)
    reading = read_all(shelf)
    assert list(range(25)) == reading.answer.body["items"]  # type: ignore[index]


def test_a_page_that_the_author_names_is_read_alone() -> None:
    shelf = Shelf(250)
    reading = read_all(shelf, page="2", status="completed")
    assert list(range(100, 200)) == reading.answer.body["items"]  # type: ignore[index]
    assert [(2, 100)] == shelf.asked


def test_filters_go_with_every_page() -> None:
    flow = flow_of(LIST, {"status": "failed", "page_size": 1})
    first = next(flow)
    second = flow.send(answer(200, {"items": [1], "total": 2}))
    assert (("status", "failed"), ("page_size", "1"), ("page", "1")) == first.query
    assert (("status", "failed"), ("page_size", "1"), ("page", "2")) == second.query


@pytest.mark.parametrize("got", [DROPPED, error(2008, 404), answer(200, {"result": []}), answer(200, {"items": {}})])
def test_a_page_that_does_not_come_ends_the_reading(got: Response | NoAnswer) -> None:
    """A part of a list is never taken for the whole."""
    flow = flow_of(LIST, {})
    next(flow)
    flow.send(answer(200, {"items": [1] * 100, "total": 200, "page_size": 100}))
    with pytest.raises(StopIteration) as stop:
        flow.send(got)
    reading = stop.value.value
    assert not isinstance(reading.answer.body, dict) or [1] * 100 != reading.answer.body.get("items")
    assert reading.reply is not Reply.ACCEPTED


def test_a_list_that_is_none_from_the_start_is_the_answer_itself() -> None:
    flow = flow_of(LIST, {})
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send(answer(200, {"result": "none"}))
    assert (Reply.ACCEPTED, {"result": "none"}) == (stop.value.value.reply, stop.value.value.answer.body)


def test_a_list_without_an_end_is_given_up() -> None:
    flow = flow_of(LIST, {"page_size": 1})
    next(flow)
    for _ in range(MAX_PAGES - 1):
        flow.send(answer(200, {"items": [1]}))
    with pytest.raises(StopIteration) as stop:
        flow.send(answer(200, {"items": [1]}))
    assert (Reply.REFUSED, "http.endless-list") == (stop.value.value.reply, stop.value.value.problem.code)


def test_a_larger_page_than_usual_may_be_cut_to_the_usual_size() -> None:
    shelf = Shelf(250, total=False, most=100, echo=False)
    reading = read_all(shelf, page_size=1000)
    assert list(range(250)) == reading.answer.body["items"]  # type: ignore[index]


@pytest.mark.parametrize("size", ["ten", "-1", "1.5", "١", "9999999999", True])
def test_a_size_that_is_no_number_is_refused(size: Any) -> None:
    with pytest.raises(ProblemError, match="is a whole number"):
        next(flow_of(LIST, {"page_size": size}))


def test_a_list_deep_inside_is_merged_in_its_place() -> None:
    operation = replace(LIST, pages=Pages(items=("data", "rows"), total=("data", "total")), unwrap=("data",))
    flow = flow_of(operation, {"page_size": 1})
    next(flow)
    flow.send(answer(200, {"data": {"rows": [1], "total": 2}}))
    with pytest.raises(StopIteration) as stop:
        flow.send(answer(200, {"data": {"rows": [2], "total": 2}}))
    assert [1, 2] == stop.value.value.answer.body["rows"]


def test_what_stands_beside_the_list_is_kept() -> None:
    assert {"items": [0], "total": 1, "page": 1, "page_size": 100} == read_all(Shelf(1)).answer.body


# -- minor units ------------------------------------------------------------------------------------------------------

CENTS = replace(POST, money=MoneyRule("payouts", "amount", fixed_asset="USD", places=2))


@pytest.mark.parametrize(
    ("given", "cents"),
    [("25.00", 2500), ("25", 2500), ("0.01", 1), ("25.5", 2550), (2500, 2500), (Decimal("25.5"), 2550)],
)
def test_an_amount_that_people_write_leaves_in_the_smallest_units(given: Any, cents: int) -> None:
    assert {"amount": cents} == json.loads(request_of(CENTS, thing="t", amount=given).body)


@pytest.mark.parametrize("given", ["25.001", "0", "-1.00", "1e2", "1,000.00", ""])
def test_an_amount_that_would_have_to_be_rounded_does_not_leave(given: str) -> None:
    with pytest.raises(MoneyError):
        request_of(CENTS, thing="t", amount=given)


@given(st.integers(1, 10**20))
def test_every_cent_arrives(cents: int) -> None:
    written = f"{cents // 100}.{cents % 100:02}"
    assert {"amount": cents} == json.loads(request_of(CENTS, thing="t", amount=written).body)


def test_only_the_amount_is_in_the_smallest_units() -> None:
    body = json.loads(request_of(CENTS, thing="t", amount="1.00", fee="1.00").body)
    assert {"amount": 100, "fee": "1.00"} == body
    assert {"amount": "1.00"} == json.loads(request_of(POST, thing="t", amount="1.00").body)


# -- documents under any name -----------------------------------------------------------------------------------------


def test_where_every_other_name_is_a_document_each_is_a_part_of_that_name() -> None:
    schema = {"properties": {"thing": {"type": "string"}}, "additionalProperties": {"x-file": True}}
    request = request_of(replace(FILES, request=schema), thing="t", front="f.jpg", whatever="w.jpg")
    assert [("front", "front.jpg"), ("whatever", "front.jpg")] == [part[:2] for part in parts_by_email(request)]


@pytest.mark.parametrize(
    ("schema", "values", "files"),
    [
        ({"additionalProperties": {"x-file": True}}, {"a": "1", "b": "2"}, [(("a",), "1"), (("b",), "2")]),
        ({"properties": {"a": {}}, "additionalProperties": {"x-file": True}}, {"a": "1", "b": "2"}, [(("b",), "2")]),
        ({"properties": {"a": True}, "additionalProperties": False}, {"a": "1", "b": "2"}, []),
        ({"additionalProperties": {"properties": {"f": {"x-file": True}}}}, {"a": {"f": "1"}}, [(("a", "f"), "1")]),
        ({}, {"a": "1"}, []),
        ({"additionalProperties": {"x-file": True}}, "text", []),
    ],
)
def test_a_document_is_found_wherever_the_schema_marks_it(schema: Any, values: Any, files: Any) -> None:
    assert files == list(file_fields(schema, values))
    encoded = with_files(schema, values, lambda value: f"<{value}>")
    assert [value for _, value in files] == [
        value.strip("<>") for path, value in file_fields(schema, encoded) if value.startswith("<")
    ]
