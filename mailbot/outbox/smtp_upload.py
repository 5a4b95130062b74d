"""The open connection from DATA to the answer: how much of a mail has left, and a reply wherever it comes (see smtp.py)."""

import asyncio
from collections.abc import Callable

from mailbot.outbox.wire import Nonsense, ReplyReader

PIECE_OCTETS = 64 << 10


class Deadline:
    """When the relay must have answered: one timer for all dialogues of a connection. To push it back takes a tenth of what a new one
    takes, or asyncio.timeout, and every mail has two."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._late: Callable[[], None] | None = None

    def set(self, seconds: float, late: Callable[[], None]) -> None:
        """Unless it is set anew or lifted, `late` is called after so many seconds."""
        loop = asyncio.get_running_loop()
        self._due, self._late = loop.time() + seconds, late
        if self._timer is None or self._timer.when() > self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(self._due, self._ring)

    def lift(self) -> None:
        """Nothing is waited for."""
        self._late = None

    def end(self) -> None:
        """There is no connection any more."""
        self.lift()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        loop, self._timer = asyncio.get_running_loop(), None
        if self._late is None:
            return
        if loop.time() < self._due:
            self._timer = loop.call_at(self._due, self._ring)
            return
        late, self._late = self._late, None
        late()


class Upload(asyncio.Protocol):
    """Reads the connection from DATA on. `all_left`: the final dot may have left."""

    def __init__(self, transport: asyncio.Transport, deadline: Deadline) -> None:
        self.all_left = False
        self._transport = transport
        self._news = asyncio.Event()
        self._replies: list[tuple[int, str]] = []
        self._broken: Exception | None = None
        self._paused = False
        self._reader = ReplyReader()
        self._deadline = deadline
        transport.set_protocol(self)

    def ask(self, commands: bytes, within: float) -> None:
        """DATA, or the whole envelope at once; each command is answered for itself, and all of them within so many seconds."""
        self._deadline.set(within, self._came_too_late)
        self._transport.write(commands)

    async def hand_over(self, mail: bytes, within: float) -> tuple[int, str]:
        """Piece by piece, as the relay takes them; ends early where the relay answers or goes before the end. Raises TimeoutError after
        so many seconds."""
        self._deadline.set(within, self._came_too_late)
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
        self._deadline.lift()
        self._transport.set_protocol(protocol)
        return not self._transport.is_closing()

    async def said(self) -> tuple[int, str]:
        """The next answer. Raises what became of the connection instead."""
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

    def _came_too_late(self) -> None:
        self._break(TimeoutError())

    def _break(self, error: Exception) -> None:
        self._broken = self._broken or error
        self._news.set()
