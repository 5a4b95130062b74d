"""What arrived: the bytes of each mail, and where its copies lie on the server."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.database.engine import Tx, insert_new
from mailbot.database.many import among
from mailbot.database.tables import TO_FILE, mail, mail_copy, mail_part
from mailbot.inbox.store import DECIDED, STORED

PART_OCTETS = 1 << 20
_HERE = (mail_copy.c.mailbox == sa.bindparam("the_mailbox"), mail_copy.c.uidvalidity == sa.bindparam("the_uidvalidity"))
_KNOWN = sa.select(mail_copy.c.uid).where(*_HERE, mail_copy.c.uid >= sa.bindparam("lowest"))
_PARTS = (
    sa.select(mail_part.c.content)
    .where(mail_part.c.mail == sa.bindparam("the_mail"), mail_part.c.number < sa.bindparam("parts"))
    .order_by(mail_part.c.number)
)
_TO_FILE = (
    sa.select(mail.c.folder, mail_copy.c.uid)
    .join(mail, mail.c.id == mail_copy.c.mail)
    # Whatever the tables held when this was planned, a mail is looked for by its number, and not among all that were ever decided.
    .where(*_HERE, TO_FILE, mail.c.state.concat("") == DECIDED, mail.c.folder != "")
    .order_by(mail_copy.c.uid)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A mail as the server gave it. `content` is None for one over the size cap: it is kept where it is, unread."""

    mailbox: str
    uidvalidity: int
    uid: int
    content: bytes | bytearray | None
    size: int
    received_at: datetime
    junk: bool = False
    rescan: bool = False


def known_uids(tx: Tx, mailbox: str, uidvalidity: int, lowest: int = 0) -> frozenset[int]:
    """The UIDs from `lowest` on that were met before: the others, most of them filed long ago, need not be read."""
    return frozenset(tx.execute(_KNOWN, _place(mailbox, uidvalidity) | {"lowest": lowest}).scalars())


def _place(mailbox: str, uidvalidity: int) -> dict[str, Any]:
    return {"the_mailbox": mailbox, "the_uidvalidity": uidvalidity}


def note_older(tx: Tx, mailbox: str, uidvalidity: int, uids: Iterable[int]) -> None:
    """Remember mails that are older than our first start: they are neither read nor moved."""
    rows = [{"mailbox": mailbox, "uidvalidity": uidvalidity, "uid": uid} for uid in uids]
    if rows:
        tx.execute(insert_new(tx, mail_copy, "mailbox", "uidvalidity", "uid"), rows)


def keep(tx: Tx, arrivals: Sequence[Arrival], now: datetime) -> int:
    """Keep the bytes and the place of each; returns how many were new. The same bytes again are another copy of the same mail."""
    digests = [_digest(arrival) for arrival in arrivals]
    known = _ids(tx, digests)
    new: dict[str, Arrival] = {}
    for digest, arrival in zip(digests, arrivals, strict=True):
        if digest not in known:
            new.setdefault(digest, arrival)
    if new:
        tx.execute(insert_new(tx, mail, "sha256"), [_row(digest, arrival, now) for digest, arrival in new.items()])
        known |= _ids(tx, list(new))
        _keep_bytes(tx, [(known[digest], arrival.content) for digest, arrival in new.items() if arrival.content is not None])
    copies = [
        {"mailbox": arrival.mailbox, "uidvalidity": arrival.uidvalidity, "uid": arrival.uid, "mail": known[digest]}
        for digest, arrival in zip(digests, arrivals, strict=True)
    ]
    tx.execute(insert_new(tx, mail_copy, "mailbox", "uidvalidity", "uid"), copies)
    return len(new)


def _digest(arrival: Arrival) -> str:
    """Of its bytes; of its place, where they are kept nowhere else."""
    place = f"{arrival.mailbox}/{arrival.uidvalidity}/{arrival.uid}".encode()
    return hashlib.sha256(place if arrival.content is None else arrival.content).hexdigest()


def _ids(tx: Tx, digests: Sequence[str]) -> dict[str, int]:
    return {row.sha256: row.id for row in tx.execute(sa.select(mail.c.sha256, mail.c.id).where(among(tx, mail.c.sha256, digests)))}


def _row(digest: str, arrival: Arrival, now: datetime) -> dict[str, Any]:
    return {
        "sha256": digest, "size": arrival.size, "received_at": arrival.received_at, "stored_at": now,
        "junk": arrival.junk, "rescan": arrival.rescan, "state": STORED,
    }  # fmt: skip


def _keep_bytes(tx: Tx, contents: Iterable[tuple[int, bytes | bytearray]]) -> None:
    """In pieces, and of a large mail no more than one of them in memory beside it."""
    pieces: list[dict[str, Any]] = []
    for mail_id, content in contents:
        view = memoryview(content)
        for number, start in enumerate(range(0, len(view), PART_OCTETS)):
            pieces.append({"mail": mail_id, "number": number, "content": bytes(view[start : start + PART_OCTETS])})
            if len(pieces[-1]["content"]) == PART_OCTETS:
                tx.execute(insert_new(tx, mail_part, "mail", "number"), pieces)
                pieces = []
    if pieces:
        tx.execute(insert_new(tx, mail_part, "mail", "number"), pieces)


def content(tx: Tx, mail_id: int, octets: int) -> bytes:
    """The first `octets` of a mail, or all of it where it is shorter."""
    rows = tx.execute(_PARTS, {"the_mail": mail_id, "parts": -(-octets // PART_OCTETS)}).scalars()
    return b"".join(rows)[:octets]


def small_contents(tx: Tx, mail_ids: Sequence[int]) -> dict[int, bytes]:
    """Of mails that have one part at most, all at once."""
    where = (among(tx, mail_part.c.mail, mail_ids), mail_part.c.number == 0)
    return {row.mail: row.content for row in tx.execute(sa.select(mail_part.c.mail, mail_part.c.content).where(*where))}


def to_file(tx: Tx, mailbox: str, uidvalidity: int) -> dict[str, list[int]]:
    """Folder -> UIDs of decided mails that still lie in the mailbox."""
    found: dict[str, list[int]] = {}
    for folder, uid in tx.execute(_TO_FILE, _place(mailbox, uidvalidity)):
        found.setdefault(folder, []).append(uid)
    return found


def filed(tx: Tx, mailbox: str, uidvalidity: int, uids: Sequence[int], now: datetime) -> None:
    """These were moved, or somebody else took them away."""
    where = (mail_copy.c.mailbox == mailbox, mail_copy.c.uidvalidity == uidvalidity, mail_copy.c.uid.in_(list(uids)))
    tx.execute(mail_copy.update().where(*where).values(filed_at=now))
