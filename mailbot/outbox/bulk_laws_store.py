"""What must hold of an announcement's mails, whatever happened; each broken row is named (mailbot verify)."""

from collections.abc import Iterator

import sqlalchemy as sa

from mailbot.database.broadcast_tables import broadcast, letter
from mailbot.database.engine import Tx
from mailbot.database.tables import delivery, journalist
from mailbot.outbox.delivery import BY_LETTER, Kind

LEAVING = ("sending", "stopped", "held")  # its plan is queued whole, and nothing of it is let go yet


def broken(tx: Tx) -> Iterator[str]:
    """A sentence for each."""
    yield from _sums(tx)
    yield from _letters(tx)
    yield from _readers(tx)


def _sums(tx: Tx) -> Iterator[str]:
    """The states add up to the plan: nobody was lost, nobody came in from the side."""
    queued = sa.select(sa.func.count()).where(delivery.c.broadcast == broadcast.c.id).scalar_subquery()
    for row in tx.execute(sa.select(broadcast.c.id, broadcast.c.state, broadcast.c.recipients, queued.label("queued"))):
        if row.queued > row.recipients or (row.state in LEAVING and row.queued != row.recipients):
            yield f"broadcast {row.id}: planned for {row.recipients}, and has {row.queued} mails"


def _letters(tx: Tx) -> Iterator[str]:
    """Each says what a letter of its broadcast says, and goes the way of announcements."""
    told = sa.and_(
        letter.c.broadcast == delivery.c.broadcast, letter.c.language == delivery.c.language, letter.c.edition == delivery.c.edition,
        letter.c.content_hash == delivery.c.content_hash,
    )  # fmt: skip
    way = sa.and_(delivery.c.kind == Kind.BROADCAST, delivery.c.priority == BY_LETTER, delivery.c.raw.is_(None))
    other = sa.select(delivery.c.id).outerjoin(letter, letter.c.id == delivery.c.letter).where(delivery.c.broadcast.is_not(None))
    for number in tx.execute(other.where(sa.or_(letter.c.id.is_(None), ~told, ~way)).order_by(delivery.c.id)).scalars():
        yield f"delivery {number}: is no mail of its broadcast's letter"


def _readers(tx: Tx) -> Iterator[str]:
    """Nobody is taken from the press list and stays in the rows: whoever came next could get that number."""
    gone = sa.select(delivery.c.id).outerjoin(journalist, journalist.c.id == delivery.c.journalist)
    gone = gone.where(delivery.c.journalist.is_not(None), journalist.c.id.is_(None)).order_by(delivery.c.id)
    for number in tx.execute(gone).scalars():
        yield f"delivery {number}: went to a journalist of whom nothing is known"
