"""Opens the database, runs a function in one transaction, and keeps the thread discipline.

SQLAlchemy is used synchronously. SQLite has one writer thread (its file takes one writer anyway, and a queue in our own
process is fairer than its lock), PostgreSQL a small pool. A store function is a plain `(tx, ...)`; it runs whole in one
transaction, by `await database.write(store.function, ...)` from a flow and by `database.write_now(...)` from a command.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

P = ParamSpec("P")
R = TypeVar("R")
Tx = sa.Connection
BUSY_SECONDS = 30
BUSY_PAUSE = 0.02
CONNECT_SECONDS = 10
TRUSTED_SECONDS = 1.0
# What a database complains of -> what to do. The first line whose word is in the complaint holds.
ADVICE = (
    ("locked", f"Another program has been writing to it for {BUSY_SECONDS} s. End that program, or try again."),
    ("malformed", "The file is damaged. Stop mailbot, and bring a backup back: mailbot database restore FILE."),
    ("not a database", "The file is damaged or something else. Check database.url, or bring a backup back: mailbot database restore FILE."),
    ("disk is full", "Make room, and start again: what was acknowledged is kept."),
    ("no space left", "Make room, and start again: what was acknowledged is kept."),
    ("disk i/o error", "The disk is full, broken or limited. Make room, and start again: what was acknowledged is kept."),
    ("readonly", "Give the user who runs mailbot the right to write the file and its folder."),
    ("unable to open", "Give the user who runs mailbot the right to read and write the file and its folder."),
    ("no such table", "Its tables are missing: mailbot database upgrade makes them."),
)


class DatabaseUnusable(Exception):
    """The database cannot be used. The message says why and what to do."""


class Database:
    """One database: its engine, and the threads that may use it."""

    def __init__(self, url: str) -> None:
        """Open `sqlite:///file`, or `postgresql://...` (psycopg 3). Nothing is created or changed yet but the SQLite file."""
        try:
            parsed = make_url(url)
        except sa.exc.ArgumentError as problem:
            raise DatabaseUnusable(
                "database.url is not a database address. Use sqlite:///mailbot.db or postgresql://user@host/name."
            ) from problem
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = _sqlite_engine(parsed)
            self._writers = ThreadPoolExecutor(1, "database-writer")
        elif parsed.get_backend_name() == "postgresql":
            self.engine = _postgresql_engine(parsed)
            self._writers = ThreadPoolExecutor(4, "database-writer")
        else:
            raise DatabaseUnusable(f"database.url names {parsed.get_backend_name()!r}; mailbot knows sqlite and postgresql.")
        self._readers = ThreadPoolExecutor(2, "database-reader")

    async def write(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `function(tx, ...)` in one transaction in the writer thread; committed when this returns."""
        return await self._in(self._writers, lambda: self.write_now(function, *args, **kwargs))

    async def read(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a reading `function(tx, ...)`; on SQLite it never waits for a writer."""
        return await self._in(self._readers, lambda: self.read_now(function, *args, **kwargs))

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    def write_now(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same without an event loop."""
        with in_a_sentence(), self.engine.begin() as tx:
            return function(tx, *args, **kwargs)

    def rehearse_now(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a writing `function(tx, ...)` and undo all of it: what it returns is what would have come of it."""
        with in_a_sentence(), self.engine.connect() as tx, tx.begin() as undone:
            done = function(tx, *args, **kwargs)
            undone.rollback()
            return done

    def read_now(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """A reading transaction without an event loop."""
        with in_a_sentence(), self.engine.connect().execution_options(reading=True) as tx, tx.begin():
            return function(tx, *args, **kwargs)

    def close(self) -> None:
        """Finish what is running, then close every connection."""
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.engine.dispose()


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Complaints of the database itself become DatabaseUnusable; a wrong statement or a broken rule is a bug, and stays what it is."""
    try:
        yield
    except sa.exc.DatabaseError as problem:
        if type(problem) not in (sa.exc.OperationalError, sa.exc.DatabaseError):
            raise
        said = " ".join(str(problem.orig).split())
        advice = next((advice for word, advice in ADVICE if word in said.lower()), "Check database.url and that it runs.")
        raise DatabaseUnusable(f"The database does not answer: {said}. {advice}") from problem


def file_of(url: sa.URL) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def exists(url: str) -> bool:
    """False only for a SQLite file that nobody has made yet."""
    try:
        path = file_of(make_url(url))
    except sa.exc.ArgumentError:
        return True  # no address at all: opening it says so
    return path is None or not path.parent.is_dir() or path.exists()


def free_octets(url: sa.URL) -> int | None:
    """How much room the disk of a SQLite file has left; None for PostgreSQL, which is somebody else's disk."""
    path = file_of(url)
    if path is None:
        return None
    space = os.statvfs(path.absolute().parent)
    return space.f_bavail * space.f_frsize


def insert(tx: Tx, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the words of the database at hand."""
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert(table)


_NEW: dict[tuple[str, sa.Table, tuple[str, ...], str], Any] = {}


def insert_new(tx: Tx, table: sa.Table, *unique: str, returning: str = "") -> Any:
    """An INSERT that leaves alone what has the same `unique` columns, and returns no row then. Built once: it is run for every mail."""
    kept = (tx.dialect.name, table, unique, returning)
    if kept not in _NEW:
        row = insert(tx, table).on_conflict_do_nothing(index_elements=unique)
        _NEW[kept] = row.returning(table.c[returning]) if returning else row
    return _NEW[kept]


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    path = Path(url.database or "")
    if not url.database or url.database == ":memory:":
        raise DatabaseUnusable("database.url must name a file (sqlite:///mailbot.db): mailbot's memory has to outlive the process.")
    if not path.parent.is_dir():
        raise DatabaseUnusable(f"The folder {path.parent} of the database does not exist. Create it, or change database.url.")
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # mail is private: nobody else reads the file
    except OSError as problem:
        raise DatabaseUnusable(
            f"The database {path} cannot be made: {problem.strerror}. Give the user who runs mailbot the right to write there."
        ) from problem
    # hide_parameters: a failed statement's values are somebody's mail, and no log may hold them.
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "wal_autocheckpoint=1000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        # A writer takes the lock at once: a deferred one would fail later with "database is locked", after it has read.
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Set the journal mode, which stays with the file. While another changes a file that has no such journal yet, SQLite says
    "locked" at once, without its usual wait: so we wait ourselves."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(BUSY_PAUSE)


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    try:
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"), pool_size=6, max_overflow=4, hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )  # fmt: skip
    except ModuleNotFoundError as missing:
        raise DatabaseUnusable("PostgreSQL needs the extra: pip install 'mailbot[postgres]'.") from missing

    @event.listens_for(engine, "checkin")
    def _left(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["left_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        # A server that was started anew meanwhile is found out before there is a transaction to lose; who was served just now is not asked.
        if time.monotonic() - record.info.get("left_at", time.monotonic()) <= TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:
            raise sa.exc.DisconnectionError from gone  # the pool opens another

    return engine
