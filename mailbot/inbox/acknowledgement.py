"""Does a word go back at once to who wrote, when a person has to answer? Once, to people alone, and never into doubt. Pure.

A call for help gets the office's own referral in its place, or nothing: no form letter to somebody in distress.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.inbox import destination
from mailbot.inbox.automatic_mail import Verdict
from mailbot.inbox.decision import judgement
from mailbot.inbox.outcome import Context, Decided, HandOff, SendRelease
from mailbot.inbox.reason import PROTECTED, Reason
from mailbot.message.incoming import IncomingMessage, Unreadable

PERSON_PAUSE = timedelta(days=1)
# The mail is a person's to read, and yet nobody waits for a word of ours.
_UNWELCOME = frozenset({
    Reason.JUNK, Reason.SPAM, Reason.COLLEAGUE, Reason.RESCAN_DOUBT, Reason.OLD_IN_RESCAN, Reason.ASKED_AGAIN, Reason.CAP_ADDRESS,
    Reason.CAP_DOMAIN, Reason.CAP_MINUTE, Reason.CAP_SAME_WORDS, Reason.COMPLAINED, Reason.ANSWERS_STOPPED,
})  # fmt: skip


class Hush(StrEnum):
    """Why nothing goes back."""

    NO_HAND_OFF = "no-hand-off"
    ANSWERED = "answered"
    OFFERED = "offered"
    NOT_A_PERSON = "not-a-person"
    UNWELCOME = "unwelcome"
    SENDER_IN_DOUBT = "sender-in-doubt"
    TOO_MANY = "too-many"
    ALREADY_TODAY = "already-today"
    SAME_THREAD = "same-thread"
    REFERRED = "referred"


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Say that a person of the office will read it."""


@dataclass(frozen=True, slots=True)
class Refer:
    """Send the office's own words for a call for help."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Send nothing."""

    why: Hush


Courtesy = Acknowledge | Refer | Silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An acknowledgement, or a referral, that went to this person within the pause."""

    delivery: str
    in_reply_to: str
    at: datetime
    referral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What went to this person within the pause, and how many acknowledgements to the domain in an hour, to anybody in a minute."""

    sent: Sequence[Sent] = ()
    domain_in_an_hour: int = 0
    in_a_minute: int = 0


def courtesy(decided: Decided, message: IncomingMessage | Unreadable, context: Context, earlier: Earlier, now: datetime) -> Courtesy:
    """The one rule: the first question that answers no wins."""
    note = next((decision for decision in decided.decisions if isinstance(decision, HandOff)), None)
    if note is None:
        return Silent(Hush.NO_HAND_OFF)
    hush = _nobody(decided, message, context, note)
    if hush is None and _too_many(context, earlier):
        hush = Hush.TOO_MANY
    if hush is not None:
        return Silent(hush)
    assert isinstance(message, IncomingMessage)
    if note.reason in PROTECTED:
        return Silent(Hush.REFERRED) if any(one.referral for one in earlier.sent) else Refer()
    if any(isinstance(decision, SendRelease) for decision in decided.decisions):
        return Silent(Hush.ANSWERED)  # the answer says that a colleague has the rest
    if note.offer:
        return Silent(Hush.OFFERED)
    if any(one.at > now - PERSON_PAUSE for one in earlier.sent):
        return Silent(Hush.ALREADY_TODAY)
    return Silent(Hush.SAME_THREAD) if _same_thread(message, context, earlier.sent) else Acknowledge()


def _nobody(decided: Decided, message: IncomingMessage | Unreadable, context: Context, note: HandOff) -> Hush | None:
    """Is there no person there, or none that may be written to?"""
    if isinstance(message, Unreadable) or decided.kind != "request" or judgement(message, context).verdict is not Verdict.PERSON:
        return Hush.NOT_A_PERSON
    if note.reason in _UNWELCOME or context.junk or (message.sender and message.sender.key in context.colleagues | context.own_addresses):
        return Hush.UNWELCOME
    doubtful = destination.hindrance(message, context.authentication, from_a_file=context.from_a_file)
    return Hush.SENDER_IN_DOUBT if doubtful else None


def _too_many(context: Context, earlier: Earlier) -> bool:
    """Under the same caps as answers, and counted with them."""
    domain, minute = context.answers_hour_domain + earlier.domain_in_an_hour, context.answers_last_minute + earlier.in_a_minute
    return domain >= context.caps.answers_per_domain_per_hour or minute >= context.caps.answers_per_minute


def _same_thread(message: IncomingMessage, context: Context, sent: Sequence[Sent]) -> bool:
    """Does this mail answer an acknowledgement, or go on from a mail that had one?"""
    named = {*message.in_reply_to, *message.references}
    return any(one.delivery in context.own_deliveries or (one.in_reply_to and one.in_reply_to in named) for one in sent)
