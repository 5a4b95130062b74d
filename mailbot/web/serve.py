"""Serves pages beside the flows, in their event loop; who stops them stops it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

IDLE_SECONDS = 5
MOST_AT_ONCE = 200


class PortTaken(Exception):
    """The address for the pages cannot be had."""


@contextmanager
def listening_on(host: str, port: int) -> Iterator[socket.socket]:
    """A socket for the pages; port 0: the system finds a free one. Raises PortTaken."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as problem:
        raise PortTaken(f"Port {port} cannot be had: {problem}. Choose another one, or none: then the system finds a free one.") from None
    with listening:
        # Whoever is accepted inherits it. Without it a page's head waits 40 ms for its body: asyncio sets it for sockets of its own alone.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listening


class _Uvicorn(uvicorn.Server):
    """Without its signal handlers: the service has its own, and they stop both."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """One application. No forwarding header is believed: nothing here depends on who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._server = _Uvicorn(uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ws="none", proxy_headers=False, server_header=False,
            timeout_graceful_shutdown=1, timeout_keep_alive=IDLE_SECONDS, limit_concurrency=MOST_AT_ONCE,
        ))  # fmt: skip

    async def serve(self, listening: socket.socket) -> None:
        """Until stop()."""
        await self._server.serve([listening])

    def stop(self) -> None:
        """End after the answers in hand."""
        self._server.should_exit = True


class Pages:
    """The public pages as a flow of the service: their address is taken when it runs."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._server, self._host, self._port = WebServer(app), host, port

    async def run(self) -> None:
        """Until stop(). Raises PortTaken."""
        with listening_on(self._host, self._port) as listening:
            await self._server.serve(listening)

    def stop(self) -> None:
        """End after the answers in hand."""
        self._server.stop()
