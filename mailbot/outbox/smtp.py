"""The relay that sends: one connection, one mail at a time; what the relay said, and in which phase.

aiosmtplib connects, greets, starts TLS and logs in. From DATA on the connection is read by `Upload`, because what matters
then is lost in aiosmtplib: how much of the mail has left, and a reply that comes before its end. So the phase is never
guessed from an exception. It becomes DATA, in doubt, when the last piece of the mail is handed to the transport, and DONE
when the answer to it is read; before that a mail whose connection is cut has certainly not left. Nothing is ever closed
politely while a mail is under way: close() would go on sending what is buffered, the final dot included; abort() does not.

One connection carries `mails_per_connection` mails at most and is dropped after a 421, a loss, a timeout or nonsense. When
a kept connection turns out to be dead at MAIL, a fresh one is tried at once: nothing had been said.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib
from aiosmtplib import SMTP

from mailbot.loopback import is_loopback
from mailbot.oauth.access_token import AccessToken, TokenLater, TokenRefused
from mailbot.oauth.access_tokens import AccessTokens
from mailbot.outbox.delivery import Fault, Phase, Reply, enhanced_status, login_was_refused
from mailbot.outbox.smtp_dial import dial, prove
from mailbot.outbox.smtp_upload import Deadline, Upload
from mailbot.outbox.wire import Nonsense, offer, printable, size_limit, unfit, wire_ready

GO_AHEAD, CLOSING = 354, 421
FINAL_DOT = b".\r\n"
AIOSMTPLIB_NONSENSE = -1  # its code for a reply that is none
CLOSED = "the relay closed the connection"
SHORT_SECONDS = 5.0  # for what is only polite
# OSError: also TLS and timeouts; UnicodeError: an impossible host name
WIRE_TROUBLE = (aiosmtplib.SMTPException, OSError, UnicodeError, Nonsense)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the relay is, and how long it may take (RFC 5321, 4.5.3.2). Tokens go before a password; an empty user name means no login."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "plain"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    tokens: AccessTokens | None = field(default=None, repr=False)
    local_hostname: str = "localhost"
    connect_seconds: float = 30
    step_seconds: float = 300
    data_seconds: float = 600
    data_octets_per_second: float = 20_000

    def seconds_for(self, octets: int) -> float:
        """How long a mail of this size may take, from its first octet to the answer."""
        return self.data_seconds + octets / self.data_octets_per_second

    def __post_init__(self) -> None:
        if self.security not in ("starttls", "tls", "plain"):
            raise ValueError(f"smtp.security is starttls, tls or plain, not {self.security}")
        if self.security == "plain" and self.username and not is_loopback(self.host):
            raise ValueError(f"smtp.security is plain, and {self.host} is not this machine: the password would travel unprotected")


class Relay:
    """Holds one connection to the relay, or none."""

    def __init__(self, server: Server, ssl_context: ssl.SSLContext | None = None, mails_per_connection: int = 100) -> None:
        self._server = server
        self._ssl_context = ssl_context
        self._mails_per_connection = mails_per_connection
        self._client: SMTP | None = None
        self._token: AccessToken | None = None  # what opened the connection
        self._phase = Phase.CONNECT
        self._upload: Upload | None = None
        self._deadline = Deadline()
        self._mails = 0  # on this connection
        self._envelope_open = False

    @property
    def phase(self) -> Phase:
        """How far the last dialogue came; right at every moment, also after send() was cancelled: DATA is in doubt, BODY is not."""
        return Phase.DATA if self._phase is Phase.BODY and self._upload is not None and self._upload.all_left else self._phase

    async def send(
        self, envelope_sender: str, recipient: str, data: bytes, before_data: Callable[[], Awaitable[bool]] | None
    ) -> Reply:
        """One mail to one recipient; `data` is 7-bit. Never raises for what the relay or the network does.

        `before_data` is awaited just before DATA: the caller records there that the mail may leave, and says False where it
        must not; then the fault is STOPPED. None: that is on record already, and `data` is wire-ready but for its final dot; envelope
        and DATA leave in one write where the relay offers PIPELINING (RFC 2920), the mail when it has said yes to all three. A
        cancelled send cuts the connection at once; `phase` says whether the mail is in doubt. One call at a time.
        """
        self._phase, self._upload, task = Phase.CONNECT, None, asyncio.current_task()
        asked = task.cancelling() if task else 0
        if refusal := unfit(envelope_sender, recipient, data):
            return refusal
        try:
            if self._mails >= self._mails_per_connection or (self._server.tokens and self._server.tokens.is_due(self._token)):
                await self.close()
            kept = self._client is not None
            at_once = before_data is None
            reply = await self._envelope(envelope_sender, recipient, len(data), at_once)
            if kept and reply and _tells_of_the_connection(reply):
                self._forget_token(reply)
                self.abort()
                reply = await self._envelope(envelope_sender, recipient, len(data), at_once)
            if task and task.cancelling() > asked:
                raise asyncio.CancelledError  # Python 3.11's wait_for swallows one that comes together with a reply
            if reply is None and before_data is not None and not await before_data():
                await self.close()
                return Reply(phase=self._phase, fault=Fault.STOPPED, text="Sending was stopped; nothing has left.")
            reply = reply or await self._hand_over(data + FINAL_DOT if at_once else wire_ready(data))
        except BaseException:
            self.abort()
            raise
        if reply.code == CLOSING or reply.fault not in (Fault.NONE, Fault.TOO_BIG):
            self.abort()
        return reply

    async def check(self) -> Reply:
        """Connect, log in and part, on a connection of its own: what the relay offers, or what is wrong."""
        self.abort()
        try:
            client = await self._opened()
            if isinstance(client, Reply):
                return client
            tls = client.get_transport_info("ssl_object")
            said = offer(client.esmtp_extensions, tls.version() if tls else "", self._server.username)
            await self.close()
            return Reply(phase=self._phase, code=250, text=said)
        finally:
            self.abort()

    async def close(self) -> None:
        """Part politely where there is a connection."""
        try:
            if self._client is not None and self._client.is_connected:
                with contextlib.suppress(*WIRE_TROUBLE):
                    await self._client.quit(timeout=SHORT_SECONDS)
        finally:
            self.abort()

    def abort(self) -> None:
        """Cut the connection where there is one. What is buffered does not leave."""
        client, self._client = self._client, None
        self._mails, self._envelope_open = 0, False
        self._deadline.end()
        if client is not None:
            if isinstance(client.transport, asyncio.WriteTransport):
                client.transport.abort()
            client.close()

    async def _envelope(self, sender: str, recipient: str, octets: int, at_once: bool) -> Reply | None:
        """Up to the relay's yes to the recipient: None. Else what stands in the way."""
        try:
            client = await self._opened()
            if isinstance(client, Reply):
                return client
            self._phase = Phase.ENVELOPE_MAIL
            limit = size_limit(client.esmtp_extensions.get("size", ""))
            if limit and octets > limit:
                return Reply(phase=self._phase, fault=Fault.TOO_BIG, text=f"The mail has {octets} octets, the relay takes {limit}.")
            self._envelope_open, self._mails = True, self._mails + 1
            size = f" SIZE={octets}" if "size" in client.esmtp_extensions else ""
            if at_once and "pipelining" in client.esmtp_extensions:
                envelope = f"MAIL FROM:<{sender}>{size}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n"
                return await self._pipelined(client, envelope.encode("ascii"))
            said = await client.execute_command(f"MAIL FROM:<{sender}>{size}".encode("ascii"))
            if 200 <= said.code < 300:
                self._phase = Phase.ENVELOPE_RCPT
                said = await client.execute_command(f"RCPT TO:<{recipient}>".encode("ascii"))
            return None if 200 <= said.code < 300 else self._reply(said.code, said.message)
        except WIRE_TROUBLE as error:
            return self._unanswered(error)

    async def _pipelined(self, client: SMTP, envelope: bytes) -> Reply | None:
        """Up to the relay's go-ahead: None. The phase is that of the first command that was refused, or not answered."""
        upload = self._upload = Upload(_open_transport(client), self._deadline)
        refused: Reply | None = None
        upload.ask(envelope, self._server.step_seconds)
        for phase in (Phase.ENVELOPE_MAIL, Phase.ENVELOPE_RCPT, Phase.BODY):
            self._phase = phase if refused is None else self._phase
            code, text = await upload.said()
            if refused is None and not (code == GO_AHEAD if phase is Phase.BODY else 200 <= code < 300):
                refused = self._reply(code, text) if 400 <= code < 600 else self._unanswered(Nonsense(f"{code} {text}"))
            if code == CLOSING:
                break
        out_of_step = code in (GO_AHEAD, CLOSING) or (refused is not None and not refused.refused)
        if refused is not None and (out_of_step or not upload.give_back(client.protocol)):
            self.abort()  # it may wait for a mail that must not come
        return refused

    async def _hand_over(self, wire: bytes) -> Reply:
        """DATA, the mail, the answer."""
        client, self._phase = self._client, Phase.BODY
        going, code, text = self._upload is not None, 0, ""
        try:
            if client is None:
                raise ConnectionError(CLOSED)
            upload = self._upload = self._upload or Upload(_open_transport(client), self._deadline)
            if not going:
                upload.ask(b"DATA\r\n", self._server.step_seconds)
                code, text = await upload.said()
                going = code == GO_AHEAD
            if going:
                code, text = await upload.hand_over(wire, self._server.seconds_for(len(wire)))
        except WIRE_TROUBLE as error:
            return self._unanswered(error)
        if not (400 <= code < 600 or (200 <= code < 300 and upload.all_left)):
            return self._unanswered(Nonsense(f"{code} {text}"))
        if upload.all_left:
            self._phase, self._envelope_open = Phase.DONE, False
        if (going and not upload.all_left) or not upload.give_back(client.protocol):
            self.abort()  # half a mail lies with the relay, or the connection is out of step
        return self._reply(code, text)

    async def _opened(self) -> SMTP | Reply:
        """The connection, ready for MAIL: the one that is kept, or a new one. Else why there is none."""
        client = self._client
        if client is not None and client.is_connected:
            try:
                if self._envelope_open:  # a refused recipient's; reset only now, so that a relay slow to do it delays no verdict
                    await client.rset(timeout=SHORT_SECONDS)
                return client
            except WIRE_TROUBLE:
                pass  # out of step: a new one, then
        self.abort()
        trouble = await self._connected()
        if trouble is None and self._client is not None:
            return self._client
        self.abort()
        return trouble or self._unanswered(ConnectionError(CLOSED))

    async def _connected(self) -> Reply | None:
        """A connection with a login. A token that is refused although it should hold is replaced by a new one, once."""
        trouble = await self._connected_once()
        if trouble is None or not self._forget_token(trouble):
            return trouble
        self.abort()
        return await self._connected_once()

    def _forget_token(self, reply: Reply) -> bool:
        """False where the relay says nothing against our token."""
        token, self._token = self._token, None
        if token is None or self._server.tokens is None or not login_was_refused(reply):
            return False
        self._server.tokens.forget(token)
        return True

    async def _connected_once(self) -> Reply | None:
        """Connect, secure, log in: None once that is done. Else what went wrong."""
        server, self._phase = self._server, Phase.CONNECT
        try:
            if server.security != "plain" and self._ssl_context is None:
                self._ssl_context = await asyncio.to_thread(ssl.create_default_context)
            dialled = await dial(server.host, server.port, server.connect_seconds)
            client = self._client = SMTP(
                hostname=server.host, sock=dialled, use_tls=server.security == "tls", start_tls=False,
                tls_context=self._ssl_context, timeout=server.step_seconds, local_hostname=server.local_hostname,
            )  # fmt: skip
            await client.connect()
            await client.ehlo()
            if server.security == "starttls":
                if "starttls" not in client.esmtp_extensions:
                    return Reply(phase=self._phase, fault=Fault.NO_STARTTLS, text="The relay does not offer STARTTLS.")
                await client.starttls()
                await client.ehlo()
            self._phase = Phase.LOGIN
            return await self._logged_in(client) if server.username else None
        except WIRE_TROUBLE as error:
            return self._unanswered(error)

    async def _logged_in(self, client: SMTP) -> Reply | None:
        """One try by one method: a relay that counts failures shuts us out the later."""
        if self._server.tokens is not None:
            return await self._logged_in_by_token(client, self._server.tokens)
        methods = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        log_in = next((method for name, method in methods.items() if name in client.server_auth_methods), None)
        if log_in is None:
            offered = ", ".join(client.server_auth_methods).upper() or "none"
            return Reply(phase=self._phase, fault=Fault.LOGIN_REFUSED, text=f"No way to log in that mailbot knows; offered: {offered}.")
        try:
            await log_in(self._server.username, self._server.password)
        except aiosmtplib.SMTPAuthenticationError as refusal:
            return self._reply(refusal.code, refusal.message, Fault.LOGIN_REFUSED if refusal.code >= 500 else Fault.NONE)
        return None

    async def _logged_in_by_token(self, client: SMTP, tokens: AccessTokens) -> Reply | None:
        try:
            self._token = token = await tokens.token()
        except TokenRefused as refusal:
            return Reply(phase=self._phase, fault=Fault.TOKEN_REFUSED, text=str(refusal))
        except TokenLater as later:
            return Reply(phase=self._phase, fault=Fault.NO_TOKEN, text=str(later), retry_after=later.retry_after)
        if "xoauth2" not in client.server_auth_methods:
            self._token = None
            return Reply(phase=self._phase, fault=Fault.TOKEN_REFUSED, text="The relay offers no login by token (AUTH XOAUTH2) here.")
        said = await prove(client, self._server.username, token.value)
        if 200 <= said.code < 300:
            return None
        return self._reply(said.code, said.message, Fault.TOKEN_REFUSED if said.code >= 500 else Fault.NONE)

    def _reply(self, code: int, text: str, fault: Fault = Fault.NONE) -> Reply:
        text = printable(text)
        return Reply(phase=self.phase, code=code, enhanced=enhanced_status(code, text), text=text, fault=fault)

    def _unanswered(self, error: Exception) -> Reply:
        """What an exception of the wire means. A refusal on the way to a connection is a reply, too."""
        if isinstance(error, aiosmtplib.SMTPResponseException) and error.code != AIOSMTPLIB_NONSENSE:
            return self._reply(error.code, error.message)
        if isinstance(error, aiosmtplib.SMTPConnectError) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        fault = Fault.LOST
        if isinstance(error, ssl.SSLCertVerificationError):
            fault = Fault.CERTIFICATE
        elif isinstance(error, TimeoutError):
            fault = Fault.TIMEOUT
        elif isinstance(error, aiosmtplib.SMTPResponseException | Nonsense):
            fault = Fault.UNINTELLIGIBLE
        return Reply(phase=self.phase, fault=fault, text=printable(str(error)) or f"{fault} in phase {self.phase}")


def _tells_of_the_connection(reply: Reply) -> bool:
    """A kept connection that is dead, closing, or logged in no more: nothing is said of the mail."""
    if reply.phase is not Phase.ENVELOPE_MAIL:
        return False
    return reply.fault is Fault.LOST or reply.code == CLOSING or login_was_refused(reply)


def _open_transport(client: SMTP) -> asyncio.Transport:
    if not isinstance(client.transport, asyncio.Transport) or client.transport.is_closing():
        raise ConnectionError(CLOSED)
    return client.transport
