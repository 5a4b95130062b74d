"""The envelope and DATA in one write (RFC 2920): every failure is told apart as it is one by one; no doubt where there was none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from mailbot.outbox.delivery import Fault, Phase, Reply
from mailbot.outbox.smtp import Relay, Server
from mailbot.outbox.smtp_upload import Deadline
from tests.edges.test_smtp import cut, flood
from tests.edges.test_smtp_sink import MAIL, MATRIX, server
from tests.servers.relay import LoopbackRelay
from tests.servers.smtp_sink import HOST, smtp_sink


async def send(relay: Relay, to: str = "b@example.org") -> Reply:
    return await relay.send("me@office.example", to, MAIL, None)


@pytest.mark.parametrize(("options", "phase", "code", "fault"), MATRIX)
async def test_each_failure_is_seen_in_its_phase(options: tuple[str, ...], phase: Phase, code: int | None, fault: Fault) -> None:
    with smtp_sink(*options) as sink:
        relay = Relay(server(sink))
        reply = await send(relay)
        await relay.close()
        assert (reply.phase, reply.code, reply.fault) == (phase, code, fault), reply
        assert relay.phase is phase


async def test_one_connection_carries_mail_after_mail_octet_for_octet() -> None:
    with smtp_sink() as sink:
        relay = Relay(server(sink), mails_per_connection=1000)
        replies = [await send(relay, f"b{number}@example.org") for number in range(200)]
        await relay.close()
        assert all(reply.accepted for reply in replies)
        assert [mail.replace(b"\n", b"\r\n").count(MAIL.rstrip()) for mail in sink.taken()] == [1] * 200


async def test_a_refused_recipient_leaves_the_connection_usable() -> None:
    with smtp_sink("-r", "RCPT") as sink:
        relay = Relay(server(sink))
        async with asyncio.timeout(10):
            assert {(await send(relay, f"b{number}@example.org")).code for number in range(100)} == {450}
        await relay.close()
        assert sink.taken() == []


async def test_a_relay_that_offers_none_is_spoken_to_one_by_one(relay: LoopbackRelay) -> None:
    sender = Relay(relay.server())
    assert (await send(sender)).accepted and [got.content for got in relay.mails] == [MAIL]
    await sender.close()


async def test_a_deadline_rings_once_when_it_was_set_last_and_a_lifted_one_never() -> None:
    pushed_back, drawn_nearer, lifted, ended = Deadline(), Deadline(), Deadline(), Deadline()
    rung: asyncio.Queue[str] = asyncio.Queue()
    for deadline, first in ((pushed_back, 0.01), (drawn_nearer, 3600), (lifted, 0.01), (ended, 0.01)):
        deadline.set(first, lambda: rung.put_nowait("for a part of the dialogue that was over"))
    lifted.lift()
    ended.end()
    drawn_nearer.set(0.05, lambda: rung.put_nowait("drawn nearer"))
    pushed_back.set(0.1, lambda: rung.put_nowait("pushed back"))
    assert [await asyncio.wait_for(rung.get(), 10), await asyncio.wait_for(rung.get(), 10)] == ["drawn nearer", "pushed back"]
    assert rung.empty()
    ended.set(0.01, lambda: rung.put_nowait("on another connection"))
    assert await asyncio.wait_for(rung.get(), 10) == "on another connection"


Answer = str | Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def lying(*answers: Answer) -> AsyncIterator[Server]:
    """Offers PIPELINING, then says these things: the first when it has DATA, the second when it has the final dot. Then it is silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 x\r\n")
            await reader.readuntil(b"\r\n")
            writer.write(b"250-x\r\n250 PIPELINING\r\n")
            for answer, heard in zip(answers, (b"DATA\r\n", b"\r\n.\r\n"), strict=False):
                await reader.readuntil(heard)
                await answer(writer) if callable(answer) else writer.write(answer.encode())
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


YES = "250 ok\r\n250 ok\r\n354 go\r\n"


@pytest.mark.parametrize(
    ("answers", "phase", "code", "fault"),
    [
        pytest.param((YES, "250-5.1.1 no such user\r\n250 ok\r\n"), Phase.DONE, 250, Fault.NONE, id="250 with a refusal's words"),
        pytest.param((YES, "554 no\r\n"), Phase.DONE, 554, Fault.NONE, id="554 to the mail"),
        pytest.param((YES, "2500 ok\r\n"), Phase.DATA, None, Fault.UNINTELLIGIBLE, id="2500"),
        pytest.param((YES, flood), Phase.DATA, None, Fault.UNINTELLIGIBLE, id="10 MB of reply"),
        pytest.param((YES, "250 ok"), Phase.DATA, None, Fault.TIMEOUT, id="half a reply"),
        pytest.param((YES, cut), Phase.DATA, None, Fault.LOST, id="cut after the dot"),
        pytest.param((YES + "550 no\r\n",), Phase.BODY, 550, Fault.NONE, id="a refusal with the go-ahead"),
        pytest.param(("250 ok\r\n550 no\r\n354 go\r\n",), Phase.ENVELOPE_RCPT, 550, Fault.NONE, id="a go-ahead for nobody"),
        pytest.param(("250 ok\r\n550 no\r\n554 none\r\n",), Phase.ENVELOPE_RCPT, 550, Fault.NONE, id="no recipient, no mail"),
        pytest.param(("451 no\r\n503 x\r\n503 x\r\n",), Phase.ENVELOPE_MAIL, 451, Fault.NONE, id="no sender"),
        pytest.param(("250 ok\r\n250 ok\r\n250 ok\r\n",), Phase.BODY, None, Fault.UNINTELLIGIBLE, id="250 to DATA"),
        pytest.param(("250 ok\r\n250 ok\r\n",), Phase.BODY, None, Fault.TIMEOUT, id="silent at DATA"),
        pytest.param(("250 ok\r\n421 bye\r\n",), Phase.ENVELOPE_RCPT, 421, Fault.NONE, id="421 in the middle"),
        pytest.param(("250 ok\r\n",), Phase.ENVELOPE_RCPT, None, Fault.TIMEOUT, id="silent at RCPT"),
        pytest.param((cut,), Phase.ENVELOPE_MAIL, None, Fault.LOST, id="cut at once"),
        pytest.param((flood,), Phase.ENVELOPE_MAIL, None, Fault.UNINTELLIGIBLE, id="10 MB at MAIL"),
    ],
)
async def test_a_lying_or_silent_server_neither_breaks_nor_fools_us(
    answers: tuple[Answer, ...], phase: Phase, code: int | None, fault: Fault
) -> None:
    async with lying(*answers) as there, asyncio.timeout(20):
        quick = replace(there, step_seconds=0.2, data_seconds=0.2) if fault is Fault.TIMEOUT else there
        reply = await send(sender := Relay(quick))
        assert (reply.phase, reply.code, reply.fault) == (phase, code, fault), reply
        sender.abort()


