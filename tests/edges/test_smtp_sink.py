"""Against Postfix's smtp-sink: each way of failing is told apart, and a mail in doubt is never called sent or lost (MAIL.md 3.5)."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from mailbot.outbox.delivery import Fault, Phase
from mailbot.outbox.smtp import Relay, Server
from tests.servers.smtp_sink import HOST, SmtpSink, smtp_sink

MAIL = b"From: a@office.example\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhello\r\n"
BIG_MAIL = MAIL + (b"x" * 76 + b"\r\n") * 150_000


def server(sink: SmtpSink, **changed: Any) -> Server:
    return replace(Server(host=HOST, port=sink.port, security="plain", step_seconds=5, data_seconds=5), **changed)


async def yes() -> bool:
    return True


LOST, NONE = Fault.LOST, Fault.NONE
MATRIX = [
    pytest.param(("-q", "."), Phase.DATA, None, LOST, id="cut after the final dot: in doubt"),
    pytest.param(("-q", "DATA"), Phase.BODY, None, LOST, id="cut at DATA: it has not left"),
    pytest.param(("-q", "RCPT"), Phase.ENVELOPE_RCPT, None, LOST, id="cut at RCPT"),
    pytest.param(("-q", "MAIL"), Phase.ENVELOPE_MAIL, None, LOST, id="cut at MAIL"),
    pytest.param(("-q", "EHLO"), Phase.CONNECT, None, LOST, id="cut at EHLO"),
    pytest.param(("-q", "CONNECT"), Phase.CONNECT, None, LOST, id="cut instead of a greeting"),
    pytest.param(("-Q", "."), Phase.DONE, 421, NONE, id="421 after the final dot: a clear answer"),
    pytest.param(("-r", "."), Phase.DONE, 450, NONE, id="450 after the final dot"),
    pytest.param(("-f", "."), Phase.DONE, 500, NONE, id="500 after the final dot"),
    pytest.param(("-Q", "DATA"), Phase.BODY, 421, NONE, id="421 at DATA"),
    pytest.param(("-r", "DATA"), Phase.BODY, 450, NONE, id="450 at DATA"),
    pytest.param(("-Q", "RCPT"), Phase.ENVELOPE_RCPT, 421, NONE, id="421 at RCPT keeps its number"),
    pytest.param(("-r", "RCPT"), Phase.ENVELOPE_RCPT, 450, NONE, id="450 at RCPT"),
    pytest.param(("-f", "RCPT"), Phase.ENVELOPE_RCPT, 500, NONE, id="500 at RCPT"),
    pytest.param(("-f", "MAIL"), Phase.ENVELOPE_MAIL, 500, NONE, id="500 at MAIL"),
    pytest.param(("-Q", "CONNECT"), Phase.CONNECT, 421, NONE, id="421 as a greeting"),
    pytest.param(("-f", "CONNECT"), Phase.CONNECT, 500, NONE, id="500 as a greeting"),
    pytest.param(("-f", "EHLO"), Phase.CONNECT, 500, NONE, id="no EHLO"),
    pytest.param(("-q", "QUIT"), Phase.DONE, 250, NONE, id="cut at QUIT: it has arrived"),
]


@pytest.mark.parametrize(("options", "phase", "code", "fault"), MATRIX)
async def test_each_failure_is_seen_in_its_phase(options: tuple[str, ...], phase: Phase, code: int | None, fault: Fault) -> None:
    with smtp_sink(*options) as sink:
        relay = Relay(server(sink))
        reply = await relay.send("me@office.example", "b@example.org", MAIL, yes)
        await relay.close()
        assert (reply.phase, reply.code, reply.fault) == (phase, code, fault), reply
        assert relay.phase is phase


async def test_a_slow_answer_is_waited_for_and_makes_one_copy() -> None:
    with smtp_sink("-W", ".:1") as sink:
        relay = Relay(server(sink))
        started = time.monotonic()
        reply = await relay.send("me@office.example", "b@example.org", MAIL, yes)
        await relay.close()
        assert reply.accepted
        assert time.monotonic() - started >= 1
        assert len(sink.taken()) == 1


async def test_an_answer_that_never_comes_is_a_doubt_and_not_a_loss() -> None:
    with smtp_sink("-W", ".:8") as sink:
        reply = await Relay(server(sink, data_seconds=0.2)).send("me@office.example", "b@example.org", MAIL, yes)
        assert (reply.phase, reply.fault, reply.in_doubt) == (Phase.DATA, Fault.TIMEOUT, True)


async def test_a_refusal_instead_of_reading_the_mail_is_heard() -> None:
    """aiosmtplib alone sees only a lost connection here."""
    with smtp_sink("-A", "0") as sink:
        reply = await Relay(server(sink)).send("me@office.example", "b@example.org", MAIL, yes)
        assert reply.code == 550
        assert not reply.in_doubt


async def test_a_mail_cut_off_half_way_has_certainly_not_left() -> None:
    with smtp_sink("-A", "0") as sink:
        relay = Relay(server(sink))
        reply = await relay.send("me@office.example", "b@example.org", BIG_MAIL, yes)
        assert reply.phase is Phase.BODY
        assert not reply.in_doubt
        assert not sink.taken()


async def test_a_deadline_in_the_middle_of_a_big_mail_sends_nothing_more() -> None:
    """close() would go on sending the rest, the final dot included."""
    with smtp_sink("-H", "1", "-T", "4096") as sink:
        relay = Relay(server(sink, data_seconds=0.2, data_octets_per_second=1e9))
        reply = await relay.send("me@office.example", "b@example.org", BIG_MAIL, yes)
        assert (reply.phase, reply.fault) == (Phase.BODY, Fault.TIMEOUT)
        follower = Relay(server(sink))  # the sink has one thread: once it answers this, it has read the end of the other
        assert (await follower.send("me@office.example", "c@example.org", MAIL, yes)).accepted
        await follower.close()
        assert len(sink.taken()) == 1


async def test_a_storm_of_refusals_on_one_connection_leaves_it_usable() -> None:
    with smtp_sink("-r", "RCPT") as sink:
        relay = Relay(server(sink))
        async with asyncio.timeout(10):
            codes = {(await relay.send("me@office.example", f"b{number}@example.org", MAIL, yes)).code for number in range(200)}
        await relay.close()
        assert codes == {450}
