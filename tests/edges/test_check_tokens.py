"""`check --live` of an office that logs in by tokens: is one given, what does it carry, when does our proof end, does it open anything?"""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mailbot.check import Finding, checked
from mailbot.settings import Settings
from tests.edges.test_access_tokens import proof
from tests.edges.test_check import configured
from tests.servers.dns_zone import zone
from tests.servers.dovecot import Dovecot, holds
from tests.servers.relay import LoopbackRelay
from tests.servers.token_server import TokenServer

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
NUMBERS = count(1)
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
async def tokens(dovecot: Dovecot) -> AsyncIterator[TokenServer]:
    user = f"check-token-{next(NUMBERS)}@office.example"
    dovecot.add_user(user)
    async with TokenServer(user) as running:
        yield running


def office(database_url: str, dovecot: Dovecot, tokens: TokenServer, client_id: str, relay_port: int = 1, **oauth: Any) -> Settings:
    imap = {"host": "127.0.0.1", "port": dovecot.imap_port, "security": "plain", "username": tokens.user, "oauth": True}
    smtp = {"port": relay_port, "username": tokens.user, "oauth": True}
    return configured(database_url, imap=imap, smtp=smtp, oauth=tokens.section(client_id) | oauth)


async def findings(settings: Settings) -> dict[str, Finding]:
    """One live check; every red finding says what to do."""
    async with zone({}) as resolver:
        every = await checked(settings, NOW, live=True, resolver=resolver)
    assert [one for one in every if not one.green and not one.advice] == []
    return {one.item: one for one in every}


async def test_a_token_that_opens_mailbox_and_relay_is_green(database_url: str, dovecot: Dovecot, tokens: TokenServer) -> None:
    async with LoopbackRelay(holds=holds) as relay:
        settings = office(database_url, dovecot, tokens, "good-3600", relay.port)
        found = await findings(settings)
    assert [item for item in ("token", "IMAP login", "IMAP folders", "SMTP login and TLS") if not found[item].green] == []
    assert "60 minutes" in found["token"].said
    assert len(tokens.asked) == 1


@pytest.mark.parametrize(("ends", "green"), [("2026-05-31", True), ("2026-03-10", False), ("2026-02-01", False)])
async def test_a_secret_that_ends_soon_is_red(
    database_url: str, dovecot: Dovecot, tokens: TokenServer, ends: str, green: bool
) -> None:
    finding = (await findings(office(database_url, dovecot, tokens, "good", client_secret_ends=ends)))["token"]
    assert finding.green is green
    assert ends in finding.said


async def test_a_token_server_that_refuses_us_is_red_and_says_why(database_url: str, dovecot: Dovecot, tokens: TokenServer) -> None:
    settings = office(database_url, dovecot, tokens, "wrong-secret")
    found = await findings(settings)
    assert not found["token"].green
    assert "value, not its id" in found["token"].said
    for item in ("IMAP login", "SMTP login and TLS"):
        assert (found[item].green, found[item].said) == (False, "not tried without a token.")
    assert len(tokens.asked) == 1


async def test_a_permission_that_is_missing_is_named(database_url: str, dovecot: Dovecot, tokens: TokenServer) -> None:
    claims = urlsafe_b64encode(json.dumps({"roles": ["IMAP.AccessAsApp"]}).encode()).rstrip(b"=").decode()
    tokens._mint = lambda *_: f"e30.{claims}.x"
    finding = (await findings(office(database_url, dovecot, tokens, "good")))["token"]
    assert not finding.green
    assert "SMTP.SendAsApp" in finding.said
    assert "admin consent" in finding.advice


async def test_a_good_token_that_opens_nothing_says_what_it_has_to_do(database_url: str, dovecot: Dovecot, tokens: TokenServer) -> None:
    async with LoopbackRelay(holds=holds) as relay:
        settings = office(database_url, dovecot, tokens, "wrong-audience", relay.port)
        found = await findings(settings)
    mailbox, sending = found["IMAP login"], found["SMTP login and TLS"]
    assert (mailbox.green, sending.green) == (False, False)
    assert "FullAccess" in mailbox.advice
    assert "SMTP AUTH" in sending.advice


async def test_a_certificate_that_is_not_there_is_named(database_url: str, dovecot: Dovecot, tokens: TokenServer) -> None:
    settings = office(database_url, dovecot, tokens, "good", client_secret="", certificate_file="/nowhere/cert.pem")
    finding = (await findings(settings))["token"]
    assert not finding.green
    assert "/nowhere/cert.pem" in finding.said


async def test_a_certificate_says_itself_when_it_ends(database_url: str, dovecot: Dovecot, tokens: TokenServer, tmp_path: Path) -> None:
    public, private = proof(rsa.generate_private_key(65537, 2048))
    (tmp_path / "both.pem").write_bytes(private + public)
    certificate = {"client_secret": "", "certificate_file": str(tmp_path / "both.pem")}
    finding = (await findings(office(database_url, dovecot, tokens, "good", **certificate)))["token"]
    assert finding.green
    assert "certificate ends on 2027-12-02" in finding.said
    assert "client_assertion" in tokens.asked[0]
