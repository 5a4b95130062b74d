"""Serves the demo's page on a loopback port, beside the service in one event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette

from mailbot.demo.mail_world import HOST


class PortTaken(Exception):
    """The port for the page cannot be had."""


@contextmanager
def listening_on(port: int) -> Iterator[socket.socket]:
    """A socket for the page; 0: the system finds a free port. Raises PortTaken."""
    try:
        listening = socket.create_server((HOST, port))
    except (OSError, OverflowError) as problem:
        raise PortTaken(f"Port {port} cannot be had: {problem}. Choose another one, or none: then the system finds a free one.") from None
    with listening:
        yield listening


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the service has its own, and they stop both."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(site: Starlette, listening: socket.socket, asked: asyncio.Event) -> AsyncIterator[None]:
    """Serve the page while the body runs. It stops first: a browser that waits must not hold up the end."""
    server = _Server(uvicorn.Config(site, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1))

    async def stop_when_asked() -> None:
        await asked.wait()
        server.should_exit = True

    serving, stopping = asyncio.create_task(server.serve([listening])), asyncio.create_task(stop_when_asked())
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        stopping.cancel()
