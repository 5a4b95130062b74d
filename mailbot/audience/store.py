"""The tables of the press list: journalists, their consent, and what we have asked them. Each function runs in one transaction."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.audience.journalist import Asked, Change, Channel, Event, Journalist, Purpose, State, Step, Why, wish
from mailbot.database.engine import Tx, insert
from mailbot.database.tables import confirmation, consent, delivery, journalist
from mailbot.message.address import Address, cap_key

LONGEST_WORDS = 200
LIST_LOCK = 0x6C697374  # any number, the same in every process
_SHOWN = sa.select(*(column for column in journalist.c if column.name not in ("key", "cap_key")))

# What is asked for every mail is built once: building a statement takes several times as long as running it.
_FOUND = sa.select(journalist).where(journalist.c.key == sa.bindparam("address_key"))
_LAST_ASKED = (
    sa.select(confirmation.c.purpose, sa.func.max(confirmation.c.created_at).label("at"))
    .join(journalist, journalist.c.id == confirmation.c.journalist)
    .where(journalist.c.cap_key == sa.bindparam("the_cap_key"))
    .group_by(confirmation.c.purpose)
)
_ASKED = (
    sa.select(
        journalist, confirmation.c.purpose, confirmation.c.delivery, confirmation.c.used_at, confirmation.c.created_at.label("asked_at")
    )
    .join(journalist, journalist.c.id == confirmation.c.journalist)
    .order_by(confirmation.c.created_at.desc(), confirmation.c.delivery)
    .limit(1)
)


def hold_still(tx: Tx, *, to_forget: bool = False) -> None:
    """Until this transaction ends nobody is forgotten; with `to_forget` nobody plans an announcement either. It comes before the list is
    read: who is forgotten would else stay in what is queued meanwhile. SQLite has one writer."""
    if tx.dialect.name == "postgresql":
        hold = sa.func.pg_advisory_xact_lock if to_forget else sa.func.pg_advisory_xact_lock_shared
        tx.execute(sa.select(hold(LIST_LOCK)))


def find(tx: Tx, address_key: str) -> Journalist | None:
    """Who has this address."""
    row = tx.execute(_FOUND, {"address_key": address_key}).first()
    return _journalist(row) if row else None


def reader_of(tx: Tx, delivery_id: str) -> Journalist | None:
    """Whom this delivery of an announcement was written to."""
    query = sa.select(journalist).join(delivery, delivery.c.journalist == journalist.c.id).where(delivery.c.id == delivery_id)
    row = tx.execute(query).first()
    return _journalist(row) if row else None


def known(tx: Tx, address: Address, language: str, now: datetime) -> Journalist:
    """The journalist with this address, noted now where nobody knew it. Who else deals with the same address waits for us: two
    wishes at a time are one question."""
    values = {
        "key": address.key, "address": address.address, "cap_key": cap_key(address.address), "name": address.name, "language": language,
        "outlet": "", "state": State.NONE, "origin": "", "created_at": now, "changed_at": now,
    }  # fmt: skip
    tx.execute(insert(tx, journalist).on_conflict_do_nothing(index_elements=["key"]), values)
    return _journalist(tx.execute(_FOUND.with_for_update(), {"address_key": address.key}).one())


def become(tx: Tx, before: Journalist, state: State, now: datetime) -> bool:
    """Change the state. False where it is another by now: then nothing may follow."""
    where = (journalist.c.id == before.id, journalist.c.state == before.state)
    return tx.execute(journalist.update().where(*where).values(state=state, changed_at=now)).rowcount == 1


def note(tx: Tx, of: Journalist, channel: Channel, event: Why, words: str, mail: int | None, now: datetime) -> None:
    """Keep for ever how it came: when, by which way, in which words (DP-01)."""
    kept = " ".join(words.split())[:LONGEST_WORDS]
    values = {"journalist": of.id, "at": now, "channel": channel, "event": event, "words": kept, "mail": mail}
    tx.execute(consent.insert(), values)


def remove(tx: Tx, address_key: str, now: datetime) -> tuple[Journalist, Step] | None:
    """A colleague takes an address off the list: who it was, and what came of it. None where nobody has it."""
    who = find(tx, address_key)
    if who is None:
        return None
    step = wish(who, Event.REMOVED, None, now)
    if isinstance(step, Change) and become(tx, who, step.becomes, now):
        note(tx, who, Channel.COMMAND, step.why, "", None, now)
    return who, step


def add(
    tx: Tx, address: Address, language: str, outlet: str, medium: str | None, origin: str, now: datetime, **facts: str
) -> tuple[Journalist, Step]:
    """A colleague puts an address on the list, which came from `origin`: who it was, and what came of it. `facts`: beat, place, format,
    notes."""
    who = known(tx, address, language, now)
    step = wish(who, Event.ADDED, None, now)
    if isinstance(step, Change) and become(tx, who, step.becomes, now):
        told = {"origin": origin, "outlet": outlet, "medium": medium, "language": language, **facts}
        tx.execute(journalist.update().where(journalist.c.id == who.id).values(told))
        note(tx, who, Channel.COMMAND, step.why, origin, None, now)
    return who, step


def ask(tx: Tx, of: Journalist, purpose: Purpose, delivery: str, token: str, now: datetime, *, used: bool = False) -> None:
    """Remember what this delivery asks or offers. `used`: it says how things stand, and no answer to it changes anything."""
    values = {
        "token_hash": _hash(token), "journalist": of.id, "purpose": purpose, "delivery": delivery, "created_at": now,
        "used_at": now if used else None,
    }  # fmt: skip
    tx.execute(confirmation.insert(), values)


def asked(tx: Tx, deliveries: Sequence[str]) -> Asked | None:
    """What was asked by the newest of these: a mail names all those that came before the one that it answers."""
    if not deliveries:
        return None
    row = tx.execute(_ASKED.where(confirmation.c.delivery.in_(list(deliveries)))).first()
    if row is None:
        return None
    return Asked(
        journalist=_journalist(row), purpose=Purpose(row.purpose), delivery=row.delivery, at=row.asked_at, is_used=row.used_at is not None
    )


def last_asked(tx: Tx, address: str) -> dict[Purpose, datetime]:
    """When this address, however it is spelt, was last written to for each purpose."""
    return {Purpose(row.purpose): row.at for row in tx.execute(_LAST_ASKED, {"the_cap_key": cap_key(address)})}


def redeem(tx: Tx, token: str, purpose: Purpose, now: datetime) -> bool:
    """Use a token up. False where it is none of ours, is for something else, or was used before."""
    digest = _hash(token)
    kept = tx.execute(sa.select(confirmation.c.token_hash).where(confirmation.c.token_hash == digest)).scalar() or ""
    if not hmac.compare_digest(kept, digest):
        return False
    where = (confirmation.c.token_hash == digest, confirmation.c.purpose == purpose, confirmation.c.used_at.is_(None))
    return tx.execute(confirmation.update().where(*where).values(used_at=now)).rowcount == 1


def keys(tx: Tx) -> list[str]:
    """Those of everybody we know of."""
    return list(tx.execute(sa.select(journalist.c.key)).scalars())


def listed(tx: Tx) -> list[dict[str, Any]]:
    """Rows for people and programs, by address."""
    return [dict(row) for row in tx.execute(_SHOWN.order_by(journalist.c.key)).mappings()]


def consents(tx: Tx) -> list[dict[str, Any]]:
    """Every step of everybody's consent beside where it led, for a file: by address, oldest first."""
    steps = (consent.c.at, consent.c.event, consent.c.channel, consent.c.words)
    query = sa.select(*(column for column in _SHOWN.selected_columns), *steps).outerjoin(consent, consent.c.journalist == journalist.c.id)
    return [dict(row) for row in tx.execute(query.order_by(journalist.c.key, consent.c.at, consent.c.id)).mappings()]


def shown(tx: Tx, address_key: str) -> dict[str, Any] | None:
    """One journalist with the history of consent, oldest first."""
    found = tx.execute(_SHOWN.where(journalist.c.key == address_key)).mappings().first()
    if found is None:
        return None
    columns = [column for column in consent.c if column.name not in ("id", "journalist")]
    history = tx.execute(sa.select(*columns).where(consent.c.journalist == found["id"]).order_by(consent.c.at, consent.c.id))
    return {**found, "consent": [dict(row) for row in history.mappings()]}


def _hash(token: str) -> str:
    """What is kept of a token: whoever reads the database can use none (T-44)."""
    return hashlib.sha256(token.encode()).hexdigest()


def _journalist(row: sa.Row[Any]) -> Journalist:
    return Journalist(
        id=row.id, key=row.key, address=row.address, name=row.name, language=row.language, outlet=row.outlet, medium=row.medium or "",
        state=State(row.state), origin=row.origin,
    )  # fmt: skip
