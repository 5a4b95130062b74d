"""An announcement's letters and deliveries: queued by the hundred thousand, counted, cancelled, given other words by a correction.

A row holds who gets which letter, and what that person's values are made from; the words themselves are kept once, in the letter.
"""

import base64
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from mailbot.database.broadcast_tables import letter
from mailbot.database.engine import Tx
from mailbot.database.tables import delivery
from mailbot.message import token
from mailbot.message.address import key
from mailbot.message.letter import Letter
from mailbot.message.outgoing import File
from mailbot.outbox.delivery import BY_LETTER, DeliveryState, Kind
from mailbot.outbox.store import WAITING

AT_ONCE = 10_000  # rows in memory, whatever the list's length
PAGES_IN_MEMORY = -24_000  # KB for SQLite's indexes while it queues; it has two thousand otherwise

# Those who are being queued. It lives as long as a connection, and is empty outside enqueue_all.
_addressee = sa.Table(
    "addressee", sa.MetaData(), sa.Column("id", sa.String(40)), sa.Column("key", sa.Text), sa.Column("recipient", sa.String(320)),
    sa.Column("recipient_name", sa.Text), sa.Column("recipient_key", sa.String(320)),
    sa.Column("recipient_domain", sa.String(255)), sa.Column("message_id", sa.String(400)), sa.Column("journalist", sa.Integer),
    sa.Column("letter", sa.Integer), sa.Column("written_from", sa.JSON), prefixes=["TEMPORARY"],
)  # fmt: skip
_NOT_LEFT = sa.or_(delivery.c.state.in_(WAITING), sa.and_(delivery.c.state == DeliveryState.SENDING, delivery.c.in_doubt_since.is_(None)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """One who gets a mail. `facts` is what the person's values are made from beside address and name, such as the origin; it is kept with
    the delivery, so that a retry says the same although the press list has changed."""

    journalist: int
    address: str
    name: str
    letter: int
    facts: Mapping[str, str] = field(default_factory=dict)


class Recipient(NamedTuple):
    """What the values of one mail are made from: the same at every try."""

    delivery: str
    broadcast: str
    journalist: int
    address: str
    name: str
    language: str  # of the letter
    format: str
    waits_for: str
    release: str
    edition: str
    facts: Mapping[str, str]


Values = Callable[[Recipient], Mapping[str, str]]


def put_letters(tx: Tx, broadcast_id: str, letters: Sequence[Letter], version: int = 0) -> tuple[int, ...]:
    """Keep them; their ids, in this order."""
    added = letter.insert().returning(letter.c.id)
    return tuple(tx.execute(added, _row(broadcast_id, one, version)).scalar_one() for one in letters)


def letters_of(tx: Tx, broadcast_id: str) -> dict[int, Letter]:
    """Id -> letter, also those that a correction has replaced."""
    rows = tx.execute(sa.select(letter).where(letter.c.broadcast == broadcast_id).order_by(letter.c.id))
    return {row.id: letter_of(row) for row in rows}


def letter_of(row: sa.Row[Any]) -> Letter:
    """The letter that a row holds."""
    return Letter(
        language=row.language, format=row.format, edition=row.edition, content_hash=row.content_hash, subject=row.subject, text=row.text,
        html=row.html, headers=tuple((name, value) for name, value in row.headers),
        files=tuple(File(name, kind, base64.b64decode(content)) for name, kind, content in row.files), waits_for=row.waits_for,
    )  # fmt: skip


def _row(broadcast_id: str, one: Letter, version: int) -> dict[str, Any]:
    return {
        "broadcast": broadcast_id, "language": one.language, "format": one.format, "edition": one.edition,
        "content_hash": one.content_hash, "subject": one.subject, "text": one.text, "html": one.html,
        "headers": [list(pair) for pair in one.headers], "waits_for": one.waits_for, "version": version,
        "files": [[file.name, file.content_type, base64.b64encode(file.content).decode()] for file in one.files],
    }  # fmt: skip


def enqueue_all(tx: Tx, broadcast_id: str, release: str, addressees: Iterable[Addressee], secret: bytes, domain: str, now: datetime) -> int:
    """Queue a mail for each; how many they are. They leave when the broadcast is in state `sending`. Raises ValueError for what is no
    address or no letter of this broadcast, IntegrityError for who has a mail of it already: nobody is queued then."""
    if not _is_there(tx):
        _addressee.create(tx, checkfirst=False)
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql(f"PRAGMA cache_size = {PAGES_IN_MEMORY}")
    added, rows, queued = 0, _numbered(broadcast_id, addressees, secret, domain), _queued(broadcast_id, release, now)
    while chunk := list(islice(rows, AT_ONCE)):
        _fill(tx, chunk)
        if tx.execute(queued, execution_options={"preserve_rowcount": True}).rowcount != len(chunk):
            raise ValueError(f"some were to get a letter that is none of broadcast {broadcast_id}")
        added += len(chunk)
        tx.exec_driver_sql("TRUNCATE pg_temp.addressee" if tx.dialect.name == "postgresql" else "DELETE FROM temp.addressee")
    return added


def _numbered(broadcast_id: str, addressees: Iterable[Addressee], secret: bytes, domain: str) -> Iterator[tuple[Any, ...]]:
    """Ids in their order of queueing: a database appends them to its indexes, and need not look for each one's place."""
    start, facts = secrets.token_hex(4), dict[tuple[tuple[str, str], ...], str]()
    for number, one in enumerate(addressees):
        delivery_id, same, told = f"{start}{number:08x}", key(one.address), tuple(one.facts.items())
        if not same:
            raise ValueError(f"journalist {one.journalist} has no address that mail can be sent to")
        if told not in facts:  # most have the same: it is written down once
            facts = {told: json.dumps(dict(told), sort_keys=True)}
        yield (
            delivery_id, f"broadcast:{broadcast_id}:{one.journalist}", one.address, one.name, same,
            same.rpartition("@")[2], token.message_id(secret, delivery_id, domain), one.journalist, one.letter, facts[told],
        )  # fmt: skip


def _is_there(tx: Tx) -> bool:
    """The connection has made it for an earlier broadcast."""
    if tx.dialect.name == "postgresql":
        return tx.exec_driver_sql("SELECT to_regclass('pg_temp.addressee')").scalar() is not None
    return tx.exec_driver_sql("SELECT 1 FROM sqlite_temp_master WHERE name = 'addressee'").first() is not None


def _fill(tx: Tx, rows: list[tuple[Any, ...]]) -> None:
    """Into the temporary table, by whatever the database has for many rows."""
    names = ", ".join(column.name for column in _addressee.c)
    if tx.dialect.name == "postgresql":
        with tx.connection.cursor() as cursor, cursor.copy(f"COPY pg_temp.addressee ({names}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)
        return
    tx.exec_driver_sql(f"INSERT INTO temp.addressee ({names}) VALUES ({', '.join('?' * len(_addressee.c))})", rows)  # noqa: S608 - our names


def _queued(broadcast_id: str, release: str, now: datetime) -> Any:
    """The rows of the temporary table, with everything that is the same for all."""
    same = {
        "kind": Kind.BROADCAST, "priority": BY_LETTER, "state": DeliveryState.QUEUED, "release": release, "subject": "", "text": "",
        "html": "", "cap_key": "", "in_reply_to": "", "references": [], "mentions": [], "attach_original": False, "variant": "",
        "sheet": "",
        "sheet_name": "", "raw_hash": "", "broadcast": broadcast_id, "created_at": now, "due_at": now, "attempts": 0, "doubts": 0,
        "holder": "", "fence": 0, "last_phase": "", "last_text": "",
    }  # fmt: skip
    of_letter = (letter.c.language, letter.c.edition, letter.c.content_hash)
    constant = [sa.literal(value, delivery.c[name].type).label(f"the_{name}") for name, value in same.items()]
    chosen = sa.select(*_addressee.c, *of_letter, *constant).where(letter.c.id == _addressee.c.letter, letter.c.broadcast == broadcast_id)
    chosen = chosen.order_by(_addressee.c.recipient_key)  # neighbours in the largest index that is in no order of ours
    columns = [column.name for column in (*_addressee.c, *of_letter)] + list(same)
    return delivery.insert().from_select(columns, chosen, include_defaults=False)


def states_of(tx: Tx, broadcast_id: str) -> dict[str, int]:
    """State -> how many of the broadcast's mails, every state named."""
    found = dict.fromkeys((str(state) for state in DeliveryState), 0)
    number = sa.func.count().label("number")
    rows = tx.execute(sa.select(delivery.c.state, number).where(delivery.c.broadcast == broadcast_id).group_by(delivery.c.state))
    return found | {row.state: row.number for row in rows}


def cancel_waiting(tx: Tx, broadcast_id: str, why: str, now: datetime) -> int:
    """What has certainly not left does not leave; how many those were. What is in doubt is not repeated either."""
    values = {"state": DeliveryState.CANCELLED, "finished_at": now, "holder": "", "last_text": why}
    return tx.execute(delivery.update().where(delivery.c.broadcast == broadcast_id, _NOT_LEFT).values(values)).rowcount


@dataclass(frozen=True, slots=True)
class Swapped:
    """What a correction did: the new letter, how many will get it, and how many may have got the old one and get nothing from the queue."""

    letter: int
    waiting: int
    doubtful: int


def swap_letter(tx: Tx, broadcast_id: str, replaced: int, new: Letter, why: str, now: datetime) -> Swapped:
    """Whoever has certainly not been sent the old letter gets the new one. Where the old one may have arrived, it is not repeated: those
    are cancelled with `why`, and a person decides. The caller holds the edition still (correction_store.hold_still)."""
    number = sa.select(sa.func.max(letter.c.version)).where(letter.c.broadcast == broadcast_id)
    (put,) = put_letters(tx, broadcast_id, [new], tx.execute(number).scalar_one() + 1)
    of_it = (delivery.c.letter == replaced, delivery.c.broadcast == broadcast_id, _NOT_LEFT)
    gone = {"state": DeliveryState.CANCELLED, "finished_at": now, "holder": "", "last_text": why}
    doubtful = tx.execute(delivery.update().where(*of_it, delivery.c.doubts > 0).values(gone)).rowcount
    again = sa.case((delivery.c.attempts > 0, DeliveryState.RETRYING), else_=DeliveryState.QUEUED)
    values = {
        "letter": put, "language": new.language, "edition": new.edition, "content_hash": new.content_hash, "state": again, "holder": "",
        "date": None, "raw_hash": "",
    }  # fmt: skip
    return Swapped(put, tx.execute(delivery.update().where(*of_it).values(values)).rowcount, doubtful)
