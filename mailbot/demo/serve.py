"""Serves the demo's page on a loopback port, beside the service in one event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from mailbot.web.serve import WebServer


@asynccontextmanager
async def served(page: ASGIApp, listening: socket.socket, asked: asyncio.Event) -> AsyncIterator[None]:
    """Serve the page while the body runs. It stops first: a browser that waits must not hold up the end."""
    server = WebServer(page)

    async def stop_when_asked() -> None:
        await asked.wait()
        server.stop()

    serving, stopping = asyncio.create_task(server.serve(listening)), asyncio.create_task(stop_when_asked())
    try:
        yield
    finally:
        server.stop()
        await serving
        stopping.cancel()
