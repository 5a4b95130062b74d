"""A loopback webhook: keeps what is posted to it, and answers what the test says; or drips its answer, for ever."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio


class LoopbackWebhook:
    """`bodies` is what was posted; `status` what is answered. `drips`: one octet of the answer now and then, and never its end."""

    def __init__(self) -> None:
        self.port = 0
        self.status, self.headers, self.drips = 200, "", False
        self.bodies: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.cut = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        """Listen on any free port, or on the one that it had; with a context, by TLS."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:"))
            self.requests.append(head.splitlines()[0])
            self.bodies.append(json.loads(await reader.readexactly(length)))
            while self.drips:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.05)  # this is the failure itself
            writer.write(f"HTTP/1.1 {self.status} Said\r\n{self.headers}Content-Length: 0\r\n\r\n".encode())
            await writer.drain()
        except OSError:
            self.cut.set()  # the other side has gone
        finally:
            writer.close()


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[LoopbackWebhook]:
    """A webhook that takes everything."""
    running = LoopbackWebhook()
    await running.start()
    yield running
    await running.stop()
