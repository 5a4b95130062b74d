"""Brings what a press list says into the tables, some hundred people a transaction; twice is harmless."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.audience.journalist import Change, Channel, Event, Journalist, State, Step, Why, wish
from mailbot.audience.roster import Person
from mailbot.database.engine import Tx, insert_new
from mailbot.database.tables import consent, journalist, suppression

FACTS = ("name", "language", "outlet", "medium", "beat", "place", "format", "notes")
_FOUND = sa.select(journalist).where(journalist.c.key.in_(sa.bindparam("keys", expanding=True)))
_BARRED = sa.select(suppression.c.address_key, suppression.c.reason).where(
    suppression.c.lifted_at.is_(None), suppression.c.address_key.in_(sa.bindparam("keys", expanding=True))
)
_SET = (
    journalist.update()
    .where(journalist.c.id == sa.bindparam("the_id"), journalist.c.state == sa.bindparam("the_state"))
    .values({name: sa.bindparam(f"new_{name}") for name in (*FACTS, "state", "origin", "changed_at")})
)


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a person: added, updated, unchanged or refused, and why not (roster.WHY). `asks`: the address is to be asked first."""

    person: Person
    became: str
    why: str = ""
    value: str = ""
    asks: bool = False


def bring(
    tx: Tx, people: Sequence[Person], digest: Callable[[str], str], language: str, origin: str, unconfirmed: bool, now: datetime
) -> list[Brought]:
    """`digest`: what stands in the place of a key that was forgotten. `language`: of those whose line names none.

    Whoever is not to be written to stays so, and who has left comes back by an own wish alone. With `unconfirmed` nobody's state
    changes here."""
    known = {row.key: row for row in tx.execute(_FOUND, {"keys": [one.key for one in people]})}
    digests = {digest(one.key): one.key for one in people}
    speaking = tx.execute(_BARRED, {"keys": [*digests, *digests.values()]})
    barred = {digests.get(row.address_key, row.address_key): row.reason for row in speaking}
    found = [_judged(one, known.get(one.key), barred.get(one.key, ""), unconfirmed, now) for one in people]
    new = [one.person for one in found if one.became == "added" and one.person.key not in known]
    state = State.NONE if unconfirmed else State.SUBSCRIBED
    if new:
        tx.execute(insert_new(tx, journalist, "key"), [_row(one, state, language, origin, now) for one in new])
    changed = [(known[one.person.key], one) for one in found if one.became in ("added", "updated") and one.person.key in known]
    if changed:
        tx.execute(_SET, [_changed(row, one, unconfirmed, origin, now) for row, one in changed])
    if not unconfirmed:
        _note(tx, [one.person.key for one in found if one.became == "added"], origin, now)
    return found


def _judged(person: Person, row: Any, barred: str, unconfirmed: bool, now: datetime) -> Brought:
    if barred:
        return Brought(person, "refused", "barred", barred)
    if row is None:
        return Brought(person, "added", asks=unconfirmed)
    step = _step(row, now)
    match step:
        case Change():
            return Brought(person, "added", asks=unconfirmed)
        case _ if row.state == State.SUBSCRIBED:
            return Brought(person, "updated" if _changes(person, row) else "unchanged")
        case _:
            return Brought(person, "refused", "left", row.state)


def _step(row: Any, now: datetime) -> Step:
    who = Journalist(
        id=row.id, key=row.key, address=row.address, name=row.name, language=row.language, outlet=row.outlet, medium=row.medium or "",
        state=State(row.state), origin=row.origin,
    )  # fmt: skip
    return wish(who, Event.ADDED, None, now)


def _changes(person: Person, row: Any) -> Mapping[str, str]:
    """What the list says that is not known yet; what it leaves empty stays as it is."""
    return {name: said for name in FACTS if (said := getattr(person, name)) and said != (getattr(row, name) or "")}


def _row(person: Person, state: State, language: str, origin: str, now: datetime) -> dict[str, Any]:
    facts = {name: getattr(person, name) for name in FACTS}
    facts |= {"language": person.language or language, "medium": person.medium or None, "format": person.format or "standard"}
    who = {"key": person.key, "address": person.address, "cap_key": person.cap_key}
    return facts | who | {"state": state, "origin": origin, "created_at": now, "changed_at": now}


def _changed(row: Any, one: Brought, unconfirmed: bool, origin: str, now: datetime) -> dict[str, Any]:
    """Everything as it was but what the list says; and who joins is on it now, from this list."""
    said = _changes(one.person, row)
    joins = one.became == "added" and not unconfirmed
    values = {name: said.get(name, getattr(row, name)) for name in FACTS}
    values |= {"state": State.SUBSCRIBED if joins else row.state, "origin": origin if joins else row.origin, "changed_at": now}
    return {f"new_{name}": value for name, value in values.items()} | {"the_id": row.id, "the_state": row.state}


def _note(tx: Tx, keys: Sequence[str], origin: str, now: datetime) -> None:
    """By whose word they are on the list. Not of one whom somebody else changed in the same moment."""
    if not keys:
        return
    joined = [row.id for row in tx.execute(_FOUND, {"keys": list(keys)}) if row.changed_at == now and row.origin == origin]
    event = {"at": now, "channel": Channel.COMMAND, "event": Why.ADDED, "words": origin[:200], "mail": None}
    if joined:
        tx.execute(consent.insert(), [event | {"journalist": of} for of in joined])
