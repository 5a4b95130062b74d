"""The breaker: trips when too many answers leave, tells the office once, and stays so until a person resets it, across restarts."""

from datetime import datetime

from mailbot.database import flag
from mailbot.database.engine import Tx
from mailbot.inbox import brakes
from mailbot.inbox.hand_over import Desk
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.rendering import render


def is_tripped(tx: Tx) -> bool:
    """Is nothing answered by itself?"""
    return flag.get(tx, flag.ANSWERS_STOPPED) is not None


def trip_if_flooded(tx: Tx, desk: Desk, per_minute: int, now: datetime) -> None:
    """In the transaction that queues an answer: whichever is one too many is the last, and the colleague's mail is queued with it."""
    since, resumed = now - brakes.FLOOD_WITHIN, flag.get(tx, flag.ANSWERS_RESUMED)
    if resumed:
        since = max(since, datetime.fromisoformat(resumed))
    answers = outbox.times_since(tx, Kind.ANSWER, since)
    if is_tripped(tx) or not brakes.is_flood(answers, per_minute, now):
        return
    flag.put(tx, flag.ANSWERS_STOPPED, now.isoformat(), now)
    for colleague in desk.office.colleagues[:1]:
        values = {"organisation": desk.office.values, "answers": len(answers), "per_minute": per_minute, "when": now}
        rendered = render(desk.office.words, desk.office.own_language, "breaker", values)
        draft = Draft(
            key=f"breaker:{now.isoformat()}", kind=Kind.HAND_OFF, recipient=colleague, language=desk.office.own_language,
            subject=rendered.subject, text=rendered.text, html=rendered.html,
        )  # fmt: skip
        desk.enqueue(tx, draft, now)


def reset(tx: Tx, now: datetime) -> bool:
    """A person lets mailbot answer again; what led to the trip counts no more. False where it had not tripped."""
    tripped = is_tripped(tx)
    flag.clear(tx, flag.ANSWERS_STOPPED)
    flag.put(tx, flag.ANSWERS_RESUMED, now.isoformat(), now)
    return tripped
