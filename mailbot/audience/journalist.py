"""A journalist and the press list: who may put an address on it, who may take it off, and when nothing happens.

Anyone can write any address into a From line. So a wish to join is never believed: one mail asks the address itself, and only its
own answer counts (MAIL.md #14). A wish to leave is believed where the address's domain vouches for it, and asked like the other
where it does not (LS-07). What nobody has confirmed changes nothing: not even "unsubscribed" becomes "asked", else whoever forges
a wish could wipe out that somebody has left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

ONE_QUESTION_IN = timedelta(days=1)     # for one address, however it is spelt and by whatever way it was asked for
ANSWERED_WITHIN = timedelta(days=7)     # LS-05


class State(StrEnum):
    """Where somebody stands. Only SUBSCRIBED is written to."""

    NONE = "none"                   # nobody has confirmed anything
    ASKED = "asked"                 # we have asked whether to put the address on the list
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"   # has left, or never wants to be on it
    SUPPRESSED = "suppressed"       # is not to be written to at all: outranks every wish (LS-10)


class Medium(StrEnum):
    """What a journalist works for."""

    RADIO = "radio"
    TV = "tv"
    PRESS = "press"
    WEB = "web"
    AGENCY = "agency"


class Purpose(StrEnum):
    """What a mail of ours about the list asks or offers: an answer to one is no answer to another."""

    JOIN = "join"
    LEAVE = "leave"
    RETURN = "return"


class Event(StrEnum):
    """What happens to an address, each with who may bring it about."""

    WISH_TO_JOIN = "wish-to-join"           # anyone who writes its name
    WISH_TO_LEAVE = "wish-to-leave"         # anyone who writes its name
    LEAVES = "leaves"                       # whom its domain vouches for
    CONFIRMS_JOINING = "confirms-joining"   # who has our question, writing from the address
    CONFIRMS_LEAVING = "confirms-leaving"   # the same
    RETURNS = "returns"                     # who has our word that it was taken off, writing from the address
    REMOVED = "removed"                     # a colleague, by command
    ADDED = "added"                         # a colleague, by command, from a list that is named


class Why(StrEnum):
    """The reason of a step; those that a mail can meet are words of inbox.reason too."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    LEFT = "left"
    RETURNED = "returned"
    REMOVED = "removed"
    ADDED = "added"
    ALREADY_ASKED = "already-asked"
    ALREADY_SUBSCRIBED = "already-subscribed"
    ALREADY_LEFT = "already-left"
    TOO_LATE = "too-late"
    NOT_ASKED = "not-asked"
    SUPPRESSED = "suppressed"


class Channel(StrEnum):
    """How a wish reached us."""

    MAIL = "mail"
    WEB = "web"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journalist:
    """One address. `origin`: the list that it came from, for those who never asked us; else empty."""

    id: int
    key: str
    address: str
    name: str
    language: str
    outlet: str
    medium: str
    state: State
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What we asked or offered, in which of our mails, when; and whether it was answered."""

    journalist: Journalist
    purpose: Purpose
    delivery: str
    at: datetime
    is_used: bool


@dataclass(frozen=True, slots=True)
class Leaver:
    """Whom the token of an announcement in a mail's subject takes off the list, and the words beside it."""

    journalist: Journalist
    words: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One mail asks the address itself."""

    becomes: State
    why: Why


@dataclass(frozen=True, slots=True)
class Change:
    """The state changes, and the address is told once."""

    becomes: State
    why: Why


@dataclass(frozen=True, slots=True)
class Tell:
    """Nothing changes; the address is told how it stands."""

    why: Why


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing changes, and nothing is said."""

    why: Why


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing changes; a person sees it."""

    why: Why


Step = Ask | Change | Tell | Keep | Refuse

_JOINS, _LEAVES = Change(State.SUBSCRIBED, Why.CONFIRMED), Change(State.UNSUBSCRIBED, Why.LEFT)
_REMOVED, _ADDED = Change(State.UNSUBSCRIBED, Why.REMOVED), Change(State.SUBSCRIBED, Why.ADDED)
_ON_IT, _OFF_IT = Keep(Why.ALREADY_SUBSCRIBED), Keep(Why.ALREADY_LEFT)
# Event -> state -> what happens, were there no clock. What is missing is refused: above all, nothing moves the suppressed.
TRANSITIONS: Mapping[Event, Mapping[State, Step]] = {
    Event.WISH_TO_JOIN: {
        State.NONE: Ask(State.ASKED, Why.ASKED),
        State.ASKED: Ask(State.ASKED, Why.ASKED),
        State.SUBSCRIBED: Tell(Why.ALREADY_SUBSCRIBED),
        State.UNSUBSCRIBED: Ask(State.UNSUBSCRIBED, Why.ASKED),
    },
    Event.WISH_TO_LEAVE: {
        state: Ask(state, Why.ASKED) for state in (State.NONE, State.ASKED, State.SUBSCRIBED, State.UNSUBSCRIBED)
    },
    Event.LEAVES: {
        State.NONE: _LEAVES, State.ASKED: _LEAVES, State.SUBSCRIBED: _LEAVES, State.UNSUBSCRIBED: Tell(Why.ALREADY_LEFT),
    },
    Event.CONFIRMS_JOINING: {State.NONE: _JOINS, State.ASKED: _JOINS, State.SUBSCRIBED: _ON_IT, State.UNSUBSCRIBED: _JOINS},
    Event.CONFIRMS_LEAVING: {State.NONE: _LEAVES, State.ASKED: _LEAVES, State.SUBSCRIBED: _LEAVES, State.UNSUBSCRIBED: _OFF_IT},
    Event.RETURNS: {State.SUBSCRIBED: _ON_IT, State.UNSUBSCRIBED: Change(State.SUBSCRIBED, Why.RETURNED)},
    Event.REMOVED: {State.NONE: _REMOVED, State.ASKED: _REMOVED, State.SUBSCRIBED: _REMOVED, State.UNSUBSCRIBED: _OFF_IT},
    Event.ADDED: {State.NONE: _ADDED, State.ASKED: _ADDED, State.SUBSCRIBED: _ON_IT},  # who has left comes back by an own wish alone
}  # fmt: skip

# What is remembered of our own mails, to be held against the clock: which of them counts for an event.
PURPOSE_OF: Mapping[Event, Purpose] = {
    Event.WISH_TO_JOIN: Purpose.JOIN, Event.WISH_TO_LEAVE: Purpose.LEAVE, Event.LEAVES: Purpose.RETURN,
    Event.CONFIRMS_JOINING: Purpose.JOIN, Event.CONFIRMS_LEAVING: Purpose.LEAVE, Event.RETURNS: Purpose.RETURN,
}  # fmt: skip
ANSWER_TO: Mapping[Purpose, Event] = {
    Purpose.JOIN: Event.CONFIRMS_JOINING, Purpose.LEAVE: Event.CONFIRMS_LEAVING, Purpose.RETURN: Event.RETURNS,
}  # fmt: skip


def wish(journalist: Journalist | None, event: Event, last_asked: datetime | None, now: datetime) -> Step:
    """What is to happen, and why. `last_asked`: when our last mail of this purpose was written to the address; for an answer,
    when the very mail was that it answers, None where that was answered before."""
    state = journalist.state if journalist else State.NONE
    step = TRANSITIONS[event].get(state)
    if step is None:
        return Refuse(Why.SUPPRESSED if state is State.SUPPRESSED else Why.NOT_ASKED)
    match step:
        case Ask() if last_asked and now - last_asked < ONE_QUESTION_IN:
            return Keep(Why.ALREADY_ASKED)
        case Tell(why=why) if last_asked and now - last_asked < ONE_QUESTION_IN:
            return Keep(why)
        case Change() if event in ANSWER_TO.values() and last_asked is None:
            return Refuse(Why.NOT_ASKED)
        case Change() if event in ANSWER_TO.values() and last_asked and now - last_asked > ANSWERED_WITHIN:
            return Refuse(Why.TOO_LATE)
        case Ask() | Change() | Tell() | Keep() | Refuse():
            return step
        case _:
            assert_never(step)


def answer(asked: Asked, now: datetime) -> Step:
    """What follows when the address answers what we asked it. Each question is answered once."""
    return wish(asked.journalist, ANSWER_TO[asked.purpose], None if asked.is_used else asked.at, now)
