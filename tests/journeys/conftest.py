"""The offices of the journeys: each test gets a mailbox of its own, on the Dovecot that all share."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailbot import logs
from tests.journeys.office import Office
from tests.servers.dovecot import Dovecot
from tests.servers.relay import LoopbackRelay, certificates, relay

__all__ = ["certificates", "relay"]
NUMBERS = itertools.count(1)
OpenOffice = Callable[[int, str], Office]


@dataclass(frozen=True)
class OutsideRelay:
    """The same relay as a process of its own: what it has taken outlives every kill."""

    port: int
    spool: Path


@pytest.fixture(autouse=True)
def logs_as_in_service() -> None:
    """As `mailbot run` writes them."""
    logs.set_up(json_lines=True)


@pytest.fixture
def open_office(dovecot: Dovecot, tmp_path: Path) -> Iterator[OpenOffice]:
    """Opens an office on a relay and a database that has its tables; it has three releases, in automatic mode."""
    opened: list[Office] = []

    def opener(relay_port: int, database_url: str) -> Office:
        address = f"presse-{next(NUMBERS)}@office.example"
        dovecot.add_user(address)
        office = Office(tmp_path, address, dovecot, relay_port, database_url)
        opened.append(office)
        office.configure()
        office.publish()
        return office

    yield opener
    for office in opened:
        office.leave()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with its tables, where the kind of database is not the question."""
    shutil.copyfile(sqlite_template, tmp_path / "mailbot.db")
    return f"sqlite:///{tmp_path / 'mailbot.db'}"


@pytest.fixture
async def office(open_office: OpenOffice, relay: LoopbackRelay, sqlite_url: str) -> Office:
    """The usual one."""
    return open_office(relay.port, sqlite_url)


@pytest.fixture
async def office_on_either(open_office: OpenOffice, relay: LoopbackRelay, database_url: str) -> Office:
    """The usual one, once on each kind of database."""
    return open_office(relay.port, database_url)


@pytest.fixture
def outside_relay(tmp_path: Path) -> Iterator[OutsideRelay]:
    """Stands while mailbot is killed again and again."""
    spool = tmp_path / "spool"
    command = [sys.executable, "-m", "tests.servers.relay", "--spool", str(spool)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield OutsideRelay(int(line.split()[-1]), spool)
        process.kill()
