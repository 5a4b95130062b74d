"""What a reader does behind the links of an announcement: leave, come back within a week, choose language, topics, format, a pause.

Scanners open every link, so only a POST acts; whoever has the mail has the link, and it is worth nothing for anybody else (LS-03, LS-05).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import structlog

from mailbot.audience import store
from mailbot.audience.journalist import ANSWERED_WITHIN, Change, Channel, Event, Journalist, State, Why, wish
from mailbot.audience.link import list_delivery_of, preferences_delivery_of
from mailbot.database.engine import Tx
from mailbot.database.tables import consent, delivery, edition, journalist
from mailbot.outbox.delivery import DeliveryState

log = structlog.get_logger()
FORMATS = ("standard", "lite", "text")
PAUSES: Mapping[str, timedelta | None] = {
    "none": None, "week": timedelta(days=7), "month": timedelta(days=30), "quarter": timedelta(days=91),
}  # fmt: skip
MOST_TOPICS = 40
_WAITING = (DeliveryState.QUEUED, DeliveryState.RETRYING)


class Standing(StrEnum):
    """How it stands with a reader; the names are those of the pages."""

    OPEN = "open"           # on the list: the button takes off it
    DONE = "done"           # has just left
    ALREADY = "already"     # is not on it
    RETURNED = "returned"   # has just come back


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who the mail went to, and what they have chosen."""

    who: Journalist
    format: str
    topics: tuple[str, ...]
    paused_until: datetime | None


def of_link(tx: Tx, secret: bytes, link: str) -> Subscriber | None:
    """Whose /u/ link it is; None where it is none of ours."""
    return _of_delivery(tx, list_delivery_of(secret, link))


def of_preferences(tx: Tx, secret: bytes, link: str) -> Subscriber | None:
    """Whose /p/ link it is; None where it is none of ours."""
    return _of_delivery(tx, preferences_delivery_of(secret, link))


def _of_delivery(tx: Tx, delivery_id: str) -> Subscriber | None:
    if not delivery_id:
        return None
    query = sa.select(journalist).join(delivery, delivery.c.journalist == journalist.c.id).where(delivery.c.id == delivery_id)
    row = tx.execute(query).first()
    if row is None:
        return None
    who = store.find(tx, row.key)
    return Subscriber(who, row.format, tuple(row.topics or ()), row.paused_until) if who else None


def standing(subscriber: Subscriber) -> Standing:
    """What the page says before anybody presses the button."""
    return Standing.OPEN if subscriber.who.state is State.SUBSCRIBED else Standing.ALREADY


def leave(tx: Tx, subscriber: Subscriber, now: datetime) -> Standing:
    """Off the list; what is queued for them and has not left does not leave (LS-06). Twice is once."""
    step = wish(subscriber.who, Event.LEAVES, None, now)
    if not isinstance(step, Change) or not store.become(tx, subscriber.who, step.becomes, now):
        return Standing.ALREADY
    store.note(tx, subscriber.who, Channel.WEB, step.why, "link", None, now)
    mine = (delivery.c.journalist == subscriber.who.id, delivery.c.broadcast.is_not(None), delivery.c.state.in_(_WAITING))
    gone = {"state": DeliveryState.SUPPRESSED, "finished_at": now, "last_text": "is not on the press list any more"}
    tx.execute(delivery.update().where(*mine).values(gone))
    log.info("press-list", by="link", why=step.why)
    return Standing.DONE


def may_return(tx: Tx, subscriber: Subscriber, now: datetime) -> datetime | None:
    """When they left by such a link, where that is not longer ago than an undo lasts."""
    if subscriber.who.state is not State.UNSUBSCRIBED:
        return None
    left = sa.select(consent.c.at, consent.c.event, consent.c.channel).where(consent.c.journalist == subscriber.who.id)
    last = tx.execute(left.order_by(consent.c.at.desc(), consent.c.id.desc()).limit(1)).first()
    by_link = last is not None and last.event == Why.LEFT and last.channel == Channel.WEB
    return last.at if last and by_link and now - last.at <= ANSWERED_WITHIN else None


def come_back(tx: Tx, subscriber: Subscriber, now: datetime) -> Standing:
    """Undo it."""
    left_at = may_return(tx, subscriber, now)
    step = wish(subscriber.who, Event.RETURNS, left_at, now) if left_at else None
    if not isinstance(step, Change) or not store.become(tx, subscriber.who, step.becomes, now):
        return standing(subscriber)
    store.note(tx, subscriber.who, Channel.WEB, step.why, "undo", None, now)
    return Standing.RETURNED


def topics(tx: Tx) -> list[str]:
    """What our releases are about, the most frequent first: what there is to choose from."""
    counted: dict[str, int] = {}
    for of_one in tx.execute(sa.select(edition.c.topics).where(edition.c.state == "published")).scalars():
        for topic in of_one or ():
            counted[str(topic)] = counted.get(str(topic), 0) + 1
    return sorted(counted, key=lambda topic: (-counted[topic], topic))[:MOST_TOPICS]


def choose(
    tx: Tx, subscriber: Subscriber, given: Mapping[str, Any], chosen: Sequence[str], languages: Sequence[str], now: datetime
) -> Subscriber:
    """Keep what the form says; what it does not say, or says wrongly, stays. All topics are no choice: new ones are among them."""
    offered = topics(tx)
    kept = [topic for topic in offered if topic in chosen]
    values: dict[str, Any] = {"changed_at": now, "topics": kept if 0 < len(kept) < len(offered) else None}
    if given.get("language") in languages:
        values["language"] = given["language"]
    if given.get("format") in FORMATS:
        values["format"] = given["format"]
    if given.get("pause") in PAUSES:
        pause = PAUSES[given["pause"]]
        values["paused_until"] = now + pause if pause else None
    tx.execute(journalist.update().where(journalist.c.id == subscriber.who.id).values(values))
    row = tx.execute(sa.select(journalist).where(journalist.c.id == subscriber.who.id)).one()
    who = store.find(tx, row.key)
    assert who is not None
    return Subscriber(who, row.format, tuple(row.topics or ()), row.paused_until)
