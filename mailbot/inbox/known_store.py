"""What is on record before a mail is decided, asked in one question: whether anything names its sender, its words or itself.

Most who write are new, and of them there is nothing more to ask: each of the many small questions costs more than its answer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from mailbot.audience.forgotten import digest
from mailbot.database import flag
from mailbot.database.engine import Tx
from mailbot.database.many import first_row
from mailbot.database.tables import ONE_BY_ONE, delivery, journalist, mail, sent_mark, suppression
from mailbot.database.tables import flag as flags
from mailbot.inbox.answer_back import reference
from mailbot.inbox.store import DECIDED, STORED
from mailbot.message.address import Address, cap_key
from mailbot.message.incoming import IncomingMessage, Unreadable
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind, OurMail

_KEY: Any = sa.bindparam("the_key")
_CAP: Any = sa.bindparam("the_cap_key")
_HOUR: Any = sa.bindparam("an_hour_ago")
_MINUTE: Any = sa.bindparam("a_minute_ago")
_OTHERS = mail.c.id != sa.bindparam("the_mail")


def _count(kind: Kind, since: Any, *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    asked = sa.select(sa.func.count()).select_from(delivery)
    return asked.where(ONE_BY_ONE, delivery.c.kind == kind, delivery.c.created_at > since, *where).scalar_subquery()


_TO_DOMAIN = delivery.c.recipient_domain == sa.bindparam("the_domain")
_LOOK = sa.select(
    sa.or_(
        sa.exists().where(mail.c.sender_key == _KEY, _OTHERS),
        sa.exists().where(delivery.c.recipient_key == _KEY),
        sa.exists().where(delivery.c.cap_key == _CAP, ONE_BY_ONE),
        sa.exists().where(journalist.c.key == _KEY),
        sa.exists().where(journalist.c.cap_key == _CAP),
        sa.exists().where(suppression.c.address_key.in_((_KEY, sa.bindparam("the_digest")))),  # who was forgotten has no other name
    ).label("sender"),
    sa.exists().where(mail.c.words == sa.bindparam("the_words"), mail.c.state == DECIDED, _OTHERS).label("words"),
    sa.exists().where(mail.c.identity == sa.bindparam("the_identity"), mail.c.state != STORED, _OTHERS).label("identity"),
    sa.exists().where(sent_mark.c.mark.in_((sa.bindparam("a_mark"), sa.bindparam("another_mark")))).label("marks"),
    sa.exists().where(flags.c.name == flag.ANSWERS_STOPPED).label("answers_stopped"),
    _count(Kind.ANSWER, _HOUR, _TO_DOMAIN).label("answers_hour_domain"),
    _count(Kind.ANSWER, _MINUTE).label("answers_last_minute"),
    _count(Kind.CONFIRMATION, _HOUR, _TO_DOMAIN).label("list_mails_hour_domain"),
    _count(Kind.ACKNOWLEDGEMENT, _HOUR, _TO_DOMAIN).label("acknowledgements_hour_domain"),
    _count(Kind.ACKNOWLEDGEMENT, _MINUTE).label("acknowledgements_last_minute"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """In the order of _LOOK. Where one of the first four is False there is nothing more to find; the counts are of mails once queued."""

    sender: bool    # some row names this address: a mail, a delivery, the press list, a suppression
    words: bool     # the very same words came before
    identity: bool  # a mail with this Message-ID, sender and date was decided before, and may be gone by now
    marks: bool     # a colleague answered a mail with such marks from the mailbox itself
    answers_stopped: bool
    answers_hour_domain: int
    answers_last_minute: int
    list_mails_hour_domain: int
    acknowledgements_hour_domain: int
    acknowledgements_last_minute: int


def look(
    tx: Tx, secret: bytes, mail_id: int, sender: Address | None, words: str, identity: str, marks: Collection[str], now: datetime
) -> Known:
    """Ask for a mail, which has two marks at most. An empty text is nobody's and nothing's, and is never found."""
    a_mark, another_mark, *_ = [*marks, None, None]
    row = first_row(
        tx,
        _LOOK,
        {
            "the_mail": mail_id, "the_key": sender.key if sender else None, "the_cap_key": cap_key(sender.address) if sender else None,
            "the_domain": sender.domain if sender else None, "the_words": words or None, "the_identity": identity or None,
            "the_digest": digest(secret, sender.key) if sender else None, "a_mark": a_mark, "another_mark": another_mark,
            "an_hour_ago": now - timedelta(hours=1), "a_minute_ago": now - timedelta(minutes=1),
        },
    )  # fmt: skip
    assert row is not None  # one question has one answer
    return Known(*map(bool, row[:5]), *row[5:])


def answered_mails(tx: Tx, message: IncomingMessage | Unreadable, ours: Sequence[str]) -> tuple[OurMail, ...]:
    """What we know of the mails of ours that it answers; where none is named, of the last that brought him the edition in its subject."""
    if ours:
        return outbox.our_mails(tx, ours)
    slug = reference(message.subject)
    sender = message.sender if isinstance(message, IncomingMessage) else None
    return outbox.last_with(tx, sender.key, slug) if slug and sender else ()
