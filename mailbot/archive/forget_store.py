"""Takes everything that names one person out of every table: whole rows where they are the person's, the name alone where another's.

The sweep at the end asks the tables themselves which columns hold text, so that a table which nobody thought of here is reached as well.
Only the published releases are left out: they are the office's word to the public.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.archive import retention_store, tally_store
from mailbot.archive.person import Person, is_named_in, pattern, sql_words, without
from mailbot.archive.term import Terms
from mailbot.audience import store as audience
from mailbot.audience import suppression_store
from mailbot.audience.suppression import Why
from mailbot.cases.case import UNFINISHED as OPEN_CASES
from mailbot.database.all_tables import metadata
from mailbot.database.correction_tables import past_edition
from mailbot.database.desk_tables import desk_link, desk_session, desk_user
from mailbot.database.engine import Tx
from mailbot.database.tables import attempt, bounce, case_file, delivery, edition, journalist, mail, mail_copy, suppression
from mailbot.inbox.arrival_store import content
from mailbot.inbox.store import DECIDED, STORED
from mailbot.outbox.delivery import DeliveryState, Kind
from mailbot.outbox.store import UNFINISHED, WAITING

AT_ONCE = 50
EVERYTHING = 1 << 30
TO_WHO_WROTE = (Kind.ANSWER, Kind.LETTER, Kind.ACKNOWLEDGEMENT, Kind.CONFIRMATION)
PUBLISHED = (edition, past_edition)  # what the world has read: a correction changes that
COLLEAGUES = (desk_user, desk_session, desk_link)   # who may use the desk: another's name there is no mention of the person


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What there is about a person. `mails`: the person's own; `quoting`: other people's mails that name the person, and `quoting_waits`
    those of them that somebody has still to answer; `undecided` and `leaving`: just being dealt with, so that nothing can be done now."""

    on_the_list: str
    mails: tuple[int, ...]
    waiting: int
    cases: int
    deliveries: tuple[str, ...]
    unsent: int
    bounces: int
    suppressions: int
    quoting: tuple[int, ...]
    quoting_waits: tuple[int, ...]
    texts: tuple[str, ...]
    undecided: int
    leaving: int
    copies: tuple[dict[str, Any], ...]
    called: tuple[str, ...]     # the names that stand beside the address: where that is taken out, they are too


def held(tx: Tx, who: Person, naming: Sequence[int], texts: Sequence[str]) -> Held:
    """`naming`: the mails, and `texts` the deliveries, in which the person is named (naming_mails, naming_deliveries)."""
    # A mail whose words are gone names nobody any more: whom it was answered is who wrote it.
    answered = sa.exists().where(delivery.c.mail == mail.c.id, delivery.c.recipient_key == who.key, delivery.c.kind.in_(TO_WHO_WROTE))
    theirs = sa.or_(mail.c.sender_key == who.key, sa.and_(mail.c.emptied_at.is_not(None), answered))
    own = sa.select(mail.c.id).where(theirs, mail.c.state == DECIDED).order_by(mail.c.id)
    mails = list(tx.execute(own).scalars())
    to_them = sa.or_(delivery.c.recipient_key == who.key, delivery.c.mail.in_(mails))
    sent = tx.execute(sa.select(delivery.c.id, delivery.c.state).where(to_them)).all()
    others = tx.execute(sa.select(mail.c.id, mail.c.state).where(mail.c.id.in_(list(naming)), mail.c.id.not_in(mails))).all()
    at_rest = set(tx.execute(sa.select(mail.c.id).where(mail.c.id.in_([row.id for row in others]), *retention_store.AT_REST)).scalars())
    decided = tuple(row.id for row in others if row.state == DECIDED)
    other_texts = set(texts).difference(row.id for row in sent)
    on_their_way = sa.select(delivery.c.id).where(delivery.c.id.in_(other_texts), delivery.c.state.in_(UNFINISHED))
    return Held(
        on_the_list=tx.execute(sa.select(journalist.c.state).where(journalist.c.key == who.key)).scalar() or "",
        mails=tuple(mails), waiting=_count(tx, mail.c.id.in_(mails), mail.c.waiting),
        cases=_count(tx, case_file.c.mail.in_(mails), case_file.c.state.in_(OPEN_CASES)),
        deliveries=tuple(row.id for row in sent), unsent=sum(row.state in WAITING for row in sent),
        bounces=_count(tx, bounce.c.address_key == who.key),
        suppressions=_count(tx, suppression.c.address_key == who.key, suppression.c.lifted_at.is_(None)),
        quoting=tuple(one for one in decided if one in at_rest), quoting_waits=tuple(one for one in decided if one not in at_rest),
        texts=tuple(sorted(other_texts.difference(tx.execute(on_their_way).scalars()))),
        undecided=sum(row.state == STORED for row in others),
        leaving=sum(row.state == DeliveryState.SENDING for row in sent) + len(tx.execute(on_their_way).all()),
        copies=tuple(_copies(tx, [*mails, *decided])), called=_called(tx, who, mails),
    )  # fmt: skip


def _count(tx: Tx, *where: sa.ColumnElement[bool]) -> int:
    return tx.execute(sa.select(sa.func.count()).where(*where)).scalar_one()


def _called(tx: Tx, who: Person, mails: Sequence[int]) -> tuple[str, ...]:
    """A single word may be anybody's."""
    found = {
        *tx.execute(sa.select(journalist.c.name).where(journalist.c.key == who.key)).scalars(),
        *tx.execute(sa.select(delivery.c.recipient_name).where(delivery.c.recipient_key == who.key).distinct()).scalars(),
        *tx.execute(sa.select(case_file.c.journalist_name).where(case_file.c.mail.in_(list(mails)))).scalars(),
    }
    return tuple(sorted(name for name in found if " " in name.strip()))


def _copies(tx: Tx, mails: Sequence[int]) -> list[dict[str, Any]]:
    """Where the server has the mails themselves: a number is good in the folder that was watched, and was lost when the mail was moved."""
    columns = (mail_copy.c.mailbox, mail_copy.c.uidvalidity, mail_copy.c.uid, mail_copy.c.filed_at, mail.c.folder)
    query = sa.select(*columns).join(mail, mail.c.id == mail_copy.c.mail).where(mail.c.id.in_(list(mails)))
    rows = tx.execute(query.order_by(mail_copy.c.mailbox, mail_copy.c.uidvalidity, mail_copy.c.uid))
    return [
        {"folder": row.folder, "uid": None, "moved_at": row.filed_at} if row.filed_at
        else {"folder": row.mailbox, "uid": row.uid, "uidvalidity": row.uidvalidity} for row in rows
    ]  # fmt: skip


def naming_mails(tx: Tx, names: re.Pattern[str], after: int) -> tuple[list[int], int | None]:
    """Of the next few mails those whose bytes name the person, and where to go on; None: that was all."""
    query = sa.select(mail.c.id).where(mail.c.id > after, mail.c.emptied_at.is_(None)).order_by(mail.c.id).limit(AT_ONCE)
    rows = list(tx.execute(query).scalars())
    return [one for one in rows if is_named_in(content(tx, one, EVERYTHING), names)], rows[-1] if rows else None


def naming_deliveries(tx: Tx, names: re.Pattern[str], after: str) -> tuple[list[str], str | None]:
    """The same of what we have sent or are to send."""
    columns = (delivery.c.id, delivery.c.raw, delivery.c.subject, delivery.c.text, delivery.c.html, delivery.c.sheet)
    query = sa.select(*columns).where(delivery.c.id > after, delivery.c.emptied_at.is_(None)).order_by(delivery.c.id).limit(AT_ONCE)
    rows = tx.execute(query).all()
    found = [row.id for row in rows if _names(row, names)]
    return found, rows[-1].id if rows else None


def _names(row: Any, names: re.Pattern[str]) -> bool:
    if any(names.search(text) for text in (row.subject, row.text, row.html, row.sheet)):
        return True
    return row.raw is not None and is_named_in(bytes(row.raw), names)


def forget(tx: Tx, who: Person, names: re.Pattern[str], found: Held, terms: Terms, digest: str, now: datetime) -> int:
    """All of it in one transaction; returns in how many rows of others the name was taken out. Twice is harmless."""
    audience.hold_still(tx, to_forget=True)
    retention_store.let_go(tx, found.mails, terms, now)
    retention_store.empty(tx, found.quoting, terms, now)
    retention_store.unwrite(tx, found.texts, now)
    tx.execute(bounce.delete().where(bounce.c.address_key == who.key))
    _forget_sendings(tx, who, terms, digest, now)
    tx.execute(journalist.delete().where(journalist.c.key == who.key))
    tx.execute(desk_user.delete().where(desk_user.c.key == who.key))
    tx.execute(suppression.delete().where(suppression.c.address_key == who.key, suppression.c.lifted_at.is_not(None)))
    tx.execute(suppression.update().where(suppression.c.address_key == who.key).values(address_key=digest))
    suppression_store.suppress(tx, digest, Why.FORGOTTEN, now)
    both = pattern(replace(who, words=(*who.words, *found.called)))
    return sum(_swept(tx, table, who, names, both) for table in metadata.sorted_tables if table not in (*PUBLISHED, *COLLEAGUES))


def _forget_sendings(tx: Tx, who: Person, terms: Terms, digest: str, now: datetime) -> None:
    """What went to the person goes; of a broadcast a row without a name stays, so that its states add up."""
    rows = tx.execute(sa.select(delivery.c.id, delivery.c.kind, delivery.c.state).where(delivery.c.recipient_key == who.key)).all()
    announced = [row.id for row in rows if row.kind == Kind.BROADCAST]
    others = [row.id for row in rows if row.kind != Kind.BROADCAST]
    tally_store.add(tx, tally_store.of_deliveries(tx, others, terms.zone))
    tx.execute(case_file.update().where(case_file.c.answer.in_(others)).values(answer=None))
    tx.execute(delivery.delete().where(delivery.c.id.in_(others)))
    unsent = (delivery.c.id.in_(announced), delivery.c.state.in_(WAITING))
    tx.execute(delivery.update().where(*unsent).values(state=DeliveryState.CANCELLED, finished_at=now))
    nobody = {
        "journalist": None, "recipient": "", "recipient_name": "", "recipient_key": digest, "cap_key": digest, "recipient_domain": "",
        "last_text": "",
    }  # fmt: skip
    tx.execute(delivery.update().where(delivery.c.id.in_(announced)).values(nobody))
    tx.execute(attempt.update().where(attempt.c.delivery.in_(announced)).values(text=""))
    retention_store.unwrite(tx, announced, now)


def _swept(tx: Tx, table: sa.Table, who: Person, names: re.Pattern[str], both: re.Pattern[str]) -> int:
    """In the rows that are left the mark takes the name's place, whatever the table and the column. `both`: the names beside it, too."""
    texts = [column for column in table.c if isinstance(column.type, sa.String | sa.JSON)]
    words = [word.lower() for word in sql_words(who)]
    any_of = [sa.func.lower(sa.cast(one, sa.Text)).contains(word, autoescape=True) for one in texts for word in words]
    columns = {column.name: column for column in (*table.primary_key, *texts)}
    changed = 0
    for row in tx.execute(sa.select(*columns.values()).where(sa.or_(*any_of))).mappings().all() if texts else ():
        if any(without(row[one.name], names, who.mark) != row[one.name] for one in texts):
            news = {table.c[one.name]: without(row[one.name], both, who.mark) for one in texts}
            tx.execute(table.update().where(*(column == row[column.name] for column in table.primary_key)).values(news))
            changed += 1
    return changed
