"""A copy of the database while it runs, and the way back, which stops sending until a person resumes."""

import os
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from mailbot.database import flag
from mailbot.database.engine import Database
from mailbot.database.migrate import upgrade


class BackupFailed(Exception):
    """The copy could not be made or read. The message says why; nothing was changed."""


def back_up(database: Database, target: Path) -> None:
    """Write a consistent copy to a new file, readable by its owner alone. Raises BackupFailed."""
    if target.exists():
        raise BackupFailed(f"{target} exists already. Name a new file.")
    draft = target.with_name(target.name + ".part")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if database.is_sqlite:
            _copy_sqlite(Path(str(database.url.database)), draft)
        else:
            _tool(["pg_dump", "--format=custom", "--no-owner", f"--file={draft}", f"--dbname={_address(database)}"])
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.rename(target)
    except (OSError, sqlite3.Error) as problem:
        raise BackupFailed(f"The backup could not be written: {problem}.") from problem
    finally:
        draft.unlink(missing_ok=True)


def restore(database_url: str, source: Path, now: datetime) -> None:
    """Put a backup in the place of the database, with sending stopped. mailbot must not be running. Raises BackupFailed."""
    if not source.is_file():
        raise BackupFailed(f"There is no file {source}.")
    url = sa.engine.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        _restore_sqlite(Path(str(url.database)), source)
    else:
        _tool(["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={_plain(url)}", str(source)])
    database = Database(database_url)
    try:
        upgrade(database)
        # What left after the backup was made is not known here: a person looks before anything leaves again.
        database.write_now(flag.put, flag.SENDING_STOPPED, "restored from a backup", now)
    finally:
        database.close()


def _restore_sqlite(path: Path, source: Path) -> None:
    draft = path.with_name(path.name + ".restoring")
    try:
        shutil.copyfile(source, draft)
        draft.chmod(0o600)
        with sqlite3.connect(draft) as copy:
            sound = copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            ours = copy.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]
        copy.close()
        if not (sound and ours):
            raise BackupFailed(f"{source} is not a sound backup of mailbot. Nothing was changed.")
        if path.exists():
            path.replace(path.with_name(path.name + ".before-restore"))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        draft.replace(path)
    except (OSError, sqlite3.Error) as problem:
        raise BackupFailed(f"The backup could not be restored: {problem}.") from problem
    finally:
        draft.unlink(missing_ok=True)


def _copy_sqlite(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as here, sqlite3.connect(target) as there:
        here.backup(there)
    here.close()
    there.close()


def _tool(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command, no shell
    except FileNotFoundError:
        raise BackupFailed(f"{command[0]} is not installed. Install PostgreSQL's client programs.") from None
    if done.returncode:
        raise BackupFailed(f"{command[0]} failed: {done.stderr.strip()[-500:]}")


def _address(database: Database) -> str:
    return _plain(database.url)


def _plain(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
