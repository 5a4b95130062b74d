"""The mailbox on a real Dovecot, over a network that fails in every way it can."""

import asyncio
import os
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.inbox import imap
from mailbot.inbox.imap import ImapCertificate, ImapDead, ImapLoginRefused, ImapRefused, Server, Session
from tests.servers.dovecot import Dovecot, dovecot_server
from tests.servers.tcp_proxy import TcpProxy

NAMES = (f"press{number}@example.org" for number in range(10_000))
MAIL = b"From: ann@example.net\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\r\n.dot\r\n8-bit \xe9 \xff\r\n* 9 EXISTS\r\n{30}\r\n"


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    """Somebody with an empty mailbox."""
    address = next(NAMES)
    dovecot.add_user(address)
    return address


def at(dovecot: Dovecot, user: str, port: int = 0, seconds: float = 5, password: str = "secret") -> Server:
    return Server(
        host=dovecot.host, port=port or dovecot.imap_port, security="plain", username=user, password=password,
        connect_seconds=seconds, command_seconds=seconds, done_seconds=seconds,
    )


@asynccontextmanager
async def inbox(server: Server) -> AsyncIterator[Session]:
    session = await Session.open(server)
    try:
        await session.select("INBOX")
        yield session
    finally:
        session.abort()


async def deliver(dovecot: Dovecot, user: str, *mails: bytes) -> None:
    await asyncio.to_thread(dovecot.deliver_many, user, list(mails))


# --- the door


async def test_tls_and_login(dovecot: Dovecot, user: str) -> None:
    session = await Session.open(Server(host="localhost", port=dovecot.imaps_port, username=user, password="secret"), dovecot.ssl_context())
    assert {"IDLE", "MOVE", "UIDPLUS"} <= session.capabilities
    assert (await session.select("INBOX")).exists == 0
    await session.close()


async def test_a_certificate_by_an_unknown_authority_is_not_trusted(dovecot: Dovecot, user: str) -> None:
    with pytest.raises(ImapCertificate, match="not trusted"):
        await Session.open(Server(host="localhost", port=dovecot.imaps_port, username=user, password="never sent"))


async def test_tls_to_a_port_that_speaks_plainly_is_a_clear_trouble(dovecot: Dovecot, user: str) -> None:
    with pytest.raises(ImapDead, match="cannot connect"):
        await Session.open(Server(host="localhost", port=dovecot.imap_port, username=user, password="secret"), dovecot.ssl_context())


async def test_a_wrong_password_is_a_refused_login(dovecot: Dovecot, user: str) -> None:
    with pytest.raises(ImapLoginRefused):
        await Session.open(at(dovecot, user, password="wrong"))


@pytest.mark.parametrize("password", ['q"u\\o te', "clé secrète"])
async def test_any_password_will_do(dovecot: Dovecot, password: str) -> None:
    user = next(NAMES)
    dovecot.add_user(user, password)
    (await Session.open(at(dovecot, user, password=password))).abort()


async def test_the_kernel_watches_over_a_silent_connection(dovecot: Dovecot, user: str) -> None:
    async with inbox(at(dovecot, user)) as session:
        connection = session._connection.protocol.transport.get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 90_000


# --- mails


async def test_a_mail_arrives_octet_for_octet_and_stays_unread(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, MAIL)
    for _ in range(2):
        async with inbox(at(dovecot, user)) as session:
            uids = await session.search("UNSEEN")
            body = await session.fetch(uids[0])
            assert body is not None
            assert body.endswith(MAIL)
            assert body == dovecot.mails(user)[0].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            facts = (await session.facts([*uids, 4711]))[uids[0]]
            assert facts.size == len(body)
            assert timedelta() <= datetime.now(UTC) - facts.internal_date < timedelta(minutes=1)
            assert await session.fetch(4711) is None


async def test_read_only_changes_nothing(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, MAIL)
    session = await Session.open(at(dovecot, user))
    await session.ensure_folder("mailbot")
    assert (await session.select("INBOX", read_only=True)).permanent_flags == frozenset()
    uids = await session.search("ALL")
    assert await session.fetch(uids[0])
    with pytest.raises(ImapRefused):
        await session.move(uids, "mailbot")
    await session.close()
    assert len(dovecot.mails(user)) == 1


async def test_a_message_is_found_by_its_message_id(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, b"Message-ID: <a\"b@example.net>\r\n\r\nx\r\n", MAIL)
    async with inbox(at(dovecot, user)) as session:
        assert await session.search("HEADER", "Message-ID", imap.quoted('<a"b@example.net>')) == [1]


async def test_three_hundred_small_mails_are_fetched_and_filed_in_a_moment(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, *[MAIL] * 300)
    async with inbox(at(dovecot, user)) as session:
        await session.ensure_folder("mailbot")
        uids = await session.search("ALL")
        began = time.monotonic()
        assert len(await session.facts(uids)) == 300
        for uid in uids:
            assert await session.fetch(uid)
        assert await session.move(uids, "mailbot") == set()
        assert time.monotonic() - began < 3
        assert await session.search("ALL") == []
    assert len(dovecot.mails(user, "mailbot")) == 300


async def test_a_mail_of_fifty_megabytes_is_in_memory_once(dovecot: Dovecot, user: str) -> None:
    mail = b"Subject: large\r\n\r\n" + (b"y" * 76 + b"\r\n") * (50 * 2**20 // 78)
    await deliver(dovecot, user, mail)
    async with inbox(at(dovecot, user, seconds=20)) as session:
        uid = (await session.search("ALL"))[0]
        for known_size in (0, len(mail)):       # in one command, and in pieces
            tracemalloc.start()
            body = await session.fetch(uid, known_size)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert body is not None
            assert body.endswith(mail)
            assert peak < 1.25 * len(mail) + 9 * 2**20
            del body


async def test_a_mail_expunged_by_another_client_between_pieces_is_gone(
    dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imap, "WHOLE_OCTETS", 0)
    monkeypatch.setattr(imap, "PIECE_OCTETS", 1000)
    await deliver(dovecot, user, b"Subject: x\r\n\r\n" + b"y\r\n" * 1_000_000)
    async with inbox(at(dovecot, user)) as reader, inbox(at(dovecot, user)) as other:
        await other.ensure_folder("Bin")
        reading = asyncio.create_task(reader.fetch(1, 3_000_000))
        await asyncio.sleep(0)
        await other.move([1], "Bin")
        assert await reading is None


# --- filing


async def test_two_who_file_the_same_mails_both_succeed_and_are_told_what_was_gone(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, *[MAIL] * 3)
    async with inbox(at(dovecot, user)) as first, inbox(at(dovecot, user)) as second:
        await first.ensure_folder("mailbot")
        assert await second.search("ALL") == [1, 2, 3]
        assert await first.move([1, 2], "mailbot") == set()
        assert await second.move([1, 2, 3], "mailbot") == {1, 2}
        assert await first.move([1, 2, 3], "mailbot") == {1, 2, 3}
        assert await first.search("ALL") == []
    assert len(dovecot.mails(user, "mailbot")) == 3


async def test_without_move_filing_ends_the_same(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, *[MAIL] * 3)
    async with inbox(at(dovecot, user)) as session:
        session._connection.capabilities -= {"MOVE"}
        await session.ensure_folder("mailbot")
        assert await session.move([1, 3, 9], "mailbot") == {9}
        assert await session.search("ALL") == [2]
    assert len(dovecot.mails(user, "mailbot")) == 2


async def test_a_folder_that_was_removed_is_told_and_can_be_made_again(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, MAIL)
    async with inbox(at(dovecot, user)) as session:
        with pytest.raises(ImapRefused) as caught:
            await session.move([1], "mailbot/attention")
        assert caught.value.code == "TRYCREATE"
        for _ in range(2):
            await session.ensure_folder("mailbot/attention")
        assert await session.move([1], "mailbot/attention") == set()


@pytest.fixture(scope="module")
def dotted() -> Iterator[Dovecot]:
    """A server that keeps every folder below INBOX and separates names by dots, as many hosts do."""
    yield from dovecot_server(".", "INBOX.")


@pytest.mark.parametrize("kind", ["slashes", "dots below INBOX"])
async def test_folders_have_one_spelling_on_every_server(kind: str, dovecot: Dovecot, dotted: Dovecot) -> None:
    server, user = dovecot if kind == "slashes" else dotted, next(NAMES)
    server.add_user(user)
    await deliver(server, user, MAIL)
    async with inbox(at(server, user)) as session:
        for name in ("mailbot", "mailbot/attention", 'Envoyés & "reçus"'):
            await session.ensure_folder(name)
        folders = dict(await session.folders())
        assert {"INBOX", "mailbot", "mailbot/attention", 'Envoyés & "reçus"', "Sent Items", "Junk"} <= set(folders)
        assert [name for name, flags in folders.items() if "\\Sent" in flags] == ["Sent Items"]
        assert await session.move([1], "mailbot/attention") == set()
        assert (await session.select("mailbot/attention")).exists == 1
    assert len(server.mails(user, "mailbot/attention")) == 1


async def test_a_mailbox_made_anew_has_another_uidvalidity(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, MAIL)
    session = await Session.open(at(dovecot, user))
    before = await session.select("INBOX")
    await session.close()
    await asyncio.to_thread(dovecot.remove_mails, user)
    await asyncio.sleep(1.0 - time.time() % 1)      # Dovecot makes a UIDVALIDITY of the second
    session = await Session.open(at(dovecot, user))
    after = await session.select("INBOX")
    await session.close()
    assert (before.exists, after.exists) == (1, 0)
    assert before.uidvalidity != after.uidvalidity


# --- waiting


async def test_new_mail_ends_the_wait_within_the_servers_own_half_second(dovecot: Dovecot, user: str) -> None:
    async with inbox(at(dovecot, user)) as session:
        await session.search("ALL")
        waiting = asyncio.create_task(session.idle(30))
        await asyncio.sleep(0.05)
        await deliver(dovecot, user, MAIL)
        began = time.monotonic()
        assert await waiting == "push"
        assert time.monotonic() - began < 1
        assert await session.search("ALL") == [1]


async def test_wake_ends_the_wait_at_once(dovecot: Dovecot, user: str) -> None:
    async with inbox(at(dovecot, user)) as session:
        wake = asyncio.Event()
        waiting = asyncio.create_task(session.idle(30, wake))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        wake.set()
        assert await waiting == "woken"
        assert time.monotonic() - began < 0.1
        await session.noop()


async def test_mail_that_arrives_between_two_waits_is_never_missed(dovecot: Dovecot, user: str) -> None:
    async with inbox(at(dovecot, user)) as session:
        delivering = asyncio.create_task(deliver(dovecot, user, *[MAIL] * 60))
        found: list[int] = []
        async with asyncio.timeout(10):
            while len(found) < 60:
                found = await session.search("ALL")
                await session.idle(0.01)
        await delivering
        assert found == list(range(1, 61))


@pytest.mark.parametrize("blow", ["stop", "kill", "kill_imap"])
async def test_the_servers_end_is_noticed_while_idle(blow: str) -> None:
    with contextmanager(dovecot_server)() as server:
        user = next(NAMES)
        server.add_user(user)
        async with inbox(at(server, user)) as session:
            waiting = asyncio.create_task(session.idle(60))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(getattr(server, blow))
            async with asyncio.timeout(3):
                with pytest.raises(ImapDead):
                    await waiting
        if blow != "kill_imap":
            with pytest.raises(ImapDead, match="cannot connect"):
                await Session.open(at(server, user))
            server.start()
        async with inbox(at(server, user)) as session:
            assert await session.search("ALL") == []


# --- the network


async def test_a_network_that_goes_dark_while_idle_is_noticed_when_idle_is_renewed(dovecot: Dovecot, user: str) -> None:
    async with TcpProxy(dovecot.imap_port) as proxy, inbox(at(dovecot, user, proxy.port, seconds=0.4)) as session:
        waiting = asyncio.create_task(session.idle(0.3))
        await asyncio.sleep(0.1)
        proxy.go_dark()
        async with asyncio.timeout(2):
            with pytest.raises(ImapDead, match="no answer"):
                await waiting


@pytest.mark.parametrize("fault", ["dark", "cut", "truncate"])
async def test_a_mail_broken_off_by_the_network_is_no_mail(dovecot: Dovecot, user: str, fault: str) -> None:
    await deliver(dovecot, user, b"Subject: x\r\n\r\n" + b"y" * 70 * 100 + b"\r\n" + (b"z" * 70 + b"\r\n") * 100_000)
    async with TcpProxy(dovecot.imap_port) as proxy:
        async with inbox(at(dovecot, user, proxy.port, seconds=0.5)) as session:
            if fault == "truncate":
                proxy.truncate(2_000_000)
            reading = asyncio.create_task(session.fetch(1))
            await proxy.has_passed(500_000)
            if fault == "dark":
                proxy.go_dark()
            elif fault == "cut":
                proxy.cut()
            async with asyncio.timeout(3):
                with pytest.raises(ImapDead):
                    await reading
            with pytest.raises(ImapDead):
                await session.noop()
        proxy.lighten()
        async with inbox(at(dovecot, user, proxy.port)) as session:
            body = await session.fetch(1)
            assert body is not None
            assert len(body) > 7_000_000


async def test_a_refused_connection_is_temporary(dovecot: Dovecot, user: str) -> None:
    async with TcpProxy(dovecot.imap_port) as proxy:
        proxy.refusing = True
        with pytest.raises(ImapDead):
            await Session.open(at(dovecot, user, proxy.port))
        proxy.refusing = False
        (await Session.open(at(dovecot, user, proxy.port))).abort()


async def test_two_hundred_sessions_however_they_end_leave_nothing_open(dovecot: Dovecot, user: str) -> None:
    await deliver(dovecot, user, MAIL)
    context = dovecot.ssl_context()
    tls = Server(host="localhost", port=dovecot.imaps_port, username=user, password="secret")

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    for number in range(200):
        if number == 10:
            await asyncio.sleep(0.05)
            before = open_files()
        session = await Session.open(tls if number % 5 == 0 else at(dovecot, user), context)
        await session.select("INBOX")
        await session.search("ALL")
        if number % 4 == 0:
            await session.close()
        elif number % 4 == 1:
            session.abort()
        else:
            cut_short = asyncio.create_task(session.idle(30) if number % 4 == 2 else session.fetch(1))
            await asyncio.sleep(0)
            cut_short.cancel()
            await asyncio.gather(cut_short, return_exceptions=True)
    await asyncio.sleep(0.05)       # transports close in the loop's next rounds
    assert open_files() <= before + 2
