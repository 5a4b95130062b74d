"""Which reports came about an address, and which addresses are written to no more."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from mailbot.audience.suppression import Bounce, Grade, Suppress, Why, is_lasting, judge
from mailbot.database.engine import Tx
from mailbot.database.tables import bounce, delivery, suppression

DIAGNOSTIC_CHARACTERS = 2000
_WHY = sa.select(suppression.c.reason).where(suppression.c.address_key == sa.bindparam("the_key"), suppression.c.lifted_at.is_(None))


def is_suppressed(tx: Tx, key: str) -> bool:
    """May nothing go to this address (its key) that the person has not just asked for?"""
    return tx.execute(_WHY, {"the_key": key}).first() is not None


def is_silenced(tx: Tx, key: str) -> bool:
    """May not even an answer go there?"""
    return any(is_lasting(Why(why)) for why in tx.execute(_WHY, {"the_key": key}).scalars())


def went_to(tx: Tx, delivery_ids: Sequence[str], kinds: Sequence[str]) -> Mapping[str, str]:
    """Of these deliveries those of such a kind, each with the key that it went to."""
    ours = (delivery.c.id.in_(list(delivery_ids)), delivery.c.kind.in_(list(kinds)))
    query = sa.select(delivery.c.id, delivery.c.recipient_key).where(*ours).order_by(delivery.c.created_at, delivery.c.id)
    return {row.id: row.recipient_key for row in tx.execute(query)}


def history(tx: Tx, key: str) -> list[Bounce]:
    """Every report about an address, oldest first."""
    query = sa.select(bounce).where(bounce.c.address_key == key).order_by(bounce.c.at, bounce.c.id)
    return [Bounce(row.at, Grade(row.grade), row.delivery) for row in tx.execute(query)]


def note(tx: Tx, key: str, new: Bounce, status: str, diagnostic: str, mail: int | None) -> Suppress | None:
    """Keep a report and do what follows from it. None: nothing does."""
    decided = judge(history(tx, key), new)
    tx.execute(
        bounce.insert(),
        {
            "address_key": key, "at": new.at, "grade": new.grade, "status": status, "diagnostic": diagnostic[:DIAGNOSTIC_CHARACTERS],
            "delivery": new.delivery, "mail": mail,
        },
    )  # fmt: skip
    if not isinstance(decided, Suppress):
        return None
    suppress(tx, key, decided.why, new.at, new.delivery)
    return decided


def suppress(tx: Tx, key: str, why: str, now: datetime, delivery_id: str | None = None) -> bool:
    """Write to this address no more. False where that is so already, for this reason."""
    if why in tx.execute(_WHY, {"the_key": key}).scalars():
        return False
    tx.execute(suppression.insert(), {"address_key": key, "reason": why, "since": now, "delivery": delivery_id})
    return True


def reasons(tx: Tx, key: str) -> tuple[str, ...]:
    """Why nothing goes to this address (its key, or the hash of who was forgotten); empty: nothing speaks against it."""
    return tuple(tx.execute(_WHY, {"the_key": key}).scalars())


def lift(tx: Tx, keys: Sequence[str], now: datetime) -> int:
    """A person decides that this address may be written to again; how many reasons that ended."""
    where = (suppression.c.address_key.in_(list(keys)), suppression.c.lifted_at.is_(None))
    return tx.execute(suppression.update().where(*where).values(lifted_at=now)).rowcount
