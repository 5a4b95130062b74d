"""A mail world in one process: an SMTP server that delivers into the mailboxes of an IMAP server, both on loopback.

It accepts mail for any address and opens the mailbox on the way, so nothing ever leaves the process. Like the border server
of an office it writes Return-Path, Authentication-Results and Received above every mail: a sender who logged in as the
address in From has passed DMARC, anybody else is unknown. pymap and aiosmtpd speak the protocols; both hold what they got
in memory.
"""

import asyncio
import contextlib
import logging
import re
import time
import warnings
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import format_datetime, parseaddr
from uuid import uuid4

import aiosmtplib

with warnings.catch_warnings():  # only what these two do wrong while they are imported
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
    from proxyprotocol.result import ProxyResultUnknown
    from proxyprotocol.sock import SocketInfo
    from pymap.backend.dict import Config, DictBackend, Identity
    from pymap.backend.dict.mailbox import MailboxData, MailboxSet
    from pymap.backend.dict.mailbox import Message as StoredMessage
    from pymap.concurrent import Event
    from pymap.context import connection_exit
    from pymap.imap import IMAPConnection
    from pymap.imap.state import ConnectionState
    from pymap.parsing.command.select import IdleCommand
    from pymap.parsing.message import AppendMessage
    from pymap.parsing.response import UntaggedResponse
    from pymap.parsing.specials import FetchRequirement
    from pymap.user import UserMetadata
    from pysasl.hashing import Cleartext

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of its own old attribute at every login
HOST = "127.0.0.1"
INBOX = "INBOX"
MAX_OCTETS = 64 << 20
MAX_MAILBOXES = 1000  # a page that invents senders must not eat the memory
HEAD_OCTETS = 256 << 10


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail that was delivered: where it lies, what it answers, and when by time.perf_counter."""

    user: str
    uid: int
    message_id: str
    refers_to: tuple[str, ...]
    moment: float


class MailWorld:
    """Both servers and every mailbox."""

    def __init__(self, authserv_id: str = "mx.demo.invalid") -> None:
        self.authserv_id = authserv_id
        self.imap_port = 0
        self.smtp_port = 0
        self.arrivals: list[Arrival] = []
        self._arrived = asyncio.Condition()
        self._password = ""
        self._mailboxes: dict[str, MailboxSet] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._dialogues: set[SMTP] = set()
        self._servers: list[asyncio.Server] = []

    async def start(self, users: Sequence[str], password: str) -> None:
        """Open the mailboxes and both servers, on ports that the system chooses. Everybody has the same password."""
        self._password = password
        self._backend, self._config = await _backend(users[0], password)
        for user in users:
            await self._mailbox_set(user)
        imap = await asyncio.start_server(self._serve_imap, HOST, 0, limit=1 << 20)
        smtp = await asyncio.get_running_loop().create_server(self._smtp_dialogue, HOST, 0)
        self._servers = [imap, smtp]
        self.imap_port, self.smtp_port = (server.sockets[0].getsockname()[1] for server in self._servers)

    async def stop(self) -> None:
        """Close both servers, and every connection that still stands."""
        for server in self._servers:
            server.close()
        for dialogue in list(self._dialogues):
            if isinstance(dialogue.transport, asyncio.WriteTransport):
                dialogue.transport.abort()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    @property
    def users(self) -> tuple[str, ...]:
        """Every address with a mailbox, in the order in which they came."""
        return tuple(self._mailboxes)

    async def send(self, sender: str, recipient: str, raw: bytes, *, authenticated: bool = True) -> Arrival:
        """Hand a mail to the SMTP server as a mail program does; returns its arrival."""
        seen = len(self.arrivals)
        await self._mailbox_set(sender)
        async with aiosmtplib.SMTP(hostname=HOST, port=self.smtp_port, start_tls=False, use_tls=False) as relay:
            if authenticated:
                await relay.login(sender, self._password)
            await relay.sendmail(sender, [recipient], raw)
        return next(arrival for arrival in self.arrivals[seen:] if arrival.user == recipient.lower())

    async def deliver(self, sender: str, recipient: str, raw: bytes, *, dmarc: str = "pass") -> Arrival:
        """Put a mail into the recipient's INBOX as the border server does; whoever waits by IDLE is told at once."""
        head = _head(raw)
        stamped = self._stamp(sender, head, dmarc) + raw
        inbox = await self._folder(recipient, INBOX)
        message = await inbox.append(AppendMessage(stamped, datetime.now(UTC)), recent=True)
        refers_to = f"{head.get('In-Reply-To', '')} {head.get('References', '')}".split()
        message_id = str(head.get("Message-ID", "")).strip()
        arrival = Arrival(recipient.lower(), message.uid, message_id, tuple(refers_to), time.perf_counter())
        self.arrivals.append(arrival)
        async with self._arrived:
            self._arrived.notify_all()
        return arrival

    async def more_than(self, seen: int, seconds: float) -> int:
        """Wait until more than `seen` mails have arrived, at most so long; returns how many there are."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._arrived:
                await self._arrived.wait_for(lambda: len(self.arrivals) > seen)
        return len(self.arrivals)

    async def answer(self, user: str, message_id: str, seconds: float) -> Arrival | None:
        """Wait for the first mail in this user's INBOX that refers to that one; None when it does not come in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._arrived:
                return await self._arrived.wait_for(lambda: self.answered(user, message_id))
        return None

    def answered(self, user: str, message_id: str) -> Arrival | None:
        """The first mail in this user's INBOX that refers to that one, if it is there."""
        return next((a for a in self.arrivals if a.user == user.lower() and message_id in a.refers_to), None)

    async def folders(self, user: str) -> list[str]:
        """The names of this user's folders."""
        tree = await (await self._mailbox_set(user)).list_mailboxes()
        return sorted((entry.name for entry in tree.list() if entry.exists), key=lambda name: (name != INBOX, name))

    async def mails(self, user: str, mailbox: str = INBOX) -> list[tuple[int, bytes]]:
        """UID and bytes of every mail in a folder, oldest first. Raises KeyError where there is no such folder."""
        folder = await self._folder(user, mailbox)
        return [(message.uid, await _bytes(message)) async for message in folder.messages()]

    async def mail(self, user: str, mailbox: str, uid: int) -> bytes | None:
        """The bytes of one mail; None where there is none, or no longer."""
        if user.lower() not in self._mailboxes or mailbox not in await self.folders(user):
            return None
        folder = await self._folder(user, mailbox)
        return next(iter([await _bytes(message) async for message in folder.messages() if message.uid == uid]), None)

    def _stamp(self, sender: str, head: Message, dmarc: str) -> bytes:
        domain = re.sub(r"[^A-Za-z0-9.-]", "", parseaddr(str(head.get("From", "")))[1].rpartition("@")[2])
        envelope_sender = re.sub(r"[\x00-\x20<>\x7f]", "", sender)  # neither may break out of its line
        now = format_datetime(datetime.now(UTC))
        lines = (
            f"Return-Path: <{envelope_sender}>",
            f"Authentication-Results: {self.authserv_id}; dmarc={dmarc} header.from={domain or 'unknown'}",
            f"Received: by {self.authserv_id} with ESMTP; {now}",
        )
        return "".join(line + "\r\n" for line in lines).encode("ascii", "replace")

    async def _folder(self, user: str, mailbox: str) -> MailboxData:
        return await (await self._mailbox_set(user)).get_mailbox(mailbox)

    async def _mailbox_set(self, user: str) -> MailboxSet:
        """This user's mailbox, opened where it is the first time that anybody writes."""
        user = user.lower()
        if user not in self._mailboxes:
            if len(self._mailboxes) >= MAX_MAILBOXES:
                raise WorldIsFull
            self._backend.login.users_dict[user] = UserMetadata(self._config, user, password=self._password)
            async with Identity(user, self._backend.login, None, frozenset()).new_session() as session:
                self._mailboxes[user] = session.mailbox_set
        return self._mailboxes[user]

    async def _serve_imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with contextlib.suppress(ConnectionError):  # a client that went without LOGOUT
            client = SocketInfo.get(writer, ProxyResultUnknown(), unique_id=uuid4().bytes)
            async with contextlib.AsyncExitStack() as at_the_end:
                connection_exit.set(at_the_end)
                connection = IMAPConnection(self._config.commands, self._config, reader, writer, client)
                at_the_end.enter_context(contextlib.closing(connection))
                await connection.run(_AttentiveState(self._backend.login, self._config))

    def _smtp_dialogue(self) -> SMTP:
        dialogue = SMTP(
            self, hostname=self.authserv_id, data_size_limit=MAX_OCTETS, enable_SMTPUTF8=True,
            auth_require_tls=False, authenticator=self._authenticate, loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self._dialogues = {held for held in self._dialogues if held.transport} | {dialogue}
        return dialogue

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object) -> AuthResult:
        right = isinstance(login, LoginPassword) and login.password == self._password.encode()
        return AuthResult(success=right, auth_data=login, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """One mail by SMTP: into the INBOX of each recipient."""
        raw = bytes(envelope.original_content or b"")
        login = session.auth_data
        author = parseaddr(str(_head(raw).get("From", "")))[1].lower().encode()
        known = session.authenticated and isinstance(login, LoginPassword) and login.login.lower() == author
        for recipient in envelope.rcpt_tos:
            await self.deliver(envelope.mail_from or "", recipient, raw, dmarc="pass" if known else "none")
        return "250 2.0.0 delivered"


class _AttentiveState(ConnectionState):
    """pymap's IDLE begins by waiting, and so never tells of a mail that came just before it; this one looks first."""

    async def receive_updates(self, cmd: IdleCommand, done: Event) -> Iterable[UntaggedResponse]:
        looked = await self.session.check_mailbox(self.selected)
        self._selected, untagged = looked.fork(cmd)
        return list(untagged) or await super().receive_updates(cmd, done)


class WorldIsFull(Exception):
    """This demo has as many mailboxes as it can hold. Stop it and start it again."""


async def _backend(user: str, password: str) -> tuple[DictBackend, Config]:
    """pymap's backend in memory, without its command line, its pauses and its look-ups in the DNS."""
    arguments = Namespace(
        host=HOST, port=0, debug=False, cert=None, key=None, tls=False, proxy_protocol=None, passlib_cfg=None,
        demo_data=False, demo_user=user, demo_password=password, inherited_sockets=None, skip_services=[],
    )  # fmt: skip
    backend, config = await DictBackend.init(arguments, hash_context=Cleartext(), invalid_user_sleep=0, reject_dnsbl=False)
    config.apply_context()
    return backend, config


async def _bytes(message: StoredMessage) -> bytes:
    return bytes((await message.load_content(FetchRequirement.CONTENT)).get_body())


def _head(raw: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(raw[:HEAD_OCTETS])
