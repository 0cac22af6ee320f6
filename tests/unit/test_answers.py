"""What each answer of a provider means: status by body by kind of operation, and nothing ambiguous is guessed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from stand_ins import PACK, answer, error, text_answer

from runner.answers import FAULTS, Reading, fields_of, is_absent, plain, read, unwrap
from runner.checks import Answer
from runner.effects import Reply
from runner.model.http import NoAnswer, Response, Trouble
from runner.model.outcome import Fault
from runner.model.provider import ErrorFormat, ErrorRule

MONEY = PACK.operations["deposits.create"]
CREATE = PACK.operations["clients.create"]
WRITE = PACK.operations["clients.activate"]
READ = PACK.operations["clients.get"]
LOOK = PACK.operations["orders.by_reference"]
EFFECTS = (MONEY, CREATE)
BARE = replace(PACK, errors=ErrorFormat())
EMPTY = Response(204, {}, "", False)


def code(reading: Reading) -> str:
    assert reading.problem is not None
    return reading.problem.code


# -- accepted -----------------------------------------------------------------------------------------------------


def test_an_answer_is_unwrapped() -> None:
    reading = read(PACK, READ, answer(200, {"result": {"id": 1}}, x="y"))
    assert (Reply.ACCEPTED, {"id": 1}, 200, "") == (
        reading.reply,
        reading.answer.body,
        reading.answer.http,
        reading.meaning,
    )
    assert {"x": "y"} == reading.answer.headers


def test_an_answer_without_its_envelope_is_taken_as_it_is() -> None:
    assert {"id": 1} == read(PACK, READ, answer(200, {"id": 1})).answer.body
    assert [1] == unwrap(replace(READ, unwrap=()), [1])


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_a_dead_order_is_told_apart(status: str) -> None:
    reading = read(PACK, MONEY, answer(200, {"result": {"id": 1, "status": status}}))
    assert (Reply.DEAD, f"coinmena.order-{status}") == (reading.reply, code(reading))


def test_the_providers_reason_is_told() -> None:
    order = replace(PACK.lifecycles["order"], reason=("why",))
    pack = replace(PACK, lifecycles={**PACK.lifecycles, "order": order})
    reading = read(pack, MONEY, answer(200, {"result": {"status": "failed", "why": "limit"}}))
    assert reading.problem is not None
    assert 'as "failed": "limit"' in reading.problem.message


@pytest.mark.parametrize("body", [{"result": {"status": "completed"}}, {"result": {}}, {"result": {"status": None}}])
def test_a_living_order_is_accepted(body: Any) -> None:
    assert Reply.ACCEPTED is read(PACK, MONEY, answer(200, body)).reply


# -- what is not what was agreed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", EFFECTS, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    "got",
    [
        text_answer(200),
        text_answer(201, ""),
        EMPTY,
        answer(202, {"result": {}}),
        answer(299, {"result": {}}),
        text_answer(500),
        text_answer(502),
        answer(503, {"msg": "busy"}),
        answer(504),
        answer(408),
        answer(425),
        answer(599, {"code": 2009}),
        error(3005, 500),
        error(2020, 502),
    ],
    ids=lambda got: f"{got.status} {got.body}",
)
def test_what_may_have_been_applied_is_lost(operation: Any, got: Response) -> None:
    reading = read(PACK, operation, got)
    assert Reply.LOST is reading.reply
    assert reading.problem is not None


def test_a_read_may_come_back_empty() -> None:
    assert Reply.ACCEPTED is read(PACK, WRITE, EMPTY).reply
    assert Answer(None, 204, {}) == read(PACK, WRITE, EMPTY).answer


def test_a_page_of_html_is_no_answer_of_a_read() -> None:
    reading = read(PACK, READ, text_answer(200))
    assert (Reply.LOST, "http.not-json", Fault.UNREACHABLE) == (
        reading.reply,
        code(reading),
        FAULTS[reading.reply],
    )


def test_another_good_status_of_a_read_is_refused_not_lost() -> None:
    reading = read(PACK, READ, answer(201, {"result": {}}))
    assert (Reply.REFUSED, "http.unexpected-status") == (reading.reply, code(reading))


def test_the_status_of_an_operation_that_names_none_is_any_good_one() -> None:
    assert Reply.ACCEPTED is read(PACK, WRITE, answer(202, {"result": {}})).reply


@pytest.mark.parametrize("got", [text_answer(502), answer(500, {"msg": "x"})], ids=["html", "json"])
def test_a_read_that_the_server_failed_is_for_the_network(got: Response) -> None:
    reading = read(PACK, READ, got)
    assert (Reply.LOST, "http.server-error", "transient") == (reading.reply, code(reading), reading.meaning)


# -- every rule of the pack ---------------------------------------------------------------------------------------

REPLIES = {
    "auth": Reply.DENIED,
    "conflict": Reply.DUPLICATE,
    "duplicate": Reply.DUPLICATE,
    "invalid": Reply.REFUSED,
    "not-found": Reply.REFUSED,
    "refused": Reply.REFUSED,
    "throttled": Reply.THROTTLED,
}


@pytest.mark.parametrize("operation", [MONEY, CREATE, WRITE, READ, LOOK], ids=lambda operation: operation.name)
@pytest.mark.parametrize("rule", PACK.errors.rules, ids=lambda rule: f"{rule.code}-{rule.status}")
def test_every_documented_refusal_is_known(rule: ErrorRule, operation: Any) -> None:
    status = rule.status or 400
    body = {"code": int(rule.code), "msg": "said so"} if rule.code else {"code": 1, "msg": "said so"}
    reading = read(PACK, operation, answer(status, body, retry_after="3"))
    assert (REPLIES[rule.meaning], f"coinmena.{rule.name}", rule.meaning) == (
        reading.reply,
        code(reading),
        reading.meaning,
    )
    assert reading.problem is not None
    assert rule.text in reading.problem.message
    assert 'provider said: "said so"' in reading.problem.message
    assert rule.hint == reading.problem.hint
    assert (rule.of != "other") is reading.is_own
    assert "3" == reading.retry_after


@pytest.mark.parametrize("rule", [rule for rule in PACK.errors.rules if rule.code], ids=lambda rule: rule.code)
def test_an_error_code_in_a_good_status_is_an_error(rule: ErrorRule) -> None:
    for written in (int(rule.code or 0), rule.code):
        reading = read(PACK, MONEY, answer(200, {"code": written, "msg": "no"}))
        assert REPLIES[rule.meaning] is reading.reply


def test_a_code_with_its_status_is_more_exact_than_a_code_alone() -> None:
    other = replace(PACK.errors.rules[0], code="7", status=None, name="any", meaning="refused")
    exact = replace(other, status=418, name="exact", meaning="throttled")
    by_status = replace(other, code=None, status=418, name="status", meaning="auth")
    for rules in ((other, exact, by_status), (by_status, exact, other)):
        pack = replace(PACK, errors=replace(PACK.errors, rules=rules))
        assert "coinmena.exact" == code(read(pack, READ, error(7, 418)))
        assert "coinmena.any" == code(read(pack, READ, error(7, 400)))
        assert "coinmena.status" == code(read(pack, READ, error(8, 418)))


def test_a_server_error_that_the_pack_names_itself_means_what_the_pack_says() -> None:
    rule = ErrorRule("closed", "refused", "closed for the night", status=503)
    pack = replace(PACK, errors=replace(PACK.errors, rules=(rule,)))
    assert Reply.REFUSED is read(pack, MONEY, answer(503, {})).reply


@pytest.mark.parametrize("odd", [True, None, [], {}, [2009], {"code": 2009}, ""])
def test_a_code_that_is_no_code_is_none(odd: Any) -> None:
    assert Reply.ACCEPTED is read(PACK, MONEY, answer(200, {"code": odd, "result": {"status": "completed"}})).reply


@pytest.mark.parametrize("body", [None, "text", 7, [], [{"code": 2009}]])
def test_a_body_that_is_no_mapping_has_no_code(body: Any) -> None:
    assert Reply.REFUSED is read(BARE, READ, answer(400, body)).reply


def test_an_unknown_code_is_refused_with_what_the_provider_said() -> None:
    reading = read(PACK, MONEY, answer(400, {"code": 9999, "msg": "odd", "msg_detail": {"amount": ["too odd"]}}))
    assert (Reply.REFUSED, "http.refused") == (reading.reply, code(reading))
    assert reading.problem is not None
    assert 'provider said: "odd", {"amount": ["too odd"]}' in reading.problem.message


def test_an_unknown_code_in_a_good_status_is_not_taken_for_a_success() -> None:
    """Money that we do not know to have moved is looked up."""
    odd = answer(200, {"code": 9999, "msg": "odd"})
    reading = read(PACK, MONEY, odd)
    assert (Reply.LOST, "http.unknown-code") == (reading.reply, code(reading))
    assert reading.problem is not None
    assert 'with code 9999 (HTTP 200); provider said: "odd"' in reading.problem.message
    assert Reply.REFUSED is read(PACK, READ, odd).reply
    assert Reply.ACCEPTED is read(PACK, READ, answer(200, {"code": 0, "result": {"id": 1}})).reply
    assert Reply.ACCEPTED is read(PACK, READ, answer(200, {"code": 7, "result": {"id": 1}})).reply


# -- a provider without rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reply", "meaning", "told"),
    [
        (301, Reply.REFUSED, "refused", "http.redirect"),
        (304, Reply.REFUSED, "refused", "http.redirect"),
        (400, Reply.REFUSED, "refused", "http.refused"),
        (401, Reply.DENIED, "auth", "http.unauthorized"),
        (403, Reply.REFUSED, "refused", "http.refused"),
        (404, Reply.REFUSED, "not-found", "http.refused"),
        (408, Reply.LOST, "transient", "http.server-error"),
        (422, Reply.REFUSED, "refused", "http.refused"),
        (425, Reply.LOST, "transient", "http.server-error"),
        (429, Reply.THROTTLED, "throttled", "http.throttled"),
        (500, Reply.LOST, "transient", "http.server-error"),
        (503, Reply.LOST, "transient", "http.server-error"),
        (103, Reply.REFUSED, "refused", "http.refused"),
    ],
)
@pytest.mark.parametrize("operation", [MONEY, READ], ids=["effect", "read"])
def test_a_status_nobody_documented(operation: Any, status: int, reply: Reply, meaning: str, told: str) -> None:
    for got in (answer(status, {}, retry_after="9"), text_answer(status)):
        reading = read(BARE, operation, got)
        assert (reply, meaning, told) == (reading.reply, reading.meaning, code(reading))
    retry = "9" if reply in (Reply.LOST, Reply.THROTTLED) else ""
    assert retry == read(BARE, operation, answer(status, {}, retry_after="9")).retry_after


def test_a_conflict_is_a_duplicate_only_for_what_must_not_happen_twice() -> None:
    assert Reply.DUPLICATE is read(BARE, MONEY, answer(409)).reply
    assert Reply.REFUSED is read(BARE, READ, answer(409)).reply


# -- no answer at all ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "reply"),
    [
        (Trouble.NOT_CONNECTED, Reply.NOT_SENT),
        (Trouble.EXPIRED, Reply.NOT_SENT),
        (Trouble.TIMEOUT, Reply.LOST),
        (Trouble.DROPPED, Reply.LOST),
        (Trouble.TOO_LARGE, Reply.LOST),
    ],
)
def test_only_what_proves_that_nothing_left_is_not_sent(trouble: Trouble, reply: Reply) -> None:
    reading = read(PACK, MONEY, NoAnswer(trouble, "why", "what to do"))
    assert (reply, f"http.{trouble.value}", None) == (reading.reply, code(reading), reading.answer.http)
    assert reading.problem is not None
    assert "what to do" == reading.problem.hint


# -- several places -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ([{"front": "u1"}, {"back": "u2"}], {"front": "u1", "back": "u2"}),
        ([{"front": "u1", "back": "u2"}], {"front": "u1", "back": "u2"}),
        ({"front": "u1"}, {"front": "u1"}),
        ([{"front": "u1"}, {"front": "u3"}], {"front": "u3"}),
        ([None, "x", 7, []], {}),
        (None, {}),
    ],
)
def test_a_list_of_mappings_is_shown_as_one(listed: Any, shown: Any) -> None:
    operation = replace(READ, gathered={"uris": ("files",)})
    body = read(PACK, operation, answer(200, {"result": {"files": listed, "id": 1}})).answer.body
    assert {"files": listed, "id": 1, "uris": shown} == body


def test_an_answer_that_is_no_mapping_gathers_nothing() -> None:
    assert [1] == unwrap(replace(READ, gathered={"uris": ("files",)}, unwrap=()), [1])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "a", "error": {"message": "b"}}, '"a"'),
        ({"error": {"message": "b"}}, '"b"'),
        ({"message": "", "error": {"message": "b"}}, '"b"'),
        ({"message": "a", "data": {"x": 1}}, '"a", {"x": 1}'),
        ({"message": "a", "errors": {"y": ["z"]}, "data": {"x": 1}}, '"a", {"y": ["z"]}'),
        ({"errors": [{"y": "z"}]}, '[{"y": "z"}]'),
        ({"message": None, "errors": {}}, ""),
    ],
)
def test_of_several_places_the_first_that_says_something_is_told(body: Any, said: str) -> None:
    places = ErrorFormat(messages=(("message",), ("error", "message")), details=(("errors",), ("data",)))
    reading = read(replace(PACK, errors=places), READ, answer(422, body))
    assert reading.problem is not None
    assert said == reading.problem.message.partition("provider said: ")[2]


# -- small things -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "absent"),
    [
        (error(2008, 404), True),
        (error(2008), True),
        (answer(404, {}), True),
        (text_answer(404, "<html>"), False),
        (text_answer(404, ""), False),
        (answer(404, []), False),
        (answer(403, {}), False),
        (answer(200, {}), False),
    ],
)
def test_only_the_providers_own_word_says_that_a_thing_is_not_there(got: Response, absent: bool) -> None:
    assert absent is is_absent(read(PACK, LOOK, got))


def test_outputs_are_found_or_named() -> None:
    found = Answer({"a": {"b": [1, 2]}, "n": None})
    assert ({"x": 2, "n": None}, "") == fields_of(found, {"x": ("a", "b", 1), "n": ("n",)})
    assert ({"x": [1, 2], "z": None}, "y") == fields_of(found, {"x": ("a", "b"), "y": ("a", "c"), "z": ("n",)})


def test_no_digit_is_lost_on_the_way_through_json() -> None:
    body = {"a": Decimal("1.10"), "b": [Decimal("0.00000001"), {"c": Decimal("1E+2")}], "d": None, "e": True, "f": 3}
    assert {"a": "1.10", "b": ["0.00000001", {"c": "100"}], "d": None, "e": True, "f": 3} == plain(body)
    assert "1E+500" == plain(Decimal("1E+500"))
