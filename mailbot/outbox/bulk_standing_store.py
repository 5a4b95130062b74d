"""May mails of these announcements leave, as things stand? Asked by every turn of the mailroom, and all at once: to ask takes longest."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mailbot.database import flag
from mailbot.database.broadcast_tables import broadcast
from mailbot.database.engine import Tx
from mailbot.database.many import BY_INDEX
from mailbot.database.tables import edition
from mailbot.database.tables import flag as switch

SENDING, FINISHED, WITHDRAWAL = "sending", "finished", "withdrawal"  # of a broadcast's states and kinds (mailbot/broadcast)
NOT_SENDING = "not-sending"
SWITCHES = (flag.SENDING_STOPPED, flag.RELAY_SUCCESS, flag.RELAY_TROUBLE)

_EDITIONS = (
    sa.select(edition.c.slug, edition.c.state, edition.c.content_hash)
    .where(edition.c.slug.in_(sa.bindparam("slugs", expanding=True)))
    .order_by(edition.c.slug)
    .with_for_update(read=True)
)
_SENDING = (
    sa.select(broadcast.c.id, broadcast.c.state, broadcast.c.kind)
    .where(broadcast.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(broadcast.c.id)
    .with_for_update(read=True)
    .cte("leaving")
)
_ASKED = (
    sa.select(sa.literal("broadcast").label("what"), _SENDING.c.id, _SENDING.c.state, _SENDING.c.kind),
    sa.select(sa.literal("flag"), switch.c.name, switch.c.value, sa.literal("")).where(switch.c.name.in_(SWITCHES)),
)
_LOOK = {"sqlite": sa.union_all(*_ASKED), "postgresql": sa.union_all(*_ASKED, sa.select(sa.literal("plan"), *BY_INDEX))}


@dataclass(frozen=True, slots=True)
class Standing:
    """`why_not`: (broadcast, edition, content hash) -> why a mail of it must not leave as it is; "" where it may. The switches that are
    set."""

    why_not: dict[tuple[str, str, str], str]
    switches: dict[str, str]


def look(tx: Tx, which: Collection[tuple[str, str, str]]) -> Standing:
    """Until this transaction ends the editions are not corrected, and the broadcasts stay as they are: who stops one comes before these
    mails, or after them. To its end every row is also looked for in an index."""
    slugs = sorted({slug for _, slug, _ in which if slug})
    editions = {row.slug: row for row in tx.execute(_EDITIONS, {"slugs": slugs})} if slugs else {}
    found = tx.execute(_LOOK[tx.dialect.name], {"ids": sorted({one for one, _, _ in which})}).all()
    broadcasts = {row.id: row for row in found if row.what == "broadcast"}
    why_not = {one: _why_not(broadcasts.get(one[0]), editions.get(one[1]), *one[1:]) for one in which}
    return Standing(why_not, {row.id: row.state for row in found if row.what == "flag"})


def _why_not(sent: Any, as_it_is: Any, slug: str, content_hash: str) -> str:
    if sent is None:
        return NOT_SENDING
    wanted = "withdrawn" if sent.kind == WITHDRAWAL else "published"
    if slug and (as_it_is is None or as_it_is.state != wanted):
        return f"{slug} is not {wanted}"  # also where it was stopped besides: who got it meanwhile has to be told
    if slug and content_hash and as_it_is.content_hash != content_hash:
        return f"{slug} was changed after this was written"
    return "" if sent.state in (SENDING, FINISHED) else NOT_SENDING
