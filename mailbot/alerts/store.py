"""What the database knows that an alert is about; what was told; and the messages that have not arrived yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from mailbot.alerts.alert import QUIET, Begin, Change, Known, condition
from mailbot.alerts.alert import Kind as Alert
from mailbot.cases.case import CaseState
from mailbot.database import flag
from mailbot.database.alert_tables import alert, alert_notice
from mailbot.database.engine import Tx, insert
from mailbot.database.tables import case_file, mail
from mailbot.outbox import store as outbox

MOST_ITEMS = 50     # of mails and of requests at one look
MOST_WORDS = 500
TOKEN_REFUSED = "token-refused"  # noqa: S105 - how a record of a refused login begins, where it was by token


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one who gets alerts, claimed by this process."""

    id: str
    target: str
    subject: str
    text: str
    said: Mapping[str, Any]
    created_at: datetime
    attempts: int  # this one included


def gathered(tx: Tx, tries: int, rate_per_day: int, now: datetime) -> dict[str, Any]:
    """The facts that stand in the database, by their names in alert.Facts. A mail that failed more than `tries` times is parked."""
    due = outbox.next_due(tx)
    waiting = due if due is not None and due <= now else None
    stopped = flag.get(tx, flag.SENDING_STOPPED) is not None
    inbox, relay = (flag.get(tx, name) for name in (flag.INBOX_LOGIN_REFUSED, flag.RELAY_LOGIN_REFUSED))
    return {
        "inbox_success": _instant(flag.get(tx, flag.INBOX_SUCCESS)),
        "relay_success": _instant(flag.get(tx, flag.RELAY_SUCCESS)),
        "waiting_since": waiting,
        "held": stopped or (waiting is not None and _is_paced(tx, rate_per_day, now)),
        "inbox_refuses": inbox is not None,
        "relay_refuses": relay is not None,
        "token_refused": any((said or "").startswith(TOKEN_REFUSED) for said in (inbox, relay)),
        "answers_stopped": _instant(flag.get(tx, flag.ANSWERS_STOPPED)),
        "parked": _parked(tx, tries),
        "overdue": _overdue(tx, now),
    }


def _instant(kept: str | None) -> datetime | None:
    return datetime.fromisoformat(kept) if kept else None


def _is_paced(tx: Tx, rate_per_day: int, now: datetime) -> bool:
    """The number of mails that the relay takes in a day is reached: what waits, waits by our own rule."""
    return bool(rate_per_day) and len(outbox.started_since(tx, now - timedelta(days=1))) >= rate_per_day


def _parked(tx: Tx, tries: int) -> tuple[int, ...]:
    found = sa.select(mail.c.id).where(mail.c.waiting, mail.c.attempts > tries).order_by(mail.c.id).limit(MOST_ITEMS)
    return tuple(tx.execute(found).scalars())


def _overdue(tx: Tx, now: datetime) -> tuple[int, ...]:
    """Requests of people alone: a report or a machine's mail that lies there must never lead to an alert, which may lead to a report."""
    late = sa.or_(case_file.c.overdue, case_file.c.deadline < now)
    found = sa.select(mail.c.id).join(case_file, case_file.c.mail == mail.c.id)
    found = found.where(case_file.c.state == CaseState.OPEN, late, mail.c.kind == "request").order_by(mail.c.id).limit(MOST_ITEMS)
    return tuple(tx.execute(found).scalars())


def known(tx: Tx, now: datetime) -> list[Known]:
    """What is told as wrong, and whatever began of late."""
    columns = (alert.c.kind, alert.c.item, alert.c.open, alert.c.level, alert.c.began_at)
    rows = tx.execute(sa.select(*columns).where(sa.or_(alert.c.open, alert.c.began_at > now - QUIET)))
    return [Known(kind=Alert(row.kind), item=row.item, open=row.open, level=row.level, began_at=row.began_at) for row in rows]


def open_alerts(tx: Tx) -> list[dict[str, Any]]:
    """For people and programs: condition, kind and since when, the oldest first."""
    rows = tx.execute(sa.select(alert.c.condition, alert.c.kind, alert.c.began_at).where(alert.c.open).order_by(alert.c.began_at))
    return [{"condition": row.condition, "kind": row.kind, "since": row.began_at.isoformat()} for row in rows]


def take(tx: Tx, change: Change, now: datetime) -> bool:
    """This process tells it. False where another one does already."""
    if isinstance(change, Begin):
        wrong = change.wrong
        key = condition(wrong.kind, wrong.item)
        first = {"condition": key, "kind": wrong.kind, "item": wrong.item, "open": False, "level": wrong.level, "began_at": now}
        tx.execute(insert(tx, alert).values(first).on_conflict_do_nothing(index_elements=["condition"]))
        where = sa.and_(alert.c.condition == key, sa.or_(~alert.c.open, alert.c.level > wrong.level))
        values: dict[str, Any] = {"open": True, "level": wrong.level, "began_at": now, "ended_at": None}
    else:
        where = sa.and_(alert.c.condition == condition(change.known.kind, change.known.item), alert.c.open)
        values = {"open": False, "ended_at": now}
    return tx.execute(alert.update().where(where).values(values)).rowcount == 1


def keep_for(tx: Tx, told: Sequence[str]) -> None:
    """Who gets no alerts any more gets none that waits. Where nobody does, what is wrong begins anew when somebody does again."""
    tx.execute(alert_notice.delete().where(alert_notice.c.delivered_at.is_(None), alert_notice.c.target.not_in(list(told))))
    if not told:
        tx.execute(alert.delete())


def queue(tx: Tx, notice_id: str, target: str, subject: str, text: str, said: Mapping[str, Any], now: datetime) -> None:
    """A message that is to arrive, however long it takes."""
    values = {
        "id": notice_id, "target": target, "subject": subject, "text": text, "said": dict(said), "created_at": now, "due_at": now,
        "attempts": 0, "holder": "", "last_text": "",
    }  # fmt: skip
    tx.execute(alert_notice.insert(), values)


def claim(tx: Tx, holder: str, now: datetime, seconds: float, besides: Sequence[str] = ()) -> Notice | None:
    """The oldest message that is due, for this process alone for so long. `besides`: who could not be reached just now."""
    free = sa.or_(alert_notice.c.held_until.is_(None), alert_notice.c.held_until <= now)
    due = (alert_notice.c.delivered_at.is_(None), alert_notice.c.due_at <= now, free, alert_notice.c.target.not_in(list(besides)))
    order = (alert_notice.c.created_at, alert_notice.c.id)
    row = tx.execute(sa.select(alert_notice).where(*due).order_by(*order).limit(1).with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    taken = {"holder": holder, "held_until": now + timedelta(seconds=seconds), "attempts": row.attempts + 1}
    tx.execute(alert_notice.update().where(alert_notice.c.id == row.id).values(taken))
    return Notice(
        id=row.id, target=row.target, subject=row.subject, text=row.text, said=row.said, created_at=row.created_at,
        attempts=row.attempts + 1,
    )  # fmt: skip


def arrived(tx: Tx, notice: Notice, holder: str, now: datetime) -> None:
    """It is where it should be."""
    _settle(tx, notice, holder, delivered_at=now, last_text="")


def again(tx: Tx, notice: Notice, holder: str, at: datetime, why: str) -> None:
    """It has not arrived; the next try is then."""
    _settle(tx, notice, holder, due_at=at, last_text=why[:MOST_WORDS])


def _settle(tx: Tx, notice: Notice, holder: str, **values: Any) -> None:
    where = (alert_notice.c.id == notice.id, alert_notice.c.holder == holder, alert_notice.c.delivered_at.is_(None))
    tx.execute(alert_notice.update().where(*where).values(holder="", held_until=None, **values))


def give_back(tx: Tx, holder: str) -> None:
    """On a clean exit, and after a cut one: nobody waits for a process that is gone."""
    where = (alert_notice.c.holder == holder, alert_notice.c.delivered_at.is_(None))
    tx.execute(alert_notice.update().where(*where).values(holder="", held_until=None))


def undelivered(tx: Tx) -> tuple[int, str]:
    """How many messages have not arrived, and what stood in the way of the last one tried."""
    where = alert_notice.c.delivered_at.is_(None)
    number = tx.execute(sa.select(sa.func.count()).select_from(alert_notice).where(where)).scalar_one()
    last = sa.select(alert_notice.c.last_text).where(where).order_by(alert_notice.c.attempts.desc(), alert_notice.c.created_at).limit(1)
    return number, tx.execute(last).scalar() or ""
