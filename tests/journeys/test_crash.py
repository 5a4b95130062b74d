"""kill -9 at random moments while mails arrive: each mail has one disposition, nobody gets two answers, and nothing is forgotten.

The relay is a process of its own and keeps on disk what it has taken; what it says is held against what mailbot remembers.
"""

import asyncio
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailbot.database.tables import lease
from mailbot.message import token
from tests.journeys.conftest import OpenOffice, OutsideRelay
from tests.journeys.office import COLLEAGUE, LATEST, SECOND_COLLEAGUE, SECRET_KEY, UNCLEAR, Office

WORKING_SECONDS = 0.8  # a kill comes in this time after work began; every fourth comes while mailbot is still starting
STARTING_SECONDS = 1.2
GENEROUS: dict[str, dict[str, Any]] = {
    "inbox": {
        "answers_per_minute": 100_000, "answers_per_domain_per_hour": 100_000, "hand_offs_per_hour": 100_000,
        "addresses_per_text_per_hour": 100_000, "hand_offs_per_address_per_hour": 100_000,
    },
    "outbox": {"retry_seconds": [0.1] * 5, "lease_seconds": 30, "uncertain_retry_seconds": 0.1, "shutdown_seconds": 10},
}


async def test_twenty_kills_while_mails_arrive(open_office: OpenOffice, sqlite_url: str, outside_relay: OutsideRelay) -> None:
    office = open_office(outside_relay.port, sqlite_url)
    await survive(office, outside_relay.spool, kills=20, mails=40, seed=20)


@pytest.mark.torture
@pytest.mark.parametrize("seed", [1])
async def test_a_hundred_kills_while_two_hundred_mails_arrive(
    open_office: OpenOffice, database_url: str, outside_relay: OutsideRelay, seed: int
) -> None:
    office = open_office(outside_relay.port, database_url)
    await survive(office, outside_relay.spool, kills=100, mails=200, seed=seed)


async def survive(office: Office, spool: Path, *, kills: int, mails: int, seed: int) -> None:
    """Start, let mails come in, kill; in the end let it finish, and compare."""
    office.configure(GENEROUS)
    chance, arriving = random.Random(seed), arrivals(office)
    expected: dict[str, str] = {}
    for number in range(kills):
        process = office.start()
        starting = number % 4 == 3
        if not starting:
            await office.until(lambda process=process: is_at_work(office, process), "mailbot at work")  # type: ignore[misc]
        due = mails * (number + 1) // kills - len(expected)
        expected |= dict(next(arriving) for _ in range(due))
        await asyncio.sleep(chance.uniform(0, STARTING_SECONDS if starting else WORKING_SECONDS))  # the random moment itself
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = office.start()
    await office.settled(mails, seconds=60)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 20) == 0
    assert (await office.commanded("verify")).returncode == 0
    compare(office, spool, expected)


def arrivals(office: Office) -> Iterator[tuple[str, str]]:
    """Mails come in, one after another: who wrote, and what is to be done about it."""
    for number in count():
        name = f"slow-dot+{number}" if number % 5 in (0, 2, 3) else f"reader-{number}"  # a relay that thinks before its yes: a wide gap
        sender = f"{name}@paper-{number}.example"
        outcome, text, headers = (
            ("hand_off", UNCLEAR, {}) if number % 5 == 3 else ("ignore", LATEST, {"Auto-Submitted": "auto-replied"}) if number % 5 == 4
            else ("send_release", LATEST, {})
        )  # fmt: skip
        office.ask(text, sender=sender, number=number, headers=headers)
        yield sender, outcome


def is_at_work(office: Office, process: subprocess.Popen[bytes]) -> bool:
    """It has taken the mailbox."""
    assert process.poll() is None, office.account()
    with office.database.engine.connect() as tx:
        holders = tx.execute(sa.select(lease.c.holder).where(lease.c.name.startswith("watcher:"))).scalars().all()
    return any(f"|{process.pid}|" in holder for holder in holders)


def compare(office: Office, spool: Path, expected: dict[str, str]) -> None:
    """What mailbot remembers, what the relay has on disk, and what had to be."""
    assert Counter(row["sender"] for row in office.mails()) == Counter(expected.keys())
    assert {row["sender"]: row["outcome"] for row in office.mails()} == expected
    taken = [BytesHeaderParser().parsebytes(path.read_bytes()) for path in spool.glob("*.eml")]
    copies = Counter(token.own_delivery(SECRET_KEY.encode(), str(mail["Message-ID"])) for mail in taken)
    rows = {row["id"]: row for row in office.deliveries() + office.deliveries("acknowledgement")}
    assert set(copies) <= set(rows), "a mail left that nobody queued"
    for delivery_id, row in rows.items():
        assert copies[delivery_id] <= (1 if row["kind"] in ("answer", "acknowledgement") else 1 + row["doubts"]), row
        assert row["state"] != "sent" or copies[delivery_id] >= 1, row
        assert row["state"] in ("sent", "uncertain"), row
    to = Counter(str(mail["X-Envelope-To"]) for mail in taken)
    answers = {row["recipient"]: row for row in rows.values() if row["kind"] == "answer"}
    requests = {sender for sender, outcome in expected.items() if outcome == "send_release"}
    handed = {sender for sender, outcome in expected.items() if outcome == "hand_off"}
    assert set(answers) == requests
    assert Counter(row["recipient"] for row in office.deliveries("acknowledgement")) == Counter(handed)
    assert {address for address in to if address not in (COLLEAGUE, SECOND_COLLEAGUE)} <= requests | handed
    for sender in requests | handed:
        assert to[sender] <= 1, f"{sender} got {to[sender]} mails"
    for sender in requests:
        if answers[sender]["state"] != "sent":
            told = [row for row in rows.values() if row["kind"] == "hand_off" and row["mail"] == answers[sender]["mail"]]
            assert any(copies[row["id"]] >= 1 for row in told), f"nobody was told that the answer to {sender} is in doubt"
    assert office.lying() == 0
    filed = len(expected) - len(handed)
    assert (office.lying("mailbot"), office.lying("mailbot/attention")) == (filed, len(handed))
