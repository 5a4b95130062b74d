"""What every test may ask for: a fresh database of each kind, and real servers that start when first needed and always stop.

With CI set nothing is skipped: a skip is a failure there. At the end nobody whom a test started may still be running.
"""

import os
import shutil
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.servers import throwaway

if TYPE_CHECKING:  # the rules need none of these: they are imported where a fixture is used
    from mailbot.database.engine import Database
    from tests.servers.dovecot import Dovecot
    from tests.servers.postgres import Postgres

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_configure() -> None:
    """A SIGTERM ends the session as Ctrl-C does: with every fixture torn down."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell starts what runs in its background deaf to SIGINT, and so it would be for everybody whom we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    throwaway.adopt_orphans()
    throwaway.stay_in_memory()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test is a failed one where CI is set."""
    return _without_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    return _without_skips((yield))


def _without_skips(report: Report) -> Report:
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and with CI set nothing is: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """After the last teardown nobody is left over."""
    result = yield
    if names := throwaway.leftovers():
        print("\nLeft over after the tests, now killed:", *names, sep="\n  ", file=sys.stderr)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        # Where several processes share the tests, this is how one of them says that the run has failed.
        getattr(session.config, "workeroutput", {})["shouldfail"] = "somebody was left over after the tests"
    return result


# --- databases: each test that asks for one runs on both kinds ---


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    """A PostgreSQL cluster of our own."""
    from tests.servers.postgres import running

    with running() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database; a test for one alone says @pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)."""
    return str(request.param)


@pytest.fixture
def empty_database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without any table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'mailbot.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row."""
    path = tmp_path_factory.mktemp("template") / "mailbot.db"
    _bring_up(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: "Postgres") -> str:
    """The same in PostgreSQL; the name of the database that others are copied from."""
    name = postgres.create()
    _bring_up(postgres.url(name))
    return name


def _bring_up(url: str) -> None:
    from mailbot.database import migrate
    from mailbot.database.engine import Database

    with closing(Database(url)) as database:
        migrate.upgrade(database)


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh database with every table: for a test that starts mailbot as a process of its own."""
    if database_kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "mailbot.db")
        yield f"sqlite:///{tmp_path / 'mailbot.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.create(request.getfixturevalue("postgres_template"))
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator["Database"]:
    """The same, opened."""
    from mailbot.database.engine import Database

    with closing(Database(database_url)) as database:
        yield database


# --- mail servers ---


@pytest.fixture(scope="session")
def dovecot() -> Iterator["Dovecot"]:
    """A Dovecot of our own. Each test adds its own user: that mailbox is then its alone."""
    throwaway.needed("/usr/sbin/dovecot")
    throwaway.needed("/usr/lib/dovecot/lmtp")
    from tests.servers.dovecot import dovecot_server

    yield from dovecot_server()
