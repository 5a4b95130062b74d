"""Mailbox and relay opened by tokens: a real Dovecot and an SMTP relay with XOAUTH2, tokens that end, and tokens that open nothing."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from mailbot.inbox.imap import ImapDead, ImapTokenRefused, Server, Session
from mailbot.outbox.delivery import Fault, Phase, Reply
from mailbot.outbox.smtp import Relay
from tests.servers.dovecot import Dovecot, holds
from tests.servers.relay import LoopbackRelay
from tests.servers.scripted_imap import Client, ScriptedImap, at
from tests.servers.token_server import TokenServer

NUMBERS = count(1)
SOON = 2.0  # well below every deadline here
ME = "presse@office.example"
MAIL = b"From: presse@office.example\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhello\r\n"
NO_USE = [-5] * 9


@pytest.fixture
async def tokens(dovecot: Dovecot) -> AsyncIterator[TokenServer]:
    """For somebody with a mailbox of their own."""
    user = f"token-{next(NUMBERS)}@example.org"
    dovecot.add_user(user)
    async with TokenServer(user) as running:
        yield running


@pytest.fixture
async def relay(tokens: TokenServer) -> AsyncIterator[LoopbackRelay]:
    """A relay that lets in whom the token server lets in."""
    async with LoopbackRelay(holds=holds) as running:
        yield running


def mailbox(dovecot: Dovecot, tokens: TokenServer, client_id: str = "good") -> Server:
    return Server(
        host="localhost", port=dovecot.imaps_port, username=tokens.user, tokens=tokens.source(client_id),
        connect_seconds=5, command_seconds=5,
    )  # fmt: skip


def sender(relay: LoopbackRelay, tokens: TokenServer, client_id: str = "good") -> Relay:
    return Relay(relay.server(username=tokens.user, tokens=tokens.source(client_id)))


async def send(through: Relay, recipient: str = "b@example.org") -> Reply:
    async def yes() -> bool:
        return True

    return await through.send(ME, recipient, MAIL, yes)


# --- the mailbox


async def test_a_token_opens_the_mailbox_and_the_session_ends_before_it_does(dovecot: Dovecot, tokens: TokenServer) -> None:
    session = await Session.open(mailbox(dovecot, tokens, "good-100"), dovecot.ssl_context())
    assert {"IDLE", "MOVE"} <= session.capabilities
    assert (await session.select("INBOX")).exists == 0
    assert 70 < session.seconds_left <= 80
    await session.close()


async def test_without_a_token_a_session_has_no_end(dovecot: Dovecot, tokens: TokenServer) -> None:
    server = Server(host=dovecot.host, port=dovecot.imap_port, security="plain", username=tokens.user, password="secret")
    session = await Session.open(server)
    assert session.seconds_left == float("inf")
    await session.close()


async def test_a_token_that_ended_earlier_than_was_said_is_replaced_once(dovecot: Dovecot, tokens: TokenServer) -> None:
    tokens.lives = [-5]
    session = await Session.open(mailbox(dovecot, tokens), dovecot.ssl_context())
    await session.close()
    assert len(tokens.given) == 2


@pytest.mark.parametrize(("client_id", "lives"), [("good", NO_USE), ("wrong-audience", [])], ids=["ended", "for something else"])
async def test_a_token_that_the_mailbox_does_not_take_is_a_fault_of_its_own_and_not_a_timeout(
    dovecot: Dovecot, tokens: TokenServer, client_id: str, lives: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens.lives = list(lives)
    async with asyncio.timeout(SOON):
        with pytest.raises(ImapTokenRefused, match=f"refused the token of {tokens.user}") as caught:
            await Session.open(mailbox(dovecot, tokens, client_id), dovecot.ssl_context())
    assert '"status":' in caught.value.challenge
    assert len(tokens.given) == 2
    assert not [token for token in tokens.given if token in f"{caught.value!r}{caught.value.token!r}{caplog.text}"]


async def test_a_token_server_that_refuses_us_is_told_from_one_that_is_down(dovecot: Dovecot, tokens: TokenServer) -> None:
    with pytest.raises(ImapTokenRefused, match="secret has ended") as refused:
        await Session.open(mailbox(dovecot, tokens, "ended-secret"), dovecot.ssl_context())
    assert refused.value.token is None
    with pytest.raises(ImapDead, match="no token for us at present") as later:
        await Session.open(mailbox(dovecot, tokens, "busy"), dovecot.ssl_context())
    assert later.value.retry_after == 7
    assert len(tokens.asked) == 2


async def authenticated(client: Client) -> None:
    client.say(b"+ \r\n")
    proof = base64.b64decode(await client.reader.readline())
    assert proof.startswith(b"user=press\1auth=Bearer ey")
    assert proof.endswith(b"\1\1")
    client.say(b"TAG OK AUTHENTICATE completed.\r\n")


async def test_a_session_that_the_server_ends_for_its_token_begins_with_another_one(tokens: TokenServer) -> None:
    answers = {"AUTHENTICATE": authenticated, "NOOP": b"* BYE Session invalidated - AccessTokenExpired\r\n"}
    source = tokens.source()
    async with ScriptedImap(answers) as server:
        session = await Session.open(at(server, tokens=source))
        with pytest.raises(ImapDead, match="AccessTokenExpired"):
            await session.noop()
        (await Session.open(at(server, tokens=source))).abort()
    assert len(tokens.given) == 2


async def test_a_refusal_without_a_challenge_is_a_refusal_too(tokens: TokenServer) -> None:
    async def refuse(client: Client) -> None:
        client.say(b"+ \r\n")
        await client.reader.readline()
        client.say(b"TAG NO AUTHENTICATE failed.\r\n")

    async with ScriptedImap({"AUTHENTICATE": refuse}) as server:
        with pytest.raises(ImapTokenRefused, match=r"AUTHENTICATE failed"):
            await Session.open(at(server, tokens=tokens.source()))


async def test_a_throttled_login_is_not_a_refused_one(tokens: TokenServer) -> None:
    async def throttle(client: Client) -> None:
        client.say(b"+ \r\n")
        await client.reader.readline()
        client.say(b"TAG BAD Request is throttled. Suggested Backoff Time: 201317 milliseconds\r\n")

    async with ScriptedImap({"AUTHENTICATE": throttle}) as server:
        with pytest.raises(ImapDead) as caught:
            await Session.open(at(server, tokens=tokens.source()))
    assert caught.value.retry_after == 201.317
    assert len(tokens.given) == 1


# --- the relay


async def test_a_token_opens_the_relay_with_and_without_tls(
    tokens: TokenServer, certificates: Path, trusting: object, relay: LoopbackRelay
) -> None:
    through = sender(relay, tokens)
    assert (await send(through)).accepted
    await through.close()
    async with LoopbackRelay(security="starttls", certificates=certificates, holds=holds) as guarded:
        through = Relay(guarded.server(username=tokens.user, tokens=tokens.source()), trusting)  # type: ignore[arg-type]
        assert (await send(through)).accepted
        await through.close()
    assert tokens.given == [*relay.tokens, *guarded.tokens]


async def test_a_login_that_ends_in_the_middle_of_a_run_is_renewed_and_no_mail_is_lost_or_sent_twice(
    tokens: TokenServer, relay: LoopbackRelay
) -> None:
    valid = {"now": True}
    relay._holds = lambda user, token: holds(user, token) and (valid["now"] or token != tokens.given[0])
    through = sender(relay, tokens)
    assert (await send(through)).accepted
    valid["now"] = False
    assert (await send(through, "c@example.org")).accepted
    await through.close()
    assert [got.recipient for got in relay.mails] == ["b@example.org", "c@example.org"]
    assert relay.connections == 2
    assert len(tokens.given) == 2


async def test_a_connection_is_not_used_after_its_token_is_due(tokens: TokenServer, relay: LoopbackRelay) -> None:
    source = tokens.source("good-3600")
    through = Relay(relay.server(username=tokens.user, tokens=source))
    assert (await send(through)).accepted
    source._clock = lambda: (source._token and source._token.renew_at)  # type: ignore[assignment, return-value]
    assert (await send(through, "c@example.org")).accepted
    await through.close()
    assert relay.connections == 2
    assert len(set(relay.tokens)) == 2


@pytest.mark.parametrize(
    ("client_id", "lives", "fault", "tried"),
    [
        pytest.param("good", [-5], Fault.NONE, 2, id="ended earlier than was said"),
        pytest.param("good", NO_USE, Fault.TOKEN_REFUSED, 2, id="never good"),
        pytest.param("wrong-audience", [], Fault.TOKEN_REFUSED, 2, id="for something else"),
        pytest.param("ended-secret", [], Fault.TOKEN_REFUSED, 0, id="no token for us"),
        pytest.param("down", [], Fault.NO_TOKEN, 0, id="no token at present"),
        pytest.param("page", [], Fault.NO_TOKEN, 0, id="garbage from the token server"),
    ],
)
async def test_what_the_relay_thinks_of_a_token(
    tokens: TokenServer, relay: LoopbackRelay, client_id: str, lives: list[int], fault: Fault, tried: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens.lives = list(lives)
    through = sender(relay, tokens, client_id)
    async with asyncio.timeout(SOON):
        reply = await send(through)
    await through.close()
    assert (reply.fault, reply.phase) == (fault, Phase.DONE if fault is Fault.NONE else Phase.LOGIN)
    assert len(relay.tokens) == tried
    assert len(relay.mails) == (1 if fault is Fault.NONE else 0)
    assert not [token for token in tokens.given if token in f"{reply!r}{caplog.text}"]


async def test_a_wait_that_the_token_server_asks_for_is_passed_on(tokens: TokenServer, relay: LoopbackRelay) -> None:
    assert (await send(sender(relay, tokens, "busy"))).retry_after == 7


async def test_a_relay_without_login_by_token_is_said_to_be_one(tokens: TokenServer) -> None:
    async with LoopbackRelay() as plain:
        reply = await send(sender(plain, tokens))
    assert reply.fault is Fault.TOKEN_REFUSED
    assert "XOAUTH2" in reply.text
