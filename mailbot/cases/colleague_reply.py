"""What a colleague's reply to a note of ours means.

Who may speak (MAIL.md decision 6, AU-05, T-06): the note's token, in its sealed Message-ID or in its subject, and a listed sender whose
note it was. A domain that disowns the mail (FAIL) is never heard. Where the office's own server writes no result at all, as it does for
mail between two of its own mailboxes, the token alone must do: it has 128 bits, was sent to that one address and to nobody else, ends
with its case, and what a colleague writes is echoed to that address before it leaves.

In doubt nothing is sent: a word that is not alone, a text that still holds our note, a copy to somebody else, and the colleague is told
why. A text that holds the note is known by the token, which stands in its subject and in its first line: no client's unknown way to
quote can carry what we wrote to a colleague on to a journalist.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from mailbot.cases import later
from mailbot.cases.case import CaseState, Note
from mailbot.languages import Language
from mailbot.message import token
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import Attachment

LEAST_LETTERS = 20      # "I am on it" is for us, and no mail to a journalist
MOST_NOTES = 20         # about one case: a colleague's answering machine that hides well must not talk with us for ever
SMALL_PICTURE = 64 << 10
SIGNATURE_LINES = 15
_GAP = re.compile(r"\[[^\[\]\n]{2,60}\]")   # what the beginning of an answer leaves to the colleague
_NAME = re.compile(r"[^\W\d_]{3,}")
_EMBEDDED = re.compile(r"image\d{3}\.\w{3,4}|outlook-\S*", re.IGNORECASE)     # what Outlook calls the logo in a signature


class Order(StrEnum):
    """The one-word replies that mean something to a case."""

    YES = "yes"
    NO = "no"
    LATER = "later"


class Refusal(StrEnum):
    """Why nothing came of a reply; the colleague is told in words."""

    NOT_YOURS = "not-yours"
    UNVERIFIED = "unverified"
    FINISHED = "finished"
    LEFT = "left"
    HELD = "held"
    NO_DRAFT = "no-draft"
    NOT_PUBLIC = "not-public"
    NOBODY = "nobody"
    MORE_THAN_YES = "more-than-yes"
    EMPTY = "empty"
    QUOTED = "quoted"
    INCOMPLETE = "incomplete"
    TOO_SHORT = "too-short"
    ATTACHMENTS = "attachments"
    TOO_MANY = "too-many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The facts of a reply. `others`: whoever stands in To or Cc besides us and its sender; `rest`: what stands below the word."""

    sender: Address
    authentication: Authentication
    others: tuple[str, ...] = ()
    text: str
    attachments: tuple[Attachment, ...] = ()
    order: Order | None = None
    written: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class SendDraft:
    """The draft leaves as it is."""


@dataclass(frozen=True, slots=True)
class SendOwn:
    """This text goes to the journalist, after it was echoed."""

    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Said among colleagues; nothing is sent."""


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing is to be sent."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What is to leave does not, if there is still time."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """The colleague will look again then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Away:
    """The colleague's answering machine: somebody else has to look."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing comes of it."""

    reason: Refusal


Meaning = SendDraft | SendOwn | Remark | Close | Stop | Snooze | Away | Refused


def read(reply: Reply, note: Note, languages: Mapping[str, Language], now: datetime, zone: tzinfo) -> Meaning:
    """The first question that is answered decides; what stops or postpones is asked before what sends."""
    if unheard := _unheard(reply, note):
        return Refused(unheard)
    answering = note.case.state is CaseState.ANSWERING
    if _stops(reply, note):
        return Stop()
    if reply.others:
        return Remark()
    if reply.order is Order.NO:
        return Close()
    if answering and reply.order is not None:
        return Refused(Refusal.HELD)
    if reply.order is Order.LATER:
        return Snooze(later.until(reply.written, languages, now, zone))
    hindrance = _not_for_sending(reply, note)
    if hindrance:
        return Refused(hindrance)
    return SendDraft() if reply.order is Order.YES else SendOwn(reply.text.strip())


def _unheard(reply: Reply, note: Note) -> Refusal | None:
    """Who is it, and is there still something to say?"""
    if reply.sender.key != note.colleague_key:
        return Refusal.NOT_YOURS
    if reply.authentication not in (Authentication.PASS, Authentication.NONE):
        return Refusal.UNVERIFIED
    if note.written >= MOST_NOTES:
        return Refusal.TOO_MANY
    return Refusal.FINISHED if note.case.is_finished and not _stops(reply, note) else None


def _stops(reply: Reply, note: Note) -> bool:
    """A text that is held back, or an answer that has not left yet because the relay is busy."""
    return reply.order is Order.NO and note.case.state in (CaseState.ANSWERING, CaseState.ANSWERED)


def _not_for_sending(reply: Reply, note: Note) -> Refusal | None:
    """Why neither the draft nor the colleague's text goes to a journalist."""
    case, text = note.case, reply.text.strip()
    if any(map(_is_a_file, reply.attachments)):
        return Refusal.ATTACHMENTS
    if not text:
        return Refusal.EMPTY
    if case.journalist is None:
        return Refusal.NOBODY
    if reply.order is Order.YES:
        if reply.rest and not _is_signature(reply.rest, reply.sender):
            return Refusal.MORE_THAN_YES
        return None if case.draft is not None else Refusal.NO_DRAFT
    if token.in_brackets(text):
        return Refusal.QUOTED
    gaps = _GAP.findall(str(case.note.get("skeleton") or ""))
    if any(gap in text for gap in gaps):
        return Refusal.INCOMPLETE
    return Refusal.TOO_SHORT if sum(map(str.isalnum, text)) < LEAST_LETTERS else None


def _is_a_file(attachment: Attachment) -> bool:
    """Something that the colleague wants to send, and not the logo or the seal of a signature."""
    kind = attachment.content_type
    if kind in ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"):
        return False
    embedded = attachment.size <= SMALL_PICTURE or _EMBEDDED.fullmatch(attachment.name)
    return not (kind.startswith("image/") and embedded)


def _is_signature(rest: str, sender: Address) -> bool:
    """Outlook puts no mark before a signature: it is one when its first line is short and has the sender's name in it."""
    lines = rest.split("\n")
    named = set(_names(sender.name)) | set(_names(sender.address.partition("@")[0]))
    return len(lines) <= SIGNATURE_LINES and len(lines[0].split()) <= 5 and not named.isdisjoint(_names(lines[0]))


def _names(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return _NAME.findall("".join(letter for letter in folded if not unicodedata.combining(letter)).replace("_", " "))
