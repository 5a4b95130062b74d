"""What has not left and brings or names an edition, which is stopped when that is corrected; and who has got it.

Stopped is what certainly has not left: it waits, or a worker has claimed it and not yet written down its doubt (store.enter_doubt). Who of
the two comes first is decided by the row: a stopped one cannot enter its doubt, and one in doubt is not stopped.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mailbot.database.broadcast_tables import letter
from mailbot.database.engine import Tx
from mailbot.database.tables import ONE_BY_ONE, delivery, mail
from mailbot.message.address import Address
from mailbot.outbox.delivery import DeliveryState, Kind
from mailbot.outbox.store import WAITING, Draft, draft_of
from mailbot.releases.correction import Received

WITHDRAWN = "withdrawn"                                     # the variant of a mail that says so
BRINGS_TEXT = ("", "full", "text", "pdf")                   # the variants that bring the release itself
WITH_RELEASES = (Kind.ANSWER, Kind.CORRECTION, Kind.BROADCAST)
_NOT_LEFT = sa.or_(
    delivery.c.state.in_(WAITING), sa.and_(delivery.c.state == DeliveryState.SENDING, delivery.c.in_doubt_since.is_(None))
)
_WITH_HTML = ("standard", "lite")                            # formats of an announcement
_STOP = delivery.update().where(delivery.c.id == sa.bindparam("the_delivery"), _NOT_LEFT)  # built once: hundreds may be stopped at a time


@dataclass(frozen=True, slots=True)
class Unsent:
    """A mail that has not left, and what is known of the mail that it answers: its subject, and when that came in."""

    id: str
    draft: Draft
    created_at: datetime
    due_at: datetime
    subject: str
    received_at: datetime | None


def unsent(tx: Tx, slugs: Collection[str], kinds: Sequence[Kind] = WITH_RELEASES) -> list[Unsent]:
    """The mails that bring or name one of these editions, oldest first; not those of an announcement, which have their words in common."""
    rows = _unsent(tx, _NOT_LEFT, delivery.c.kind.in_(kinds), ONE_BY_ONE)
    return [one for one in rows if not {one.draft.edition, *one.draft.mentions}.isdisjoint(slugs)]


def unsent_ones(tx: Tx, delivery_ids: Sequence[str], *, stopped: bool = False) -> list[Unsent]:
    """Those of these mails that have not left; with `stopped` also what was stopped or failed already."""
    return _unsent(tx, delivery.c.id.in_(list(delivery_ids)), *(() if stopped else (_NOT_LEFT,)))


def stop(tx: Tx, delivery_id: str, why: str, now: datetime) -> bool:
    """It does not leave, also where a worker has claimed it. False where it may be leaving, or has left."""
    values = {"state": DeliveryState.CANCELLED, "finished_at": now, "holder": "", "last_text": why}
    return tx.execute(_STOP, values | {"the_delivery": delivery_id}).rowcount == 1


def received(tx: Tx, slugs: Sequence[str]) -> list[Received]:
    """Who has got one of these editions: of each person the last mail that brought it, in the order of their addresses."""
    of = (delivery.c.edition.in_(list(slugs)), delivery.c.kind.in_(WITH_RELEASES), delivery.c.state == DeliveryState.SENT)
    variants = delivery.c.variant.in_((*BRINGS_TEXT, WITHDRAWN))
    columns = [column for column in delivery.c if column.name not in ("raw", "text")]
    found: dict[str, Received] = {}
    query = sa.select(*columns, letter.c.format).outerjoin(letter, letter.c.id == delivery.c.letter).where(*of, variants)
    for row in tx.execute(query.order_by(delivery.c.finished_at, delivery.c.id)):
        before = found.get(row.recipient_key)
        found[row.recipient_key] = Received(
            recipient=Address(row.recipient, row.recipient_name), edition=row.edition, content_hash=row.content_hash,
            language=row.language, full=bool(row.html or row.sheet or row.format in _WITH_HTML) or (before is not None and before.full),
            message_id=row.message_id, references=tuple(row.references), at=row.finished_at,
        )  # fmt: skip
    return [found[key] for key in sorted(found)]


def in_doubt(tx: Tx, slugs: Sequence[str]) -> list[tuple[str, str]]:
    """Address and delivery of each mail that brings one of these editions and may be leaving, or may have arrived."""
    leaving = sa.and_(delivery.c.state == DeliveryState.SENDING, delivery.c.in_doubt_since.is_not(None))
    where = (delivery.c.edition.in_(list(slugs)), delivery.c.kind.in_(WITH_RELEASES), delivery.c.variant.in_(BRINGS_TEXT))
    rows = sa.select(delivery.c.recipient, delivery.c.id).where(*where, sa.or_(leaving, delivery.c.state == DeliveryState.UNCERTAIN))
    return [(row.recipient, row.id) for row in tx.execute(rows.order_by(delivery.c.recipient, delivery.c.id))]


def _unsent(tx: Tx, *where: sa.ColumnElement[bool]) -> list[Unsent]:
    query = sa.select(delivery, mail.c.subject.label("asked"), mail.c.received_at).outerjoin(mail, mail.c.id == delivery.c.mail)
    rows = tx.execute(query.where(*where).order_by(delivery.c.created_at, delivery.c.id))
    return [Unsent(row.id, draft_of(row), row.created_at, row.due_at, row.asked or "", row.received_at) for row in rows]


def left(tx: Tx, ids: Sequence[str]) -> list[tuple[str, Draft]]:
    """Of these mails those that have left, or may have."""
    gone = delivery.c.state.in_((DeliveryState.SENT, DeliveryState.UNCERTAIN))
    return [(row.id, draft_of(row)) for row in tx.execute(sa.select(delivery).where(delivery.c.id.in_(list(ids)), gone))]
