"""What of the announcements may leave now: claimed in batches, marked before the dialogue, put back, taken up from workers that are gone.

Claimed is what a worker has in hand: it has certainly not left. Marked, in doubt, is what goes on the wire next, and only that can repeat
after a crash. Whoever changes a row names its holder and its fence, so that a worker that was frozen past its lease changes nothing.

Order of locks, so that nobody waits for each other: the pace, the edition (last_look), the broadcast, the deliveries.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from mailbot.audience.journalist import State
from mailbot.database.broadcast_tables import broadcast, letter
from mailbot.database.engine import Tx
from mailbot.database.many import BY_INDEX, among, execute_many, execute_pair
from mailbot.database.tables import attempt, delivery, journalist, suppression
from mailbot.message.address import Address
from mailbot.outbox.bulk_standing_store import FINISHED, SENDING, WITHDRAWAL
from mailbot.outbox.bulk_store import Recipient
from mailbot.outbox.delivery import BY_LETTER, DeliveryState, Kind
from mailbot.outbox.store import WAITING, Claimed, Draft

ORPHANS_AT_ONCE = 1000
PACE_LOCK = 0x6D61696C  # any number, the same in every process

_HELD = (  # in the order of Held
    delivery.c.id, delivery.c.key, delivery.c.broadcast, delivery.c.journalist, delivery.c.letter, delivery.c.recipient,
    delivery.c.recipient_name, delivery.c.recipient_key, delivery.c.release, delivery.c.edition, delivery.c.content_hash,
    delivery.c.language, delivery.c.written_from, delivery.c.message_id, delivery.c.fence, delivery.c.attempts, delivery.c.doubts,
    delivery.c.date, delivery.c.raw_hash,
)  # fmt: skip
_DUE = (
    sa.select(delivery.c.id)
    .where(
        delivery.c.broadcast == sa.bindparam("the_broadcast"), delivery.c.state == sa.bindparam("the_state"),
        delivery.c.due_at <= sa.bindparam("now"), delivery.c.priority == BY_LETTER,
    )
    .order_by(delivery.c.due_at)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)  # fmt: skip
_TAKE = (
    delivery.update()
    .where(delivery.c.id.in_(sa.select(_DUE.c.id)))
    .values(state=DeliveryState.SENDING, holder=sa.bindparam("the_holder"), fence=delivery.c.fence + 1)
    .returning(*_HELD, delivery.c.due_at)
)
# A row is found by its id alone: PostgreSQL would else look through every row that is or was of this state.
_state = sa.func.coalesce(delivery.c.state, "")
_OURS = delivery.update().where(
    delivery.c.id == sa.bindparam("the_delivery"), _state == DeliveryState.SENDING,
    delivery.c.holder == sa.bindparam("the_holder"), delivery.c.fence == sa.bindparam("the_fence"),
)  # fmt: skip
_MARK = _OURS.values(
    in_doubt_since=sa.bindparam("now"), date=sa.bindparam("the_date"), raw_hash=sa.bindparam("the_hash"),
    attempts=sa.bindparam("the_attempts"),
)  # fmt: skip
_BACK = _OURS.values(
    state=sa.case((sa.bindparam("the_attempts", type_=sa.Integer) > 0, DeliveryState.RETRYING), else_=DeliveryState.QUEUED), holder="",
    attempts=sa.bindparam("the_attempts"), in_doubt_since=None,
)  # fmt: skip
_SENT = _OURS.values(
    state=DeliveryState.SENT, holder="", finished_at=sa.bindparam("now"), in_doubt_since=None, last_phase=sa.bindparam("the_phase"),
    last_code=sa.bindparam("the_code"), last_text=sa.bindparam("the_text"),
)  # fmt: skip
_BEGUN = attempt.insert().values(
    delivery=sa.bindparam("the_delivery"), number=sa.bindparam("the_fence"), started_at=sa.bindparam("now"),
    holder=sa.bindparam("the_holder"), phase="", text="", verdict="",
)  # fmt: skip
_TRIED = (
    attempt.update()
    .where(attempt.c.delivery == sa.bindparam("the_delivery"), attempt.c.number == sa.bindparam("the_fence"))
    .values(
        phase=sa.bindparam("the_phase"), code=sa.bindparam("the_code"), text=sa.bindparam("the_text"), verdict="sent",
        ended_at=sa.bindparam("now"),
    )
)  # fmt: skip


class Held(NamedTuple):
    """A mail of an announcement that this holder alone may try now. `attempts` are the earlier ones. A tuple, as the row is: a dataclass
    of so many fields takes five times as long to be made, for each of a hundred thousand."""

    id: str
    key: str
    broadcast: str
    journalist: int
    letter: int
    address: str
    name: str
    recipient_key: str
    release: str
    edition: str
    content_hash: str
    language: str
    facts: dict[str, str] | None
    message_id: str
    fence: int
    attempts: int
    doubts: int
    date: datetime | None
    raw_hash: str

    @property
    def to(self) -> Address:
        """As it stands in its To."""
        return Address(self.address, self.name)

    def claimed(self) -> Claimed:
        """The same as the single path knows it, with the attempt that is going on."""
        draft = Draft(
            key=self.key, kind=Kind.BROADCAST, recipient=self.to, language=self.language, subject="", text="",
            release=self.release, edition=self.edition, content_hash=self.content_hash,
        )  # fmt: skip
        return Claimed(
            id=self.id, kind=Kind.BROADCAST, fence=self.fence, attempts=self.attempts + 1, doubts=self.doubts, draft=draft,
            message_id=self.message_id, date=self.date, raw=None,
        )  # fmt: skip

    def recipient(self, format_: str, waits_for: str) -> Recipient:
        """What its values are made from."""
        return Recipient(
            delivery=self.id, broadcast=self.broadcast, journalist=self.journalist, address=self.address, name=self.name,
            language=self.language, format=format_, waits_for=waits_for, release=self.release, edition=self.edition, facts=self.facts or {},
        )  # fmt: skip


def alone_with_the_pace(tx: Tx) -> None:
    """Until this transaction ends nobody else counts or begins attempts. SQLite has one writer."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(PACE_LOCK), *BY_INDEX))  # what is counted next may be a long table


def sending(tx: Tx) -> list[str]:
    """The broadcasts that are leaving, the first that began first; also a finished one of which a person lets a mail leave once more."""
    order = (broadcast.c.started_at, broadcast.c.created_at, broadcast.c.id)
    once_more = (delivery.c.state == DeliveryState.RETRYING, delivery.c.priority == BY_LETTER)
    again = sa.exists().where(delivery.c.broadcast == broadcast.c.id, *once_more)
    leaving = sa.or_(broadcast.c.state == SENDING, sa.and_(broadcast.c.state == FINISHED, again))
    return list(tx.execute(sa.select(broadcast.c.id).where(leaving).order_by(*order)).scalars())


def next_due(tx: Tx) -> datetime | None:
    """When the next mail of what is leaving may be tried."""
    of = sa.select(sa.func.min(delivery.c.due_at))
    found = [
        tx.execute(of.where(delivery.c.broadcast == one, delivery.c.state == state)).scalar() for one in sending(tx) for state in WAITING
    ]
    return min(filter(None, found), default=None)


def claim(tx: Tx, holder: str, most: int, now: datetime) -> list[Held]:
    """Up to so many that are due; what is tried again comes before what was never tried. Who has left meanwhile is not among them. A
    database gives them back in any order: they leave as they are due, and of those due together as they were queued."""
    held: list[Held] = []
    for which in sending(tx):
        for state in (DeliveryState.RETRYING, DeliveryState.QUEUED):
            if len(held) < most:
                asked = {"the_broadcast": which, "the_state": state, "now": now, "most": most - len(held), "the_holder": holder}
                held += [Held._make(row[:-1]) for row in sorted(tx.execute(_TAKE, asked), key=itemgetter(-1, 0))]
    return wanted(tx, held, holder, now)


def wanted(tx: Tx, held: Sequence[Held], holder: str, now: datetime) -> list[Held]:
    """Those who may be written to as things stand; the others get nothing, and their row says why."""
    unwanted = _unwanted(tx, held) if held else {}
    for one in held:
        if one.id in unwanted:
            _change(tx, one, holder, {"state": DeliveryState.SUPPRESSED, "finished_at": now, "holder": "", "last_text": unwanted[one.id]})
    return [one for one in held if one.id not in unwanted]


def _unwanted(tx: Tx, held: Sequence[Held]) -> dict[str, str]:
    """Who must not be written to any more since the plan was made, and why."""
    keys, numbers = [one.recipient_key for one in held], [one.journalist for one in held]
    barred = sa.select(suppression.c.address_key).where(among(tx, suppression.c.address_key, keys), suppression.c.lifted_at.is_(None))
    suppressed = frozenset(tx.execute(barred).scalars())
    on_it = sa.select(journalist.c.id).where(among(tx, journalist.c.id, numbers), journalist.c.state == State.SUBSCRIBED)
    subscribed = frozenset(tx.execute(on_it).scalars())
    return {one.id: "the address is suppressed" for one in held if one.recipient_key in suppressed} | {
        one.id: "is not on the press list any more" for one in held if one.journalist not in subscribed
    }


def mark(tx: Tx, made: Sequence[tuple[Held, datetime, str]], holder: str, now: datetime) -> frozenset[str]:
    """Written before the dialogue, with the Date and the hash of the bytes: from here on these may have arrived. The ids that are ours."""
    if not made:
        return frozenset()
    rows = [
        _ours(one, holder) | {"now": now, "the_date": date, "the_hash": digest, "the_attempts": one.attempts + 1}
        for one, date, digest in made
    ]
    fences = {one.id: one.fence for one, _, _ in made}

    def changed() -> frozenset[str]:
        held = sa.select(delivery.c.id, delivery.c.fence).where(
            delivery.c.id.in_(list(fences)), delivery.c.holder == holder, delivery.c.in_doubt_since == now
        )
        return frozenset(row.id for row in tx.execute(held) if row.fence == fences[row.id])

    return execute_pair(tx, _MARK, _BEGUN, rows, "the_delivery", changed)


def put_back(tx: Tx, held: Sequence[Held], holder: str) -> None:
    """These claims are given up before anything left."""
    if held:
        execute_many(tx, _BACK, [_ours(one, holder) | {"the_attempts": one.attempts} for one in held])


def sent(tx: Tx, taken: Sequence[tuple[Held, str, int | None, str]], holder: str, now: datetime) -> None:
    """The relay has these: phase, code and words of each. Where another worker has taken over, its record stands."""
    if taken:
        rows = [
            _ours(one, holder) | {"now": now, "the_phase": phase, "the_code": code, "the_text": text} for one, phase, code, text in taken
        ]

        def changed() -> frozenset[str]:
            ids = [row["the_delivery"] for row in rows]
            left = (delivery.c.id.in_(ids), delivery.c.state == DeliveryState.SENT, delivery.c.finished_at == now)
            return frozenset(tx.execute(sa.select(delivery.c.id).where(*left)).scalars())

        execute_pair(tx, _SENT, _TRIED, rows, "the_delivery", changed)


def cancel(tx: Tx, one: Held, holder: str, why: str, now: datetime) -> bool:
    """It must not leave any more."""
    return _change(tx, one, holder, {"state": DeliveryState.CANCELLED, "finished_at": now, "holder": "", "last_text": why})


def is_early(tx: Tx, held: Collection[Held]) -> dict[str, bool]:
    """Broadcast -> may its mails leave before an embargo ends? It goes to those who may have it early, or says what was withdrawn."""
    query = sa.select(broadcast.c.id, broadcast.c.early, broadcast.c.kind).where(broadcast.c.id.in_({one.broadcast for one in held}))
    return {row.id: row.early or row.kind == WITHDRAWAL for row in tx.execute(query)} if held else {}


def postpone(tx: Tx, one: Held, holder: str, until: datetime) -> bool:
    """It is not tried before then."""
    state = DeliveryState.RETRYING if one.attempts else DeliveryState.QUEUED
    return _change(tx, one, holder, {"state": state, "holder": "", "due_at": until})


def begin(tx: Tx, one: Held, holder: str, now: datetime) -> bool:
    """An attempt that ends before anything is said: its outcome is recorded like every other. False where the claim is not ours."""
    if not _change(tx, one, holder, {"attempts": one.attempts + 1}):
        return False
    tx.execute(attempt.insert(), {"delivery": one.id, "number": one.fence, "started_at": now, "holder": holder})
    return True


def orphans(tx: Tx, living: frozenset[str]) -> list[tuple[Held, str, bool]]:
    """What a worker left that is gone: by whom it was held, and whether its bytes may have left."""
    announced = delivery.c.broadcast.in_(sa.select(broadcast.c.id))  # by the index of announcements
    of = (announced, delivery.c.state == DeliveryState.SENDING, delivery.c.holder.not_in(list(living)))
    asked = sa.select(*_HELD, delivery.c.holder, delivery.c.in_doubt_since.is_not(None))
    rows = tx.execute(asked.where(*of).limit(ORPHANS_AT_ONCE).with_for_update(skip_locked=True))
    found = [(Held._make(row[:-2]), str(row[-2]), bool(row[-1])) for row in rows]
    return [(held._replace(attempts=held.attempts - in_doubt), holder, in_doubt) for held, holder, in_doubt in found]


def letter_rows(tx: Tx, ids: Collection[int]) -> list[Any]:
    """The letters of these ids."""
    return list(tx.execute(sa.select(letter).where(letter.c.id.in_(list(ids)))))


def _change(tx: Tx, one: Held, holder: str, values: dict[str, Any]) -> bool:
    return tx.execute(_OURS, _ours(one, holder) | values).rowcount == 1


def _ours(one: Held, holder: str) -> dict[str, Any]:
    return {"the_delivery": one.id, "the_holder": holder, "the_fence": one.fence}
