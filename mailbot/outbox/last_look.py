"""May this mail leave, as things stand? Asked when it is claimed and again before DATA: a release may be corrected between the two."""

from datetime import datetime

from mailbot.audience import suppression_store
from mailbot.database.engine import Tx
from mailbot.outbox.delivery import Kind
from mailbot.outbox.recall_store import WITH_RELEASES, WITHDRAWN
from mailbot.outbox.store import Draft
from mailbot.releases import correction_store, store
from mailbot.releases.photo import number_of
from mailbot.releases.release import State, public_editions, public_photos

UNASKED = (Kind.CONFIRMATION, Kind.CORRECTION, Kind.BROADCAST)


def is_unwanted(tx: Tx, draft: Draft) -> bool:
    """Written to no more since this was queued; or whoever queued it did not ask."""
    return draft.kind in UNASKED and suppression_store.is_suppressed(tx, draft.recipient.key)


def hindrance(tx: Tx, draft: Draft, now: datetime) -> str:
    """Why it must not leave; empty: it may. Two tries may lie far apart, too."""
    if draft.kind is Kind.ANSWER and suppression_store.is_silenced(tx, draft.recipient.key):
        return "the person has complained since"
    return overtaken(tx, draft, now) or (_ended_photo(tx, draft, now) if draft.photos else "")


def _ended_photo(tx: Tx, draft: Draft, now: datetime) -> str:
    """A photo that may not be shown any more, or of which something else is said by now, leaves in no mail: not in its list either."""
    release = store.load(tx, draft.edition)
    standing = {photo.mark for photo in public_photos(release, now)} if release else set()
    gone = [str(number_of(mark)) for mark in draft.photos if mark not in standing]
    return f"photo {', '.join(gone)} of {draft.edition} was changed, or may not be shown any more" if gone else ""


def overtaken(tx: Tx, draft: Draft, now: datetime) -> str:
    """What was corrected, withdrawn or put under embargo since it was written; empty: nothing was."""
    if draft.kind not in WITH_RELEASES:
        return ""
    for slug in filter(None, (draft.edition, *draft.mentions)):
        release = store.load(tx, slug)
        editions = {edition.slug: edition for edition in release.editions} if release else {}
        if slug == draft.edition and draft.variant == WITHDRAWN:
            if slug in editions and editions[slug].state is not State.WITHDRAWN:
                return f"{slug} is not withdrawn any more"
        elif release is None or slug not in {edition.slug for edition in public_editions(release, now)}:
            return f"{slug} is not public any more"
        elif slug == draft.edition and draft.content_hash != editions[slug].content_hash:
            return f"{slug} was changed after this was written"
    return ""


def hold_still(tx: Tx, draft: Draft) -> None:
    """What it says of releases is not corrected until this transaction ends."""
    if draft.kind in WITH_RELEASES:
        correction_store.hold_still(tx, [slug for slug in (draft.edition, *draft.mentions) if slug])
