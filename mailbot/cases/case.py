"""A mail that a person has to answer: who has it now, until when, and what became of it.

A case begins with the note to the first colleague. It ends answered or closed, and with it every token that was sent out for it.
Untouched at half the time to its deadline it goes to the next name; at the end of the list it stays with the last one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from mailbot.message.address import Address

WITHOUT_DEADLINE = timedelta(hours=4)   # how long a colleague has a case for which nobody named a time
HELD_BACK = timedelta(minutes=3)        # how long a colleague's own text can still be stopped


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ANSWERING = "answering"     # a colleague's text is held back for some minutes
    ANSWERED = "answered"
    CLOSED = "closed"           # nothing is sent: a colleague said no, or has answered by another way
    SNOOZED = "snoozed"         # the colleague who has it will see it again later


# An answer may come to nothing, and then the case is open again; what a colleague closed stays closed.
TRANSITIONS: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.ANSWERING, CaseState.ANSWERED, CaseState.CLOSED, CaseState.SNOOZED}),
    CaseState.ANSWERING: frozenset({CaseState.OPEN, CaseState.ANSWERING, CaseState.ANSWERED, CaseState.CLOSED}),
    CaseState.SNOOZED: frozenset({CaseState.OPEN, CaseState.ANSWERING, CaseState.ANSWERED, CaseState.CLOSED, CaseState.SNOOZED}),
    CaseState.ANSWERED: frozenset({CaseState.OPEN}),
    CaseState.CLOSED: frozenset(),
}
UNFINISHED = frozenset({CaseState.OPEN, CaseState.ANSWERING, CaseState.SNOOZED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is known when a case begins. `draft` and `note` are plain values, as they are kept."""

    mail: int
    reason: str
    journalist: Address | None      # None: nobody who could be answered
    language: str
    authenticated: bool
    references: tuple[str, ...] = ()
    draft: Mapping[str, Any] | None = None
    note: Mapping[str, Any]
    deadline: datetime | None = None
    deadline_words: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it stands; subject, message_id and received_at are those of its mail."""

    id: int
    mail: int
    state: CaseState
    reason: str
    colleague: str                  # the address of who has it now; empty: no note has gone out
    journalist: Address | None
    language: str
    authenticated: bool
    subject: str
    message_id: str
    references: tuple[str, ...]
    received_at: datetime
    draft: Mapping[str, Any] | None
    note: Mapping[str, Any]
    deadline: datetime | None
    deadline_words: str
    urgent: bool
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    answer: str                     # the delivery that is held back, has answered it, or was to
    closed_by: str                  # the address of the colleague whose word that was; empty: none, or a command

    @property
    def is_finished(self) -> bool:
        """Its tokens are spent."""
        return self.state not in UNFINISHED


@dataclass(frozen=True, slots=True)
class Note:
    """What a colleague replies to: a mail of ours about a case, and whose it is. Nobody else may use its token.

    `written`: how many such mails there were about this case."""

    delivery: str
    case: Case
    colleague_key: str
    written: int


@dataclass(frozen=True, slots=True)
class PassOn:
    """The next name gets it."""

    to: Address


@dataclass(frozen=True, slots=True)
class ComeBack:
    """The snooze is over: the same colleague sees it again."""

    to: Address


@dataclass(frozen=True, slots=True)
class StayWithLast:
    """There is no next name: it stays where it is, and the next list names it."""


Escalation = PassOn | ComeBack | StayWithLast


def escalation(case: Case, now: datetime, colleagues: Sequence[Address]) -> Escalation | None:
    """Whom a case goes to now; None: nobody, yet."""
    if case.due_at is None or now < case.due_at or case.state not in (CaseState.OPEN, CaseState.SNOOZED):
        return None
    has_it = next((one for one in colleagues if one.address == case.colleague), None)
    if case.state is CaseState.SNOOZED and has_it is not None:
        return ComeBack(has_it)
    return next_name(case, colleagues)


def next_name(case: Case, colleagues: Sequence[Address]) -> PassOn | StayWithLast:
    """Who comes after the one who has it; who wrote the mail does not get it. Somebody who left the list is before its start."""
    keys = [one.address for one in colleagues]
    place = keys.index(case.colleague) + 1 if case.colleague in keys else 0
    wrote = case.journalist.key if case.journalist else ""
    return next((PassOn(one) for one in colleagues[place:] if one.key != wrote), StayWithLast())


def due(given_at: datetime, deadline: datetime | None) -> datetime:
    """When a case that somebody was given then goes on: half the time to its deadline, where that is still ahead."""
    if deadline is None or deadline <= given_at:
        return given_at + WITHOUT_DEADLINE
    return given_at + (deadline - given_at) / 2
