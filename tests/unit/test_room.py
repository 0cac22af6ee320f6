"""The waiting room: whose turn it is, and what a call does to somebody who is in, out, or on the way."""

from __future__ import annotations

from stand_ins import person, stage

from runner.advance import ClientRun, Wait
from runner.drivers.room import Room
from runner.model.outcome import ClientResult, Ending


def run(number: int) -> ClientRun:
    return stage().run(person(number))


def wait(until: float, *wakes: str) -> Wait:
    return Wait(until, ClientResult("k", 1, Ending.WAITING), frozenset(wakes))


def room(*waits: Wait) -> Room:
    """Clients 1, 2, …, each with its wait; nobody has called yet."""
    found = Room()
    for number, one in enumerate(waits, 1):
        found.enter(run(number), one, 0)
    return found


def taken(found: Room, now: float) -> list[str]:
    """Everybody who is due, in turn."""
    names = []
    while (one := found.take(now)) is not None:
        names.append(one.client.key)
    return names


def test_who_is_due_first_goes_first() -> None:
    found = room(wait(30), wait(10), wait(20))

    assert 10 == found.due()
    assert ["user_2", "user_3"] == taken(found, 20)
    assert (1, 30) == (len(found), found.due())


def test_nobody_is_due_before_his_time() -> None:
    found = room(wait(30))
    assert ([], 1) == (taken(found, 29.9), len(found))


def test_an_empty_room() -> None:
    found = Room()
    assert (None, None, 0, []) == (found.due(), found.take(1e12), len(found), list(found.empty()))


def test_those_of_one_moment_go_in_the_order_in_which_they_came() -> None:
    assert ["user_1", "user_2", "user_3"] == taken(room(wait(5), wait(5), wait(5)), 5)


def test_who_is_called_is_due_at_once_and_before_everybody_else() -> None:
    found = room(wait(10, "a"), wait(90, "b"))

    assert found.call("b")
    assert 0.0 == found.due()
    assert ["user_2", "user_1"] == taken(found, 10)


def test_a_call_for_nobody_moves_nobody() -> None:
    found = room(wait(90, "a"))
    assert not found.call("b")
    assert (90, []) == (found.due(), taken(found, 10))


def test_one_name_calls_everybody_who_waits_for_it() -> None:
    found = room(wait(90, "shared", "a"), wait(80, "b"), wait(70, "shared"))
    found.call("shared")
    assert ["user_1", "user_3"] == taken(found, 0)


def test_called_twice_is_taken_once() -> None:
    found = room(wait(90, "a", "b"))
    found.call("a")
    found.call("a")
    found.call("b")

    assert (["user_1"], 0, None) == (taken(found, 0), len(found), found.due())


def test_who_has_left_is_called_no_more() -> None:
    found = room(wait(10, "a"), wait(90, "a"))
    assert ["user_1"] == taken(found, 10)

    found.call("a")
    assert ["user_2"] == taken(found, 10)
    assert not found.call("a")


def test_a_call_while_somebody_is_looked_at_is_not_missed() -> None:
    """The answer may have been on its way before the event: it is asked for once more."""
    found = Room()
    since = found.number
    found.call("a")
    found.enter(run(1), wait(90, "a"), since)
    found.enter(run(2), wait(80, "b"), since)

    assert ["user_1"] == taken(found, 0)


def test_a_call_before_somebody_was_looked_at_is_over() -> None:
    found = Room()
    found.call("a")
    found.enter(run(1), wait(90, "a"), found.number)

    assert ([], 90) == (taken(found, 0), found.due())


def test_everybody_leaves_in_the_order_of_their_times() -> None:
    found = room(wait(30, "a"), wait(10), wait(20))
    found.call("a")

    assert ["user_2", "user_3", "user_1"] == [seat.run.client.key for seat in found.empty()]
    assert (0, None, None) == (len(found), found.due(), found.take(1e12))
