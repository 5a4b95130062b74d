"""When the mailbox's server dies, falls silent, renumbers or hangs up: the mail is answered after it, once."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailbot import clock, service, terms
from mailbot.inbox.watch import Terms, Watcher
from mailbot.settings import load
from tests.journeys.office import COLLEAGUE, LATEST, UNCLEAR, Office
from tests.servers.relay import LoopbackRelay
from tests.servers.tcp_proxy import TcpProxy


async def idling(office: Office) -> None:
    """Until mailbot has looked once: from then on it waits for news."""
    await office.until(lambda: office.status()["inbox"]["last_success"], "the first look")


async def test_a_server_killed_in_idle_is_found_again(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        await idling(office)
        office.dovecot.kill()
        await office.until(lambda: office.status()["inbox"]["trouble"], "the trouble in status")
        office.dovecot.start()
        office.ask(LATEST)
        await office.settled(1)
        assert office.status()["inbox"]["trouble"] == ""
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


async def test_a_server_that_says_bye_is_found_again(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        await idling(office)
        office.dovecot.stop()
        await office.until(lambda: office.status()["inbox"]["trouble"], "the trouble in status")
        office.dovecot.start()
        office.ask(LATEST)
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


async def test_a_server_killed_while_a_backlog_is_read_loses_nothing(office: Office, relay: LoopbackRelay) -> None:
    senders = [f"reader-{number}@paper-{number}.example" for number in range(40)]
    for sender in senders:
        office.ask(LATEST, sender=sender)
    async with office.running():
        await office.until(office.mails, "the first mails stored")
        office.dovecot.kill_imap()
        await office.settled(40)
    assert sorted(got.recipient for got in relay.mails if got.recipient != COLLEAGUE) == sorted(
        row["recipient"] for row in office.deliveries("answer")
    )
    assert {row["sender"] for row in office.mails()} == set(senders)


def impatient(office: Office, parts: service.Parts) -> service.Parts:
    """The same, with a watcher that waits a second for an answer instead of a minute."""
    settings = load(office.config, {})
    server = replace(terms.imap_server(settings, None), command_seconds=1, done_seconds=1)
    patience = Terms(
        mailbox="INBOX", filed="mailbot", attention="mailbot/attention", observe=False, start_from=datetime(2020, 1, 1, tzinfo=UTC),
        poll_seconds=1, idle_seconds=1, lease_seconds=30,
    )  # fmt: skip
    watcher = Watcher(
        parts.database, server, patience, parts.holder, parts.watcher.sent, arrived=parts.disposer.wake.set, clock=clock.now,
    )  # fmt: skip
    return replace(parts, watcher=watcher)


async def test_a_connection_that_goes_dark_in_the_middle_of_a_fetch_is_given_up_and_the_mail_answered(
    office: Office, relay: LoopbackRelay
) -> None:
    async with TcpProxy(office.dovecot.imap_port) as proxy:
        office.configure({"imap": {"port": proxy.port}})
        office.ask(LATEST + "\n" + "\n".join(f"> {number} tout ce qui a été dit avant" for number in range(40_000)))
        async with office.running(parts=impatient(office, office.parts())):
            await proxy.has_passed(100_000)
            proxy.go_dark()
            await office.until(lambda: office.status()["inbox"]["trouble"], "the trouble in status")
            proxy.cut()
            proxy.lighten()
            await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


async def test_after_a_new_uidvalidity_new_mail_is_answered_and_none_twice(office: Office, relay: LoopbackRelay) -> None:
    """Everything is renumbered; a mail that was answered lies in the inbox again, as a restored backup would leave it."""
    async with office.running():
        office.ask(LATEST)
        await office.settled(1)
        (answered,) = office.dovecot.mails(office.address, "mailbot")
        office.dovecot.kill()
        office.dovecot.remove_mails(office.address)
        began = int(clock.now().timestamp())
        await office.until(lambda: clock.now().timestamp() > began + 1, "another second: it is the UIDVALIDITY of a new mailbox")
        office.dovecot.start()
        office.deliver(answered)
        office.ask(LATEST, sender="New <new@paper.example>")
        await office.settled(2)
    assert sorted(got.recipient for got in relay.mails if got.recipient != COLLEAGUE) == ["awa@journal.example", "new@paper.example"]


async def test_the_same_bytes_twice_in_the_mailbox_get_one_answer_and_both_are_filed(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        office.ask(LATEST)
        await office.settled(1)
        (answered,) = office.dovecot.mails(office.address, "mailbot")
        office.dovecot.kill_imap()
        # Put there as it is: LMTP would add a trace of its own, and make it another mail.
        folder = office.dovecot.root / "mail" / office.address / "new"
        for name in ("1.again", "2.again"):
            path = folder / f"{int(clock.now().timestamp())}.{name}"
            path.write_bytes(answered)
            os.chown(path, office.dovecot.account.pw_uid, office.dovecot.account.pw_gid)
        await office.until(lambda: office.lying("mailbot") == 3, "both copies filed")
    assert len(relay.mails) == 1
    assert len(office.mails()) == 1
    assert office.unsound() == []


async def test_mail_from_before_the_first_start_is_neither_answered_nor_moved(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"start_from": "now"}})
    for number in range(30):
        office.ask(LATEST, sender=f"old-{number}@paper.example")
    later = clock.now() + timedelta(seconds=2)
    async with office.running(lambda: max(clock.now(), later)):
        await idling(office)
        assert (office.lying(), office.mails(), office.deliveries()) == (30, [], [])
        await office.until(lambda: clock.now() > later, "a second that is certainly after the start")
        office.ask(LATEST, sender="new@journal.example")
        await office.until(lambda: office.lying("mailbot") == 1, "the new mail filed")
    await office.once()
    assert [got.recipient for got in relay.mails] == ["new@journal.example"]
    assert office.lying() == 30


async def test_an_instant_in_start_from_divides_old_from_new(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    office.configure({"inbox": {"start_from": (clock.now() + timedelta(hours=1)).isoformat()}})
    await office.once()
    assert (relay.mails, office.mails(), office.lying()) == ([], [], 1)
    office.configure({"inbox": {"start_from": datetime(2020, 1, 1, tzinfo=UTC).isoformat()}})
    office.ask(UNCLEAR)
    await office.once()
    assert [got.recipient for got in office.taken(relay)] == [COLLEAGUE]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"password": "wrong"}, "login", id="wrong password"),
        pytest.param({"security": "tls", "port": "imaps"}, "certificate", id="certificate nobody signed"),
        pytest.param({"port": 1}, "cannot connect", id="nobody there"),
    ],
)
async def test_a_mailbox_that_cannot_be_opened_is_named_in_status_and_nothing_is_lost(
    office: Office, relay: LoopbackRelay, changes: dict[str, str | int], said: str
) -> None:
    port = {"port": office.dovecot.imaps_port} if changes.get("port") == "imaps" else {}
    office.configure({"imap": changes | port})
    office.ask(LATEST)
    async with office.running():
        await office.until(lambda: said in office.status()["inbox"]["trouble"], f"{said!r} in status")
    assert (relay.mails, office.lying()) == ([], 1)
    office.configure()
    await office.once()
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]
    assert office.status()["inbox"]["trouble"] == ""
