"""A mail that is to leave: its states, and what the relay's words mean for it.

In doubt: between the final dot and the relay's answer nobody can know whether the mail was taken (RFC 1047). So `Phase`
says exactly how far a dialogue came, and a doubt is never called sent or failed, not even when a later try is refused.

Whose fault: what goes wrong before the recipient was named is the relay's or ours, and no recipient pays for it
(RelayDown). From RCPT on it counts against this delivery: a recipient who makes the relay hang up must not hold up the
others for ever.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a mail is for."""

    ANSWER = "answer"
    ACKNOWLEDGEMENT = "acknowledgement"  # or the office's words for a call for help; never a release
    LETTER = "letter"  # a colleague's own text to a journalist
    CONFIRMATION = "confirmation"
    HAND_OFF = "hand_off"
    TOLD = "told"  # to a colleague: what becomes of what they replied
    DIGEST = "digest"
    CORRECTION = "correction"  # to everybody who got what was wrong
    SIGN_OFF = "sign_off"  # to the signatory: a release to be signed
    BROADCAST = "broadcast"


# Claimed in this order: a broadcast never delays a journalist.
PRIORITY: Mapping[Kind, int] = {
    Kind.ANSWER: 0, Kind.ACKNOWLEDGEMENT: 0, Kind.LETTER: 0, Kind.CONFIRMATION: 0, Kind.TOLD: 0, Kind.HAND_OFF: 1, Kind.DIGEST: 1,
    Kind.CORRECTION: 1, Kind.SIGN_OFF: 1, Kind.BROADCAST: 2,
}  # fmt: skip

BY_LETTER = 3  # the priority of what is written from a letter: bulk_dispatch.py sends it, and nothing else does


class DeliveryState(StrEnum):
    """Where a mail stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    RETRYING = "retrying"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


# Sent is for ever. Only a person takes a failed or uncertain mail up again.
TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING, DeliveryState.SUPPRESSED, DeliveryState.CANCELLED}),
    DeliveryState.SENDING: frozenset(DeliveryState) - {DeliveryState.SENDING},
    DeliveryState.RETRYING: frozenset({DeliveryState.SENDING, DeliveryState.SUPPRESSED, DeliveryState.CANCELLED}),
    DeliveryState.FAILED: frozenset({DeliveryState.RETRYING}),
    DeliveryState.UNCERTAIN: frozenset({DeliveryState.RETRYING}),
    DeliveryState.SENT: frozenset(),
    DeliveryState.SUPPRESSED: frozenset(),
    DeliveryState.CANCELLED: frozenset(),
}


class Phase(StrEnum):
    """How far a dialogue with the relay came."""

    CONNECT = "connect"
    LOGIN = "login"
    ENVELOPE_MAIL = "envelope-mail"
    ENVELOPE_RCPT = "envelope-rcpt"
    BODY = "body"  # DATA was said; the final dot has certainly not left
    DATA = "data"  # the final dot may have left, and nothing was heard since: in doubt
    DONE = "done"  # the relay answered the final dot


class Fault(StrEnum):
    """What went wrong that is no reply of the relay."""

    NONE = "none"
    LOST = "lost"
    TIMEOUT = "timeout"
    UNINTELLIGIBLE = "unintelligible"  # what came back is not SMTP
    CERTIFICATE = "certificate"
    NO_STARTTLS = "no-starttls"
    LOGIN_REFUSED = "login-refused"
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - the login is by token, and there is none for us, or the relay does not take it
    SENDER_REFUSED = "sender-refused"  # this login may not send as our address
    NO_TOKEN = "no-token"  # noqa: S105 - at present: the token server is down, busy or talks nonsense
    TOO_BIG = "too-big"
    UNENCODABLE = "unencodable"
    STOPPED = "stopped"  # we ended the dialogue ourselves before DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class OurMail:
    """A mail of ours that somebody answers: what it brought, in which words, and the slugs of the releases that it numbers."""

    id: str
    kind: Kind
    recipient_key: str
    release: str
    edition: str
    language: str
    mentions: tuple[str, ...]
    key: str = ""  # what it is for, where its kind does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the relay said last, and in which phase. `enhanced` is the status of RFC 3463, where it gave one."""

    phase: Phase
    code: int | None = None
    enhanced: str = ""
    text: str = ""
    fault: Fault = Fault.NONE
    retry_after: float | None = None  # seconds we were asked to wait

    @property
    def accepted(self) -> bool:
        """The relay has taken the mail."""
        return self.phase is Phase.DONE and self.code is not None and 200 <= self.code < 300

    @property
    def refused(self) -> bool:
        """The relay said no, for now (4xx) or for good (5xx)."""
        return self.code is not None and 400 <= self.code < 600

    @property
    def in_doubt(self) -> bool:
        """The mail may have been taken."""
        return self.phase in (Phase.DATA, Phase.DONE) and not self.accepted and not self.refused


@dataclass(frozen=True, slots=True)
class Sent:
    """The relay has it."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The same bytes again, then. `others`: the relay has enough of us, and until then no other mail may leave either."""

    at: datetime
    others: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It has certainly not been taken, and will not be."""

    why: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may have been taken; a person decides."""

    why: str


@dataclass(frozen=True, slots=True)
class RelayDown:
    """No recipient's fault: the delivery waits as if it had not been tried, and so does every other."""

    until: datetime
    why: str


Verdict = Sent | RetryAt | Failed | Uncertain | RelayDown

# One byte-identical copy too many does no harm there; a second answer to a journalist does.
REPEATED_WHEN_IN_DOUBT = frozenset({Kind.HAND_OFF, Kind.TOLD, Kind.DIGEST, Kind.SIGN_OFF, Kind.BROADCAST})
NOBODYS_RECIPIENT = frozenset({Phase.CONNECT, Phase.LOGIN, Phase.ENVELOPE_MAIL})
NEEDS_A_PERSON = frozenset({Fault.CERTIFICATE, Fault.NO_STARTTLS, Fault.LOGIN_REFUSED, Fault.TOKEN_REFUSED, Fault.SENDER_REFUSED})
SENDER_REFUSED_STATUS, SENDER_REFUSED_WORD = frozenset({"5.7.60", "5.2.252"}), "SendAsDenied"  # Exchange, often only after the final dot
LOGIN_CODES = frozenset({530, 534, 535, 538})  # RFC 4954: about our login, whichever command it answers
TOO_BIG_STATUS = frozenset({"5.2.3", "5.3.4"})
FIRST_PAUSE, LONGEST_PAUSE, PERSON_PAUSE = timedelta(seconds=1), timedelta(minutes=5), timedelta(minutes=1)
SPREAD = 0.1  # a wait grows by up to a tenth, so that what failed together does not come back together
# Exchange Online has enough of this mailbox for the minute (432, concurrent connections), or of us altogether (4.7.500 to 699).
THROTTLED_CODE, THROTTLED = 432, re.compile(r"4\.7\.[56]\d\d")
ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?=\s|$)", re.ASCII)


def enhanced_status(code: int, text: str) -> str:
    """The RFC 3463 status at the start of a reply's text, where it is of the same class as the code; else ""."""
    found = ENHANCED.match(text)
    return found[0] if found and int(found[1]) == code // 100 else ""


def judge(
    reply: Reply, *, kind: Kind, attempts: int, doubts: int, now: datetime, schedule: Sequence[float], uncertain_retry_seconds: float,
    relay_failures: int, jitter: float,
) -> Verdict:  # fmt: skip
    """What becomes of the delivery.

    `attempts` counts this one; `doubts` are the earlier attempts that ended in doubt; `relay_failures` the RelayDowns in a
    row before this one; `jitter` is from 0 to 1.
    """
    spread = 1 + SPREAD * jitter
    if reply.accepted:
        return Sent()
    if reply.in_doubt:
        if kind in REPEATED_WHEN_IN_DOUBT and not doubts:
            return RetryAt(now + timedelta(seconds=uncertain_retry_seconds) * spread)
        return Uncertain(reply.fault if reply.fault is not Fault.NONE else Fault.UNINTELLIGIBLE)
    if why := _relay_trouble(reply):
        return RelayDown(now + _pause(reply, relay_failures) * spread, why)
    why = _refusal(reply)
    if not why and attempts <= len(schedule):
        others = now + PERSON_PAUSE if _is_throttled(reply) else None
        return RetryAt(now + timedelta(seconds=schedule[attempts - 1]) * spread, others)
    why = why or "gave-up"
    return Uncertain(f"{why}-after-doubt") if doubts else Failed(why)  # the doubtful copy may have arrived all the same


def login_was_refused(reply: Reply) -> bool:
    """A person has to look at the user name, the password, the application's permissions."""
    return _relay_trouble(reply) in (Fault.LOGIN_REFUSED, Fault.TOKEN_REFUSED, Fault.SENDER_REFUSED)


def _relay_trouble(reply: Reply) -> str:
    """Why the relay, or our settings, are to blame; "" where they are not."""
    if reply.fault in NEEDS_A_PERSON or reply.fault is Fault.STOPPED:
        return reply.fault
    if reply.refused and (reply.enhanced in SENDER_REFUSED_STATUS or SENDER_REFUSED_WORD in reply.text):
        return Fault.SENDER_REFUSED
    if reply.code in LOGIN_CODES and reply.phase is not Phase.DONE:
        return Fault.LOGIN_REFUSED
    if reply.phase not in NOBODYS_RECIPIENT or reply.fault is Fault.TOO_BIG or _too_big(reply):
        return ""
    if reply.fault is not Fault.NONE:
        return reply.fault
    return "relay-refuses" if reply.code is not None and reply.code >= 500 else "relay-busy"


def _refusal(reply: Reply) -> str:
    """Why this mail is refused for good; "" where another try may help."""
    if reply.fault in (Fault.TOO_BIG, Fault.UNENCODABLE):
        return reply.fault
    if reply.code is None or reply.code < 500:
        return ""
    if reply.code == 552 and reply.phase is Phase.ENVELOPE_RCPT and reply.enhanced in ("", "5.5.3"):
        return ""  # "too many recipients": temporary, whatever its number says (RFC 5321, 4.5.3.1.10)
    return Fault.TOO_BIG if _too_big(reply) else "refused"


def _too_big(reply: Reply) -> bool:
    """RFC 1870: 552 at MAIL, or the status that says so."""
    if reply.code is None or reply.code < 500:
        return False
    return reply.enhanced in TOO_BIG_STATUS or (reply.code == 552 and reply.phase is Phase.ENVELOPE_MAIL and not reply.enhanced)


def _is_throttled(reply: Reply) -> bool:
    """It counts against this delivery, which else might hold up all others for ever: in a relay that asks the recipient's own server, any
    recipient can make it say so."""
    return reply.code == THROTTLED_CODE or THROTTLED.fullmatch(reply.enhanced) is not None


def _pause(reply: Reply, relay_failures: int) -> timedelta:
    """Doubled with every failure in a row; what only a person or a minute can mend is not tried every second."""
    if reply.fault is Fault.STOPPED:
        return timedelta()
    doubled = min(FIRST_PAUSE * (1 << min(relay_failures, 20)), LONGEST_PAUSE)
    doubled = max(doubled, timedelta(seconds=reply.retry_after or 0))
    return max(doubled, PERSON_PAUSE) if _relay_trouble(reply) in NEEDS_A_PERSON or _is_throttled(reply) else doubled
