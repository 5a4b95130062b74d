"""Brings a database to the tables of this version, and refuses one that is newer than we are."""

from pathlib import Path

import sqlalchemy as sa

from mailbot.database.engine import Database, DatabaseUnusable

HEAD = "0001"
FOLDER = Path(__file__).parent / "migrations"


class NewerDatabase(DatabaseUnusable):
    """The database was made by a newer mailbot. Run that version, or restore a backup made by this one."""


def revision(tx: sa.Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not sa.inspect(tx).has_table("alembic_version"):
        return None
    return tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(database: Database) -> str | None:
    """Apply what is missing, each migration in its own transaction. Returns the revision it came from, or None where nothing was to do.

    Raises NewerDatabase, and DatabaseUnusable where the database cannot be reached."""
    try:
        current = database.read_now(revision)
    except sa.exc.OperationalError as problem:
        raise DatabaseUnusable(f"The database does not answer: {problem.orig}. Check database.url and that it runs.") from problem
    except sa.exc.DatabaseError as problem:
        raise DatabaseUnusable(
            f"The file is not a database of mailbot: {problem.orig}. Check database.url, or restore a backup."
        ) from problem
    if current == HEAD:
        return None
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise NewerDatabase(
            f"The database is of a newer mailbot (revision {current}; this one knows {HEAD}). "
            "Run that version, or restore a backup made by this one."
        )
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return current or "empty"
