"""The tables of broadcasts: what was planned and for whom, who approved it, where it stands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from mailbot.audience.suppression import Grade
from mailbot.broadcast.broadcast import Act, Broadcast, Kind, State, after
from mailbot.database.broadcast_tables import approval, broadcast, left_out, letter
from mailbot.database.correction_tables import correction_mail
from mailbot.database.engine import Tx, insert_new
from mailbot.database.tables import bounce, delivery, journalist, suppression
from mailbot.outbox import bulk_store
from mailbot.outbox.delivery import DeliveryState
from mailbot.releases.correction import Correction

AT_ONCE = 5_000
_COMING = (DeliveryState.QUEUED, DeliveryState.RETRYING, DeliveryState.SENDING)
_AGREED = (State.APPROVED, State.SCHEDULED, State.SENDING, State.STOPPED, State.HELD)


def put(tx: Tx, new: Broadcast, event: Mapping[str, str] | None = None) -> None:
    """Keep it, with the event that it invites to (invitation.kept); its deliveries follow in the same transaction."""
    values = {name: getattr(new, name) for name in Broadcast.__slots__}
    tx.execute(broadcast.insert(), values | {"skipped": dict(new.skipped), "event": event})


def event_of(tx: Tx, broadcast_id: str) -> Mapping[str, str] | None:
    """What it invites to; None: to nothing."""
    return tx.execute(sa.select(broadcast.c.event).where(broadcast.c.id == broadcast_id)).scalar()


def planned(tx: Tx, broadcast_id: str, recipients: int, skipped: Mapping[str, int], octets: int, wave: int) -> None:
    """What the plan came to."""
    values = {"recipients": recipients, "skipped": dict(skipped), "octets": octets, "wave": wave}
    tx.execute(broadcast.update().where(broadcast.c.id == broadcast_id).values(values))


def leave_out(tx: Tx, broadcast_id: str, left: Iterable[tuple[int, str]]) -> None:
    """Who gets nothing, and why."""
    rows = ({"broadcast": broadcast_id, "journalist": of, "reason": why} for of, why in left)
    while some := list(islice(rows, AT_ONCE)):
        tx.execute(insert_new(tx, left_out, "broadcast", "journalist"), some)


def find(tx: Tx, broadcast_id: str, *, lock: bool = False) -> Broadcast | None:
    """The broadcast with this id; an unmistakable beginning of it will do. `lock`: it stays as it is until the transaction ends."""
    query = sa.select(broadcast).where(broadcast.c.id.startswith(broadcast_id, autoescape=True)).limit(2)
    rows = tx.execute(query.with_for_update() if lock else query).all() if broadcast_id else []
    exact = [row for row in rows if row.id == broadcast_id] or rows
    return _broadcast(exact[0]) if len(exact) == 1 else None


def listed(tx: Tx, states: Sequence[str] = (), limit: int = 0) -> list[Broadcast]:
    """The newest first."""
    query = sa.select(broadcast).order_by(broadcast.c.created_at.desc(), broadcast.c.id)
    if states:
        query = query.where(broadcast.c.state.in_(list(states)))
    return [_broadcast(row) for row in tx.execute(query.limit(limit) if limit else query)]


def become(tx: Tx, before: Broadcast, act: Act, why: str, now: datetime, **values: Any) -> bool:
    """Do it. False where it stands elsewhere by now. Raises NotAllowed."""
    state = after(before, act)
    values |= {"state": state, "why": why}
    if act is Act.START:
        values["started_at"] = now
    if act is Act.RESUME:
        values["seen_ended"], values["seen_dead"] = _ended(tx, before.id)
    if act in (Act.FINISH, Act.CANCEL):
        values["finished_at"] = now
    where = (broadcast.c.id == before.id, broadcast.c.state == before.state)
    return tx.execute(broadcast.update().where(*where).values(values)).rowcount == 1


def approvals(tx: Tx, broadcast_id: str) -> list[str]:
    """The names of those who have approved it, the first that came first."""
    query = sa.select(approval.c.name).where(approval.c.broadcast == broadcast_id).order_by(approval.c.at, approval.c.name)
    return list(tx.execute(query).scalars())


def approve(tx: Tx, broadcast_id: str, name: str, now: datetime) -> None:
    """One name more."""
    tx.execute(insert_new(tx, approval, "broadcast", "name"), {"broadcast": broadcast_id, "name": name, "at": now})


def suppressed_keys(tx: Tx) -> frozenset[str]:
    """Addresses that are written to no more."""
    return frozenset(tx.execute(sa.select(suppression.c.address_key).where(suppression.c.lifted_at.is_(None))).scalars())


def has_it(tx: Tx, release: str, edition: str = "") -> frozenset[int]:
    """To whom a broadcast has brought this release, or may have, or will by one that is approved; with an edition, that one alone."""
    return frozenset(tx.execute(_who_has_it(release, edition)).scalars())


def told(tx: Tx, kind: Kind, release: str, corrections: Sequence[Correction]) -> frozenset[int]:
    """Who has a mail about one of these corrections already, or gets one by an announcement of them."""
    asked = correction_mail.c.correction.in_([one.id for one in corrections])
    singly = sa.select(journalist.c.id).join(correction_mail, correction_mail.c.recipient_key == journalist.c.key).where(asked)
    since = max(one.at for one in corrections)
    same = sa.select(broadcast.c.id).where(broadcast.c.kind == kind, broadcast.c.release == release, broadcast.c.created_at >= since)
    by_list = _who_has_it(release, "", same)
    return frozenset(tx.execute(singly).scalars()) | frozenset(tx.execute(by_list).scalars())


def have_it_by_now(tx: Tx, one: Broadcast) -> int:
    """How many of a draft's readers have the release, or will, by an announcement that was agreed after this one was planned."""
    if one.kind not in (Kind.RELEASE, Kind.ADVISORY):
        return 0
    edition = ""
    if one.audience.startswith("waiting-for-"):  # all its readers have the release, in another language
        edition = tx.execute(sa.select(delivery.c.edition).where(delivery.c.broadcast == one.id).limit(1)).scalar() or ""
    of = (delivery.c.broadcast == one.id, delivery.c.journalist.in_(_who_has_it(one.release, edition)))
    return tx.execute(sa.select(sa.func.count()).select_from(delivery).where(*of)).scalar_one()


def _who_has_it(release: str, edition: str, by: Any = None) -> Any:
    it = delivery.alias("it")
    gone = it.c.state.in_((DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.SENDING))
    agreed = sa.select(broadcast.c.id).where(broadcast.c.release == release, broadcast.c.state.in_(_AGREED))
    comes = sa.and_(it.c.state.in_((DeliveryState.QUEUED, DeliveryState.RETRYING)), it.c.broadcast.in_(agreed))
    query = sa.select(it.c.journalist).where(it.c.release == release, it.c.journalist.is_not(None), sa.or_(gone, comes))
    query = query.where(it.c.broadcast.in_(by)) if by is not None else query
    return query.where(it.c.edition == edition) if edition else query


def of_release(tx: Tx, release: str) -> list[Broadcast]:
    """Every announcement of it, each as it is until the transaction ends."""
    rows = tx.execute(sa.select(broadcast).where(broadcast.c.release == release).order_by(broadcast.c.id).with_for_update())
    return [_broadcast(row) for row in rows]


def letters_waiting(tx: Tx, edition: str) -> list[tuple[str, int]]:
    """Broadcast and number of each letter that brings this edition and has not reached everybody."""
    bring_it = delivery.c.broadcast.in_(sa.select(letter.c.broadcast).where(letter.c.edition == edition))
    of = (bring_it, delivery.c.edition == edition, delivery.c.letter.is_not(None), delivery.c.state.in_(_COMING))
    rows = sa.select(delivery.c.broadcast, delivery.c.letter).where(*of).distinct().order_by(delivery.c.broadcast, delivery.c.letter)
    return [(row.broadcast, row.letter) for row in tx.execute(rows)]


def doubtful(tx: Tx, broadcast_id: str, letter: int | None = None) -> list[tuple[str, str]]:
    """Address and mail of who may have it by a try in doubt, and for whom it would be tried again."""
    of = (delivery.c.broadcast == broadcast_id, delivery.c.doubts > 0, delivery.c.state.in_(_COMING), delivery.c.in_doubt_since.is_(None))
    query = sa.select(delivery.c.recipient, delivery.c.id).where(*of).order_by(delivery.c.recipient)
    return [(row.recipient, row.id) for row in tx.execute(query if letter is None else query.where(delivery.c.letter == letter))]


def hold_first_mails(tx: Tx, broadcast_id: str, until: datetime) -> int:
    """Imported people who never had an announcement of ours wait for their wave; how many they are."""
    of = sa.and_(delivery.c.broadcast == broadcast_id, delivery.c.state == DeliveryState.QUEUED, _is_first())
    return tx.execute(delivery.update().where(of).values(due_at=until)).rowcount


def _is_first() -> Any:
    earlier = delivery.alias("earlier")
    had_one = sa.exists().where(
        earlier.c.journalist == delivery.c.journalist, earlier.c.broadcast != delivery.c.broadcast, earlier.c.state == DeliveryState.SENT
    )
    imported = sa.exists().where(journalist.c.id == delivery.c.journalist, journalist.c.origin != "")
    return sa.and_(imported, ~had_one)


def next_wave(tx: Tx, broadcast_id: str, most: int, until: datetime, now: datetime) -> int:
    """So many of those who wait for their wave may leave now; how many they are."""
    of = (delivery.c.broadcast == broadcast_id, delivery.c.state == DeliveryState.QUEUED, delivery.c.due_at == until)
    ids = sa.select(delivery.c.id).where(*of).order_by(delivery.c.id).limit(most)
    return tx.execute(delivery.update().where(delivery.c.id.in_(ids)).values(due_at=now)).rowcount


def waiting_now(tx: Tx, broadcast_id: str, now: datetime) -> int:
    """How many are due or under way; those of later waves are not."""
    state = delivery.c.state.in_((DeliveryState.QUEUED, DeliveryState.RETRYING))
    of = sa.or_(sa.and_(state, delivery.c.due_at <= now), delivery.c.state == DeliveryState.SENDING)
    query = sa.select(sa.func.count()).select_from(delivery).where(delivery.c.broadcast == broadcast_id, of)
    return tx.execute(query).scalar_one()


def judged(tx: Tx, broadcast_id: str) -> tuple[int, int]:
    """How many mails came to their end since a person last went on with it, and how many of them met a dead address. By number, not by
    time: clocks jump."""
    seen = tx.execute(sa.select(broadcast.c.seen_ended, broadcast.c.seen_dead).where(broadcast.c.id == broadcast_id)).one()
    ended, dead = _ended(tx, broadcast_id)
    return ended - seen.seen_ended, dead - seen.seen_dead


def _ended(tx: Tx, broadcast_id: str) -> tuple[int, int]:
    ended = delivery.c.state.in_((DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNCERTAIN))
    count = sa.select(sa.func.count()).select_from(delivery).where(delivery.c.broadcast == broadcast_id, ended)
    dead = sa.exists().where(bounce.c.delivery == delivery.c.id, bounce.c.grade == Grade.HARD)
    return tx.execute(count).scalar_one(), tx.execute(count.where(dead)).scalar_one()


def hard_bounces(tx: Tx, broadcast_id: str) -> list[str]:
    """The addresses that turned out to be dead, by this broadcast."""
    query = sa.select(delivery.c.recipient).join(bounce, bounce.c.delivery == delivery.c.id)
    query = query.where(delivery.c.broadcast == broadcast_id, bounce.c.grade == Grade.HARD)
    return sorted(set(tx.execute(query).scalars()))


def skipped(tx: Tx, broadcast_id: str) -> list[dict[str, Any]]:
    """Who was left out, and why."""
    query = sa.select(journalist.c.address, journalist.c.name, left_out.c.reason).join(journalist, journalist.c.id == left_out.c.journalist)
    return [dict(row) for row in tx.execute(query.where(left_out.c.broadcast == broadcast_id).order_by(journalist.c.key)).mappings()]


def outcomes(tx: Tx, broadcast_id: str) -> Iterable[dict[str, Any]]:
    """What became of each mail: a row a person, streamed."""
    names = ("id", "recipient", "recipient_name", "language", "edition", "state", "attempts", "finished_at", "last_code", "last_text")
    query = sa.select(*(delivery.c[name] for name in names)).where(delivery.c.broadcast == broadcast_id).order_by(delivery.c.id)
    for row in tx.execute(query, execution_options={"yield_per": AT_ONCE}).mappings():
        yield dict(row)


def _broadcast(row: Any) -> Broadcast:
    values = {name: getattr(row, name) for name in Broadcast.__slots__}
    return Broadcast(**values | {"kind": Kind(row.kind), "state": State(row.state)})

def summary(tx: Tx, one: Broadcast) -> Mapping[str, object]:
    """The document of INTERFACE.md for one broadcast: its states always add up to its recipients."""
    return {
        "id": one.id, "kind": one.kind, "release": one.release, "state": one.state, "why": one.why, "audience": one.audience,
        "recipients": one.recipients, "states": bulk_store.states_of(tx, one.id),
    }  # fmt: skip
