"""Brings a database to the tables of this version, and refuses one that is newer than we are."""

from pathlib import Path

import sqlalchemy as sa

from mailbot.database.engine import Database, DatabaseUnusable

HEAD = "0014"
LOCK = 0x6D61696C626F74  # "mailbot": nobody else's number
FOLDER = Path(__file__).parent / "migrations"


class NewerDatabase(DatabaseUnusable):
    """The database was made by a newer mailbot. Run that version, or restore a backup made by this one."""

    def __init__(self, current: str) -> None:
        super().__init__(
            f"The database is of a newer mailbot (revision {current}; this one knows {HEAD}). "
            "Run that version, or restore a backup made by this one."
        )


class OlderDatabase(DatabaseUnusable):
    """The database was made by an older mailbot, and a command that only reads does not change it."""

    def __init__(self, current: str) -> None:
        super().__init__(
            f"The database is of an older mailbot (revision {current}; this one needs {HEAD}). "
            "`mailbot database upgrade` brings it up to date; `mailbot run` does it too."
        )


def revision(tx: sa.Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not sa.inspect(tx).has_table("alembic_version"):
        return None
    return tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def is_known(current: str) -> bool:
    """Is this revision ours or older?"""
    return any(FOLDER.glob(f"versions/{current}_*.py"))


def is_ready(database: Database) -> bool:
    """True at this version's tables; False for an empty database. Raises NewerDatabase, OlderDatabase."""
    current = database.read_now(revision)
    if current is None or current == HEAD:
        return current is not None
    raise OlderDatabase(current) if is_known(current) else NewerDatabase(current)


def upgrade(database: Database) -> str | None:
    """Apply what is missing, each migration in its own transaction. Returns the revision it came from, or None where nothing was to do.

    Raises NewerDatabase, and DatabaseUnusable where the database cannot be reached."""
    current = database.read_now(revision)
    if current == HEAD:
        return None
    if current is not None and not is_known(current):
        raise NewerDatabase(current)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))

    def apply(tx: sa.Connection) -> None:
        if tx.dialect.name == "postgresql":  # of two that start at once the second waits and finds it done; SQLite does so by itself
            tx.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
        config.attributes["connection"] = tx
        command.upgrade(config, "head")

    database.write_now(apply)
    return current or "empty"
