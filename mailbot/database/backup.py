"""A copy of the database while it runs, and the way back, which stops sending until a person resumes."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from mailbot.database import flag, lease
from mailbot.database.engine import Database, DatabaseUnusable, file_of
from mailbot.database.migrate import NewerDatabase, is_known, revision, upgrade

TOOLS = "usr/lib/postgresql/*/bin"  # where Debian keeps PostgreSQL's own programs, a folder a version


class BackupFailed(Exception):
    """The copy could not be made or read. The message says why; nothing was changed."""


def back_up(database: Database, target: Path) -> None:
    """Write a consistent copy to a new file, readable by its owner alone. Raises BackupFailed."""
    if target.exists():
        raise BackupFailed(f"{target} exists already. Name a new file.")
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if (source := file_of(database.url)) is not None:
            _copy_sqlite(source, draft)
        else:
            with _login(database.url) as address:
                _tool("pg_dump", "--format=custom", "--no-owner", f"--file={draft}", f"--dbname={address}")
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.rename(target)
    except OSError as problem:
        raise BackupFailed(f"The backup {target} could not be written: {problem.strerror}. Choose a folder that has room.") from problem
    except sqlite3.Error as problem:
        raise BackupFailed(f"The backup could not be made: {problem}. Nothing was written.") from problem
    finally:
        draft.unlink(missing_ok=True)


def revision_of(database_url: str, source: Path) -> str:
    """Which version of mailbot a backup needs. Raises BackupFailed where it is none or is damaged, NewerDatabase where it needs another."""
    if not source.is_file():
        raise BackupFailed(f"There is no file {source}.")
    url = sa.engine.make_url(database_url)
    found = _sqlite_revision(source) if file_of(url) is not None else _dumped_revision(source)
    if not found:
        raise BackupFailed(f"{source} is not a sound backup of mailbot. Nothing was changed.")
    if not is_known(found):
        raise NewerDatabase(found)
    return found


def restore(database_url: str, source: Path, now: datetime) -> None:
    """Put a backup in the place of the database, with sending stopped. Raises BackupFailed, also while mailbot runs, and NewerDatabase."""
    revision_of(database_url, source)
    url = sa.engine.make_url(database_url)
    _nobody_runs(database_url, now)
    if (path := file_of(url)) is not None:
        _restore_sqlite(path, source, now)
        return
    with _login(url) as address:
        _tool("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={address}", str(source))
    _stop_sending(database_url, now)


def _stop_sending(database_url: str, now: datetime) -> None:
    """What left after the backup was made is not known here: a person looks before anything leaves again."""
    with closing(Database(database_url)) as database:
        upgrade(database)
        database.write_now(flag.put, flag.SENDING_STOPPED, "restored from a backup", now)


def _nobody_runs(database_url: str, now: datetime) -> None:
    """A mailbot that runs would go on with the database that is taken away from it."""
    path = file_of(sa.engine.make_url(database_url))
    if path is not None and not path.exists():
        return
    try:
        with closing(Database(database_url)) as database:
            running = database.read_now(revision) is not None and database.read_now(lease.living, now)
    except DatabaseUnusable:
        return  # a damaged one is what backups are for
    if running:
        raise BackupFailed("mailbot is running on this database. Stop it first; after a crash, wait for outbox.lease_seconds.")


def _restore_sqlite(path: Path, source: Path, now: datetime) -> None:
    """The copy is made ready beside the old database, and changes places with it in one step."""
    draft = path.with_name(path.name + ".restoring")
    try:
        shutil.copyfile(source, draft)
        draft.chmod(0o600)
        _stop_sending(f"sqlite:///{draft}", now)
        if path.exists():
            _fold_in_the_log(path)
            os.link(path, _free_name(path.with_name(path.name + ".before-restore")))
        draft.replace(path)
    except OSError as problem:
        raise BackupFailed(f"The backup could not be restored: {problem.strerror}. Nothing was changed.") from problem
    finally:
        for suffix in ("", "-wal", "-shm"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def _fold_in_the_log(path: Path) -> None:
    """What a killed mailbot had committed lies in the log beside the file: it belongs into the file before that is put aside."""
    try:
        with closing(sqlite3.connect(path)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            old.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error:
        pass  # damaged, or held open by somebody who reads: then the log is put aside with it
    for suffix in ("-wal", "-shm"):
        log = path.with_name(path.name + suffix)
        if log.exists():
            log.replace(_free_name(path.with_name(f"{path.name}.before-restore{suffix}")))


def _free_name(path: Path) -> Path:
    """The name, or the next one with a number that nobody has: what an earlier restore has put aside stays."""
    number = 2
    free = path
    while free.exists():
        free, number = path.with_name(f"{path.name}.{number}"), number + 1
    return free


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


def _sqlite_revision(source: Path) -> str:
    """Empty where the file is damaged or something else. Opened as it lies, without any file beside it."""
    try:
        with closing(sqlite3.connect(f"file:{source.absolute().as_posix()}?mode=ro&immutable=1", uri=True)) as copy:
            if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return ""
            row = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def _dumped_revision(source: Path) -> str:
    """The same of a pg_dump file; the second reading goes through every block of it."""
    try:
        told = _tool("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(source))
        _tool("pg_restore", f"--file={os.devnull}", str(source))
    except BackupFailed as problem:
        raise BackupFailed(f"{source} is not a sound backup of mailbot. Nothing was changed. {problem}") from problem
    found = re.search(r"^COPY [^\n]*alembic_version[^\n]*\n(\w+)$", told, re.MULTILINE)
    return found[1] if found else ""


def _tool(name: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs; what it printed."""
    newest = max(Path("/").glob(f"{TOOLS}/{name}"), key=lambda path: (len(str(path)), path), default=None)
    program = shutil.which(name) or newest
    if program is None:
        raise BackupFailed(f"{name} is not installed. Install PostgreSQL's client programs (postgresql-client).")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - a fixed program, no shell
    if done.returncode:
        raise BackupFailed(f"{name} failed: {' '.join(done.stderr.split())[-500:]}")
    return done.stdout


@contextmanager
def _login(url: sa.URL) -> Iterator[str]:
    """The database's address for these programs. The password goes by a file: everybody on the machine sees a command line."""
    plain = url.set(drivername="postgresql")
    with TemporaryDirectory(prefix="mailbot-") as folder:
        if plain.password:
            file = Path(folder) / "password"
            file.touch(0o600)
            file.write_text("*:*:*:*:" + re.sub(r"([\\:])", r"\\\1", plain.password) + "\n", "utf-8")
            plain = sa.URL.create(
                "postgresql", plain.username, None, plain.host, plain.port, plain.database, {**plain.query, "passfile": str(file)}
            )
        yield plain.render_as_string(hide_password=False)
