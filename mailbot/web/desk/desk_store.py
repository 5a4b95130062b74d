"""What the pages of the desk ask the tables, a screenful at a time; each function reads in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.audience.journalist import State
from mailbot.database.desk_tables import example
from mailbot.database.engine import Tx, insert
from mailbot.database.tables import ONE_BY_ONE, case_file, delivery, journalist, mail
from mailbot.inbox.reason import PROTECTED
from mailbot.inbox.store import DECIDED, GONE
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import UNFINISHED

ROWS = 50
_PERSONS = (Kind.ANSWER, Kind.LETTER, Kind.ACKNOWLEDGEMENT, Kind.CONFIRMATION, Kind.CORRECTION)
_CARRIED_OUT = mail.c.mode != "observe"
_TO_LISTED = (*_PERSONS, Kind.BROADCAST)
_OPEN_TO_ALL = sa.or_(mail.c.id.is_(None), mail.c.reason.not_in(list(PROTECTED)))
_MAIL = sa.select(
    mail.c.id, mail.c.received_at, mail.c.sender, mail.c.subject, mail.c.reason, mail.c.outcome, mail.c.state.label("stands"),
    mail.c.waiting, mail.c.mode, mail.c.language,
    mail.c.answered_at, case_file.c.state.label("case"), case_file.c.deadline, case_file.c.deadline_words,
    case_file.c.urgent, case_file.c.colleague, case_file.c.overdue, case_file.c.journalist_name,
).outerjoin(case_file, case_file.c.mail == mail.c.id)  # fmt: skip


def waiting(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """What waits for a person: the nearest deadline first, then what has waited longest."""
    order = (case_file.c.deadline.is_(None), case_file.c.deadline, mail.c.received_at)
    return _rows(tx, _MAIL.where(mail.c.waiting).order_by(*order).limit(limit))


def done(tx: Tx, since: datetime, limit: int) -> list[dict[str, Any]]:
    """What was dealt with without a person since then, the newest first."""
    by_itself = mail.c.outcome.in_(("send_release", "subscribe", "unsubscribe"))
    return _rows(tx, _MAIL.where(mail.c.decided_at > since, by_itself, _CARRIED_OUT).order_by(mail.c.id.desc()).limit(limit))


def counts(tx: Tx, since: datetime) -> dict[str, int]:
    """How many mails became what since then."""
    query = sa.select(mail.c.outcome, sa.func.count().label("number")).where(mail.c.decided_at > since, _CARRIED_OUT)
    query = query.group_by(mail.c.outcome)
    return {row.outcome: row.number for row in tx.execute(query)}


def leaving(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """What is to leave to journalists, and when. Neither notes to colleagues, whose subjects let who sees them answer in their name, nor
    anything about a call for help."""
    columns = [delivery.c[name] for name in ("id", "kind", "recipient", "subject", "state", "due_at", "mail", "last_text")]
    query = sa.select(*columns).outerjoin(mail, mail.c.id == delivery.c.mail)
    query = query.where(ONE_BY_ONE, delivery.c.state.in_(UNFINISHED), delivery.c.kind.in_(_PERSONS), _OPEN_TO_ALL)
    return _rows(tx, query.order_by(delivery.c.due_at).limit(limit))


def mails(tx: Tx, which: str, query: str, before: int) -> list[dict[str, Any]]:
    """A page of mails, the newest first. `which`: all, waiting or answered; `query`: in sender or subject; `before`: this number."""
    asked = _MAIL.where(mail.c.state != GONE)
    if which == "waiting":
        asked = asked.where(mail.c.waiting)
    if which == "answered":
        asked = asked.where(mail.c.outcome == "send_release", _CARRIED_OUT)
    if query:
        hidden = mail.c.reason.in_(list(PROTECTED))
        found = sa.or_(*(sa.func.lower(one).contains(query.lower(), autoescape=True) for one in (mail.c.sender, mail.c.subject)))
        asked = asked.where(found, sa.not_(hidden))
    if before:
        asked = asked.where(mail.c.id < before)
    return _rows(tx, asked.order_by(mail.c.id.desc()).limit(ROWS))


def sent_about(tx: Tx, mail_id: int) -> list[dict[str, Any]]:
    """What we wrote to its sender because of a mail, oldest first."""
    names = ("id", "kind", "recipient", "subject", "text", "state", "due_at", "finished_at", "last_text")
    where = (delivery.c.mail == mail_id, delivery.c.kind.in_(_PERSONS))
    return _rows(tx, sa.select(*(delivery.c[name] for name in names)).where(*where).order_by(delivery.c.created_at, delivery.c.id))


def is_queued(tx: Tx, key: str) -> bool:
    """Was the mail with this key queued before?"""
    return tx.execute(sa.select(delivery.c.id).where(delivery.c.key == key)).first() is not None


def called_wrong(tx: Tx, mail_id: int) -> dict[str, Any] | None:
    """What a colleague said of how it was decided."""
    row = tx.execute(sa.select(example).where(example.c.mail == mail_id)).mappings().first()
    return dict(row) if row else None


def call_wrong(tx: Tx, mail_id: int, who: str, should: str, text: str, now: datetime) -> bool:
    """Keep a decided mail as an example; the last word counts. False where it is not decided."""
    reason = tx.execute(sa.select(mail.c.reason).where(mail.c.id == mail_id, mail.c.state == DECIDED)).scalar()
    if not reason:
        return False
    says = {"at": now, "who": who, "decided": reason, "should": should, "text": text}
    tx.execute(insert(tx, example).values(mail=mail_id, **says).on_conflict_do_update(index_elements=["mail"], set_=says))
    return True


def examples(tx: Tx) -> list[dict[str, Any]]:
    """Every mail that was called wrongly decided, oldest first."""
    return _rows(tx, sa.select(example).order_by(example.c.mail))


def people(tx: Tx, query: str, state: str, language: str, after: str) -> list[dict[str, Any]]:
    """A page of the press list, by address. `after`: this key."""
    names = ("key", "address", "name", "outlet", "medium", "language", "state", "changed_at")
    asked = sa.select(*(journalist.c[name] for name in names))
    if query:
        likes = "contains" if tx.dialect.name == "sqlite" else "icontains"  # SQLite's LIKE knows no case anyway
        named = [getattr(column, likes)(query, autoescape=True) for column in (journalist.c.name, journalist.c.outlet)]
        found = sa.or_(journalist.c.key.contains(query.lower(), autoescape=True), *named)
        asked = asked.where(journalist.c.id.in_(sa.select(journalist.c.id).where(found)))   # row by row, and not in the order of keys
    if state:
        asked = asked.where(journalist.c.state == state)
    if language:
        asked = asked.where(journalist.c.language == language)
    if after:
        asked = asked.where(journalist.c.key > after)
    return _rows(tx, asked.order_by(journalist.c.key).limit(ROWS))


def history(tx: Tx, key: str, may_read: bool) -> list[dict[str, Any]]:
    """What came from an address and what we wrote there, the newest first; of calls for help not even that there was one, but to who
    looks after those."""
    came = sa.select(
        mail.c.id.label("mail"), mail.c.received_at.label("at"), mail.c.subject, sa.literal("").label("state")
    ).where(mail.c.sender_key == key, mail.c.state != GONE)  # fmt: skip
    wrote = sa.select(delivery.c.mail, delivery.c.created_at.label("at"), delivery.c.subject, delivery.c.state)
    wrote = wrote.outerjoin(mail, mail.c.id == delivery.c.mail).where(delivery.c.recipient_key == key, delivery.c.kind.in_(_TO_LISTED))
    if not may_read:
        came, wrote = came.where(mail.c.reason.not_in(list(PROTECTED))), wrote.where(_OPEN_TO_ALL)
    rows = [*_rows(tx, came.order_by(mail.c.id.desc()).limit(ROWS)), *_rows(tx, wrote.order_by(delivery.c.created_at.desc()).limit(ROWS))]
    return sorted(rows, key=lambda one: one["at"], reverse=True)


def people_by_state(tx: Tx) -> dict[str, int]:
    """How many stand where."""
    query = sa.select(journalist.c.state, sa.func.count().label("number")).group_by(journalist.c.state)
    found = {row.state: row.number for row in tx.execute(query)}
    return {str(state): found.get(state, 0) for state in State}


def _rows(tx: Tx, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.execute(query).mappings()]


def shielded(rows: Sequence[dict[str, Any]], may_read: bool) -> list[dict[str, Any]]:
    """The same rows; of a call for help neither who wrote nor what, but to who looks after those."""
    hidden = {"sender": "", "subject": "", "journalist_name": "", "deadline_words": ""}
    return [
        one | {"shielded": one["reason"] in PROTECTED} | (hidden if one["reason"] in PROTECTED and not may_read else {}) for one in rows
    ]
