"""The numbers of a year: from the rows that are there, and from the table that remembers those that are gone."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import sqlalchemy as sa

from mailbot.archive.tally import CLOSED, NO_RELEASE, Answer, Asked, Count, Figure, Tally, counted, shared, topic_words
from mailbot.archive.term import Terms
from mailbot.database.archive_tables import tally
from mailbot.database.engine import Tx, insert
from mailbot.database.tables import case_file, delivery, edition, journalist, mail
from mailbot.inbox.language import fold
from mailbot.inbox.store import DECIDED
from mailbot.outbox.delivery import DeliveryState, Kind

BRINGS = (Kind.ANSWER, Kind.BROADCAST)
_BY_A_COLLEAGUE = sa.or_(delivery.c.kind == Kind.LETTER, delivery.c.key.like("answer:%:%"))
_BROUGHT_ONE = sa.and_(delivery.c.kind == Kind.ANSWER, delivery.c.release != "")
_ANSWERS = (delivery.c.state == DeliveryState.SENT, sa.or_(delivery.c.kind == Kind.LETTER, _BROUGHT_ONE))
_ASKED = (
    sa.select(
        mail.c.id, mail.c.received_at, mail.c.kind, mail.c.outcome, mail.c.reason, mail.c.language, mail.c.answered_at,
        case_file.c.deadline, case_file.c.closed_at, case_file.c.state.label("case"),
    )
    .outerjoin(case_file, case_file.c.mail == mail.c.id)
)  # fmt: skip
_UNANSWERED = (mail.c.state == DECIDED, mail.c.emptied_at.is_(None), mail.c.reason.in_(list(NO_RELEASE)))


def add(tx: Tx, found: Tally) -> None:
    """What is about to go is counted, in the transaction that lets it go."""
    for count, number in sorted(found.items()):
        row = insert(tx, tally).values(**count._asdict(), number=number)
        more = {"number": tally.c.number + number}
        tx.execute(row.on_conflict_do_update(index_elements=["year", "figure", "language", "detail"], set_=more))


def of_mails(tx: Tx, mail_ids: Sequence[int], zone: tzinfo, now: datetime) -> Tally:
    """What these mails add to their years."""
    return _count(tx, mail.c.id.in_(list(mail_ids)), zone, now)


def of_deliveries(tx: Tx, delivery_ids: Sequence[str], zone: tzinfo) -> Tally:
    """What these releases on their way out add to their years."""
    return _brought(tx, delivery.c.id.in_(list(delivery_ids)), zone)


def of_topics(tx: Tx, mail_ids: Collection[int], terms: Terms) -> Tally:
    """The words that these mails asked for in vain and that are everybody's."""
    found: Tally = Counter()
    for _, year, language, words in _in_vain(tx, terms.noise, terms.zone, mail.c.id.in_(list(mail_ids))):
        found.update(Count(year, Figure.TOPIC, language, word) for word in words if fold(word) in terms.common)
    return found


def common_words(tx: Tx, noise: Collection[str]) -> frozenset[str]:
    """The words, folded, that enough different people have asked for in vain, and those that were counted before."""
    known = tx.execute(sa.select(tally.c.detail).where(tally.c.figure == Figure.TOPIC).distinct()).scalars()
    return shared([(sender, words) for sender, _, _, words in _in_vain(tx, noise, UTC)], frozenset(known))


def of_year(tx: Tx, year: int, noise: Collection[str], zone: tzinfo, now: datetime) -> Tally:
    """All of a year: what is gone and what is there."""
    begins, ends = datetime(year, 1, 1, tzinfo=zone).astimezone(UTC), datetime(year + 1, 1, 1, tzinfo=zone).astimezone(UTC)
    gone = tx.execute(sa.select(tally).where(tally.c.year == year))
    found: Tally = Counter({Count(row.year, row.figure, row.language, row.detail): row.number for row in gone})
    found += _count(tx, sa.and_(mail.c.received_at >= begins, mail.c.received_at < ends), zone, now)
    found += _brought(tx, sa.and_(delivery.c.finished_at >= begins, delivery.c.finished_at < ends), zone)
    common = common_words(tx, noise)
    for _, _, language, words in _in_vain(tx, noise, zone, mail.c.received_at >= begins, mail.c.received_at < ends):
        found.update(Count(year, Figure.TOPIC, language, word) for word in words if fold(word) in common)
    return found


def published(tx: Tx, year: int, zone: tzinfo) -> dict[str, list[str]]:
    """Language -> the releases that were first published in this year."""
    found: dict[str, list[str]] = {}
    for row in tx.execute(sa.select(edition.c.release, edition.c.language, edition.c.published_at).order_by(edition.c.release)):
        if row.published_at is not None and row.published_at.astimezone(zone).year == year:
            found.setdefault(row.language, []).append(row.release)
    return found


def _count(tx: Tx, which: sa.ColumnElement[bool], zone: tzinfo, now: datetime) -> Tally:
    """Only mails that are still counted by their rows: what is gone was counted when it went."""
    answers = _first_answers(tx, which)
    found: Tally = Counter()
    for row in tx.execute(_ASKED.where(mail.c.state == DECIDED, which)):
        found += counted(_asked(row, answers.get(row.id)), zone, now)
    return found


def _first_answers(tx: Tx, which: sa.ColumnElement[bool]) -> Mapping[int, Answer]:
    query = sa.select(delivery.c.mail, delivery.c.finished_at, _BY_A_COLLEAGUE.label("by_colleague"))
    query = query.join(mail, mail.c.id == delivery.c.mail).where(*_ANSWERS, which).order_by(delivery.c.finished_at.desc())
    return {row.mail: Answer(at=row.finished_at, by_mailbot=not row.by_colleague) for row in tx.execute(query)}


def _asked(row: Any, answer: Answer | None) -> Asked:
    if row.answered_at is not None and (answer is None or row.answered_at < answer.at):
        answer = Answer(at=row.answered_at, by_mailbot=False)
    return Asked(
        received_at=row.received_at, kind=row.kind, outcome=row.outcome, reason=row.reason, language=row.language, answer=answer,
        deadline=row.deadline, closed_at=row.closed_at if row.case == CLOSED else None,
    )  # fmt: skip


def _brought(tx: Tx, which: sa.ColumnElement[bool], zone: tzinfo) -> Tally:
    where = (delivery.c.state == DeliveryState.SENT, delivery.c.kind.in_(BRINGS), delivery.c.release != "", which)
    found: Tally = Counter()
    columns = (delivery.c.finished_at, delivery.c.language, delivery.c.kind, journalist.c.medium)
    query = sa.select(*columns).outerjoin(journalist, journalist.c.key == delivery.c.recipient_key).where(*where)
    for row in tx.execute(query):
        year = row.finished_at.astimezone(zone).year
        found[Count(year, Figure.SENT, row.language, row.kind)] += 1
        if row.medium:
            found[Count(year, Figure.MEDIUM, "", row.medium)] += 1
    return found


def _in_vain(
    tx: Tx, noise: Collection[str], zone: tzinfo, *which: sa.ColumnElement[bool]
) -> Iterator[tuple[str, int, str, frozenset[str]]]:
    """Each mail that asked for what there was not: its sender, its year, its language, its words."""
    columns = (mail.c.sender_key, mail.c.received_at, mail.c.language, mail.c.explanation)
    for row in tx.execute(sa.select(*columns).where(*_UNANSWERED, *which).order_by(mail.c.id)):
        yield row.sender_key, row.received_at.astimezone(zone).year, row.language, topic_words(row.explanation or {}, noise)
