"""Makes what was deleted unreadable in the files too: SQLite's own log beside its file keeps old pages until they are written over.

The file itself is written over as rows go (secure_delete). PostgreSQL keeps old rows until it vacuums, and in its own log and
backups for as long as its administrator lets it: there we do what an ordinary login may.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from mailbot.database.engine import Database, DatabaseUnusable, file_of, in_a_sentence

PIECE_OCTETS, OVERLAP_OCTETS = 1 << 20, 2000


def scrub(database: Database, *, compact: bool) -> bool:
    """Fold SQLite's log in and cut it off; `compact`: write the whole file anew as well. False where a reader holds the log open."""
    if not database.is_sqlite:
        return _vacuum(database)
    with in_a_sentence(), closing(database.engine.raw_connection()) as pooled:
        driver = pooled.driver_connection
        assert driver is not None
        try:
            if compact:
                driver.execute("VACUUM")
            with closing(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")) as said:
                return not said.fetchone()[0]
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise DatabaseUnusable(f"The database could not be cleaned: {problem}. Make room, and try again.") from problem
            return False


def _vacuum(database: Database) -> bool:
    """Old rows become free space, to be written over; only VACUUM FULL, which stops everybody, gives it back."""
    with in_a_sentence(), closing(database.engine.raw_connection()) as pooled:
        driver = pooled.driver_connection
        assert driver is not None
        driver.autocommit = True
        try:
            driver.execute("VACUUM")
        finally:
            driver.autocommit = False
    return True


def files_that_hold(database: Database, names: re.Pattern[bytes]) -> list[str]:
    """The database's own files, and what a restore has put aside, in which this stands."""
    path = file_of(database.url)
    if path is None:
        return []
    ours = (one for one in sorted(path.parent.glob(path.name + "*")) if one.is_file() and one.suffix != ".key")
    return [str(one) for one in ours if _holds(one, names)]


def _holds(path: Path, names: re.Pattern[bytes]) -> bool:
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE_OCTETS):
            if names.search(tail + piece):
                return True
            tail = piece[-OVERLAP_OCTETS:]
    return False
