"""mailbot as processes: an orderly end, two at once, one pass, and what is said where it cannot work."""

import asyncio
import json
import signal
import subprocess

import pytest

from mailbot import clock
from mailbot.database import flag
from mailbot.database.tables import lease
from tests.journeys.office import COLLEAGUE, LATEST, MAILBOT, UNCLEAR, Office
from tests.servers.relay import LoopbackRelay


def leases(office: Office) -> int:
    with office.database.engine.connect() as tx:
        return len(tx.execute(lease.select()).all())


async def test_asked_to_stop_it_finishes_the_mail_in_hand_claims_no_more_and_exits_with_0(office: Office, relay: LoopbackRelay) -> None:
    relay.slow_seconds = 1.0
    office.database.write_now(flag.put, flag.SENDING_STOPPED, "a test", clock.now())
    for name in ("one", "two"):
        office.ask(LATEST, sender=f"slow-dot+{name}@{name}.example")
    process = office.start()
    await office.until(lambda: len(office.deliveries("answer")) == 2, "both answers queued")
    office.database.write_now(flag.clear, flag.SENDING_STOPPED)
    await relay.wait_for(1)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 20) == 0
    assert sorted(row["state"] for row in office.deliveries()) == ["queued", "sent"]
    assert leases(office) == 0
    assert office.unsound() == []


async def test_a_mail_that_takes_longer_than_the_shutdown_is_in_doubt_and_a_colleague_is_told_by_the_next(
    office: Office, relay: LoopbackRelay
) -> None:
    office.configure({"outbox": {"shutdown_seconds": 0.5}})
    office.ask(LATEST, sender="hang-after-dot@journal.example")
    process = office.start()
    await relay.wait_for(1)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 20) == 0
    assert [(row["kind"], row["state"]) for row in office.deliveries()] == [("answer", "uncertain"), ("hand_off", "queued")]
    await office.once()
    assert [got.recipient for got in relay.mails] == ["hang-after-dot@journal.example", COLLEAGUE]


async def test_two_at_once_give_one_answer_and_the_second_goes_on_when_the_first_is_killed(
    office_on_either: Office, relay: LoopbackRelay
) -> None:
    office = office_on_either
    first, second = office.start(), office.start()
    await office.until(lambda: leases(office) >= 3, "both at work")
    senders = [f"reader@paper-{number}.example" for number in range(8)]
    for sender in senders:
        office.ask(LATEST, sender=sender)
    await office.settled(8)
    first.kill()
    first.wait()
    office.ask(LATEST, sender="late@journal.example")
    await office.settled(9)
    second.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait, 20) == 0
    assert sorted(got.recipient for got in relay.mails) == sorted([*senders, "late@journal.example"])
    assert (await office.commanded("verify")).returncode == 0


async def test_one_pass_answers_what_is_there_and_ends(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    office.ask(UNCLEAR)
    await office.commanded("run", "--once")
    assert office.is_settled(2)
    assert sorted(got.recipient for got in office.taken(relay)) == ["awa@journal.example", COLLEAGUE]
    (acknowledgement,) = office.deliveries("acknowledgement")
    assert (acknowledgement["state"], acknowledgement["recipient"]) == ("sent", "awa@journal.example")
    status = json.loads((await office.commanded("status", "--json")).stdout)
    assert status["inbox"]["handled"] == 2
    assert status["inbox"]["waiting_for_a_person"] == 1
    assert status["inbox"]["last_success"]
    assert status["outbox"]["states"]["sent"] == 3
    assert (await office.commanded("verify")).returncode == 0


async def test_one_pass_beside_a_watcher_says_so_and_reads_nothing(office: Office) -> None:
    async with office.running():
        await office.until(lambda: office.status()["inbox"]["last_success"], "the watcher at work")
        done = await office.commanded("run", "--once", exits=1)
    assert "another process watches this mailbox" in done.stderr


async def test_one_pass_for_parts_leaves_the_other_part_alone(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    await office.commanded("run", "--once", "--only", "inbox")
    assert ([row["state"] for row in office.deliveries()], relay.mails) == (["queued"], [])
    office.ask(LATEST, sender="two@paper.example")
    await office.commanded("run", "--once", "--only", "outbox")
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]
    assert (len(office.mails()), office.lying()) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"imap": {"password": "wrong"}}, "refused the login", id="wrong password"),
        pytest.param({"imap": {"port": 1}}, "cannot connect", id="nobody there"),
        pytest.param({"imap": {"hots": "a"}}, "imap.hots", id="unknown setting"),
        pytest.param({"database": {"url": "sqlite:////nowhere/at/all.db"}}, "/nowhere/at", id="no folder for the database"),
    ],
)
async def test_one_pass_that_cannot_work_says_why_in_one_sentence_and_exits_with_1(
    office: Office, changes: dict[str, dict[str, str | int]], said: str
) -> None:
    office.configure(changes)
    office.ask(LATEST)
    done = await office.commanded("run", "--once", exits=1)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert office.lying() == 1


async def test_a_full_disk_is_said_in_one_sentence_and_the_mail_stays_where_it_is(office: Office) -> None:
    """No file may grow any more, as on a full disk: the mail cannot be stored, so it is neither answered nor moved."""
    office.ask(LATEST + "\n> des mots cités\n" * 100_000)
    command = ["prlimit", "--fsize=1000000", *MAILBOT, "--config", str(office.config), "run", "--once"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "disk" in done.stderr
    assert (office.lying(), office.mails(), office.unsound()) == (1, [], [])
    await office.once()
    await office.settled(1)
