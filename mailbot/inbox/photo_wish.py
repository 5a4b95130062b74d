"""Photos of which release? A wish for photos acts only where that is certain, and where the mail wants nothing else that a person must see.

Certain is a release that the mail names, with every word beside it understood; or the one that a short reply answers, when it names
nothing. "Photos of the lighthouse" names a lighthouse and no release: a colleague may have better ones.
"""

from datetime import datetime

from mailbot.inbox.heard import A_RELEASE, Heard
from mailbot.inbox.intent import Kind
from mailbot.inbox.language import tokens
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.outcome import Context, SendRelease, Variant
from mailbot.inbox.reason import Reason
from mailbot.inbox.sentence import sentences
from mailbot.message.incoming import IncomingMessage
from mailbot.releases.release import public_editions, public_photos

SURE = 0.6
LONGEST = 80            # words; whoever writes more says more
LONGEST_REPLY = 30
_BESIDE = frozenset({Kind.PHOTOS, Kind.THANKS, *A_RELEASE})


def photos_of_one_release(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> SendRelease | None:
    """The answer with its contact sheet; None: it is a person's. Whether an answer may go to this sender is not asked here."""
    reading = heard.reading
    wish = reading.wish(Kind.PHOTOS)
    if wish is None or wish.confidence < SURE or reading.words > LONGEST:
        return None
    if not reading.said.union(one.kind for one in reading.wishes) <= _BESIDE:
        return None  # also a word for something else, however little it weighs: who has photos corrected or removed does not want them
    slug = _named(context, heard)
    if context.own_deliveries or context.our_mails:
        slug = _answered(message, context, heard, slug, now)
    for release in context.releases.values():
        edition = next((one for one in public_editions(release, now) if one.slug == slug), None)
        photos = tuple(photo.number for photo in public_photos(release, now)) if edition else ()
        if edition and photos:
            return SendRelease(
                release=release.id, edition=edition.slug, language=edition.language, why="photos", reason=Reason.PHOTOS, full=True,
                variant=Variant.PHOTOS, photos=photos,
            )  # fmt: skip
    return None


def _named(context: Context, heard: Heard) -> str:
    """The edition of the release that the mail itself names; empty where it names none, or something beside it is not understood. Where the
    release is asked for as well, the whole mail has to be: "a picture of the tarpaulins, too" wants more than the sheet."""
    reading = heard.reading
    release = reading.wish(*A_RELEASE)
    if release is None or heard.draft is None or heard.doubt is not None:
        return ""
    own = {word for edition in context.releases[heard.draft.release].editions for word in tokens(edition.title)}
    return heard.draft.edition if own.issuperset(reading.unexplained if release.confidence >= SURE else reading.unexplained_beside) else ""


def _answered(message: IncomingMessage, context: Context, heard: Heard, named: str, now: datetime) -> str:
    """The edition that our mail brought which this one answers: where it names the same release, or is short and names nothing at all."""
    sender = message.sender
    brought = {(ours.release, ours.edition) for ours in context.our_mails if sender and ours.recipient_key == sender.key}
    if len(brought) != 1 or len({ours.edition for ours in context.our_mails}) != 1:
        return ""
    ((release, edition),) = brought
    if release not in context.releases:
        return ""
    if _says_nothing_else(message, context, heard, now):
        return edition
    return named if any(one.slug == named for one in context.releases[release].editions) else ""


def _says_nothing_else(message: IncomingMessage, context: Context, heard: Heard, now: datetime) -> bool:
    """Each word is known to have nothing to do with what a release is about, or is the sender's name: then it is ours that is meant."""
    book, sender = lexicon(context.languages), message.sender
    said = sentences("", message.visible_text, book, heard.language, now)
    names = set(tokens(f"{sender.name} {sender.address}")) if sender else set()
    if heard.reading.topic or heard.reading.recent or sum(len(one.words) for one in said) > LONGEST_REPLY:
        return False
    for one in said:
        known = {place for hit in one.hits for place in range(hit.start, hit.end)}
        rest = {word for place, word in enumerate(one.words) if place not in known and len(word) > 1}
        if not rest <= book.small | names:
            return False
    return True
