"""`pick`: the one entry of a list that a step is about. Its checks, outputs and waiting look at that entry alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from stand_ins import FakeClock, answer, performer_of, person, setting_of, step

from runner.advance import ClientRun, Done, Wait, advance
from runner.checks import Answer, parse, parse_path
from runner.client import Leave
from runner.journal.memory import MemoryJournal
from runner.judging import entry_schema, picked
from runner.load.clients import Choice
from runner.load.pack import find_pack
from runner.load.playbook import SUFFIX, load
from runner.model.command import Pick
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import ClientResult, Ending, StepStatus
from runner.model.playbook import Picking, Step, Waiting
from runner.model.problem import Problem
from runner.prepare import Wish, prepare
from runner.redact import Redactor

pytestmark = pytest.mark.anyio
FIN = find_pack("fin")
JOBS = [{"id": 1, "title": "Accountant"}, {"id": 2, "title": "Actor"}, {"id": 3, "title": "actor "}]
OPEN: Mapping[str, Any] = {}


def found(where: Mapping[str, Any], body: Any, *items: str | int, schema: Mapping[str, Any] = OPEN) -> Any:
    """The entry, or the problem."""
    got = picked(Pick(where, items), Answer(body, 200), schema)
    return got if isinstance(got, Problem) else got.body


def problem(where: Mapping[str, Any], body: Any, *items: str | int, schema: Mapping[str, Any] = OPEN) -> Problem:
    got = found(where, body, *items, schema=schema)
    assert isinstance(got, Problem), got
    return got


# -- which entry -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "id_"),
    [
        ({"title": "Actor"}, 2),
        ({"title": "actor "}, 3),
        ({"title": "  ACTOR"}, 2),
        ({"title": "accountant"}, 1),
        ({"id": 3}, 3),
        ({"id": "3"}, 3),
        ({"title": "Actor", "id": 2}, 2),
        ({"title": "Actor", "id": 3}, 3),
    ],
)
def test_the_exact_entry_goes_before_one_that_is_written_otherwise(where: dict[str, Any], id_: int) -> None:
    assert id_ == found(where, JOBS)["id"]


@pytest.mark.parametrize("items", [(), ("jobs",), ("data", "jobs"), ("pages", 0, "jobs")])
def test_the_list_is_the_answer_or_stands_in_it(items: tuple[str | int, ...]) -> None:
    body: Any = JOBS
    for name in reversed(items):
        body = [body] if isinstance(name, int) else {name: body}
    assert 2 == found({"title": "Actor"}, body, *items)["id"]


@pytest.mark.parametrize("body", [None, [], {}, "x", [None, 7, "Actor", []], {"jobs": {"title": "Actor"}}])
def test_where_there_is_no_such_entry_that_is_told(body: Any) -> None:
    told = problem({"title": "Actor"}, body, *(("jobs",) if isinstance(body, dict) else ()))
    assert "answer.no-entry" == told.code
    assert 'the provider\'s list has no entry with title "Actor"' == told.message


def test_what_the_row_leaves_out_picks_nothing() -> None:
    """Not just any entry: its id would go out in the client's name."""
    assert "the provider's list has no entry with nothing to look for" == problem({}, JOBS).message


def test_what_is_null_is_not_equal_to_what_is_not_there() -> None:
    assert "answer.no-entry" == problem({"group": None}, JOBS).code
    assert {"group": None} == found({"group": None}, [*JOBS, {"group": None}])


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("Acter", 'did you mean "Actor" or "actor "?'),
        ("Acountant", 'did you mean "Accountant"?'),
        ("Zookeeper", 'known are: "Accountant", "Actor", "actor "'),
        (7, "compare the value with what the provider shows for this client"),
    ],
)
def test_the_nearest_entries_are_told(wanted: Any, hint: str) -> None:
    assert hint == problem({"title": wanted}, JOBS).hint


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, ", …")])
def test_some_of_the_list_are_told_where_none_is_near(count: int, more: str) -> None:
    jobs = [{"title": f"Job {number}"} for number in range(count)]

    expected = 'known are: "Job 0", "Job 1", "Job 2", "Job 3", "Job 4"' + more
    assert expected == problem({"title": "qqqqqq"}, [*jobs[:1], *jobs]).hint


def test_of_an_empty_list_nothing_is_told() -> None:
    assert "compare the value with what the provider shows for this client" == problem({"title": "qqqqqq"}, []).hint


@pytest.mark.parametrize("class_at", ["field", "entry", "list", "answer"])
def test_nobody_elses_data_is_told_as_what_may_have_been_meant(class_at: str) -> None:
    mark = {"x-data-class": "contact"}
    schema: dict[str, Any] = {"type": "string"} | (mark if class_at == "field" else {})
    schema = {"type": "object", "properties": {"email": schema}} | (mark if class_at == "entry" else {})
    schema = {"type": "array", "items": schema} | (mark if class_at == "list" else {})
    schema = {"type": "object", "properties": {"people": schema}} | (mark if class_at == "answer" else {})
    people = {"people": [{"email": "anna@example.com"}]}

    told = problem({"email": "anne@example.com"}, people, "people", schema=entry_schema(schema, ("people",)))
    assert "anna" not in told.hint + told.message
    far = problem({"email": "qqqqqq"}, people, "people", schema=entry_schema(schema, ("people",)))
    assert "anna" not in far.hint
    assert "anna" in problem({"email": "anne@example.com"}, people, "people").hint


@pytest.mark.parametrize(
    ("path", "title"),
    [("occupations", "title"), ("nowhere", ""), ("occupations[0]", ""), ("occupations[0].title", "")],
)
def test_an_entry_is_described_by_the_list_that_it_stands_in(path: str, title: str) -> None:
    schema = entry_schema(FIN.operations["catalogue.occupations"].response, parse_path(path))
    assert bool(title) == (title in schema.get("properties", {}))


# -- in a run ----------------------------------------------------------------------------------------------------------


class Desk:
    """Shows its lists, the last one for ever."""

    def __init__(self, *lists: list[Any], name: str = "occupations") -> None:
        self.lists, self.name, self.asked = list(lists), name, 0

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Leave | None = None
    ) -> Response | NoAnswer:
        await anyio.lowlevel.checkpoint()
        self.asked += 1
        shown = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return answer(200, {"data": {self.name: shown}})


async def go(desk: Desk, *steps: Step, **values: Any) -> Done | Wait:
    clock = FakeClock()
    run = ClientRun(
        1,
        setting_of(*steps, provider=FIN),
        person(**values),
        MemoryJournal(),
        performer_of(FIN, desk, clock),
        clock,
        Redactor(["secretive"]),
    )
    while isinstance(got := await advance(run), Wait) and got.until < clock.now() + 40:
        clock.advance(got.until - clock.now())
    return got


async def done(desk: Desk, *steps: Step, **values: Any) -> ClientResult:
    got = await go(desk, *steps, **values)
    assert isinstance(got, Done), got
    return got.result


JOB = step(
    "job",
    "catalogue.occupations",
    {},
    "id > 0",
    pick=Picking({"title": "{{ client.job }}"}, ("occupations",)),
    outputs={"id": ("id",)},
)


async def test_checks_and_outputs_look_at_the_entry() -> None:
    result = await done(Desk(JOBS), JOB, job="actor")
    assert (Ending.DONE, {"id": 2}) == (result.outcome, result.steps[0].outputs)
    assert ["id > 0"] == [check.check for check in result.steps[0].checks]


async def test_no_entry_is_a_no_with_the_step_and_without_the_clients_data() -> None:
    result = await done(Desk(JOBS), JOB, job="secretive")
    assert result.problem is not None
    assert (Ending.REJECTED, "answer.no-entry") == (result.outcome, result.problem.code)
    assert 'the provider\'s list has no entry with title "***"' == result.problem.message
    assert JOB.location == result.problem.location


async def test_a_row_that_leaves_an_optional_value_out_gets_no_entry() -> None:
    optional = step(
        "job", "catalogue.occupations", {}, pick=Picking({"title": "{{ client.job | optional }}"}, ("occupations",))
    )
    assert "answer.no-entry" == getattr((await done(Desk(JOBS), optional)).problem, "code", None)


async def test_of_each_item_its_own_entry() -> None:
    each = step(
        "jobs",
        "catalogue.occupations",
        {},
        pick=Picking({"title": "{{ item }}"}, ("occupations",)),
        for_each="client.jobs",
        outputs={"id": ("id",)},
    )
    result = await done(Desk(JOBS), each, jobs=["Actor", "Accountant"])
    assert [{"id": 2}, {"id": 1}] == result.steps[0].outputs


async def test_what_is_left_out_picks_nothing_and_asks_nothing() -> None:
    left_out = step(
        "job",
        "catalogue.occupations",
        {},
        pick=Picking({"title": "{{ client.job }}"}, ("occupations",)),
        when=(parse("client.has_job == true"),),
    )
    result = await done(desk := Desk(JOBS), left_out, has_job=False)
    assert (StepStatus.SKIPPED, 0) == (result.steps[0].status, desk.asked)


async def test_an_entry_that_is_not_there_yet_is_waited_for_and_then_its_state() -> None:
    waiting = step(
        "listed",
        "customers.list",
        {"type": "INDIVIDUAL"},
        pick=Picking({"email": "{{ client.email }}"}, ("customers",)),
        waiting=Waiting((parse("customer_status == APPROVED"),), 3600.0, every=10.0, at_most=10.0),
        outputs={"id": ("customer_id",)},
    )
    other = {"email": "p2@example.com", "customer_id": "c2", "customer_status": "APPROVED"}
    mine = {"email": "p1@example.com", "customer_id": "c1", "customer_status": "PROCESSING"}
    desk = Desk([], [other], [other, mine], [other, {**mine, "customer_status": "APPROVED"}], name="customers")
    result = await done(desk, waiting)
    assert (Ending.DONE, {"id": "c1"}) == (result.outcome, result.steps[0].outputs)
    assert {"p1@example.com", "APPROVED"} >= {str(check.actual) for check in result.steps[0].checks}


async def test_what_a_waiting_step_compares_is_hidden_as_the_entry_says() -> None:
    waiting = step(
        "listed",
        "customers.list",
        {"type": "INDIVIDUAL"},
        pick=Picking({"customer_id": "c1"}, ("customers",)),
        waiting=Waiting((parse("email == someone.else@example.com"),), 3600.0, every=60.0, at_most=60.0),
    )
    got = await go(Desk([{"customer_id": "c1", "email": "hidden@example.com"}], name="customers"), waiting)
    assert isinstance(got, Wait)
    assert got.result.problem is not None
    assert 'found "***"' in got.result.problem.message


# -- in a playbook -----------------------------------------------------------------------------------------------------

HEAD = """\
playbook: 1
name: a-name
provider: fin
clients:
  schema: {type: object, additionalProperties: false, properties: {id: {type: string}, job: {type: string}}}
  key: id
steps:
"""


def problems_of(folder: Path, steps: str) -> list[tuple[int, str, str]]:
    path = folder / f"p{SUFFIX}"
    path.write_text(HEAD + steps, "utf-8")
    return [(one.location.line if one.location else 0, one.code, one.hint) for one in load(path).problems]


GOOD = """\
  - id: job
    call: catalogue.occupations
    pick: {from: occupations, where: {title: "{{ client.job }}"}}
    expect: [id > 0, title exists]
    outputs: {id: id}
"""


def test_paths_of_a_step_that_picks_are_those_of_the_entry(tmp_path: Path) -> None:
    assert [] == problems_of(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("right", "wrong", "code", "hint"),
    [
        ("from: occupations", "from: ocupations", "check.unknown-path", 'did you mean "occupations"?'),
        ("{title: ", "{titel: ", "check.unknown-path", 'did you mean "title"?'),
        ("{id: id}", "{id: idd}", "check.unknown-path", 'did you mean "id"?'),
        ("title exists", "tittle exists", "check.unknown-path", 'did you mean "title"?'),
        ("client.job", "client.jop", "template.unknown-client-field", ""),
        ("client.job", "item.job", "template.unknown-name", ""),
        ("from: occupations", "from: pagination", "step.pick", "name the path of a list"),
        ("from: occupations, ", "", "step.pick", 'name the list with "from"'),
        ("from: occupations", 'from: "a["', "check.syntax", ""),
        ('where: {title: "{{ client.job }}"}', "where: {}", "schema.empty", ""),
        ("from: occupations, where", "form: occupations, where", "schema.unknown-key", 'did you mean "from"?'),
    ],
)
def test_a_slip_in_it_is_told(tmp_path: Path, right: str, wrong: str, code: str, hint: str) -> None:
    assert right in GOOD
    told = problems_of(tmp_path, GOOD.replace(right, wrong))
    assert code in [found_code for _, found_code, _ in told]
    assert hint in [found_hint for _, found_code, found_hint in told if found_code == code] or not hint


def test_a_plan_reads_the_list_once_for_each_client_and_knows_the_entry_later(tmp_path: Path) -> None:
    path = tmp_path / f"p{SUFFIX}"
    path.write_text(
        HEAD
        + GOOD
        + """\
  - id: create
    request: {method: POST, path: /x, json: {occupation: "{{ steps.job.id }}"}}
    effect: write
""",
        "utf-8",
    )
    (tmp_path / "c.jsonl").write_text('{"id": "a", "job": "Actor"}\n', "utf-8")
    prepared = prepare(Wish(path, str(tmp_path / "c.jsonl"), choice=Choice()), {})
    (client,) = prepared.planned.plan.clients
    assert ["catalogue.occupations", "POST /x"] == [call.operation for call in client.calls]
