"""What follows from a bounce or a complaint: the address is written to no more, or all stays as it was.

RULE is the whole of it. Everything in a report can be forged but the seal in our own Message-ID (MAIL.md BN-01, BN-02), so the address that
is judged is the one that our delivery went to, never the one that the report names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from mailbot.message import address
from mailbot.message.delivery_report import ReportedRecipient
from mailbot.message.severity import NO_FAILURE, severity


class Grade(StrEnum):
    """What one report says about an address."""

    HARD = "hard"              # nobody is there
    SOFT = "soft"              # it may work another day
    OURS = "ours"              # our mail or our server is refused: no word about the address
    COMPLAINT = "complaint"    # the person called it spam, or wants out
    NOTED = "noted"            # only late, or a report about something else


class Why(StrEnum):
    """Why an address is suppressed."""

    HARD_BOUNCE = "hard-bounce"
    SOFT_BOUNCES = "soft-bounces"
    COMPLAINT = "complaint"
    BY_HAND = "by-hand"        # a colleague, by command
    FORGOTTEN = "forgotten"    # under a keyed hash: no list brings the address back; only its owner can, who writes anew


@dataclass(frozen=True, slots=True)
class After:
    """Suppress for this reason, after so many of the kind on so many different days within the time. One mail counts once."""

    why: Why
    times: int = 1
    days: int = 1
    within: timedelta = timedelta(days=30)


RULE: Mapping[Grade, After | None] = {
    Grade.HARD: After(Why.HARD_BOUNCE),
    Grade.SOFT: After(Why.SOFT_BOUNCES, times=5, days=3),
    Grade.COMPLAINT: After(Why.COMPLAINT),
    Grade.OURS: None,
    Grade.NOTED: None,
}
# What is refused for our sake: sent by us, of this size, with these words (severity.py); and every status of policy and reputation.
OUR_MEANINGS = frozenset({"policy", "content", "sender-refused", "too-big"})
OUR_STATUS = frozenset({"5.1.7", "5.1.8", "5.1.9", "5.2.3", "5.3.4"})
COMPLAINTS = frozenset({"abuse", "opt-out", "opt-out-list"})    # feedback types of RFC 5965; fraud, virus, not-spam and others are noted


@dataclass(frozen=True, slots=True)
class Bounce:
    """One report about an address, and the delivery of ours that it is about."""

    at: datetime
    grade: Grade
    delivery: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """No mail that the person has not just asked for goes there any more."""

    why: Why


@dataclass(frozen=True, slots=True)
class Keep:
    """It stays as it was; the grade tells why."""

    grade: Grade


def judge(history: Sequence[Bounce], new: Bounce) -> Suppress | Keep:
    """The new report beside those that came before about the same address."""
    after = RULE[new.grade]
    if after is None:
        return Keep(new.grade)
    since = new.at - after.within
    first: dict[str, datetime] = {}
    for one in sorted([*history, new], key=lambda one: one.at):
        if one.grade is new.grade and since < one.at <= new.at:
            first.setdefault(one.delivery, one.at)
    days = {at.astimezone(UTC).date() for at in first.values()}
    return Suppress(after.why) if len(first) >= after.times and len(days) >= after.days else Keep(new.grade)


def grade(action: str, status: str, meaning: str) -> Grade:
    """Of what a mail system says about one recipient; `meaning` is a group of config/bounces.yaml."""
    if action in NO_FAILURE:
        return Grade.NOTED
    if status.startswith(("5.7.", "4.7.")) or status in OUR_STATUS or meaning in OUR_MEANINGS:
        return Grade.OURS
    return Grade.HARD if severity(action, status, meaning) == "hard" else Grade.SOFT


def grade_of_feedback(feedback_type: str) -> Grade:
    """Of a feedback report."""
    return Grade.COMPLAINT if feedback_type.lower() in COMPLAINTS else Grade.NOTED


def is_lasting(why: Why) -> bool:
    """Whether even an answer to the person's own mail stays away: who complained wants nothing; of all others, who writes is there."""
    return why is Why.COMPLAINT


def concerned(went_to: Mapping[str, str], reported: Sequence[ReportedRecipient]) -> tuple[tuple[str, ReportedRecipient | None], ...]:
    """The deliveries that a report is about, one to a person, each with what it says of it. `went_to`: the key of each delivery, oldest
    first: an answer names those before it in its References, and the newest is the one that comes back.

    Deliveries to one person are believed whomever the report names: mail is forwarded, and who forwards it bounces elsewhere. Where the
    seals are of several people, a quoted thread is in it, and only who is named too is meant."""
    named = {address.key(one.recipient): one for one in reversed(reported)}
    newest = {key: delivery for delivery, key in went_to.items()}
    if len(newest) > 1:
        return tuple((delivery, named[key]) for key, delivery in newest.items() if key in named)
    other = reported[0] if reported else None
    return tuple((delivery, named.get(key, other)) for key, delivery in newest.items())
