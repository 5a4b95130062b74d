"""One connection to a mail server: open it, ask one thing at a time, wait for news. Every wait has a deadline.

A timeout, a cancellation, a BYE or an answer that cannot be read ends it for good: a late answer would be taken for the answer
to something else. Nothing is retried here; who holds the connection opens another one, with a growing pause.
"""

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Literal

from aioimaplib import aioimaplib

from mailbot.inbox import imap_responses
from mailbot.inbox.imap_protocol import AUTH, NONAUTH, Command, ImapDead, ImapTrouble, Protocol, answer
from mailbot.inbox.imap_responses import quoted
from mailbot.loopback import is_loopback
from mailbot.oauth.access_token import AccessToken, TokenLater, TokenRefused
from mailbot.oauth.access_tokens import AccessTokens

PATIENCE = 10                 # a mail that keeps arriving gets this many times the command's deadline
IDLE_ANSWER_SECONDS = 20.0
LOGOUT_SECONDS = 5.0
TEMPORARY_CODES = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"}     # RFC 5530: not about our password
SESSION_ENDED = "accesstokenexpired"                                 # Exchange: BYE Session invalidated - AccessTokenExpired
NOT_CONNECTED = b"authenticated but not connected"                   # Exchange: logged in, and yet nothing will work

Why = Literal["push", "renew", "woken"]


class ImapRefused(ImapTrouble):
    """The server answered NO or BAD. The session goes on."""

    def __init__(self, message: str, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, retry_after)
        self.code = code


class ImapLoginRefused(ImapTrouble):
    """The server does not accept our user name, password or token."""

    def __init__(self, message: str, challenge: str = "") -> None:
        super().__init__(message)
        self.challenge = challenge          # what a server says about a token, as it says it


class ImapTokenRefused(ImapLoginRefused):
    """The login is by token, and there is none for us, or the server does not take it."""

    def __init__(self, message: str, challenge: str = "", token: AccessToken | None = None) -> None:
        super().__init__(message, challenge)
        self.token = token                  # the one that was refused


class ImapCertificate(ImapTrouble):
    """The server's certificate cannot be trusted. Nothing was sent to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the mailbox is. Tokens (XOAUTH2) go before a password; an empty user name means no login."""

    host: str
    port: int = 993
    security: Literal["tls", "plain"] = "tls"
    username: str = ""
    password: str = field(default="", repr=False)
    tokens: AccessTokens | None = field(default=None, repr=False)
    connect_seconds: float = 30
    command_seconds: float = 60
    done_seconds: float = 15

    def __post_init__(self) -> None:
        if self.security not in ("tls", "plain"):
            raise ValueError(f"imap security is tls or plain, not {self.security}")
        if self.security == "plain" and not is_loopback(self.host):
            raise ValueError(f"without TLS the mailbox must be on this machine, and {self.host} is not")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to one command: OK, NO or BAD, the text after it, and the untagged responses before it."""

    word: str
    text: bytes
    untagged: list[list[bytes | bytearray]]

    @property
    def code(self) -> str:
        return imap_responses.code(self.text)

    def must_be_ok(self) -> None:
        if self.word != "OK":
            raise ImapRefused(f"{self.word} {_readable(self.text)}", self.code, imap_responses.backoff(self.text))


class Connection:
    """Logged in once it is opened; `protocol` tells how many mails there are and whether some are news."""

    def __init__(self, server: Server, protocol: Protocol) -> None:
        self.server = server
        self.protocol = protocol
        self.capabilities: frozenset[str] = frozenset()
        self.token: AccessToken | None = None       # what opened it
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, server: Server, ssl_context: ssl.SSLContext | None) -> "Connection":
        """A token that is refused although it should hold is replaced by a new one, once."""
        try:
            return await cls._open(server, ssl_context)
        except ImapTokenRefused as refusal:
            if server.tokens is None or refusal.token is None:
                raise
            server.tokens.forget(refusal.token)
        return await cls._open(server, ssl_context)

    @classmethod
    async def _open(cls, server: Server, ssl_context: ssl.SSLContext | None) -> "Connection":
        connection = cls(server, Protocol(asyncio.get_running_loop()))
        try:
            await connection._connect(ssl_context)
            await connection._log_in()
            for parts in (await connection.demand("CAPABILITY")).untagged:      # what was offered before the login is another list
                if parts[0][:11].upper() == b"CAPABILITY ":
                    connection.capabilities = frozenset(parts[0].decode("ascii", "replace").upper().split()[1:])
        except BaseException:
            connection.abort()
            raise
        return connection

    async def ask(self, name: str, *arguments: str, uid: bool = False, patient: bool = False) -> Answer:
        """One command and its answer, whatever it is. With patience, bytes that keep coming put the deadline off."""
        protocol, seconds = self.protocol, self.server.command_seconds
        command = Command(name, protocol.new_tag(), *arguments, prefix="UID" if uid else None, loop=protocol.loop)
        async with self._lock:
            self._still_alive()
            protocol.responses = []
            try:
                async with asyncio.timeout(seconds) as deadline:
                    if patient:
                        protocol.deadline, protocol.patience = deadline, seconds
                        protocol.deadline_limit = protocol.loop.time() + PATIENCE * seconds
                    await protocol.execute(command)
                self._still_alive()         # an answer with a BYE beside it
            except TimeoutError as error:
                self.abort()
                raise ImapDead(f"no answer to {name}") from error
            except aioimaplib.AioImapException as error:
                self.abort()
                raise ImapDead(f"{name}: {error}") from error
            except BaseException:
                self.abort()
                raise
            finally:
                protocol.deadline = None
            got = Answer(*answer(command), protocol.responses)
        if NOT_CONNECTED in got.text.lower():
            self.abort()
            raise ImapDead(_readable(got.text))
        return got

    async def demand(self, name: str, *arguments: str, uid: bool = False) -> Answer:
        got = await self.ask(name, *arguments, uid=uid)
        got.must_be_ok()
        return got

    async def idle(self, seconds: float, wake: asyncio.Event | None) -> Why:
        """Wait for news, at most so long, or until `wake` is set. Without IDLE it asks once, at the end."""
        async with self._lock:
            self._still_alive()
            try:
                why = await self._idle(seconds, wake) if "IDLE" in self.capabilities else await self._watch(seconds, wake, None)
            except TimeoutError as error:
                self.abort()
                raise ImapDead("no answer to IDLE") from error
            except ImapRefused:
                raise
            except BaseException:
                self.abort()
                raise
        if why == "renew" and "IDLE" not in self.capabilities:
            await self.demand("NOOP")
        return "push" if self.protocol.news else why

    async def close(self) -> None:
        """Say goodbye, briefly."""
        try:
            async with asyncio.timeout(LOGOUT_SECONDS):
                await self.ask("LOGOUT")
        except (ImapTrouble, TimeoutError):
            pass                # we leave either way
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the connection at once. Does no harm twice."""
        self.protocol.die(ImapDead("the session was closed"))
        if self.server.tokens is not None and SESSION_ENDED in str(self.protocol.death).lower():
            self.server.tokens.forget(self.token)

    @property
    def seconds_left(self) -> float:
        """How long what opened it holds; a server may cut us in the middle of a command after that."""
        return self.server.tokens.seconds_left(self.token) if self.server.tokens is not None else float("inf")

    async def _connect(self, ssl_context: ssl.SSLContext | None) -> None:
        server, protocol = self.server, self.protocol
        context = None if server.security == "plain" else ssl_context or ssl.create_default_context()
        try:
            async with asyncio.timeout(server.connect_seconds):
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: protocol, server.host, server.port, ssl=context, happy_eyeballs_delay=0.25)
                await protocol.greeting
        except ssl.SSLCertVerificationError as error:
            raise ImapCertificate(f"the certificate of {server.host} is not trusted: {error.verify_message}") from error
        except OSError as error:        # TimeoutError is one
            raise ImapDead(f"cannot connect to {server.host}:{server.port}: {error or 'no answer'}") from error

    async def _log_in(self) -> None:
        server, protocol = self.server, self.protocol
        if protocol.state != NONAUTH or not server.username:
            return
        if server.tokens is not None:
            self.token = await self._token(server.tokens)
            protocol.sasl_reply = b64encode(f"user={server.username}\1auth=Bearer {self.token.value}\1\1".encode())
            got = await self.ask("AUTHENTICATE", "XOAUTH2")
        elif (server.username + server.password).isascii():
            got = await self.ask("LOGIN", quoted(server.username), quoted(server.password))
        else:
            protocol.sasl_reply = b64encode(f"\0{server.username}\0{server.password}".encode())
            got = await self.ask("AUTHENTICATE", "PLAIN")
        if got.word == "OK":
            protocol.state = AUTH
            return
        text, wait = _readable(got.text), imap_responses.backoff(got.text)
        if got.code in TEMPORARY_CODES or wait is not None:
            raise ImapDead(f"the server lets nobody in at present: {text}", wait)
        if self.token is not None:
            said = " ".join(filter(None, (text, protocol.challenge)))[:300]
            raise ImapTokenRefused(f"the server refused the token of {server.username}: {said}", protocol.challenge, self.token)
        raise ImapLoginRefused(f"the server refused the login: {text}", protocol.challenge)

    @staticmethod
    async def _token(tokens: AccessTokens) -> AccessToken:
        try:
            return await tokens.token()
        except TokenRefused as refusal:
            raise ImapTokenRefused(str(refusal)) from refusal
        except TokenLater as later:
            raise ImapDead(str(later), later.retry_after) from later

    def _still_alive(self) -> None:
        if (death := self.protocol.death) is not None:
            raise ImapDead(str(death), death.retry_after)

    async def _idle(self, seconds: float, wake: asyncio.Event | None) -> Why:
        protocol = self.protocol
        if protocol.news or (wake is not None and wake.is_set()):
            return "push" if protocol.news else "woken"
        command = Command("IDLE", protocol.new_tag(), loop=protocol.loop)
        protocol.begin(command)
        async with asyncio.timeout(min(IDLE_ANSWER_SECONDS, self.server.command_seconds)):
            while not protocol.idling and not command.over:
                await protocol.stirred.wait()
                protocol.stirred.clear()
        why = await self._watch(seconds, wake, command)
        if not command.over:
            protocol.send("DONE")
        async with asyncio.timeout(self.server.done_seconds):
            await command.wait()
        self._still_alive()
        Answer(*answer(command), []).must_be_ok()
        return why

    async def _watch(self, seconds: float, wake: asyncio.Event | None, command: Command | None) -> Why:
        """Sleep until there is news, `wake`, the end of the command or the end of the time."""
        protocol = self.protocol
        end = protocol.loop.time() + seconds
        while True:
            protocol.stirred.clear()
            if protocol.news:
                return "push"
            if wake is not None and wake.is_set():
                return "woken"
            left = end - protocol.loop.time()
            if left <= 0 or protocol.death is not None or (command is not None and command.over):
                return "renew"
            waits = [asyncio.ensure_future(event.wait()) for event in (protocol.stirred, wake) if event is not None]
            try:
                await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()


def _readable(text: bytes) -> str:
    return text[:300].decode("utf-8", "replace")
