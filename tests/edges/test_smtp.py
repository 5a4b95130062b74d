"""The relay on real connections: what is kept, what is cut, what is in doubt, and that nothing secret travels unprotected."""

import asyncio
import contextlib
import email
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from mailbot.outbox.delivery import Fault, Phase, Reply
from mailbot.outbox.smtp import Relay, Server
from tests.servers.relay import HOST, LoopbackRelay, certificates, relay, trusting

__all__ = ["certificates", "relay", "trusting"]  # fixtures
ME = "me@office.example"
MAIL = b"From: me@office.example\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhello\r\n.\r\n..dots\r\n"
BIG_MAIL = MAIL + (b"x" * 76 + b"\r\n") * 150_000
LOGIN = ("press", "pass wörd")


async def yes() -> bool:
    return True


async def send(through: Relay, recipient: str, mail: bytes = MAIL) -> Reply:
    return await through.send(ME, f"{recipient}@example.org", mail, yes)


@asynccontextmanager
async def scripted(*answers: str | Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[Server]:
    """A server that says these things in this order, whatever it is told; a function does as it likes. Then it is silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                if isinstance(answer, str):
                    writer.write(answer.encode("latin-1"))
                else:
                    await answer(writer)
                await reader.readuntil(b"\r\n.\r\n" if isinstance(answer, str) and answer.startswith("354") else b"\r\n")
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(serve, HOST, 0)
    try:
        yield Server(host=HOST, port=listening.sockets[0].getsockname()[1], security="plain", step_seconds=5, data_seconds=5)
    finally:
        listening.close()


# --- the happy way, and what is kept


async def test_a_mail_arrives_octet_for_octet(relay: LoopbackRelay) -> None:
    reply = await send(sender := Relay(relay.server()), "b")
    await sender.close()
    assert (reply.accepted, reply.code, reply.enhanced, sender.phase) == (True, 250, "2.0.0", Phase.DONE)
    assert [(got.sender, got.recipient, got.content) for got in relay.mails] == [(ME, "b@example.org", MAIL)]


async def test_a_big_mail_arrives_octet_for_octet(relay: LoopbackRelay) -> None:
    reply = await send(sender := Relay(relay.server()), "b", BIG_MAIL)
    await sender.close()
    assert reply.accepted
    assert relay.mails[0].content == BIG_MAIL


async def test_one_connection_carries_mail_after_mail_also_after_a_refusal(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server())
    recipients = ("a", "nobody", "b", "refused-after-dot", "c", "full", "temp-after-dot", "d")
    codes = [(await send(sender, recipient)).code for recipient in recipients]
    await sender.close()
    assert codes == [250, 550, 250, 554, 250, 452, 450, 250]
    assert relay.connections == 1
    assert [got.recipient.partition("@")[0] for got in relay.mails] == ["a", "b", "c", "d"]


async def test_a_connection_carries_so_many_mails_and_no_more(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server(), mails_per_connection=2)
    for number in range(5):
        await send(sender, f"b{number}")
    await sender.close()
    assert [got.connection for got in relay.mails] == [1, 1, 2, 2, 3]


@pytest.mark.parametrize(
    ("recipient", "phase", "code", "fault"),
    [
        ("421-rcpt", Phase.ENVELOPE_RCPT, 421, Fault.NONE),
        ("drop-rcpt", Phase.ENVELOPE_RCPT, None, Fault.LOST),
        ("421-data", Phase.BODY, 421, Fault.NONE),
        ("drop-data", Phase.BODY, None, Fault.LOST),
        ("drop-after-dot", Phase.DATA, None, Fault.LOST),
        ("hang-after-dot", Phase.DATA, None, Fault.TIMEOUT),
    ],
)
async def test_after_421_a_cut_or_a_doubt_the_next_mail_has_a_new_connection(
    relay: LoopbackRelay, recipient: str, phase: Phase, code: int | None, fault: Fault
) -> None:
    sender = Relay(relay.server(data_seconds=0.2))
    await send(sender, "a")
    reply = await send(sender, recipient)
    assert (reply.phase, reply.code, reply.fault) == (phase, code, fault)
    assert (await send(sender, "b")).accepted
    await sender.close()
    assert relay.connections == 2
    assert len(relay.mails) == (3 if reply.in_doubt else 2)


async def test_a_kept_connection_that_died_unnoticed_costs_no_attempt(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server())
    await send(sender, "a")
    relay.cut()
    assert (await send(sender, "b")).accepted
    await sender.close()
    assert relay.tried["b@example.org"] == 1


async def test_a_relay_that_comes_back_is_used_again(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server())
    await relay.stop()
    gone = await send(sender, "a")
    assert (gone.phase, gone.fault) == (Phase.CONNECT, Fault.LOST)
    await relay.start()
    assert (await send(sender, "a")).accepted
    await sender.close()


async def test_a_slow_answer_is_waited_for(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server())
    assert (await send(sender, "slow-dot")).accepted
    await sender.close()
    assert len(relay.mails) == 1


async def test_greylisting_is_a_refusal_for_now_and_then_none(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server())
    assert [(await send(sender, "greylist")).code for _ in range(2)] == [451, 250]
    await sender.close()


# --- before DATA


async def test_the_doubt_is_recorded_before_data_and_after_the_recipient_was_accepted(relay: LoopbackRelay) -> None:
    seen: list[tuple[int, int]] = []

    async def record() -> bool:
        seen.append((relay.tried["b@example.org"], len(relay.mails)))
        return True

    sender = Relay(relay.server())
    await sender.send(ME, "b@example.org", MAIL, record)
    await sender.send(ME, "nobody@example.org", MAIL, record)
    await sender.close()
    assert seen == [(1, 0)]


async def test_a_no_before_data_ends_the_dialogue_and_nothing_leaves(relay: LoopbackRelay) -> None:
    async def no() -> bool:
        return False

    sender = Relay(relay.server())
    reply = await sender.send(ME, "b@example.org", MAIL, no)
    assert (reply.fault, reply.in_doubt) == (Fault.STOPPED, False)
    assert (await send(sender, "c")).accepted
    await sender.close()
    assert [got.recipient for got in relay.mails] == ["c@example.org"]
    assert relay.connections == 2


async def test_what_breaks_in_the_record_is_raised_and_nothing_leaves(relay: LoopbackRelay) -> None:
    async def break_down() -> bool:
        raise OSError("disk full")

    sender = Relay(relay.server())
    with pytest.raises(OSError, match="disk full"):
        await sender.send(ME, "b@example.org", MAIL, break_down)
    assert (await send(sender, "c")).accepted
    await sender.close()
    assert [got.recipient for got in relay.mails] == ["c@example.org"]


async def test_the_connection_may_die_while_the_doubt_is_recorded(relay: LoopbackRelay) -> None:
    async def cut() -> bool:
        relay.cut()
        await asyncio.sleep(0.02)  # until the kernel has told us
        return True

    reply = await Relay(relay.server()).send(ME, "b@example.org", MAIL, cut)
    assert (reply.phase, reply.fault, relay.mails) == (Phase.BODY, Fault.LOST, [])


# --- cancellation


async def test_a_send_cancelled_after_the_dot_is_cut_at_once_and_in_doubt(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server())
    task = asyncio.create_task(send(sender, "hang-after-dot"))
    await relay.wait_for(1)
    task.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert sender.phase is Phase.DATA


async def test_a_send_cancelled_before_data_is_not_in_doubt(relay: LoopbackRelay) -> None:
    reached = asyncio.Event()

    async def never() -> bool:
        reached.set()
        return await asyncio.Event().wait()

    sender = Relay(relay.server())
    task = asyncio.create_task(sender.send(ME, "b@example.org", MAIL, never))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sender.phase is Phase.ENVELOPE_RCPT


async def test_a_cancellation_that_comes_together_with_a_reply_is_not_swallowed(relay: LoopbackRelay) -> None:
    """asyncio.wait_for in Python 3.11 does that, and aiosmtplib uses it."""
    sender = Relay(relay.server())
    await send(sender, "a")
    for number in range(20):
        task = asyncio.create_task(send(sender, f"b{number}"))
        await relay.wait_until_tried(f"b{number}@example.org")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await sender.close()
    assert len(relay.mails) == 1


@pytest.mark.parametrize("security", ["plain", "tls"])
async def test_a_send_cancelled_in_the_middle_of_a_big_mail_is_cut_and_has_not_left(
    security: Literal["plain", "tls"], certificates: Path, trusting: ssl.SSLContext
) -> None:
    """close() would go on sending; this relay reads slowly and would get the end of the mail after all."""
    begun, cut, got = asyncio.Event(), asyncio.Event(), bytearray()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in ("220 x", "250 x", "250 ok", "250 ok", "354 go"):
            writer.write(answer.encode() + b"\r\n")
            if answer != "354 go":
                await reader.readline()
        got.extend(await reader.readexactly(100_000))
        begun.set()
        await cut.wait()
        with contextlib.suppress(OSError):
            while part := await reader.read(1 << 20):
                got.extend(part)
        writer.transport.abort()
        over.set()

    with socket.create_server((HOST, 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        async with await asyncio.start_server(serve, sock=listener, ssl=context if security == "tls" else None) as listening:
            sender = Relay(Server(host=HOST, port=listening.sockets[0].getsockname()[1], security=security), trusting)
            task = asyncio.create_task(send(sender, "b", BIG_MAIL))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert sender.phase is Phase.BODY
            cut.set()
            await over.wait()
    assert len(got) < len(BIG_MAIL)


# --- TLS and login


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_login_over_tls(security: Literal["starttls", "tls"], certificates: Path, trusting: ssl.SSLContext) -> None:
    async with LoopbackRelay(security=security, login=LOGIN, certificates=certificates) as relay:
        sender = Relay(relay.server(), trusting)
        assert (await send(sender, "a")).accepted
        assert (await send(sender, "b", BIG_MAIL)).accepted
        assert (await send(sender, "drop-after-dot")).in_doubt
        assert (await send(sender, "nobody")).code == 550
        await sender.close()
        assert relay.logins == [LOGIN, LOGIN]
        assert [len(got.content) for got in relay.mails] == [len(MAIL), len(BIG_MAIL), len(MAIL)]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_signed_is_named_and_no_password_is_sent(
    security: Literal["starttls", "tls"], certificates: Path
) -> None:
    async with LoopbackRelay(security=security, login=LOGIN, certificates=certificates) as relay:
        reply = await send(Relay(relay.server()), "a")
        assert (reply.phase, reply.fault) == (Phase.CONNECT, Fault.CERTIFICATE)
        assert "certificate" in reply.text
        assert not relay.logins


async def test_a_certificate_of_another_host_is_refused(certificates: Path, trusting: ssl.SSLContext) -> None:
    async with LoopbackRelay(security="tls", certificates=certificates) as relay:
        reply = await send(Relay(relay.server(host="127.0.0.2"), trusting), "a")
        assert reply.fault in (Fault.CERTIFICATE, Fault.LOST)
        assert not relay.mails


async def test_without_starttls_nothing_is_said(relay: LoopbackRelay) -> None:
    """A man in the middle takes STARTTLS out of the offer."""
    reply = await send(Relay(relay.server(security="starttls", username="press", password="secret")), "a")
    assert (reply.phase, reply.fault) == (Phase.CONNECT, Fault.NO_STARTTLS)
    assert not relay.tried


async def test_a_wrong_password_is_tried_once_and_named(certificates: Path, trusting: ssl.SSLContext) -> None:
    async with LoopbackRelay(security="tls", login=LOGIN, certificates=certificates) as relay:
        reply = await send(Relay(relay.server(password="wrong"), trusting), "a")
        assert (reply.phase, reply.fault, reply.code) == (Phase.LOGIN, Fault.LOGIN_REFUSED, 535)
        assert relay.logins == [("press", "wrong")]


async def test_a_relay_that_offers_no_login_is_named(relay: LoopbackRelay) -> None:
    reply = await send(Relay(relay.server(username="press", password="secret")), "a")
    assert (reply.phase, reply.fault) == (Phase.LOGIN, Fault.LOGIN_REFUSED)


@pytest.mark.parametrize("host", ["relay.example.org", "192.0.2.1", "localhost.example.org"])
def test_a_password_never_travels_unprotected(host: str) -> None:
    with pytest.raises(ValueError, match="unprotected"):
        Server(host=host, security="plain", username="press", password="secret")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_on_this_machine_it_may(host: str) -> None:
    assert "secret" not in repr(Server(host=host, security="plain", username="press", password="secret"))


# --- check


async def test_check_says_what_the_relay_offers_and_sends_nothing(certificates: Path, trusting: ssl.SSLContext) -> None:
    async with LoopbackRelay(security="starttls", login=LOGIN, certificates=certificates, size_limit=35_000_000) as relay:
        reply = await Relay(relay.server(), trusting).check()
        assert (reply.code, reply.fault) == (250, Fault.NONE)
        assert reply.text == "TLSv1.3, logged in as press, mails up to 35.0 MB, 8BITMIME, HELP."
        assert not relay.tried


async def test_check_names_what_is_wrong(certificates: Path, trusting: ssl.SSLContext) -> None:
    async with LoopbackRelay(security="tls", login=LOGIN, certificates=certificates) as relay:
        reply = await Relay(relay.server(password="wrong"), trusting).check()
        assert (reply.fault, reply.code) == (Fault.LOGIN_REFUSED, 535)


# --- sizes and servers that lie


async def test_a_mail_that_is_too_big_is_not_even_begun() -> None:
    async with LoopbackRelay(size_limit=1000) as relay:
        sender = Relay(relay.server())
        reply = await send(sender, "a", BIG_MAIL)
        assert reply.fault is Fault.TOO_BIG
        assert not relay.tried
        assert (await send(sender, "b")).accepted
        await sender.close()
        assert relay.connections == 1


def test_a_bigger_mail_may_take_longer() -> None:
    assert Server(host=HOST).seconds_for(2_000_000) == 700


UP_TO_354 = ("220 x\r\n", "250 x\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n")


async def flood(writer: asyncio.StreamWriter) -> None:
    for _ in range(10_000):
        writer.write(b"250-" + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def cut(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@pytest.mark.parametrize(
    ("answers", "phase", "code", "fault"),
    [
        pytest.param((*UP_TO_354, "250-5.1.1 no such user\r\n250 ok\r\n"), Phase.DONE, 250, Fault.NONE, id="250 with a refusal's words"),
        pytest.param((*UP_TO_354, "554 no\r\n"), Phase.DONE, 554, Fault.NONE, id="250 to the recipient, 554 to the mail"),
        pytest.param((*UP_TO_354, "250\r\n"), Phase.DONE, 250, Fault.NONE, id="a reply without text"),
        pytest.param((*UP_TO_354, "250 a\x00b\r\n"), Phase.DONE, 250, Fault.NONE, id="NUL in a reply"),
        pytest.param((*UP_TO_354, "2500 ok\r\n"), Phase.DATA, None, Fault.UNINTELLIGIBLE, id="2500"),
        pytest.param((*UP_TO_354, "354 more\r\n"), Phase.DATA, None, Fault.UNINTELLIGIBLE, id="354 to the final dot"),
        pytest.param((*UP_TO_354, flood), Phase.DATA, None, Fault.UNINTELLIGIBLE, id="10 MB of reply"),
        pytest.param((*UP_TO_354, "250 ok"), Phase.DATA, None, Fault.TIMEOUT, id="half a reply"),
        pytest.param((*UP_TO_354[:4], "354 go\r\n550 no\r\n"), Phase.BODY, 550, Fault.NONE, id="a refusal with the go-ahead"),
        pytest.param((*UP_TO_354[:4], "250 ok\r\n"), Phase.BODY, None, Fault.UNINTELLIGIBLE, id="250 to DATA"),
        pytest.param((*UP_TO_354[:4], cut), Phase.BODY, None, Fault.LOST, id="cut at DATA"),
        pytest.param((*UP_TO_354[:4],), Phase.BODY, None, Fault.TIMEOUT, id="silent at DATA"),
        pytest.param((*UP_TO_354[:3],), Phase.ENVELOPE_RCPT, None, Fault.TIMEOUT, id="silent at RCPT"),
        pytest.param((*UP_TO_354[:3], "550 5.1.1 no\r\n"), Phase.ENVELOPE_RCPT, 550, Fault.NONE, id="refused, then silent"),
        pytest.param(("220 x\r\n",), Phase.CONNECT, None, Fault.TIMEOUT, id="silent at EHLO"),
        pytest.param(("",), Phase.CONNECT, None, Fault.TIMEOUT, id="no greeting"),
        pytest.param(("SSH-2.0-x\r\n",), Phase.CONNECT, None, Fault.UNINTELLIGIBLE, id="another protocol"),
        pytest.param((flood,), Phase.CONNECT, None, Fault.UNINTELLIGIBLE, id="10 MB of greeting"),
    ],
)
async def test_a_lying_or_silent_server_neither_breaks_nor_fools_us(
    answers: tuple[str, ...], phase: Phase, code: int | None, fault: Fault
) -> None:
    async with scripted(*answers) as server, asyncio.timeout(20):
        quick = replace(server, step_seconds=0.2, data_seconds=0.2) if fault is Fault.TIMEOUT else server
        reply = await send(sender := Relay(quick), "b")
        assert (reply.phase, reply.code, reply.fault) == (phase, code, fault), reply
        assert "\x00" not in reply.text
        sender.abort()


async def test_starttls_that_ends_in_garbage_sends_no_password(trusting: ssl.SSLContext) -> None:
    async with scripted("220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n" + "garbage" * 100) as plain:
        server = Server(host=HOST, port=plain.port, username="press", password="secret", step_seconds=0.5)
        reply = await send(Relay(server, trusting), "b")
        assert reply.phase is Phase.CONNECT
        assert reply.fault is not Fault.NONE


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "x" * 70 + ".invalid"])
async def test_a_host_that_is_none_is_no_exception(host: str) -> None:
    reply = await send(Relay(Server(host=host, security="plain", connect_seconds=2)), "b")
    assert (reply.phase, reply.code) == (Phase.CONNECT, None)
    assert reply.text


async def test_a_relay_that_says_more_than_it_was_asked_gets_a_new_connection() -> None:
    connections = 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"220 x\r\n")

    async with scripted(count, *UP_TO_354[1:], "250 ok\r\n250 ok\r\n", "250 ok\r\n") as server:
        sender = Relay(server)
        assert (await send(sender, "a")).accepted
        assert (await send(sender, "b")).accepted
        sender.abort()
        assert connections == 2


async def test_a_relay_that_closes_while_we_send_is_noticed_at_once() -> None:
    async def half_close(writer: asyncio.StreamWriter) -> None:
        writer.write(b"354 go\r\n")
        writer.write_eof()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with scripted(*UP_TO_354[:4], half_close) as server, asyncio.timeout(3):
        reply = await send(Relay(server), "b", BIG_MAIL)
        assert (reply.phase, reply.fault) == (Phase.BODY, Fault.LOST)


# --- the relay of the crash tests


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Port and folder of a relay that is a process of its own."""
    command = (sys.executable, "-m", "tests.servers.relay", "--spool", str(tmp_path))
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[-1]), tmp_path
        process.kill()


async def test_the_relay_of_the_crash_tests_has_each_mail_on_disk_before_it_says_so(spool: tuple[int, Path]) -> None:
    port, folder = spool
    assert (await send(Relay(Server(host=HOST, port=port, security="plain")), "b")).accepted
    kept = email.message_from_bytes(next(folder.glob("*.eml")).read_bytes())
    assert (kept["X-Envelope-From"], kept["X-Envelope-To"], kept["Subject"]) == (ME, "b@example.org", "x")
