"""The database keeps its promises, on SQLite and on PostgreSQL alike: durable, one writer at a time, aware times, versions, backups."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.database import all_tables, backup, engine, flag, migrate, tables
from mailbot.database.engine import Database, DatabaseUnusable, Tx, insert

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """A database without any table."""
    with closing(Database(empty_database_url)) as database:
        yield database


def _one(tx: Tx, statement: str) -> object:
    return tx.execute(sa.text(statement)).scalar()


# --- what the connections are like ---


@only_postgresql
def test_a_server_that_cut_its_connections_is_asked_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRUSTED_SECONDS", -1.0)  # as if every connection had lain there for long
    with database.engine.connect() as one, database.engine.connect() as another:
        assert (_one(one, "SELECT 1"), _one(another, "SELECT 1")) == (1, 1)
    with closing(Database(database.url.render_as_string(hide_password=False))) as elsewhere:
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert elsewhere.write_now(_one, cut) == 2
    assert database.write_now(_one, "SELECT 1") == 1


@only_sqlite
def test_what_is_asked_for_every_mail_is_found_in_an_index_that_no_announcement_fills(database: Database) -> None:
    asked = sa.select(tables.delivery.c.id).where(tables.ONE_BY_ONE, tables.delivery.c.cap_key == sa.bindparam("cap_key"))
    with database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.compile(dialect=connection.dialect)}", ("awa",)).all()
    assert "ix_delivery_cap_key" in str(plan)


@only_sqlite
@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        pytest.param("journal_mode", "wal", id="readers never wait for the writer"),
        pytest.param("synchronous", 2, id="a commit is on the disk (FULL)"),
        pytest.param("foreign_keys", 1, id="foreign keys hold"),
        pytest.param("secure_delete", 1, id="what is deleted is overwritten"),
        pytest.param("busy_timeout", 30_000, id="another process's write is waited for"),
    ],
)
async def test_every_sqlite_connection_is_set_up(database: Database, pragma: str, value: object) -> None:
    assert await database.write(_one, f"PRAGMA {pragma}") == value
    assert await database.read(_one, f"PRAGMA {pragma}") == value


@only_postgresql
async def test_a_commit_to_postgresql_is_on_the_disk(database: Database) -> None:
    assert await database.write(_one, "SHOW synchronous_commit") == "on"


@only_sqlite
def test_a_new_sqlite_file_is_its_owners_alone(empty: Database) -> None:
    assert stat.S_IMODE(Path(str(empty.url.database)).stat().st_mode) == 0o600


async def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda tx: tx.execute(tables.mail_part.insert().values(mail=404, number=0, content=b"")))


# --- transactions ---


async def test_a_function_that_fails_leaves_nothing_behind(database: Database) -> None:
    def half(tx: Tx) -> None:
        flag.put(tx, "half", "done", NOW)
        raise ValueError

    with pytest.raises(ValueError):
        await database.write(half)
    assert await database.read(flag.get, "half") is None


async def test_writers_that_read_first_never_lose_each_others_work(database: Database) -> None:
    def add(tx: Tx) -> None:
        tx.execute(sa.text("UPDATE flag SET value = value WHERE name = 'count'"))  # PostgreSQL takes the row's lock here, SQLite at BEGIN
        flag.put(tx, "count", str(int(flag.get(tx, "count") or 0) + 1), NOW)

    database.write_now(flag.put, "count", "0", NOW)
    await asyncio.gather(*(database.write(add) for _ in range(40)))
    assert await database.read(flag.get, "count") == "40"


@only_sqlite
def test_two_processes_that_read_before_they_write_take_turns(database: Database, database_url: str) -> None:
    """With a deferred BEGIN the second would fail at once with "database is locked", whatever the timeout."""

    def add(one: Database, met: threading.Barrier) -> None:
        met.wait()
        one.write_now(lambda tx: flag.put(tx, "count", str(int(flag.get(tx, "count") or 0) + 1), NOW))

    with closing(Database(database_url)) as other, ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            met = threading.Barrier(2)
            for done in [pool.submit(add, one, met) for one in (database, other)]:
                done.result()
    assert database.read_now(flag.get, "count") == "40"


async def test_a_reader_sees_the_last_commit_while_a_writer_is_at_work(database: Database) -> None:
    database.write_now(flag.put, "word", "before", NOW)
    written, seen = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        flag.put(tx, "word", "after", NOW)
        written.set()
        assert seen.wait(10)

    writing = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(written.wait, 10)
    assert await database.read(flag.get, "word") == "before"
    seen.set()
    await writing
    assert await database.read(flag.get, "word") == "after"


async def test_closing_lets_a_write_finish(database_url: str) -> None:
    database = Database(database_url)
    started, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        started.set()
        assert go_on.wait(10)
        flag.put(tx, "late", "written", NOW)

    writing = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(started.wait, 10)
    closing_it = asyncio.create_task(asyncio.to_thread(database.close))
    go_on.set()
    await asyncio.gather(writing, closing_it)
    with closing(Database(database_url)) as again:
        assert again.read_now(flag.get, "late") == "written"


async def test_insert_knows_on_conflict(database: Database) -> None:
    """rowcount does not: PostgreSQL's driver says -1 of an INSERT."""

    def twice(tx: Tx) -> list[str | None]:
        row = insert(tx, tables.lease).values(name="inbox", holder="a", until=NOW).on_conflict_do_nothing().returning(tables.lease.c.name)
        return [tx.execute(row).scalar() for _ in range(2)]

    assert await database.write(twice) == ["inbox", None]


# --- times ---


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(NOW, id="utc"),
        pytest.param(NOW.astimezone(timezone(timedelta(hours=5, minutes=45))), id="another zone"),
        pytest.param(NOW.replace(microsecond=123_456), id="microseconds"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), id="long ago"),
        pytest.param(datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC), id="far ahead"),
    ],
)
async def test_a_time_comes_back_aware_in_utc_and_the_same(database: Database, moment: datetime) -> None:
    await database.write(flag.put, "when", "x", moment)
    found = await database.read(lambda tx: tx.execute(sa.select(tables.flag.c.changed_at)).scalar_one())
    assert found == moment
    assert found.tzinfo is UTC


async def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="naive"):
        await database.write(flag.put, "when", "x", NOW.replace(tzinfo=None))


async def test_times_sort_and_compare_as_instants_whatever_zone_they_came_in(database: Database) -> None:
    zones = [timezone(timedelta(hours=hours)) for hours in (-11, 0, 5, 13)]
    for number, zone in enumerate(zones):
        await database.write(flag.put, f"{number}", "x", (NOW + timedelta(minutes=number)).astimezone(zone))

    def after(tx: Tx, limit: datetime) -> list[str]:
        rows = tx.execute(sa.select(tables.flag.c.name).where(tables.flag.c.changed_at > limit).order_by(tables.flag.c.changed_at))
        return [row.name for row in rows]

    assert await database.read(after, NOW.astimezone(zones[3])) == ["1", "2", "3"]


# --- versions ---


def test_an_empty_database_is_brought_up_and_then_left_alone(empty: Database) -> None:
    assert migrate.upgrade(empty) == "empty"
    assert migrate.upgrade(empty) is None
    assert empty.read_now(migrate.revision) == migrate.HEAD


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, all_tables.metadata) == []


def test_two_that_start_at_once_bring_an_empty_database_up_together(empty: Database, empty_database_url: str) -> None:
    program = """
import sys
from alembic import command
from mailbot.database import engine, migrate
database = engine.Database(sys.argv[1])
print("ready", flush=True)
input()
migrate.upgrade(database)
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    starting = [subprocess.Popen([sys.executable, "-c", program, empty_database_url], text=True, **pipes) for _ in range(3)]
    assert all(process.stdout and process.stdout.readline() == "ready\n" for process in starting)
    with ThreadPoolExecutor(3) as pool:
        said = [stderr for _, stderr in pool.map(lambda process: process.communicate("now\n", timeout=60), starting)]
    assert [process.returncode for process in starting] == [0, 0, 0], "\n".join(said)
    assert empty.read_now(migrate.revision) == migrate.HEAD


@only_sqlite
def test_a_new_file_that_another_is_just_filling_is_waited_for(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = empty_database_url.removeprefix("sqlite:///")
    with closing(Database(empty_database_url)) as database, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE theirs (id INTEGER)")
        waits: list[float] = []
        monkeypatch.setattr("mailbot.database.engine.time.sleep", lambda seconds: (waits.append(seconds), other.execute("COMMIT")))
        assert database.read_now(_one, "SELECT count(*) FROM theirs") == 0
        assert database.read_now(_one, "PRAGMA journal_mode") == "wal"
        assert len(waits) == 1, "SQLite gives no such wait of its own"


def test_a_database_of_a_newer_mailbot_is_refused_untouched(database: Database) -> None:
    _make_newer(database)
    with pytest.raises(migrate.NewerDatabase, match=r"newer mailbot \(revision 9999; this one knows .*\)\. Run that version"):
        migrate.upgrade(database)
    assert database.read_now(migrate.revision) == "9999"


def _make_newer(database: Database) -> None:
    database.write_now(lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))


# --- a database that is not to be had ---


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("mailbot.db", "is not a database address", id="a path alone"),
        pytest.param("mysql://localhost/mailbot", "mailbot knows sqlite and postgresql", id="a database we do not know"),
        pytest.param("sqlite://", "must name a file", id="memory"),
        pytest.param("sqlite:////nowhere/at/all/mailbot.db", "does not exist. Create it", id="no such folder"),
    ],
)
def test_an_unusable_address_is_one_sentence(url: str, says: str) -> None:
    with pytest.raises(DatabaseUnusable, match=says):
        Database(url)


def test_a_file_that_is_no_database_is_one_sentence_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir or Madam, " * 100)
    with closing(Database(f"sqlite:///{path}")) as database, pytest.raises(DatabaseUnusable, match="not a database"):
        migrate.upgrade(database)
    assert path.read_text() == "Dear Sir or Madam, " * 100


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    nobody = closing(Database("postgresql://mailbot@127.0.0.1:1/mailbot"))
    with nobody as database, pytest.raises(DatabaseUnusable, match=r"^The database does not answer: .+ Check database\.url"):
        migrate.upgrade(database)


# --- backups ---


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Path:
    """A backup that holds one flag."""
    database.write_now(flag.put, "word", "kept", NOW)
    target = tmp_path / "backup"
    backup.back_up(database, target)
    return target


def test_a_backup_brings_everything_back_with_sending_stopped(database: Database, database_url: str, kept: Path) -> None:
    database.write_now(flag.put, "word", "changed since", NOW)
    database.write_now(flag.put, "new", "since", NOW)
    database.close()
    backup.restore(database_url, kept, NOW)
    with closing(Database(database_url)) as again:
        assert again.read_now(flag.get, "word") == "kept"
        assert again.read_now(flag.get, "new") is None
        assert again.read_now(flag.get, flag.SENDING_STOPPED) == "restored from a backup"
        assert migrate.upgrade(again) is None


def test_a_backup_is_its_owners_alone_and_overwrites_nothing(database: Database, kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    before = kept.read_bytes()
    with pytest.raises(backup.BackupFailed, match="exists already"):
        backup.back_up(database, kept)
    assert kept.read_bytes() == before


async def test_a_backup_is_made_while_mailbot_writes(database: Database, tmp_path: Path) -> None:
    stop, writes = threading.Event(), threading.Event()

    def write_on() -> int:
        count = 0
        while not stop.is_set():
            count += 1
            database.write_now(flag.put, "count", str(count), NOW)
            database.write_now(flag.put, "more", "x" * 50_000, NOW)
            writes.set()
        return count

    writing = asyncio.create_task(asyncio.to_thread(write_on))
    await asyncio.to_thread(writes.wait)
    try:
        await asyncio.to_thread(backup.back_up, database, tmp_path / "backup")
    finally:
        stop.set()
    assert await writing
    assert (tmp_path / "backup").stat().st_size


def test_a_backup_that_cannot_be_written_is_one_sentence_and_leaves_nothing(database: Database, tmp_path: Path) -> None:
    with pytest.raises(backup.BackupFailed):
        backup.back_up(database, tmp_path / "no such folder" / "backup")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("backup")]


@pytest.mark.parametrize("content", [b"", b"Dear Sir or Madam, " * 100], ids=["empty", "a letter"])
def test_what_is_no_backup_is_refused_and_the_database_stays(database: Database, database_url: str, tmp_path: Path, content: bytes) -> None:
    database.write_now(flag.put, "word", "still here", NOW)
    (tmp_path / "letter").write_bytes(content)
    with pytest.raises(backup.BackupFailed):
        backup.restore(database_url, tmp_path / "letter", NOW)
    with pytest.raises(backup.BackupFailed, match="There is no file"):
        backup.restore(database_url, tmp_path / "nothing", NOW)
    assert database.read_now(flag.get, "word") == "still here"


def test_a_backup_of_a_newer_mailbot_is_refused_and_the_database_stays(database: Database, database_url: str, tmp_path: Path) -> None:
    _make_newer(database)
    backup.back_up(database, tmp_path / "newer")
    database.write_now(lambda tx: tx.execute(sa.text(f"UPDATE alembic_version SET version_num = '{migrate.HEAD}'")))
    database.write_now(flag.put, "word", "still here", NOW)
    with pytest.raises((migrate.NewerDatabase, backup.BackupFailed)):
        backup.restore(database_url, tmp_path / "newer", NOW)
    with closing(Database(database_url)) as again:
        assert migrate.upgrade(again) is None
        assert again.read_now(flag.get, "word") == "still here"


@only_sqlite
def test_what_a_restore_replaces_is_kept_whole_beside_it(database: Database, database_url: str, kept: Path) -> None:
    """Even what a mailbot that was killed had committed to the write-ahead log only."""
    database.write_now(flag.put, "word", "in the log only", NOW)
    path = Path(str(database.url.database))
    assert path.with_name("mailbot.db-wal").stat().st_size  # still open: as a killed process leaves it
    backup.restore(database_url, kept, NOW)
    with closing(sqlite3.connect(path.with_name("mailbot.db.before-restore"))) as old:
        assert old.execute("SELECT value FROM flag WHERE name = 'word'").fetchone() == ("in the log only",)
