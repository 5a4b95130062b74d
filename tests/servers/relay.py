"""A loopback SMTP relay whose failure is chosen by the recipient's name: nobody@ is refused, drop-after-dot@ is taken and cut.

Local part (what follows a + is free): nobody 550, tempfail 451, full 452, throttled 451 4.7.500, greylist 451 the first time, 421-rcpt
and drop-rcpt at RCPT, 421-data and drop-data at DATA, and after the final dot: refused-after-dot and send-as-denied 554,
temp-after-dot 450, drop-after-dot (taken, no answer, cut), hang-after-dot (taken, never an answer), slow-dot (taken, answered late).
Everybody else is taken at once.

In a test: the fixtures below. As a process of its own, for what outlives a kill: `python -m tests.servers.relay --port 0 --spool
DIR`; it prints its port and keeps each mail as a file that is on disk before the 250.
"""

import argparse
import asyncio
import base64
import os
import ssl
import sys
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
import pytest_asyncio

from mailbot.outbox.smtp import Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
WAIT_SECONDS = 30.0
ENOUGH = "451 4.7.500 Server busy. Please try again later"
AT_RCPT = {"nobody": "550 5.1.1 no such user", "tempfail": "451 4.3.0 not now", "full": "452 4.2.2 mailbox full", "throttled": ENOUGH}
AT_DOT = {
    "send-as-denied": "554 5.2.252 SendAsDenied; login not allowed to send as office",
    "refused-after-dot": "554 5.7.1 we do not want it", "temp-after-dot": "450 4.2.0 try again",
}  # fmt: skip
BUSY = "421 4.3.2 closing, come back later"


@dataclass(frozen=True, slots=True)
class Got:
    """One mail that the relay has taken."""

    sender: str
    recipient: str
    content: bytes
    moment: float  # time.time() when its final dot had come
    connection: int


class LoopbackRelay:
    """`mails` is what it has taken, `tried` how often each recipient was named, `connections` how many there were."""

    def __init__(
        self, port: int = 0, *, security: Literal["plain", "starttls", "tls"] = "plain", login: tuple[str, str] | None = None,
        certificates: Path | None = None, size_limit: int = 0, slow_seconds: float = 0.2, spool: Path | None = None,
        holds: Callable[[str, str], bool] | None = None,
    ) -> None:  # fmt: skip
        self.port = port
        self.mails: list[Got] = []
        self.tried: Counter[str] = Counter()
        self.logins: list[tuple[str, str]] = []
        self.connections = 0
        self.slow_seconds = slow_seconds
        self._security, self._login, self._size_limit, self._spool = security, login, size_limit, spool
        self._certificates = certificates
        self._holds = holds  # with it the login is by token (XOAUTH2): is this user's token good now?
        self.tokens: list[str] = []
        self._dialogues: set[_Dialogue] = set()
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "LoopbackRelay":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; port 0 is any free one. A relay that was stopped starts again on its port."""
        wrapped = self._context() if self._security == "tls" else None
        self._server = await asyncio.get_running_loop().create_server(self._dialogue, HOST, self.port, ssl=wrapped)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close, and cut every connection."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await self._server.wait_closed()
            self._server = None

    def cut(self) -> None:
        """Reset every connection that stands."""
        for dialogue in self._dialogues:
            _cut(dialogue)

    def server(self, **changed: Any) -> Server:
        """How mailbot reaches it; local certificates hold for 127.0.0.1."""
        username, password = self._login or ("", "")
        known = Server(host=HOST, port=self.port, security=self._security, username=username, password=password, step_seconds=5)
        return replace(known, **changed)

    async def wait_for(self, number: int, seconds: float = WAIT_SECONDS) -> list[Got]:
        """Until so many mails have been taken; TimeoutError otherwise."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.mails) >= number)
        return list(self.mails)

    async def wait_until_tried(self, recipient: str, number: int = 1, seconds: float = WAIT_SECONDS) -> None:
        """Until this recipient was named so often."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: self.tried[recipient] >= number)

    # --- what aiosmtpd calls

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if (self._login or self._holds) and not session.authenticated:
            return "530 5.7.0 log in first"
        if self._holds and not self._holds(*session.auth_data):
            return "530 5.7.57 the login has ended"
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        self.tried[address] += 1
        await self._tell()
        kind = _kind(address)
        if kind == "drop-rcpt":
            _cut(server)
            return ""
        if kind == "421-rcpt":
            return await _part(server)
        if kind == "greylist" and self.tried[address] == 1:
            return "451 4.7.1 greylisted, try again later"
        if kind in AT_RCPT:
            return AT_RCPT[kind]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        kind = _kind(envelope.rcpt_tos[0])
        if kind in AT_DOT:
            return AT_DOT[kind]
        await self._take(server, envelope)
        if kind == "drop-after-dot":
            _cut(server)
        elif kind == "hang-after-dot":
            await asyncio.Event().wait()  # ended by aiosmtpd when the client goes
        elif kind == "slow-dot":
            await asyncio.sleep(self.slow_seconds)  # this is the failure itself
        return "250 2.0.0 taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        right = False
        if isinstance(given, LoginPassword):
            self.logins.append((given.login.decode(), given.password.decode()))
            right = self.logins[-1] == self._login
        return AuthResult(success=right, handled=False, auth_data=given)

    async def auth_XOAUTH2(self, server: SMTP, words: list[str]) -> AuthResult:
        """As Google and Microsoft do it: what was wrong comes as one more question, and an empty line is the answer to it."""
        asked = base64.b64decode(words[1]) if len(words) > 1 else await server.challenge_auth("")
        fields = dict(part.split("=", 1) for part in bytes(asked).decode().split("\1") if "=" in part)  # type: ignore[arg-type]
        user, token = fields["user"], fields["auth"].removeprefix("Bearer ")
        self.tokens.append(token)
        if self._holds and self._holds(user, token):
            return AuthResult(success=True, auth_data=(user, token))
        await server.challenge_auth('{"status":"401","schemes":"bearer"}')
        return AuthResult(success=False, handled=False)

    async def _take(self, server: SMTP, envelope: Envelope) -> None:
        for recipient in envelope.rcpt_tos:
            content = bytes(envelope.original_content or b"")
            got = Got(envelope.mail_from or "", recipient, content, time.time(), getattr(server, "number", 0))
            if self._spool is not None:
                _keep(self._spool, got, len(self.mails))
            self.mails.append(got)
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _dialogue(self) -> "_Dialogue":
        self.connections += 1
        starttls = self._security == "starttls"
        dialogue = _Dialogue(
            self, hostname="relay.invalid", ident="ready", data_size_limit=self._size_limit or None, loop=asyncio.get_running_loop(),
            tls_context=self._context() if starttls else None, require_starttls=starttls, auth_require_tls=starttls,
            authenticator=self.authenticate if self._login else None,
            auth_exclude_mechanism=[*([] if self._login else ["PLAIN", "LOGIN"]), *([] if self._holds else ["XOAUTH2"])],
        )  # fmt: skip
        dialogue.number = self.connections
        self._dialogues = {held for held in self._dialogues if held.transport is not None} | {dialogue}
        return dialogue

    def _context(self) -> ssl.SSLContext:
        assert self._certificates is not None, "TLS needs certificates"
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificates / "server.pem", self._certificates / "server.key")
        return context


class _Dialogue(SMTP):
    """aiosmtpd has no hook between DATA and 354."""

    number = 0
    line_length_limit = 12288  # RFC 4954: of a line that proves who one is; a command ends at 512

    async def smtp_DATA(self, arg: str) -> None:
        recipients = self.envelope.rcpt_tos if self.envelope else []
        kind = _kind(recipients[0]) if recipients else ""
        if kind == "drop-data":
            _cut(self)
        elif kind == "421-data":
            await self.push(await _part(self))
        else:
            await super().smtp_DATA(arg)


def _kind(address: str) -> str:
    return address.partition("@")[0].partition("+")[0]


def _cut(dialogue: SMTP) -> None:
    transport = dialogue.transport
    if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():  # Python 3.11.2 cannot abort TLS that is closed
        transport.abort()


async def _part(dialogue: SMTP) -> str:
    """421 and the end: closed once that is said."""
    transport = dialogue.transport
    assert isinstance(transport, asyncio.WriteTransport)
    asyncio.get_running_loop().call_soon(transport.close)
    return BUSY


def _keep(spool: Path, got: Got, number: int) -> None:
    """One file a mail, its envelope in the first two lines; complete or not there, and on disk when this returns."""
    path = spool / f"{time.time_ns()}-{number}.eml"
    with path.with_suffix(".part").open("wb") as file:
        file.write(f"X-Envelope-From: {got.sender}\r\nX-Envelope-To: {got.recipient}\r\n".encode() + got.content)
        file.flush()
        os.fsync(file.fileno())
    path.with_suffix(".part").rename(path)
    folder = os.open(spool, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@pytest_asyncio.fixture
async def relay() -> AsyncIterator[LoopbackRelay]:
    """A relay without TLS and login."""
    async with LoopbackRelay() as running:
        yield running


@pytest.fixture(scope="session")
def certificates() -> Iterator[Path]:
    """ca.pem, server.pem, server.key for loopback."""
    from tests.servers.certificates import make_certificate

    with TemporaryDirectory(prefix="mailbot-certificates-") as folder:
        make_certificate(Path(folder))
        yield Path(folder)


@pytest.fixture(scope="session")
def trusting(certificates: Path) -> ssl.SSLContext:
    """What a client needs to trust those certificates."""
    return ssl.create_default_context(cafile=str(certificates / "ca.pem"))


async def _serve(port: int, spool: Path) -> None:
    async with LoopbackRelay(port, spool=spool) as running:
        print(f"listening on {running.port}", flush=True)
        await asyncio.Event().wait()


def main() -> int:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.relay", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--spool", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.spool.mkdir(parents=True, exist_ok=True)
    asyncio.run(_serve(arguments.port, arguments.spool))
    return 0


if __name__ == "__main__":
    sys.exit(main())
