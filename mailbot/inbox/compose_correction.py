"""Puts a correction or a withdrawal into words, for whoever got the release before: old and new sentence, then the release in full."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from mailbot.inbox.offer import words_for
from mailbot.inbox.outcome import Variant
from mailbot.message.outgoing import answer_references
from mailbot.office import Office, release_values
from mailbot.outbox.delivery import Kind
from mailbot.outbox.recall_store import WITHDRAWN
from mailbot.outbox.store import Draft
from mailbot.releases.correction import Correction, Received
from mailbot.releases.release import Edition, Release, day_of, public_editions, public_photos
from mailbot.releases.sentence_difference import Change, Part, difference
from mailbot.rendering import Rendered, render, render_short

MOST_CHANGES = 12   # where more has changed, the release itself is read


def correction_mail(
    office: Office, correction: Correction, to: Received, before: Edition | None, edition: Edition, release: Release
) -> Draft:
    """`before`: what they got, where that is known."""
    language = _language(office, to)
    changes = difference(before, edition) if before else ()
    others = tuple(one.language for one in public_editions(release, correction.at) if one.slug != edition.slug)
    offered = words_for(
        office.spoken[language], Variant.FULL, others, full=to.full, pdf=office.prints,
        photos=bool(public_photos(release, correction.at)), contact=bool(edition.contact or office.contact),
    )  # fmt: skip
    values: dict[str, Any] = {
        "organisation": office.values, "release": release_values(office, edition), "received": to.at, "cut": False,
        "reason": correction.reason,
        "changes": tuple(_shown(change) for change in changes[:MOST_CHANGES]), "more": max(0, len(changes) - MOST_CHANGES),
        "offered": tuple({"word": one.word, "gives": str(one.gives), "code": one.code} for one in offered),
    }  # fmt: skip
    if to.full:
        rendered = render(office.words, language, "correction", values)
    else:  # nobody vouches for them: the text alone, and no more of it than the first time
        rendered = render_short(office.words, language, values, name="correction")
    return replace(
        _mail(correction, to, rendered if to.full else replace(rendered, html=""), edition, language), content_hash=correction.content_hash
    )


def withdrawal_mail(office: Office, correction: Correction, to: Received, edition: Edition) -> Draft:
    """`edition`: the one that they got. Nothing of what it says goes out again but its title."""
    language = _language(office, to)
    values = {
        "organisation": office.values, "received": to.at, "reason": correction.reason,
        "release": {"title": edition.title, "date": day_of(edition), "language": edition.language, "slug": edition.slug},
    }  # fmt: skip
    rendered = render(office.words, language, "withdrawal", values)
    return replace(_mail(correction, to, rendered if to.full else replace(rendered, html=""), edition, language), variant=WITHDRAWN)


def addressed(draft: Draft, correction: Correction, to: Received) -> Draft:
    """The same mail to this person, in answer to what they got."""
    return replace(
        draft, key=f"correction:{correction.id}:{to.recipient.key}", recipient=to.recipient, in_reply_to=to.message_id,
        references=answer_references(to.message_id, to.references),
    )  # fmt: skip


def same_words(to: Received) -> tuple[object, ...]:
    """Who agree in this read the very same words. Every zone's midnight is at a quarter of an hour."""
    quarter = to.at.replace(minute=to.at.minute - to.at.minute % 15, second=0, microsecond=0)
    return to.language, to.edition, to.content_hash, to.full, quarter


def _language(office: Office, to: Received) -> str:
    """The one that they were written to in; another where its folder has gone since."""
    return to.language if to.language in office.spoken else office.own_language


def _mail(correction: Correction, to: Received, rendered: Rendered, edition: Edition, language: str) -> Draft:
    draft = Draft(
        key="", kind=Kind.CORRECTION, recipient=to.recipient, language=language, subject=rendered.subject, text=rendered.text,
        html=rendered.html, release=edition.release, edition=edition.slug,
    )  # fmt: skip
    return addressed(draft, correction, to)


def _shown(change: Change) -> Mapping[str, Any]:
    if change.part is Part.DATE:
        return {"part": str(change.part), "before": date.fromisoformat(change.before), "after": date.fromisoformat(change.after)}
    before, after = change.pieces()
    return {
        "part": str(change.part), "before": change.before, "after": change.after,
        "before_pieces": tuple({"text": one.text, "changed": one.changed} for one in before),
        "after_pieces": tuple({"text": one.text, "changed": one.changed} for one in after),
    }  # fmt: skip
