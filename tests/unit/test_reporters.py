"""What reporters make of a run's result, checked on results made by hand."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from runner import verdict
from runner.load.clients import Choice, Clients, Rejected, read_clients
from runner.model.check import CheckResult
from runner.model.money import Money
from runner.model.outcome import ClientResult, Ending, Fault, Moved, StepResult, StepStatus
from runner.model.playbook import ClientsRule, Playbook
from runner.model.problem import Location, Problem
from runner.model.run import RunHead, RunResult, Totals
from runner.reporters import json as json_report
from runner.reporters import junit, rejects, text

SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "schemas" / "report.schema.json").read_text("utf-8"))
)
PLACE = Location("p.playbook.yaml", 7, 5, 9, "  - status == verified")
REFUSED = Problem("coinmena.under-age", "CoinMENA refused it", PLACE, "check birth_date")
START, END = 1_700_000_000.0, 1_700_000_002.5
MOVED = Moved("deposits", Money(Decimal("100.00"), "USD"))

DONE = ClientResult(
    "ada",
    2,
    Ending.DONE,
    steps=(
        StepResult(
            "create",
            StepStatus.PASSED,
            1,
            12,
            {"id": 7},
            (CheckResult("status == verified", True, "verified"), CheckResult("a == b", False, None, warning=True)),
            requests=2,
        ),
        StepResult(
            "deposit",
            StepStatus.PASSED,
            1,
            3,
            [{"id": 1}],
            references=("r-1",),
            adopted=True,
            requests=1,
            moved=(MOVED,),
        ),
    ),
)
REJECTED = ClientResult(
    "bob",
    3,
    Ending.REJECTED,
    REFUSED,
    (StepResult("create", StepStatus.FAILED, problem=REFUSED, requests=1), StepResult("deposit", StepStatus.SKIPPED)),
)
BLOCKED = ClientResult(
    "cyd",
    4,
    Ending.BLOCKED,
    Problem("satisfy.short", "something is missing", shortage=({"kind": "document", "id": "id", "any_of": ["p"]},)),
)
WAITING = ClientResult("dan", 5, Ending.WAITING, REFUSED, (StepResult("create", StepStatus.WAITING, problem=REFUSED),))
UNKNOWN = ClientResult("eve", 6, Ending.UNKNOWN, REFUSED, (StepResult("create", StepStatus.UNKNOWN, problem=REFUSED),))
NOT_STARTED = ClientResult("fay", 7, Ending.NOT_STARTED)
EVERYBODY = (DONE, REJECTED, BLOCKED, WAITING, UNKNOWN, NOT_STARTED)


def run_of(clients: Sequence[ClientResult], code: int | None = None, finished: float | None = END) -> RunResult:
    totals = Totals()
    for client in clients:
        totals.add(client)
    code = verdict.exit_code(totals) if code is None else code
    head = RunHead("4", "onboard", "coinmena", "sandbox", "march", START, finished)
    return RunResult(head, totals, code, verdict.status(totals, code))


def written(write: Callable[..., Any], clients: Sequence[ClientResult], result: RunResult, **options: Any) -> str:
    async def one_by_one() -> AsyncIterator[ClientResult]:
        for client in clients:
            yield client

    out = io.StringIO()

    async def begin() -> None:
        await write(result, one_by_one(), out, **options)

    anyio.run(begin)
    return out.getvalue()


def report(*clients: ClientResult, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(written(json_report.write, clients, run_of(clients, **changes)))
    assert [] == [f"{error.json_path}: {error.message}" for error in SCHEMA.iter_errors(body)]
    return body


# -- json ----------------------------------------------------------------------------------------------------------


def test_a_report_of_everything_fits_its_schema() -> None:
    body = report(*EVERYBODY)

    assert {"id": "4", "started_at": "2023-11-14T22:13:20.000Z", "finished_at": "2023-11-14T22:13:22.500Z"} == {
        name: body["run"][name] for name in ("id", "started_at", "finished_at")
    }
    assert {"clients": 6, "adopted": 1, "requests": 4} == {
        name: body["totals"][name] for name in ("clients", "adopted", "requests")
    }
    assert {"deposits": "100.00", "withdrawals": "0.00", "payouts": "0.00"} == body["totals"]["money"]["USD"]
    assert ["done", "rejected", "blocked", "waiting", "unknown", "not_started"] == [
        client["outcome"] for client in body["clients"]
    ]


def test_a_report_of_nobody_fits_its_schema() -> None:
    assert [] == report()["clients"]


def test_a_run_without_an_end_fits_its_schema() -> None:
    assert report(DONE, finished=None)["run"]["finished_at"] is None


def test_what_only_the_runner_needs_is_not_told() -> None:
    (client,) = report(replace(WAITING, fault=Fault.UNREACHABLE, retry_at=3.0))["clients"]

    assert {"key", "line", "outcome", "problem", "steps"} == set(client)


def test_a_tiny_amount_has_no_exponent() -> None:
    tiny = replace(MOVED, money=Money(Decimal("1E-8"), "USD"))
    step = replace(DONE.steps[1], moved=(tiny,))
    body = report(replace(DONE, steps=(step,)))

    assert "0.00000001" == body["totals"]["money"]["USD"]["deposits"]
    assert "0.00000001" == body["clients"][0]["steps"][0]["moved"][0]["amount"]


def test_half_a_character_can_be_written() -> None:
    told = written(json_report.write, [replace(NOT_STARTED, key="\ud83d")], run_of([NOT_STARTED]))

    assert "\ud83d" == json.loads(told.encode())["clients"][0]["key"]


def test_each_client_has_a_line_of_its_own() -> None:
    told = written(json_report.write, EVERYBODY, run_of(EVERYBODY))

    assert len(EVERYBODY) + 2 == len(told.splitlines())


# -- junit ---------------------------------------------------------------------------------------------------------


def suite(*clients: ClientResult) -> ElementTree.Element:
    root = ElementTree.fromstring(written(junit.write, clients, run_of(clients)).encode())
    assert root[0].attrib.items() >= {name: root.get(name) for name in ("tests", "failures")}.items()
    return root


def test_every_step_is_a_case() -> None:
    root = suite(*EVERYBODY)

    assert {"tests": "8", "failures": "2", "errors": "2", "skipped": "2"} == {
        name: root.get(name) for name in ("tests", "failures", "errors", "skipped")
    }
    names = [f"{case.get('classname')}.{case.get('name')}" for case in root.iter("testcase")]
    assert ["ada.create", "ada.deposit", "bob.create", "bob.deposit", "cyd.client"] == names[:5]
    (failure,) = [case.find("failure") for case in root.iter("testcase") if case.get("classname") == "bob"][:1]
    assert failure is not None
    assert ("coinmena.under-age", "CoinMENA refused it") == (failure.get("type"), failure.get("message"))
    assert "check birth_date" in str(failure.text)
    assert "p.playbook.yaml:7:5" in str(failure.text)


@pytest.mark.parametrize("key", ["<&\"'>", "a\x00b\x1b[31m", "\ufffe", "\uffff", "\ud800", "زيبولون", "a\nb", "]]>"])
def test_any_name_gives_xml_that_can_be_read(key: str) -> None:
    problem = replace(REFUSED, message=f"about {key}", hint=key)
    root = suite(replace(BLOCKED, key=key, problem=problem))

    assert 1 == len(list(root.iter("failure")))


def test_many_cases_wait_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "IN_MEMORY", 10)

    assert 60 == len(list(suite(*[REJECTED] * 30).iter("testcase")))


# -- text ----------------------------------------------------------------------------------------------------------


def told(*clients: ClientResult, everybody: bool = False, **changes: Any) -> str:
    return written(text.write, clients, run_of(clients, **changes), everybody=everybody)


def test_who_is_not_done_is_told_with_a_reason_and_a_way_out() -> None:
    story = told(*EVERYBODY)

    assert "ada" not in story
    assert "bob (line 3): rejected\n  p.playbook.yaml:7:5: error: CoinMENA refused it [coinmena.under-age]" in story
    assert "check birth_date" in story
    counts = "1 done, 1 rejected, 1 blocked, 1 waiting, 1 unknown, 1 not started (1 adopted)"
    assert f"run 4: {counts} - 4 requests in 2.5 s" in story
    assert "moved USD: deposits 100.00" in story


def test_everybody_is_told_when_asked() -> None:
    assert "ada (line 2): done, adopted\n" in told(*EVERYBODY, everybody=True)


def test_after_so_many_the_rest_is_counted() -> None:
    story = told(*[REJECTED] * (text.TOLD + 7))

    assert text.TOLD == story.count("(line 3): rejected")
    assert "… and 7 more; --report-json has everyone" in story
    assert "…" not in told(*[REJECTED] * (text.TOLD + 7), everybody=True)


def test_a_name_can_not_steer_the_terminal() -> None:
    assert "\x1b" not in told(replace(REJECTED, key="bob\x1b[2J"))


@pytest.mark.parametrize(
    ("clients", "code", "words"),
    [
        ((DONE,), 0, ""),
        ((REJECTED, NOT_STARTED), 1, 'then "onboard retry 4"'),
        ((NOT_STARTED,), 1, '"onboard resume 4" goes on with those who were not started'),
        ((NOT_STARTED,), 3, "the guard"),
        ((WAITING,), 4, '"onboard resume 4" later'),
        ((UNKNOWN,), 5, '"onboard recover 4"'),
        ((NOT_STARTED,), 6, '"onboard doctor"'),
        ((NOT_STARTED,), 130, '"onboard resume 4" goes on from here'),
    ],
)
def test_the_last_line_is_the_next_command(clients: tuple[ClientResult, ...], code: int, words: str) -> None:
    last = told(*clients, code=code).splitlines()[-1]

    assert words in last
    assert bool(words) is last.startswith("next: ")


# -- rejects -------------------------------------------------------------------------------------------------------


CLOSED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"id": {"type": "string"}, "name": {"type": "string", "pattern": "^[a-z]+$"}},
}


def read(path: str, data: str, schema: Any = None) -> Clients:
    playbook = Playbook("p.playbook.yaml", "", "a-name", "coinmena", (), clients=ClientsRule(schema or {}, "id"))
    return read_clients(playbook, {}, "batch", Choice(), path, data.encode())


def left_out(path: str, data: str, schema: Any = None) -> str:
    """The rejects file of a clients file of which every row is wrong for some reason."""
    found = read(path, data, schema)
    why = Problem("clients.pattern", "-found this", hint="do that")
    out = io.StringIO()
    write = rejects.as_csv if found.kind == "csv" else rejects.as_lines
    write([Rejected(row, "key", why, "name") for row in found.rows], found.columns, found.added, out)
    return out.getvalue()


WHY = "2,name,'-found this,do that"


def test_rejected_cells_come_back_as_they_were() -> None:
    assert (
        "id,name,line,field,reason,hint\n"
        "1,'=cmd(),2,name,'-found this,do that\n"
        '2,"a ""b"", c",3,name,\'-found this,do that\n'
        "3,-5,4,name,'-found this,do that\n"
    ) == left_out("c.csv", 'id,name\n1,=cmd()\n2,"a ""b"", c"\n3,-5\n')


def test_the_columns_of_a_first_round_are_replaced_in_the_second() -> None:
    again = left_out("c.csv", "id,name,line,field,reason,hint\n1,x,9,name,old,old\n")

    assert f"id,name,line,field,reason,hint\n1,x,{WHY}\n" == again


@pytest.mark.parametrize(
    ("columns", "cells", "added"),
    [
        ("id,line", "1,red", "line_rejected,field,reason,hint"),
        ("hint,id,reason", "a,1,b", "line,field,reason_rejected,hint_rejected"),
        ("id,line.no", "1,7", "line_rejected,field,reason,hint"),
        ("id,line,line_rejected", "1,7,8", "line_rejected_rejected,field,reason,hint"),
        # All four, but its lines are no numbers, as ours are.
        ("id,line,field,reason,hint", "1,red,a,b,c", "line_rejected,field_rejected,reason_rejected,hint_rejected"),
    ],
)
def test_a_persons_own_columns_keep_their_names_and_cells(columns: str, cells: str, added: str) -> None:
    first = left_out("c.csv", f"{columns}\n{cells}\n")

    assert f"{columns},{added}\n{cells},{WHY}\n" == first
    assert first == left_out("c.csv", first)
    before, after = read("c.csv", f"{columns}\n{cells}\n"), read("c.csv", first)
    assert [client.values for client in before.clients] == [client.values for client in after.clients]


def test_a_name_that_the_schema_knows_is_a_persons_own() -> None:
    schema = {"properties": {name: {"type": "string"} for name in ("id", "line", "field", "reason", "hint")}}
    own = "id,line,field,reason,hint\n1,7,a,b,c\n"

    assert left_out("c.csv", "id\n1\n", schema).startswith("id,line_rejected,field_rejected,reason_rejected,hint_rej")
    assert left_out("c.csv", own, schema).startswith("id,line,field,reason,hint,line_rejected,")
    assert [{"id": "1", "line": "7", "field": "a", "reason": "b", "hint": "c"}] == [
        client.values for client in read("c.csv", own, schema).clients
    ]


def test_cells_beyond_the_last_column_are_kept_until_somebody_puts_them_right() -> None:
    ragged = left_out("c.csv", "id,name\n1,a,b,=c\n2\n")

    assert f"id,name,line,field,reason,hint\n1,a,{WHY},b,'=c\n2,,{WHY.replace('2', '3', 1)}\n" == ragged
    assert "clients.ragged" == read("c.csv", ragged).problems[0].code
    assert ragged == left_out("c.csv", ragged)
    (client, _) = read("c.csv", ragged.replace("1,a,", "1,abc,").replace(",b,'=c", "")).clients
    assert {"id": "1", "name": "abc"} == client.values


@pytest.mark.parametrize(
    ("path", "data"),
    [("c.csv", "id,name\n1,A\n"), ("c.jsonl", '{"id": "1", "name": "A"}\n'), ("c.yaml", '- {id: "1", name: A}\n')],
)
def test_a_corrected_file_loads_where_nothing_but_the_schemas_fields_may_stand(path: str, data: str) -> None:
    corrected = left_out(path, data, CLOSED).replace("A", "abc")

    again = read("c.csv" if path == "c.csv" else "c.jsonl", corrected, CLOSED)

    assert ([], [{"id": "1", "name": "abc"}]) == (list(again.problems), [client.values for client in again.clients])


def test_rejected_json_stays_json() -> None:
    given = '{"id": "1", "address": {"city": "Manama"}, "list": [true, null], "amount": 1.50, "line": "red"}'
    first = left_out("c.jsonl", given + "\n")

    assert (
        given[:-1] + ', "line_rejected": "1", "field": "name", "reason": "-found this", "hint": "do that"}\n' == first
    )
    assert first == left_out("c.jsonl", first)


@pytest.mark.parametrize("line", ["[1, 2]", '{"id": 1,', '{"id": 1, "id": 2}'])
def test_a_line_that_is_no_mapping_is_kept_as_text(line: str) -> None:
    first = left_out("c.jsonl", line + "\n")

    assert line == json.loads(first)["row"]
    assert first == left_out("c.jsonl", first)
