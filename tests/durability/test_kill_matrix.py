"""Killed with SIGKILL at every instant, resumed until done: nothing happens twice, nothing is lost, the report is true.

A request that was on the wire when its sender died lands later (`late`): that is what looking up at once gets wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from matrix import EFFECTS, IGNORES, KILLED, LAGS, TEMPERS, Cell, Matrix, Told

pytestmark = pytest.mark.xdist_group("kill matrix")  # busy enough for one worker

# For certain later than the first look-up of the next process, however busy the machine is.
AFTER_THE_LOOK = ("0", "6")

# How the first process of a recovery dies: before the request left, while it is on its way, after its answer.
FIRST = {
    "after-intent": ("after-intent {step}#1", ""),
    "mid-send": ("{reply}", "{operation}=late:0.5:x1"),
    "after-reply": ("{reply}", ""),
}


def mid_send(lags: tuple[str, ...] = LAGS, **more: Any) -> Iterator[Cell]:
    """The request is with the provider, which carries it out `lag` seconds after its sender is dead."""
    for step, (operation, reply) in EFFECTS.items():
        for lag in lags:
            yield Cell(f"{step} mid-send, lag {lag} s", (reply,), f"{operation}=late:{lag}:x1", **more)


def at_rest(**more: Any) -> Iterator[Cell]:
    """The effect has happened or has not, once and for all, before anybody looks."""
    for step, (operation, reply) in EFFECTS.items():
        yield Cell(f"{step} after-intent", (f"after-intent {step}#1",), **more)
        yield Cell(f"{step} after-reply", (reply,), **more)
        yield Cell(f"{step} dropped before", (reply,), f"{operation}=drop-before:x1", **more)


def first_kills() -> Iterator[tuple[str, Cell]]:
    for step, (operation, reply) in EFFECTS.items():
        for name, (strike, fault) in FIRST.items():
            words = {"step": step, "operation": operation, "reply": reply}
            yield step, Cell(f"{step} {name}", (strike.format(**words),), fault.format(**words))


def recovery(told: Told, step: str) -> list[str]:
    """The instants of the second process until the effect in question is settled."""
    instants = list(told.instants[1])
    last = next(number for number, name in enumerate(instants) if name.startswith(f"after-outcome {step}#"))
    return instants[: last + 1]


def failed(told: list[Told]) -> set[str]:
    return {one.cell.name for one in told if one.wrong}


def test_killed_at_every_instant_of_a_run(matrix: Matrix) -> None:
    (healthy,) = matrix.play([Cell("not killed", ())])
    assert "" == healthy.wrong
    instants = healthy.instants[0]

    assert len(instants) > 45
    assert [] == matrix.wrong(Cell(name, (name,)) for name in instants)


@pytest.mark.parametrize("matrix", TEMPERS, indirect=True)
def test_killed_mid_send(matrix: Matrix) -> None:
    assert [] == matrix.wrong(mid_send())


def test_killed_again_at_every_instant_of_the_recovery(matrix: Matrix) -> None:
    firsts = list(first_kills())
    told = matrix.play(cell for _, cell in firsts)
    assert set() == failed(told)

    seconds = [
        Cell(f"{cell.name}, then {instant}", (*cell.strikes, instant), cell.fault)
        for (step, cell), one in zip(firsts, told, strict=True)
        for instant in recovery(one, step)
    ]
    # Neighbouring instants have the same ways to go on, and fewer where used references are refused: a sample does.
    share = 2 if matrix.repeat == "ignored" else 6

    twice = matrix.play(seconds[::share])
    assert set() == failed(twice)
    # What a look-up sees of a late request is a matter of time: not every instant comes up a second time.
    assert len([one for one in twice if one.codes[1] == KILLED]) > 50 // share


@pytest.mark.parametrize("matrix", [IGNORES], indirect=True)
def test_killed_five_times_at_the_same_instant(matrix: Matrix) -> None:
    cells = [Cell(f"{step} after-intent", (f"after-intent {step}#1",) * 5) for step in EFFECTS]
    cells += [
        Cell(f"{step} dropped before", (reply,) * 5, f"{operation}=drop-before:x5")
        for step, (operation, reply) in EFFECTS.items()
    ]
    told = matrix.play(cells)

    assert set() == failed(told)
    assert {5} == {one.codes.count(KILLED) for one in told}


def test_killed_and_the_same_file_run_again(matrix: Matrix) -> None:
    """A new run knows what an earlier one may have on the wire."""
    lags = LAGS if matrix.repeat == "ignored" else LAGS[1:2]
    assert [] == matrix.wrong([*mid_send(lags, again=True), *at_rest(again=True)])


@pytest.mark.parametrize("matrix", [IGNORES], indirect=True)
@pytest.mark.parametrize("seconds", [-3600.0, 3600.0], ids=["back", "forward"])
def test_killed_mid_send_and_the_clock_set(matrix: Matrix, seconds: float) -> None:
    assert [] == matrix.wrong(mid_send(clock_offset=seconds, lags=("0.5", "3")))


def test_suspended_between_intent_and_send(matrix: Matrix) -> None:
    """The intent of a machine that slept is too old to be sent; it is begun anew."""
    told = matrix.play(Cell(f"{step} stopped", (f"after-intent {step}#1",), action="stop") for step in EFFECTS)

    assert set() == failed(told)
    for one, step in zip(told, EFFECTS, strict=True):
        assert f"after-intent {step}#2" in one.instants[0]


# -- negative controls: a matrix that can't see a double proves nothing ---------------------------------------


def test_sending_again_blindly_would_pay_twice(matrix: Matrix) -> None:
    lags = LAGS if matrix.repeat == "ignored" else LAGS[1:2]
    wrong = failed(matrix.play([*mid_send(lags, strategy="blind"), *at_rest(strategy="blind")]))

    assert {f"upload mid-send, lag {lag} s" for lag in lags} | {"upload after-reply"} <= wrong
    if matrix.repeat == "ignored":
        assert {f"{step} mid-send, lag {lag} s" for step in ("deposit", "withdraw") for lag in LAGS} <= wrong
        assert {"deposit after-reply", "withdraw after-reply"} <= wrong


@pytest.mark.parametrize("matrix", [IGNORES], indirect=True)
def test_looking_up_at_once_would_pay_twice_what_was_on_the_wire(matrix: Matrix) -> None:
    """It passes every cell whose effect is at rest: without mid-send this strategy looks safe."""
    wrong = failed(matrix.play([*mid_send(AFTER_THE_LOOK, strategy="at-once"), *at_rest(strategy="at-once")]))

    assert {f"{step} mid-send, lag 6 s" for step in ("upload", "deposit", "withdraw")} <= wrong
