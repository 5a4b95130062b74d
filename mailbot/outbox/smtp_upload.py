"""The open connection from DATA to the answer: how much of a mail has left, and a reply wherever it comes (see smtp.py)."""

import asyncio

from mailbot.outbox.wire import Nonsense, ReplyReader

PIECE_OCTETS = 64 << 10


class Upload(asyncio.Protocol):
    """Reads the connection from DATA on. `all_left`: the final dot may have left."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.all_left = False
        self._transport = transport
        self._news = asyncio.Event()
        self._replies: list[tuple[int, str]] = []
        self._broken: Exception | None = None
        self._paused = False
        self._reader = ReplyReader()
        transport.set_protocol(self)

    def ask(self, commands: bytes) -> None:
        """DATA, or the whole envelope at once; each command is answered for itself."""
        self._transport.write(commands)

    async def hand_over(self, mail: bytes) -> tuple[int, str]:
        """Piece by piece, as the relay takes them; ends early where the relay answers or goes before the end."""
        for start in range(0, len(mail), PIECE_OCTETS):
            while self._paused and not self._replies and self._broken is None:
                self._news.clear()
                await self._news.wait()
            if self._replies or self._broken is not None or self._transport.is_closing():
                break
            self._transport.write(mail[start : start + PIECE_OCTETS])
            self.all_left = start + PIECE_OCTETS >= len(mail) and not self._transport.is_closing()
        return await self.said()

    def give_back(self, protocol: asyncio.BaseProtocol | None) -> bool:
        """Let aiosmtplib read on. False where something is wrong with the connection."""
        if protocol is None or self._broken is not None or self._replies or not self._reader.empty:
            return False
        self._transport.set_protocol(protocol)
        return not self._transport.is_closing()

    async def said(self) -> tuple[int, str]:
        """The next answer."""
        while not self._replies:
            if self._broken is not None:
                raise self._broken
            self._news.clear()
            await self._news.wait()
        return self._replies.pop(0)

    def data_received(self, data: bytes) -> None:
        try:
            self._replies += self._reader.feed(data)
        except Nonsense as nonsense:
            self._break(nonsense)
        self._news.set()

    def eof_received(self) -> None:
        self._break(ConnectionError("the relay closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(ConnectionError(f"the connection was cut: {exc}" if exc else "the connection was cut"))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._news.set()

    def _break(self, error: Exception) -> None:
        self._broken = self._broken or error
        self._news.set()
