"""An office whose mailbox and relay take tokens alone: they end at night and in the middle of things, and nothing is lost or sent twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from mailbot import clock
from mailbot.inbox.imap import ImapTokenRefused
from mailbot.round_trip import Patience, round_trip
from mailbot.settings import load
from tests.journeys.office import LATEST, Office
from tests.servers.dovecot import Dovecot, holds
from tests.servers.relay import LoopbackRelay
from tests.servers.token_server import TokenServer


@dataclass
class World:
    """The office, its relay, and who gives the tokens."""

    office: Office
    relay: LoopbackRelay
    tokens: TokenServer

    def by_token(self, client_id: str, *, mailbox: bool = True) -> None:
        """Settings of an office that logs in by tokens; the mailbox by password where that is not the question."""
        imap = {"oauth": True, "password": ""} if mailbox else {}
        smtp = {"oauth": True, "username": self.office.address}
        self.office.configure({"imap": imap, "smtp": smtp, "oauth": self.tokens.section(client_id)})

    def recipients(self) -> list[str]:
        return [got.recipient for got in self.relay.mails]


@pytest.fixture
async def world(open_office: Callable[[int, str], Office], sqlite_url: str) -> AsyncIterator[World]:
    async with LoopbackRelay(holds=holds) as relay:
        office = open_office(relay.port, sqlite_url)
        async with TokenServer(office.address) as tokens:
            yield World(office, relay, tokens)


async def test_tokens_that_end_while_it_waits_are_renewed_and_nothing_is_lost(world: World) -> None:
    office = world.office
    world.by_token("good-2")
    async with office.running():
        office.ask(LATEST, sender="Awa <a@journal.example>")
        await office.settled(1)
        before = len(world.tokens.given)
        await office.until(lambda: len(world.tokens.given) >= before + 2, "two more tokens, while nothing else happens")
        office.ask(LATEST, sender="Ben <b@journal.example>", number=1)
        await office.settled(2)
    assert world.recipients() == ["a@journal.example", "b@journal.example"]
    assert office.status()["inbox"]["trouble"] == ""
    assert len(set(world.relay.tokens)) >= 2


async def test_a_session_that_is_cut_after_its_token_has_ended_goes_on_with_a_new_one(world: World, dovecot: Dovecot) -> None:
    office = world.office
    world.by_token("good-600")
    world.tokens.lives = [2]  # and mailbot is told that it holds for ten minutes
    async with office.running():
        office.ask(LATEST, sender="Awa <a@journal.example>")
        await office.settled(1)
        await office.until(lambda: not holds(office.address, world.tokens.given[0]), "the end of the token")
        dovecot.kill_imap()
        office.ask(LATEST, sender="Ben <b@journal.example>", number=1)
        await office.settled(2)
        await office.until(lambda: not office.status()["inbox"]["trouble"], "all well again")
    assert world.recipients() == ["a@journal.example", "b@journal.example"]
    assert len(world.tokens.given) == 2
    assert office.status()["inbox"]["login_refused"] == ""


async def test_a_refused_token_of_the_mailbox_is_on_record_until_one_is_taken(world: World) -> None:
    office = world.office
    world.by_token("ended-secret")
    office.ask(LATEST)
    with pytest.raises(ImapTokenRefused):
        await office.once()
    standing = office.status()["inbox"]
    assert "secret has ended" in standing["login_refused"]
    world.by_token("wrong-audience")
    with pytest.raises(ImapTokenRefused):
        await office.once()
    assert "refused the token" in office.status()["inbox"]["login_refused"]
    assert "The mailbox REFUSES the login" in (await office.commanded("status")).stdout
    world.by_token("good")
    await office.once()
    assert office.status()["inbox"]["login_refused"] == ""
    assert len(world.relay.mails) == 1


async def test_a_refused_token_of_the_relay_is_on_record_and_the_answer_waits(world: World) -> None:
    office = world.office
    for client_id, refused in (("wrong-audience", True), ("down", True), ("good", False)):
        world.by_token(client_id, mailbox=False)
        if not office.mails():
            office.ask(LATEST)
        await office.once()
        assert bool(office.status()["outbox"]["login_refused"]) is refused
        assert len(world.relay.mails) == (0 if refused else 1)
    assert office.status()["outbox"]["trouble"] == ""
    assert [row["attempts"] for row in office.deliveries()] == [1]


async def test_the_test_mail_of_a_check_is_no_request(office: Office, relay: LoopbackRelay, dovecot: Dovecot) -> None:
    async def carry() -> None:
        (got,) = await relay.wait_for(1)
        await asyncio.to_thread(dovecot.deliver, office.address, got.content, got.sender)

    async with office.running():
        postman = asyncio.create_task(carry())
        found = await round_trip(load(office.config, {}), clock.now(), Patience(seconds=20, sent_seconds=0, look_seconds=0.05))
        await postman
        await office.settled(1)
    assert [one for one in found if not one.green] == []
    assert [(row["outcome"], row["reason"]) for row in office.mails()] == [("ignore", "own-mail")]
    assert len(relay.mails) == 1
