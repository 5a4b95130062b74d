"""The cases and the notes about them. Whatever ends or reopens a case also says whether its mail still waits for a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.cases.case import TRANSITIONS, UNFINISHED, Case, CaseState, Note, Opening
from mailbot.database.engine import Tx, insert_new
from mailbot.database.many import first_row
from mailbot.database.tables import case_file, case_note, mail
from mailbot.message.address import Address
from mailbot.outbox import store as outbox

_CASE = sa.select(case_file, mail.c.subject, mail.c.message_id, mail.c.received_at).join(mail, mail.c.id == case_file.c.mail)
_NOTE = sa.select(case_note.c.delivery, case_note.c.case, case_note.c.colleague_key)


def open_case(tx: Tx, opening: Opening, now: datetime) -> int | None:
    """Begin a case that nobody has yet, and give its number. None where this mail has one already."""
    values = {
        "mail": opening.mail, "state": CaseState.OPEN, "reason": opening.reason, "language": opening.language,
        "journalist": opening.journalist.address if opening.journalist else "",
        "journalist_name": opening.journalist.name if opening.journalist else "",
        "authenticated": opening.authenticated, "references": list(opening.references),
        "draft": dict(opening.draft) if opening.draft is not None else None, "note": dict(opening.note),
        "deadline": opening.deadline, "deadline_words": opening.deadline_words, "urgent": opening.urgent, "opened_at": now,
    }  # fmt: skip
    row = first_row(tx, insert_new(tx, case_file, "mail", returning="id"), values)
    return row[0] if row else None


def load(tx: Tx, case_id: int) -> Case:
    """One case. Raises sqlalchemy.exc.NoResultFound where there is none."""
    return _case(tx.execute(_CASE.where(case_file.c.id == case_id)).one())


def of_mail(tx: Tx, mail_id: int) -> Case | None:
    """The case of a mail."""
    return _first(tx, case_file.c.mail == mail_id)


def of_answer(tx: Tx, delivery_id: str) -> Case | None:
    """The case that this delivery answers, or is to answer."""
    return _first(tx, case_file.c.answer == delivery_id)


def by_delivery(tx: Tx, delivery_ids: Sequence[str]) -> Note | None:
    """The first of these deliveries of ours that was a note to a colleague."""
    found = {row.delivery: row for row in tx.execute(_NOTE.where(case_note.c.delivery.in_(list(delivery_ids))))}
    return next((_note(tx, found[one]) for one in delivery_ids if one in found), None)


def by_subject_token(tx: Tx, token: str) -> Note | None:
    """The note in whose subject this token stands."""
    row = tx.execute(_NOTE.where(case_note.c.token == token)).first() if token else None
    return _note(tx, row) if row is not None else None


def waiting(tx: Tx) -> list[Case]:
    """Every case that is not finished, oldest first."""
    return _all(tx, case_file.c.state.in_(UNFINISHED))


def due_for_escalation(tx: Tx, now: datetime) -> list[Case]:
    """Cases whose colleague has had them long enough, and snoozes that are over."""
    return _all(tx, case_file.c.state.in_((CaseState.OPEN, CaseState.SNOOZED)), case_file.c.due_at <= now)


def add_note(tx: Tx, case_id: int, delivery_id: str, token: str, colleague: Address, now: datetime) -> None:
    """Something was written to a colleague, and this is the token in it."""
    values = {"delivery": delivery_id, "case": case_id, "token": token, "colleague_key": colleague.key, "sent_at": now}
    tx.execute(case_note.insert(), values)


def give(tx: Tx, case_id: int, colleague: Address, due_at: datetime) -> bool:
    """This colleague has it now, until then."""
    where = (case_file.c.id == case_id, case_file.c.state.in_((CaseState.OPEN, CaseState.SNOOZED)))
    values = {"state": CaseState.OPEN, "colleague": colleague.address, "due_at": due_at, "overdue": False}
    return tx.execute(case_file.update().where(*where).values(values)).rowcount == 1


def leave_with_last(tx: Tx, case_id: int) -> None:
    """The list of names has come to its end."""
    tx.execute(case_file.update().where(case_file.c.id == case_id).values(overdue=True, due_at=None))


def snooze(tx: Tx, case_id: int, until: datetime, by: Address) -> bool:
    """It comes back to the colleague who said so, then."""
    return _move(tx, case_id, CaseState.SNOOZED, due_at=until, colleague=by.address, overdue=False)


def hold(tx: Tx, case_id: int, delivery_id: str, by: str) -> bool:
    """This text of a colleague's is held back, and leaves unless somebody stops it. It takes the place of an earlier one."""
    return _move(tx, case_id, CaseState.ANSWERING, answer=delivery_id, closed_by=by)


def answered(tx: Tx, case_id: int, delivery_id: str, by: str, now: datetime) -> bool:
    """The answer has left, or is certain to be tried. Its tokens are spent."""
    finished = {"answer": delivery_id, "closed_at": now, "closed_by": by, "how": "answered", "due_at": None}
    return _move(tx, case_id, CaseState.ANSWERED, **finished) and _set_waiting(tx, case_id, False)


def reopen(tx: Tx, case_id: int, due_at: datetime) -> bool:
    """What was to answer it was stopped, or has come to nothing. Which one it was is kept: a person may send it again."""
    values = {"closed_at": None, "closed_by": "", "how": "", "due_at": due_at}
    return _move(tx, case_id, CaseState.OPEN, **values) and _set_waiting(tx, case_id, True)


def redraft(tx: Tx, case_id: int, draft: Mapping[str, Any] | None, note: Mapping[str, Any]) -> None:
    """The release that a yes would send is another one, or none; and so its note says."""
    values = {"draft": dict(draft) if draft is not None else sa.null(), "note": dict(note)}
    tx.execute(case_file.update().where(case_file.c.id == case_id).values(values))


def notes_of(tx: Tx, case_id: int) -> list[str]:
    """The deliveries that were written to colleagues about it."""
    return list(tx.execute(sa.select(case_note.c.delivery).where(case_note.c.case == case_id)).scalars())


def answer_replaced(tx: Tx, before: str, after: str) -> None:
    """Another delivery answers what this one was to answer."""
    tx.execute(case_file.update().where(case_file.c.answer == before).values(answer=after))


def close(tx: Tx, case_id: int, how: str, by: str, now: datetime) -> bool:
    """Nothing is sent for it, or nothing more; a text that is held back does not leave. False where it was finished, or that text has left.

    `how`: a word for lists, such as refused, by-hand, answered-directly; `by`: the colleague's address, or empty."""
    case = load(tx, case_id)
    if case.state is CaseState.ANSWERING and not outbox.withdraw(tx, case.answer, now):
        return False
    ended = {"closed_at": now, "closed_by": by, "how": how, "due_at": None}
    return _move(tx, case_id, CaseState.CLOSED, **ended) and _set_waiting(tx, case_id, False)


def _move(tx: Tx, case_id: int, state: CaseState, **values: Any) -> bool:
    """Only along the table of transitions; False where the case stands elsewhere."""
    before = [one for one, after in TRANSITIONS.items() if state in after]
    where = (case_file.c.id == case_id, case_file.c.state.in_(before))
    return tx.execute(case_file.update().where(*where).values(state=state, **values)).rowcount == 1


def _set_waiting(tx: Tx, case_id: int, waits: bool) -> bool:
    of_case = sa.select(case_file.c.mail).where(case_file.c.id == case_id).scalar_subquery()
    return tx.execute(mail.update().where(mail.c.id == of_case).values(waiting=waits)).rowcount == 1


def _note(tx: Tx, row: Any) -> Note:
    case = load(tx, row.case)
    written = tx.execute(sa.select(sa.func.count()).where(case_note.c.case == row.case)).scalar_one()
    return Note(row.delivery, case, row.colleague_key, written)


def _first(tx: Tx, *where: sa.ColumnElement[bool]) -> Case | None:
    row = tx.execute(_CASE.where(*where)).first()
    return _case(row) if row is not None else None


def _all(tx: Tx, *where: sa.ColumnElement[bool]) -> list[Case]:
    return [_case(row) for row in tx.execute(_CASE.where(*where).order_by(case_file.c.id))]


def _case(row: sa.Row[Any]) -> Case:
    return Case(
        id=row.id, mail=row.mail, state=CaseState(row.state), reason=row.reason, colleague=row.colleague,
        journalist=Address(row.journalist, row.journalist_name) if row.journalist else None, language=row.language,
        authenticated=row.authenticated, subject=row.subject, message_id=row.message_id, references=tuple(row.references),
        received_at=row.received_at, draft=row.draft, note=row.note, deadline=row.deadline, deadline_words=row.deadline_words,
        urgent=row.urgent, opened_at=row.opened_at, due_at=row.due_at, overdue=row.overdue, answer=row.answer or "",
        closed_by=row.closed_by,
    )  # fmt: skip
