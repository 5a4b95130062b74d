"""Everything that is held about one person, for that person to see: rows as plain values, without what is another's."""

from typing import Any

import sqlalchemy as sa

from mailbot.database.broadcast_tables import broadcast, left_out
from mailbot.database.engine import Tx
from mailbot.database.tables import bounce, case_file, delivery, journalist, mail, suppression

_MAIL = ("id", "received_at", "subject", "kind", "outcome", "reason", "language", "answered_at", "emptied_at")
_DELIVERY = (
    "id", "kind", "state", "created_at", "finished_at", "recipient", "recipient_name", "subject", "edition", "last_code", "last_text",
)  # fmt: skip
_CASE = ("id", "mail", "state", "reason", "journalist_name", "deadline", "opened_at", "closed_at", "how")
_BOUNCE = ("at", "grade", "status", "diagnostic")
_SUPPRESSION = ("reason", "since", "lifted_at")
# The announcements that this person did not get, and why.
_LEFT_OUT = (
    sa.select(broadcast.c.id, broadcast.c.release, broadcast.c.created_at, left_out.c.reason)
    .join(left_out, left_out.c.broadcast == broadcast.c.id)
    .join(journalist, journalist.c.id == left_out.c.journalist)
    .where(journalist.c.key == sa.bindparam("the_key"))
    .order_by(broadcast.c.created_at, broadcast.c.id)
)


def everything(tx: Tx, key: str, digest: str) -> dict[str, list[dict[str, Any]]]:
    """Mails from the address, what was sent to it, the cases about it, what was reported of it, and why it is not written to."""
    return {
        "mails": _rows(tx, mail, _MAIL, mail.c.sender_key == key),
        "deliveries": _rows(tx, delivery, _DELIVERY, delivery.c.recipient_key == key),
        "cases": _rows(tx, case_file, _CASE, case_file.c.mail.in_(sa.select(mail.c.id).where(mail.c.sender_key == key))),
        "bounces": _rows(tx, bounce, _BOUNCE, bounce.c.address_key == key),
        "left_out": [dict(row) for row in tx.execute(_LEFT_OUT, {"the_key": key}).mappings()],
        "suppressions": _rows(tx, suppression, _SUPPRESSION, suppression.c.address_key.in_((key, digest))),
    }


def _rows(tx: Tx, table: sa.Table, names: tuple[str, ...], which: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    query = sa.select(*(table.c[name] for name in names)).where(which).order_by(table.primary_key.columns[0])
    return [dict(row) for row in tx.execute(query).mappings()]
