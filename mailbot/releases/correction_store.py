"""The tables of corrections: what editions said before, what changed them, and who was told. Each function runs in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.database.correction_tables import correction as table
from mailbot.database.correction_tables import correction_mail, past_edition
from mailbot.database.engine import Tx, insert
from mailbot.database.tables import delivery, edition
from mailbot.releases import store
from mailbot.releases.correction import Correction, Past
from mailbot.releases.release import Edition, State

STOPPED = "cancelled"   # outbox.delivery.DeliveryState: that package lies above this one


def hold_still(tx: Tx, slugs: Sequence[str], *, to_change: bool = False) -> None:
    """Until this transaction ends no correction or withdrawal of these editions begins or ends; with `to_change` nobody else relies on
    them either. It comes before any row of the queue, always in this order, so that nobody waits for each other. SQLite has one writer."""
    if tx.dialect.name == "postgresql" and slugs:
        rows = sa.select(edition.c.slug).where(edition.c.slug.in_(list(slugs))).order_by(edition.c.slug)
        tx.execute(rows.with_for_update(read=not to_change)).all()


def replace_published(tx: Tx, new: Edition, reason: str, now: datetime) -> Correction | None:
    """Serve the new content from now on, and keep the old. None: it says that already.

    This is the one place where a correction becomes public."""
    store.alone(tx)
    hold_still(tx, (new.slug,), to_change=True)
    before = _row(tx, new.slug)
    if before is None:
        raise store.NoSuchRelease(new.slug)
    if before.content_hash == new.content_hash:
        return None
    made = _note(tx, Correction(id=0, release=new.release, edition=new.slug, content_hash=new.content_hash, reason=reason, at=now))
    _keep(tx, before, made)
    store.replace_content(tx, new, now)
    return made


def withdraw(tx: Tx, release_id: str, reason: str, now: datetime) -> tuple[Correction | None, tuple[str, ...]]:
    """Serve no edition of the release any more, and keep what they said. Gives the slugs that changed; None: it was withdrawn already."""
    store.alone(tx)
    rows = tx.execute(sa.select(edition).where(edition.c.release == release_id).order_by(edition.c.slug)).all()
    hold_still(tx, [row.slug for row in rows], to_change=True)
    published = [row for row in (_row(tx, row.slug) for row in rows) if row is not None and row.state == State.PUBLISHED]
    changed = store.withdraw(tx, release_id, now)
    if not changed:
        return None, ()
    made = _note(tx, Correction(id=0, release=release_id, edition="", content_hash="", reason=reason, at=now))
    for row in published:
        _keep(tx, row, made)
    return made, changed


def latest(tx: Tx, release_id: str, slug: str) -> Correction | None:
    """The last correction of this edition, or withdrawal of its release."""
    of = (table.c.release == release_id, table.c.edition.in_((slug, "")))
    row = tx.execute(sa.select(table).where(*of).order_by(table.c.id.desc()).limit(1)).first()
    return _correction(row) if row else None


def history(tx: Tx, release_id: str) -> list[tuple[Correction, int]]:
    """Every correction and withdrawal of a release, oldest first, each with how many people are told; a later one may have stopped that."""
    of_it = (correction_mail.c.correction == table.c.id, delivery.c.id == correction_mail.c.delivery, delivery.c.state != STOPPED)
    told = sa.select(sa.func.count()).select_from(correction_mail, delivery).where(*of_it).correlate(table).scalar_subquery()
    rows = tx.execute(sa.select(table, told.label("told")).where(table.c.release == release_id).order_by(table.c.id))
    return [(_correction(row), row.told) for row in rows]


def past(tx: Tx, release_id: str) -> list[Past]:
    """What the editions of a release said before, oldest first."""
    rows = tx.execute(sa.select(past_edition).where(past_edition.c.release == release_id).order_by(past_edition.c.id))
    return [
        Past(
            edition=store.edition_of(row, State.PUBLISHED), content_hash=row.content_hash, since=row.since, until=row.until,
            correction=row.correction,
        )
        for row in rows
    ]  # fmt: skip


def tell(tx: Tx, correction: Correction, recipient_key: str, delivery_id: str) -> bool:
    """This delivery, queued already, tells this person of it. False where another does."""
    values = {"correction": correction.id, "recipient_key": recipient_key, "delivery": delivery_id}
    row = insert(tx, correction_mail).on_conflict_do_nothing(index_elements=["correction", "recipient_key"])
    return tx.execute(row.returning(correction_mail.c.delivery), values).first() is not None


def told(tx: Tx, correction: Correction) -> frozenset[str]:
    """The keys of who has a mail about it."""
    rows = tx.execute(sa.select(correction_mail.c.recipient_key).where(correction_mail.c.correction == correction.id))
    return frozenset(rows.scalars())


def mails(tx: Tx, correction: Correction) -> list[dict[str, Any]]:
    """Who was written to about it, and how far that is: recipient, delivery, state."""
    columns = (delivery.c.recipient, delivery.c.id.label("delivery"), delivery.c.state, delivery.c.edition)
    query = sa.select(*columns).join(correction_mail, correction_mail.c.delivery == delivery.c.id)
    query = query.where(correction_mail.c.correction == correction.id).order_by(delivery.c.recipient)
    return [dict(row) for row in tx.execute(query).mappings()]


def _row(tx: Tx, slug: str) -> Any:
    return tx.execute(sa.select(edition).where(edition.c.slug == slug)).one_or_none()


def _note(tx: Tx, made: Correction) -> Correction:
    values = {"release": made.release, "edition": made.edition, "content_hash": made.content_hash, "reason": made.reason, "at": made.at}
    return _correction(tx.execute(table.insert().values(values).returning(table)).one())


def _keep(tx: Tx, row: Any, made: Correction) -> None:
    """The content as it stands becomes history. It is as old as its last correction, or its publication."""
    names = set(past_edition.c.keys()) - {"id", "since", "until", "correction"}
    corrected = sa.select(sa.func.max(past_edition.c.until)).where(past_edition.c.slug == row.slug)
    newest = tx.execute(corrected).scalar()
    since = max(newest, row.published_at) if newest else row.published_at
    values = {name: row._mapping[name] for name in names}
    tx.execute(past_edition.insert().values({**values, "since": since, "until": made.at, "correction": made.id}))


def _correction(row: Any) -> Correction:
    return Correction(
        id=row.id, release=row.release, edition=row.edition, content_hash=row.content_hash, reason=row.reason, at=row.at
    )  # fmt: skip
