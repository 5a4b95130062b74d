"""A TCP proxy on loopback that fails as networks do: goes dark, cuts, refuses, or breaks off in the middle of an answer."""

import asyncio


class TcpProxy:
    """`port` leads to `upstream`. `passed` counts the octets that went down to the client."""

    host = "127.0.0.1"

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.passed = 0
        self._progress = asyncio.Condition()
        self.refusing = False
        self._light = asyncio.Event()
        self._light.set()
        self._left: int | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "TcpProxy":
        self._server = await asyncio.start_server(self._client, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def go_dark(self) -> None:
        """From now on nothing gets through, and nobody is told: every socket stays open."""
        self._light.clear()

    def lighten(self) -> None:
        self._light.set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def truncate(self, octets: int) -> None:
        """Let so many octets pass down, then reset the connection they were for."""
        self._left = octets

    async def has_passed(self, octets: int) -> None:
        """Wait until so many octets have passed down."""
        async with self._progress:
            await self._progress.wait_for(lambda: self.passed >= octets)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection(self.host, self.upstream)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        for source, sink, down in ((reader, up_writer, False), (up_reader, writer, True)):
            task = asyncio.create_task(self._pump(source, sink, down))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, down: bool) -> None:
        try:
            while data := await source.read(65536):
                await self._light.wait()
                if down and self._left is not None:
                    data, self._left = data[: self._left], self._left - len(data)
                sink.write(data)
                await sink.drain()
                if down:
                    async with self._progress:
                        self.passed += len(data)
                        self._progress.notify_all()
                if down and self._left is not None and self._left <= 0:
                    self._left = None
                    break
            await self._light.wait()
        except OSError:
            pass            # a side that is gone; the other one hears of it below
        finally:
            sink.close()
