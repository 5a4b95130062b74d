"""An IMAP server that says exactly what a test tells it to, however wrong.

`answers` maps a command ("UID SEARCH", "IDLE", "DONE", ...) to what is sent back. "TAG" stands for the command's tag; a list is
used up from the front, its last entry repeats; HANG says nothing, DROP resets the connection; a function gets the client.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from mailbot.inbox.imap import ImapDead, Server, Session
from mailbot.oauth.access_tokens import AccessTokens

HANG = b""
DROP = None

Said = bytes | None | Callable[["Client"], Awaitable[None]]


@dataclass
class Client:
    """One connection: say() to it, look at what it sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tag: bytes = b""
    lines: list[bytes] = field(default_factory=list)

    def say(self, data: bytes) -> None:
        self.writer.write(data.replace(b"TAG", self.tag))

    async def say_slowly(self, data: bytes, octets: int) -> None:
        """In pieces of so many octets, each a read of its own."""
        data = data.replace(b"TAG", self.tag)
        for start in range(0, len(data), octets):
            self.writer.write(data[start : start + octets])
            await self.writer.drain()
            await asyncio.sleep(0)

    def drop(self) -> None:
        self.writer.transport.abort()


class ScriptedImap:
    host = "127.0.0.1"

    def __init__(
        self, answers: Mapping[str, Said | list[Said]] | None = None, greeting: bytes = b"* OK ready\r\n",
        capabilities: str = "IMAP4rev1 IDLE UIDPLUS MOVE", exists: int = 0,
    ) -> None:
        self.answers: dict[str, Said | list[Said]] = {
            "CAPABILITY": f"* CAPABILITY {capabilities}\r\nTAG OK done\r\n".encode(),
            "SELECT": f"* {exists} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 12] x\r\nTAG OK done\r\n".encode(),
            "LIST": b'* LIST (\\HasNoChildren) "/" ""\r\nTAG OK done\r\n',
            "IDLE": b"+ idling\r\n",
            "LOGOUT": b"* BYE so long\r\nTAG OK done\r\n",
            **(answers or {}),
        }
        self.greeting = greeting
        self.port = 0
        self.clients: list[Client] = []
        self._server: asyncio.Server | None = None

    @property
    def lines(self) -> list[str]:
        """Every command received, without its tag."""
        return [line.decode("utf-8", "replace") for client in self.clients for line in client.lines]

    async def __aenter__(self) -> "ScriptedImap":
        self._server = await asyncio.start_server(self._serve, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for client in self.clients:
            client.drop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(reader, writer)
        self.clients.append(client)
        client.say(self.greeting)
        try:
            while line := (await reader.readline()).rstrip(b"\r\n"):
                if line == b"DONE":
                    command, rest = "DONE", line
                else:
                    client.tag, _, rest = line.partition(b" ")
                    words = rest.decode("utf-8", "replace").upper().split(" ")
                    command = " ".join(words[:2]) if words[0] == "UID" else words[0]
                client.lines.append(rest)
                await self._answer(client, command)
        except OSError:
            return          # the client has left

    async def _answer(self, client: Client, command: str) -> None:
        said = self.answers.get(command, b"TAG OK done\r\n")
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        if said is DROP:
            client.drop()
        elif isinstance(said, bytes):
            client.say(said)
        else:
            await said(client)


def at(
    server: ScriptedImap, seconds: float = 5, username: str = "press", password: str = "secret", tokens: AccessTokens | None = None
) -> Server:
    """Where the scripted server is, with short deadlines."""
    return Server(
        host=server.host, port=server.port, security="plain", username=username, password=password, tokens=tokens,
        connect_seconds=seconds, command_seconds=seconds, done_seconds=seconds,
    )


@asynccontextmanager
async def mailbox(server: ScriptedImap, seconds: float = 5, selected: bool = True) -> AsyncIterator[Session]:
    """The server, started, and a session with its INBOX."""
    async with server:
        session = await Session.open(at(server, seconds))
        if selected:
            await session.select("INBOX")
        try:
            yield session
        finally:
            session.abort()


async def is_dead(session: Session) -> bool:
    """It says so at once, and not after a deadline."""
    async with asyncio.timeout(1):
        with pytest.raises(ImapDead):
            await session.search("ALL")
    return True
