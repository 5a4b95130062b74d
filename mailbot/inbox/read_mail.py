"""Reads a stranger's mail in a process of its own, which may be killed.

The parser is written to be linear and to never raise; this is what holds when it is wrong. A mail that takes longer
than the deadline, eats the memory or kills the process becomes `Unreadable`, a fresh process takes the next one, and
the loop that talks to the servers never waits for a parser.
"""

import asyncio
import contextlib
import pickle
import sys
from datetime import datetime

from mailbot.inbox import read_apart
from mailbot.inbox.read_apart import ANSWER, ASK
from mailbot.inbox.said import Ears, Said
from mailbot.message.incoming import HEAD_OCTETS, IncomingMessage, Unreadable

DEADLINE_SECONDS = 4.0

Read = tuple[IncomingMessage | Unreadable, Said | None]


class Reader:
    """One child process at a time, started when first needed; used by one caller at a time."""

    def __init__(self, ears: Ears, deadline: float = DEADLINE_SECONDS) -> None:
        self._ears = pickle.dumps(ears, protocol=pickle.HIGHEST_PROTOCOL)  # reading a language's files takes longer than a child's start
        self._deadline = deadline
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def read(self, head: bytes, size: int, now: datetime) -> Read:
        """`head` is the first HEAD_OCTETS of a mail of `size` octets. Never raises for what the mail holds."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._deadline):
                    return await self._ask(head[:HEAD_OCTETS], size, now)
            except TimeoutError:
                await self._kill()
                return Unreadable(why="took-too-long", size=size, subject=""), None
            except (OSError, EOFError, asyncio.IncompleteReadError):
                await self._kill()
                return Unreadable(why="killed-the-parser", size=size, subject=""), None
            except BaseException:
                await self._kill()  # cancelled with an answer under way: the next mail must not get it
                raise

    async def _ask(self, head: bytes, size: int, now: datetime) -> Read:
        child = await self.start()
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(ASK.pack(len(head), size, now.timestamp()) + head)   # at once, so that the child wakes once
        await child.stdin.drain()
        (length,) = ANSWER.unpack(await child.stdout.readexactly(ANSWER.size))
        answer: Read = pickle.loads(await child.stdout.readexactly(length))  # noqa: S301 - written by our own child
        return answer

    async def start(self) -> asyncio.subprocess.Process:
        """The running child; the deadline covers its start, so a service warms it up before the first mail."""
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", read_apart.__name__,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            assert self._child.stdin is not None
            self._child.stdin.write(ANSWER.pack(len(self._ears)) + self._ears)
        return self._child

    async def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def close(self) -> None:
        """End the child."""
        await self._kill()

