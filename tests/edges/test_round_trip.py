"""`check --live --send`: the mail that goes to the mailbox itself, and what a relay or a server makes of it."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from mailbot.check import Finding
from mailbot.database import flag
from mailbot.database.engine import Database
from mailbot.round_trip import Patience, round_trip
from mailbot.settings import Settings
from tests.edges.test_check import configured
from tests.servers.dovecot import Dovecot
from tests.servers.relay import LoopbackRelay

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
NUMBERS = count(1)
PATIENT = Patience(seconds=10, sent_seconds=10, look_seconds=0.02)
HASTY = Patience(seconds=0.2, sent_seconds=0.2, look_seconds=0.02)
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str, dovecot: Dovecot, relay: LoopbackRelay) -> Settings:
    return office(database_url, dovecot, relay)


def office(database_url: str, dovecot: Dovecot, relay: LoopbackRelay, address: str = "", **smtp: Any) -> Settings:
    """An office with an empty mailbox, whose relay hands nothing on by itself."""
    user = f"trip-{next(NUMBERS)}@office.example"
    dovecot.add_user(user)
    imap = {"host": "127.0.0.1", "port": dovecot.imap_port, "security": "plain", "username": user, "password": "secret"}
    organisation = {"name": "Office", "address": address or user, "languages": ["fr", "en"]}
    return configured(database_url, organisation=organisation, imap=imap, smtp={"port": relay.port} | smtp)


async def seen(
    settings: Settings, dovecot: Dovecot, relay: LoopbackRelay, *, change: Callable[[bytes], bytes] = bytes, sender: str = "",
    sent: bool = True,
) -> dict[str, Finding]:  # fmt: skip
    """The findings, while a postman hands on what the relay takes: changed, or from somebody else."""
    user = settings.imap.username

    async def carry() -> None:
        (got,) = await relay.wait_for(1)
        await asyncio.to_thread(dovecot.deliver, user, change(got.content), sender or got.sender)
        if sent:
            await asyncio.to_thread(dovecot.put, user, "Sent Items", got.content)

    postman = asyncio.create_task(carry())
    findings = await round_trip(settings, NOW, PATIENT if sent else Patience(seconds=10, sent_seconds=0, look_seconds=0.02))
    await postman
    return {one.item: one for one in findings}


async def test_a_mail_that_comes_back_as_it_was_is_green_and_stays_marked(
    settings: Settings, dovecot: Dovecot, relay: LoopbackRelay
) -> None:
    found = await seen(settings, dovecot, relay)
    assert [one.item for one in found.values() if not one.green] == []
    assert list(found) == ["test mail", "From", "Message-ID", "return path", "Sent Items"]
    assert "INBOX" in found["test mail"].said
    assert "keeps a copy in Sent Items" in found["Sent Items"].said
    (lying,) = dovecot.mails(settings.imap.username)
    assert b"Auto-Submitted: auto-generated" in lying
    mark = re.search(rb"X-Mailbot-Check: (\w+)", lying)
    assert mark
    assert mark[1].decode() in found["test mail"].advice
    assert len(relay.mails) == 1


@pytest.mark.parametrize(
    ("change", "item", "said"),
    [
        pytest.param((rb"(?m)^From: .*\r\n", b"From: other@office.example\r\n"), "From", "other@office.example", id="From"),
        pytest.param((rb"(?m)^Message-ID: .*\r\n", b"Message-ID: <new@relay.example>\r\n"), "Message-ID", "new@relay", id="Message-ID"),
        pytest.param((rb"(?m)^Message-ID: .*\r\n", b""), "Message-ID", "none", id="no Message-ID"),
    ],
)
async def test_what_a_relay_rewrites_is_red(
    settings: Settings, dovecot: Dovecot, relay: LoopbackRelay, change: tuple[bytes, bytes], item: str, said: str
) -> None:
    found = await seen(settings, dovecot, relay, change=lambda mail: re.sub(*change, mail))
    assert not found[item].green
    assert said in found[item].said
    assert found[item].advice


async def test_a_return_path_that_is_rewritten_is_red_where_ours_is_set(
    database_url: str, dovecot: Dovecot, relay: LoopbackRelay
) -> None:
    settings = office(database_url, dovecot, relay, return_path="bounces@office.example")
    found = await seen(settings, dovecot, relay, sender="other@office.example")
    assert not found["return path"].green
    assert "smtp.return_path" in found["return path"].advice


async def test_a_relay_that_keeps_no_copy_is_well_and_said(settings: Settings, dovecot: Dovecot, relay: LoopbackRelay) -> None:
    found = await seen(settings, dovecot, relay, sent=False)
    assert found["Sent Items"].green
    assert "no copy" in found["Sent Items"].said


async def test_a_mail_that_does_not_come_back_is_red(settings: Settings, relay: LoopbackRelay) -> None:
    finding = (await round_trip(settings, NOW, HASTY))[0]
    assert not finding.green
    assert "quarantine" in finding.advice


async def test_a_relay_that_refuses_says_why(database_url: str, dovecot: Dovecot, relay: LoopbackRelay) -> None:
    (finding,) = await round_trip(office(database_url, dovecot, relay, "nobody@office.example"), NOW, HASTY)
    assert not finding.green
    assert "no such user" in finding.said


async def test_a_mailbox_that_does_not_open_is_found_before_anything_is_sent(
    database_url: str, dovecot: Dovecot, relay: LoopbackRelay
) -> None:
    settings = office(database_url, dovecot, relay)
    closed = settings.model_copy(update={"imap": settings.imap.model_copy(update={"port": 1})})
    (finding,) = await round_trip(closed, NOW, HASTY)
    assert not finding.green
    assert relay.mails == []


async def test_a_stop_holds_for_it_too(settings: Settings, database: Database, relay: LoopbackRelay) -> None:
    database.write_now(flag.put, flag.SENDING_STOPPED, "x", NOW)
    (finding,) = await round_trip(settings, NOW, HASTY)
    assert "resume-sending" in finding.advice
    assert relay.mails == []
