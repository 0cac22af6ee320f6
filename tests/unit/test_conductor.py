"""What happens next, as a generator that never touches a socket: fed by hand, judged by what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from stand_ins import PLACE, person, setting_of, step

from runner.checks import parse
from runner.conductor import bind, conduct, scope_of
from runner.load.pack import find_pack
from runner.model.command import NO_ITEM, Perform
from runner.model.outcome import ClientResult, Ending, Fault, Outcome, StepStatus, merged
from runner.model.playbook import Goal, Step
from runner.model.problem import Problem
from runner.templates import TemplateError, Unknown

WHY = Problem("x.y", "no")
REJECTED = Outcome(StepStatus.FAILED, Ending.REJECTED, problem=WHY)
BLOCKED = Outcome(StepStatus.FAILED, Ending.BLOCKED, problem=WHY)
UNREACHABLE = replace(REJECTED, fault=Fault.UNREACHABLE)
GUARD = replace(REJECTED, fault=Fault.GUARD)
WAITING = Outcome(StepStatus.WAITING, Ending.WAITING, problem=WHY, retry_at=5.0)
UNKNOWN = Outcome(StepStatus.UNKNOWN, Ending.UNKNOWN, problem=WHY)


def passed(**outputs: Any) -> Outcome:
    return Outcome(StepStatus.PASSED, outputs=outputs)


def run(
    *steps: Step, outcomes: Mapping[str, Outcome] | None = None, client: Any = None, **more: Any
) -> tuple[list[Perform], ClientResult]:
    """The commands that were asked for and the result; whatever has no outcome in `outcomes` passes."""
    flow = conduct(setting_of(*steps, **more), client or person())
    asked: list[Perform] = []
    try:
        asked.append(next(flow))
        while True:
            asked.append(flow.send((outcomes or {}).get(asked[-1].name, passed())))
    except StopIteration as stop:
        return asked, stop.value


def names(asked: Sequence[Perform]) -> list[str]:
    return [command.name for command in asked]


def words(result: ClientResult) -> list[str]:
    return [found.status.value for found in result.steps]


A, B, C = (step(name, "clients.get", {"partner_client_id": name}) for name in "abc")


def test_steps_go_in_order_and_the_client_is_done() -> None:
    asked, result = run(A, B, C)
    assert ["a", "b", "c"] == names(asked)
    assert (Ending.DONE, None, ["passed"] * 3) == (result.outcome, result.problem, words(result))
    assert ("user_1", 2) == (result.key, result.line)


def test_a_playbook_without_steps_is_done() -> None:
    assert Ending.DONE is run()[1].outcome


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        (REJECTED, Ending.REJECTED),
        (BLOCKED, Ending.BLOCKED),
        (WAITING, Ending.WAITING),
        (UNKNOWN, Ending.UNKNOWN),
        (replace(REJECTED, ending=None), Ending.REJECTED),
    ],
)
def test_the_first_step_that_does_not_pass_ends_the_client(outcome: Outcome, ending: Ending) -> None:
    asked, result = run(A, B, C, outcomes={"b": outcome})
    assert ["a", "b"] == names(asked)
    assert (ending, WHY, outcome.retry_at) == (result.outcome, result.problem, result.retry_at)
    assert ["passed", outcome.status.value, "skipped"] == words(result)


@pytest.mark.parametrize("outcome", [UNREACHABLE, GUARD])
def test_the_world_stops_a_client_that_has_begun_or_not(outcome: Outcome) -> None:
    assert Ending.NOT_STARTED is run(A, B, outcomes={"a": outcome})[1].outcome
    result = run(A, B, outcomes={"b": outcome})[1]
    assert (Ending.WAITING, outcome.fault) == (result.outcome, result.fault)


def test_a_loop_whose_first_item_passed_has_begun() -> None:
    """A deposit that went out is no client that has not started."""
    loop = replace(A, for_each="documents")
    client = person(documents=({}, {}))
    assert Ending.WAITING is run(loop, outcomes={"a[1]": UNREACHABLE}, client=client)[1].outcome
    assert Ending.NOT_STARTED is run(loop, outcomes={"a[0]": UNREACHABLE}, client=client)[1].outcome


def test_an_empty_loop_and_a_skipped_step_are_no_beginning() -> None:
    loop = replace(A, for_each="documents")
    never = replace(B, when=(parse("client.id == nobody"),))
    asked, result = run(loop, never, C, outcomes={"c": UNREACHABLE})
    assert (["c"], ["passed", "skipped", "failed"]) == (names(asked), words(result))
    assert Ending.NOT_STARTED is result.outcome


# -- always -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "is_cleaned"),
    [(REJECTED, True), (BLOCKED, True), (UNREACHABLE, False), (WAITING, False), (UNKNOWN, False)],
)
def test_what_always_runs_does_so_after_a_known_failure(outcome: Outcome, is_cleaned: bool) -> None:
    asked, result = run(A, B, replace(C, always=True), outcomes={"a": outcome})
    assert (["a", "c"] if is_cleaned else ["a"]) == names(asked)
    assert WHY == result.problem


def test_the_first_failure_decides() -> None:
    other = replace(UNKNOWN, problem=Problem("other", "other"))
    result = run(A, replace(C, always=True), outcomes={"a": REJECTED, "c": other})[1]
    assert (Ending.REJECTED, WHY, ["failed", "unknown"]) == (result.outcome, result.problem, words(result))


def test_who_still_has_to_be_cleaned_up_after_is_not_at_the_end() -> None:
    """A clean-up that waits would never be done, if its client were rejected already: resume goes on with it."""
    later = replace(WAITING, problem=Problem("later", "later"))
    result = run(A, replace(C, always=True), outcomes={"a": REJECTED, "c": later})[1]
    assert (Ending.WAITING, later.problem, 5.0) == (result.outcome, result.problem, result.retry_at)
    assert ["failed", "waiting"] == words(result)


# -- values -------------------------------------------------------------------------------------------------------


def test_values_are_filled_in_from_everything_in_scope() -> None:
    text = (
        "{{ client.id }} {{ inputs.asset }} {{ batch }} {{ steps.a.x }} {{ documents | length }} {{ funding | length }}"
    )
    last = step("b", "clients.get", {"all": text, "kept": "{{ steps.a.n }}", "gone": "{{ client.no | optional }}"})
    first = replace(A, outputs={"x": ("x",)})
    asked, _ = run(first, last, outcomes={"a": passed(x="X", n=5)}, inputs={"asset": "USD"})
    assert {"all": "user_1 USD b X 0 0", "kept": 5} == asked[1].values


def test_a_loop_asks_for_each_item() -> None:
    loop = step("up", "documents.upload", {"type": "{{ item.type }}", "n": "{{ index }}"}, for_each="documents")
    client = person(documents=({"type": "x"}, {"type": "y"}))
    asked, result = run(loop, B, client=client, outcomes={"up[0]": passed(id=1), "up[1]": passed(id=2)})
    assert ["up[0]", "up[1]", "b"] == names(asked)
    assert [{"type": "x", "n": 0}, {"type": "y", "n": 1}] == [command.values for command in asked[:2]]
    assert [{"id": 1}, {"id": 2}] == result.steps[0].outputs
    assert NO_ITEM == asked[2].item


def test_a_failing_item_stops_the_rest_of_the_loop() -> None:
    loop = replace(A, for_each="documents")
    asked, result = run(loop, B, client=person(documents=({}, {}, {})), outcomes={"a[1]": REJECTED})
    assert ["a[0]", "a[1]"] == names(asked)
    assert (Ending.REJECTED, ["failed", "skipped"]) == (result.outcome, words(result))


@pytest.mark.parametrize("text", ["documents", "{{ documents }}", "{{ documents | selectattr('type', 'defined') }}"])
def test_a_loop_may_be_named_or_written(text: str) -> None:
    asked, _ = run(replace(A, for_each=text), client=person(documents=({"type": "x"},)))
    assert ["a[0]"] == names(asked)


@pytest.mark.parametrize("text", ["client.id", "{{ client }}", "client.count", "{{ 5 }}"])
def test_a_loop_over_no_list_is_told(text: str) -> None:
    _, result = run(replace(A, for_each=text), client=person(count=5))
    assert result.problem is not None
    assert ("template.not-a-list", PLACE, Ending.REJECTED) == (
        result.problem.code,
        result.problem.location,
        result.outcome,
    )


def test_a_template_without_a_value_is_told_and_nothing_is_asked() -> None:
    asked, result = run(step("a", "clients.get", {"x": "{{ client.nmae }}"}), B)
    assert [] == asked
    assert result.problem is not None
    assert (Ending.REJECTED, PLACE, 0) == (result.outcome, result.problem.location, result.steps[0].attempts)
    assert "nmae" in result.problem.message


def test_what_passed_before_a_template_failed_is_kept() -> None:
    loop = step("a", "clients.get", {"x": "{{ item.x }}"}, for_each="documents")
    asked, result = run(loop, client=person(documents=({"x": 1}, {})), outcomes={"a[0]": passed(id=1)})
    assert ["a[0]"] == names(asked)
    assert ("failed", {"id": 1}) == (words(result)[0], result.steps[0].outputs[0])  # type: ignore[index]


def test_data_is_never_read_as_a_template() -> None:
    evil = person(name="{{ client.id }}")
    asked, _ = run(step("a", "clients.get", {"x": "{{ client.name }}"}, "name == {{ client.name }}"), client=evil)
    assert {"x": "{{ client.id }}"} == asked[0].values
    assert "{{ client.id }}" == asked[0].expect[0].operand


def test_checks_are_bound_with_their_values() -> None:
    asked, _ = run(
        step("a", "clients.get", {}, "debit == {{ client.amount }}", "n == 5", warn=(parse("x == {{ batch }}"),))
    )
    assert ["100.00", 5] == [bound.operand for bound in asked[0].expect]
    assert ["b"] == [bound.operand for bound in asked[0].warn]


def test_a_raw_request_and_a_reconciliation_are_filled_in_too() -> None:
    raw = replace(A, request={"method": "GET", "path": "/x/{{ client.id }}"})
    asked, _ = run(raw, replace(B, reconcile={"from": "{{ batch }}"}))
    assert {"method": "GET", "path": "/x/user_1"} == asked[0].values
    assert {"from": "b"} == asked[1].values


def test_a_mapping_left_with_nothing_is_still_a_mapping() -> None:
    asked, _ = run(step("a", "clients.get", {"x": "{{ client.no | optional }}"}))
    assert {} == asked[0].values


def test_what_is_wrong_in_a_template_leaves_bind() -> None:
    with pytest.raises(TemplateError):
        bind(step("a", "x", {"x": "{{ nobody }}"}), NO_ITEM, scope_of(setting_of(), person()))


# -- when ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "holds"),
    [
        (["client.id == user_1"], True),
        (["client.id == user_2"], False),
        (["client.id == user_1", "client.amount > 500"], False),
        (["client.missing == x"], False),
        (["client.id != {{ client.name }}"], True),
        (["steps.a.status == ACTION_REQUIRED"], True),
        (["inputs.asset == USD"], True),
    ],
)
def test_a_step_runs_when_all_its_conditions_hold(checks: list[str], holds: bool) -> None:
    conditional = replace(B, when=tuple(parse(text) for text in checks))
    asked, result = run(A, conditional, C, outcomes={"a": passed(status="ACTION_REQUIRED")}, inputs={"asset": "USD"})
    assert (["a", "b", "c"] if holds else ["a", "c"]) == names(asked)
    assert Ending.DONE is result.outcome
    assert ("passed" if holds else "skipped") == words(result)[1]


def test_a_skipped_step_has_no_outputs() -> None:
    skipped = replace(A, when=(parse("client.id == nobody"),))
    asked, result = run(skipped, step("b", "clients.get", {"x": "{{ steps.a.id }}"}))
    assert [] == asked
    assert Ending.REJECTED is result.outcome


def test_a_condition_with_a_broken_template_is_told() -> None:
    _, result = run(replace(A, when=(parse("client.id == {{ client.no }}"),)))
    assert Ending.REJECTED is result.outcome
    assert result.problem is not None


# -- a plan -------------------------------------------------------------------------------------------------------


def test_a_plan_asks_with_what_is_known_only_later() -> None:
    last = step("b", "clients.get", {"x": "{{ steps.a.id }}", "y": "id {{ steps.a.id }}"})
    asked, result = run(A, last, outcomes={"a": passed(id=Unknown("a"))})
    assert isinstance(asked[1].values["x"], Unknown)
    assert "" == asked[1].conditional
    assert Ending.DONE is result.outcome


def test_a_plan_says_after_which_step_a_condition_is_known() -> None:
    later = {"a": passed(id=Unknown("a"))}
    for check in ("steps.a.id == 5", "client.id == {{ steps.a.id }}"):
        asked, _ = run(A, replace(B, when=(parse(check),)), outcomes=later)
        assert ["", "a"] == [command.conditional for command in asked]


@pytest.mark.parametrize(
    "checks",
    [
        ("steps.a.id == 5", "client.id == nobody"),
        ("client.id == nobody", "steps.a.id == 5"),
        ("client.id == {{ steps.a.id }}", "steps.a.id exists", "client.missing exists"),
    ],
)
def test_a_plan_leaves_out_a_step_of_which_one_condition_is_known_to_fail(checks: tuple[str, ...]) -> None:
    asked, result = run(A, replace(B, when=tuple(map(parse, checks))), outcomes={"a": passed(id=Unknown("a"))})
    assert (["a"], ["passed", "skipped"]) == (names(asked), words(result))


@pytest.mark.parametrize(
    "checks",
    [
        ("steps.a.id == 5", "client.id == user_1"),
        # Reached only if the first one holds.
        ("steps.a.id == 5", "client.id == {{ client.no }}"),
        ("steps.a.id.kind == new",),
        ("steps.a.id[0].kind exists", "client.id == user_1"),
    ],
)
def test_a_plan_keeps_a_step_of_which_no_condition_is_known_to_fail(checks: tuple[str, ...]) -> None:
    asked, _ = run(A, replace(B, when=tuple(map(parse, checks))), outcomes={"a": passed(id=Unknown("a"))})
    assert [("a", ""), ("b", "a")] == [(command.name, command.conditional) for command in asked]


def test_a_plan_shows_one_item_of_a_loop_that_is_known_later() -> None:
    loop = step("b", "clients.get", {"x": "{{ item.id }}"}, for_each="steps.a.items")
    asked, _ = run(A, loop, outcomes={"a": passed(items=Unknown("a"))})
    assert [("a", ""), ("b[0]", "a")] == [(command.name, command.conditional) for command in asked]


# -- merging ------------------------------------------------------------------------------------------------------


def test_the_worst_item_is_the_steps_word() -> None:
    order = [StepStatus.SKIPPED, StepStatus.PASSED, StepStatus.WAITING, StepStatus.FAILED, StepStatus.UNKNOWN]
    for index, status in enumerate(order):
        items = [Outcome(other) for other in order[: index + 1]]
        assert status is merged("s", items, True).status is merged("s", items[::-1], True).status


def test_a_merged_step_adds_up() -> None:
    one = Outcome(StepStatus.PASSED, attempts=2, requests=3, duration_ms=10, reference="r", outputs={"a": 1})
    two = Outcome(StepStatus.FAILED, attempts=1, requests=1, duration_ms=5, adopted=True, problem=WHY)
    found = merged("s", [one, two], True)
    assert (3, 4, 15, ("r",), True, WHY, [{"a": 1}, {}]) == (
        found.attempts,
        found.requests,
        found.duration_ms,
        found.references,
        found.adopted,
        found.problem,
        found.outputs,
    )
    assert {"a": 1} == merged("s", [one], False).outputs
    assert (StepStatus.PASSED, {}) == (merged("s", [], False).status, merged("s", [], False).outputs)


def test_the_scope_is_the_clients_own() -> None:
    scope = scope_of(setting_of(inputs={"n": Decimal(1)}), person())
    assert {"batch", "client", "documents", "funding", "inputs", "steps"} == set(scope)


# -- how far a requirement loop goes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("goal", "done", "pending"),
    [
        (None, ["in_kyc", "enabled"], ["requested"]),
        (Goal("in_kyc"), ["in_kyc", "enabled"], ["requested"]),
        (Goal("enabled"), ["enabled"], ["requested", "in_kyc"]),
    ],
)
def test_before_its_goal_a_requirement_loop_waits(goal: Goal | None, done: list[str], pending: list[str]) -> None:
    loop = replace(step("complete", "", {"clientId": "c", "productRequestId": "p"}), rounds=5, goal=goal)
    setting = setting_of(loop, provider=find_pack("cryptomate"))

    def seen(state: str) -> Outcome:
        return passed(state=state, missing={}, reason=None)

    ask = next(conduct(setting, person()))
    assert ask.pending == (("status",), tuple(pending))
    for state in done:
        flow = conduct(setting, person())
        next(flow)
        assert StepStatus.PASSED is getattr(flow.send(seen(state)).conclusion, "status", None)


def test_the_goal_has_its_own_times_and_else_the_pack_s() -> None:
    pack = find_pack("cryptomate")
    usual = step("complete", "", {"clientId": "c", "productRequestId": "p"})

    def times(goal: Goal) -> tuple[float, float, float]:
        setting = setting_of(replace(usual, rounds=5, goal=goal), provider=pack)
        waiting = next(conduct(setting, person())).step.waiting
        assert waiting is not None
        return waiting.every, waiting.at_most, waiting.deadline

    assert (5.0, 50.0, 600.0) == times(Goal("enabled"))
    assert (60.0, 60.0, 600.0) == times(Goal("enabled", every=60.0))
    assert (1.0, 2.0, 3.0) == times(Goal("enabled", every=1.0, at_most=2.0, deadline=3.0))
