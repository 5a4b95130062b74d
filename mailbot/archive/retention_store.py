"""Lets go what is older than its term, a few rows a transaction. Each step says how many it did; nothing left is 0.

Never touched: what waits for a person, what has not left yet, who is on the press list or wants to be left alone, and the fingerprint
of a mail (the hash of its bytes, and that of its Message-ID, sender and date): by it a mail that comes to light again, after years or
under new numbers, is not answered again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.archive import tally_store
from mailbot.archive.term import Ends, Terms
from mailbot.audience.journalist import State
from mailbot.cases.case import UNFINISHED as OPEN_CASES
from mailbot.database.alert_tables import alert, alert_notice
from mailbot.database.desk_tables import desk_session, example, journal, login_try
from mailbot.database.engine import Tx
from mailbot.database.tables import case_file, delivery, journalist, mail, mail_part, sent_mark
from mailbot.inbox.reason import PROTECTED
from mailbot.inbox.store import DECIDED, GONE
from mailbot.outbox.store import UNFINISHED

ROWS, OCTETS = 100, 32 << 20  # of one transaction: nobody else waits long for the database
KEPT_OF_AN_ACTION = frozenset(
    {"type", "release", "edition", "why", "full", "variant", "alternatives", "offers", "deadline", "urgent", "class", "status", "ours",
     "feedback_type"}
)  # fmt: skip
_LEAVING = sa.exists().where(delivery.c.mail == mail.c.id, delivery.c.state.in_(UNFINISHED))
_IN_A_CASE = sa.exists().where(case_file.c.mail == mail.c.id, case_file.c.state.in_(OPEN_CASES))
AT_REST = (mail.c.state == DECIDED, sa.not_(mail.c.waiting), ~_LEAVING, ~_IN_A_CASE)
_OF_NO_MAIL = (delivery.c.mail.is_(None), delivery.c.state.not_in(UNFINISHED))
_ITS_MAIL_IS_EMPTY = sa.exists().where(mail.c.id == delivery.c.mail, mail.c.emptied_at.is_not(None))
_NEVER_CAME = journalist.c.state.in_((State.NONE, State.ASKED))
WORDLESS: dict[str, Any] = {
    "sender": "", "sender_key": "", "subject": "", "message_id": "", "words": "", "fault": "", "waiting": False,
}  # fmt: skip
NOTHING_DECIDED: dict[str, Any] = {
    "state": GONE, "mode": "", "decided_at": None, "kind": "", "outcome": "", "reason": "", "explanation": sa.null(), "language": "",
    "folder": "", "answered_at": None,
}  # fmt: skip
UNWRITTEN: dict[str, Any] = {
    "raw": None, "subject": "", "text": "", "html": "", "sheet": "", "sheet_name": "", "in_reply_to": "", "references": [],
    "attach_original": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of thing that goes: its name for people, which rows are due, and what is done to the next few of them."""

    name: str
    due: Callable[[Ends], sa.Select[Any]]
    go: Callable[[Tx, Sequence[Any], Terms, datetime], None]


def batch(tx: Tx, step: Step, until: Ends, terms: Terms, now: datetime) -> int:
    """Do the next few rows of a step; returns how many they were."""
    rows: list[Any] = []
    octets = 0
    for row in tx.execute(step.due(until).limit(ROWS)).all():
        rows.append(row)
        octets += getattr(row, "size", 0)
        if octets >= OCTETS:
            break
    if rows:
        step.go(tx, rows, terms, now)
    return len(rows)


def due(tx: Tx, until: Ends) -> dict[str, int]:
    """What would go now, by step, and under `waiting` what is old enough and stays because a person has not answered."""
    found = {step.name: tx.execute(sa.select(sa.func.count()).select_from(step.due(until).subquery())).scalar_one() for step in STEPS}
    old = sa.or_(mail.c.stored_at < until.mail, sa.and_(mail.c.reason.in_(list(PROTECTED)), mail.c.stored_at < until.protection))
    held = sa.select(sa.func.count()).where(mail.c.state == DECIDED, mail.c.emptied_at.is_(None), old, mail.c.waiting)
    return found | {"waiting": tx.execute(held).scalar_one()}


def let_go(tx: Tx, mail_ids: Sequence[int], terms: Terms, now: datetime) -> None:
    """Count these mails, then keep nothing of them, their cases and what was written for them but their fingerprints."""
    of_it = delivery.c.mail.in_(list(mail_ids))
    written = list(tx.execute(sa.select(delivery.c.id).where(of_it)).scalars())
    counted = tally_store.of_mails(tx, mail_ids, terms.zone, now) + tally_store.of_deliveries(tx, written, terms.zone)
    tally_store.add(tx, counted + tally_store.of_topics(tx, mail_ids, terms))
    tx.execute(case_file.delete().where(case_file.c.mail.in_(list(mail_ids))))
    tx.execute(example.delete().where(example.c.mail.in_(list(mail_ids))))
    tx.execute(delivery.delete().where(of_it))
    tx.execute(mail_part.delete().where(mail_part.c.mail.in_(list(mail_ids))))
    gone = WORDLESS | NOTHING_DECIDED | {"emptied_at": sa.func.coalesce(mail.c.emptied_at, now)}
    tx.execute(mail.update().where(mail.c.id.in_(list(mail_ids))).values(gone))


def empty(tx: Tx, mail_ids: Collection[int], terms: Terms, now: datetime) -> None:
    """No word and no name is left of these mails and their cases; what was decided stays."""
    tally_store.add(tx, tally_store.of_topics(tx, mail_ids, terms))
    tx.execute(mail_part.delete().where(mail_part.c.mail.in_(list(mail_ids))))
    for row in tx.execute(sa.select(mail.c.id, mail.c.explanation).where(mail.c.id.in_(list(mail_ids)))).all():
        left = _bare(row.explanation) if row.explanation is not None else sa.null()
        tx.execute(mail.update().where(mail.c.id == row.id).values(WORDLESS | {"explanation": left, "emptied_at": now}))
    tx.execute(example.update().where(example.c.mail.in_(list(mail_ids))).values(text="", should=""))
    nobody = {"journalist": "", "journalist_name": "", "references": [], "draft": sa.null(), "note": {}, "deadline_words": ""}
    tx.execute(case_file.update().where(case_file.c.mail.in_(list(mail_ids))).values(nobody))


def unwrite(tx: Tx, delivery_ids: Sequence[str], now: datetime) -> None:
    """Of mails that have left their bytes and words go; who was sent what stays."""
    tx.execute(delivery.update().where(delivery.c.id.in_(list(delivery_ids))).values(UNWRITTEN | {"emptied_at": now}))


def _bare(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """What was done, without the sender's words; a place for each word stays, so that who reads it finds it empty."""
    actions = [{name: action[name] for name in action if name in KEPT_OF_AN_ACTION} for action in explanation.get("actions", ())]
    kept = {name: explanation[name] for name in ("file", "kind", "language", "reason", "confidence") if name in explanation}
    return kept | {"sender": "", "subject": "", "visible_text": "", "actions": actions, "evidence": []}


def _old_help(until: Ends) -> sa.Select[Any]:
    old = (mail.c.reason.in_(list(PROTECTED)), mail.c.stored_at < until.protection)
    return sa.select(mail.c.id, mail.c.size).where(*AT_REST, *old).order_by(mail.c.id)


def _old_mail(until: Ends) -> sa.Select[Any]:
    old = (mail.c.emptied_at.is_(None), mail.c.stored_at < until.mail)
    return sa.select(mail.c.id, mail.c.size).where(*AT_REST, *old).order_by(mail.c.id)


def _old_words(until: Ends) -> sa.Select[Any]:
    of_rest = sa.or_(delivery.c.mail.is_(None), _ITS_MAIL_IS_EMPTY)
    old = (delivery.c.state.not_in(UNFINISHED), delivery.c.emptied_at.is_(None), delivery.c.finished_at < until.mail)
    return sa.select(delivery.c.id).where(*old, of_rest).order_by(delivery.c.id)


def _old_outcomes(until: Ends) -> sa.Select[Any]:
    """A mail is as old as the last thing that was done for it."""
    later = sa.exists().where(delivery.c.mail == mail.c.id, delivery.c.finished_at >= until.outcome)
    closed = sa.exists().where(case_file.c.mail == mail.c.id, case_file.c.closed_at >= until.outcome)
    answered = sa.or_(mail.c.answered_at.is_(None), mail.c.answered_at < until.outcome)
    old = (mail.c.decided_at < until.outcome, answered, ~later, ~closed)
    return sa.select(mail.c.id, mail.c.size).where(*AT_REST, *old).order_by(mail.c.id)


def _old_sendings(until: Ends) -> sa.Select[Any]:
    return sa.select(delivery.c.id).where(*_OF_NO_MAIL, delivery.c.finished_at < until.outcome).order_by(delivery.c.id)


def _old_questions(until: Ends) -> sa.Select[Any]:
    return sa.select(journalist.c.id).where(_NEVER_CAME, journalist.c.changed_at < until.mail).order_by(journalist.c.id)


def _old_marks(until: Ends) -> sa.Select[Any]:
    return sa.select(sent_mark.c.mark, sent_mark.c.sent_at).where(sent_mark.c.sent_at < until.mail).order_by(sent_mark.c.sent_at)


def _old_notices(until: Ends) -> sa.Select[Any]:
    return sa.select(alert_notice.c.id).where(alert_notice.c.delivered_at < until.mail).order_by(alert_notice.c.id)


def _old_alerts(until: Ends) -> sa.Select[Any]:
    return sa.select(alert.c.condition).where(~alert.c.open, alert.c.ended_at < until.mail).order_by(alert.c.condition)


def _old_journal(until: Ends) -> sa.Select[Any]:
    return sa.select(journal.c.id).where(journal.c.at < until.outcome).order_by(journal.c.id)


def _old_sessions(until: Ends) -> sa.Select[Any]:
    return sa.select(desk_session.c.token_hash).where(desk_session.c.until < until.mail).order_by(desk_session.c.token_hash)


def _old_tries(until: Ends) -> sa.Select[Any]:
    return sa.select(login_try.c.id).where(login_try.c.at < until.mail).order_by(login_try.c.id)


def _let_go(tx: Tx, rows: Sequence[Any], terms: Terms, now: datetime) -> None:
    let_go(tx, [row.id for row in rows], terms, now)


def _empty(tx: Tx, rows: Sequence[Any], terms: Terms, now: datetime) -> None:
    empty(tx, [row.id for row in rows], terms, now)


def _unwrite(tx: Tx, rows: Sequence[Any], _terms: Terms, now: datetime) -> None:
    unwrite(tx, [row.id for row in rows], now)


def _forget_sendings(tx: Tx, rows: Sequence[Any], terms: Terms, _now: datetime) -> None:
    ids = [row.id for row in rows]
    tally_store.add(tx, tally_store.of_deliveries(tx, ids, terms.zone))
    tx.execute(delivery.delete().where(delivery.c.id.in_(ids)))


def _forget_questions(tx: Tx, rows: Sequence[Any], _terms: Terms, _now: datetime) -> None:
    tx.execute(journalist.delete().where(journalist.c.id.in_([row.id for row in rows]), _NEVER_CAME))  # one may have come just now


def _forget_marks(tx: Tx, rows: Sequence[Any], _terms: Terms, _now: datetime) -> None:
    for row in rows:
        tx.execute(sent_mark.delete().where(sent_mark.c.mark == row.mark, sent_mark.c.sent_at == row.sent_at))


def _forget_notices(tx: Tx, rows: Sequence[Any], _terms: Terms, _now: datetime) -> None:
    tx.execute(alert_notice.delete().where(alert_notice.c.id.in_([row.id for row in rows])))


def _forget_alerts(tx: Tx, rows: Sequence[Any], _terms: Terms, _now: datetime) -> None:
    tx.execute(alert.delete().where(alert.c.condition.in_([row.condition for row in rows]), ~alert.c.open))


def _forget_journal(tx: Tx, rows: Sequence[Any], _terms: Terms, _now: datetime) -> None:
    tx.execute(journal.delete().where(journal.c.id.in_([row.id for row in rows])))


def _forget_sessions(tx: Tx, rows: Sequence[Any], _terms: Terms, _now: datetime) -> None:
    tx.execute(desk_session.delete().where(desk_session.c.token_hash.in_([row.token_hash for row in rows])))


def _forget_tries(tx: Tx, rows: Sequence[Any], _terms: Terms, _now: datetime) -> None:
    tx.execute(login_try.delete().where(login_try.c.id.in_([row.id for row in rows])))


STEPS = (
    Step("calls_for_help", _old_help, _let_go),
    Step("mails", _old_mail, _empty),
    Step("texts_sent", _old_words, _unwrite),
    Step("outcomes", _old_outcomes, _let_go),
    Step("other_sendings", _old_sendings, _forget_sendings),
    Step("unanswered_questions", _old_questions, _forget_questions),
    Step("marks_of_sent_mail", _old_marks, _forget_marks),
    Step("alerts_delivered", _old_notices, _forget_notices),
    Step("alerts_ended", _old_alerts, _forget_alerts),
    Step("journal", _old_journal, _forget_journal),
    Step("desk_sessions", _old_sessions, _forget_sessions),
    Step("login_tries", _old_tries, _forget_tries),
)
