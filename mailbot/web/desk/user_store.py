"""The tables of users, sessions, links, tries and the journal. A token is kept as a hash alone: who reads the database can use none."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from mailbot.database.desk_tables import desk_link, desk_session, desk_user, journal, login_try
from mailbot.database.engine import Tx, insert
from mailbot.database.tables import case_note
from mailbot.message.address import Address
from mailbot.web.desk.asked import User
from mailbot.web.desk.role import Role

LASTS = timedelta(hours=12)         # a session: a long day at the desk
LINK_LASTS = timedelta(hours=1)
TRIES_WITHIN = timedelta(minutes=15)
MOST_OF_ACCOUNT, MOST_OF_CLIENT = 5, 20


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def put(tx: Tx, address: Address, language: str, roles: Sequence[Role], password: str, now: datetime) -> bool:
    """Add a user, or give one other roles and another password; then every session ends. False where there was one.

    `password`: its argon2id hash."""
    before = tx.execute(sa.select(desk_user.c.key).where(desk_user.c.key == address.key)).scalar()
    says = {
        "address": address.address, "name": address.name, "language": language, "roles": [str(one) for one in roles],
        "password": password,
    }  # fmt: skip
    row = insert(tx, desk_user).values(key=address.key, created_at=now, **says)
    tx.execute(row.on_conflict_do_update(index_elements=["key"], set_=says))
    end_all(tx, address.key)
    return before is None


def find(tx: Tx, key: str) -> tuple[User, str] | None:
    """Who has this address, and the hash of the password."""
    row = tx.execute(sa.select(desk_user).where(desk_user.c.key == key)).first()
    return (_user(row), row.password) if row else None


def listed(tx: Tx) -> list[dict[str, Any]]:
    """Every user, by address, with the number of sessions."""
    sessions = sa.select(sa.func.count()).where(desk_session.c.user == desk_user.c.key).scalar_subquery()
    columns = (desk_user.c.address, desk_user.c.name, desk_user.c.language, desk_user.c.roles, desk_user.c.created_at)
    return [dict(row) for row in tx.execute(sa.select(*columns, sessions.label("sessions")).order_by(desk_user.c.key)).mappings()]


def remove(tx: Tx, key: str) -> bool:
    """The user, every session and link, and the tokens of the notes about cases: a reply to one means nothing any more."""
    end_all(tx, key)
    tx.execute(desk_link.delete().where(desk_link.c.user == key))
    tx.execute(case_note.delete().where(case_note.c.colleague_key == key))
    return tx.execute(desk_user.delete().where(desk_user.c.key == key)).rowcount == 1


def begin(tx: Tx, key: str, token: str, now: datetime) -> None:
    """A session; those that are over go."""
    tx.execute(desk_session.delete().where(desk_session.c.until < now))
    tx.execute(desk_session.insert().values(token_hash=hashed(token), user=key, created_at=now, until=now + LASTS))


def who(tx: Tx, token: str, now: datetime) -> User | None:
    """Whose session this is, if it lasts."""
    if not token:
        return None
    query = sa.select(desk_user).join(desk_session, desk_session.c.user == desk_user.c.key)
    row = tx.execute(query.where(desk_session.c.token_hash == hashed(token), desk_session.c.until > now)).first()
    return _user(row) if row else None


def end(tx: Tx, token: str) -> None:
    """Log out."""
    tx.execute(desk_session.delete().where(desk_session.c.token_hash == hashed(token)))


def end_all(tx: Tx, key: str) -> int:
    """Every session of a user; how many there were."""
    return tx.execute(desk_session.delete().where(desk_session.c.user == key)).rowcount


def offer_link(tx: Tx, key: str, token: str, now: datetime) -> None:
    """A link that lets this user in once, within the hour."""
    tx.execute(desk_link.insert().values(token_hash=hashed(token), user=key, until=now + LINK_LASTS))


def use_link(tx: Tx, token: str, now: datetime) -> User | None:
    """Use it up. None where it is none, is over, or was used before."""
    where = (desk_link.c.token_hash == hashed(token), desk_link.c.until > now)
    key = tx.execute(desk_link.delete().where(*where).returning(desk_link.c.user)).scalar()
    found = find(tx, key) if key else None
    return found[0] if found else None


def link_stands(tx: Tx, token: str, now: datetime) -> bool:
    """Would it let somebody in? Changes nothing."""
    where = (desk_link.c.token_hash == hashed(token), desk_link.c.until > now)
    return tx.execute(sa.select(desk_link.c.user).where(*where)).first() is not None


def begin_try(tx: Tx, number: str, account: str, client: str, now: datetime) -> bool:
    """On record before the password is looked at, so that a hundred at a time are a hundred. False: too many, and this one is not tried.

    An account of which somebody knows the name can be held up so for a quarter of an hour, but not taken over; a link still lets in."""
    account, client = hashed(account), hashed(client)
    recent = login_try.c.at > now - TRIES_WITHIN
    counted = sa.select(
        sa.func.count().filter(login_try.c.account == account), sa.func.count().filter(login_try.c.client == client)
    ).where(recent)
    of_account, of_client = tx.execute(counted).one()
    if of_account >= MOST_OF_ACCOUNT or of_client >= MOST_OF_CLIENT:
        return False
    tx.execute(login_try.insert().values(id=number, account=account, client=client, at=now))
    return True


def forget_tries(tx: Tx, account: str) -> None:
    """The right password was given."""
    tx.execute(login_try.delete().where(login_try.c.account == hashed(account)))


def note(tx: Tx, who: str, did: str, about: str, words: str, now: datetime) -> None:
    """A line of the journal, in the transaction of what was done."""
    tx.execute(journal.insert().values(at=now, who=who, did=did, about=about[:200], words=words[:2000]))


def entries(tx: Tx, before: int, limit: int) -> list[dict[str, Any]]:
    """The journal from the newest on, or from before this number."""
    query = sa.select(journal).order_by(journal.c.id.desc()).limit(limit)
    return [dict(row) for row in tx.execute(query.where(journal.c.id < before) if before else query).mappings()]


def _user(row: Any) -> User:
    return User(
        key=row.key, address=row.address, name=row.name, language=row.language, roles=tuple(Role(one) for one in row.roles),
    )  # fmt: skip
