"""Puts a decision into words: the answer to the journalist, the note to a colleague. Values in, a queued mail's content out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailbot.inbox import kept_draft
from mailbot.inbox.offer import words_for
from mailbot.inbox.outcome import HandOff, SendRelease, Variant
from mailbot.inbox.reason import Reason
from mailbot.inbox.short_reply import Word
from mailbot.inbox.short_reply import offered as offered_word
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, Unreadable
from mailbot.message.outgoing import answer_references, clean_header
from mailbot.office import Office, release_url, release_values
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.releases.photo import Photo, caption, last_day
from mailbot.releases.release import Edition, Release, day_of, public_editions, public_photos
from mailbot.rendering import Rendered, render, render_for_many, render_page, render_short

REPLY_SUBJECT_LENGTH = 78


@dataclass(frozen=True, slots=True)
class Subject:
    """The mail that is being dealt with: its number, what it says, when it came in, and who vouches for its sender.

    `is_first`: nothing else on record names who wrote it."""

    mail: int
    message: IncomingMessage | Unreadable
    received_at: datetime
    authentication: Authentication
    is_first: bool = False

    @property
    def sender(self) -> Address | None:
        """Who wrote, where that is one readable address."""
        return self.message.sender if isinstance(self.message, IncomingMessage) else None


def answer(
    office: Office, subject: Subject, decision: SendRelease, library: Mapping[str, Release], language: str, *, passed_on: bool = False
) -> Draft:
    """The release for the journalist: in full to a sender whose domain vouches for the mail, else short and in our own words alone.

    `passed_on`: the mail wants more than the release, and a colleague has the rest."""
    edition = edition_of(library, decision.edition)
    printed = decision.variant is Variant.PDF and _may_print(office, decision)
    what = "photos" if decision.brings_photos and decision.reason is not Reason.ANSWER_BACK else "answer"  # beside the release itself
    what = "second" if decision.second else what
    drafted = replace(
        _reply(subject, what, rendered_answer(office, subject, decision, library, language, passed_on=passed_on), language),
        release=decision.release, edition=decision.edition, content_hash=edition.content_hash, mentions=decision.alternatives,
        variant=decision.wanted if decision.reason is Reason.ANSWER_BACK or decision.brings_photos else "",
        written_from={**kept_draft.kept(decision), "passed_on": passed_on},
    )  # fmt: skip
    if printed:
        return replace(drafted, sheet=sheet(office, edition, language), sheet_name=f"{edition.release}-{edition.language}.pdf")
    photos = photos_of(library, decision)
    ending = "png" if [photo.media_type for photo in photos] == ["image/png"] and decision.variant is Variant.PHOTO else "jpg"
    return replace(
        drafted, photos=tuple(photo.mark for photo in photos), sheet_name=f"{edition.release}-{decision.wanted}.{ending}" if photos else ""
    )


def offers(office: Office, subject: Subject, decision: HandOff, library: Mapping[str, Release], language: str) -> Draft:
    """To a sender whose wish no release fits: a colleague has his mail, and these are the newest, each to be had by its number."""
    confirmed = subject.authentication is Authentication.PASS
    values = {
        "organisation": office.values,
        "offers": tuple(_listed(office, edition_of(library, slug)) for slug in decision.offers),
    }
    rendered = render_for_many(office.words, language, "offers", values, reply_subject(subject.message) if confirmed else "")
    drafted = _reply(subject, "offers", rendered if confirmed else replace(rendered, html=""), language)
    return replace(drafted, mentions=decision.offers)


def _reply(subject: Subject, what: str, rendered: Rendered, language: str) -> Draft:
    message, recipient = subject.message, subject.sender
    assert isinstance(message, IncomingMessage) and recipient is not None
    return Draft(
        key=f"{what}:{subject.mail}", kind=Kind.ANSWER, recipient=recipient, language=language, subject=rendered.subject,
        text=rendered.text, html=rendered.html, in_reply_to=message.message_id,
        references=answer_references(message.message_id, message.references) if message.message_id else (), mail=subject.mail,
    )  # fmt: skip


def rendered_answer(
    office: Office, subject: Subject, decision: SendRelease, library: Mapping[str, Release], language: str, *, passed_on: bool = False
) -> Rendered:
    """The words of an answer, also shown to a colleague as a draft."""
    edition = edition_of(library, decision.edition)
    public = public_editions(library[edition.release], subject.received_at)
    others = tuple(one.language for one in public if one.slug != edition.slug or decision.variant is Variant.EDITIONS)
    offered = words_for(
        office.spoken[language], decision.variant, others, full=decision.full, pdf=office.prints,
        photos=bool(public_photos(library[edition.release], subject.received_at)), contact=bool(edition.contact or office.contact),
    )  # fmt: skip
    values: dict[str, Any] = {
        "organisation": office.values,
        "release": release_values(office, edition),
        "offered": tuple({"word": one.word, "gives": str(one.gives), "code": one.code} for one in offered),
    }
    echoed = reply_subject(subject.message) if decision.full else ""
    whole = decision.variant in (Variant.FULL, Variant.TEXT)
    if not whole and (decision.variant is not Variant.PDF or _may_print(office, decision)):
        shown = {
            "variant": str(decision.variant), "photo_word": offered_word(office.spoken[language], Word.PHOTO),
            "photos": tuple(photo_values(office, one, (language, edition.language)) for one in photos_of(library, decision)),
        }  # fmt: skip
        rendered = render_for_many(office.words, language, "answer_back", values | shown, echoed)
        return rendered if decision.full else replace(rendered, html="")
    values |= {
        "why": decision.why,
        "words": decision.words,
        "repeat": decision.repeat,
        "passed_on": passed_on,
        "alternatives": tuple(_listed(office, edition_of(library, slug)) for slug in decision.alternatives),
        "no_pdf": decision.variant is Variant.PDF,
    }
    if not decision.full:
        return render_short(office.words, language, values)
    rendered = render_for_many(office.words, language, "answer", values, echoed)
    return rendered if decision.variant is Variant.FULL else replace(rendered, html="")


def _may_print(office: Office, decision: SendRelease) -> bool:
    """A file goes to nobody but a sender whose domain vouches for him."""
    return decision.full and office.prints


def photos_of(library: Mapping[str, Release], decision: SendRelease) -> tuple[Photo, ...]:
    """The photos that it names, by number. Whether they may still be shown is asked where the mail leaves."""
    return tuple(photo for photo in library[decision.release].photos if photo.number in decision.photos)


def photo_values(office: Office, photo: Photo, languages: Sequence[str]) -> dict[str, Any]:
    """What a template is told of a photo; `until`: the last day on which it may be used."""
    return {
        "number": photo.number, "caption": caption(photo, languages), "credit": photo.credit, "width": photo.width,
        "height": photo.height, "tenths_of_mb": max(1, round(photo.octets / 100_000)), "until": last_day(photo, office.hours.zone),
    }  # fmt: skip


def sheet(office: Office, edition: Edition, language: str) -> str:
    """The release as a page to be printed, in its own language where the office has words in it."""
    code = edition.language if edition.language in office.languages else language
    values = {"organisation": office.values, "release": release_values(office, edition)}
    return render_page(office.words, code, "sheet", values)


def notice(
    office: Office, event: str, told: Draft, delivery_id: str, occasion: str, relay_words: str, when: datetime, title: str
) -> Draft:
    """To a colleague: an answer of ours is in doubt, was refused or was stopped (`event`: in-doubt, refused, stopped).

    `occasion` tells one failure of the same mail from the next."""
    values = {
        "organisation": office.values,
        "event": event,
        "recipient": {"name": told.recipient.name, "address": told.recipient.address},
        "title": title,
        "subject": told.subject,
        "relay_words": relay_words,
        "when": when,
        "delivery": delivery_id,
    }
    rendered = render(office.words, office.own_language, "notice", values)
    return Draft(
        key=f"notice:{occasion}:{event}", kind=Kind.HAND_OFF, recipient=office.colleagues[0], language=office.own_language,
        subject=rendered.subject, text=rendered.text, html=rendered.html, mail=told.mail,
        attach_original=told.attach_original or told.kind is Kind.ANSWER,
    )  # fmt: skip


def digest(office: Office, mode: str, since: datetime, until: datetime, entries: Sequence[Mapping[str, Any]], key: str) -> Draft:
    """One list instead of a note each: mails that wait, or in observe mode what would have been done."""
    values = {"organisation": office.values, "mode": mode, "since": since, "until": until, "entries": tuple(entries)}
    rendered = render(office.words, office.own_language, "digest", values)
    to = office.colleagues[0] if office.colleagues else office.address
    return Draft(
        key=key, kind=Kind.DIGEST, recipient=to, language=office.own_language,
        subject=rendered.subject, text=rendered.text, html=rendered.html,
    )  # fmt: skip


def _listed(office: Office, edition: Edition) -> dict[str, Any]:
    return {"title": edition.title, "date": day_of(edition), "url": release_url(office, edition.slug)}


def edition_of(library: Mapping[str, Release], slug: str) -> Edition:
    """The edition with this slug."""
    return next(edition for release in library.values() for edition in release.editions if edition.slug == slug)


def reply_subject(message: IncomingMessage | Unreadable) -> str:
    """`Re:` and what was written; for authenticated senders alone."""
    subject = clean_header(message.subject, REPLY_SUBJECT_LENGTH)
    return subject if subject.lower().startswith("re:") else f"Re: {subject}" if subject else ""
