"""What a correction or a withdrawal does to announcements of the release that have not left: new words, or none. In its transaction.

Who has got the old words is told by the correction itself (inbox/correct.py). The caller holds the edition still: a mail that is not yet
in doubt is before the correction or after it, never between.
"""

from dataclasses import dataclass, field
from datetime import datetime

from mailbot.broadcast import store
from mailbot.broadcast.broadcast import TRANSITIONS, Act, Broadcast, Kind
from mailbot.broadcast.invitation import invitation_file, taken_up
from mailbot.broadcast.letters import CannotWrite, compose
from mailbot.database.engine import Tx
from mailbot.message.letter import Letter
from mailbot.office import Office
from mailbot.outbox import bulk_store
from mailbot.releases import correction_store
from mailbot.releases.release import Edition, Release, public_from
from mailbot.rendering import TemplateFault


@dataclass(slots=True)
class Rewritten:
    """How many get the new words in place of the old, or nothing; address and mail of each who may have the old ones and gets no other."""

    waiting: int = 0
    in_doubt: list[tuple[str, str]] = field(default_factory=list)


def rewrite(tx: Tx, office: Office, release: Release, new: Edition, why: str, now: datetime) -> Rewritten:
    """Whoever waits for an announcement of this edition gets it as it reads now. `release` has the new edition in it already."""
    done = Rewritten()
    for broadcast_id, number in store.letters_waiting(tx, new.slug):
        one = store.find(tx, broadcast_id, lock=True)
        assert one is not None
        old = bulk_store.letters_of(tx, one.id)[number]
        done.in_doubt += store.doubtful(tx, one.id, number)
        try:
            letter = _written(tx, office, one, old, release, new, now)
        except (CannotWrite, TemplateFault) as fault:
            _hold(tx, one, f"{new.slug} was corrected, and its new text cannot be announced: {fault}", now)
            continue
        done.waiting += bulk_store.swap_letter(tx, one.id, number, letter, why, now).waiting
    return done


def call_off(tx: Tx, release_id: str, why: str, now: datetime) -> Rewritten:
    """The release is withdrawn: no announcement of it goes on, but for one that says so."""
    done = Rewritten()
    for one in store.of_release(tx, release_id):
        if one.kind is Kind.WITHDRAWAL or one.state not in TRANSITIONS[Act.CANCEL]:
            continue
        done.in_doubt += store.doubtful(tx, one.id)
        done.waiting += bulk_store.cancel_waiting(tx, one.id, why, now)
        store.become(tx, one, Act.CANCEL, why, now)
    return done


def _written(tx: Tx, office: Office, one: Broadcast, old: Letter, release: Release, new: Edition, now: datetime) -> Letter:
    """As it was, with the new text: to the same readers, in their language and format, with the same event."""
    opens = public_from(release) if one.early else None
    event = taken_up(store.event_of(tx, one.id))
    files = (invitation_file(release.editions[0].title, event, office, one.id, now),) if event else old.files
    last = correction_store.latest(tx, release.id, new.slug) if one.kind is Kind.CORRECTION else None
    return compose(
        office, new, language=old.language, format_=old.format, embargo=opens if opens and opens > now else None, waits_for=old.waits_for,
        event=event, files=files, kind=one.kind, reason=last.reason if last else "",
    )  # fmt: skip


def _hold(tx: Tx, one: Broadcast, why: str, now: datetime) -> None:
    """Nothing of it leaves as it is: its mails have the old text, which the last look refuses."""
    if one.state in TRANSITIONS[Act.HOLD]:
        store.become(tx, one, Act.HOLD, why, now)
