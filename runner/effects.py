"""What to do about a create or a money call after each thing that can be known of it: one table, pure.

Looking up straight after a crash still pays twice when the lost request lands late. So where a provider does not refuse
a used reference, "not there" means nothing before the horizon: intent + send window + request timeout + settle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from runner.model.provider import Repeat


class Reply(StrEnum):
    """What came back from one attempt to send."""

    ACCEPTED = "accepted"
    DEAD = "dead"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    LOST = "lost"
    NOT_SENT = "not-sent"
    THROTTLED = "throttled"
    DENIED = "denied"


class Sight(StrEnum):
    """What a look-up by the reference shows."""

    EQUAL = "equal"
    DIFFERENT = "different"
    DEAD = "dead"
    ABSENT = "absent"
    FAILED = "failed"
    UNSURE = "unsure"


class Move(StrEnum):
    """What happens next."""

    SEND = "send"
    LOOK = "look"
    PASS = "pass"
    ADOPT = "adopt"
    CONFLICT = "conflict"
    REJECT = "reject"
    RENEW = "renew"
    WAIT = "wait"
    GIVE_UP = "give-up"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one effect.

    `in_doubt`: some attempt may have happened - its intent has no outcome, or its reply was lost. `reply` is what the
    newest attempt brought, None when nothing was sent by this process. `is_own`: a duplicate refusal is about our
    reference or identity, not about another field such as an e-mail. `may_replay`: the provider still answers the same
    reference with the first answer, so that sending again is asking what came of it. `can_look`: it can be looked up.
    `was_lost`: an attempt that would move money was once in doubt, however that was settled since. `is_sure`: the
    look-up shows the thing itself, and that it has not happened.
    """

    repeat: Repeat
    in_doubt: bool = False
    reply: Reply | None = None
    sight: Sight | None = None
    past_horizon: bool = False
    may_send: bool = True
    may_renew: bool = True
    is_own: bool = True
    may_replay: bool = False
    can_look: bool = True
    was_lost: bool = False
    is_sure: bool = False


def decide(known: Known) -> Move:
    """The one decision table. Total: every combination has an answer, and none sends twice."""
    if known.reply is Reply.DENIED:
        # Our credentials are refused: nothing more is sent, whatever else is known.
        known = replace(known, may_send=False)
    if known.sight is not None:
        return _after_look_up(known, known.sight)
    if known.reply is not None:
        return _after_reply(known, known.reply)
    if known.in_doubt:
        return Move.SEND if known.may_replay and known.may_send else Move.LOOK
    if known.repeat != "refused" and (known.can_look or known.repeat != "replayed"):
        # A replay is for a while: what a lost journal has forgotten, the provider may have forgotten too.
        return Move.LOOK
    return Move.SEND if known.may_send else Move.GIVE_UP


def _after_reply(known: Known, reply: Reply) -> Move:
    match reply:
        case Reply.ACCEPTED:
            return Move.PASS
        case Reply.LOST:
            return Move.SEND if known.may_replay and known.may_send else Move.LOOK
        case Reply.DUPLICATE:
            return Move.LOOK
        case Reply.DEAD:
            return Move.REJECT
        case Reply.REFUSED:
            # An earlier attempt that landed late may be the very reason for this refusal (no funds left, say).
            return Move.LOOK if known.in_doubt else Move.REJECT
        case Reply.NOT_SENT | Reply.THROTTLED:
            is_safe = known.repeat == "refused" or not known.in_doubt or known.may_replay
            return Move.SEND if known.may_send and is_safe else _stop(known)
        case Reply.DENIED:
            return _stop(known)


def _stop(known: Known) -> Move:
    return Move.LOOK if known.in_doubt else Move.GIVE_UP


def _after_look_up(known: Known, sight: Sight) -> Move:
    match sight:
        case Sight.EQUAL:
            return Move.ADOPT
        case Sight.DIFFERENT:
            return Move.CONFLICT
        case Sight.DEAD:
            if known.reply is Reply.DENIED:
                return Move.GIVE_UP
            return Move.RENEW if known.may_renew and known.may_send else Move.REJECT
        case Sight.FAILED:
            return Move.UNKNOWN if _may_have_happened(known) else Move.GIVE_UP
        case Sight.UNSURE:
            return Move.UNKNOWN
        case Sight.ABSENT:
            return _not_there(known)


def _not_there(known: Known) -> Move:
    if not _may_have_happened(known):
        return Move.SEND if known.may_send else Move.GIVE_UP
    if known.reply is Reply.DUPLICATE:
        return _not_there_but_used(known)
    if known.repeat == "refused" and known.may_send and known.reply is not Reply.REFUSED:
        return Move.SEND
    if not known.past_horizon:
        return Move.WAIT
    if known.reply is Reply.REFUSED:
        return Move.REJECT
    return Move.SEND if known.may_send else Move.GIVE_UP


def _not_there_but_used(known: Known) -> Move:
    """The provider says that the name is taken and shows nothing under it."""
    if not known.is_own:
        if known.in_doubt and not known.past_horizon:
            return Move.WAIT
        # It may be used by the very attempt that was lost, and the look-up may be unable to show that.
        return Move.UNKNOWN if known.was_lost and not known.is_sure else Move.REJECT
    return Move.UNKNOWN if known.past_horizon else Move.WAIT


def _may_have_happened(known: Known) -> bool:
    return known.in_doubt or known.reply in (Reply.LOST, Reply.DUPLICATE)
