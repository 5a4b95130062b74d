"""Which mails arrived, where they lie, what was decided and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.cases import store as cases
from mailbot.database.engine import Tx
from mailbot.database.many import first_row, rows_changed
from mailbot.database.tables import ONE_BY_ONE, case_file, delivery, mail, mail_copy
from mailbot.inbox.reason import PROTECTED, Reason
from mailbot.outbox.delivery import DeliveryState, Kind

STORED, DECIDED, GONE = "stored", "decided", "gone"  # gone: only by its fingerprint it is known again (archive/)

# What is asked for every mail is built once: building a statement takes several times as long as running it.
_MAIL: sa.BindParameter[int] = sa.bindparam("the_mail")
_DECIDE = mail.update().where(mail.c.id == _MAIL, mail.c.state == STORED)
_WORDED = (mail.c.words == sa.bindparam("words"), mail.c.mode != "observe")
_SAME_WORDS = sa.select(
    sa.select(sa.func.count(sa.distinct(mail.c.sender_key)))
    .where(
        *_WORDED, mail.c.decided_at > sa.bindparam("since"), mail.c.sender_key != sa.bindparam("sender"),
        sa.or_(mail.c.outcome == "send_release", mail.c.outcome == "subscribe"),  # IN is spelled out anew each time that it is asked
    )
    .scalar_subquery(),
    sa.exists().where(
        *_WORDED, mail.c.decided_at > sa.bindparam("pause"), mail.c.sender_key == sa.bindparam("sender"),
        mail.c.outcome == "send_release",
    ),
)  # fmt: skip
_NOTES_ABOUT = (
    sa.select(sa.func.count())
    .select_from(delivery)
    .join(mail, mail.c.id == delivery.c.mail)
    .where(
        ONE_BY_ONE, delivery.c.kind == Kind.HAND_OFF, delivery.c.created_at > sa.bindparam("since"),
        mail.c.sender_key == sa.bindparam("sender"),
    )
)
_SHOWN_CASE = sa.select(
    *[column for column in case_file.c if column.name not in ("mail", "note", "draft", "references", "journalist", "journalist_name")]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A mail that waits for its decision; `attempts` counts this one too."""

    id: int
    size: int
    received_at: datetime
    junk: bool
    rescan: bool
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was decided about a mail, as it is kept."""

    kind: str
    outcome: str
    reason: str
    explanation: dict[str, Any]
    language: str
    sender: str
    sender_key: str
    subject: str
    message_id: str
    identity: str
    words: str
    waiting: bool
    folder: str  # where the mail is filed; empty: it stays


def next_stored(tx: Tx, limit: int, in_hand: Sequence[int] = ()) -> list[Stored]:
    """The oldest mails without a decision, besides those in hand; `attempts` counts the one that they are now in for.

    Whatever was tried before comes alone, so that of those who were in hand together when we died only the culprit goes on counting.
    """
    rows = tx.execute(
        sa.select(mail.c.id, mail.c.size, mail.c.received_at, mail.c.junk, mail.c.rescan, mail.c.attempts)
        .where(mail.c.state == STORED, mail.c.id.not_in(list(in_hand)))
        .order_by(mail.c.attempts, mail.c.id)
        .limit(limit)
    ).all()
    rows = [row for row in rows if row.attempts == 0] or rows[:1]
    return [Stored(**{**row._asdict(), "attempts": row.attempts + 1}) for row in rows]


def count_attempt(tx: Tx, mail_ids: Sequence[int]) -> None:
    """On record before they are decided: one that kills us counts too."""
    tx.execute(mail.update().where(mail.c.id.in_(list(mail_ids)), mail.c.state == STORED).values(attempts=mail.c.attempts + 1))


def record(tx: Tx, mail_id: int, made: Record, mode: str, now: datetime) -> bool:
    """Write the decision. False where another worker has decided meanwhile: then nothing may follow from this one."""
    values = {
        "state": DECIDED, "decided_at": now, "mode": mode, "kind": made.kind, "outcome": made.outcome, "reason": made.reason,
        "explanation": made.explanation, "language": made.language, "sender": made.sender, "sender_key": made.sender_key,
        "subject": made.subject, "message_id": made.message_id, "identity": made.identity, "words": made.words,
        "waiting": made.waiting, "folder": made.folder,
    }  # fmt: skip
    return rows_changed(tx, _DECIDE, values | {"the_mail": mail_id}) == 1


def note_fault(tx: Tx, mail_id: int, fault: str) -> None:
    """Keep why deciding failed, for `inbox show`."""
    tx.execute(mail.update().where(mail.c.id == mail_id).values(fault=fault[:2000]))


def same_words(tx: Tx, words: str, sender_key: str, since: datetime, pause: datetime) -> tuple[int, bool]:
    """How many other addresses were answered to these very words since then; and whether this one was since `pause` began.

    What was not answered does not count: who forges a hundred senders could else keep everybody's answer back."""
    row = first_row(tx, _SAME_WORDS, {"words": words, "sender": sender_key, "since": since, "pause": pause})
    return (row[0], bool(row[1])) if row else (0, False)


def hand_offs_about(tx: Tx, sender_key: str, since: datetime) -> int:
    """How many notes about mails of this address were queued since then."""
    return tx.execute(_NOTES_ABOUT, {"sender": sender_key, "since": since}).scalar_one()


def arrived(tx: Tx) -> list[int]:
    """The number of every mail whose bytes are there, oldest first."""
    return list(tx.execute(sa.select(mail.c.id).where(mail.c.emptied_at.is_(None)).order_by(mail.c.id)).scalars())


def undecided(tx: Tx) -> int:
    """How many stored mails wait for a decision."""
    return tx.execute(sa.select(sa.func.count()).select_from(mail).where(mail.c.state == STORED)).scalar_one()


def waiting(tx: Tx) -> int:
    """How many mails wait for a person."""
    return tx.execute(sa.select(sa.func.count()).select_from(mail).where(mail.c.waiting)).scalar_one()


def handled(tx: Tx) -> int:
    """How many mails have their decision."""
    return tx.execute(sa.select(sa.func.count()).select_from(mail).where(mail.c.state == DECIDED)).scalar_one()


def count_decided(tx: Tx, reasons: Collection[Reason], since: datetime) -> int:
    """How many mails were decided so since then."""
    where = (mail.c.reason.in_(list(reasons)), mail.c.decided_at > since)
    return tx.execute(sa.select(sa.func.count()).select_from(mail).where(*where)).scalar_one()


def help_is_open(tx: Tx, sender_key: str) -> bool:
    """Does a call for help by this person wait for somebody?"""
    where = (mail.c.sender_key == sender_key, mail.c.waiting, mail.c.reason.in_(list(PROTECTED)))
    return tx.execute(sa.select(mail.c.id).where(*where).limit(1)).first() is not None


def put_before_a_person(tx: Tx, mail_id: int) -> None:
    """What mailbot did has come to nothing: somebody has to answer."""
    tx.execute(mail.update().where(mail.c.id == mail_id).values(waiting=True))


def close(tx: Tx, mail_id: int, now: datetime) -> bool:
    """A person has dealt with it, and its case is closed. False where nothing waited, or its answer is just leaving."""
    case = cases.of_mail(tx, mail_id)
    if case is not None and not case.is_finished:
        return cases.close(tx, case.id, "by-hand", "", now)
    return tx.execute(mail.update().where(mail.c.id == mail_id, mail.c.waiting).values(waiting=False)).rowcount == 1


def earlier(tx: Tx, sender_key: str, mail_id: int, limit: int = 3) -> list[dict[str, Any]]:
    """The last mails of this sender before this one, newest first, and what became of each, as plain values."""
    query = sa.select(mail.c.subject, mail.c.received_at, mail.c.outcome, case_file.c.state)
    query = query.outerjoin(case_file, case_file.c.mail == mail.c.id)
    where = (mail.c.sender_key == sender_key, mail.c.id < mail_id, mail.c.state == DECIDED)
    rows = tx.execute(query.where(*where).order_by(mail.c.id.desc()).limit(limit))
    return [{"subject": row.subject, "when": row.received_at.isoformat(), "became": row.state or row.outcome} for row in rows]


def unannounced_after(tx: Tx, mail_id: int) -> list[dict[str, Any]]:
    """Mails that wait for a person and of which no note went out, or none that arrived, or whose names have come to their end."""
    gone_wrong = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.CANCELLED)
    told = sa.exists().where(delivery.c.mail == mail.c.id, delivery.c.kind == Kind.HAND_OFF, delivery.c.state.not_in(gone_wrong))
    overdue = sa.exists().where(case_file.c.mail == mail.c.id, case_file.c.overdue)
    query = sa.select(mail).where(mail.c.id > mail_id, mail.c.waiting, sa.or_(~told, overdue), _before_undecided()).order_by(mail.c.id)
    return [dict(row) for row in tx.execute(query).mappings()]


def observed_after(tx: Tx, mail_id: int) -> list[dict[str, Any]]:
    """Mails that were decided in observe mode, oldest first. Our own come back: a list must not be news to the next list."""
    where = (mail.c.id > mail_id, mail.c.mode == "observe", mail.c.reason != Reason.OWN_MAIL, _before_undecided())
    query = sa.select(mail).where(*where).order_by(mail.c.id)
    return [dict(row) for row in tx.execute(query).mappings()]


def _before_undecided() -> Any:
    """Not past a mail that still waits for its decision: a list remembers how far it came, and would pass that one over for ever."""
    other = mail.alias()
    first = sa.select(sa.func.min(other.c.id)).where(other.c.state == STORED).scalar_subquery()
    return sa.or_(first.is_(None), mail.c.id < first)


def listed(tx: Tx, *, waiting_only: bool = False, limit: int = 0) -> list[dict[str, Any]]:
    """Rows for people and programs, newest first; 0 is no limit."""
    columns = [column for column in mail.c if column.name not in ("explanation", "identity")]
    query = sa.select(*columns, case_file.c.state.label("case")).outerjoin(case_file, case_file.c.mail == mail.c.id)
    query = query.where(mail.c.state != GONE).order_by(mail.c.id.desc())
    if waiting_only:
        query = query.where(mail.c.waiting)
    if limit:
        query = query.limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def shown(tx: Tx, mail_id: int) -> dict[str, Any] | None:
    """One mail with its explanation and the places where it lies."""
    row = tx.execute(sa.select(mail).where(mail.c.id == mail_id)).mappings().first()
    if row is None:
        return None
    copies = tx.execute(sa.select(mail_copy).where(mail_copy.c.mail == mail_id)).mappings()
    case = tx.execute(_SHOWN_CASE.where(case_file.c.mail == mail_id)).mappings().first()
    return {**row, "case": dict(case) if case is not None else None, "copies": [dict(copy) for copy in copies]}
