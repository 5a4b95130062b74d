"""Aioimaplib's protocol made fit for unattended use. All that touches its private names is here.

The library (2.0.3, pinned) never fails a pending command when the connection is lost, parses by recursion (a thousand lines
in one read end it), drops an EXISTS that arrives beside another command, and leaves an expired token's challenge unanswered, so
that it looks like a timeout (upstream #58, #83, #107, #110, #118). What is kept of it: commands, tags, the command table, sending.
Since a session runs one command at a time, every untagged response simply belongs to the command that runs.
"""

import asyncio
import logging
import re
import socket
from base64 import b64decode

from aioimaplib import aioimaplib

from mailbot.inbox import imap_responses

LINE_OCTETS = 16 << 20        # a SEARCH answer for a million mails is 8 MB
LITERAL_OCTETS = 256 << 20
CRLF = b"\r\n"
EXISTS = re.compile(rb"(\d+) EXISTS$", re.I)
EXPUNGE = re.compile(rb"\d+ EXPUNGE$", re.I)
LITERAL = re.compile(rb"\{(\d+)\}$")
STATUS = re.compile(rb"\* (?:OK|NO|BAD|BYE|PREAUTH)\b", re.I)
TAGGED = re.compile(rb"[A-Z0-9]+ (?:OK|NO|BAD)\b", re.I)
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4), ("TCP_USER_TIMEOUT", 90_000))
NONAUTH, AUTH, SELECTED = aioimaplib.NONAUTH, aioimaplib.AUTH, aioimaplib.SELECTED

# Its debug log holds passwords, tokens and whole mails. A filter as well as a level: levels get changed by whoever debugs.
logging.getLogger("aioimaplib.aioimaplib").setLevel(logging.WARNING)
logging.getLogger("aioimaplib.aioimaplib").addFilter(lambda record: record.levelno >= logging.WARNING)


class ImapTrouble(Exception):
    """The mailbox cannot be used."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after      # seconds the server asked us to stay away, if it did


class ImapDead(ImapTrouble):
    """The connection is gone or must not be used again. Open another one, later."""


class Command(aioimaplib.Command):  # type: ignore[misc]
    """One command; its own timer is never used: Session has the deadlines."""

    _exception: Exception | None

    @property
    def over(self) -> bool:
        return bool(self._event.is_set())

    def fail(self, error: ImapDead) -> None:
        if not self.over:
            self._exception = error
        self._event.set()


class Protocol(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]
    """One connection: reads lines and literals, keeps what the running command was told, and dies loudly."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.greeting: asyncio.Future[None] = loop.create_future()
        self.death: ImapDead | None = None
        self.responses: list[list[bytes | bytearray]] = []      # untagged, since the running command began
        self.stirred = asyncio.Event()                          # an EXISTS, a "+", an answer or the end: look again
        self.exists = 0
        self.news = False                                       # an EXISTS nobody has searched after
        self.idling = False
        self.sasl_reply: bytes | None = None
        self.challenge = ""
        self.deadline: asyncio.Timeout | None = None            # moved on while bytes arrive, up to deadline_limit
        self.patience = 0.0
        self.deadline_limit = 0.0
        self._buffer = bytearray()
        self._scanned = 0
        self._open: list[bytes | bytearray] | None = None       # a response that goes on after its literal
        self._literal = bytearray()
        self._missing = 0

    # --- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):       # not on every system
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def connection_lost(self, exc: Exception | None) -> None:
        self.die(ImapDead(f"the connection was lost: {exc or 'closed by the server'}"))

    def eof_received(self) -> None:
        self.die(ImapDead("the server closed the connection"))

    def die(self, error: ImapDead) -> None:
        """Close at once, and wake everyone who waits. The first reason stays."""
        self.death = self.death or error
        if self.transport is not None:
            self.transport.abort()
        if not self.greeting.done():
            self.greeting.set_exception(self.death)
            self.greeting.exception()       # seen, even when nobody waits any more
        for command in (self.pending_sync_command, *self.pending_async_commands.values()):
            if command is not None:
                command.fail(self.death)
        self.stirred.set()

    def begin(self, command: Command) -> None:
        """Send a command that is not answered at once: IDLE."""
        self.idling = False
        self.stirred.clear()
        self.responses.clear()
        self.pending_sync_command = command
        self.send(str(command))

    # --- reading: lines in a loop, literals into one growing buffer

    def data_received(self, data: bytes) -> None:
        if self.death is not None:
            return
        if self.deadline is not None and not self.deadline.expired():
            self.deadline.reschedule(min(self.loop.time() + self.patience, self.deadline_limit))
        try:
            if self._missing:
                head = memoryview(data)[: self._missing]
                self._literal += head
                self._missing -= len(head)
                data = data[len(head) :]
                if self._missing:
                    return
            self._buffer += data
            self._read_lines()
        except (aioimaplib.AioImapException, ValueError) as error:
            self.die(ImapDead(f"the server broke the protocol: {error}"))

    def _read_lines(self) -> None:
        start = 0
        while self.death is None and (end := self._buffer.find(CRLF, max(start, self._scanned))) >= 0:
            line = bytes(self._buffer[start:end])
            start = end + len(CRLF)
            self._read_line(line)
            if self._missing:
                self._literal += self._buffer[start : start + self._missing]
                start += len(self._literal)
                self._missing -= len(self._literal)
                if self._missing:
                    break
        del self._buffer[:start]
        self._scanned = max(0, len(self._buffer) - 1)       # its last octet may be half of a CRLF
        if len(self._buffer) > LINE_OCTETS:
            raise ValueError("a line without an end")

    def _read_line(self, line: bytes) -> None:
        if self._open is not None:
            if line[:1] not in (b"", b" ", b")"):
                raise ValueError("a literal of another length than announced")
            parts, self._open = [*self._open, line], None
        elif not self.greeting.done():
            return self._greeted(line)
        elif line.startswith(b"* "):
            parts = [line[2:]]
        elif line.startswith(b"+"):
            return self._continuation(line)
        elif TAGGED.match(line):
            return self._response_done(line)
        elif not line:
            return None
        else:
            raise ValueError("a line that is neither answer nor notice")
        literal = LITERAL.search(line) if line.endswith(b"}") and not STATUS.match(line) else None
        if literal is None:
            return self._untagged(parts)
        self._literal, self._missing = bytearray(), int(literal[1])
        if self._missing > LITERAL_OCTETS:
            raise ValueError(f"a literal of {self._missing} octets")
        self._open = [*parts, self._literal]
        return None

    # --- what was read

    def _greeted(self, line: bytes) -> None:
        word = line[2:].partition(b" ")[0].upper()
        if line.startswith(b"* ") and word in (b"OK", b"PREAUTH"):
            self.state = NONAUTH if word == b"OK" else AUTH
            self.greeting.set_result(None)
        else:
            self.die(_farewell("the server does not let us in", line))

    def _untagged(self, parts: list[bytes | bytearray]) -> None:
        text = bytes(parts[0])
        if match := EXISTS.match(text):
            # Any number but the one we count on: after an EXPUNGE we were not told of, a lower one may still mean new mail.
            count = int(match[1])
            if count and count != self.exists:
                self.news = True
                self.stirred.set()
            self.exists = count
        elif EXPUNGE.match(text):
            self.exists = max(0, self.exists - 1)
        elif text[:3].upper() == b"BYE" and not self._leaving():
            self.die(_farewell("the server said BYE", text))
        self.responses.append(parts)

    def _leaving(self) -> bool:
        return bool(self.pending_sync_command is not None and self.pending_sync_command.name == "LOGOUT")

    def _response_done(self, line: bytes) -> None:
        super()._response_done(line)
        self.stirred.set()

    def _continuation(self, line: bytes) -> None:
        name = self.pending_sync_command.name if self.pending_sync_command is not None else ""
        if name == "IDLE":
            self.idling = True
            self.stirred.set()
        elif name == "AUTHENTICATE":
            # The first "+" asks for our proof; a second one says what was wrong with it, and waits for an empty line.
            if self.sasl_reply is None:
                self.challenge = _readable(line[2:])
            self.transport.write((self.sasl_reply or b"") + CRLF)
            self.sasl_reply = None
        else:
            raise ValueError("a continuation nobody asked for")


def _farewell(what: str, text: bytes) -> ImapDead:
    return ImapDead(f"{what}: {text[:300].decode('utf-8', 'replace')}", imap_responses.backoff(text))


def _readable(challenge: bytes) -> str:
    try:
        return b64decode(challenge, validate=True).decode("utf-8", "replace")
    except ValueError:
        return challenge.decode("utf-8", "replace")


def answer(command: Command) -> tuple[str, bytes]:
    """The word and the text of a command's tagged answer."""
    return str(command.response.result).upper(), bytes(command.response.lines[-1])
