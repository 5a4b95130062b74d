"""Announcements for the tests of the outbox: a plan, its letters, its queue, without the flows that make them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from mailbot.database.broadcast_tables import broadcast
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import delivery, journalist
from mailbot.message.letter import Letter, mark
from mailbot.outbox import bulk_store
from mailbot.outbox.bulk_store import Addressee, Recipient

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
NAME, LINK = mark("name"), mark("link")
LETTER = Letter(
    language="fr",
    edition="",
    content_hash="",
    subject=f"{NAME}, la fontaine",
    text=f"Bonjour {NAME},\n\nla fontaine coule.\n{LINK}\n",
    html=f"<p>Bonjour {NAME}, <a href='{LINK}'>la fontaine</a></p>",
    headers=(("Auto-Submitted", "auto-generated"), ("List-Unsubscribe", f"<{LINK}>, <mailto:presse@office.example>")),
)


def values(recipient: Recipient) -> dict[str, str]:
    """What the letter needs of a recipient."""
    return {"name": recipient.name, "link": f"https://office.example/u/{recipient.delivery}"}


def announce(
    tx: Tx,
    addresses: Iterable[str],
    secret: bytes,
    *,
    name: str = "b1",
    state: str = "sending",
    letter: Letter = LETTER,
    now: datetime = NOW,
    **plan: Any,
) -> int:
    """A broadcast to these addresses, queued; who is not on the press list is put there. The letter's number."""
    asked = list(addresses)
    row = {"id": name, "kind": "release", "release": "fontaine", "state": state, "audience": "all", "recipients": len(asked), "skipped": {}}
    tx.execute(broadcast.insert(), row | {"created_at": now, "started_at": now} | plan)
    known = {row.address: row.id for row in tx.execute(sa.select(journalist.c.address, journalist.c.id))}
    new = [one for one in asked if one not in known]
    if new:
        tx.execute(
            journalist.insert(),
            [
                {
                    "key": one,
                    "address": one,
                    "cap_key": one,
                    "name": "Awa Traoré",
                    "language": "fr",
                    "outlet": "",
                    "state": "subscribed",
                    "origin": "press list 2023",
                    "created_at": now,
                    "changed_at": now,
                }
                for one in new
            ],
        )
    known |= {row.address: row.id for row in tx.execute(sa.select(journalist.c.address, journalist.c.id))}
    (number,) = bulk_store.put_letters(tx, name, [letter])
    people = (Addressee(journalist=known[one], address=one, name="Awa Traoré", letter=number) for one in asked)
    assert bulk_store.enqueue_all(tx, name, "fontaine", people, secret, "office.example", now) == len(asked)
    return number


def turn_into(database: Database, state: str, name: str = "b1") -> None:
    """Stopped, sending, cancelled: as somebody says it from elsewhere."""
    database.write_now(lambda tx: tx.execute(broadcast.update().where(broadcast.c.id == name).values(state=state)))


def rows(database: Database) -> dict[str, sa.Row[Any]]:
    """Address -> row."""
    return {row.recipient: row for row in database.read_now(lambda tx: list(tx.execute(sa.select(delivery))))}


def states(database: Database) -> dict[str, str]:
    """Address -> state."""
    return {address: row.state for address, row in rows(database).items()}
