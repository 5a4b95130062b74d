"""What has been switched or last seen, kept across restarts: one word, one value."""

from datetime import datetime

import sqlalchemy as sa

from mailbot.database.engine import Tx, insert
from mailbot.database.tables import flag

SENDING_STOPPED = "sending-stopped"
INBOX_SUCCESS = "inbox-last-success"
ANSWERS_STOPPED = "answers-stopped"  # since when: the breaker has tripped
ANSWERS_RESUMED = "answers-resumed"
RELAY_SUCCESS = "relay-last-success"
RELAY_TROUBLE = "relay-trouble"
INBOX_TROUBLE = "inbox-trouble"
INBOX_LOGIN_REFUSED = "inbox-login-refused"  # a password or token: the last refusal, until a login succeeds
RELAY_LOGIN_REFUSED = "relay-login-refused"
_VALUES = sa.select(flag.c.name, flag.c.value).where(flag.c.name.in_(sa.bindparam("names", expanding=True)))
_VALUE = sa.select(flag.c.value).where(flag.c.name == sa.bindparam("the_name"))


def get(tx: Tx, name: str) -> str | None:
    """The value, or None where nobody has set it."""
    return tx.execute(_VALUE, {"the_name": name}).scalar()


def values(tx: Tx, *names: str) -> dict[str, str]:
    """Those of them that are set."""
    return {row.name: row.value for row in tx.execute(_VALUES, {"names": names})}


def put(tx: Tx, name: str, value: str, now: datetime) -> None:
    """Set it."""
    row = insert(tx, flag).values(name=name, value=value, changed_at=now)
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value, "changed_at": now}))


def put_first(tx: Tx, name: str, value: str, now: datetime) -> str:
    """Set it only where it is not set yet; returns what holds."""
    tx.execute(insert(tx, flag).values(name=name, value=value, changed_at=now).on_conflict_do_nothing())
    return get(tx, name) or value


def clear(tx: Tx, name: str) -> None:
    """Forget it."""
    tx.execute(flag.delete().where(flag.c.name == name))
