"""kill -9 at random moments while an announcement leaves: nobody is missing, and who gets a second copy was in doubt and gets the same bytes.

smtp-sink is a process of its own, offers PIPELINING, and keeps what it has taken; what it has is held against what mailbot remembers.
"""

import asyncio
import random
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest

from mailbot.message import token
from mailbot.outbox import bulk_store
from tests.edges.announced import LETTER, announce
from tests.edges.announced import rows as rows_of
from tests.journeys.conftest import OpenOffice
from tests.journeys.office import SECRET_KEY, Office
from tests.servers.smtp_sink import SmtpSink, smtp_sink

KEY = SECRET_KEY.encode()
SAME_FOR_ALL = replace(LETTER, subject="La fontaine", text="La fontaine coule.\n" * 40, html="<p>La fontaine</p>", headers=LETTER.headers[:1])
QUICK = {
    "outbox": {"retry_seconds": [0.1] * 5, "lease_seconds": 30, "uncertain_retry_seconds": 0.1, "shutdown_seconds": 10},
    "smtp": {"connections": 4, "rate_per_minute": 0, "mails_per_connection": 1000},
}  # fmt: skip
PATIENCE_SECONDS = 60


async def test_twenty_kills_of_two_thousand_mails(open_office: OpenOffice, sqlite_url: str) -> None:
    with smtp_sink() as sink:
        await survive(open_office(sink.port, sqlite_url), sink, kills=20, mails=2000, workers=1, seed=20)


@pytest.mark.torture
async def test_two_hundred_kills_of_two_thousand_mails(open_office: OpenOffice, sqlite_url: str) -> None:
    with smtp_sink() as sink:
        await survive(open_office(sink.port, sqlite_url), sink, kills=200, mails=2000, workers=1, seed=200)


@pytest.mark.torture
async def test_a_hundred_kills_of_four_workers(open_office: OpenOffice, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        return  # SQLite is for one process
    with smtp_sink() as sink:
        await survive(open_office(sink.port, database_url), sink, kills=100, mails=2000, workers=4, seed=4)


async def survive(office: Office, sink: SmtpSink, *, kills: int, mails: int, workers: int, seed: int) -> None:
    """Start, kill one when a little more has left, start it anew; in the end let it finish, and compare."""
    office.configure(QUICK)
    addresses = [f"awa.{number}@paper{number % 50}.example" for number in range(mails)]
    office.database.write_now(announce, addresses, KEY, letter=SAME_FOR_ALL)
    chance = random.Random(seed)
    running = [office.start("--only", "outbox") for _ in range(workers)]
    for number in range(kills):
        goal = mails * (number + chance.random()) / kills
        await until(lambda goal=goal: sink.octets() >= goal * OCTETS or is_over(office, mails), "more mails")  # type: ignore[misc]
        await asyncio.sleep(chance.uniform(0, 0.02))  # the random moment itself
        place = chance.randrange(workers)
        killed(running[place])
        assert sum(office.database.read_now(bulk_store.states_of, "b1").values()) == mails
        running[place] = office.start("--only", "outbox")
    await until(lambda: is_over(office, mails), "the last mail")
    for process in running:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0
    assert (await office.commanded("verify")).returncode == 0
    compare(office, sink)


OCTETS = 2400  # of one mail in the sink, or a little more


def killed(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def is_over(office: Office, mails: int) -> bool:
    states = office.database.read_now(bulk_store.states_of, "b1")
    assert sum(states.values()) == mails
    return states["sent"] + states["uncertain"] == mails


async def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.005)


def compare(office: Office, sink: SmtpSink) -> None:
    """What the relay has, and what mailbot remembers."""
    copies: dict[str, list[bytes]] = defaultdict(list)
    for raw in sink.taken():
        mail = raw[raw.index(b"From: ") :].rstrip()
        found = token.own_delivery(KEY, mail.partition(b"Message-ID: ")[2].partition(b"\n")[0].strip().decode())
        assert found is not None, "a mail left that is not ours"
        copies[found].append(mail)
    rows = {row.id: row for row in rows_of(office.database).values()}
    assert set(copies) <= set(rows)
    for delivery_id, row in rows.items():
        assert row.state == "sent" or (row.state == "uncertain" and row.doubts), row.recipient
        assert row.state != "sent" or copies[delivery_id], f"{row.recipient} is missing"
        assert len(copies[delivery_id]) <= 1 + row.doubts, row.recipient
        assert len(set(copies[delivery_id])) <= 1, f"{row.recipient} got two different mails"


