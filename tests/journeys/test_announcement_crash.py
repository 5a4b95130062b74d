"""kill -9 at random moments of an announcement: nobody is missing, and who gets a second copy was in doubt and gets the same bytes.

smtp-sink is a process of its own, offers PIPELINING, and keeps what it has taken; what it has is held against what mailbot remembers.
"""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.database.engine import Database
from mailbot.message import token
from mailbot.outbox import bulk_store
from mailbot.verify import broken
from tests.edges.announced import LETTER, announce
from tests.edges.announced import rows as rows_of
from tests.journeys.conftest import OpenOffice
from tests.journeys.office import SECRET_KEY, Office
from tests.servers.smtp_sink import SmtpSink, smtp_sink

KEY = SECRET_KEY.encode()
SAME_FOR_ALL = replace(  # without a mark: the service knows other values than our worker
    LETTER, subject="La fontaine", text="La fontaine coule.\n" * 40, html="<p>La fontaine</p>", headers=LETTER.headers[:1]
)
QUICK = {
    "outbox": {"retry_seconds": [0.1] * 5, "lease_seconds": 30, "uncertain_retry_seconds": 0.1, "shutdown_seconds": 10},
    "smtp": {"connections": 4, "rate_per_minute": 0, "mails_per_connection": 1000},
}  # fmt: skip
PATIENCE_SECONDS = 60


def start_worker(url: str, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.servers.outbox_worker", url, str(port)], cwd=Path(__file__).parents[2])


def start_mailbot(office: Office) -> Callable[[], subprocess.Popen[bytes]]:
    office.configure(QUICK)
    return lambda: office.start("--only", "outbox")


async def test_twenty_kills_of_two_thousand_mails(sqlite_url: str) -> None:
    with smtp_sink() as sink, closing(Database(sqlite_url)) as database:
        await survive(database, lambda: start_worker(sqlite_url, sink.port), sink, kills=20, mails=2000, workers=1, seed=20)


@pytest.mark.torture
async def test_two_hundred_kills_of_two_thousand_mails(open_office: OpenOffice, sqlite_url: str) -> None:
    with smtp_sink() as sink:
        office = open_office(sink.port, sqlite_url)
        await survive(office.database, start_mailbot(office), sink, kills=200, mails=2000, workers=1, seed=200)
        assert (await office.commanded("verify")).returncode == 0


@pytest.mark.torture
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_hundred_kills_of_four_workers(open_office: OpenOffice, database_url: str) -> None:
    with smtp_sink() as sink:
        office = open_office(sink.port, database_url)
        await survive(office.database, start_mailbot(office), sink, kills=100, mails=2000, workers=4, seed=4)
        assert (await office.commanded("verify")).returncode == 0


async def survive(
    database: Database, start: Callable[[], subprocess.Popen[bytes]], sink: SmtpSink, *, kills: int, mails: int, workers: int, seed: int
) -> None:
    """Start, kill one when a little more has left, start it anew; in the end let it finish, and compare."""
    addresses = [f"awa.{number}@paper{number % 50}.example" for number in range(mails)]
    database.write_now(announce, addresses, KEY, letter=SAME_FOR_ALL)
    chance = random.Random(seed)
    running = [start() for _ in range(workers)]
    try:
        for number in range(kills):
            goal = mails * (number + chance.random()) / (kills + 1)
            await until(lambda goal=goal: sink.octets() >= goal * OCTETS or is_over(database, mails), "more mails")  # type: ignore[misc]
            await asyncio.sleep(chance.uniform(0, 0.02))  # the random moment itself
            place = chance.randrange(workers)
            killed(running[place])
            assert sum(database.read_now(bulk_store.states_of, "b1").values()) == mails
            running[place] = start()
        await until(lambda: is_over(database, mails), "the last mail")
    finally:
        for process in running:
            killed(process)
    assert database.read_now(broken, KEY) == []
    compare(database, sink)


OCTETS = 2400  # of one mail in the sink, or a little more


def killed(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def is_over(database: Database, mails: int) -> bool:
    states = database.read_now(bulk_store.states_of, "b1")
    assert sum(states.values()) == mails
    return states["sent"] + states["uncertain"] == mails


async def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.005)


def compare(database: Database, sink: SmtpSink) -> None:
    """What the relay has, and what mailbot remembers."""
    copies: dict[str, list[bytes]] = defaultdict(list)
    for raw in sink.taken():
        mail = raw[raw.index(b"From: ") :].rstrip()
        found = token.own_delivery(KEY, mail.partition(b"Message-ID: ")[2].partition(b"\n")[0].strip().decode())
        assert found is not None, "a mail left that is not ours"
        copies[found].append(mail)
    rows = {row.id: row for row in rows_of(database).values()}
    assert set(copies) <= set(rows)
    for delivery_id, row in rows.items():
        assert row.state == "sent" or (row.state == "uncertain" and row.doubts), row.recipient
        assert row.state != "sent" or copies[delivery_id], f"{row.recipient} is missing"
        assert len(copies[delivery_id]) <= 1 + row.doubts, row.recipient
        assert len(set(copies[delivery_id])) <= 1, f"{row.recipient} got two different mails"
