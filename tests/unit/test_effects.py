"""The decision table: every combination has one answer, and none of them can pay twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from runner.effects import Known, Move, Reply, Sight, decide
from runner.model.provider import Repeat

REPEATS: tuple[Repeat, ...] = ("refused", "replayed", "ignored", "unknown")
YES_NO = (False, True)


def everything() -> Iterator[Known]:
    for repeat, reply, sight in product(REPEATS, (None, *Reply), (None, *Sight)):
        # Only where answers are replayed may one ask by sending, and only there may a look-up be missing.
        replays, looks = (YES_NO, YES_NO) if repeat == "replayed" else ((False,), (True,))
        for may_replay, can_look in product(replays, looks):
            for doubt, past, may_send, may_renew, is_own in product(YES_NO, repeat=5):
                known = Known(repeat, doubt, reply, sight, past, may_send, may_renew, is_own, may_replay, can_look)
                yield known
                # What was lost once matters where a name is used and nothing shows under it.
                if reply is Reply.DUPLICATE and sight is Sight.ABSENT:
                    yield from (replace(known, was_lost=True, is_sure=is_sure) for is_sure in YES_NO)


ALL = list(everything())


def may_have_happened(known: Known) -> bool:
    return known.in_doubt or known.reply in (Reply.LOST, Reply.DUPLICATE)


def breaking(rule: object, *moves: Move) -> list[tuple[Known, Move]]:
    """What gives one of `moves` although `rule` does not hold."""
    assert callable(rule)
    return [(known, move) for known in ALL if (move := decide(known)) in moves and not rule(known)]


def test_every_combination_has_an_answer() -> None:
    assert (3 + 4) * (9 * 7 + 2) * 32 == len(ALL)
    assert [] == [known for known in ALL if decide(known) not in Move]


def test_every_answer_is_given_to_somebody() -> None:
    assert set(Move) == {decide(known) for known in ALL}


def test_nothing_is_sent_while_it_may_still_happen() -> None:
    """Unless the provider refuses a used reference or replays its answer, or the horizon has passed without a trace."""

    def is_safe(known: Known) -> bool:
        is_laid_to_rest = known.sight is Sight.ABSENT and known.past_horizon
        is_asking = known.repeat == "refused" or known.may_replay
        return not may_have_happened(known) or is_asking or is_laid_to_rest

    assert [] == breaking(is_safe, Move.SEND)


def test_a_name_that_the_provider_calls_used_is_never_sent_again() -> None:
    assert [] == breaking(lambda known: known.reply is not Reply.DUPLICATE, Move.SEND)


def test_what_was_accepted_or_ended_is_never_sent_again() -> None:
    assert [] == breaking(
        lambda known: known.reply not in (Reply.ACCEPTED, Reply.DEAD) or known.sight is not None, Move.SEND, Move.LOOK
    )


def test_nothing_is_sent_when_something_is_there() -> None:
    assert [] == breaking(lambda known: known.sight in (None, Sight.ABSENT), Move.SEND)


def test_a_failed_look_up_never_leads_to_sending() -> None:
    assert [] == breaking(lambda known: known.sight is not Sight.FAILED, Move.SEND, Move.RENEW)


def test_a_new_reference_is_taken_only_when_the_old_one_is_dead() -> None:
    assert [] == breaking(lambda known: known.sight is Sight.DEAD and known.may_renew, Move.RENEW)


def test_who_may_not_send_does_not() -> None:
    assert [] == breaking(lambda known: known.may_send, Move.SEND, Move.RENEW)


def test_refused_credentials_are_not_tried_again() -> None:
    assert [] == breaking(lambda known: known.reply is not Reply.DENIED, Move.SEND, Move.RENEW)


def test_where_used_references_are_not_refused_the_first_move_is_to_look() -> None:
    """Where answers are replayed, sending is looking; and where nothing can be looked up, it is all there is."""

    def is_first_look(known: Known) -> bool:
        is_only_way = known.may_replay or not (known.can_look or known.in_doubt)
        return known.sight is not None or known.reply is not None or (known.repeat == "replayed" and is_only_way)

    assert [] == breaking(lambda known: known.repeat == "refused" or is_first_look(known), Move.SEND)


def test_only_an_accepted_reply_passes_and_only_an_equal_sight_is_adopted() -> None:
    assert [] == breaking(lambda known: known.reply is Reply.ACCEPTED and known.sight is None, Move.PASS)
    assert [] == breaking(lambda known: known.sight is Sight.EQUAL, Move.ADOPT)
    assert [] == breaking(lambda known: known.sight is Sight.DIFFERENT, Move.CONFLICT)


def test_a_rejection_is_certain() -> None:
    """Somebody said no, and nothing that may still arrive would make it a yes."""

    def is_certain(known: Known) -> bool:
        if known.sight is Sight.DEAD or (known.sight is None and known.reply is Reply.DEAD):
            return True
        said_no = known.reply is Reply.REFUSED or (known.reply is Reply.DUPLICATE and not known.is_own)
        if not said_no or (known.was_lost and not known.is_sure):
            return False
        return not known.in_doubt or (known.sight is Sight.ABSENT and known.past_horizon)

    assert [] == breaking(is_certain, Move.REJECT)


def test_giving_up_is_for_what_did_not_happen() -> None:
    def did_not_happen(known: Known) -> bool:
        is_laid_to_rest = known.sight is Sight.ABSENT and known.past_horizon
        # Dead is known not to have happened, but to give it a new reference is not allowed just now.
        return not may_have_happened(known) or is_laid_to_rest or known.sight is Sight.DEAD

    assert [] == breaking(did_not_happen, Move.GIVE_UP)


def test_unknown_is_only_what_looking_up_can_not_tell() -> None:
    def can_not_be_told(known: Known) -> bool:
        is_over = known.past_horizon or (known.was_lost and not known.in_doubt)
        is_hidden = known.sight is Sight.ABSENT and known.reply is Reply.DUPLICATE and is_over
        return known.sight is Sight.UNSURE or (known.sight is Sight.FAILED and may_have_happened(known)) or is_hidden

    assert [] == breaking(can_not_be_told, Move.UNKNOWN)


def test_waiting_ends_at_the_horizon() -> None:
    assert [] == breaking(lambda known: known.sight is Sight.ABSENT and not known.past_horizon, Move.WAIT)


def test_one_looks_at_most_once_before_deciding() -> None:
    assert [] == breaking(lambda known: known.sight is None, Move.LOOK)


# -- the rows of the design, section 5, and what follows from them ---------------------------------------------------

ROWS: list[tuple[str, Known, Move]] = [
    ("first, refuses used references", Known("refused"), Move.SEND),
    ("first, does not refuse", Known("ignored"), Move.LOOK),
    ("first, nobody knows", Known("unknown"), Move.LOOK),
    ("first, looked up and not there", Known("unknown", sight=Sight.ABSENT), Move.SEND),
    ("first, there already", Known("unknown", sight=Sight.EQUAL), Move.ADOPT),
    ("first, look-up fails", Known("unknown", sight=Sight.FAILED), Move.GIVE_UP),
    ("accepted", Known("refused", reply=Reply.ACCEPTED), Move.PASS),
    ("came back failed", Known("refused", reply=Reply.DEAD), Move.REJECT),
    ("refused", Known("refused", reply=Reply.REFUSED), Move.REJECT),
    ("refused after a lost attempt", Known("refused", in_doubt=True, reply=Reply.REFUSED), Move.LOOK),
    ("duplicate", Known("refused", reply=Reply.DUPLICATE), Move.LOOK),
    ("reply lost", Known("refused", in_doubt=True, reply=Reply.LOST), Move.LOOK),
    ("intent without outcome", Known("refused", in_doubt=True), Move.LOOK),
    ("lost, there and equal", Known("unknown", True, Reply.LOST, Sight.EQUAL), Move.ADOPT),
    ("lost, there but different", Known("unknown", True, Reply.LOST, Sight.DIFFERENT), Move.CONFLICT),
    ("lost, there but failed", Known("unknown", True, Reply.LOST, Sight.DEAD), Move.RENEW),
    (
        "lost, there but failed, own reference",
        Known("unknown", True, Reply.LOST, Sight.DEAD, may_renew=False),
        Move.REJECT,
    ),
    (
        "lost, there but failed, no more attempts",
        Known("unknown", True, Reply.LOST, Sight.DEAD, False, False),
        Move.REJECT,
    ),
    ("lost, not there, refuses used", Known("refused", True, Reply.LOST, Sight.ABSENT), Move.SEND),
    ("lost, not there, does not refuse", Known("ignored", True, Reply.LOST, Sight.ABSENT), Move.WAIT),
    ("lost, not there, nobody knows", Known("unknown", True, Reply.LOST, Sight.ABSENT), Move.WAIT),
    ("lost, not there past the horizon", Known("unknown", True, Reply.LOST, Sight.ABSENT, True), Move.SEND),
    ("intent, not there before the horizon", Known("unknown", True, None, Sight.ABSENT), Move.WAIT),
    ("intent, not there past the horizon", Known("unknown", True, None, Sight.ABSENT, True), Move.SEND),
    ("lost, look-up impossible", Known("refused", True, Reply.LOST, Sight.FAILED), Move.UNKNOWN),
    ("lost, look-up impossible, past", Known("refused", True, Reply.LOST, Sight.FAILED, True), Move.UNKNOWN),
    ("lost, not there, no more attempts", Known("refused", True, Reply.LOST, Sight.ABSENT, False, False), Move.WAIT),
    ("the same past the horizon", Known("refused", True, Reply.LOST, Sight.ABSENT, True, False), Move.GIVE_UP),
    ("duplicate, equal", Known("refused", False, Reply.DUPLICATE, Sight.EQUAL), Move.ADOPT),
    ("duplicate, different", Known("refused", False, Reply.DUPLICATE, Sight.DIFFERENT), Move.CONFLICT),
    ("used but not to be seen", Known("refused", False, Reply.DUPLICATE, Sight.ABSENT), Move.WAIT),
    ("used but not to be seen, past", Known("refused", False, Reply.DUPLICATE, Sight.ABSENT, True), Move.UNKNOWN),
    (
        "another field is used, ours is not there",
        Known("refused", False, Reply.DUPLICATE, Sight.ABSENT, is_own=False),
        Move.REJECT,
    ),
    (
        "another field is used, ours may still arrive",
        Known("refused", True, Reply.DUPLICATE, Sight.ABSENT, is_own=False),
        Move.WAIT,
    ),
    ("refused after a lost one, there", Known("refused", True, Reply.REFUSED, Sight.EQUAL), Move.ADOPT),
    ("refused after a lost one, not there yet", Known("refused", True, Reply.REFUSED, Sight.ABSENT), Move.WAIT),
    ("refused after a lost one, past", Known("refused", True, Reply.REFUSED, Sight.ABSENT, True), Move.REJECT),
    ("no connection", Known("refused", reply=Reply.NOT_SENT), Move.SEND),
    ("no connection, no more attempts", Known("refused", reply=Reply.NOT_SENT, may_send=False), Move.GIVE_UP),
    ("no connection after a lost one", Known("refused", True, Reply.NOT_SENT, may_send=False), Move.LOOK),
    ("no connection after a lost one, not refused", Known("unknown", True, Reply.NOT_SENT), Move.LOOK),
    ("throttled", Known("unknown", reply=Reply.THROTTLED), Move.SEND),
    ("throttled out", Known("unknown", reply=Reply.THROTTLED, may_send=False), Move.GIVE_UP),
    ("credentials refused", Known("refused", reply=Reply.DENIED), Move.GIVE_UP),
    ("credentials refused after a lost one", Known("refused", True, Reply.DENIED), Move.LOOK),
    ("the same, not there", Known("refused", True, Reply.DENIED, Sight.ABSENT), Move.WAIT),
    ("the same, past", Known("refused", True, Reply.DENIED, Sight.ABSENT, True), Move.GIVE_UP),
    ("the same, there but failed", Known("refused", True, Reply.DENIED, Sight.DEAD), Move.GIVE_UP),
]


@pytest.mark.parametrize(("known", "move"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_rows_of_the_design(known: Known, move: Move) -> None:
    assert move == decide(known)
