"""The demo's mail servers over real sockets, with mailbot's own IMAP client: all that mailbot needs of a mailbox."""

import asyncio
import imaplib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest

from mailbot.demo.mail_world import HOST, MailWorld, WorldIsFull
from mailbot.inbox.imap import Server, Session

MEDIA, DESK, JOURNALIST = "media@office.example", "desk@office.example", "jo@paper.example"
PASSWORD = "demo"


@pytest.fixture
async def world() -> AsyncIterator[MailWorld]:
    """Both servers, stopped at the end."""
    world = MailWorld()
    await world.start([MEDIA, DESK], PASSWORD)
    yield world
    await world.stop()


def mail(text: str = "Hello", sender: str = JOURNALIST, message_id: str = "<1@paper.example>", **headers: str) -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"], message["Message-ID"] = sender, MEDIA, "Question", message_id
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


async def session(world: MailWorld, user: str = MEDIA) -> Session:
    return await Session.open(Server(host=HOST, port=world.imap_port, security="plain", username=user, password=PASSWORD))


# --- the mail world, with mailbot's own IMAP client


async def test_what_is_delivered_is_what_imap_gives(world: MailWorld) -> None:
    await world.deliver(JOURNALIST, MEDIA, mail("one"))
    imap = await session(world)
    assert {"IDLE", "MOVE", "UIDPLUS"} <= imap.capabilities
    await imap.select("INBOX")
    (uid,) = await imap.search("ALL")
    facts = (await imap.facts([uid]))[uid]
    assert abs((datetime.now(UTC) - facts.internal_date).total_seconds()) < 60
    body = bytes(await imap.fetch(uid) or b"")
    assert [(uid, body)] == await world.mails(MEDIA)
    assert body.endswith(mail("one")) and facts.size == len(body)
    await imap.close()


async def test_a_mail_is_moved_into_a_folder_below_a_folder(world: MailWorld) -> None:
    await world.deliver(JOURNALIST, MEDIA, mail("one"))
    imap = await session(world)
    await imap.ensure_folder("mailbot/attention")
    await imap.ensure_folder("mailbot")
    await imap.select("INBOX")
    uids = await imap.search("ALL")
    assert await imap.move(uids, "mailbot/attention") == frozenset()
    await imap.close()
    assert await world.folders(MEDIA) == ["INBOX", "mailbot", "mailbot/attention"]
    assert await world.mails(MEDIA) == []
    ((_, raw),) = await world.mails(MEDIA, "mailbot/attention")
    assert raw.endswith(mail("one"))


@pytest.mark.parametrize("by_smtp", [True, False], ids=["by SMTP", "in the process"])
async def test_everybody_who_waits_is_told_of_a_mail(world: MailWorld, by_smtp: bool) -> None:
    waiting = [await session(world) for _ in range(3)]
    for imap in waiting:
        await imap.select("INBOX")
        await imap.search("ALL")
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        idles = [group.create_task(imap.idle(60)) for imap in waiting]
        await asyncio.sleep(0)
        await (world.send(JOURNALIST, MEDIA, mail()) if by_smtp else world.deliver(JOURNALIST, MEDIA, mail()))
    assert all(idle.done() for idle in idles)
    for imap in waiting:
        assert len(await imap.search("ALL")) == 1
        await imap.close()


async def test_a_mail_that_comes_just_before_the_wait_ends_it(world: MailWorld) -> None:
    imap = await session(world)
    await imap.select("INBOX")
    await imap.search("ALL")
    await world.deliver(JOURNALIST, MEDIA, mail())
    async with asyncio.timeout(5):
        await imap.idle(60)
    assert len(await imap.search("ALL")) == 1
    await imap.close()


async def test_a_standard_client_can_read_append_and_expunge(world: MailWorld) -> None:
    def talk() -> list[Any]:
        client = imaplib.IMAP4(HOST, world.imap_port, timeout=10)
        client.login(MEDIA, PASSWORD)
        client.append("INBOX", "", "", mail("appended"))
        client.select()
        (_, (uids,)) = client.uid("search", "ALL")
        (_, found) = client.uid("fetch", uids.decode(), "(BODY.PEEK[])")
        client.uid("store", uids.decode(), "+FLAGS", r"(\Deleted)")
        client.expunge()
        client.logout()
        return found

    found = await asyncio.to_thread(talk)
    assert found[0][1] == mail("appended")
    assert await world.mails(MEDIA) == []


async def test_an_address_that_nobody_knew_has_a_mailbox_from_its_first_mail_on(world: MailWorld) -> None:
    await world.send(MEDIA, "New.One@Anywhere.example", mail())
    assert world.users == (MEDIA, DESK, "new.one@anywhere.example")
    imap = await session(world, "new.one@anywhere.example")
    await imap.select("INBOX")
    assert len(await imap.search("ALL")) == 1
    await imap.close()


@pytest.mark.parametrize(
    ("login", "sender", "verdict"),
    [
        (JOURNALIST, JOURNALIST, "pass"),
        (JOURNALIST, f"Jo Ann <{JOURNALIST.upper()}>", "pass"),
        (JOURNALIST, DESK, "none"),
        ("", JOURNALIST, "none"),
        ("", f"{JOURNALIST}, {DESK}", "none"),
    ],
    ids=["who logged in", "spelled otherwise", "in another's name", "without a login", "two authors"],
)
async def test_only_who_logged_in_as_the_author_has_passed_dmarc(world: MailWorld, login: str, sender: str, verdict: str) -> None:
    async with aiosmtplib.SMTP(hostname=HOST, port=world.smtp_port, start_tls=False) as client:
        if login:
            await world.send(MEDIA, login, mail())  # its mailbox is there
            await client.login(login, PASSWORD)
        forged = f"{world.authserv_id}; dmarc=pass header.from=office.example"
        await client.sendmail(JOURNALIST, [MEDIA], mail(sender=sender, Authentication_Results=forged))
    ((_, raw),) = await world.mails(MEDIA)
    first = message_from_bytes(raw, policy=policy.default).get_all("Authentication-Results", [""])[0]
    assert first.startswith(f"{world.authserv_id}; dmarc={verdict} header.from=")
    assert message_from_bytes(raw)["Return-Path"] == f"<{JOURNALIST}>"


async def test_a_wrong_password_opens_nothing(world: MailWorld) -> None:
    async with aiosmtplib.SMTP(hostname=HOST, port=world.smtp_port, start_tls=False) as client:
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await client.login(MEDIA, "wrong")
    with pytest.raises(Exception, match=r"(?i)login|auth|credentials"):
        await Session.open(Server(host=HOST, port=world.imap_port, security="plain", username=MEDIA, password="wrong"))


async def test_a_sender_cannot_write_headers_of_the_border_server(world: MailWorld) -> None:
    await world.deliver("a@b.example>\r\nX-Forged: <1", MEDIA, b"From: a@b.example\r\n X: (\r\n\r\nx")
    ((_, raw),) = await world.mails(MEDIA)
    assert "X-Forged" not in message_from_bytes(raw)


async def test_the_answer_is_the_mail_that_refers_to_the_question(world: MailWorld) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(world.answer(JOURNALIST, "<q@paper.example>", 5))
        await asyncio.sleep(0)
        await world.deliver(MEDIA, JOURNALIST, mail(message_id="<other@office.example>"))
        right = await world.deliver(MEDIA, JOURNALIST, mail(message_id="<a@office.example>", In_Reply_To="<q@paper.example>"))
    assert waiting.result() == right
    assert await world.answer(JOURNALIST, "<nobody@paper.example>", 0.01) is None


async def test_the_world_does_not_grow_without_end(world: MailWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.demo.mail_world.MAX_MAILBOXES", 2)
    with pytest.raises(WorldIsFull):
        await world.deliver(MEDIA, "third@paper.example", mail())
    await world.deliver(JOURNALIST, MEDIA, mail())


async def test_after_stop_no_port_listens_and_no_connection_stands() -> None:
    world = MailWorld()
    await world.start([MEDIA], PASSWORD)
    reader, writer = await asyncio.open_connection(HOST, world.smtp_port)
    await reader.readline()
    imap = await session(world)
    await imap.select("INBOX")
    await world.stop()
    assert await reader.read() == b""
    writer.close()
    imap.abort()
    for port in (world.imap_port, world.smtp_port):
        with pytest.raises(OSError):
            await asyncio.open_connection(HOST, port)
