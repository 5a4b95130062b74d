"""The process is killed at one exact point: what certainly has not left leaves once, what may have left is in doubt, nothing else."""

import asyncio
import contextlib
import signal

from mailbot import service
from mailbot.database import flag
from tests.journeys.office import COLLEAGUE, LATEST, Office
from tests.servers.relay import LoopbackRelay
from tests.servers.tcp_proxy import TcpProxy

SLOW = "slow-dot@journal.example"


async def test_between_storing_and_deciding_the_next_start_decides(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    parts = office.parts()
    async with service.held(parts):
        assert await parts.watcher.once()
    assert [row["state"] for row in office.mails()] == ["stored"]
    await office.once()
    await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


async def test_between_deciding_and_filing_the_next_start_only_files(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    parts = office.parts()
    async with service.held(parts):
        assert await parts.watcher.once()
        await parts.disposer.drain()
        await parts.dispatcher.drain()
    assert (len(relay.mails), office.lying()) == (1, 1)
    await office.once()
    await office.settled(1)
    assert (len(relay.mails), len(office.mails()), office.lying("mailbot")) == (1, 1, 1)


async def test_between_filing_and_noting_it_the_next_start_takes_it_for_filed(office: Office, relay: LoopbackRelay) -> None:
    """The server has moved the mail and we died before we knew: somebody else might have moved it as well."""
    office.ask(LATEST)
    parts = office.parts()
    async with service.held(parts):
        assert await parts.watcher.once()
        await parts.disposer.drain()
    maildir = office.dovecot.root / "mail" / office.address
    for path in [*(maildir / "new").iterdir(), *(maildir / "cur").iterdir()]:
        path.unlink()
    await office.once()
    await office.settled(1)
    assert len(relay.mails) == 1


async def test_between_the_claim_and_the_relays_greeting_it_leaves_once_after_the_restart(office: Office, relay: LoopbackRelay) -> None:
    async with TcpProxy(relay.port) as proxy:
        office.configure({"smtp": {"port": proxy.port}})
        proxy.go_dark()
        office.ask(LATEST)
        process = office.start()
        await office.until(lambda: [row["state"] for row in office.deliveries()] == ["sending"], "the answer claimed")
        process.send_signal(signal.SIGKILL)
        process.wait()
        proxy.cut()
        proxy.lighten()
        async with office.running():
            await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]
    assert [row["state"] for row in office.deliveries()] == ["sent"]


async def test_between_the_final_dot_and_the_relays_yes_the_answer_is_in_doubt(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST, sender="hang-after-dot@journal.example")
    process = office.start()
    await relay.wait_for(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    async with office.running():
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["hang-after-dot@journal.example", COLLEAGUE]
    assert [(row["kind"], row["state"]) for row in office.deliveries()] == [("answer", "uncertain"), ("hand_off", "sent")]


async def test_between_the_relays_yes_and_our_record_the_answer_is_in_doubt_and_not_repeated(office: Office, relay: LoopbackRelay) -> None:
    """The database is held by somebody else when the yes arrives: it cannot be recorded, and then the process is killed."""
    relay.slow_seconds = 0.5
    office.ask(LATEST, sender=SLOW)
    process = office.start()
    await relay.wait_for(1)
    with office.database.engine.begin():  # BEGIN IMMEDIATE: from here on nobody else writes
        await asyncio.sleep(relay.slow_seconds * 2)  # the relay answers in this time; that it has done so leaves no trace but ours
        process.send_signal(signal.SIGKILL)
        process.wait()
    async with office.running():
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == [SLOW, COLLEAGUE]
    assert [(row["kind"], row["state"]) for row in office.deliveries()] == [("answer", "uncertain"), ("hand_off", "sent")]


async def test_what_a_dead_watcher_stored_and_did_not_decide_is_decided_by_the_one_that_takes_over(
    office: Office, relay: LoopbackRelay
) -> None:
    """It stood by all the time and has no new mail to fetch: nothing but the take-over tells it."""
    office.configure({"outbox": {"lease_seconds": 1.5}})
    first, other = office.parts(), office.parts()  # built first: a lease that nobody renews would run out meanwhile
    async with contextlib.AsyncExitStack() as second:
        async with service.held(first):
            assert await first.watcher.once()
            await second.enter_async_context(office.running(parts=other))
            await office.until(lambda: office.database.read_now(flag.get, "digest:waiting:at"), "the second has looked round")
            office.ask(LATEST)
            assert await first.watcher.once()
            assert [row["state"] for row in office.mails()] == ["stored"]
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]
