"""Tokens from a real token server on loopback: asked for once, kept, renewed; and each way in which it does not give one."""

import asyncio
import json
import logging
import ssl
import sys
import threading
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from mailbot.oauth.access_token import TokenLater, TokenRefused, TokenTrouble
from mailbot.oauth.access_tokens import AccessTokens, Client
from mailbot.oauth.assertion import CertificateUnusable, certificate
from tests.servers.token_server import TokenServer

USER = "presse@office.example"
SECRET = "a s3cret of this test"
SOON = 5.0


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    async with TokenServer(USER) as running:
        yield running


def tokens(server: TokenServer, client_id: str = "good", clock: Clock | None = None, **given: object) -> AccessTokens:
    endpoint = server.endpoint.replace("{tenant}", "office.example")
    known = {"endpoint": endpoint, "client_id": client_id, "scope": "mail/.default", "secret": SECRET, "seconds": SOON}
    client = Client(**known | given)  # type: ignore[arg-type]
    return AccessTokens(client, clock=clock or Clock(), new_id=lambda: "an id")


async def test_a_token_is_asked_for_by_one_form(server: TokenServer) -> None:
    assert (await tokens(server).token()).value == server.given[0]
    assert server.asked == [{
        "path": "/office.example/oauth2/v2.0/token", "grant_type": "client_credentials", "client_id": "good", "scope": "mail/.default",
        "client_secret": SECRET,
    }]  # fmt: skip


async def test_whoever_comes_while_it_is_asked_for_waits_for_the_same(server: TokenServer) -> None:
    source = tokens(server)
    got = await asyncio.gather(*(source.token() for _ in range(20)))
    assert len(server.asked) == 1
    assert {token.value for token in got} == set(server.given)


async def test_it_is_kept_until_it_is_time_for_another(server: TokenServer) -> None:
    clock = Clock()
    source = tokens(server, "good-3600", clock)
    first = await source.token()
    clock.go_on(minutes=54)
    assert await source.token() is first
    assert not source.is_due(first)
    assert source.seconds_left(first) == 60
    clock.go_on(minutes=1)
    assert source.is_due(first)
    assert (await source.token()).value != first.value
    assert len(server.asked) == 2


async def test_a_forgotten_one_is_asked_for_again_and_an_older_one_forgotten_late_is_not(server: TokenServer) -> None:
    source = tokens(server)
    first = await source.token()
    source.forget(first)
    second = await source.token()
    source.forget(first)
    assert await source.token() is second
    assert len(server.asked) == 2


REFUSED = (
    "wrong-secret", "ended-secret", "invalid-client", "no-such-app", "no-such-tenant", "wrong-scope", "unauthorised", "not-found",
    "elsewhere", "echo",
)  # fmt: skip
LATER = (
    "busy", "down", "not-now", "page", "empty", "list", "deep", "no-token", "token-with-controls", "ended-at-once", "another-kind",
    "endless", "cut",
)  # fmt: skip


@pytest.mark.parametrize(("client_id", "kind"), [*((one, TokenRefused) for one in REFUSED), *((one, TokenLater) for one in LATER)])
async def test_every_way_not_to_give_a_token_has_its_sentence_and_no_secret_in_it(
    server: TokenServer, client_id: str, kind: type[TokenTrouble], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = tokens(server, client_id)
    with pytest.raises(TokenTrouble) as caught:
        await source.token()
    assert type(caught.value) is kind
    assert str(caught.value).startswith("the token server")
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text} {source!r} {source._client!r}"
    assert len(server.asked) == 1


@pytest.mark.parametrize("client_id", ["hangs", "drips"])
async def test_a_token_server_without_an_end_is_given_up_at_the_deadline_and_holds_no_thread(server: TokenServer, client_id: str) -> None:
    before = threading.active_count()
    with pytest.raises(TokenLater, match=r"did not answer within 0.2 seconds"):
        await tokens(server, client_id, seconds=0.2).token()
    async with asyncio.timeout(SOON):
        await asyncio.get_running_loop().shutdown_default_executor()  # waits for every thread
    assert threading.active_count() <= before


async def test_nobody_listening_is_a_temporary_trouble(server: TokenServer) -> None:
    with pytest.raises(TokenLater, match="cannot be reached"):
        await tokens(server, endpoint="http://127.0.0.1:1/token").token()


async def test_a_wait_that_was_asked_for_is_kept_by_everybody(server: TokenServer) -> None:
    clock = Clock()
    source = tokens(server, "busy", clock)
    waits = []
    for passed in (0, 0, 4, 2):
        clock.go_on(seconds=passed)
        with pytest.raises(TokenLater) as caught:
            await source.token()
        waits.append(caught.value.retry_after)
    assert waits == [7.0, 7.0, 3.0, 1.0]
    assert len(server.asked) == 1
    clock.go_on(seconds=1)
    with pytest.raises(TokenLater):
        await source.token()
    assert len(server.asked) == 2


async def test_a_token_server_whose_certificate_nobody_signed_gets_no_secret(certificates: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    async with TokenServer(USER, context) as server:
        with pytest.raises(TokenRefused, match="certificate of the token server is not trusted"):
            await tokens(server).token()
        assert server.asked == []


async def test_https_with_a_ca_that_the_system_knows(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    async with TokenServer(USER, context) as server:
        assert (await tokens(server).token()).value in server.given


# --- by certificate


def proof(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailbot")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(start).not_valid_after(start + timedelta(days=700)).sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM), private


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def part(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_a_certificate_proves_itself_by_a_statement_that_its_key_has_signed(server: TokenServer, rsa_key: rsa.RSAPrivateKey) -> None:
    public, private = proof(rsa_key)
    clock = Clock()
    await tokens(server, clock=clock, secret="", certificate=certificate(public, private)).token()
    form = server.asked[0]
    assert "client_secret" not in form
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    head, claims, signature = form["client_assertion"].split(".")
    sha256 = hashes.SHA256()
    rsa_key.public_key().verify(part(signature), f"{head}.{claims}".encode(), padding.PSS(padding.MGF1(sha256), 32), sha256)
    thumbprint = x509.load_pem_x509_certificate(public).fingerprint(hashes.SHA256())
    assert json.loads(part(head))["alg"] == "PS256"
    assert part(json.loads(part(head))["x5t#S256"]) == thumbprint
    said = json.loads(part(claims))
    assert (said["iss"], said["sub"], said["jti"]) == ("good", "good", "an id")
    assert said["aud"] == server.endpoint.replace("{tenant}", "office.example")
    assert said["nbf"] <= clock.now.timestamp() < said["exp"] <= clock.now.timestamp() + 600


def test_a_certificate_that_cannot_be_used_says_why(rsa_key: rsa.RSAPrivateKey) -> None:
    public, private = proof(rsa_key)
    other = proof(ec.generate_private_key(ec.SECP256R1()))
    for given, named in (((b"no PEM", private), "PEM"), ((public, other[1]), "RSA"), ((other[0], private), "does not belong")):
        with pytest.raises(CertificateUnusable, match=named):
            certificate(*given)
    assert "PRIVATE" not in repr(certificate(public, private))


def test_a_certificate_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(CertificateUnusable, match="microsoft365"):
        certificate(b"", b"")
