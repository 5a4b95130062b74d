"""What a mail says and what could be sent for it: its words, held against the office's releases."""

from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.inbox import language
from mailbot.inbox.choice import Choice, Doubt, bears_out, choose, offers
from mailbot.inbox.deadline import Deadline
from mailbot.inbox.intent import Kind, Reading, read
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.outcome import Context, SendRelease
from mailbot.inbox.reason import Reason
from mailbot.inbox.said import Ears, own_words, take_in
from mailbot.inbox.short_reply import LONGEST_GREETING, ShortReply
from mailbot.inbox.two_releases import two_named
from mailbot.inbox.understanding import understand
from mailbot.inbox.weighing import NEARLY, SURE
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage
from mailbot.releases.release import Release, edition_for, public_editions

A_RELEASE = (Kind.LATEST, Kind.ABOUT)
_REASON_OF = {"latest": Reason.LATEST_ASKED, "topic": Reason.TOPIC_ASKED, "date": Reason.DATE_ASKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The wishes in their language, the release that fits them or why none does, and what may be offered instead."""

    language: str
    reading: Reading
    draft: SendRelease | None
    doubt: Doubt | None
    offers: tuple[str, ...]
    deadline: Deadline | None = None
    second: SendRelease | None = None  # of a mail that names two, or wants one in every language


def listen(message: IncomingMessage, context: Context, now: datetime) -> Heard:
    """Understand the text, and look for the release it asks for."""
    known = own_words(context.own_addresses, context.organisation_names)
    ears = Ears(context.languages, context.organisation_languages[0], known, own_addresses=context.own_addresses)
    understood = context.understood or understand(take_in(message, ears, now), context.languages, context.index, known, now)
    spoken, reading = understood.language, understood.reading
    order = tuple(code for code in (reading.wanted_language, spoken, *context.organisation_languages) if code)
    if not reading.wish(*A_RELEASE):
        return Heard(language=spoken, reading=reading, draft=None, doubt=None, offers=(), deadline=understood.deadline)
    two = two_named(reading, context.releases, context.index, known, now) if _is_about_releases_alone(reading) else ()
    chosen = two[0] if two else choose(reading, context.releases, context.index, known, now)
    sure = isinstance(chosen, Choice) and chosen.doubt is None
    if isinstance(chosen, Choice) and chosen.doubt is None and any(wish.confidence == NEARLY for wish in reading.wishes):
        is_meant = bool(two) or bears_out(reading, chosen.release, context.index, known, now)
        reading = _heard_better(reading) if is_meant else reading
    if (gone := _withdrawn(reading, context, known, sure, now)) is not None:
        meant = edition_for(gone, order, now)
        return Heard(
            language=spoken, reading=reading, draft=None, doubt=Doubt.WITHDRAWN, offers=(meant.slug,) if meant else (),
            deadline=understood.deadline,
        )  # fmt: skip
    draft = _draft(chosen, order, context, now) if isinstance(chosen, Choice) else None
    trusted = context.authentication is Authentication.PASS  # nobody else gets two mails for one
    second = _draft(two[1], order, context, now) if two else _translation(draft, chosen, context, now) if reading.every_language else None
    doubt = Doubt.SEVERAL_MATCH if two and not trusted else chosen.doubt if isinstance(chosen, Choice) else chosen
    offered = offers(context.releases, context.index, order, now) if doubt else ()
    return Heard(
        language=spoken, reading=reading, draft=draft, doubt=doubt, offers=offered, deadline=understood.deadline,
        second=replace(second, second=True) if second and trusted else None,
    )  # fmt: skip


def _is_about_releases_alone(reading: Reading) -> bool:
    kinds = {wish.kind for wish in reading.wishes}
    return reading.leaning is not None and kinds <= {*A_RELEASE, Kind.THANKS}


def _heard_better(reading: Reading) -> Reading:
    """What was nearly heard is what is meant."""
    return replace(reading, wishes=tuple(replace(wish, confidence=SURE) if wish.confidence == NEARLY else wish for wish in reading.wishes))


def _withdrawn(reading: Reading, context: Context, known: frozenset[str], sure: bool, now: datetime) -> Release | None:
    """The withdrawn release that is meant, were it still served: whoever asks for it gets no other one in its place. `sure`: there is one
    that is public and fits; then a withdrawn one that may be meant as well counts for nothing."""
    if not context.withdrawn or context.index_before is None:
        return None
    found = choose(reading, {**context.releases, **context.withdrawn}, context.index_before, known, now)
    if not isinstance(found, Choice) or found.why == "latest" or found.release.id not in context.withdrawn:
        return None
    return found.release if found.doubt is None or not sure else None


def _draft(chosen: Choice, order: tuple[str, ...], context: Context, now: datetime) -> SendRelease | None:
    edition = edition_for(chosen.release, order, now)
    if edition is None:
        return None
    text = "\n".join((edition.title, *edition.topics, edition.place, edition.body)).lower()
    words = tuple(word for word in chosen.words if word.lower() in text)  # another edition may have been found by its own
    near = (edition_for(context.releases[other], order, now) for other in chosen.others)
    return SendRelease(
        release=chosen.release.id, edition=edition.slug, language=edition.language, why=chosen.why, reason=_REASON_OF[chosen.why],
        full=context.authentication is Authentication.PASS, words=words, alternatives=tuple(one.slug for one in near if one),
    )  # fmt: skip


def _translation(draft: SendRelease | None, chosen: Choice | Doubt, context: Context, now: datetime) -> SendRelease | None:
    """The edition in another language than the draft's."""
    if draft is None or isinstance(chosen, Doubt):
        return None
    others = [edition.language for edition in public_editions(chosen.release, now) if edition.language != draft.language]
    return _draft(chosen, tuple(others), context, now) if others else None


def below(said: ShortReply, message: IncomingMessage, context: Context, now: datetime) -> Reading:
    """What is written under the word of a short reply. Of a line or two the phrases alone are asked: most have the names of people and
    papers there, and what was learned hears wishes in them."""
    if len(said.rest) > LONGEST_GREETING:
        return listen(replace(message, subject="", visible_text=said.rest), replace(context, understood=None), now).reading
    known = own_words(context.own_addresses, context.organisation_names)
    spoken = language.detect(said.rest, context.languages, context.organisation_languages[0])
    return read("", said.rest, lexicon(context.languages), spoken, now, known)
