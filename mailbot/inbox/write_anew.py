"""Queues in place of a mail that was stopped what it would say now: the release as it was corrected, the titles that are still served."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from mailbot.cases import store as cases
from mailbot.database.engine import Tx
from mailbot.inbox import compose, compose_case, kept_draft
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.outcome import HandOff, SendRelease
from mailbot.inbox.reason import Reason
from mailbot.message.authentication import Authentication
from mailbot.outbox.delivery import Kind
from mailbot.outbox.recall_store import Unsent
from mailbot.outbox.store import Draft
from mailbot.releases.body import to_text
from mailbot.releases.release import Edition, Release, public_editions, public_photos


def write_anew(tx: Tx, desk: Desk, stopped: Unsent, library: Mapping[str, Release], now: datetime) -> bool:
    """False where nothing can take its place: a person has to answer. A mail has one successor, however often this is asked."""
    draft = stopped.draft
    if draft.kind is not Kind.ANSWER or draft.mail is None:
        return False
    public = {edition.slug: edition for release in library.values() for edition in public_editions(release, now)}
    named = tuple(slug for slug in draft.mentions if slug in public)
    if draft.edition:
        written = _answer(desk, stopped, public, named, library, now)
    elif named:
        written = _offers(desk, stopped, named, library)
    else:
        return True  # it offered titles beside a colleague's answer, and none is left
    if written is None:
        return False
    same = {"recipient": draft.recipient, "in_reply_to": draft.in_reply_to, "references": draft.references}
    delivery_id = desk.new_id()
    if desk.queue(tx, replace(written, key=f"{draft.key}~{stopped.id}", **same), delivery_id, now):  # type: ignore[arg-type]
        cases.answer_replaced(tx, stopped.id, delivery_id)
    return True


def _answer(
    desk: Desk, stopped: Unsent, public: Mapping[str, Edition], named: tuple[str, ...], library: Mapping[str, Release], now: datetime
) -> Draft | None:
    draft = stopped.draft
    if draft.written_from is None or draft.edition not in public:
        return None
    decision = current(kept_draft.taken_up(draft.written_from), public)
    standing = {photo.number for photo in public_photos(library[decision.release], now)}
    photos = tuple(number for number in decision.photos if number in standing)
    if decision.brings_photos and not photos:
        return None
    passed_on = bool(draft.written_from.get("passed_on"))
    return compose.answer(
        desk.office, _asked(stopped), replace(decision, alternatives=named, photos=photos), library, draft.language, passed_on=passed_on
    )


def current(decision: SendRelease, public: Mapping[str, Edition]) -> SendRelease:
    """The same without other releases that are no longer served, and without words that the corrected text does not have."""
    edition = public[decision.edition]
    text = f"{edition.title}\n{edition.place}\n{to_text(edition.body)}".casefold()
    words = tuple(word for word in decision.words if word.casefold() in text)
    return replace(decision, words=words, alternatives=tuple(slug for slug in decision.alternatives if slug in public))


def _offers(desk: Desk, stopped: Unsent, named: tuple[str, ...], library: Mapping[str, Release]) -> Draft:
    decision = HandOff(reason=Reason.NO_MATCH, why="no-match", offers=named)
    return compose.offers(desk.office, _asked(stopped), decision, library, stopped.draft.language)


def _asked(stopped: Unsent) -> compose.Subject:
    """The mail that it answers. Who got HTML was vouched for when it was written."""
    draft = stopped.draft
    assert draft.mail is not None and stopped.received_at is not None
    vouched = Authentication.PASS if draft.html else Authentication.NONE
    return compose_case.remembered_mail(draft.mail, draft.recipient, stopped.subject, stopped.received_at, vouched)
