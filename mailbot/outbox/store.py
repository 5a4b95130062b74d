"""The outgoing mails: queue, claim with a lease and a fence, record what the relay said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.database.broadcast_tables import broadcast
from mailbot.database.engine import Tx, insert_new
from mailbot.database.many import rows_changed
from mailbot.database.tables import ONE_BY_ONE, attempt, delivery, mail
from mailbot.message.address import Address, cap_key
from mailbot.outbox.delivery import (
    PRIORITY,
    DeliveryState,
    Failed,
    Kind,
    OurMail,
    RelayDown,
    Reply,
    RetryAt,
    Sent,
    Uncertain,
    Verdict,
)  # fmt: skip

WAITING = (DeliveryState.QUEUED, DeliveryState.RETRYING)
UNFINISHED = (*WAITING, DeliveryState.SENDING)

# What is asked for every mail is built once: building a statement takes several times as long as running it.
_SINCE: sa.BindParameter[datetime] = sa.bindparam("since")
_READY = (
    sa.select(delivery)
    .where(ONE_BY_ONE, delivery.c.state.in_(WAITING), delivery.c.due_at <= sa.bindparam("now"))
    .order_by(delivery.c.priority, delivery.c.due_at, delivery.c.created_at, delivery.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)  # SQLite has one writer and ignores this
)
_ONE = delivery.update().where(delivery.c.id == sa.bindparam("the_delivery"))
_OURS = _ONE.where(
    delivery.c.state == DeliveryState.SENDING,
    delivery.c.holder == sa.bindparam("the_holder"),
    delivery.c.fence == sa.bindparam("the_fence"),
)
_SAID = attempt.update().where(attempt.c.delivery == sa.bindparam("the_delivery"), attempt.c.number == sa.bindparam("the_fence"))
_ORPHANS = sa.select(delivery).where(
    ONE_BY_ONE, delivery.c.state == DeliveryState.SENDING, delivery.c.holder.not_in(sa.bindparam("living", expanding=True))
)
_STARTED = sa.select(attempt.c.started_at).where(attempt.c.started_at > _SINCE).order_by(attempt.c.started_at)
_NEXT_DUE = sa.select(sa.func.min(delivery.c.due_at)).where(ONE_BY_ONE, delivery.c.state.in_(WAITING))
_newer = delivery.alias("newer")
REPLACED = sa.exists().where(_newer.c.key == delivery.c.key + "~" + delivery.c.id)  # its release was corrected before it left
_TO = delivery.c.recipient_key == sa.bindparam("recipient")
_ANSWERED = (delivery.c.kind == Kind.ANSWER, _TO, delivery.c.created_at > _SINCE, ~REPLACED)
_ANSWERS = sa.select(delivery.c.release, delivery.c.created_at).where(*_ANSWERED, delivery.c.variant == "").order_by(delivery.c.created_at)
_ACKNOWLEDGED = (
    sa.select(delivery.c.id, delivery.c.key, delivery.c.in_reply_to, delivery.c.created_at)
    .where(
        ONE_BY_ONE, delivery.c.kind == Kind.ACKNOWLEDGEMENT, delivery.c.cap_key == sa.bindparam("cap_key"), delivery.c.created_at > _SINCE
    )
    .order_by(delivery.c.created_at)
)
_VARIANTS = sa.select(delivery.c.edition, delivery.c.variant).where(*_ANSWERED, delivery.c.edition != "")
_OUR_MAIL = (
    delivery.c.id, delivery.c.kind, delivery.c.recipient_key, delivery.c.release, delivery.c.edition, delivery.c.language,
    delivery.c.mentions, delivery.c.key,
)  # fmt: skip
_OF_LATE = (ONE_BY_ONE, delivery.c.kind == sa.bindparam("kind"), delivery.c.created_at > _SINCE)
_COUNT = sa.select(sa.func.count()).select_from(delivery).where(*_OF_LATE)
_TIMES = sa.select(delivery.c.created_at).where(*_OF_LATE).order_by(delivery.c.created_at)
_COUNT_TO = _COUNT.where(delivery.c.cap_key == sa.bindparam("cap_key"))
_COUNT_IN = _COUNT.where(delivery.c.recipient_domain == sa.bindparam("domain"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A mail that is to leave. `key` makes it the same mail: queued twice, it leaves once."""

    key: str
    kind: Kind
    recipient: Address
    language: str
    subject: str
    text: str
    html: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    mail: int | None = None
    release: str = ""
    edition: str = ""
    content_hash: str = ""  # of the edition as it was when this was written
    mentions: tuple[str, ...] = ()  # the slugs of other editions that it names
    attach_original: bool = False
    variant: str = ""       # what an answer-back word asked for; empty: this answers no such word
    sheet: str = ""         # HTML that is printed and attached as a PDF
    sheet_name: str = ""    # the name of what is attached, a PDF or photos
    photos: tuple[str, ...] = ()    # the marks of the photos that it names or brings; empty: it has nothing to do with any
    written_from: Mapping[str, Any] | None = None  # what was decided, so that it can be written anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that this holder alone may try now; `fence` tells this claim from every other."""

    id: str
    kind: Kind
    fence: int
    attempts: int  # this one included
    doubts: int
    draft: Draft
    message_id: str
    date: datetime | None
    raw: bytes | None


def enqueue(tx: Tx, draft: Draft, delivery_id: str, message_id: str, now: datetime, due_at: datetime | None = None) -> bool:
    """Queue it; it is held back until `due_at`. False where the same mail is queued already."""
    values = {
        "id": delivery_id, "key": draft.key, "kind": draft.kind, "priority": PRIORITY[draft.kind], "state": DeliveryState.QUEUED,
        "mail": draft.mail, "release": draft.release, "edition": draft.edition, "language": draft.language,
        "recipient": draft.recipient.address, "recipient_name": draft.recipient.name, "recipient_key": draft.recipient.key,
        "cap_key": cap_key(draft.recipient.address), "recipient_domain": draft.recipient.domain, "message_id": message_id,
        "subject": draft.subject, "text": draft.text, "html": draft.html, "in_reply_to": draft.in_reply_to,
        "references": list(draft.references), "content_hash": draft.content_hash, "mentions": list(draft.mentions),
        "attach_original": draft.attach_original, "variant": draft.variant, "sheet": draft.sheet, "sheet_name": draft.sheet_name,
        "written_from": draft.written_from, "photos": list(draft.photos), "created_at": now, "due_at": due_at or now,
    }  # fmt: skip
    return rows_changed(tx, insert_new(tx, delivery, "key"), values) == 1


def claim(tx: Tx, holder: str, now: datetime) -> Claimed | None:
    """Take the most urgent delivery that is due; the attempt is on record before anything is said to the relay."""
    row = tx.execute(_READY, {"now": now}).first()
    if row is None:
        return None
    taken = {"state": DeliveryState.SENDING, "holder": holder, "fence": row.fence + 1, "attempts": row.attempts + 1}
    tx.execute(_ONE, taken | {"the_delivery": row.id})
    tx.execute(attempt.insert(), {"delivery": row.id, "number": row.fence + 1, "started_at": now, "holder": holder})
    return Claimed(
        id=row.id, kind=Kind(row.kind), fence=row.fence + 1, attempts=row.attempts + 1, doubts=row.doubts, draft=draft_of(row),
        message_id=row.message_id, date=row.date, raw=row.raw,
    )  # fmt: skip


def freeze(tx: Tx, claimed: Claimed, holder: str, date: datetime, raw: bytes) -> bool:
    """From now on these are its bytes, whatever happens to templates and releases. False where the claim is not ours any more."""
    return _change_ours(tx, claimed, holder, {"date": date, "raw": raw})


def enter_doubt(tx: Tx, claimed: Claimed, holder: str, now: datetime) -> bool:
    """Written before DATA: from here on the mail may have arrived. False where the claim is not ours any more."""
    return _change_ours(tx, claimed, holder, {"in_doubt_since": now})


def outcome(tx: Tx, claimed: Claimed, holder: str, reply: Reply, verdict: Verdict, now: datetime) -> bool:
    """Record what came of it. False where another worker has taken over: then its record stands."""
    values: dict[str, Any] = {"holder": "", "last_phase": reply.phase, "last_code": reply.code, "last_text": reply.text[:2000]}
    match verdict:
        case Sent():
            values |= {"state": DeliveryState.SENT, "finished_at": now, "in_doubt_since": None}
        case RetryAt():
            values |= {"state": DeliveryState.RETRYING, "due_at": verdict.at, "in_doubt_since": None}
            values["doubts"] = claimed.doubts + (1 if reply.in_doubt else 0)
        case Failed():
            values |= {"state": DeliveryState.FAILED, "finished_at": now, "in_doubt_since": None}
        case Uncertain():
            values |= {"state": DeliveryState.UNCERTAIN, "finished_at": now, "doubts": claimed.doubts + 1}
        case RelayDown():  # nobody's fault but the relay's: the delivery has not been tried
            state = DeliveryState.QUEUED if claimed.attempts == 1 else DeliveryState.RETRYING
            values |= {"state": state, "attempts": claimed.attempts - 1, "in_doubt_since": None}
    if not _change_ours(tx, claimed, holder, values):
        return False
    said = {"phase": reply.phase, "code": reply.code, "text": reply.text[:2000], "verdict": _word(verdict), "ended_at": now}
    tx.execute(_SAID, said | {"the_delivery": claimed.id, "the_fence": claimed.fence})
    return True


def _change_ours(tx: Tx, claimed: Claimed, holder: str, values: dict[str, Any]) -> bool:
    """False where the claim is not ours any more; then nothing changes."""
    ours = {"the_delivery": claimed.id, "the_holder": holder, "the_fence": claimed.fence}
    return tx.execute(_OURS, values | ours).rowcount == 1


def _word(verdict: Verdict) -> str:
    return {Sent: "sent", RetryAt: "retry", Failed: "failed", Uncertain: "uncertain", RelayDown: "relay-down"}[type(verdict)]


def orphans(tx: Tx, living: frozenset[str]) -> list[tuple[Claimed, str, bool]]:
    """Deliveries whose holder is gone: what was claimed, by whom, and whether its bytes may have left."""
    rows = tx.execute(_ORPHANS, {"living": list(living)})
    return [
        (
            Claimed(
                id=row.id, kind=Kind(row.kind), fence=row.fence, attempts=row.attempts, doubts=row.doubts, draft=draft_of(row),
                message_id=row.message_id, date=row.date, raw=row.raw,
            ),
            row.holder,
            row.in_doubt_since is not None,
        )
        for row in rows
    ]  # fmt: skip


def draft_of(row: sa.Row[Any]) -> Draft:
    """The mail that a row of the queue holds."""
    return Draft(
        key=row.key, kind=Kind(row.kind), recipient=Address(row.recipient, row.recipient_name), language=row.language,
        subject=row.subject, text=row.text, html=row.html, in_reply_to=row.in_reply_to, references=tuple(row.references),
        mail=row.mail, release=row.release, edition=row.edition, content_hash=row.content_hash, photos=tuple(row.photos or ()),
        mentions=tuple(row.mentions), attach_original=row.attach_original, variant=row.variant, sheet=row.sheet, sheet_name=row.sheet_name,
        written_from=row.written_from,
    )  # fmt: skip


def mails_of(tx: Tx, delivery_ids: Sequence[str]) -> list[int]:
    """The mails that these deliveries answered or handed over."""
    query = sa.select(delivery.c.mail).where(delivery.c.id.in_(list(delivery_ids)), delivery.c.mail.is_not(None))
    return list(tx.execute(query).scalars())


def started_since(tx: Tx, since: datetime) -> list[datetime]:
    """When the attempts of late began, oldest first: what the pace counts."""
    return list(tx.execute(_STARTED, {"since": since}).scalars())


def next_due(tx: Tx) -> datetime | None:
    """When the next waiting delivery may leave."""
    return tx.execute(_NEXT_DUE).scalar()


def answers_to(tx: Tx, recipient_key: str, since: datetime) -> tuple[tuple[str, datetime], ...]:
    """The releases that went, or are to go, to this person since then; not what was asked for by an answer-back word."""
    rows = tx.execute(_ANSWERS, {"recipient": recipient_key, "since": since})
    return tuple((row.release, row.created_at) for row in rows)


def acknowledgements_to(tx: Tx, cap_key: str, since: datetime) -> list[sa.Row[Any]]:
    """The acknowledgements queued for this person since then: id, key, in_reply_to, created_at."""
    return list(tx.execute(_ACKNOWLEDGED, {"cap_key": cap_key, "since": since}))


def variants_to(tx: Tx, recipient_key: str, since: datetime) -> tuple[tuple[str, str], ...]:
    """Edition and variant of every answer to this person since then, "" where it was no answer to a word."""
    rows = tx.execute(_VARIANTS, {"recipient": recipient_key, "since": since})
    return tuple((row.edition, row.variant) for row in rows)


def our_mails(tx: Tx, delivery_ids: Sequence[str]) -> tuple[OurMail, ...]:
    """The mails of ours behind these ids."""
    return tuple(_our_mail(row) for row in tx.execute(sa.select(*_OUR_MAIL).where(delivery.c.id.in_(list(delivery_ids)))))


def last_with(tx: Tx, recipient_key: str, edition: str) -> tuple[OurMail, ...]:
    """The last mail that brought this person this edition, if one did."""
    brought = (delivery.c.recipient_key == recipient_key, delivery.c.edition == edition, delivery.c.state == DeliveryState.SENT)
    query = sa.select(*_OUR_MAIL).where(*brought).order_by(delivery.c.created_at.desc(), delivery.c.id).limit(1)
    return tuple(_our_mail(row) for row in tx.execute(query))


def _our_mail(row: Any) -> OurMail:
    return OurMail(**{**row._asdict(), "kind": Kind(row.kind), "mentions": tuple(row.mentions)})


def count_since(tx: Tx, kind: Kind, since: datetime, *, cap_key: str = "", domain: str = "") -> int:
    """How many of a kind were queued since then: to one person, or to one domain, or to everybody."""
    query = _COUNT_TO if cap_key else _COUNT_IN if domain else _COUNT
    asked = {"kind": kind, "since": since} | ({"cap_key": cap_key} if cap_key else {"domain": domain} if domain else {})
    return tx.execute(query, asked).scalar_one()


def times_since(tx: Tx, kind: Kind, since: datetime) -> list[datetime]:
    """When each of a kind was queued since then, oldest first."""
    return list(tx.execute(_TIMES, {"kind": kind, "since": since}).scalars())


def states(tx: Tx) -> dict[str, int]:
    """State -> how many, every state named."""
    found = dict.fromkeys((str(state) for state in DeliveryState), 0)
    rows = tx.execute(sa.select(delivery.c.state, sa.func.count().label("number")).group_by(delivery.c.state))
    return found | {row.state: row.number for row in rows}


def unfinished(tx: Tx, now: datetime) -> int:
    """How many could leave now or are under way."""
    due = sa.and_(delivery.c.state.in_(WAITING), delivery.c.due_at <= now)
    query = sa.select(sa.func.count()).select_from(delivery).where(sa.or_(due, delivery.c.state == DeliveryState.SENDING))
    announced = delivery.c.broadcast.in_(sa.select(broadcast.c.id))  # each has its own index
    return sum(tx.execute(query.where(which)).scalar_one() for which in (ONE_BY_ONE, announced))


def listed(tx: Tx, states: Sequence[str] = (), limit: int = 0) -> list[dict[str, Any]]:
    """Rows for people and programs, newest first, without the bytes."""
    hidden = ("raw", "text", "html", "sheet", "references")
    query = sa.select(*[column for column in delivery.c if column.name not in hidden])
    query = query.order_by(delivery.c.created_at.desc(), delivery.c.id)
    if states:
        query = query.where(delivery.c.state.in_(list(states)))
    if limit:
        query = query.limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def shown(tx: Tx, delivery_id: str) -> dict[str, Any] | None:
    """One delivery with its attempts."""
    row = tx.execute(sa.select(delivery).where(delivery.c.id == delivery_id)).mappings().first()
    if row is None:
        return None
    attempts = tx.execute(sa.select(attempt).where(attempt.c.delivery == delivery_id).order_by(attempt.c.number)).mappings()
    return {**row, "tried": [dict(one) for one in attempts]}


def send_again(tx: Tx, delivery_id: str, now: datetime) -> bool:
    """A person decides that a failed or doubtful mail leaves once more, with the same bytes."""
    undone = delivery.c.state.in_((DeliveryState.FAILED, DeliveryState.UNCERTAIN))
    where = (delivery.c.id == delivery_id, undone, delivery.c.emptied_at.is_(None))
    values = {"state": DeliveryState.RETRYING, "due_at": now, "finished_at": None, "in_doubt_since": None, "attempts": 0}
    return tx.execute(delivery.update().where(*where).values(values)).rowcount == 1


def drop(tx: Tx, delivery_id: str, now: datetime) -> bool:
    """A person decides that a waiting mail does not leave; the mail that it answers waits for a person then."""
    where = (delivery.c.id == delivery_id, delivery.c.state.in_(WAITING))
    dropped = delivery.update().where(*where).values(state=DeliveryState.CANCELLED, finished_at=now).returning(delivery.c.mail)
    row = tx.execute(dropped).first()
    if row is not None and row.mail is not None:
        tx.execute(mail.update().where(mail.c.id == row.mail).values(waiting=True))
    return row is not None


def withdraw(tx: Tx, delivery_id: str, now: datetime) -> bool:
    """A waiting mail does not leave after all. False where somebody tries it already, or it has left."""
    where = (delivery.c.id == delivery_id, delivery.c.state.in_(WAITING))
    return tx.execute(delivery.update().where(*where).values(state=DeliveryState.CANCELLED, finished_at=now)).rowcount == 1


def cancel(
    tx: Tx, claimed: Claimed, holder: str, why: str, now: datetime, state: DeliveryState = DeliveryState.CANCELLED
) -> bool:
    """It must not leave any more; `why` is kept as the relay's words would be."""
    values = {"state": state, "finished_at": now, "holder": "", "last_text": why, "in_doubt_since": None}
    return _change_ours(tx, claimed, holder, values)


def put_back(tx: Tx, claimed: Claimed, holder: str) -> bool:
    """The claim is given up before anything left: it is as if it had never been."""
    state = DeliveryState.QUEUED if claimed.attempts == 1 else DeliveryState.RETRYING
    values = {"state": state, "holder": "", "attempts": claimed.attempts - 1, "in_doubt_since": None}
    return _change_ours(tx, claimed, holder, values)
