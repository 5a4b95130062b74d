"""What colleagues answered from the mailbox itself, and which of the mails that wait it settles."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from mailbot.cases import store as cases
from mailbot.database.engine import Tx, insert
from mailbot.database.many import among
from mailbot.database.tables import mail, sent_mark
from mailbot.inbox.direct_answer import DirectAnswer, marks_of
from mailbot.inbox.store import DECIDED

MARKS_AT_ONCE = 500


def remember_answers(tx: Tx, answers: Iterable[DirectAnswer]) -> None:
    """What colleagues sent from the mailbox. The mails that it answers may be decided already, or not yet."""
    rows = [{"mark": mark, "sent_at": answer.at} for answer in answers for mark in sorted(answer.marks)]
    if rows:
        tx.execute(insert(tx, sent_mark).on_conflict_do_nothing(), rows)


def settle_answered(tx: Tx, senders: Collection[str], decided_after: datetime, prefixes: frozenset[str]) -> list[int]:
    """Take out of waiting what a colleague has answered: mails of these people, and whatever was decided while marks were written."""
    unsettled = (mail.c.state == DECIDED, mail.c.answered_at.is_(None), sa.or_(mail.c.waiting, mail.c.mode == "observe"))
    asked = sa.or_(mail.c.sender_key.in_(list(senders)), mail.c.decided_at > decided_after)
    columns = (mail.c.id, mail.c.message_id, mail.c.subject, mail.c.sender_key, mail.c.received_at)
    rows = tx.execute(sa.select(*columns).where(asked, *unsettled)).all()
    marks = {row.id: marks_of(row.message_id, row.subject, row.sender_key, prefixes) for row in rows}
    sent = _sent(tx, sorted(frozenset().union(*marks.values())))
    settled = []
    for row in rows:
        at = _first_after(row.received_at, marks[row.id], sent)
        if at is not None:
            answered(tx, row.id, at)
            settled.append(row.id)
    return settled


def _first_after(received_at: datetime, marks: Collection[str], sent: Mapping[str, Sequence[datetime]]) -> datetime | None:
    return min((at for mark in marks for at in sent.get(mark, ()) if at >= received_at), default=None)


def _sent(tx: Tx, marks: Sequence[str]) -> dict[str, list[datetime]]:
    """When colleagues sent what carries these marks."""
    found: dict[str, list[datetime]] = {}
    for start in range(0, len(marks), MARKS_AT_ONCE):
        some = among(tx, sent_mark.c.mark, marks[start : start + MARKS_AT_ONCE])
        for row in tx.execute(sa.select(sent_mark.c.mark, sent_mark.c.sent_at).where(some)):
            found.setdefault(row.mark, []).append(row.sent_at)
    return found


def answered(tx: Tx, mail_id: int, at: datetime) -> None:
    """A colleague has answered it from the mailbox: it waits no longer, and nothing more is sent for it."""
    case = cases.of_mail(tx, mail_id)
    if case is not None:
        cases.close(tx, case.id, "answered-directly", "", at)
    tx.execute(mail.update().where(mail.c.id == mail_id).values(answered_at=at, waiting=False))


def answer_to(tx: Tx, marks: Collection[str], received_at: datetime) -> datetime | None:
    """When a colleague answered a mail with these marks, if one did."""
    return _first_after(received_at, marks, _sent(tx, sorted(marks)))
