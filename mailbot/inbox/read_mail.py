"""Reads a stranger's mail in a process of its own, which may be killed.

The parser is written to be linear and to never raise; this is what holds when it is wrong. A mail that takes longer
than the deadline, eats the memory or kills the process becomes `Unreadable`, a fresh process takes the next one, and
the loop that talks to the servers never waits for a parser.
"""

import asyncio
import contextlib
import pickle
import resource
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from mailbot import languages
from mailbot.message.incoming import HEAD_OCTETS, IncomingMessage, Unreadable, parse
from mailbot.message.reply_text import ReplyMarks, marks_from

DEADLINE_SECONDS = 4.0
MEMORY_OCTETS = 1 << 30
LENGTH = struct.Struct(">QQ")  # octets that follow, octets of the whole mail


class Reader:
    """One child process at a time, started when first needed; used by one caller at a time."""

    def __init__(self, language_folders: Sequence[Path], deadline: float = DEADLINE_SECONDS) -> None:
        self._folders = [str(folder) for folder in language_folders]
        self._deadline = deadline
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def read(self, head: bytes, size: int) -> IncomingMessage | Unreadable:
        """`head` is the first HEAD_OCTETS of a mail of `size` octets. Never raises for what the mail holds."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._deadline):
                    return await self._ask(head[:HEAD_OCTETS], size)
            except TimeoutError:
                await self._kill()
                return Unreadable(why="took-too-long", size=size, subject="")
            except (OSError, EOFError, asyncio.IncompleteReadError):
                await self._kill()
                return Unreadable(why="killed-the-parser", size=size, subject="")
            except BaseException:
                await self._kill()  # cancelled with an answer under way: the next mail must not get it
                raise

    async def _ask(self, head: bytes, size: int) -> IncomingMessage | Unreadable:
        child = await self.start()
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(LENGTH.pack(len(head), size))
        child.stdin.write(head)
        await child.stdin.drain()
        (length, _) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
        answer = pickle.loads(await child.stdout.readexactly(length))  # noqa: S301 - written by our own child
        assert isinstance(answer, IncomingMessage | Unreadable)
        return answer

    async def start(self) -> asyncio.subprocess.Process:
        """The running child; the deadline covers its start, so a service warms it up before the first mail."""
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", __name__, *self._folders,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
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


def _serve(marks: ReplyMarks) -> None:
    """The child: one mail in, one value out, until standard input ends."""
    inward, outward = sys.stdin.buffer, sys.stdout.buffer
    while lead := inward.read(LENGTH.size):
        length, size = LENGTH.unpack(lead)
        answer = pickle.dumps(parse(inward.read(length), size, marks), protocol=pickle.HIGHEST_PROTOCOL)
        outward.write(LENGTH.pack(len(answer), 0) + answer)
        outward.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OCTETS, MEMORY_OCTETS))
    loaded = languages.load([Path(folder) for folder in sys.argv[1:]])
    _serve(marks_from([language.mail for language in loaded.values()]))
