"""One word in reply to a mail of ours: which variant of which release goes back, or why a person takes it.

Which mail of ours: the one whose sealed Message-ID stands in In-Reply-To or References; where a relay has rewritten those, the last
one that brought this person the edition that the subject names in square brackets. The seal was sent to nobody but its recipient,
so his words count even where no domain vouches for them, for the short text alone; a subject can be guessed, so there they do not.

STOP, YES, NO, LATER and BACK are not for here: None leaves them, and everything that is no such word, to whoever asks next.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.inbox import destination
from mailbot.inbox.brakes import stopped
from mailbot.inbox.fulfilment import capped
from mailbot.inbox.heard import below
from mailbot.inbox.intent import Kind
from mailbot.inbox.outcome import Context, Decided, HandOff, SendRelease, Variant
from mailbot.inbox.reason import Reason
from mailbot.inbox.short_reply import LONGEST_GREETING, ShortReply, Word, short_reply
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage
from mailbot.outbox import delivery
from mailbot.outbox.delivery import OurMail
from mailbot.releases.release import Edition, Release, State, public_editions, public_photos

SURE = 0.95
_REFERENCE = re.compile(r"\[([a-z0-9-]{1,120})\]")
_VARIANTS = {
    Word.TEXT: Variant.TEXT, Word.PDF: Variant.PDF, Word.CONTACT: Variant.CONTACT, Word.HELP: Variant.HELP, Word.PHOTOS: Variant.PHOTOS,
    Word.PHOTO: Variant.PHOTO,
}  # fmt: skip
_OURS = frozenset({*_VARIANTS, Word.LANGUAGE, Word.NUMBER})


@dataclass(frozen=True, slots=True)
class _Asked:
    """An edition in a variant, the language that the mail around it is in, and the numbers of the photos that go along."""

    edition: Edition
    variant: Variant
    spoken: str
    photos: tuple[int, ...] = ()


def reference(subject: str) -> str:
    """The slug of the edition that a subject of ours names; empty where it names none."""
    found: list[str] = _REFERENCE.findall(subject)
    return found[-1] if found else ""


def answer_back(message: IncomingMessage, context: Context, now: datetime) -> Decided | None:
    """None: it is no such word, or not in reply to a mail of ours that has variants."""
    said = short_reply(message.visible_text, context.languages) if context.our_mails else None
    if said is None or said.word not in _OURS:
        return None
    ours, sealed = _answered(message, context)
    if ours is None or ours.kind not in (delivery.Kind.ANSWER, delivery.Kind.CORRECTION, delivery.Kind.BROADCAST):
        return None
    if ours.language not in context.languages:  # its folder has gone since
        ours = replace(ours, language=context.organisation_languages[0])
    if said.rest and any(wish.kind is not Kind.THANKS for wish in below(said, message, context, now).wishes):
        return None  # more is wanted than the word says, and it may be grave
    decided = _decided(said, ours, sealed, message, context, now)
    if len(said.rest) <= LONGEST_GREETING or not isinstance(decided.decision, SendRelease):
        return decided
    return replace(decided, decisions=(decided.decision, HandOff(reason=Reason.REPLY_TO_OURS, why="reply-to-ours")))


def _answered(message: IncomingMessage, context: Context) -> tuple[OurMail | None, bool]:
    """The mail of ours that this one answers, the nearest first; and whether its seal says so, or only the subject."""
    for named in (*message.in_reply_to, *reversed(message.references)):
        for ours in context.our_mails:
            if named.startswith(f"<mb.{ours.id}."):
                return ours, True
    slug = reference(message.subject)
    return next((ours for ours in context.our_mails if slug and ours.edition == slug), None), False


def _decided(
    said: ShortReply, ours: OurMail, sealed: bool, message: IncomingMessage, context: Context, now: datetime
) -> Decided:
    evidence = (said.written,)

    def person(reason: Reason, offers: tuple[str, ...] = ()) -> Decided:
        handed = HandOff(reason=reason, why=str(reason), offers=offers)
        return Decided(decisions=(handed,), kind="request", language=ours.language, confidence=SURE, evidence=evidence)

    if message.sender is None or message.sender.key != ours.recipient_key:
        return person(Reason.REPLY_TO_OURS)
    if context.junk:
        return person(Reason.JUNK)
    if hindrance := destination.hindrance(message, context.authentication, from_a_file=context.from_a_file):
        return person(hindrance)
    asked = _asked(said, ours, context, now)
    if isinstance(asked, Reason):
        return person(asked)
    confirmed = context.authentication is Authentication.PASS
    of_photos = said.word in (Word.PHOTOS, Word.PHOTO)
    if of_photos and not (confirmed and asked.photos):  # a file goes to nobody else; and what we have not got, somebody may have
        return person(Reason.PHOTOS, (asked.edition.slug,))
    send = SendRelease(
        release=asked.edition.release, edition=asked.edition.slug, language=asked.edition.language,
        why="photos" if of_photos else "answer-back", reason=Reason.ANSWER_BACK, full=confirmed, variant=asked.variant, photos=asked.photos,
    )  # fmt: skip
    before = context.earlier_variants.count((send.edition, send.wanted))
    if before >= (2 if confirmed else 1) or not (confirmed or sealed):
        return person(Reason.ASKED_AGAIN)
    if cap := stopped(context) or capped(context):
        return person(cap)
    return Decided(decisions=(replace(send, repeat=before > 0),), kind="request", language=asked.spoken, confidence=SURE, evidence=evidence)


def _asked(said: ShortReply, ours: OurMail, context: Context, now: datetime) -> _Asked | Reason:
    """What the word asks for, of what is public at this moment."""
    if said.word is Word.NUMBER:
        place = int(said.argument) - 1
        picked = ours.mentions[place] if 0 <= place < len(ours.mentions) else ""
        edition = _public(picked, context, now)[0] if picked else None
        return _Asked(edition, Variant.FULL, ours.language) if edition else _gone(picked, context) if picked else Reason.REPLY_TO_OURS
    if not ours.edition:
        return Reason.REPLY_TO_OURS
    edition, release = _public(ours.edition, context, now)
    if edition is None or release is None:
        return _gone(ours.edition, context)
    if said.word is not Word.LANGUAGE:
        photos = tuple(one.number for one in public_photos(release, now) if said.word is Word.PHOTOS or str(one.number) == said.argument)
        variant = _VARIANTS[said.word]
        return _Asked(edition, variant, ours.language, photos if variant in (Variant.PHOTOS, Variant.PHOTO) else ())
    spoken = said.argument if said.argument in context.organisation_languages else ours.language
    wanted = next((one for one in public_editions(release, now) if one.language == said.argument), None)
    return _Asked(wanted, Variant.FULL, spoken) if wanted else _Asked(edition, Variant.EDITIONS, spoken)


def _gone(slug: str, context: Context) -> Reason:
    """Why an edition that a mail of ours named is not to be had."""
    states = {edition.slug: edition.state for release in context.releases.values() for edition in release.editions}
    return Reason.WITHDRAWN if states.get(slug) is State.WITHDRAWN else Reason.NO_MATCH


def _public(slug: str, context: Context, now: datetime) -> tuple[Edition | None, Release | None]:
    for release in context.releases.values():
        for edition in release.editions:
            if edition.slug == slug:
                return (edition, release) if edition in public_editions(release, now) else (None, None)
    return None, None
